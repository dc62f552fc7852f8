//! The KV cache and the table of rotations: what grows with the conversation.

use std::ops::Range;

use half::f16;
use puna_core::graph::Graph;
use puna_core::pool::Copy;
use puna_core::rope::Rope;

use crate::device::Gpu;
use crate::kernel::to_u32;
use crate::shader::variant::KvType;

/// Positions of the table of rotations that are computed and sent at a time.
const TURNS_AT_ONCE: usize = 1024;

/// Keys, values and rotations of every position.
#[derive(Debug)]
pub(crate) struct KvCache {
    /// Keys and values, a buffer a layer: (2, Hkv, capacity, Dh), or one of them; see `KvShape`.
    pub(crate) layers: Vec<wgpu::Buffer>,
    /// Tables of the rotations, (positions, dims / 2): cos, sin.
    pub(crate) ropes: Vec<wgpu::Buffer>,
    /// Tokens that there is room for, of all conversations.
    pub(crate) capacity: usize,
    /// Positions of a conversation that there are rotations for.
    pub(crate) positions: usize,
}

impl KvCache {
    /// One without room for anything.
    pub(crate) const fn empty() -> Self {
        Self {
            layers: Vec::new(),
            ropes: Vec::new(),
            capacity: 0,
            positions: 0,
        }
    }

    /// An empty one for `capacity` tokens, at no more than so many positions.
    pub(crate) fn new(
        gpu: &Gpu,
        graph: &Graph,
        kv: KvType,
        capacity: usize,
        positions: usize,
    ) -> Self {
        use wgpu::BufferUsages as Usage;
        let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let layer_bytes = graph.kv.layer_elements(capacity) as u64 * kv.bytes();
        let layer = |ix: usize| gpu.buffer(&format!("kv {ix}"), layer_bytes, usage);
        let rope = |rope: &Rope| gpu.buffer("rope", turn_bytes(rope) * positions as u64, usage);
        Self {
            layers: (0..graph.kv.layers).map(layer).collect(),
            ropes: graph.ropes.iter().map(rope).collect(),
            capacity,
            positions,
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
            for row in 0..(graph.kv.planes() * graph.kv.heads) as u64 {
                encoder.copy_buffer_to_buffer(from, row * old_row, to, row * new_row, old_row);
            }
        }
        for ((from, to), rope) in old.ropes.iter().zip(&self.ropes).zip(&graph.ropes) {
            let bytes = turn_bytes(rope) * old.positions as u64;
            encoder.copy_buffer_to_buffer(from, 0, to, 0, bytes);
        }
        gpu.queue.submit([encoder.finish()]);
        self.write_turns(gpu, graph, old.positions..self.positions);
    }

    /// Rows of a layer side by side, (planes, Hkv, rows, Dh), in a buffer of their own, which the copy to is encoded.
    pub(crate) fn gather(
        &self,
        layer: usize,
        rows: Range<usize>,
        encoder: &mut wgpu::CommandEncoder,
        (gpu, graph, kv): (&Gpu, &Graph, KvType),
    ) -> wgpu::Buffer {
        use wgpu::BufferUsages as Usage;
        let row = graph.kv.head_dim as u64 * kv.bytes();
        let planes = (graph.kv.planes() * graph.kv.heads) as u64;
        let (from, bytes) = (rows.start as u64 * row, rows.len() as u64 * row);
        let gathered = gpu.buffer("rows", planes * bytes, Usage::COPY_SRC | Usage::COPY_DST);
        for at in 0..planes {
            let from = at * self.capacity as u64 * row + from;
            encoder.copy_buffer_to_buffer(&self.layers[layer], from, &gathered, at * bytes, bytes);
        }
        gathered
    }

    /// Writes such rows.
    pub(crate) fn scatter(
        &self,
        layer: usize,
        first_row: usize,
        elements: &[u16],
        (gpu, graph, kv): (&Gpu, &Graph, KvType),
    ) {
        let row = graph.kv.head_dim as u64 * kv.bytes();
        let planes = graph.kv.planes() * graph.kv.heads;
        let plane = (elements.len() / planes.max(1)).max(1);
        for (at, plane) in elements.chunks_exact(plane).enumerate() {
            let to = (at * self.capacity + first_row) as u64 * row;
            let write = |bytes: &[u8]| gpu.queue.write_buffer(&self.layers[layer], to, bytes);
            match kv {
                KvType::F16 => write(bytemuck::cast_slice(plane)),
                KvType::F32 => {
                    let floats = plane.iter().map(|bits| f16::from_bits(*bits).to_f32());
                    write(bytemuck::cast_slice(&floats.collect::<Vec<_>>()));
                }
            }
        }
    }

    /// A buffer by way of which so many rows of a layer are copied.
    pub(crate) fn between(
        &self,
        rows: usize,
        (gpu, graph, kv): (&Gpu, &Graph, KvType),
    ) -> wgpu::Buffer {
        use wgpu::BufferUsages as Usage;
        let row = graph.kv.head_dim as u64 * kv.bytes();
        let planes = (graph.kv.planes() * graph.kv.heads) as u64;
        let bytes = planes * rows as u64 * row;
        gpu.buffer("rows", bytes, Usage::COPY_SRC | Usage::COPY_DST)
    }

    /// Copies rows, which may overlap, by way of a buffer that has room for them.
    pub(crate) fn copy(
        &self,
        copy: Copy,
        between: &wgpu::Buffer,
        (gpu, graph, kv): (&Gpu, &Graph, KvType),
    ) {
        let row = graph.kv.head_dim as u64 * kv.bytes();
        let [from, to, rows] = [copy.from, copy.to, copy.rows].map(|it| it as u64 * row);
        let planes = (graph.kv.planes() * graph.kv.heads) as u64;
        let plane = self.capacity as u64 * row;
        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for layer in &self.layers {
            for at in 0..planes {
                let from = at * plane + from;
                encoder.copy_buffer_to_buffer(layer, from, between, at * rows, rows);
            }
            for at in 0..planes {
                encoder.copy_buffer_to_buffer(between, at * rows, layer, at * plane + to, rows);
            }
        }
        gpu.queue.submit([encoder.finish()]);
    }

    /// Computes the rotations of some positions.
    pub(crate) fn write_turns(&self, gpu: &Gpu, graph: &Graph, positions: Range<usize>) {
        for (buffer, rope) in self.ropes.iter().zip(&graph.ropes) {
            // In slices: the table of a long context would be a large part of wasm's memory.
            for first in positions.clone().step_by(TURNS_AT_ONCE) {
                let table: Vec<_> = (first..positions.end.min(first + TURNS_AT_ONCE))
                    .flat_map(|position| rope.row(to_u32(position)))
                    .collect();
                let at = turn_bytes(rope) * first as u64;
                gpu.queue
                    .write_buffer(buffer, at, bytemuck::cast_slice(&table));
            }
        }
    }
}

/// Bytes of a position's rotations.
fn turn_bytes(rope: &Rope) -> u64 {
    u64::from(rope.dims) / 2 * size_of::<[f32; 2]>() as u64
}

// In the browser a buffer that is merely dropped keeps its memory until JavaScript's garbage collector comes
// round, which knows nothing of the GPU's memory.

impl Drop for KvCache {
    fn drop(&mut self) {
        let buffers = self.layers.iter().chain(&self.ropes);
        buffers.for_each(wgpu::Buffer::destroy);
    }
}
