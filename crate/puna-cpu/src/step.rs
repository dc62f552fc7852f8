//! The ops of one call, each of them cut into parts for the threads.

use puna_core::graph::{Attention, Embed, Glu, Graph, Head, LinearAdd, Qkv, VectorIx, Wanted};

use crate::activation::{Activations, Row};
use crate::cache::KvLayer;
use crate::kernel::attention::{self, Scratch, attention};
use crate::kernel::{math, rms_norm};
use crate::pool::{Lost, Pool};
use crate::scatter::Scatter;
use crate::simd::Simd;
use crate::weights::{GROUP, TILE, Weights};

/// Parts that an op is cut into for each thread: enough to even out cores that are slow or busy.
const PARTS_PER_THREAD: usize = 4;

/// What a call computes with; kept from call to call, so that a step allocates next to nothing once it is warm.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By activation of the graph: (T, width).
    pub(crate) activations: Vec<Vec<f32>>,
    /// (T, dims / 2): cos, sin of each token's position.
    pub(crate) turns: Vec<[f32; 2]>,
    pub(crate) quantized: Activations,
    /// By thread.
    pub(crate) scratch: Vec<Scratch>,
    pub(crate) logits: Vec<f32>,
}

/// What the ops of one call share.
pub(crate) struct Step<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) matrices: &'a [Box<dyn Weights>],
    pub(crate) vectors: &'a [Vec<f32>],
    pub(crate) pool: &'a Pool,
    pub(crate) simd: Simd,
    pub(crate) position: usize,
    /// T.
    pub(crate) tokens: usize,
}

impl Step<'_> {
    /// What a projection reads: x (T, K), rounded.
    fn quantize(&self, x: &[f32], cols: usize, quantized: &mut Activations) -> Result<(), Lost> {
        quantized.resize(x.len() / cols, cols);
        let writer = quantized.writer();
        self.pool.run(x.len() / cols, &|t, _| {
            let x = &x[t * cols..(t + 1) * cols];
            // SAFETY: a token is one thread's.
            self.simd
                .vectorize(|| unsafe { writer.put(t, |row| row.copy_from_slice(x)) });
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
                .vectorize(|| unsafe { writer.put(t, |row| rms_norm(x, gain, eps, row)) });
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

    pub(crate) fn embed(&self, op: &Embed, ids: &[u32], state: &mut State) {
        let width = self.graph.activations[op.out].width;
        let rows = state.activations[op.out].chunks_exact_mut(width);
        for (id, row) in ids.iter().zip(rows) {
            self.matrices[op.table].row(*id as usize, row);
        }
    }

    pub(crate) fn qkv(&self, op: &Qkv, kv: &mut KvLayer, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            turns,
            quantized,
            ..
        } = state;
        self.norm(&activations[op.x], op.gain, op.eps, quantized)?;
        let pairs = self.graph.rope.dims as usize / 2;
        let shape = self.graph.kv;
        let query = Scatter::new(&mut activations[op.query]);
        let kv = kv.writer();
        for part in &op.weights {
            self.project(part.matrix, quantized, |t, row, values| {
                let row = part.first_row + row;
                let (mut head, mut d) = (row / shape.head_dim, row % shape.head_dim);
                for values in values.as_chunks::<2>().0 {
                    let turned = if head < op.heads + shape.heads && d / 2 < pairs {
                        let [cos, sin] = turns[t * pairs + d / 2];
                        [
                            values[0] * cos - values[1] * sin,
                            values[0] * sin + values[1] * cos,
                        ]
                    } else {
                        *values
                    };
                    // SAFETY: a row is one thread's.
                    unsafe {
                        if head < op.heads {
                            let at = (t * op.heads + head) * shape.head_dim + d;
                            query.slice(at..at + 2).copy_from_slice(&turned);
                        } else {
                            let head = head - op.heads;
                            let is_value = head >= shape.heads;
                            let head = if is_value { head - shape.heads } else { head };
                            kv.put(usize::from(is_value), head, self.position + t, d, turned);
                        }
                    }
                    d += 2;
                    if d >= shape.head_dim {
                        (head, d) = (head + 1, 0);
                    }
                }
            })?;
        }
        Ok(())
    }

    pub(crate) fn attention(
        &self,
        op: &Attention,
        kv: &KvLayer,
        state: &mut State,
    ) -> Result<(), Lost> {
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
            scratch.resize(self.position + self.tokens, kv.stride());
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

    pub(crate) fn linear_add(&self, op: &LinearAdd, state: &mut State) -> Result<(), Lost> {
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

    pub(crate) fn glu(&self, op: &Glu, state: &mut State) -> Result<(), Lost> {
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
            let pairs = std::array::from_fn(|i| values.get(i).copied().unwrap_or(0.0));
            let values = self.simd.vectorize(|| math::silu(pairs));
            for (out, value) in out.iter_mut().zip(values) {
                *out = value;
            }
        })
    }

    pub(crate) fn head(&self, op: &Head, wanted: Wanted, state: &mut State) -> Result<(), Lost> {
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
