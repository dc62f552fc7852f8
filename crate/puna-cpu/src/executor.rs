//! Runs a graph: memory is laid out once, a step walks the ops.

use std::ops::Range;

use half::f16;
use puna_core::graph::{Factors, Graph, Op, Target, Wanted};
use puna_core::places::Places;
use puna_core::pool::Copy;
use puna_core::session::{CONVERSATIONS, grown_capacity};
use puna_core::weights::plan::Piece;
use puna_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::adapters::Adapters;
use crate::cache::KvLayer;
use crate::kernel::attention::Scratch;
use crate::memory::{refused, zeros};
use crate::pool::{Lost, Pool};
use crate::simd::Simd;
use crate::step::{State, Step};
use crate::weights::{self, Weights};

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
    /// Most tokens of a call of [`Executor::forward`], unless all of a text has to come in one.
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

    /// Most tokens of a call of [`Executor::forward`] with a graph.
    #[must_use]
    pub fn max_tokens(&self, graph: &Graph) -> usize {
        match graph.encodes() {
            true => self.context_length(graph),
            false => self.max_tokens as usize,
        }
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
    let ups = graph.low_ranks.iter();
    let ups: u64 = ups.map(|it| it.up_len() as u64 * 4).sum();
    weights + vectors + ups + KvLayer::bytes(graph.kv, tokens) as u64 * graph.kv.layers as u64
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
    adapters: Adapters,
    /// By tensor of the file: where it goes.
    targets: Vec<Vec<Target>>,
    kv: Vec<KvLayer>,
    capacity: usize,
    state: State,
}

impl Executor {
    /// Makes room for the weights, which follow by [`Self::upload`]. The KV cache is made by the first call of
    /// [`Self::forward`], out of what uploading took.
    ///
    /// # Errors
    /// `out_of_memory` when the weights do not fit.
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
            let mut elements = zeros(vector.len, "a vector").map_err(whole)?;
            if vector.sources.is_empty() {
                elements.fill(1.0);
            }
            vectors.push(elements);
        }
        let adapters = Adapters::new(&graph).map_err(whole)?;
        Ok(Self {
            matrices,
            vectors,
            adapters,
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
        })
    }

    /// The threads.
    pub const fn pool(&mut self) -> &mut Pool {
        &mut self.pool
    }

    /// Most tokens of a call of [`Self::forward`].
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.limits.max_tokens(&self.graph)
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
                    Target::Vector { vector, source } => {
                        self.upload_vector(vector, source, piece.tensor_offset, bytes);
                    }
                    Target::Factors(_) => {
                        let offset = piece.tensor_offset;
                        self.graph.supply(piece.tensor, offset, bytes)?;
                    }
                    Target::Rows { matrix, source } => {
                        self.upload_rows(matrix, source, piece.tensor_offset, bytes)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn upload_vector(&mut self, vector: usize, source: usize, offset: u64, bytes: &[u8]) {
        let table = &self.graph.vectors[vector];
        let source = table.sources[source];
        let size = table.format.value_bytes;
        let start = usize::try_from(offset).unwrap_or(usize::MAX) / size;
        let own = source.among(start..start.saturating_add(bytes.len() / size));
        let values = table.format.values(bytes).skip(own.start - start);
        for (i, value) in own.zip(values) {
            let to = source.landing(i - source.from);
            self.vectors[vector][to] = value + table.offset;
        }
    }

    fn upload_rows(
        &mut self,
        matrix: usize,
        source: usize,
        offset: u64,
        bytes: &[u8],
    ) -> Result<()> {
        let table = &self.graph.matrices[matrix];
        let source = table.sources[source];
        let rows = table.rows_at(&source, offset, bytes.len() as u64)?;
        if let Some(transposed) = source.transposed {
            let size = table.stored.value_bytes;
            for (row, values) in rows.zip(bytes.chunks_exact(transposed.width * size)) {
                for (to, col, value) in transposed.landings(&source, row) {
                    let value = &values[value * size..(value + 1) * size];
                    self.matrices[matrix].put_value(to, col, value)?;
                }
            }
            return Ok(());
        }
        let row_bytes = table.format.row_bytes(table.cols);
        let bytes = table.rows_in_memory(bytes);
        for row in source.among(rows.clone()) {
            let at = (row - rows.start) * row_bytes;
            let to = source.landing(row - source.from);
            self.matrices[matrix].put_row(to, &bytes[at..at + row_bytes]);
        }
        Ok(())
    }

    /// Takes what an adapter adds to a matrix.
    ///
    /// # Errors
    /// `internal` for one of another graph.
    pub fn put_adapter(&mut self, factors: &Factors) -> Result<()> {
        let low_rank = self.graph.check_adapter(factors)?;
        let cols = self.graph.matrices[low_rank.down].cols;
        let down = &mut self.matrices[low_rank.down];
        let rows = factors.down.chunks_exact(cols);
        for (i, row) in rows.enumerate() {
            let (group, i) = (i / low_rank.rank, i % low_rank.rank);
            let halves = row.iter().map(|x| f16::from_f32(*x).to_bits());
            let bytes: Vec<u8> = halves.flat_map(u16::to_le_bytes).collect();
            down.put_row(low_rank.first(group, factors.adapter) + i, &bytes);
        }
        self.adapters.put(factors);
        Ok(())
    }

    /// What each adapter is multiplied by from now on: all by 0 at first.
    ///
    /// # Errors
    /// `internal` for scales of other adapters.
    pub fn adapt(&mut self, scales: &[f32]) -> Result<()> {
        self.graph.check_scales(scales)?;
        self.adapters.scales = scales.to_vec();
        Ok(())
    }

    /// Most rows of the KV cache.
    #[must_use]
    pub const fn most_rows(&self) -> usize {
        self.context_length.saturating_mul(CONVERSATIONS)
    }

    /// Rows of the KV cache that there are.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.capacity
    }

    /// Copies rows of the KV cache, one range after the other.
    ///
    /// # Errors
    /// `internal` for rows that there are none of.
    pub fn copy_rows(&mut self, copies: &[Copy]) -> Result<()> {
        for copy in copies {
            if copy.from.max(copy.to).saturating_add(copy.rows) > self.capacity {
                let rows = self.capacity;
                return Err(Error::internal(format!("{copy:?} of {rows} rows")));
            }
            self.kv.iter_mut().for_each(|layer| layer.copy(*copy));
        }
        Ok(())
    }

    /// What a layer of the KV cache holds in some rows: bits of f16, (planes, Hkv, rows, Dh).
    ///
    /// # Errors
    /// `internal` for rows or a layer that there are none of.
    pub fn read_rows(&self, layer: usize, rows: Range<usize>) -> Result<Vec<u16>> {
        self.check_rows(layer, &rows)?;
        Ok(self.kv[layer].read(rows))
    }

    /// Writes what [`Self::read_rows`] gave, from a row on.
    ///
    /// # Errors
    /// `internal` for rows or a layer that there are none of.
    pub fn write_rows(&mut self, layer: usize, first_row: usize, elements: &[u16]) -> Result<()> {
        let row = self.graph.kv.planes() * self.graph.kv.heads * self.graph.kv.head_dim;
        let rows = elements.len() / row.max(1);
        self.check_rows(layer, &(first_row..first_row.saturating_add(rows)))?;
        self.kv[layer].write(first_row, elements);
        Ok(())
    }

    fn check_rows(&self, layer: usize, rows: &Range<usize>) -> Result<()> {
        if rows.start < rows.end && rows.end <= self.capacity && layer < self.kv.len() {
            return Ok(());
        }
        Err(Error::internal(format!(
            "rows {rows:?} of layer {layer} of the KV cache"
        )))
    }

    /// Makes room for so many rows in the KV cache: the capacity doubles, or grows to just that where there is no memory to
    /// double it; what is there is kept.
    ///
    /// # Errors
    /// `context_length_exceeded` with both numbers, `out_of_memory`.
    pub fn reserve(&mut self, rows: usize) -> Result<()> {
        if rows <= self.capacity {
            return Ok(());
        }
        for capacity in [grown_capacity(rows, self.most_rows())?, rows] {
            // A layer that has grown does no harm if a later one can't.
            if self.kv.iter_mut().all(|layer| layer.grow(capacity)) {
                self.capacity = capacity;
                return Ok(());
            }
        }
        let bytes = KvLayer::bytes(self.graph.kv, rows) * self.graph.kv.layers;
        Err(refused(
            bytes as u64,
            &format!("a KV cache of {rows} tokens"),
        ))
    }

    /// Runs tokens `ids` at these places; their keys and values go to the cache. Returns the logits of the
    /// last token (V,), of all (T, V), or nothing.
    ///
    /// # Errors
    /// `context_length_exceeded`, `out_of_memory` when the cache can't grow, `internal`.
    pub fn forward(
        &mut self,
        places: impl Into<Places>,
        ids: &[u32],
        wanted: Wanted,
    ) -> Result<&mut [f32]> {
        self.try_forward(&places.into(), ids, wanted)?
            .map_err(|Lost| Error::internal("a thread has ended while it computed"))
    }

    /// [`Self::forward`], where threads may be lost: then nothing but the pool is. The same tokens may be run
    /// again on one thread when no other is left.
    ///
    /// # Errors
    /// As there; [`Lost`] inside.
    pub fn try_forward(
        &mut self,
        places: &Places,
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
        self.graph.check_factors()?;
        places.check(ids.len(), self.context_length)?;
        self.reserve(places.rows(ids.len()))?;
        let ran = self.run(places, ids, wanted);
        Ok(ran.map(|()| self.state.logits.as_mut_slice()))
    }

    fn run(&mut self, places: &Places, ids: &[u32], wanted: Wanted) -> Result<(), Lost> {
        let Self {
            graph,
            matrices,
            vectors,
            adapters,
            kv,
            state,
            simd,
            pool,
            ..
        } = self;
        // Between calls they had time to: no round waits for one that sleeps.
        pool.check()?;
        for (values, activation) in state.activations.iter_mut().zip(&graph.activations) {
            values.resize(activation.width * ids.len(), 0.0);
        }
        state.turns.resize_with(graph.ropes.len(), Vec::new);
        for (turns, rope) in state.turns.iter_mut().zip(&graph.ropes) {
            turns.clear();
            for t in 0..ids.len() {
                let position = u32::try_from(places.of(t).position).unwrap_or(u32::MAX);
                turns.extend(rope.row(position));
            }
        }
        state.logits.clear();
        state.scratch.resize_with(pool.threads(), Scratch::default);
        let step = Step {
            graph,
            matrices,
            vectors,
            adapters,
            pool,
            simd: *simd,
            places,
            tokens: ids.len(),
        };
        for op in &graph.ops {
            match op {
                Op::Embed(op) => step.embed(op, ids, state),
                Op::Qkv(op) => step.qkv(op, &mut kv[op.layer], state)?,
                Op::Attention(op) => step.attention(op, &kv[op.layer], state)?,
                Op::QkNorm(op) => step.qk_norm(op, &mut kv[op.layer], state),
                Op::Latent(op) => step.latent(op, &mut kv[op.layer], state),
                Op::HeadLinear(op) => step.head_linear(op, state)?,
                Op::Linear(op) => step.linear(op, state)?,
                Op::LinearAdd(op) => step.linear_add(op, state)?,
                Op::GateUp(op) => step.gate_up(op, state),
                Op::NormAdd(op) => step.norm_add(op, state),
                Op::Positions(op) => step.positions(op, state),
                Op::LayerNorm(op) => step.layer_norm(op, wanted, state),
                Op::Route(op) => step.route(op, state),
                Op::MoeGlu(op) => step.moe_glu(op, state)?,
                Op::MoeDown(op) => step.moe_down(op, state)?,
                Op::Glu(op) => step.glu(op, state)?,
                Op::Head(op) => step.head(op, wanted, state)?,
            }
        }
        Ok(())
    }
}
