//! Loads model files and golden data.

use std::path::{Path, PathBuf};

use puna_core::model;
use puna_core::weights::gguf::{Gguf, Parsed};
use puna_core::weights::plan::Plan;
use puna_cpu::{Executor, ExecutorOptions};

/// The project's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads a GGUF, cut into chunks of `chunk_bytes`, into an executor.
pub(crate) fn load(path: &Path, chunk_bytes: u32, options: ExecutorOptions) -> Executor {
    let bytes = std::fs::read(path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo xtask model` fetches models",
            path.display()
        )
    });
    let Parsed::Done(gguf) = Gguf::parse(&bytes).expect("a good header") else {
        panic!("the header is cut off")
    };
    let (_, graph) = model::open(&gguf).expect("a graph");
    let plan = Plan::new(&gguf, bytes.len() as u64, chunk_bytes).expect("a plan");
    let mut executor = Executor::new(graph, gguf.tensors.len(), options).expect("an executor");
    // Out of order, as parallel downloads come.
    for chunk in plan.chunks.iter().rev() {
        let start = usize::try_from(chunk.offset).expect("small");
        executor
            .upload(chunk, &bytes[start..start + chunk.bytes as usize])
            .expect("an upload");
    }
    executor
}
