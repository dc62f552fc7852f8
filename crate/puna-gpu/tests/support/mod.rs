//! Opens the adapter that the tests are told to use, and loads model files.

#[path = "../../../../tests/native/model.rs"]
mod model;

use std::ops::Range;
use std::path::Path;

use puna_core::graph::Graph;
use puna_gpu::{Executor, ExecutorOptions, Gpu, GpuOptions};

pub(crate) use model::{ModelFile, root};

/// Whether the long cases are wanted too.
#[allow(dead_code, reason = "not every test file asks")]
pub(crate) fn is_full() -> bool {
    std::env::var_os("PUNA_FULL").is_some()
}

/// The adapter that `PUNA_ADAPTER` names (`lavapipe`, `swiftshader`), else the machine's best. A missing one
/// is a failure, not a skip.
pub(crate) fn gpu() -> Gpu {
    let adapter = std::env::var("PUNA_ADAPTER").ok();
    pollster::block_on(Gpu::request(&GpuOptions { adapter }))
        .expect("a GPU adapter; `cargo xtask test` installs a software one")
}

/// As [`load_changed`], the graph as it is.
#[allow(dead_code, reason = "not every test file asks")]
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
    let mut file = ModelFile::read(path, chunk_bytes, options.context_length);
    change(&mut file.graph);
    load_file(gpu, &file, options)
}

/// Brings a file into an executor.
#[allow(dead_code, reason = "not every test file asks")]
pub(crate) fn load_file(gpu: Gpu, file: &ModelFile, options: ExecutorOptions) -> Executor {
    pollster::block_on(async {
        let mut executor = Executor::new(gpu, file.graph.clone(), file.n_tensors, options)
            .await
            .expect("an executor");
        for (chunk, bytes) in file.chunks() {
            let slot = executor.upload_slot(u64::from(chunk.bytes));
            let mut raw = bytes.to_vec();
            raw.resize(raw.len().next_multiple_of(4), 0);
            executor.gpu().queue.write_buffer(&slot, 0, &raw);
            let part = |range: Range<usize>| bytes[range].to_vec();
            executor.upload(chunk, &slot, &part).expect("an upload");
        }
        executor.finish_upload().await.expect("a good upload");
        executor
    })
}
