//! Runs a graph: memory is laid out once, a step walks the ops.

use puna_core::graph::{
    Attention, Embed, Glu, Graph, Head, LinearAdd, Op, Qkv, Target, VectorIx, Wanted,
};
use puna_core::session::grown_capacity;
use puna_core::weights::plan::Chunk;
use puna_core::{Error, ErrorCode, Result};

use crate::activation::{Activations, Row};
use crate::cache::KvLayer;
use crate::kernel::attention::{Scratch, attention};
use crate::kernel::{math, rms_norm};
use crate::simd::Simd;
use crate::weights::{self, GROUP, TILE, Weights};

/// How to run.
#[derive(Clone, Copy, Debug)]
pub struct ExecutorOptions {
    /// The instructions to use.
    pub simd: Simd,
    /// Most tokens of the context; the model's own where none is given.
    pub context_length: Option<u32>,
    /// Most tokens of a call of [`Executor::forward`].
    pub max_tokens: usize,
}

impl Default for ExecutorOptions {
    fn default() -> Self {
        Self {
            simd: Simd::best(),
            context_length: None,
            max_tokens: 64,
        }
    }
}

/// A graph in memory, with its weights and its KV cache.
#[derive(Debug)]
pub struct Executor {
    graph: Graph,
    options: ExecutorOptions,
    context_length: usize,
    matrices: Vec<Box<dyn Weights>>,
    vectors: Vec<Vec<f32>>,
    /// By tensor of the file: where it goes.
    targets: Vec<Vec<Target>>,
    kv: Vec<KvLayer>,
    capacity: usize,
    state: State,
}

/// What a call computes with; kept from call to call, so that a step allocates next to nothing once it is warm.
#[derive(Debug, Default)]
struct State {
    /// By activation of the graph: (T, width).
    activations: Vec<Vec<f32>>,
    /// (T, dims / 2): cos, sin of each token's position.
    turns: Vec<[f32; 2]>,
    normed: Vec<f32>,
    quantized: Activations,
    scratch: Scratch,
    logits: Vec<f32>,
}

impl Executor {
    /// Allocates everything; the weights follow by [`Self::upload`].
    ///
    /// # Errors
    /// `out_of_memory` when the first KV cache does not fit.
    pub fn new(graph: Graph, n_tensors: usize, options: ExecutorOptions) -> Result<Self> {
        let matrices = graph
            .matrices
            .iter()
            .map(|matrix| weights::new(matrix.format, matrix.rows, matrix.cols))
            .collect();
        let vectors = graph.vectors.iter().map(|vector| vec![0.0; vector.len]);
        let context_length = options
            .context_length
            .unwrap_or(graph.context_length)
            .min(graph.context_length) as usize;
        let mut executor = Self {
            matrices,
            vectors: vectors.collect(),
            targets: graph.targets(n_tensors),
            kv: vec![KvLayer::new(graph.kv); graph.kv.layers],
            capacity: 0,
            context_length,
            state: State {
                activations: vec![Vec::new(); graph.activations.len()],
                ..State::default()
            },
            graph,
            options,
        };
        executor.reserve(1)?;
        Ok(executor)
    }

    /// The graph.
    #[must_use]
    pub const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Most tokens of the context.
    #[must_use]
    pub const fn context_length(&self) -> usize {
        self.context_length
    }

    /// Takes a chunk's bytes apart.
    ///
    /// # Errors
    /// `internal` when the chunk cuts a row or is shorter than it says.
    pub fn upload(&mut self, chunk: &Chunk, bytes: &[u8]) -> Result<()> {
        for piece in &chunk.pieces {
            let start = piece.chunk_offset as usize;
            let bytes = bytes
                .get(start..start + piece.bytes as usize)
                .ok_or_else(|| Error::internal("a chunk is shorter than its pieces"))?;
            for ix in 0..self.targets.get(piece.tensor).map_or(0, Vec::len) {
                match self.targets[piece.tensor][ix] {
                    Target::Vector(vector) => {
                        self.upload_vector(vector, piece.tensor_offset, bytes)?;
                    }
                    Target::Rows { matrix, source } => {
                        self.upload_rows(matrix, source, piece.tensor_offset, bytes)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn upload_vector(&mut self, vector: usize, offset: u64, bytes: &[u8]) -> Result<()> {
        let first = usize::try_from(offset / 4).unwrap_or(usize::MAX);
        let values = bytes.as_chunks::<4>().0;
        let room = self.vectors[vector]
            .get_mut(first..)
            .and_then(|room| room.get_mut(..values.len()))
            .ok_or_else(|| Error::internal("a vector is longer than it says"))?;
        for (to, bytes) in room.iter_mut().zip(values) {
            *to = f32::from_le_bytes(*bytes);
        }
        Ok(())
    }

    fn upload_rows(
        &mut self,
        matrix: usize,
        source: usize,
        offset: u64,
        bytes: &[u8],
    ) -> Result<()> {
        let table = &self.graph.matrices[matrix];
        let source = &table.sources[source];
        let rows = table.rows_at(offset, bytes.len() as u64)?;
        if rows.end > source.rows {
            return Err(Error::internal(format!(
                "a chunk has rows {rows:?} of {} of {}",
                source.rows, table.name
            )));
        }
        let row_bytes = table.format.row_bytes(table.cols);
        for (row, bytes) in rows.zip(bytes.chunks_exact(row_bytes)) {
            let at = source.first_row + row * source.row_step;
            self.matrices[matrix].put_row(at, bytes);
        }
        Ok(())
    }

    /// Makes room for `tokens` in the KV cache: the capacity doubles, what is there is kept.
    ///
    /// # Errors
    /// `context_length_exceeded` with both numbers, `out_of_memory`.
    pub fn reserve(&mut self, tokens: usize) -> Result<()> {
        if tokens <= self.capacity {
            return Ok(());
        }
        let capacity = grown_capacity(tokens, self.context_length)?;
        for layer in &mut self.kv {
            // A layer that has grown does no harm if a later one can't.
            if !layer.grow(capacity) {
                let bytes = KvLayer::bytes(self.graph.kv, capacity) * self.graph.kv.layers;
                return Err(Error::new(
                    ErrorCode::OutOfMemory,
                    format!(
                        "a KV cache of {capacity} tokens needs {bytes} bytes, which are not there"
                    ),
                ));
            }
        }
        self.capacity = capacity;
        Ok(())
    }

    /// Runs tokens `ids` at `position ..`; their keys and values go to the cache. Returns the logits of the
    /// last token (V,), of all (T, V), or nothing.
    ///
    /// # Errors
    /// `context_length_exceeded`, `out_of_memory` when the cache can't grow, `internal`.
    pub fn forward(&mut self, position: usize, ids: &[u32], wanted: Wanted) -> Result<&mut [f32]> {
        if ids.is_empty() || ids.len() > self.options.max_tokens {
            return Err(Error::internal(format!(
                "forward: {} tokens are out of range",
                ids.len()
            )));
        }
        self.graph.check_ids(ids)?;
        self.reserve(position + ids.len())?;
        let Self {
            graph,
            matrices,
            vectors,
            kv,
            state,
            options,
            ..
        } = self;
        for (values, activation) in state.activations.iter_mut().zip(&graph.activations) {
            values.resize(activation.width * ids.len(), 0.0);
        }
        state.turns.clear();
        for t in position..position + ids.len() {
            let position = u32::try_from(t).unwrap_or(u32::MAX);
            state.turns.extend(graph.rope.row(position));
        }
        state.logits.clear();
        let run = Run {
            graph,
            matrices,
            vectors,
            simd: options.simd,
            position,
            tokens: ids.len(),
        };
        for op in &graph.ops {
            match op {
                Op::Embed(op) => run.embed(op, ids, state),
                Op::Qkv(op) => run.qkv(op, &mut kv[op.layer], state),
                Op::Attention(op) => run.attention(op, &kv[op.layer], state),
                Op::LinearAdd(op) => run.linear_add(op, state),
                Op::Glu(op) => run.glu(op, state),
                Op::Head(op) => run.head(op, wanted, state),
            }
        }
        Ok(&mut self.state.logits)
    }
}

/// What the ops of one call share.
struct Run<'a> {
    graph: &'a Graph,
    matrices: &'a [Box<dyn Weights>],
    vectors: &'a [Vec<f32>],
    simd: Simd,
    position: usize,
    /// T.
    tokens: usize,
}

impl Run<'_> {
    /// What a projection behind a norm reads: x (T, D), normed and rounded.
    fn norm(
        &self,
        x: &[f32],
        gain: VectorIx,
        eps: f32,
        normed: &mut Vec<f32>,
        quantized: &mut Activations,
    ) {
        let gain = &self.vectors[gain];
        rms_norm(x, gain, eps, normed);
        quantized.quantize(normed, gain.len());
    }

    /// `emit(t, row, values)`: W[row ..]·x[t] for each token and each eight rows, fewer at the end.
    fn project(&self, matrix: usize, x: &Activations, mut emit: impl FnMut(usize, usize, &[f32])) {
        let rows = self.graph.matrices[matrix].rows;
        let tokens: Vec<Row<'_>> = (0..x.tokens()).map(|t| x.row(t)).collect();
        let mut out = [[0.0; GROUP]; TILE];
        for group in 0..rows.div_ceil(GROUP) {
            let row = group * GROUP;
            let here = GROUP.min(rows - row);
            for (tile, x) in tokens.chunks(TILE).enumerate() {
                self.matrices[matrix].dot(self.simd, group, x, &mut out);
                for (i, out) in out[..x.len()].iter().enumerate() {
                    emit(tile * TILE + i, row, &out[..here]);
                }
            }
        }
    }

    fn embed(&self, op: &Embed, ids: &[u32], state: &mut State) {
        let width = self.graph.activations[op.out].width;
        let rows = state.activations[op.out].chunks_exact_mut(width);
        for (id, row) in ids.iter().zip(rows) {
            self.matrices[op.table].row(*id as usize, row);
        }
    }

    fn qkv(&self, op: &Qkv, kv: &mut KvLayer, state: &mut State) {
        let State {
            activations,
            turns,
            normed,
            quantized,
            ..
        } = state;
        self.norm(&activations[op.x], op.gain, op.eps, normed, quantized);
        let pairs = self.graph.rope.dims as usize / 2;
        let shape = self.graph.kv;
        let (q_rows, k_rows) = (op.heads * shape.head_dim, shape.heads * shape.head_dim);
        let query = &mut activations[op.query];
        for part in &op.weights {
            self.project(part.matrix, quantized, |t, row, values| {
                for (pair, values) in values.as_chunks::<2>().0.iter().enumerate() {
                    let row = part.first_row + row + 2 * pair;
                    let d = row % shape.head_dim;
                    let turned = if row < q_rows + k_rows && d / 2 < pairs {
                        let [cos, sin] = turns[t * pairs + d / 2];
                        [
                            values[0] * cos - values[1] * sin,
                            values[0] * sin + values[1] * cos,
                        ]
                    } else {
                        *values
                    };
                    if row < q_rows {
                        query[t * q_rows + row..t * q_rows + row + 2].copy_from_slice(&turned);
                    } else {
                        let (which, row) = ((row - q_rows) / k_rows, (row - q_rows) % k_rows);
                        kv.put(which, row / shape.head_dim, self.position + t, d, turned);
                    }
                }
            });
        }
    }

    fn attention(&self, op: &Attention, kv: &KvLayer, state: &mut State) {
        let State {
            activations,
            scratch,
            ..
        } = state;
        let mut out = std::mem::take(&mut activations[op.out]);
        let shape = self.graph.kv;
        let width = op.heads * shape.head_dim;
        let tokens = activations[op.query]
            .chunks_exact(width)
            .zip(out.chunks_exact_mut(width));
        for (t, (query, out)) in tokens.enumerate() {
            attention(
                query,
                kv,
                shape.heads,
                shape.head_dim,
                self.position + t + 1,
                scratch,
                out,
            );
        }
        activations[op.out] = out;
    }

    fn linear_add(&self, op: &LinearAdd, state: &mut State) {
        let State {
            activations,
            quantized,
            ..
        } = state;
        quantized.quantize(&activations[op.x], self.graph.matrices[op.weight].cols);
        let width = self.graph.activations[op.residual].width;
        let residual = &mut activations[op.residual];
        self.project(op.weight, quantized, |t, row, values| {
            let at = t * width + row;
            for (residual, value) in residual[at..].iter_mut().zip(values) {
                *residual += value;
            }
        });
    }

    fn glu(&self, op: &Glu, state: &mut State) {
        let State {
            activations,
            normed,
            quantized,
            ..
        } = state;
        self.norm(&activations[op.x], op.gain, op.eps, normed, quantized);
        let width = self.graph.activations[op.out].width;
        let out = &mut activations[op.out];
        self.project(op.weight, quantized, |t, row, values| {
            let at = t * width + row / 2;
            for (out, [gate, up]) in out[at..].iter_mut().zip(values.as_chunks::<2>().0) {
                *out = math::silu(*gate, *up);
            }
        });
    }

    fn head(&self, op: &Head, wanted: Wanted, state: &mut State) {
        let State {
            activations,
            normed,
            quantized,
            logits,
            ..
        } = state;
        let first = match wanted {
            Wanted::None => return,
            Wanted::Last => self.tokens - 1,
            Wanted::All => 0,
        };
        let width = self.graph.activations[op.x].width;
        let x = &activations[op.x][first * width..];
        self.norm(x, op.gain, op.eps, normed, quantized);
        let vocab = self.graph.vocab_size;
        logits.resize((self.tokens - first) * vocab, 0.0);
        self.project(op.weight, quantized, |t, row, values| {
            let at = t * vocab + row;
            logits[at..at + values.len()].copy_from_slice(values);
        });
    }
}
