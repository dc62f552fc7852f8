//! Loads model files.

#[path = "../../../../tests/native/model.rs"]
mod model;

use std::path::Path;

use puna_cpu::{Executor, ExecutorOptions};

use model::ModelFile;
pub(crate) use model::root;

/// Reads a GGUF, cut into chunks of `chunk_bytes`, into an executor.
pub(crate) fn load(path: &Path, chunk_bytes: u32, options: ExecutorOptions) -> Executor {
    let file = ModelFile::read(path, chunk_bytes, options.limits.context_length);
    let mut executor =
        Executor::new(file.graph.clone(), file.n_tensors, options).expect("an executor");
    for (chunk, bytes) in file.chunks() {
        executor.upload(&chunk.pieces, bytes).expect("an upload");
    }
    executor
}
