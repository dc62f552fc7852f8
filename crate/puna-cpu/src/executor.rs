//! Runs a graph: memory is laid out once, a step walks the ops, each of them cut into parts for the threads.

use puna_core::graph::{
    Attention, Embed, Glu, Graph, Head, LinearAdd, Op, Qkv, Target, VectorIx, Wanted,
};
use puna_core::session::grown_capacity;
use puna_core::weights::plan::Piece;
use puna_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::activation::{Activations, Row};
use crate::cache::KvLayer;
use crate::kernel::attention::{self, Scratch, attention};
use crate::kernel::{math, rms_norm};
use crate::memory::{refused, zeros};
use crate::pool::{Lost, Pool};
use crate::scatter::Scatter;
use crate::simd::Simd;
use crate::weights::{self, GROUP, TILE, Weights};

/// Parts that an op is cut into for each thread: enough to even out cores that are slow or busy.
const PARTS_PER_THREAD: usize = 4;

/// How to run.
#[derive(Clone, Copy, Debug)]
pub struct ExecutorOptions {
    /// The instructions to use.
    pub simd: Simd,
    /// Threads to start, the caller's among them.
    pub threads: usize,
    /// What is bounded.
    pub limits: Limits,
}

/// Bounds of what an executor takes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Most tokens of the context; the model's own where none is given.
    pub context_length: Option<u32>,
    /// Most tokens of a call of [`Executor::forward`].
    pub max_tokens: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            context_length: None,
            max_tokens: 64,
        }
    }
}

impl Limits {
    /// Most tokens of the context of a graph.
    #[must_use]
    pub fn context_length(&self, graph: &Graph) -> usize {
        let wanted = self.context_length.unwrap_or(graph.context_length);
        wanted.min(graph.context_length) as usize
    }
}

impl Default for ExecutorOptions {
    fn default() -> Self {
        Self {
            simd: Simd::best(),
            threads: 1,
            limits: Limits::default(),
        }
    }
}

/// Bytes that an executor takes: its weights, and the KV cache for `tokens`.
#[must_use]
pub fn bytes(graph: &Graph, tokens: usize) -> u64 {
    let matrices = graph.matrices.iter();
    let weights: u64 = matrices
        .map(|matrix| weights::bytes(matrix.format, matrix.rows, matrix.cols))
        .sum();
    let vectors: u64 = graph
        .vectors
        .iter()
        .map(|vector| vector.len as u64 * 4)
        .sum();
    weights + vectors + KvLayer::bytes(graph.kv, tokens) as u64 * graph.kv.layers as u64
}

/// A graph in memory, with its weights and its KV cache.
#[derive(Debug)]
pub struct Executor {
    graph: Graph,
    simd: Simd,
    limits: Limits,
    pool: Pool,
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
    quantized: Activations,
    /// By thread.
    scratch: Vec<Scratch>,
    logits: Vec<f32>,
}

impl Executor {
    /// Allocates everything; the weights follow by [`Self::upload`].
    ///
    /// # Errors
    /// `out_of_memory` when the weights or the first KV cache do not fit.
    pub fn new(graph: Graph, n_tensors: usize, options: ExecutorOptions) -> Result<Self> {
        // What is missing is told as a whole: that one matrix of many did not fit says little.
        let whole = |_| refused(bytes(&graph, 0), "the model's weights");
        let mut matrices = Vec::new();
        for matrix in &graph.matrices {
            let room = weights::new(matrix.format, matrix.rows, matrix.cols);
            matrices.push(room.map_err(whole)?);
        }
        let mut vectors = Vec::new();
        for vector in &graph.vectors {
            vectors.push(zeros(vector.len, "a vector").map_err(whole)?);
        }
        let mut executor = Self {
            matrices,
            vectors,
            targets: graph.targets(n_tensors),
            kv: vec![KvLayer::new(graph.kv); graph.kv.layers],
            capacity: 0,
            context_length: options.limits.context_length(&graph),
            state: State {
                activations: vec![Vec::new(); graph.activations.len()],
                ..State::default()
            },
            graph,
            simd: options.simd,
            limits: options.limits,
            pool: Pool::new(options.threads),
        };
        executor.reserve(1)?;
        Ok(executor)
    }

    /// The threads.
    pub const fn pool(&mut self) -> &mut Pool {
        &mut self.pool
    }

    /// Most tokens of a call of [`Self::forward`].
    #[must_use]
    pub const fn max_tokens(&self) -> usize {
        self.limits.max_tokens as usize
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

    /// Takes the bytes of a chunk apart, which has these pieces.
    ///
    /// # Errors
    /// `internal` when the chunk cuts a row or is shorter than it says.
    pub fn upload(&mut self, pieces: &[Piece], bytes: &[u8]) -> Result<()> {
        for piece in pieces {
            let start = piece.chunk_offset as usize;
            let bytes = bytes
                .get(start..start.saturating_add(piece.bytes as usize))
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
                let what = format!("a KV cache of {capacity} tokens");
                return Err(refused(bytes as u64, &what));
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
        self.try_forward(position, ids, wanted)?
            .map_err(|Lost| Error::internal("a thread has ended while it computed"))
    }

    /// [`Self::forward`], where threads may be lost: then nothing but the pool is. The same tokens may be run
    /// again on one thread when no other is left.
    ///
    /// # Errors
    /// As there; [`Lost`] inside.
    pub fn try_forward(
        &mut self,
        position: usize,
        ids: &[u32],
        wanted: Wanted,
    ) -> Result<Result<&mut [f32], Lost>> {
        if ids.is_empty() || ids.len() > self.max_tokens() {
            return Err(Error::internal(format!(
                "forward: {} tokens are out of range",
                ids.len()
            )));
        }
        self.graph.check_ids(ids)?;
        self.reserve(position + ids.len())?;
        let ran = self.run(position, ids, wanted);
        Ok(ran.map(|()| self.state.logits.as_mut_slice()))
    }

    fn run(&mut self, position: usize, ids: &[u32], wanted: Wanted) -> Result<(), Lost> {
        let Self {
            graph,
            matrices,
            vectors,
            kv,
            state,
            simd,
            pool,
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
        state.scratch.resize_with(pool.threads(), Scratch::default);
        let run = Run {
            graph,
            matrices,
            vectors,
            pool,
            simd: *simd,
            position,
            tokens: ids.len(),
        };
        for op in &graph.ops {
            match op {
                Op::Embed(op) => run.embed(op, ids, state),
                Op::Qkv(op) => run.qkv(op, &mut kv[op.layer], state)?,
                Op::Attention(op) => run.attention(op, &kv[op.layer], state)?,
                Op::LinearAdd(op) => run.linear_add(op, state)?,
                Op::Glu(op) => run.glu(op, state)?,
                Op::Head(op) => run.head(op, wanted, state)?,
            }
        }
        Ok(())
    }
}

/// What the ops of one call share.
struct Run<'a> {
    graph: &'a Graph,
    matrices: &'a [Box<dyn Weights>],
    vectors: &'a [Vec<f32>],
    pool: &'a Pool,
    simd: Simd,
    position: usize,
    /// T.
    tokens: usize,
}

impl Run<'_> {
    /// What a projection reads: x (T, K), rounded.
    fn quantize(&self, x: &[f32], cols: usize, quantized: &mut Activations) -> Result<(), Lost> {
        quantized.resize(x.len() / cols, cols);
        let writer = quantized.writer();
        self.pool.run(x.len() / cols, &|t, _| {
            let x = &x[t * cols..(t + 1) * cols];
            // SAFETY: a token is one thread's.
            self.simd
                .vectorize(|| unsafe { writer.put(t, x.iter().copied()) });
        })
    }

    /// What a projection behind a norm reads: x (T, D), normed and rounded.
    fn norm(
        &self,
        x: &[f32],
        gain: VectorIx,
        eps: f32,
        quantized: &mut Activations,
    ) -> Result<(), Lost> {
        let gain = self.vectors[gain].as_slice();
        let cols = gain.len();
        quantized.resize(x.len() / cols, cols);
        let writer = quantized.writer();
        self.pool.run(x.len() / cols, &|t, _| {
            let x = &x[t * cols..(t + 1) * cols];
            // SAFETY: a token is one thread's.
            self.simd
                .vectorize(|| unsafe { writer.put(t, rms_norm(x, gain, eps)) });
        })
    }

    /// `emit(t, row, values)`: W[row ..]·x[t] for each token and each eight rows, fewer at the end.
    fn project(
        &self,
        matrix: usize,
        x: &Activations,
        emit: impl Fn(usize, usize, &[f32]) + Sync,
    ) -> Result<(), Lost> {
        let rows = self.graph.matrices[matrix].rows;
        let weights = &self.matrices[matrix];
        let (groups, tokens) = (rows.div_ceil(GROUP), x.tokens());
        let each = groups.div_ceil(self.pool.active() * PARTS_PER_THREAD);
        self.pool.run(groups.div_ceil(each), &|part, _| {
            let mut out = [[0.0; GROUP]; TILE];
            for group in part * each..groups.min((part + 1) * each) {
                let row = group * GROUP;
                let here = GROUP.min(rows - row);
                for first in (0..tokens).step_by(TILE) {
                    let count = TILE.min(tokens - first);
                    let tile: [Row<'_>; TILE] =
                        std::array::from_fn(|i| x.row(first + i.min(count - 1)));
                    weights.dot(self.simd, group, &tile[..count], &mut out);
                    for (i, out) in out[..count].iter().enumerate() {
                        emit(first + i, row, &out[..here]);
                    }
                }
            }
        })
    }

    fn embed(&self, op: &Embed, ids: &[u32], state: &mut State) {
        let width = self.graph.activations[op.out].width;
        let rows = state.activations[op.out].chunks_exact_mut(width);
        for (id, row) in ids.iter().zip(rows) {
            self.matrices[op.table].row(*id as usize, row);
        }
    }

    fn qkv(&self, op: &Qkv, kv: &mut KvLayer, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            turns,
            quantized,
            ..
        } = state;
        self.norm(&activations[op.x], op.gain, op.eps, quantized)?;
        let pairs = self.graph.rope.dims as usize / 2;
        let shape = self.graph.kv;
        let (q_rows, k_rows) = (op.heads * shape.head_dim, shape.heads * shape.head_dim);
        let query = Scatter::new(&mut activations[op.query]);
        let kv = kv.writer();
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
                    let at = t * q_rows + row;
                    // SAFETY: a row is one thread's.
                    unsafe {
                        if row < q_rows {
                            query.slice(at..at + 2).copy_from_slice(&turned);
                        } else {
                            let (which, row) = ((row - q_rows) / k_rows, (row - q_rows) % k_rows);
                            kv.put(which, row / shape.head_dim, self.position + t, d, turned);
                        }
                    }
                }
            })?;
        }
        Ok(())
    }

    fn attention(&self, op: &Attention, kv: &KvLayer, state: &mut State) -> Result<(), Lost> {
        let mut out = std::mem::take(&mut state.activations[op.out]);
        let query = &state.activations[op.query];
        let cache = self.graph.kv;
        let shape = attention::Shape {
            heads: op.heads,
            kv_heads: cache.heads,
            head_dim: cache.head_dim,
            position: self.position,
        };
        let tile = attention::TILE.min(self.tokens);
        for scratch in &mut state.scratch {
            let len = self.position + self.tokens;
            scratch.resize(tile * shape.group(), len, cache.head_dim);
        }
        let scratch = Scatter::new(&mut state.scratch);
        let scatter = Scatter::new(&mut out);
        let tiles = self.tokens.div_ceil(tile);
        self.pool.run(tiles * cache.heads, &|part, thread| {
            let (n, head) = (part / cache.heads, part % cache.heads);
            let tokens = n * tile..self.tokens.min((n + 1) * tile);
            // SAFETY: each thread has its own.
            let scratch = unsafe { scratch.slice(thread..thread + 1) };
            if let [scratch] = scratch {
                self.simd
                    .vectorize(|| attention(shape, tokens, head, query, kv, scratch, &scatter));
            }
        })?;
        state.activations[op.out] = out;
        Ok(())
    }

    fn linear_add(&self, op: &LinearAdd, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            quantized,
            ..
        } = state;
        let cols = self.graph.matrices[op.weight].cols;
        self.quantize(&activations[op.x], cols, quantized)?;
        let width = self.graph.activations[op.residual].width;
        let residual = Scatter::new(&mut activations[op.residual]);
        self.project(op.weight, quantized, |t, row, values| {
            let at = t * width + row;
            // SAFETY: a row is one thread's.
            let residual = unsafe { residual.slice(at..at + values.len()) };
            for (residual, value) in residual.iter_mut().zip(values) {
                *residual += value;
            }
        })
    }

    fn glu(&self, op: &Glu, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            quantized,
            ..
        } = state;
        self.norm(&activations[op.x], op.gain, op.eps, quantized)?;
        let width = self.graph.activations[op.out].width;
        let out = Scatter::new(&mut activations[op.out]);
        self.project(op.weight, quantized, |t, row, values| {
            let at = t * width + row / 2;
            // SAFETY: a row is one thread's.
            let out = unsafe { out.slice(at..at + values.len() / 2) };
            for (out, [gate, up]) in out.iter_mut().zip(values.as_chunks::<2>().0) {
                *out = math::silu(*gate, *up);
            }
        })
    }

    fn head(&self, op: &Head, wanted: Wanted, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            quantized,
            logits,
            ..
        } = state;
        let first = match wanted {
            Wanted::None => return Ok(()),
            Wanted::Last => self.tokens - 1,
            Wanted::All => 0,
        };
        let width = self.graph.activations[op.x].width;
        let x = &activations[op.x][first * width..];
        self.norm(x, op.gain, op.eps, quantized)?;
        let vocab = self.graph.vocab_size;
        logits.resize((self.tokens - first) * vocab, 0.0);
        let logits = Scatter::new(logits);
        self.project(op.weight, quantized, |t, row, values| {
            let at = t * vocab + row;
            // SAFETY: a row is one thread's.
            unsafe { logits.slice(at..at + values.len()) }.copy_from_slice(values);
        })
    }
}
