//! Every variant of every shader through the WGSL compiler, without an adapter: also for devices that no
//! test machine has, such as those whose subgroups differ in size.

use std::collections::BTreeSet;

use naga::valid::{Capabilities as Allowed, ValidationFlags, Validator};
use puna_core::model;
use puna_core::quant::FORMATS;
use puna_core::weights::gguf::{Gguf, Parsed};
use puna_gpu::choices::Choices;
use puna_gpu::device::Capabilities;
use puna_gpu::kernel::{Setting, deinterleave, penalize, repack, sample};
use puna_gpu::program::recipes;
use puna_gpu::shader::link;
use puna_gpu::shader::variant::{KvType, Precision, Variant};
use puna_gpu::split::{Split, Width};
use puna_gpu::way::Way;

const SPLITS: [Split; 8] = [
    Split::Serial,
    Split::Shared,
    Split::Subgroup(4, 4),
    Split::Subgroup(4, 128),
    Split::Subgroup(8, 32),
    Split::Subgroup(32, 32),
    Split::Subgroup(32, 64),
    Split::Subgroup(128, 128),
];

/// What a variant is linked for; natively `enable subgroups;` is left out.
const CAPABILITIES: Capabilities = Capabilities {
    f16: true,
    subgroups: Some((4, 128)),
    wants_enable_subgroups: false,
    is_software: false,
    max_binding_bytes: u64::MAX,
    max_buffer_bytes: u64::MAX,
};

/// `pack2x16float` and its like, which WGSL always has and naga asks about.
const PACKED_FLOATS: Allowed = Allowed::SHADER_FLOAT16_IN_FLOAT32;

/// The variants of a Llama whose matrices have the format, in every split and arithmetic.
fn variants(format: usize) -> Vec<Variant> {
    let bytes = include_bytes!("../../../tests/golden/llama-256/llama-256-Q4_1.gguf");
    let Parsed::Done(gguf) = Gguf::parse(bytes).expect("a good header") else {
        panic!("the header is cut off")
    };
    let (_, mut graph) = model::open(&gguf).expect("a graph");
    for matrix in &mut graph.matrices {
        matrix.format = FORMATS[format];
    }
    let parts: Vec<_> = graph
        .matrices
        .iter()
        .map(|matrix| vec![(0, matrix.rows)])
        .collect();
    let mut variants = vec![
        repack::variant(FORMATS[format], 256),
        deinterleave::variant(),
        penalize::variant(),
        sample::variant(384),
    ];
    for split in SPLITS {
        let precisions = [Precision::F32, Precision::F16].into_iter();
        for precision in precisions.filter(|&precision| split.computes_in(precision)) {
            for kv in [KvType::F32, KvType::F16] {
                for (width, way) in ways(split, precision, format) {
                    let setting = Setting {
                        graph: &graph,
                        parts: parts.clone(),
                        gains: vec![0; graph.vectors.len()],
                        split,
                        precision,
                        kv,
                        width,
                        rounds: true,
                        choices: Choices::all(width, way),
                    };
                    variants.extend(
                        recipes(&setting)
                            .expect("recipes")
                            .into_iter()
                            .map(|recipe| recipe.variant),
                    );
                }
            }
        }
    }
    variants
}

/// Every way that a format's projections can go.
fn ways(split: Split, precision: Precision, format: usize) -> Vec<(Width, Way)> {
    let integers = FORMATS[format].integers;
    let of = |&width| {
        split
            .ways(width, precision, integers)
            .into_iter()
            .map(move |way| (width, way))
    };
    split.widths().iter().flat_map(of).collect()
}

/// What the compiler says of a text; `None` when it is good.
fn complaint(text: &str) -> Option<String> {
    let module = match naga::front::wgsl::parse_str(text) {
        Ok(module) => module,
        Err(error) => return Some(error.emit_to_string(text)),
    };
    let mut validator = Validator::new(
        ValidationFlags::all(),
        Allowed::SUBGROUP | Allowed::SHADER_FLOAT16 | PACKED_FLOATS,
    );
    let error = validator.validate(&module).err()?;
    Some(error.emit_to_string(text))
}

#[test]
fn every_variant_is_valid_and_uses_every_file() {
    let mut texts = BTreeSet::new();
    let mut used = BTreeSet::new();
    let mut complaints = Vec::new();
    for format in 0..FORMATS.len() {
        for variant in variants(format) {
            let text = variant.link(&CAPABILITIES);
            used.extend(variant.modules.iter().cloned());
            if !texts.insert(text.clone()) {
                continue;
            }
            if let Some(complaint) = complaint(&text) {
                complaints.push(format!(
                    "{:?} {:?}\n{complaint}",
                    variant.modules, variant.constants
                ));
            }
        }
    }
    println!("{} texts", texts.len());
    assert!(
        complaints.is_empty(),
        "{} of {} texts are refused:\n{}",
        complaints.len(),
        texts.len(),
        complaints.join("\n\n")
    );
    assert!(
        texts.len() >= 500,
        "only {} texts: some were lost",
        texts.len()
    );
    let unused: Vec<_> = link::files()
        .map(|(name, _)| name)
        .filter(|name| !used.contains(*name))
        .collect();
    assert!(unused.is_empty(), "no variant links {unused:?}");
}

/// A variable of a loop that is given no value is zero each time round, says WGSL; one browser's compiler leaves what the
/// last round left.
#[test]
fn variables_in_blocks_are_given_a_value() {
    let has_none = |line: &&str| {
        let is_deep = line.starts_with("        ");
        is_deep && line.trim_start().starts_with("var ") && !line.contains(" = ")
    };
    for (file, text) in link::files() {
        let found: Vec<_> = text.lines().filter(has_none).collect();
        assert!(found.is_empty(), "{file}: {found:?}");
    }
    assert!(has_none(&"        var sum: Sums;"), "it would be seen");
}

#[test]
fn a_broken_text_is_refused() {
    let good = variants(0).swap_remove(0).link(&CAPABILITIES);
    assert_eq!(complaint(&good), None, "it is good to begin with");
    assert!(
        complaint(&good.replace("u32", "f32")).is_some(),
        "types do not match"
    );
}
