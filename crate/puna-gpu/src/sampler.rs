//! The GPU's sampler: settings of an answer, and the two dispatches that end each of its steps.

use std::cell::Cell;

use puna_core::sampler::Sampler;

use crate::device::{Counters, Gpu};
use crate::kernel::sample::{RING, SampleParams};
use crate::kernel::{penalize, sample, to_u32};
use crate::pipeline::Pipelines;
use crate::shader::binding;
use crate::shader::variant::Variant;
use crate::tape::Work;

/// Buffers that the sampler shares with the steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared<'a> {
    /// (at least 1, V) f32.
    pub(crate) logits: &'a wgpu::Buffer,
    /// The step's uniform block.
    pub(crate) step: &'a wgpu::Buffer,
    /// (at least 1,) u32.
    pub(crate) ids: &'a wgpu::Buffer,
}

/// Chooses tokens on the GPU as [`puna_core::sampler`] does, and makes the next step ready.
#[derive(Debug)]
pub(crate) struct GpuSampler {
    /// Rows of the head.
    rows: usize,
    params: wgpu::Buffer,
    /// What is in them.
    settings: Cell<SampleParams>,
    /// (V,) u32: bit 31 for tokens of the prompt, and how often each is in the answer.
    seen: wgpu::Buffer,
    /// (V,) f32.
    bias: wgpu::Buffer,
    /// (⌈V / 32⌉,) u32.
    allowed: wgpu::Buffer,
    /// (⌈V / SLICE⌉, 2) u32.
    best: wgpu::Buffer,
    /// (RING,) u32.
    emitted: wgpu::Buffer,
    penalize: (wgpu::ComputePipeline, wgpu::BindGroup),
    sample: (wgpu::ComputePipeline, wgpu::BindGroup),
}

impl GpuSampler {
    /// Bytes of [`Self::emitted`].
    pub(crate) const EMITTED_BYTES: u64 = RING as u64 * 4;

    /// For logits of `rows` tokens. Call inside [`Gpu::scoped`].
    pub(crate) fn new(
        gpu: &Gpu,
        pipelines: &mut Pipelines,
        shared: Shared<'_>,
        rows: usize,
    ) -> Self {
        use wgpu::BufferUsages as Usage;
        let buffer = |label: &str, words: usize, more: Usage| {
            gpu.buffer(label, words as u64 * 4, Usage::COPY_DST | more)
        };
        let slices = to_u32(rows).div_ceil(penalize::SLICE);
        let params = buffer("sampling", size_of::<SampleParams>() / 4, Usage::UNIFORM);
        let seen = buffer("seen", rows, Usage::STORAGE);
        let bias = buffer("bias", rows, Usage::STORAGE);
        let allowed = buffer("allowed", rows.div_ceil(32), Usage::STORAGE);
        let best = buffer("best", slices as usize * 2, Usage::STORAGE);
        let emitted = buffer("emitted", RING as usize, Usage::STORAGE | Usage::COPY_SRC);
        let mut make = |variant: &Variant| {
            let pipeline = pipelines.get(gpu, variant);
            Counters::tick(&gpu.counters.bind_groups);
            let resource = |slot: u32| match slot {
                binding::PARAMS => &params,
                binding::OUT => shared.logits,
                binding::SEEN => &seen,
                binding::BIAS => &bias,
                binding::ALLOWED => &allowed,
                binding::BEST => &best,
                binding::NEXT => shared.step,
                binding::NEXT_ID => shared.ids,
                _ => &emitted,
            };
            let entries: Vec<_> = variant
                .bindings
                .iter()
                .map(|&slot| wgpu::BindGroupEntry {
                    binding: slot,
                    resource: resource(slot).as_entire_binding(),
                })
                .collect();
            let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(variant.kernel),
                layout: &pipeline.get_bind_group_layout(0),
                entries: &entries,
            });
            (pipeline, group)
        };
        let penalize = make(&penalize::variant());
        let sample = make(&sample::variant(to_u32(rows)));
        Self {
            rows,
            params,
            settings: Cell::default(),
            seen,
            bias,
            allowed,
            best,
            emitted,
            penalize,
            sample,
        }
    }

    /// Takes over the settings and the past of `sampler`; the steps submitted from now on go by them.
    pub(crate) fn start(&self, gpu: &Gpu, sampler: &Sampler) {
        let vocab = to_u32(sampler.vocab_size().min(self.rows));
        let params = SampleParams::new(sampler.params(), vocab);
        self.settings.set(params);
        let write = |buffer: &wgpu::Buffer, bytes: &[u8]| gpu.queue.write_buffer(buffer, 0, bytes);
        write(&self.params, bytemuck::bytes_of(&params));
        if params.has_penalties() {
            let mut seen = vec![0_u32; self.rows];
            for (id, count) in sampler.seen() {
                if let Some(word) = seen.get_mut(id as usize) {
                    *word = sample::seen(count);
                }
            }
            write(&self.seen, bytemuck::cast_slice(&seen));
        }
        if params.has_bias() {
            let mut bias = vec![0.0_f32; self.rows];
            for &(id, value) in &sampler.params().logit_bias {
                if let Some(sum) = bias.get_mut(id as usize) {
                    *sum += value;
                }
            }
            write(&self.bias, bytemuck::cast_slice(&bias));
        }
    }

    /// Of the step that is submitted next only these tokens may be drawn: (⌈V / 32⌉,), a bit a token.
    pub(crate) fn allow(&self, gpu: &Gpu, allowed: &[u32]) {
        let words = self.rows.div_ceil(32).min(allowed.len());
        gpu.queue
            .write_buffer(&self.allowed, 0, bytemuck::cast_slice(&allowed[..words]));
        let params = self.settings.get();
        if !params.is_masked() {
            let params = params.masked();
            self.settings.set(params);
            gpu.queue
                .write_buffer(&self.params, 0, bytemuck::bytes_of(&params));
        }
    }

    /// What follows a step's last dispatch.
    pub(crate) fn work(&self) -> [Work<'_>; 2] {
        let slices = to_u32(self.rows).div_ceil(penalize::SLICE);
        let work = |(pipeline, group), x| Work {
            pipeline,
            group,
            workgroups: [x, 1, 1],
        };
        let (penalize, sample) = (&self.penalize, &self.sample);
        [
            work((&penalize.0, &penalize.1), slices),
            work((&sample.0, &sample.1), 1),
        ]
    }

    /// The tokens of the last draws, by draw modulo [`RING`].
    pub(crate) const fn emitted(&self) -> &wgpu::Buffer {
        &self.emitted
    }
}

impl Drop for GpuSampler {
    fn drop(&mut self) {
        for buffer in [
            &self.params,
            &self.seen,
            &self.bias,
            &self.allowed,
            &self.best,
            &self.emitted,
        ] {
            buffer.destroy();
        }
    }
}
