//! Model files for the native tests of every executor; included by path.

use std::path::{Path, PathBuf};

use puna_core::graph::Graph;
use puna_core::model;
use puna_core::quant::Format;
use puna_core::weights::header::{Header, Parsed};
use puna_core::weights::plan::{Chunk, Plan};
use puna_core::weights::split;

/// The project's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn header(bytes: &[u8]) -> Header {
    match Header::from_gguf(bytes).expect("a good header") {
        Parsed::Done(header) => header,
        Parsed::NeedMore { .. } => panic!("the header is cut off"),
    }
}

/// A whole GGUF, cut into chunks.
pub(crate) struct ModelFile {
    bytes: Vec<u8>,
    pub(crate) graph: Graph,
    /// Tensors of its table.
    pub(crate) n_tensors: usize,
    plan: Plan,
}

impl ModelFile {
    /// Reads it, in chunks of at most `chunk_bytes`, for contexts of so many tokens.
    pub(crate) fn read(path: &Path, chunk_bytes: u32, context_length: Option<u32>) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|error| {
            panic!(
                "{}: {error}; `cargo xtask model` fetches models",
                path.display()
            )
        });
        let header = header(&bytes);
        Self::new(bytes, &header, chunk_bytes, context_length)
    }

    /// The same of a split model, whose first part `path` is.
    #[allow(dead_code, reason = "not every test file asks")]
    pub(crate) fn split(path: &Path, chunk_bytes: u32) -> Self {
        let first = std::fs::read(path).expect("the first part");
        let own = path.to_str().expect("UTF-8");
        let later = split::later_files(&header(&first), own).expect("good numbers");
        let mut parts = vec![first];
        parts.extend(
            later
                .iter()
                .map(|path| std::fs::read(path).expect("a later part")),
        );
        let headers = parts
            .iter()
            .map(|bytes| (header(bytes), bytes.len() as u64));
        let (header, _) = split::join(headers.collect()).expect("one model");
        let mut whole = Vec::new();
        for (bytes, start) in parts.iter().zip(&header.starts) {
            whole.resize(usize::try_from(*start).expect("small"), 0);
            whole.extend(bytes);
        }
        Self::new(whole, &header, chunk_bytes, None)
    }

    /// The same, with the rows of its matrices put together as `format` has them.
    #[allow(dead_code, reason = "not every test file asks")]
    pub(crate) fn together(path: &Path, chunk_bytes: u32, format: &Format) -> Self {
        let mut bytes = std::fs::read(path).expect("the golden file is in the tree");
        let mut header = header(&bytes);
        let interleaving = format.interleaving.expect("rows that stand together");
        let plain = interleaving.plain.ggml_type;
        for tensor in header.tensors.iter_mut().filter(|it| it.ggml_type == plain) {
            let start = usize::try_from(tensor.offset).expect("small");
            let range = start..start + usize::try_from(tensor.bytes).expect("small");
            let cols = usize::try_from(tensor.dims[0]).expect("small");
            let together = interleaving.put_together(&bytes[range.clone()], cols);
            bytes[range].copy_from_slice(&together);
            tensor.ggml_type = format.ggml_type;
        }
        Self::new(bytes, &header, chunk_bytes, None)
    }

    /// A model's bytes under its header.
    pub(crate) fn new(
        bytes: Vec<u8>,
        header: &Header,
        chunk_bytes: u32,
        context_length: Option<u32>,
    ) -> Self {
        let (_, graph) = model::open(header).expect("a graph");
        let graph = graph.within(context_length);
        let plan = Plan::new(header, bytes.len() as u64, chunk_bytes).expect("a plan");
        Self {
            bytes,
            graph,
            n_tensors: header.tensors.len(),
            plan,
        }
    }

    /// The chunks with their bytes, out of order, as parallel downloads come.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = (&Chunk, &[u8])> {
        let (even, odd): (Vec<_>, Vec<_>) = self
            .plan
            .chunks
            .iter()
            .enumerate()
            .partition(|(ix, _)| ix % 2 == 0);
        odd.into_iter().chain(even).map(|(_, chunk)| {
            let start = usize::try_from(chunk.offset).expect("small");
            (chunk, &self.bytes[start..start + chunk.bytes as usize])
        })
    }
}
