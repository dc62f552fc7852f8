//! Runs the dispatches of a case on made-up buffers and reads back what they wrote.

use std::collections::HashMap;

use puna_core::{ErrorCode, Result};
use puna_gpu::Gpu;
use puna_gpu::pipeline;
use puna_gpu::readback::{Readback, Tick};
use puna_gpu::shader::variant::Variant;

use crate::case::{Case, Dispatch};
use crate::fault::Fault;

/// Words of the pattern on either side of a buffer that a kernel writes to.
const SENTINEL_WORDS: usize = 64;
const SENTINEL: u32 = 0x5afe_c0de;

/// What a case wrote.
#[derive(Debug)]
pub struct Output {
    /// The words of each wanted buffer.
    pub words: Vec<Vec<u32>>,
    /// A buffer whose surroundings were written to.
    pub broken_sentinel: Option<String>,
}

/// Runs cases; each shader's text is compiled once.
pub struct Bench {
    pipelines: HashMap<String, wgpu::ComputePipeline>,
    tick: Option<Tick>,
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench")
            .field("pipelines", &self.pipelines.len())
            .finish_non_exhaustive()
    }
}

impl Bench {
    /// One whose read-backs are poked by `tick`.
    #[must_use]
    pub fn new(tick: Option<Tick>) -> Self {
        Self {
            pipelines: HashMap::new(),
            tick,
        }
    }

    /// Runs a case, with `fault` in its shaders.
    ///
    /// # Errors
    /// When the device fails, refuses a shader, or the fault's text is not in it.
    pub async fn run(&mut self, gpu: &Gpu, case: &Case, fault: Option<&Fault>) -> Result<Output> {
        use wgpu::BufferUsages as Usage;
        let buffers: Vec<_> = case
            .buffers
            .iter()
            .map(|(slot, words)| {
                let mut framed = vec![SENTINEL; SENTINEL_WORDS];
                framed.extend(words);
                framed.extend([SENTINEL; SENTINEL_WORDS]);
                // A format's table and a vector of an op's own are uniform.
                let usage = Usage::STORAGE | Usage::UNIFORM | Usage::COPY_SRC | Usage::COPY_DST;
                let buffer = gpu.buffer(&format!("{slot:?}"), framed.len() as u64 * 4, usage);
                gpu.queue.write_buffer(&buffer, 0, &bytes(&framed));
                buffer
            })
            .collect();
        let uniform = |label: &str, words: &[u8]| {
            let buffer = gpu.buffer(label, words.len() as u64, Usage::UNIFORM | Usage::COPY_DST);
            gpu.queue.write_buffer(&buffer, 0, words);
            buffer
        };
        let step = uniform("step", &case.step);

        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let done = |dispatch: &&Dispatch| !dispatch.workgroups.contains(&0);
        for dispatch in case.dispatches.iter().filter(done) {
            let mut text = dispatch.variant.link(&gpu.capabilities);
            if let Some(Fault { find, replace, .. }) =
                fault.filter(|fault| dispatch.runs(fault.module))
            {
                if !text.contains(find) {
                    return Err(puna_core::Error::internal(format!(
                        "{}: no {find:?} to plant a fault in",
                        case.name
                    )));
                }
                text = text.replace(find, replace);
            }
            let pipeline = self.pipeline(gpu, case, &dispatch.variant, text).await?;
            let params = uniform("params", &dispatch.params);
            let entries: Vec<_> = dispatch
                .variant
                .bindings
                .iter()
                .map(|&binding| {
                    let resource = match binding {
                        puna_gpu::shader::binding::PARAMS => params.as_entire_binding(),
                        puna_gpu::shader::binding::STEP => step.as_entire_binding(),
                        _ => {
                            let ix = case.buffers.iter().position(|(bound, _)| *bound == binding);
                            let ix = ix.expect("invariant: a case gives every binding");
                            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                                buffer: &buffers[ix],
                                offset: SENTINEL_WORDS as u64 * 4,
                                // With the words behind it: a binding's end is guarded by the driver.
                                size: wgpu::BufferSize::new(
                                    (case.buffers[ix].1.len() + SENTINEL_WORDS) as u64 * 4,
                                ),
                            })
                        }
                    };
                    wgpu::BindGroupEntry { binding, resource }
                })
                .collect();
            let layout = pipeline.get_bind_group_layout(0);
            let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &layout,
                entries: &entries,
            });
            let [x, y, z] = dispatch.workgroups;
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(x, y, z);
        }
        gpu.queue.submit([encoder.finish()]);
        collect(gpu, case, &buffers, self.tick.as_ref()).await
    }

    async fn pipeline(
        &mut self,
        gpu: &Gpu,
        case: &Case,
        variant: &Variant,
        text: String,
    ) -> Result<wgpu::ComputePipeline> {
        if let Some(made) = self.pipelines.get(&text) {
            return Ok(made.clone());
        }
        let made = gpu
            .scoped(&case.name, ErrorCode::ShaderFailed, || {
                pipeline::make(gpu, variant, &text)
            })
            .await?;
        self.pipelines.insert(text, made.clone());
        Ok(made)
    }
}

async fn collect(
    gpu: &Gpu,
    case: &Case,
    buffers: &[wgpu::Buffer],
    tick: Option<&Tick>,
) -> Result<Output> {
    let mut output = Output {
        words: Vec::new(),
        broken_sentinel: None,
    };
    for wanted in &case.wanted {
        let ix = case
            .buffers
            .iter()
            .position(|(binding, _)| *binding == wanted.binding());
        let buffer = &buffers[ix.expect("invariant: a wanted buffer is among the case's")];
        let readback = Readback::new(gpu, buffer.size(), tick.cloned());
        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        readback.copy(&mut encoder, buffer, buffer.size());
        gpu.queue.submit([encoder.finish()]);
        let mut floats = Vec::new();
        readback.read(gpu, buffer.size(), &mut floats).await?;
        let words: Vec<u32> = floats.into_iter().map(f32::to_bits).collect();
        let (front, rest) = words.split_at(SENTINEL_WORDS);
        let (words, back) = rest.split_at(rest.len() - SENTINEL_WORDS);
        if front.iter().chain(back).any(|&word| word != SENTINEL) {
            output.broken_sentinel = Some(format!("binding {}", wanted.binding()));
        }
        output.words.push(words.to_vec());
    }
    Ok(output)
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
