//! The GPU's sampler: settings of answers, a seat each, and the two dispatches that end each of their steps.

use std::cell::Cell;

use puna_core::places::MOST_TOGETHER;
use puna_core::sampler::Sampler;

use crate::device::{Counters, Gpu};
use crate::kernel::sample::{RING, SampleParams, Settings};
use crate::kernel::{penalize, sample, to_u32};
use crate::memory::Memory;
use crate::pipeline::Pipelines;
use crate::shader::binding;
use crate::shader::variant::Variant;
use crate::tape::Work;

/// Buffers that the sampler shares with the steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared<'a> {
    /// (at least as many as there are seats, V) f32.
    pub(crate) logits: &'a wgpu::Buffer,
    /// The step's uniform block.
    pub(crate) step: &'a wgpu::Buffer,
    /// (at least as many as there are seats,) u32.
    pub(crate) ids: &'a wgpu::Buffer,
}

impl<'a> Shared<'a> {
    pub(crate) const fn of(memory: &'a Memory) -> Self {
        Self {
            logits: &memory.logits,
            step: &memory.step,
            ids: &memory.ids,
        }
    }
}

/// Chooses tokens on the GPU as [`puna_core::sampler`] does, and makes the next step ready.
#[derive(Debug)]
pub(crate) struct GpuSampler {
    /// Rows of the head.
    rows: usize,
    /// Answers that it has room for.
    seats: usize,
    params: wgpu::Buffer,
    /// What is in them.
    settings: Cell<Settings>,
    /// (seats, V) u32: bit 31 for tokens of the prompt, and how often each is in the answer.
    seen: wgpu::Buffer,
    /// (seats, V) f32.
    bias: wgpu::Buffer,
    /// (seats, ⌈V / 32⌉) u32.
    allowed: wgpu::Buffer,
    /// (seats, ⌈V / SLICE⌉, 2) u32.
    best: wgpu::Buffer,
    /// (seats, RING) u32.
    emitted: wgpu::Buffer,
    penalize: (wgpu::ComputePipeline, wgpu::BindGroup),
    sample: (wgpu::ComputePipeline, wgpu::BindGroup),
}

impl GpuSampler {
    /// Bytes of [`Self::emitted`] of so many answers.
    pub(crate) const fn emitted_bytes(seats: usize) -> u64 {
        (seats * RING as usize * 4) as u64
    }

    /// For logits (seats, rows). Call inside [`Gpu::scoped`].
    pub(crate) fn new(
        gpu: &Gpu,
        pipelines: &mut Pipelines,
        shared: Shared<'_>,
        [seats, rows]: [usize; 2],
    ) -> Self {
        use wgpu::BufferUsages as Usage;
        let buffer = |label: &str, words: usize, more: Usage| {
            gpu.buffer(label, words as u64 * 4, Usage::COPY_DST | more)
        };
        let slices = to_u32(rows).div_ceil(penalize::SLICE);
        let params = buffer("sampling", size_of::<Settings>() / 4, Usage::UNIFORM);
        let seen = buffer("seen", seats * rows, Usage::STORAGE);
        let bias = buffer("bias", seats * rows, Usage::STORAGE);
        let allowed = buffer("allowed", seats * rows.div_ceil(32), Usage::STORAGE);
        let best = buffer("best", seats * slices as usize * 2, Usage::STORAGE);
        let ring = seats * RING as usize;
        let emitted = buffer("emitted", ring, Usage::STORAGE | Usage::COPY_SRC);
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
        let penalize = make(&penalize::variant(to_u32(rows)));
        let sample = make(&sample::variant(to_u32(rows)));
        Self {
            rows,
            seats,
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

    /// Answers that it has room for.
    pub(crate) const fn seats(&self) -> usize {
        self.seats
    }

    /// Takes over the settings and the past of samplers, a seat each; the steps submitted from now on go by them.
    pub(crate) fn start(&self, gpu: &Gpu, samplers: &[&Sampler]) {
        let mut settings = [SampleParams::default(); MOST_TOGETHER];
        for (seat, (own, sampler)) in settings.iter_mut().zip(samplers).enumerate() {
            let vocab = to_u32(sampler.vocab_size().min(self.rows));
            *own = SampleParams::new(sampler.params(), vocab);
            self.start_seat(gpu, seat, *own, sampler);
        }
        self.set(gpu, settings);
    }

    fn set(&self, gpu: &Gpu, settings: Settings) {
        self.settings.set(settings);
        gpu.queue
            .write_buffer(&self.params, 0, bytemuck::bytes_of(&settings));
    }

    fn start_seat(&self, gpu: &Gpu, seat: usize, params: SampleParams, sampler: &Sampler) {
        let write = |buffer: &wgpu::Buffer, words: &[u8]| {
            gpu.queue
                .write_buffer(buffer, (seat * words.len()) as u64, words);
        };
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

    /// Of the step that is submitted next only these tokens may be drawn for a seat: (⌈V / 32⌉,), a bit a token.
    pub(crate) fn allow(&self, gpu: &Gpu, seat: usize, allowed: &[u32]) {
        let words = self.rows.div_ceil(32);
        let at = (seat * words * 4) as u64;
        let own = &allowed[..words.min(allowed.len())];
        gpu.queue
            .write_buffer(&self.allowed, at, bytemuck::cast_slice(own));
        let mut settings = self.settings.get();
        if !settings[seat].is_masked() {
            settings[seat] = settings[seat].masked();
            self.set(gpu, settings);
        }
    }

    /// What follows the last dispatch of a step of so many answers.
    pub(crate) fn work(&self, seats: usize) -> [Work<'_>; 2] {
        let slices = to_u32(self.rows).div_ceil(penalize::SLICE);
        let seats = to_u32(seats);
        let work = |(pipeline, group), [x, y]: [u32; 2]| Work {
            pipeline,
            group,
            workgroups: [x, y, 1],
        };
        let (penalize, sample) = (&self.penalize, &self.sample);
        [
            work((&penalize.0, &penalize.1), [slices, seats]),
            work((&sample.0, &sample.1), [seats, 1]),
        ]
    }

    /// The tokens of each answer's last draws, by draw modulo [`RING`].
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
