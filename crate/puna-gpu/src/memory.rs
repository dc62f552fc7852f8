//! What an executor computes with on the GPU: weights, activations, and the KV cache behind them.

use puna_core::graph::{Activation, Graph, MOST_ADAPTERS, Matrix, MoeDown, MoeGlu, Op, Positions};
use puna_core::{Error, ErrorCode, Result};

use crate::arena::{self, Part};
use crate::device::{Capabilities, Gpu};
use crate::executor::ExecutorOptions;
use crate::kernel::{Step, attention, low_rank, quantize_kv, to_u32};
use crate::kv_cache::KvCache;
use crate::split::{AttentionSplit, Split, Width};

/// Vectors begin at multiples of so many elements: what offsets of uniform bindings are (256 bytes).
const VECTOR_ALIGN: usize = 64;
/// Most elements of a uniform binding on every device (64 KiB).
const MOST_ELEMENTS: usize = 16_384;

/// All buffers but those of an upload.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) matrices: Vec<Vec<Part>>,
    /// What each matrix's format looks up; of matrices whose formats share one, the same.
    pub(crate) tables: Vec<wgpu::Buffer>,
    pub(crate) vectors: wgpu::Buffer,
    /// Offset of each vector in `vectors`, and its length in whole vec4s.
    pub(crate) gains: Vec<u32>,
    vec4s: Vec<u32>,
    pub(crate) activations: Vec<wgpu::Buffer>,
    /// Activations made ready for a norm, with sums of squares behind each token's; tiny where no norm reads them.
    pub(crate) normed: Vec<wgpu::Buffer>,
    pub(crate) logits: wgpu::Buffer,
    pub(crate) ids: wgpu::Buffer,
    pub(crate) step: wgpu::Buffer,
    /// A layer's keys and values of a step's tokens, where the cache takes them in blocks: (T, 2, Hkv, Dh) f32.
    pub(crate) fresh_kv: wgpu::Buffer,
    /// What parts of the keys leave for the dispatch that merges them.
    pub(crate) sums_of_parts: wgpu::Buffer,
    /// By low rank of the graph: what [`low_rank::bytes`] says.
    pub(crate) low_ranks: Vec<wgpu::Buffer>,
    /// What each adapter is multiplied by, (16,).
    pub(crate) scales: wgpu::Buffer,
    pub(crate) cache: KvCache,
}

impl Memory {
    pub(crate) fn new(
        gpu: &Gpu,
        graph: &Graph,
        options: &ExecutorOptions,
        split: Split,
    ) -> Result<Self> {
        use wgpu::BufferUsages as Usage;
        let matrices = graph
            .matrices
            .iter()
            .map(|matrix| arena::allocate(gpu, matrix))
            .collect::<Result<_>>()?;
        let mut end = 0;
        let gains = graph.vectors.iter().map(|vector| {
            let at = end;
            end += to_u32(vector.len.next_multiple_of(VECTOR_ALIGN));
            at
        });
        let working = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let activation = |width: usize, name: &str| {
            let bytes = (width * options.max_tokens * 4) as u64;
            // Which experts tokens use is bound as a uniform, in whole vec4s.
            gpu.buffer(name, bytes.next_multiple_of(16), working | Usage::UNIFORM)
        };
        let normed = |(ix, activation): (usize, &Activation)| {
            let is_read = (0..graph.ops.len()).any(|op| graph.next_gain(op, ix).is_some());
            let sums = activation.width / split.unit_rows() as usize;
            let width = activation.width + sums.next_multiple_of(4);
            let bytes = if is_read {
                width * options.max_tokens * 4
            } else {
                0
            };
            gpu.buffer("normed", bytes as u64, working)
        };
        let gains: Vec<u32> = gains.collect();
        let vectors = gpu.buffer("vectors", u64::from(end) * 4, working | Usage::UNIFORM);
        for (vector, &at) in graph.vectors.iter().zip(&gains) {
            if vector.sources.is_empty() {
                let ones = vec![1.0_f32; vector.len];
                let at = u64::from(at) * 4;
                gpu.queue
                    .write_buffer(&vectors, at, bytemuck::cast_slice(&ones));
            }
        }
        Ok(Self {
            matrices,
            tables: tables(gpu, graph),
            vectors,
            gains,
            vec4s: graph
                .vectors
                .iter()
                .map(|vector| to_u32(vector.len.div_ceil(4)))
                .collect(),
            activations: graph
                .activations
                .iter()
                .map(|a| activation(a.width, &a.name))
                .collect(),
            normed: graph.activations.iter().enumerate().map(normed).collect(),
            logits: gpu.buffer(
                "logits",
                (graph.out_width * options.max_logits * 4) as u64,
                working,
            ),
            ids: gpu.buffer("ids", options.max_tokens as u64 * 4, working),
            step: gpu.buffer(
                "step",
                size_of::<Step>() as u64,
                Usage::UNIFORM | Usage::STORAGE | Usage::COPY_DST,
            ),
            fresh_kv: gpu.buffer(
                "fresh keys and values",
                quantize_kv::fresh_bytes(graph.kv, options.kv, options.max_tokens),
                working,
            ),
            sums_of_parts: gpu.buffer("sums of parts", sums_bytes(graph, split), working),
            low_ranks: graph
                .low_ranks
                .iter()
                .map(|it| {
                    let bytes = low_rank::bytes(it, options.max_tokens);
                    gpu.buffer("adapters", bytes, working)
                })
                .collect(),
            scales: gpu.buffer(
                "scales of adapters",
                (MOST_ADAPTERS * 4) as u64,
                Usage::UNIFORM | Usage::COPY_DST,
            ),
            cache: KvCache::empty(),
        })
    }
}

impl Memory {
    /// A vector as a uniform binding.
    pub(crate) fn vector(&self, ix: usize) -> wgpu::BindingResource<'_> {
        wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.vectors,
            offset: u64::from(self.gains[ix]) * 4,
            size: wgpu::BufferSize::new(u64::from(self.vec4s[ix]) * 16),
        })
    }
}

/// Whether every vector can be bound as a uniform.
///
/// # Errors
/// `unsupported_model` naming the first that is too long.
pub(crate) fn check(capabilities: &Capabilities, graph: &Graph) -> Result<()> {
    let lens = graph
        .vectors
        .iter()
        .map(|vector| vector.len.next_multiple_of(VECTOR_ALIGN) as u64 * 4);
    let (bytes, most) = (lens.sum::<u64>(), capabilities.max_binding_bytes);
    if bytes > most {
        return Err(Error::new(
            ErrorCode::UnsupportedDevice,
            format!(
                "the model's vectors have {bytes} bytes together, and this device binds {most} at most"
            ),
        ));
    }
    // Those of which an element is read here and there are not bound as such.
    let stored = |ix: usize| {
        graph.ops.iter().any(|op| match op {
            Op::MoeGlu(MoeGlu { bias, .. }) | Op::MoeDown(MoeDown { bias, .. }) => {
                *bias == Some(ix)
            }
            Op::Positions(Positions { table, .. }) => *table == Some(ix),
            _ => false,
        })
    };
    let mut vectors = graph.vectors.iter().enumerate();
    match vectors.find(|(ix, vector)| vector.len > MOST_ELEMENTS && !stored(*ix)) {
        None => Ok(()),
        Some((_, vector)) => Err(Error::unsupported_model(format!(
            "{} has {} elements, expected at most {MOST_ELEMENTS}",
            vector.name, vector.len
        ))),
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        for part in self.matrices.iter().flatten() {
            part.buffer.destroy();
        }
        self.tables.iter().for_each(wgpu::Buffer::destroy);
        self.low_ranks.iter().for_each(wgpu::Buffer::destroy);
        self.scales.destroy();
        let activations = self.activations.iter().chain(&self.normed);
        activations.for_each(wgpu::Buffer::destroy);
        for buffer in [
            &self.vectors,
            &self.logits,
            &self.ids,
            &self.step,
            &self.fresh_kv,
            &self.sums_of_parts,
        ] {
            buffer.destroy();
        }
    }
}

/// The tables of each matrix's format. One that looks nothing up has room for one number, which nothing binds.
fn tables(gpu: &Gpu, graph: &Graph) -> Vec<wgpu::Buffer> {
    let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
    let mut made: Vec<(*const u16, wgpu::Buffer)> = Vec::new();
    let of = |matrix: &Matrix| {
        let table = (matrix.format.table)();
        if let Some((_, buffer)) = made.iter().find(|(of, _)| *of == table.as_ptr()) {
            return buffer.clone();
        }
        let bytes: Vec<u8> = table.iter().flat_map(|word| word.to_le_bytes()).collect();
        let buffer = gpu.buffer("table of a format", bytes.len().max(16) as u64, usage);
        gpu.queue.write_buffer(&buffer, 0, &bytes);
        made.push((table.as_ptr(), buffer.clone()));
        buffer
    };
    graph.matrices.iter().map(of).collect()
}

/// Bytes of what parts of the keys leave, for the programs that cut them.
fn sums_bytes(graph: &Graph, split: Split) -> u64 {
    let heads = graph.ops.iter().map(|op| match op {
        Op::Attention(op) => op.heads,
        _ => 0,
    });
    let cut = |width: &&Width| split.attention(**width) == AttentionSplit::Parts;
    let tokens = split
        .widths()
        .iter()
        .filter(cut)
        .map(|width| width.most_tokens());
    attention::sums_bytes(
        heads.max().unwrap_or(0),
        graph.kv.value_dim,
        tokens.max().unwrap_or(0),
    )
}
