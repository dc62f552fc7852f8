//! The ops of one call, each of them cut into parts for the threads.

use std::collections::BTreeMap;
use std::ops::Range;

use puna_core::graph::{
    Activate, Attention, Embed, Gate, GateUp, Glu, Graph, Head, HeadLinear, Latent, LayerNorm,
    Linear, LinearAdd, MoeDown, MoeGlu, Norm, NormAdd, Positions, QkNorm, Qkv, RopeIx, Route,
    VectorIx, Wanted,
};
use puna_core::places::Places;

use crate::activation::{Activations, Row};
use crate::adapters::Adapters;
use crate::cache::KvLayer;
use crate::kernel::attention::{self, Scratch, attention};
use crate::kernel::route::route;
use crate::kernel::{layer_norm, math, rms_norm};
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
    /// By rotation of the graph: (T, dims / 2), cos and sin of each token's position.
    pub(crate) turns: Vec<Vec<[f32; 2]>>,
    pub(crate) quantized: Activations,
    /// By thread.
    pub(crate) scratch: Vec<Scratch>,
    pub(crate) logits: Vec<f32>,
    /// (T, used): the experts that tokens use, and their scores.
    pub(crate) chosen: Vec<(usize, f32)>,
    /// By expert that is used: its places in `chosen`.
    pub(crate) places: BTreeMap<usize, Vec<usize>>,
    /// A row that is on its way.
    pub(crate) row: Vec<f32>,
}

/// Takes what comes out: which token, the first row, and the values. One loop over rows for all that is done with them.
type Emit<'a> = dyn Fn(usize, usize, &[f32]) + Sync + 'a;

/// How many tokens, and which.
type Tokens<'a> = (usize, &'a (dyn Fn(usize) -> usize + Sync));

/// What the ops of one call share.
pub(crate) struct Step<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) matrices: &'a [Box<dyn Weights>],
    pub(crate) vectors: &'a [Vec<f32>],
    pub(crate) adapters: &'a Adapters,
    pub(crate) pool: &'a Pool,
    pub(crate) simd: Simd,
    /// Where the tokens go.
    pub(crate) places: &'a Places,
    /// T.
    pub(crate) tokens: usize,
}

impl Step<'_> {
    /// What a projection reads: x (T, K), behind its norm if it has one, rounded.
    fn quantize(
        &self,
        x: &[f32],
        cols: usize,
        norm: Option<Norm>,
        quantized: &mut Activations,
    ) -> Result<(), Lost> {
        quantized.resize(x.len() / cols, cols);
        let writer = quantized.writer();
        let norm = norm.map(|norm| (self.vectors[norm.gain].as_slice(), norm.eps));
        self.pool.run(x.len() / cols, &|t, _| {
            let x = &x[t * cols..(t + 1) * cols];
            let fill = |row: &mut [f32]| {
                let (row, rest) = row.split_at_mut(cols);
                rest.fill(0.0);
                match norm {
                    Some((gain, eps)) => rms_norm(x, gain, eps, row),
                    None => row.copy_from_slice(x),
                }
            };
            // SAFETY: a token is one thread's.
            self.simd.vectorize(|| unsafe { writer.put(t, fill) });
        })
    }

    /// A vector that an op may have.
    fn vector(&self, ix: Option<VectorIx>) -> Option<&[f32]> {
        ix.map(|ix| self.vectors[ix].as_slice())
    }

    /// The rotation of token `t`'s heads: cos and sin of each pair that rotates.
    fn turns<'t>(
        &self,
        state: &'t [Vec<[f32; 2]>],
        rope: Option<RopeIx>,
        t: usize,
    ) -> &'t [[f32; 2]] {
        let Some(ix) = rope else { return &[] };
        let pairs = self.graph.ropes[ix].dims as usize / 2;
        &state[ix][t * pairs..(t + 1) * pairs]
    }

    /// `emit(t, row, values)`: W[row ..]·x[t], with what adapters add to W, for each token and each eight rows, fewer at the
    /// end.
    fn project(&self, matrix: usize, x: &Activations, emit: &Emit<'_>) -> Result<(), Lost> {
        let rows = 0..self.graph.matrices[matrix].rows;
        let token = |t| t;
        let Some((ix, low_rank)) = self.adapters.of(self.graph, matrix) else {
            return self.project_rows(matrix, rows, x, (x.tokens(), &token), emit);
        };
        // (T, groups · N · r): scale · A·x[t].
        let width = low_rank.width();
        let mut low = vec![0.0; x.tokens() * width];
        {
            let low = Scatter::new(&mut low);
            let all = 0..width;
            self.project_rows(
                low_rank.down,
                all,
                x,
                (x.tokens(), &token),
                &|t, row, values| {
                    let at = t * width + row;
                    // SAFETY: a row is one thread's.
                    let low = unsafe { low.slice(at..at + values.len()) };
                    for (i, (low, value)) in low.iter_mut().zip(values).enumerate() {
                        *low = value * self.adapters.scale(low_rank, row + i);
                    }
                },
            )?;
        }
        self.project_rows(matrix, rows, x, (x.tokens(), &token), &|t, row, values| {
            let mut sums = [0.0; GROUP];
            let sums = &mut sums[..values.len()];
            sums.copy_from_slice(values);
            let low = &low[t * width..(t + 1) * width];
            self.simd
                .vectorize(|| self.adapters.add(ix, low_rank, row, low, sums));
            emit(t, row, sums);
        })
    }

    /// The same of some rows, whose number is counted from the first of them, a multiple of eight; and of some tokens: how
    /// many, and which. `emit` is told which of these.
    fn project_rows(
        &self,
        matrix: usize,
        rows: Range<usize>,
        x: &Activations,
        (tokens, token): Tokens<'_>,
        emit: &Emit<'_>,
    ) -> Result<(), Lost> {
        let first_group = rows.start / GROUP;
        let rows = rows.len();
        let weights = &self.matrices[matrix];
        let groups = rows.div_ceil(GROUP);
        let each = groups.div_ceil(self.pool.active() * PARTS_PER_THREAD);
        self.pool.run(groups.div_ceil(each), &|part, _| {
            let mut out = [[0.0; GROUP]; TILE];
            for group in part * each..groups.min((part + 1) * each) {
                let row = group * GROUP;
                let here = GROUP.min(rows - row);
                for first in (0..tokens).step_by(TILE) {
                    let count = TILE.min(tokens - first);
                    let tile: [Row<'_>; TILE] =
                        std::array::from_fn(|i| x.row(token(first + i.min(count - 1))));
                    weights.dot(self.simd, first_group + group, &tile[..count], &mut out);
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
            if op.scale != 1.0 {
                row.iter_mut().for_each(|x| *x *= op.scale);
            }
        }
    }

    pub(crate) fn positions(&self, op: &Positions, state: &mut State) {
        let shift = &self.vectors[op.shift];
        let width = shift.len();
        let residual = &mut state.activations[op.residual];
        let table = op.table.map(|ix| &*self.vectors[ix]);
        for (t, residual) in residual.chunks_exact_mut(width).enumerate() {
            add(residual, table, self.places.of(t).position * width, 1.0);
            add(residual, Some(shift), 0, 1.0);
        }
    }

    pub(crate) fn layer_norm(&self, op: &LayerNorm, wanted: Wanted, state: &mut State) {
        let (gain, bias) = (&self.vectors[op.gain], &self.vectors[op.bias]);
        let width = gain.len();
        let first = match (op.out, wanted) {
            (Some(_), _) | (None, Wanted::All) => 0,
            (None, Wanted::Last) => self.tokens - 1,
            (None, Wanted::None) => self.tokens,
        };
        let mut out = match op.out {
            Some(out) => std::mem::take(&mut state.activations[out]),
            None => std::mem::take(&mut state.logits),
        };
        out.clear();
        out.extend_from_slice(&state.activations[op.x][first * width..]);
        for row in out.chunks_exact_mut(width) {
            self.simd.vectorize(|| layer_norm(row, gain, bias, op.eps));
        }
        match op.out {
            Some(ix) => state.activations[ix] = out,
            None => state.logits = out,
        }
    }

    pub(crate) fn qkv(&self, op: &Qkv, kv: &mut KvLayer, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            turns,
            quantized,
            ..
        } = state;
        let cols = self.graph.activations[op.x].width;
        self.quantize(&activations[op.x], cols, op.norm, quantized)?;
        let shape = self.graph.kv;
        let width = self.graph.activations[op.query].width;
        let bias = self.vector(op.bias);
        let rope = op.rope.filter(|_| !op.normed_later);
        let query = Scatter::new(&mut activations[op.query]);
        let kv = kv.writer();
        for part in &op.weights {
            self.project(part.matrix, quantized, &|t, row, values| {
                let mut row = part.first_row + row;
                let turns = self.turns(turns, rope, t);
                for values in values.as_chunks::<2>().0 {
                    let mut out = *values;
                    if let Some(bias) = bias {
                        out = [out[0] + bias[row], out[1] + bias[row + 1]];
                    }
                    let (head, d) = (row / shape.head_dim, row % shape.head_dim);
                    if head < op.heads + shape.heads {
                        out = turned(out, turns.get(d / 2));
                    }
                    // SAFETY: a row is one thread's.
                    unsafe {
                        if row < width {
                            let at = t * width + row;
                            query.slice(at..at + 2).copy_from_slice(&out);
                        } else {
                            let head = head - op.heads;
                            let is_value = head >= shape.heads;
                            let head = if is_value { head - shape.heads } else { head };
                            let to = self.places.of(t).row();
                            kv.put(usize::from(is_value), head, to, d, out);
                        }
                    }
                    row += 2;
                }
            })?;
        }
        Ok(())
    }

    pub(crate) fn qk_norm(&self, op: &QkNorm, kv: &mut KvLayer, state: &mut State) {
        let State {
            activations,
            turns,
            row,
            ..
        } = state;
        let dh = self.graph.kv.head_dim;
        let [q_rows, k_rows] = [op.heads * dh, self.graph.kv.heads * dh];
        let mut query = std::mem::take(&mut activations[op.query]);
        let gains = &self.vectors[op.gains];
        let (q_gain, k_gain) = gains.split_at(if op.together { q_rows } else { dh });
        let kv = kv.writer();
        let tokens = activations[op.x].chunks_exact(q_rows + k_rows);
        for (t, (x, query)) in tokens.zip(query.chunks_exact_mut(q_rows)).enumerate() {
            let turns = self.turns(turns, op.rope, t);
            let (q, k) = x.split_at(q_rows);
            let each = |x: &[f32], gain: &[f32], out: &mut [f32]| {
                let groups = x
                    .chunks_exact(gain.len())
                    .zip(out.chunks_exact_mut(gain.len()));
                for (x, out) in groups {
                    self.simd.vectorize(|| rms_norm(x, gain, op.eps, out));
                }
                for head in out.chunks_exact_mut(dh) {
                    for (pair, turn) in head.as_chunks_mut::<2>().0.iter_mut().zip(turns) {
                        *pair = turned(*pair, Some(turn));
                    }
                }
            };
            each(q, q_gain, query);
            row.resize(k_rows, 0.0);
            each(k, k_gain, row);
            let to = self.places.of(t).row();
            for (head, key) in row.chunks_exact(dh).enumerate() {
                for (i, pair) in key.as_chunks::<2>().0.iter().enumerate() {
                    // SAFETY: nobody else is there.
                    unsafe { kv.put(0, head, to, 2 * i, *pair) };
                }
            }
        }
        activations[op.query] = query;
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
            value_dim: cache.value_dim,
            places: self.places,
            tokens: self.tokens,
            scale: op.scale,
            temperature: op.temperature,
            span: op.span,
            cap: op.cap,
            sinks: self.vector(op.sinks),
        };
        // What goes over keys together is of one conversation.
        let tile = match self.places {
            Places::From(_) => attention::TILE.min(self.tokens),
            Places::Each(_) => 1,
        };
        let longest = self.places.ends(self.tokens).max().unwrap_or(0);
        for scratch in &mut state.scratch {
            scratch.resize(longest, kv.stride());
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

    pub(crate) fn latent(&self, op: &Latent, kv: &mut KvLayer, state: &mut State) {
        let State {
            activations,
            turns,
            row,
            ..
        } = state;
        let (dh, dv) = (self.graph.kv.head_dim, self.graph.kv.value_dim);
        let rotated = dh - dv;
        let mut query = std::mem::take(&mut activations[op.query]);
        let gain = &self.vectors[op.norm.gain];
        let each = self.graph.activations[op.q].width / op.heads;
        let kv = kv.writer();
        row.resize(dv, 0.0);
        for (t, x) in activations[op.x].chunks_exact(dh).enumerate() {
            let turns = self.turns(turns, Some(op.rope), t);
            let (c, k) = x.split_at(dv);
            self.simd.vectorize(|| rms_norm(c, gain, op.norm.eps, row));
            let compressed = row.as_chunks::<2>().0.iter().copied();
            let pairs = k.as_chunks::<2>().0.iter().zip(turns);
            let key = compressed.chain(pairs.map(|(pair, turn)| turned(*pair, Some(turn))));
            let to = self.places.of(t).row();
            for (i, pair) in key.enumerate() {
                // SAFETY: nobody else is there.
                unsafe { kv.put(0, 0, to, 2 * i, pair) };
            }
            let q = activations[op.q][t * op.heads * each..].chunks_exact(each);
            let heads = query[t * op.heads * dh..].chunks_exact_mut(dh);
            for (q, query) in q.zip(heads).take(op.heads) {
                let from = q[each - rotated..].as_chunks::<2>().0.iter();
                let to = query[dv..].as_chunks_mut::<2>().0.iter_mut();
                for ((to, pair), turn) in to.zip(from).zip(turns) {
                    *to = turned(*pair, Some(turn));
                }
            }
        }
        activations[op.query] = query;
    }

    pub(crate) fn head_linear(&self, op: &HeadLinear, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            quantized,
            ..
        } = state;
        let matrix = &self.graph.matrices[op.weight];
        let (rows, cols) = (matrix.rows / op.heads, matrix.cols);
        let width = |ix: usize| self.graph.activations[ix].width;
        let (x_each, each) = (width(op.x) / op.heads, width(op.out) / op.heads);
        let mut out = std::mem::take(&mut activations[op.out]);
        {
            // (T, H): each head of each token is a row of its own.
            let x = &activations[op.x];
            quantized.resize(self.tokens * op.heads, cols);
            let writer = quantized.writer();
            self.pool.run(self.tokens * op.heads, &|ix, _| {
                let x = &x[ix * x_each..ix * x_each + cols];
                let fill = |row: &mut [f32]| {
                    let (row, rest) = row.split_at_mut(cols);
                    rest.fill(0.0);
                    row.copy_from_slice(x);
                };
                // SAFETY: a row is one thread's.
                self.simd.vectorize(|| unsafe { writer.put(ix, fill) });
            })?;
            let out = Scatter::new(&mut out);
            for head in 0..op.heads {
                let own = head * rows..(head + 1) * rows;
                let token = |t: usize| t * op.heads + head;
                let tokens: Tokens<'_> = (self.tokens, &token);
                self.project_rows(op.weight, own, quantized, tokens, &|t, row, values| {
                    let at = (t * op.heads + head) * each + row;
                    // SAFETY: a row is one thread's.
                    unsafe { out.slice(at..at + values.len()) }.copy_from_slice(values);
                })?;
            }
        }
        activations[op.out] = out;
        Ok(())
    }

    pub(crate) fn linear(&self, op: &Linear, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            quantized,
            ..
        } = state;
        let cols = self.graph.matrices[op.weight].cols;
        self.quantize(&activations[op.x], cols, op.norm, quantized)?;
        let width = self.graph.activations[op.out].width;
        let out = Scatter::new(&mut activations[op.out]);
        let bias = self.vector(op.bias);
        self.project(op.weight, quantized, &|t, row, values| {
            let at = t * width + row;
            // SAFETY: a row is one thread's.
            let out = unsafe { out.slice(at..at + values.len()) };
            out.copy_from_slice(values);
            add(out, bias, row, 1.0);
            if op.activate == Some(Activate::Gelu) {
                self.simd.vectorize(|| math::gelu(out));
            }
        })
    }

    pub(crate) fn linear_add(&self, op: &LinearAdd, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            quantized,
            ..
        } = state;
        let cols = self.graph.matrices[op.weight].cols;
        self.quantize(&activations[op.x], cols, None, quantized)?;
        let width = self.graph.activations[op.residual].width;
        let residual = Scatter::new(&mut activations[op.residual]);
        let bias = self.vector(op.bias);
        self.project(op.weight, quantized, &|t, row, values| {
            let at = t * width + row;
            // SAFETY: a row is one thread's.
            let residual = unsafe { residual.slice(at..at + values.len()) };
            for (residual, value) in residual.iter_mut().zip(values) {
                *residual += value;
            }
            add(residual, bias, row, 1.0);
        })
    }

    pub(crate) fn norm_add(&self, op: &NormAdd, state: &mut State) {
        let mut residual = std::mem::take(&mut state.activations[op.residual]);
        let gain = &self.vectors[op.norm.gain];
        let rows = state.activations[op.x].chunks_exact(gain.len());
        let normed = &mut state.row;
        normed.resize(gain.len(), 0.0);
        for (x, residual) in rows.zip(residual.chunks_exact_mut(gain.len())) {
            self.simd
                .vectorize(|| rms_norm(x, gain, op.norm.eps, normed));
            for (residual, normed) in residual.iter_mut().zip(normed.iter()) {
                *residual += normed;
            }
        }
        state.activations[op.residual] = residual;
    }

    pub(crate) fn glu(&self, op: &Glu, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            quantized,
            ..
        } = state;
        let cols = self.graph.activations[op.x].width;
        self.quantize(&activations[op.x], cols, op.norm, quantized)?;
        let width = self.graph.activations[op.out].width;
        let out = Scatter::new(&mut activations[op.out]);
        self.project(op.weight, quantized, &|t, row, values| {
            let at = t * width + row / 2;
            // SAFETY: a row is one thread's.
            let out = unsafe { out.slice(at..at + values.len() / 2) };
            let pairs = std::array::from_fn(|i| values.get(i).copied().unwrap_or(0.0));
            let values = self.gate(op.gate, pairs);
            for (out, value) in out.iter_mut().zip(values) {
                *out = value;
            }
        })
    }

    pub(crate) fn route(&self, op: &Route, state: &mut State) {
        let bias = self.vector(op.bias);
        state.chosen.clear();
        for logits in state.activations[op.logits].chunks_exact(op.routing.experts) {
            route(logits, &op.routing, bias, &mut state.chosen);
        }
        state.places.clear();
        for (place, (expert, _)) in state.chosen.iter().enumerate() {
            state.places.entry(*expert).or_default().push(place);
        }
    }

    pub(crate) fn moe_glu(&self, op: &MoeGlu, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            quantized,
            chosen,
            places,
            ..
        } = state;
        let cols = self.graph.activations[op.x].width;
        self.quantize(&activations[op.x], cols, op.norm, quantized)?;
        let used = op.routing.used;
        let width = self.graph.activations[op.out].width / used;
        let out = Scatter::new(&mut activations[op.out]);
        let bias = self.vector(op.bias);
        for (&expert, places) in &*places {
            let rows = expert * 2 * width..(expert + 1) * 2 * width;
            let token = |i: usize| places[i] / used;
            let tokens: Tokens<'_> = (places.len(), &token);
            self.project_rows(op.weight, rows, quantized, tokens, &|i, row, values| {
                let score = chosen[places[i]].1;
                let (inner, outer) = match op.scores_input {
                    true => (score, 1.0),
                    false => (1.0, score),
                };
                let at = places[i] * width + row / 2;
                // SAFETY: a row is one thread's.
                let out = unsafe { out.slice(at..at + values.len() / 2) };
                let mut pairs: [f32; GROUP] =
                    std::array::from_fn(|i| values.get(i).map_or(0.0, |value| value * inner));
                add(
                    &mut pairs[..values.len()],
                    bias,
                    expert * 2 * width + row,
                    1.0,
                );
                let values = self.gate(op.gate, pairs);
                for (out, value) in out.iter_mut().zip(values) {
                    *out = value * outer;
                }
            })?;
        }
        Ok(())
    }

    pub(crate) fn moe_down(&self, op: &MoeDown, state: &mut State) -> Result<(), Lost> {
        let State {
            activations,
            quantized,
            chosen,
            places,
            ..
        } = state;
        let cols = self.graph.matrices[op.weight].cols;
        self.quantize(&activations[op.x], cols, None, quantized)?;
        let used = op.routing.used;
        let width = self.graph.activations[op.residual].width;
        let residual = Scatter::new(&mut activations[op.residual]);
        let bias = self.vector(op.bias);
        for (&expert, places) in &*places {
            let rows = expert * width..(expert + 1) * width;
            let token = |i: usize| places[i];
            let tokens: Tokens<'_> = (places.len(), &token);
            self.project_rows(op.weight, rows, quantized, tokens, &|i, row, values| {
                let at = places[i] / used * width + row;
                // SAFETY: a row is one thread's, and a token has an expert once.
                let residual = unsafe { residual.slice(at..at + values.len()) };
                for (residual, value) in residual.iter_mut().zip(values) {
                    *residual += value;
                }
                add(residual, bias, expert * width + row, chosen[places[i]].1);
            })?;
        }
        Ok(())
    }

    /// What comes through a gate, of four pairs of it and of what it lets through.
    pub(crate) fn gate_up(&self, op: &GateUp, state: &mut State) {
        let mut up = std::mem::take(&mut state.activations[op.up]);
        let gates = state.activations[op.x].chunks(4);
        for (x, up) in gates.zip(up.chunks_mut(4)) {
            let at = |of: &[f32], i: usize| of.get(i).copied().unwrap_or(0.0);
            let pairs = std::array::from_fn(|i| match i % 2 {
                0 => at(x, i / 2),
                _ => at(up, i / 2),
            });
            for (up, value) in up.iter_mut().zip(self.gate(op.gate, pairs)) {
                *up = value;
            }
        }
        state.activations[op.up] = up;
    }

    fn gate(&self, gate: Gate, pairs: [f32; 8]) -> [f32; 4] {
        match gate {
            Gate::Silu => self.simd.vectorize(|| math::silu(pairs)),
            Gate::GeluTanh => self.simd.vectorize(|| math::gelu_tanh(pairs)),
            Gate::ClampedSwish => self.simd.vectorize(|| math::clamped_swish(pairs)),
        }
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
        self.quantize(x, width, Some(op.norm), quantized)?;
        let vocab = self.graph.vocab_size;
        logits.resize((self.tokens - first) * vocab, 0.0);
        let logits = Scatter::new(logits);
        self.project(op.weight, quantized, &|t, row, values| {
            let at = t * vocab + row;
            // SAFETY: a row is one thread's.
            let logits = unsafe { logits.slice(at..at + values.len()) };
            logits.copy_from_slice(values);
            if let Some(cap) = op.cap {
                math::cap(logits, cap);
            }
        })
    }
}

/// Adds elements of a vector from `first` on, if there is one, times a factor.
fn add(values: &mut [f32], vector: Option<&[f32]>, first: usize, factor: f32) {
    let elements = vector.map(|vector| &vector[first..first + values.len()]);
    for (value, element) in values.iter_mut().zip(elements.into_iter().flatten()) {
        *value += element * factor;
    }
}

/// A pair of a head, rotated if its place rotates.
fn turned([a, b]: [f32; 2], turn: Option<&[f32; 2]>) -> [f32; 2] {
    match turn {
        Some([cos, sin]) => [a * cos - b * sin, a * sin + b * cos],
        None => [a, b],
    }
}
