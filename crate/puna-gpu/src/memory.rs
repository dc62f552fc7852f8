//! What an executor computes with on the GPU: weights, activations, and the KV cache behind them.

use puna_core::Result;
use puna_core::graph::Graph;

use crate::arena::{self, Part};
use crate::device::Gpu;
use crate::executor::ExecutorOptions;
use crate::kernel::{Step, to_u32};
use crate::kv_cache::KvCache;

/// All buffers but those of an upload.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) matrices: Vec<Vec<Part>>,
    pub(crate) vectors: wgpu::Buffer,
    /// In vec4s.
    pub(crate) gains: Vec<u32>,
    pub(crate) activations: Vec<wgpu::Buffer>,
    pub(crate) logits: wgpu::Buffer,
    pub(crate) ids: wgpu::Buffer,
    pub(crate) step: wgpu::Buffer,
    pub(crate) cache: KvCache,
}

impl Memory {
    pub(crate) fn new(gpu: &Gpu, graph: &Graph, options: &ExecutorOptions) -> Result<Self> {
        use wgpu::BufferUsages as Usage;
        let matrices = graph
            .matrices
            .iter()
            .map(|matrix| arena::allocate(gpu, matrix))
            .collect::<Result<_>>()?;
        let mut end = 0;
        let gains = graph.vectors.iter().map(|vector| {
            let at = end;
            end += to_u32(vector.len.div_ceil(4));
            at
        });
        let gains = gains.collect();
        let working = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let activation = |width: usize, name: &str| {
            gpu.buffer(name, (width * options.max_tokens * 4) as u64, working)
        };
        Ok(Self {
            matrices,
            vectors: gpu.buffer("vectors", u64::from(end) * 16, working),
            gains,
            activations: graph
                .activations
                .iter()
                .map(|a| activation(a.width, &a.name))
                .collect(),
            logits: gpu.buffer(
                "logits",
                (graph.vocab_size * options.max_logits * 4) as u64,
                working,
            ),
            ids: gpu.buffer("ids", options.max_tokens as u64 * 4, working),
            step: gpu.buffer(
                "step",
                size_of::<Step>() as u64,
                Usage::UNIFORM | Usage::STORAGE | Usage::COPY_DST,
            ),
            cache: KvCache::empty(gpu),
        })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        for part in self.matrices.iter().flatten() {
            part.buffer.destroy();
        }
        self.activations.iter().for_each(wgpu::Buffer::destroy);
        for buffer in [&self.vectors, &self.logits, &self.ids, &self.step] {
            buffer.destroy();
        }
    }
}
