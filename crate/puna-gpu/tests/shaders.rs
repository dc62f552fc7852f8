//! Every variant of every shader through the WGSL compiler, without an adapter: also for devices that no
//! test machine has, such as those whose subgroups differ in size.

#[path = "../../../tests/native/tiny.rs"]
#[allow(dead_code, reason = "not every test file asks for all")]
mod tiny;

use std::collections::BTreeSet;
use std::path::PathBuf;

use naga::valid::{Capabilities as Allowed, ValidationFlags, Validator};
use puna_core::graph::{Graph, Rank, RowGroups};
use puna_core::model;
use puna_core::quant::{FORMATS, Format};
use puna_gpu::choices::Choices;
use puna_gpu::device::Capabilities;
use puna_gpu::kernel::{
    Setting, deinterleave, penalize, place, quantize, repack, rounds, sample, transpose,
};
use puna_gpu::program::recipes;
use puna_gpu::shader::link;
use puna_gpu::shader::variant::{KvType, Precision, Variant};
use puna_gpu::split::{Split, Width};
use puna_gpu::way::Way;
use tiny::Tiny;

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

/// Formats that are in every split here; what splits do with weights is the same for the others.
const EVERYWHERE: usize = 12;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What a variant is linked for; natively `enable subgroups;` is left out.
const CAPABILITIES: Capabilities = Capabilities {
    f16: true,
    subgroups: Some((4, 128)),
    wants_enable_subgroups: false,
    is_software: false,
    loop_bound: None,
    max_binding_bytes: u64::MAX,
    max_buffer_bytes: u64::MAX,
};

/// `pack2x16float` and its like, which WGSL always has and naga asks about.
const PACKED_FLOATS: Allowed = Allowed::SHADER_FLOAT16_IN_FLOAT32;

/// The graph of a tiny model.
fn graph(tiny: &Tiny) -> Graph {
    model::open(&tiny.read(&root()).1).expect("a graph").1
}

/// The same with adapters of every matrix, their rows in groups of all kinds.
fn adapted(graph: Graph) -> Graph {
    let groups = [
        RowGroups::Stacked(Vec::new()),
        RowGroups::Stacked(vec![64, 128]),
        RowGroups::Interleaved,
    ];
    let rank = |matrix: usize| Rank {
        matrix,
        groups: groups[matrix % groups.len()].clone(),
        rank: 8,
    };
    let ranks = (0..graph.matrices.len()).map(rank).collect();
    graph.with_adapters(2, ranks)
}

/// The variants of a model whose matrices have the format, in every split, or in two, and every arithmetic.
fn variants(mut graph: Graph, format: usize) -> Vec<Variant> {
    for matrix in &mut graph.matrices {
        matrix.format = FORMATS[format];
    }
    let parts: Vec<_> = graph
        .matrices
        .iter()
        .map(|matrix| vec![(0, matrix.rows)])
        .collect();
    let mut variants = vec![
        place::variant(),
        rounds::variant(),
        repack::variant(FORMATS[format], 256),
        deinterleave::variant(),
        transpose::variant(),
        quantize::variant(Format::q8_0()),
        quantize::variant(Format::named("q4_0").expect("a format")),
        penalize::variant(1031),
        sample::variant(384),
    ];
    let splits = if format < EVERYWHERE {
        &SPLITS[..]
    } else {
        &SPLITS[..2]
    };
    for &split in splits {
        let precisions = [Precision::F32, Precision::F16].into_iter();
        for precision in precisions.filter(|&precision| split.computes_in(precision)) {
            for kv in [KvType::F32, KvType::F16, KvType::Q8] {
                for (width, way) in ways(split, precision, format) {
                    let setting = Setting {
                        graph: &graph,
                        parts: parts.clone(),
                        gains: vec![0; graph.vectors.len()],
                        split,
                        precision,
                        kv,
                        width,
                        max_tokens: 256,
                        rounds: true,
                        adapted: !graph.low_ranks.is_empty(),
                        choices: Choices::all(width, way),
                    };
                    let recipes = recipes(&setting).into_iter();
                    variants.extend(recipes.map(|recipe| recipe.variant));
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
    // A Llama in every format; what else there is in one.
    let own = FORMATS.iter().position(|format| format.name == "q4_0");
    let own = own.expect("a format");
    let llama = (0..FORMATS.len()).map(|format| (graph(&tiny::LLAMAS[0]), format));
    let others = tiny::ARCHITECTURES.iter().chain(tiny::MIXED);
    let others = others.chain(tiny::ENCODERS);
    let others = others.map(|tiny| (graph(tiny), own));
    let adapted = std::iter::once((adapted(graph(&tiny::LLAMAS[0])), own));
    for (graph, format) in llama.chain(others).chain(adapted) {
        for variant in variants(graph, format) {
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
    for (file, _) in link::files() {
        // The file itself: what is linked has lost its indentation.
        let path = format!("{}/../../shaders/{file}.wgsl", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).expect("a file of shaders/");
        let found: Vec<_> = text.lines().filter(has_none).collect();
        assert!(found.is_empty(), "{file}: {found:?}");
    }
    assert!(has_none(&"        var sum: Sums;"), "it would be seen");
}

#[test]
fn a_broken_text_is_refused() {
    let good = variants(graph(&tiny::LLAMAS[0]), 0)
        .swap_remove(0)
        .link(&CAPABILITIES);
    assert_eq!(complaint(&good), None, "it is good to begin with");
    assert!(
        complaint(&good.replace("u32", "f32")).is_some(),
        "types do not match"
    );
}
