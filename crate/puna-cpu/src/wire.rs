//! What the engine says to the executor's module, which has a memory of its own, and what it answers.
//!
//! Messages travel as bytes (`postcard`); chunks of weights and logits lie in the module's memory and do not.

use puna_core::graph::{Factors, Graph, Wanted};
use puna_core::places::Places;
use puna_core::pool::Copy;
use puna_core::weights::plan::Piece;
use serde::{Deserialize, Serialize};

use crate::Limits;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Once, first: makes an executor.
    Open {
        /// What to run.
        graph: Box<Graph>,
        /// Tensors of the file.
        n_tensors: u32,
        /// Bounds.
        limits: Limits,
        /// Most threads that take part, the caller's among them.
        threads: u32,
    },
    /// Takes the chunk that lies in the module's memory apart.
    Upload {
        /// The parts of tensors inside.
        pieces: Vec<Piece>,
    },
    /// Takes what an adapter adds to a matrix.
    PutAdapter {
        /// As it was gathered.
        factors: Factors,
    },
    /// Multiplies adapters from now on.
    Adapt {
        /// By what, (N,).
        scales: Vec<f32>,
    },
    /// Copies rows of the KV cache.
    Copy {
        /// One after the other.
        copies: Vec<Copy>,
    },
    /// Reads rows of a layer of it.
    ReadRows {
        /// Of the graph.
        layer: u32,
        /// The first row, and the one behind the last.
        rows: [u32; 2],
    },
    /// Writes rows of a layer of it.
    WriteRows {
        /// Of the graph.
        layer: u32,
        /// The first row.
        first_row: u32,
        /// Bits of f16, little-endian: (planes, Hkv, rows, Dh).
        elements: Vec<u8>,
    },
    /// Makes room for so many rows in the KV cache.
    Reserve {
        /// How many.
        rows: u32,
    },
    /// Runs tokens.
    Forward {
        /// Where they go.
        places: Places,
        /// At most [`Limits::max_tokens`].
        ids: Vec<u32>,
        /// Which logits.
        wanted: Wanted,
        /// How many threads take part.
        threads: u32,
    },
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
pub enum Response {
    /// The executor is there.
    Opened {
        /// Where threads find their work: what `serve` is to be called with.
        pool: u32,
        /// Most tokens of the context.
        context_length: u32,
        /// Name of the instructions.
        simd: String,
    },
    /// Done.
    Done,
    /// Done; the logits are so many floats at that address.
    Logits {
        /// Address of the first.
        at: u32,
        /// How many.
        len: u32,
    },
    /// What was read: bits of f16, little-endian.
    Rows(Vec<u8>),
    /// A thread has ended or hangs. When all threads but the caller's are gone, the same may be asked again of
    /// one thread.
    ThreadLost,
    /// Refused: JSON of the error.
    Failed(String),
}
