//! The KV cache and the table of rotations: what grows with the conversation.

use puna_core::graph::Graph;

use crate::device::Gpu;
use crate::kernel::to_u32;
use crate::shader::variant::KvType;

/// Positions of the table of rotations that are computed and sent at a time.
const TURNS_AT_ONCE: usize = 1024;

/// Keys, values and rotations of every position.
#[derive(Debug)]
pub(crate) struct KvCache {
    /// Keys and values, a buffer a layer: (2, Hkv, capacity, Dh).
    pub(crate) layers: Vec<wgpu::Buffer>,
    /// Table of rotations (capacity, dims / 2): cos, sin.
    pub(crate) rope: wgpu::Buffer,
    /// Tokens that there is room for.
    pub(crate) capacity: usize,
}

impl KvCache {
    /// One without room for anything.
    pub(crate) fn empty(gpu: &Gpu) -> Self {
        Self {
            layers: Vec::new(),
            rope: gpu.buffer("rope", 0, wgpu::BufferUsages::COPY_SRC),
            capacity: 0,
        }
    }

    /// An empty one for `capacity` tokens.
    pub(crate) fn new(gpu: &Gpu, graph: &Graph, kv: KvType, capacity: usize) -> Self {
        use wgpu::BufferUsages as Usage;
        let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let layer_bytes = graph.kv.layer_elements(capacity) as u64 * kv.bytes();
        let layer = |ix: usize| gpu.buffer(&format!("kv {ix}"), layer_bytes, usage);
        Self {
            layers: (0..graph.kv.layers).map(layer).collect(),
            rope: gpu.buffer("rope", turn_bytes(graph) * capacity as u64, usage),
            capacity,
        }
    }

    /// Takes over what is in a smaller one, and computes the rotations that it lacks.
    pub(crate) fn fill(&self, old: &Self, gpu: &Gpu, graph: &Graph, kv: KvType) {
        let row = |cache: &Self| (cache.capacity * graph.kv.head_dim) as u64 * kv.bytes();
        let (old_row, new_row) = (row(old), row(self));
        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for (from, to) in old.layers.iter().zip(&self.layers) {
            for row in 0..2 * graph.kv.heads as u64 {
                encoder.copy_buffer_to_buffer(from, row * old_row, to, row * new_row, old_row);
            }
        }
        let old_turns = turn_bytes(graph) * old.capacity as u64;
        if old_turns > 0 {
            encoder.copy_buffer_to_buffer(&old.rope, 0, &self.rope, 0, old_turns);
        }
        gpu.queue.submit([encoder.finish()]);
        // In slices: the table of a long context would be a large part of wasm's memory.
        for first in (old.capacity..self.capacity).step_by(TURNS_AT_ONCE) {
            let table: Vec<_> = (first..self.capacity.min(first + TURNS_AT_ONCE))
                .flat_map(|position| graph.rope.row(to_u32(position)))
                .collect();
            gpu.queue.write_buffer(
                &self.rope,
                turn_bytes(graph) * first as u64,
                bytemuck::cast_slice(&table),
            );
        }
    }
}

/// Bytes of a position's rotations.
fn turn_bytes(graph: &Graph) -> u64 {
    u64::from(graph.rope.dims) / 2 * size_of::<[f32; 2]>() as u64
}

// In the browser a buffer that is merely dropped keeps its memory until JavaScript's garbage collector comes
// round, which knows nothing of the GPU's memory.

impl Drop for KvCache {
    fn drop(&mut self) {
        self.layers.iter().for_each(wgpu::Buffer::destroy);
        self.rope.destroy();
    }
}
