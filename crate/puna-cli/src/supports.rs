//! `puna supports`: which models, types of weights and fields of requests, from the registries.

use puna_core::model::ARCHITECTURES;
use puna_core::openai::{EXTENSIONS, ROUTES};
use puna_core::quant::{FORMATS, Format, INTERLEAVED};

pub(crate) const HELP: &str = "\
puna supports: say which architectures and types of weights Puna runs, and which fields of requests

Usage: puna supports

Prints tables in Markdown, from the lists that loading a model and reading a request go by.

Options:
  -h, --help            this text
";

/// The tables.
pub(crate) fn tables() -> String {
    let mut text = "\
| models | `general.architecture` of a GGUF | `model_type` of a `config.json` |
|---|---|---|
"
    .to_owned();
    for architecture in ARCHITECTURES {
        let types: Vec<_> = architecture
            .model_types()
            .map(|name| format!("`{name}`"))
            .collect();
        text.push_str(&format!(
            "| {} | `{}` | {} |\n",
            architecture.models,
            architecture.name,
            types.join(", ")
        ));
    }
    // `ik_llama.cpp` numbers its own from there.
    let is_ik = |format: &&&Format| format.ggml_type >= 130;
    let of = |formats: Vec<&&Format>| {
        let names = formats.iter().map(|format| format.name.to_uppercase());
        names.collect::<Vec<_>>().join(", ")
    };
    text.push_str(&format!(
        "\n| weights | types |\n|---|---|\n| of llama.cpp | {} |\n| of ik_llama.cpp | {} |\n| rows stored together | {} |\n",
        of(FORMATS.iter().filter(|it| !is_ik(it)).collect()),
        of(FORMATS.iter().filter(is_ik).collect()),
        of(INTERLEAVED.iter().collect()),
    ));
    text.push_str("\n| requests | followed | accepted, changes nothing | refused by name |\n|---|---|---|---|\n");
    let quoted = |fields: &mut dyn Iterator<Item = &str>| {
        let quoted: Vec<_> = fields.map(|field| format!("`{field}`")).collect();
        quoted.join(", ")
    };
    for route in ROUTES {
        text.push_str(&format!(
            "| `POST {}` | {} | {} | {} |\n",
            route.path,
            quoted(&mut route.supported()),
            quoted(&mut route.ignored.iter().copied()),
            quoted(&mut route.refused.iter().copied()),
        ));
    }
    text.push_str(&format!(
        "\nUnder `puna`, which is Puna's own: {}.\n",
        quoted(&mut EXTENSIONS.iter().copied())
    ));
    text
}
