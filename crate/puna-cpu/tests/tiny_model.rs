//! A tiny model: with weights as floats against the twins, op by op in one chain, and with its own weights against
//! logits of an independent implementation; by every instruction set, on one thread and on several.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of golden files are small"
)]

mod support;
#[path = "../../../tests/native/tiny.rs"]
#[allow(dead_code, reason = "not every test file asks for all")]
mod tiny;

use puna_core::embedding::Pooling;
use puna_core::graph::Graph;
use puna_core::model;
use puna_core::places::{Place, Places};
use puna_core::quant::{FORMATS, Format, INTERLEAVED};
use puna_core::reference;
use puna_core::weights::header::Header;
use puna_core::weights::plan::Piece;
use puna_cpu::{Executor, ExecutorOptions, Simd, Wanted};
use support::{ModelFile, root};
use tiny::{Tiny, worst};

/// The cache is in f16, which loses 2^-11 of each key and value; all else is in f32, as the twins are but for their sums.
const FLOATS: f32 = 6e-3;
/// Of the 8 bits of activations; the larger errors are those of the formats with the smallest steps.
const INTEGERS: f32 = 0.2;

struct Golden {
    bytes: Vec<u8>,
    header: Header,
    graph: Graph,
}

impl Golden {
    fn read(tiny: &Tiny) -> Self {
        let (bytes, header) = tiny.read(&root());
        let (_, graph) = model::open(&header).expect("a graph");
        Self {
            bytes,
            header,
            graph,
        }
    }

    fn tensor(&self, ix: usize) -> &[u8] {
        let info = &self.header.tensors[ix];
        &self.bytes[info.offset as usize..(info.offset + info.bytes) as usize]
    }

    fn reference(&self) -> reference::Executor {
        let executor = reference::Executor::new(self.graph.clone(), 64, |ix| self.tensor(ix));
        executor.expect("good factors")
    }

    /// The executor, with weights as the file has them or as floats.
    fn executor(&self, simd: Simd, threads: usize, as_floats: bool) -> Executor {
        let mut graph = self.graph.clone();
        if as_floats {
            for matrix in &mut graph.matrices {
                matrix.format = Format::f32();
                matrix.stored = Format::f32();
            }
        }
        let options = ExecutorOptions {
            simd,
            threads,
            ..ExecutorOptions::default()
        };
        let n_tensors = self.header.tensors.len();
        let mut executor = Executor::new(graph, n_tensors, options).expect("memory");
        for (ix, info) in self.header.tensors.iter().enumerate() {
            let format = FORMATS
                .iter()
                .find(|format| format.ggml_type == info.ggml_type);
            let format = format.expect("a format of the registry");
            let bytes = if as_floats && format.name != "f32" {
                let floats = format.dequantize_rows(self.tensor(ix), info.dims[0] as usize);
                floats.iter().flat_map(|w| w.to_le_bytes()).collect()
            } else {
                self.tensor(ix).to_vec()
            };
            let piece = Piece {
                tensor: ix,
                chunk_offset: 0,
                tensor_offset: 0,
                bytes: bytes.len() as u32,
            };
            executor.upload(&[piece], &bytes).expect("an upload");
        }
        executor
    }
}

fn ids() -> Vec<u32> {
    (0..40).map(|i| (i * i * 7 + 3) % 384).collect()
}

/// The ids for which no choice of experts is near a tie.
fn own_ids(tiny: &Tiny) -> Vec<u32> {
    tiny.golden(&root()).ids
}

/// Runs the ids in chunks of `chunk` and holds the logits of all to `want`.
fn check(
    label: &str,
    executor: &mut Executor,
    ids: &[u32],
    chunk: usize,
    want: &[f32],
    tolerance: f32,
) {
    let mut got = Vec::new();
    for (n, ids) in ids.chunks(chunk).enumerate() {
        let logits = executor.forward(n * chunk, ids, Wanted::All);
        got.extend_from_slice(logits.expect("logits"));
    }
    let off = worst(&got, want);
    println!("{label}: {off:.5} standard deviations off");
    assert!(
        off <= tolerance,
        "{label}: {off} standard deviations off, at most {tolerance}"
    );
}

/// The same side by side: tokens of conversations that are not as far, or that went another way.
fn check_together(label: &str, executor: &mut Executor, ids: &[u32], want: &[f32], tolerance: f32) {
    let copy = |to| puna_core::pool::Copy {
        from: 0,
        to,
        rows: ids.len(),
    };
    executor.reserve(300).expect("rows");
    executor
        .copy_rows(&[copy(100), copy(200), copy(50)])
        .expect("copies");
    let last = ids.len() - 1;
    let places = [at(200, last), at(100, 20), at(0, 0), at(50, 3)];
    let own: Vec<_> = places.iter().map(|place| ids[place.position]).collect();
    let logits = executor.forward(Places::each(&places), &own, Wanted::All);
    let logits = logits.expect("logits");
    let vocab = logits.len() / places.len();
    for (place, got) in places.iter().zip(logits.chunks(vocab)) {
        let off = worst(got, &want[place.position * vocab..][..vocab]);
        assert!(
            off <= tolerance,
            "{label}: {place:?} beside others is {off} standard deviations off"
        );
    }
}

#[test]
fn every_op_agrees_with_its_twin() {
    for (ix, tiny) in tiny::LLAMAS.iter().chain(tiny::ARCHITECTURES).enumerate() {
        let golden = Golden::read(tiny);
        let ids = own_ids(tiny);
        let want = golden.reference().forward(0, &ids);
        // Instruction sets and threads differ in nothing that an architecture could add to.
        let all = [(1, 40), (1, 1), (3, 40), (3, 7), (2, 1)];
        let (sets, divisions) = match ix {
            0 => (Simd::all(), &all[..]),
            _ => (vec![Simd::best()], &all[3..]),
        };
        for simd in sets {
            for &(threads, chunk) in divisions {
                let label = format!(
                    "{} {} {threads} threads, chunks of {chunk}",
                    tiny.name(),
                    simd.name()
                );
                let mut executor = golden.executor(simd, threads, true);
                check(&label, &mut executor, &ids, chunk, &want, FLOATS);
                check_together(&label, &mut executor, &ids, &want, FLOATS);
            }
        }
    }
}

#[test]
fn rounding_activations_loses_little_in_every_format() {
    for tiny in tiny::all() {
        let golden = Golden::read(tiny);
        let ids = own_ids(tiny);
        let want = golden.reference().forward(0, &ids);
        for simd in Simd::all() {
            for (threads, chunk) in [(1, 40), (3, 1)] {
                let label = format!("{} {} {threads} threads", tiny.name(), simd.name());
                let mut executor = golden.executor(simd, threads, false);
                check(&label, &mut executor, &ids, chunk, &want, INTEGERS);
            }
        }
    }
}

/// All of a text at once: each token sees those behind it.
#[test]
fn encoders_make_the_golden_vectors() {
    for tiny in tiny::ENCODERS {
        let golden = Golden::read(tiny);
        let vectors = tiny.vectors(&root());
        for simd in Simd::all() {
            // What a checkpoint has are floats.
            let is_gguf = tiny.format != "safetensors";
            let integers = if is_gguf { INTEGERS } else { FLOATS };
            for (threads, as_floats, tolerance) in [(3, is_gguf, FLOATS), (1, false, integers)] {
                let label = format!("{} {} {threads} threads", tiny.name(), simd.name());
                let mut executor = golden.executor(simd, threads, as_floats);
                let ids = &vectors.ids;
                check(&label, &mut executor, ids, 40, &vectors.hidden, tolerance);
                let hidden = executor.forward(0, ids, Wanted::All).expect("vectors");
                let pooled = Pooling::Mean.pool(hidden, golden.graph.out_width);
                let pooled = pooled.expect("a direction");
                let pairs = pooled.iter().zip(&vectors.pooled);
                let cosine: f32 = pairs.map(|(a, b)| a * b).sum();
                assert!(cosine > 0.9995, "{label}: the cosine is {cosine}");
            }
        }
    }
}

/// Weights that are rounded as they come, against the twins with weights that are rounded alike.
#[test]
fn checkpoints_are_rounded_at_load() {
    // Rounded weights bring the choice of DeepSeek V3's experts near a tie, which rounded activations decide otherwise.
    let is_sure = |tiny: &&Tiny| !tiny.name().contains("deepseek-v3");
    let all = tiny::CHECKPOINTS.iter().filter(is_sure);
    for (tiny, name) in all.zip(["q8_0", "q4_0"].iter().cycle()) {
        let mut golden = Golden::read(tiny);
        let format = Format::named(name).expect("a format");
        golden.graph = golden.graph.quantized(format).expect("a format for it");
        let ids = own_ids(tiny);
        let want = golden.reference().forward(0, &ids);
        let mut executor = golden.executor(Simd::best(), 2, false);
        let label = format!("{} as {name}", tiny.name());
        check(&label, &mut executor, &ids, 40, &want, INTEGERS);
    }
}

/// Rows that are stored together are taken apart: the same weights, to the last bit.
#[test]
fn rows_that_are_stored_together_answer_alike() {
    for name in ["IQ4_XS_R8", "IQ4_KS_R4", "Q6_K_R4"] {
        let of_that_name = |format: &&&Format| format.name.to_uppercase() == name;
        let format = INTERLEAVED.iter().find(of_that_name).expect("a format");
        let plain = name.rsplit_once('_').expect("how many rows").0;
        let path = format!("tests/golden/llama-256/llama-256-{plain}.gguf");
        let path = root().join(path);
        let logits = |file: &ModelFile| {
            let mut executor = support::load_file(file, ExecutorOptions::default());
            let logits = executor.forward(0, &ids(), Wanted::All);
            logits.expect("logits").to_vec()
        };
        let together = logits(&ModelFile::together(&path, 64 << 10, format));
        let alone = logits(&ModelFile::read(&path, 64 << 10, None));
        assert!(together == alone, "{name}: other logits");
    }
}

/// In chunks that end with each file.
#[test]
fn a_model_in_several_files_answers_as_its_reference() {
    let golden = tiny::SPLIT.golden(&root());
    let file = ModelFile::split(&tiny::SPLIT.first_of(&root(), 3), 64 << 10);
    let mut executor = support::load_file(&file, ExecutorOptions::default());
    check(
        "split in 3",
        &mut executor,
        &golden.ids,
        40,
        &golden.logits,
        INTEGERS,
    );
}

const fn at(first_row: usize, position: usize) -> Place {
    Place {
        first_row,
        position,
    }
}

/// Conversations in one cache, of which one is copied, and moved to where it overlaps itself: each as if it were alone, to the
/// last bit.
#[test]
fn conversations_share_a_cache_and_are_copied_in_it() {
    let golden = Golden::read(&tiny::LLAMAS[0]);
    let ids = ids();
    let options = |first: &Golden| first.executor(Simd::best(), 2, false);
    let mut alone = options(&golden);
    let whole = alone
        .forward(0, &ids, Wanted::All)
        .expect("logits")
        .to_vec();
    let vocab = whole.len() / ids.len();
    let mut executor = options(&golden);
    let check = |executor: &mut Executor, row: usize, from: usize, to: usize| {
        let logits = executor.forward(at(row, from), &ids[from..to], Wanted::All);
        let off = worst(logits.expect("logits"), &whole[from * vocab..to * vocab]);
        assert!(off < 1e-3, "{from}..{to} is {off} standard deviations off");
    };
    for (from, to) in [(0, 1), (1, 6), (6, ids.len())] {
        for row in [0, 700] {
            check(&mut executor, row, from, to);
        }
    }
    let copy = |from, to, rows| puna_core::pool::Copy { from, to, rows };
    let copies = [
        copy(0, 300, 20),
        copy(300, 290, 20),
        copy(700, 705, ids.len()),
    ];
    executor.copy_rows(&copies).expect("copies");
    check(&mut executor, 290, 20, ids.len());
    check(&mut executor, 705, ids.len() - 1, ids.len());
    // Read and written elsewhere, it is the same.
    for layer in 0..golden.graph.kv.layers {
        let rows = executor
            .read_rows(layer, 705..705 + ids.len())
            .expect("rows");
        executor.write_rows(layer, 100, &rows).expect("a write");
    }
    check(&mut executor, 100, ids.len() - 1, ids.len());
    assert!(
        executor.read_rows(99, 0..1).is_err(),
        "there is no such layer"
    );
    assert!(
        executor.write_rows(0, 1 << 20, &[0; 999]).is_err(),
        "nor such rows"
    );
    assert!(
        executor.copy_rows(&[copy(0, 1 << 20, 1)]).is_err(),
        "there is no such row"
    );
}
