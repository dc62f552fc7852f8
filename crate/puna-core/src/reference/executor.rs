//! Runs a [`Graph`] by the twins: the truth that the other executors are compared with. Slow.

use super::attention::Scores;
use super::qkv::{Inputs, KvLayer};
use super::{
    Dense, Norm, attention, embed, gate_up, glu, head, head_linear, latent, layer_norm, linear,
    linear_add, low_rank, moe_down, moe_glu, norm_add, positions, qk_norm, qkv, route,
};
use crate::Result;
use crate::graph::{self, Factors, Graph, Op};
use crate::places::Places;

/// A graph with its weights as floats and a KV cache.
#[derive(Debug)]
pub struct Executor {
    graph: Graph,
    matrices: Vec<Vec<f32>>,
    vectors: Vec<Vec<f32>>,
    kv: Vec<KvLayer>,
}

impl Executor {
    /// Takes the weights out of the file: `tensor(ix)` gives the bytes of `Header::tensors[ix]`, whose sizes the
    /// graph's builder has checked. The cache holds `capacity` tokens.
    ///
    /// # Errors
    /// `bad_model_file` where factors of a rotation make no sense.
    pub fn new<'a>(
        mut graph: Graph,
        capacity: usize,
        tensor: impl Fn(usize) -> &'a [u8],
    ) -> Result<Self> {
        for ix in graph.factors() {
            graph.supply(ix, 0, tensor(ix))?;
        }
        let matrices = graph.matrices.iter().map(|matrix| {
            let mut data = vec![0.0; matrix.rows * matrix.cols];
            for source in &matrix.sources {
                let bytes = tensor(source.tensor);
                if let Some(transposed) = source.transposed {
                    let values: Vec<f32> = matrix.stored.values(bytes).collect();
                    for (tensor_row, row) in values.chunks_exact(transposed.width).enumerate() {
                        for (to, col, value) in transposed.landings(source, tensor_row) {
                            data[to * matrix.cols + col] = row[value];
                        }
                    }
                    continue;
                }
                let bytes = matrix.rows_in_memory(bytes);
                let rows = bytes.chunks_exact(matrix.format.row_bytes(matrix.cols));
                let weights =
                    rows.flat_map(|row| matrix.format.runs(row).flatten().take(matrix.cols));
                let floats: Vec<f32> = weights.collect();
                let rows = floats.chunks_exact(matrix.cols).skip(source.from);
                for (i, row) in rows.take(source.rows).enumerate() {
                    let at = source.landing(i) * matrix.cols;
                    data[at..at + matrix.cols].copy_from_slice(row);
                }
            }
            data
        });
        let vectors = graph.vectors.iter().map(|vector| {
            let fill = if vector.sources.is_empty() { 1.0 } else { 0.0 };
            let mut data = vec![fill; vector.len];
            for source in &vector.sources {
                let elements = vector.format.values(tensor(source.tensor));
                let elements = elements.skip(source.from).take(source.rows);
                for (i, element) in elements.enumerate() {
                    data[source.landing(i)] = element + vector.offset;
                }
            }
            data
        });
        let (matrices, vectors) = (matrices.collect(), vectors.collect());
        let kv = (0..graph.kv.layers)
            .map(|_| KvLayer::new(graph.kv, capacity))
            .collect();
        Ok(Self {
            graph,
            matrices,
            vectors,
            kv,
        })
    }

    /// Adds what an adapter adds, so many times.
    ///
    /// # Errors
    /// `internal` for one of another graph.
    pub fn merge(&mut self, factors: &Factors, scale: f32) -> Result<()> {
        let of = self.graph.check_adapter(factors)?;
        low_rank::merge(&mut self.matrices[of.matrix], of, factors, scale);
        Ok(())
    }

    /// Logits (T, V) of tokens `ids` at these places; keys and values go to the cache.
    pub fn forward(&mut self, places: impl Into<Places>, ids: &[u32]) -> Vec<f32> {
        let places = &places.into();
        let Self {
            graph,
            matrices,
            vectors,
            kv,
        } = self;
        let dense = |ix: usize| Dense {
            data: &matrices[ix],
            cols: graph.matrices[ix].cols,
        };
        let norm = |norm: graph::Norm| Norm {
            gain: &vectors[norm.gain],
            eps: norm.eps,
        };
        let vector = |ix: Option<usize>| ix.map(|ix| vectors[ix].as_slice());
        let rope = |ix: Option<usize>| ix.map(|ix| &graph.ropes[ix]);
        let mut act: Vec<Vec<f32>> = graph
            .activations
            .iter()
            .map(|a| vec![0.0; a.width * ids.len()])
            .collect();
        let mut logits = Vec::new();
        let mut chosen = Vec::new();
        for op in &graph.ops {
            match op {
                Op::Embed(op) => act[op.out] = embed::embed(dense(op.table), ids, op.scale),
                Op::Positions(op) => {
                    let table = op.table.map(|ix| vectors[ix].as_slice());
                    let residual = &mut act[op.residual];
                    positions::positions(table, &vectors[op.shift], places, residual);
                }
                Op::LayerNorm(op) => {
                    let (gain, bias) = (&vectors[op.gain], &vectors[op.bias]);
                    let normed = layer_norm::layer_norm(&act[op.x], gain, bias, op.eps);
                    match op.out {
                        Some(out) => act[out] = normed,
                        None => logits = normed,
                    }
                }
                Op::Qkv(op) => {
                    let mut query = std::mem::take(&mut act[op.query]);
                    for part in &op.weights {
                        let inputs = Inputs {
                            weight: dense(part.matrix),
                            first_row: part.first_row,
                            x: &act[op.x],
                            norm: op.norm.map(norm),
                            bias: vector(op.bias),
                            heads: op.heads,
                            rope: rope(op.rope),
                            places,
                            normed_later: op.normed_later,
                        };
                        qkv::qkv(&inputs, &mut query, &mut kv[op.layer]);
                    }
                    act[op.query] = query;
                }
                Op::QkNorm(op) => {
                    let of_queries = match op.together {
                        true => op.heads * graph.kv.head_dim,
                        false => graph.kv.head_dim,
                    };
                    let (q, k) = vectors[op.gains].split_at(of_queries);
                    let norms = [q, k].map(|gain| Norm { gain, eps: op.eps });
                    act[op.query] = qk_norm::qk_norm(
                        &act[op.x],
                        norms,
                        op.together,
                        op.heads,
                        rope(op.rope),
                        places,
                        &mut kv[op.layer],
                    );
                }
                Op::Attention(op) => {
                    let scores = Scores {
                        scale: op.scale,
                        temperature: op.temperature,
                        span: op.span,
                        cap: op.cap,
                        sinks: vector(op.sinks),
                    };
                    let (query, kv) = (&act[op.query], &kv[op.layer]);
                    act[op.out] = attention::attention(query, op.heads, scores, places, kv);
                }
                Op::Latent(op) => {
                    let mut query = std::mem::take(&mut act[op.query]);
                    latent::latent(
                        &act[op.x],
                        norm(op.norm),
                        &act[op.q],
                        op.heads,
                        &graph.ropes[op.rope],
                        places,
                        &mut query,
                        &mut kv[op.layer],
                    );
                    act[op.query] = query;
                }
                Op::HeadLinear(op) => {
                    let mut out = std::mem::take(&mut act[op.out]);
                    let weight = dense(op.weight);
                    head_linear::head_linear(weight, op.heads, ids.len(), &act[op.x], &mut out);
                    act[op.out] = out;
                }
                Op::Linear(op) => {
                    let (x, bias) = (&act[op.x], vector(op.bias));
                    let norm = op.norm.map(norm);
                    act[op.out] = linear::linear(dense(op.weight), x, norm, bias, op.activate);
                }
                Op::LinearAdd(op) => {
                    let mut residual = std::mem::take(&mut act[op.residual]);
                    let (x, bias) = (&act[op.x], vector(op.bias));
                    linear_add::linear_add(dense(op.weight), x, bias, &mut residual);
                    act[op.residual] = residual;
                }
                Op::GateUp(op) => {
                    let mut up = std::mem::take(&mut act[op.up]);
                    gate_up::gate_up(&act[op.x], op.gate, &mut up);
                    act[op.up] = up;
                }
                Op::NormAdd(op) => {
                    let mut residual = std::mem::take(&mut act[op.residual]);
                    norm_add::norm_add(&act[op.x], norm(op.norm), &mut residual);
                    act[op.residual] = residual;
                }
                Op::Route(op) => {
                    chosen = route::route(&act[op.logits], &op.routing, vector(op.bias));
                }
                Op::MoeGlu(op) => {
                    let inputs = moe_glu::Inputs {
                        weight: dense(op.weight),
                        rows: graph.matrices[op.weight].rows / op.routing.experts,
                        x: &act[op.x],
                        norm: op.norm.map(norm),
                        bias: vector(op.bias),
                        gate: op.gate,
                        scores_input: op.scores_input,
                    };
                    act[op.out] = moe_glu::moe_glu(&inputs, &chosen);
                }
                Op::MoeDown(op) => {
                    let mut residual = std::mem::take(&mut act[op.residual]);
                    let (x, bias) = (&act[op.x], vector(op.bias));
                    moe_down::moe_down(dense(op.weight), x, bias, &chosen, &mut residual);
                    act[op.residual] = residual;
                }
                Op::Glu(op) => {
                    let x = &act[op.x];
                    act[op.out] = glu::glu(dense(op.weight), x, op.norm.map(norm), op.gate);
                }
                Op::Head(op) => {
                    logits = head::head(dense(op.weight), &act[op.x], norm(op.norm), op.cap);
                }
            }
        }
        logits
    }
}
