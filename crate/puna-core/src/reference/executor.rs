//! Runs a [`Graph`] by the twins: the truth that the other executors are compared with. Slow.

use super::qkv::{KvLayer, Norm};
use super::{Dense, attention, embed, glu, head, linear_add, qkv};
use crate::graph::{Graph, Op};

/// A graph with its weights as floats and a KV cache.
#[derive(Debug)]
pub struct Executor {
    graph: Graph,
    matrices: Vec<Vec<f32>>,
    vectors: Vec<Vec<f32>>,
    kv: Vec<KvLayer>,
}

impl Executor {
    /// Takes the weights out of the file: `tensor(ix)` gives the bytes of `Gguf::tensors[ix]`, whose sizes the
    /// graph's builder has checked. The cache holds `capacity` tokens.
    pub fn new<'a>(graph: Graph, capacity: usize, tensor: impl Fn(usize) -> &'a [u8]) -> Self {
        let matrices = graph.matrices.iter().map(|matrix| {
            let mut data = vec![0.0; matrix.rows * matrix.cols];
            for source in &matrix.sources {
                let floats = matrix
                    .format
                    .dequantize_rows(tensor(source.tensor), matrix.cols);
                for (i, row) in floats.chunks_exact(matrix.cols).enumerate() {
                    let at = (source.first_row + i * source.row_step) * matrix.cols;
                    data[at..at + matrix.cols].copy_from_slice(row);
                }
            }
            data
        });
        let vectors = graph
            .vectors
            .iter()
            .map(|vector| floats(tensor(vector.tensor)));
        let (matrices, vectors) = (matrices.collect(), vectors.collect());
        let kv = (0..graph.kv.layers)
            .map(|_| KvLayer::new(graph.kv, capacity))
            .collect();
        Self {
            graph,
            matrices,
            vectors,
            kv,
        }
    }

    /// Logits (T, V) of tokens `ids` at `position ..`; keys and values go to the cache.
    pub fn forward(&mut self, position: usize, ids: &[u32]) -> Vec<f32> {
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
        let mut act: Vec<Vec<f32>> = graph
            .activations
            .iter()
            .map(|a| vec![0.0; a.width * ids.len()])
            .collect();
        let mut logits = Vec::new();
        for op in &graph.ops {
            match op {
                Op::Embed(op) => act[op.out] = embed::embed(dense(op.table), ids),
                Op::Qkv(op) => {
                    let mut query = std::mem::take(&mut act[op.query]);
                    let norm = Norm {
                        gain: &vectors[op.gain],
                        eps: op.eps,
                    };
                    for part in &op.weights {
                        qkv::qkv(
                            dense(part.matrix),
                            part.first_row,
                            &act[op.x],
                            norm,
                            &graph.rope,
                            position,
                            &mut query,
                            &mut kv[op.layer],
                        );
                    }
                    act[op.query] = query;
                }
                Op::Attention(op) => {
                    act[op.out] =
                        attention::attention(&act[op.query], op.heads, position, &kv[op.layer]);
                }
                Op::LinearAdd(op) => {
                    let mut residual = std::mem::take(&mut act[op.residual]);
                    linear_add::linear_add(dense(op.weight), &act[op.x], &mut residual);
                    act[op.residual] = residual;
                }
                Op::Glu(op) => {
                    act[op.out] = glu::glu(dense(op.weight), &act[op.x], &vectors[op.gain], op.eps);
                }
                Op::Head(op) => {
                    logits = head::head(dense(op.weight), &act[op.x], &vectors[op.gain], op.eps);
                }
            }
        }
        logits
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|&word| f32::from_le_bytes(word))
        .collect()
}
