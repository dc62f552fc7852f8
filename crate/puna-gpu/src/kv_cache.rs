//! The KV cache and the table of rotations: what grows with the conversation.

use std::ops::Range;

use puna_core::graph::{Graph, KvShape};
use puna_core::pool::Copy;
use puna_core::rope::Rope;

use crate::device::Gpu;
use crate::kernel::to_u32;
use crate::kv_rows;
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
        let layer_bytes = rows_bytes(graph.kv, kv, capacity);
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
        let strips = |cache: &Self| strips(graph.kv, kv, cache.capacity);
        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for (from, to) in old.layers.iter().zip(&self.layers) {
            for (old_strip, strip) in strips(old).zip(strips(self)) {
                let bytes = old_strip.bytes(old.capacity);
                encoder.copy_buffer_to_buffer(from, old_strip.start, to, strip.start, bytes);
            }
        }
        for ((from, to), rope) in old.ropes.iter().zip(&self.ropes).zip(&graph.ropes) {
            let bytes = turn_bytes(rope) * old.positions as u64;
            encoder.copy_buffer_to_buffer(from, 0, to, 0, bytes);
        }
        gpu.queue.submit([encoder.finish()]);
        self.write_turns(gpu, graph, old.positions..self.positions);
    }

    /// Rows of a layer side by side, as a cache of that many has them, in a buffer of their own, which the copy to is encoded.
    pub(crate) fn gather(
        &self,
        layer: usize,
        rows: Range<usize>,
        encoder: &mut wgpu::CommandEncoder,
        (gpu, graph, kv): (&Gpu, &Graph, KvType),
    ) -> wgpu::Buffer {
        use wgpu::BufferUsages as Usage;
        let usage = Usage::COPY_SRC | Usage::COPY_DST;
        let gathered = gpu.buffer("rows", rows_bytes(graph.kv, kv, rows.len()), usage);
        let own = strips(graph.kv, kv, self.capacity);
        for (own, side_by_side) in own.zip(strips(graph.kv, kv, rows.len())) {
            let (from, to) = (own.row(rows.start), side_by_side.start);
            let bytes = own.bytes(rows.len());
            encoder.copy_buffer_to_buffer(&self.layers[layer], from, &gathered, to, bytes);
        }
        gathered
    }

    /// Writes rows, (planes, Hkv, rows, Dh).
    pub(crate) fn scatter(
        &self,
        layer: usize,
        first_row: usize,
        elements: &[u16],
        (gpu, graph, kv): (&Gpu, &Graph, KvType),
    ) {
        let rows = elements.len() / (graph.kv.layer_elements(1)).max(1);
        let bytes = kv_rows::pack(kv, graph.kv.head_dim, elements);
        let mut bytes = bytes.as_slice();
        for strip in strips(graph.kv, kv, self.capacity) {
            let (of_strip, rest) = bytes.split_at(strip.row_bytes * rows);
            let to = strip.row(first_row);
            gpu.queue.write_buffer(&self.layers[layer], to, of_strip);
            bytes = rest;
        }
    }

    /// A buffer by way of which so many rows of a layer are copied.
    pub(crate) fn between(
        &self,
        rows: usize,
        (gpu, graph, kv): (&Gpu, &Graph, KvType),
    ) -> wgpu::Buffer {
        use wgpu::BufferUsages as Usage;
        let usage = Usage::COPY_SRC | Usage::COPY_DST;
        gpu.buffer("rows", rows_bytes(graph.kv, kv, rows), usage)
    }

    /// Copies rows, which may overlap, by way of a buffer that has room for them.
    pub(crate) fn copy(
        &self,
        copy: Copy,
        between: &wgpu::Buffer,
        (gpu, graph, kv): (&Gpu, &Graph, KvType),
    ) {
        let strips = || {
            let own = strips(graph.kv, kv, self.capacity);
            own.zip(strips(graph.kv, kv, copy.rows))
        };
        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for layer in &self.layers {
            for (own, held) in strips() {
                let (from, bytes) = (own.row(copy.from), own.bytes(copy.rows));
                encoder.copy_buffer_to_buffer(layer, from, between, held.start, bytes);
            }
            for (own, held) in strips() {
                let (to, bytes) = (own.row(copy.to), own.bytes(copy.rows));
                encoder.copy_buffer_to_buffer(between, held.start, layer, to, bytes);
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

/// Rows of a head that lie side by side in a layer's buffer.
#[derive(Clone, Copy, Debug)]
struct Strip {
    /// Byte of the first.
    start: u64,
    row_bytes: usize,
}

impl Strip {
    /// Byte of a row.
    const fn row(&self, row: usize) -> u64 {
        self.start + self.bytes(row)
    }

    /// Bytes of so many rows.
    const fn bytes(&self, rows: usize) -> u64 {
        rows as u64 * self.row_bytes as u64
    }
}

/// The strips of a cache for `capacity` tokens: of the elements, (planes, Hkv), then of what they are multiplied by.
fn strips(shape: KvShape, kv: KvType, capacity: usize) -> impl Iterator<Item = Strip> {
    let heads = shape.planes() * shape.heads;
    let sections = kv.sections(shape.head_dim).into_iter();
    let row_bytes = sections
        .filter(|&row_bytes| row_bytes > 0)
        .flat_map(move |row_bytes| std::iter::repeat_n(row_bytes, heads));
    row_bytes.scan(0, move |end, row_bytes| {
        let start = *end;
        let strip = Strip { start, row_bytes };
        *end = strip.row(capacity);
        Some(strip)
    })
}

/// Bytes of so many rows of a layer, of all heads.
pub(crate) fn rows_bytes(shape: KvShape, kv: KvType, rows: usize) -> u64 {
    let heads = shape.planes() * shape.heads;
    (heads * rows) as u64 * kv.row_bytes(shape.head_dim)
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
