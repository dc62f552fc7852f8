//! A tiny model on the GPU, in every variant, against logits of an independent implementation.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of golden files are small"
)]

mod support;
#[path = "../../../tests/native/tiny.rs"]
#[allow(dead_code, reason = "not every test file asks for all")]
mod tiny;

use puna_core::places::{Place, Places};
use puna_core::quant::{Format, INTERLEAVED};
use puna_core::reference;
use puna_gpu::shader::variant::{KvType, Precision};
use puna_gpu::split::Split;
use puna_gpu::{ExecutorOptions, Gpu, Wanted};
use support::{ModelFile, root};
use tiny::{Tiny, worst};

const fn at(first_row: usize, position: usize) -> Place {
    Place {
        first_row,
        position,
    }
}

/// The file of a format of the plain Llama.
fn llama(format: &str) -> &'static Tiny {
    let mut all = tiny::LLAMAS.iter().chain(tiny::FORMATS);
    all.find(|tiny| tiny.format == format)
        .expect("a file of that format")
}

fn check(tiny: &Tiny, split: Split, precision: Precision, kv: KvType) {
    check_on(support::gpu(), tiny, split, precision, kv);
}

fn check_on(gpu: Gpu, tiny: &Tiny, split: Split, precision: Precision, kv: KvType) {
    let (bytes, header) = tiny.read(&root());
    let file = ModelFile::new(bytes, &header, 64 << 10, None);
    check_file(gpu, &file, tiny, split, precision, kv);
}

/// In standard deviations; a cache in f16 counts as f16 arithmetic, and one in 8 bits is off by half of 127 steps.
fn tolerance(tiny: &Tiny, precision: Precision, kv: KvType) -> f32 {
    match (precision, kv) {
        (_, KvType::Q8) => 0.1,
        (Precision::F32, KvType::F32) => tiny.tolerance,
        _ => 0.03,
    }
}

/// The file has the weights of the golden one's.
fn check_file(
    gpu: Gpu,
    file: &ModelFile,
    tiny: &Tiny,
    split: Split,
    precision: Precision,
    kv: KvType,
) {
    let label = format!(
        "{} {} {} kv {}",
        tiny.name(),
        split.name(),
        precision.name(),
        kv.name()
    );
    let tolerance = tolerance(tiny, precision, kv);
    let golden = tiny.golden(&root());
    let vocab = golden.vocab();
    let options = ExecutorOptions {
        split: Some(split),
        precision,
        kv,
        max_logits: 64,
        ..ExecutorOptions::default()
    };
    let mut executor = support::load_file(gpu, file, options);
    pollster::block_on(async {
        // Chunks of 1, 5 and 34 tokens: one, a few, and more than a tile.
        let mut from = 0;
        for tokens in [1, 5, 34] {
            let logits = executor
                .forward(from, &golden.ids[from..from + tokens], Wanted::All)
                .await
                .expect("logits");
            let off = worst(
                logits,
                &golden.logits[from * vocab..(from + tokens) * vocab],
            );
            assert!(
                off < tolerance,
                "{label}: prompt {from}+{tokens} is {off} standard deviations off, {tolerance} allowed"
            );
            from += tokens;
        }
        let before = made(&executor);
        for (i, id) in golden.greedy.iter().enumerate() {
            let logits = executor
                .forward(from + i, &[*id], Wanted::Last)
                .await
                .expect("logits");
            let off = worst(logits, &golden.greedy_logits[i * vocab..(i + 1) * vocab]);
            assert!(
                off < tolerance,
                "{label}: step {i} is {off} standard deviations off, {tolerance} allowed"
            );
        }
        assert_eq!(
            made(&executor),
            before,
            "{label}: the decode loop makes no buffer, bind group or pipeline"
        );
        // Side by side with others that are not as far, or that went another way: where there is room for several.
        if executor.most_rows() < 200 {
            return;
        }
        executor.reserve(200).await.expect("rows");
        let copy = |to| puna_core::pool::Copy {
            from: 0,
            to,
            rows: 40,
        };
        let copies = [copy(100), copy(150), copy(50)];
        executor.copy_rows(&copies).await.expect("copies");
        let places = [at(150, 40), at(100, 20), at(0, 0), at(50, 39)];
        let ids = [
            golden.greedy[0],
            golden.ids[20],
            golden.ids[0],
            golden.ids[39],
        ];
        let logits = executor.forward(Places::each(&places), &ids, Wanted::All);
        let logits = logits.await.expect("logits");
        for (place, got) in places.iter().zip(logits.chunks(vocab)) {
            let all = golden.logits.chunks(vocab);
            let mut all = all.chain(golden.greedy_logits.chunks(vocab));
            let off = worst(got, all.nth(place.position).expect("logits"));
            assert!(
                off < tolerance,
                "{label}: {place:?} beside others is {off} standard deviations off"
            );
        }
    });
}

/// All of a text at once; texts of every width that programs are made for, one after the other.
#[test]
fn encoders_reproduce_the_golden_vectors() {
    let gpu = support::gpu();
    let splits = match support::is_full() {
        true => Split::all(&gpu.capabilities),
        false => vec![Split::Serial],
    };
    for tiny in tiny::ENCODERS {
        for &split in &splits {
            for (precision, kv, tolerance) in [
                (Precision::F32, KvType::F32, tiny.tolerance),
                (Precision::F32, KvType::F16, 0.03),
            ] {
                let (bytes, header) = tiny.read(&root());
                let file = ModelFile::new(bytes, &header, 64 << 10, None);
                let golden = tiny.vectors(&root());
                let options = ExecutorOptions {
                    split: Some(split),
                    precision,
                    kv,
                    ..ExecutorOptions::default()
                };
                let mut executor = support::load_file(gpu.clone(), &file, options);
                let label = format!("{} {} kv {}", tiny.name(), split.name(), kv.name());
                pollster::block_on(async {
                    for tokens in [1, 5, 40] {
                        let hidden = executor
                            .forward(0, &golden.ids[..tokens], Wanted::All)
                            .await;
                        let hidden = hidden.expect("vectors");
                        if tokens == 40 {
                            let off = worst(hidden, &golden.hidden);
                            assert!(off < tolerance, "{label}: {off} deviations off");
                        }
                    }
                });
            }
        }
    }
}

#[test]
fn a_cache_that_cannot_grow_leaves_the_model_as_it_was() {
    let mut gpu = support::gpu();
    // The device refuses a buffer of 4 GiB; nobody has told the executor.
    gpu.capabilities.max_binding_bytes = u64::MAX;
    gpu.capabilities.max_buffer_bytes = u64::MAX;
    gpu.capabilities.loop_bound = Some(u32::MAX);
    let golden = llama("Q4_1").golden(&root());
    let options = ExecutorOptions {
        kv: KvType::F32,
        context_length: Some(1 << 23),
        ..ExecutorOptions::default()
    };
    let path = llama("Q4_1").path(&root());
    let endless = |graph: &mut puna_core::graph::Graph| graph.context_length = 1 << 23;
    let mut executor = support::load_changed(gpu, &path, 64 << 10, options, endless);
    pollster::block_on(async {
        executor
            .forward(0, &golden.ids[..39], Wanted::None)
            .await
            .expect("a prefill");
        let error = executor.reserve(1 << 23).await.expect_err("4 GiB a layer");
        assert!(
            error.message().contains("a KV cache of 8388608 tokens"),
            "{error}"
        );
        let logits = executor
            .forward(39, &golden.ids[39..], Wanted::Last)
            .await
            .expect("the cache is what it was");
        let off = worst(logits, &golden.logits[39 * 384..]);
        assert!(off < 1e-3, "{off} standard deviations off");
        executor.reserve(300).await.expect("a size that fits");
        let logits = executor
            .forward(40, &golden.greedy[..1], Wanted::Last)
            .await
            .expect("a grown cache");
        let off = worst(logits, &golden.greedy_logits[..384]);
        assert!(off < 1e-3, "{off} standard deviations off after growth");
    });
}

/// Conversations in one cache, of which one is copied, and moved to where it overlaps itself.
#[test]
fn conversations_share_a_cache_and_are_copied_in_it() {
    let tiny = llama("Q4_1");
    let golden = tiny.golden(&root());
    let (vocab, ids) = (golden.vocab(), &golden.ids);
    for (split, kv) in [
        (Split::Serial, KvType::F32),
        (Split::Shared, KvType::F16),
        (Split::Shared, KvType::Q8),
    ] {
        let options = ExecutorOptions {
            split: Some(split),
            kv,
            max_logits: 64,
            ..ExecutorOptions::default()
        };
        let tolerance = tolerance(tiny, Precision::F32, kv);
        let path = tiny.path(&root());
        let mut executor = support::load(support::gpu(), &path, 64 << 10, options);
        pollster::block_on(async {
            let check =
                async |executor: &mut puna_gpu::Executor, row: usize, from: usize, to: usize| {
                    let logits = executor
                        .forward(at(row, from), &ids[from..to], Wanted::All)
                        .await;
                    let off = worst(
                        logits.expect("logits"),
                        &golden.logits[from * vocab..to * vocab],
                    );
                    assert!(
                        off < tolerance,
                        "{from}..{to} is {off} standard deviations off"
                    );
                };
            // By turns, and the second one beyond the first one's context.
            for (from, to) in [(0, 1), (1, 6), (6, 40)] {
                for row in [0, 700] {
                    check(&mut executor, row, from, to).await;
                }
            }
            let copy = |from, to, rows| puna_core::pool::Copy { from, to, rows };
            let copies = [copy(0, 300, 20), copy(300, 290, 20), copy(700, 705, 40)];
            executor.copy_rows(&copies).await.expect("copies");
            check(&mut executor, 290, 20, 40).await;
            let logits = executor
                .forward(at(705, 40), &golden.greedy[..1], Wanted::Last)
                .await;
            let off = worst(logits.expect("logits"), &golden.greedy_logits[..vocab]);
            assert!(
                off < tolerance,
                "the moved one is {off} standard deviations off"
            );
            check(&mut executor, 0, 39, 40).await;
            // Read and written elsewhere, it is the same.
            for layer in 0..executor.graph().kv.layers {
                let rows = executor.read_rows(layer, 705..745).await.expect("rows");
                executor.write_rows(layer, 100, &rows).expect("a write");
            }
            let logits = executor
                .forward(at(100, 40), &golden.greedy[..1], Wanted::Last)
                .await;
            let off = worst(logits.expect("logits"), &golden.greedy_logits[..vocab]);
            assert!(
                off < tolerance.max(0.03),
                "the written one is {off} standard deviations off"
            );
            assert!(
                executor.read_rows(99, 0..1).await.is_err(),
                "there is no such layer"
            );
            assert!(
                executor.write_rows(0, 1 << 20, &[0; 999]).is_err(),
                "nor such rows"
            );
            let outside = executor.copy_rows(&[copy(0, 1 << 20, 1)]).await;
            assert!(outside.is_err(), "there is no such row");
        });
    }
}

/// llvmpipe leaves loops that go on for long without a word: a long context would be cut off inside.
#[test]
fn contexts_end_where_the_driver_leaves_loops() {
    let gpu = support::gpu();
    let leaves = std::env::var("PUNA_ADAPTER").is_ok_and(|name| name == "lavapipe");
    let path = llama("Q4_1").path(&root());
    let longer = |graph: &mut puna_core::graph::Graph| graph.context_length = 1 << 17;
    let options = ExecutorOptions {
        context_length: Some(1 << 17),
        ..ExecutorOptions::default()
    };
    let mut executor = support::load_changed(gpu, &path, 64 << 10, options, longer);
    let length = executor.context_length();
    assert_eq!(length < 1 << 17, leaves, "a context of {length}");
    let error = pollster::block_on(executor.forward(length, &[1], Wanted::Last));
    let error = error.expect_err("one more");
    assert_eq!(
        error.code(),
        puna_core::ErrorCode::ContextLengthExceeded,
        "{error}"
    );
}

fn made(executor: &puna_gpu::Executor) -> [u32; 3] {
    let counters = &executor.gpu().counters;
    [
        &counters.buffers,
        &counters.bind_groups,
        &counters.pipelines,
    ]
    .map(|counter| counter.load(std::sync::atomic::Ordering::Relaxed))
}

#[test]
fn every_variant_reproduces_the_golden_logits() {
    let capabilities = support::gpu().capabilities;
    let mut precisions = vec![Precision::F32];
    precisions.extend(capabilities.f16.then_some(Precision::F16));
    let mut checked = 0;
    for split in Split::all(&capabilities) {
        for &precision in precisions.iter().filter(|&&p| split.computes_in(p)) {
            // A quick run takes each format and each cache once, f16 one of them; a full one all pairs.
            let pairs: &[_] = if support::is_full() {
                &[
                    ("Q4_1", KvType::F32),
                    ("Q4_1", KvType::F16),
                    ("Q8_0", KvType::F32),
                    ("Q8_0", KvType::F16),
                    ("Q4_1", KvType::Q8),
                ]
            } else if precision == Precision::F16 {
                // Every format is among the kernels' cases; a software adapter's compiler takes its time for f16.
                &[("Q4_1", KvType::F16)]
            } else {
                &[("Q4_1", KvType::F16), ("Q8_0", KvType::F32)]
            };
            for &(format, kv) in pairs {
                check(llama(format), split, precision, kv);
                checked += 1;
            }
        }
    }
    println!("{checked} variants");
}

/// The plain Llama has every variant; what the others have besides is the same in all splits, or among the kernels' cases.
#[test]
fn every_architecture_reproduces_the_golden_logits() {
    let gpu = support::gpu();
    let splits = match support::is_full() {
        true => Split::all(&gpu.capabilities),
        false => vec![Split::Serial],
    };
    // The others are made of the same kernels, which the twins and the CPU have in all of them.
    let of_a_kind = |tiny: &Tiny| {
        let quick = [
            "llama4 ",
            "qwen3-moe",
            "gemma2",
            "phi3-longrope",
            "olmo2",
            "deepseek-v3",
            "gpt-oss",
        ];
        support::is_full() || quick.iter().any(|it| tiny.name().contains(it))
    };
    let all = tiny::ARCHITECTURES.iter().filter(|tiny| of_a_kind(tiny));
    for (ix, tiny) in all.enumerate() {
        for &split in &splits {
            let kv = match ix % 3 {
                0 => KvType::F32,
                // A token of it is a hair from other experts, and has those where keys are rounded to 8 bits.
                2 if !tiny.name().contains("deepseek-v3") => KvType::Q8,
                _ => KvType::F16,
            };
            check_on(gpu.clone(), tiny, split, Precision::F32, kv);
        }
    }
}

/// Gains of 16 bits that are stored less 1, a tensor an expert, and columns as rows; in a full run all.
#[test]
fn checkpoints_reproduce_the_golden_logits() {
    let of_a_kind = |tiny: &&Tiny| {
        support::is_full()
            || ["gemma3", "mixtral", "llama4-chunked", "deepseek-v2"]
                .iter()
                .any(|it| tiny.name().contains(it))
    };
    for tiny in tiny::CHECKPOINTS.iter().filter(of_a_kind) {
        check(tiny, Split::Serial, Precision::F32, KvType::F32);
    }
}

/// Weights that are rounded as they come, against the twins with weights that are rounded alike.
#[test]
fn checkpoints_are_rounded_at_load() {
    for (name, format) in [("qwen3-moe", "q8_0"), ("mistral", "q4_0")] {
        let tiny = tiny::CHECKPOINTS.iter().find(|it| it.name().contains(name));
        let tiny = tiny.expect("a golden model");
        let (bytes, header) = tiny.read(&root());
        let mut file = ModelFile::new(bytes.clone(), &header, 64 << 10, None);
        let format = Format::named(format).expect("a format");
        file.graph = file.graph.quantized(format).expect("a format for it");
        let tensor = |ix: usize| {
            let info = &header.tensors[ix];
            &bytes[info.offset as usize..(info.offset + info.bytes) as usize]
        };
        let twin = reference::Executor::new(file.graph.clone(), 64, tensor);
        let golden = tiny.golden(&root());
        let want = twin.expect("good factors").forward(0, &golden.ids);
        let options = ExecutorOptions {
            split: Some(Split::Serial),
            kv: KvType::F32,
            max_logits: 64,
            ..ExecutorOptions::default()
        };
        let mut executor = support::load_file(support::gpu(), &file, options);
        let got = executor.forward(0, &golden.ids, Wanted::All);
        let got = pollster::block_on(got).expect("logits");
        let off = worst(got, &want);
        // A weight half way between two steps goes where the last bit of a division says, which devices need not agree on.
        assert!(off < 0.03, "{}: {off} off", tiny.name());
    }
}

/// Codebooks with signs; and in a full run uneven levels, eighths, digits in base 3, pairs of levels: every format is among
/// the kernels' cases.
#[test]
fn a_type_of_each_kind_reproduces_the_golden_logits() {
    let formats = match support::is_full() {
        true => tiny::FORMATS,
        false => &tiny::FORMATS[..1],
    };
    for tiny in formats {
        check(tiny, Split::Serial, Precision::F32, KvType::F32);
    }
}

/// Rows that are stored together, with a scale in front of each; chunks are cut at whole groups of them.
#[test]
fn rows_that_are_stored_together_reproduce_the_golden_logits() {
    let all = ["IQ4_KS_R4", "Q4_K_R4", "Q8_0_R8", "IQ2_S_R4"];
    let formats = if support::is_full() { &all } else { &all[..1] };
    for name in formats {
        let of_that_name = |format: &&&Format| format.name.to_uppercase() == *name;
        let format = INTERLEAVED.iter().find(of_that_name).expect("a format");
        let plain = llama(name.rsplit_once('_').expect("how many rows").0);
        let file = ModelFile::together(&plain.path(&root()), 64 << 10, format);
        let (split, precision) = (Split::Serial, Precision::F32);
        check_file(support::gpu(), &file, plain, split, precision, KvType::F32);
    }
}

#[test]
fn gates_may_have_another_format_than_what_comes_through_them() {
    // The twins have all of them.
    let count = if support::is_full() {
        tiny::MIXED.len()
    } else {
        1
    };
    for tiny in &tiny::MIXED[..count] {
        check(tiny, Split::Serial, Precision::F32, KvType::F32);
    }
}

#[test]
fn matrices_over_the_binding_limit_are_cut_and_answer_alike() {
    let mut gpu = support::gpu();
    // Planes of 384 rows and more are 48 KiB and more.
    gpu.capabilities.max_binding_bytes = 32 << 10;
    for format in ["Q4_1", "Q8_0", "Q4_K", "Q6_K"] {
        check_on(
            gpu.clone(),
            llama(format),
            Split::Serial,
            Precision::F32,
            KvType::F32,
        );
    }
}
