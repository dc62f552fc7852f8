//! Opens the adapter that the tests are told to use, and loads model files.

use std::path::{Path, PathBuf};

use puna_core::graph::Graph;
use puna_core::model;
use puna_core::weights::gguf::{Gguf, Parsed};
use puna_core::weights::plan::Plan;
use puna_gpu::{Executor, ExecutorOptions, Gpu, GpuOptions};

/// The project's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The adapter that `PUNA_ADAPTER` names (`lavapipe`, `swiftshader`), else the machine's best. A missing one
/// is a failure, not a skip.
pub(crate) fn gpu() -> Gpu {
    let wanted = std::env::var("PUNA_ADAPTER").ok();
    // lavapipe's adapter calls itself by its compiler.
    let adapter = wanted.map(|name| {
        if name == "lavapipe" {
            "llvmpipe".to_owned()
        } else {
            name
        }
    });
    pollster::block_on(Gpu::request(&GpuOptions { adapter }))
        .expect("a GPU adapter; `cargo xtask test` installs a software one")
}

/// As [`load_changed`], the graph as it is.
pub(crate) fn load(gpu: Gpu, path: &Path, chunk_bytes: u32, options: ExecutorOptions) -> Executor {
    load_changed(gpu, path, chunk_bytes, options, |_| ())
}

/// Reads a GGUF, cut into chunks of `chunk_bytes`, into an executor.
pub(crate) fn load_changed(
    gpu: Gpu,
    path: &Path,
    chunk_bytes: u32,
    options: ExecutorOptions,
    change: impl FnOnce(&mut Graph),
) -> Executor {
    let bytes = std::fs::read(path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo xtask model` fetches models",
            path.display()
        )
    });
    let Parsed::Done(gguf) = Gguf::parse(&bytes).expect("a good header") else {
        panic!("the header is cut off")
    };
    let (_, mut graph) = model::open(&gguf).expect("a graph");
    change(&mut graph);
    let plan = Plan::new(&gguf, bytes.len() as u64, chunk_bytes).expect("a plan");
    pollster::block_on(async {
        let mut executor = Executor::new(gpu, graph, gguf.tensors.len(), options)
            .await
            .expect("an executor");
        // Out of order, as parallel downloads come.
        let (even, odd): (Vec<_>, Vec<_>) = plan
            .chunks
            .iter()
            .enumerate()
            .partition(|(ix, _)| ix % 2 == 0);
        for (_, chunk) in odd.into_iter().chain(even) {
            let slot = executor.upload_slot(u64::from(chunk.bytes));
            let start = usize::try_from(chunk.offset).expect("small");
            let mut raw = bytes[start..start + chunk.bytes as usize].to_vec();
            raw.resize(raw.len().next_multiple_of(4), 0);
            executor.gpu().queue.write_buffer(&slot, 0, &raw);
            executor.upload(chunk, &slot).expect("an upload");
        }
        executor.finish_upload().await.expect("a good upload");
        executor
    })
}
