//! Variant → pipeline; each text is compiled once.

use crate::device::{Counters, Gpu};
use crate::shader::binding;
use crate::shader::variant::Variant;

/// The pipelines of an executor, by their shader's text.
#[derive(Debug, Default)]
pub struct Pipelines {
    made: Vec<(String, wgpu::ComputePipeline)>,
}

impl Pipelines {
    /// The pipeline of a variant. Call inside [`Gpu::scoped`].
    pub fn get(&mut self, gpu: &Gpu, variant: &Variant) -> wgpu::ComputePipeline {
        let text = variant.link(&gpu.capabilities);
        if let Some((_, pipeline)) = self.made.iter().find(|(made, _)| *made == text) {
            return pipeline.clone();
        }
        let pipeline = make(gpu, variant, &text);
        self.made.push((text, pipeline.clone()));
        pipeline
    }
}

/// Compiles `text` as `variant`. Call inside [`Gpu::scoped`].
#[must_use]
pub fn make(gpu: &Gpu, variant: &Variant, text: &str) -> wgpu::ComputePipeline {
    Counters::tick(&gpu.counters.pipelines);
    let label = Some(variant.kernel);
    let module = gpu
        .device
        .create_shader_module(wgpu::ShaderModuleDescriptor {
            label,
            source: wgpu::ShaderSource::Wgsl(text.into()),
        });
    let entries: Vec<_> = variant
        .bindings
        .iter()
        .map(|&binding| entry(binding))
        .collect();
    let group = gpu
        .device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label,
            entries: &entries,
        });
    let layout = gpu
        .device
        .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&group)],
            immediate_size: 0,
        });
    gpu.device
        .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        })
}

fn entry(binding: u32) -> wgpu::BindGroupLayoutEntry {
    let ty = match binding {
        binding::PARAMS
        | binding::STEP
        | binding::TABLE
        | binding::OWN
        | binding::CHOSEN
        | binding::SCALES => wgpu::BufferBindingType::Uniform,
        binding::OUT
        | binding::KV
        | binding::SEEN
        | binding::BEST
        | binding::NEXT
        | binding::NEXT_ID
        | binding::EMITTED
        | binding::NORMED
        | binding::SUMS_OF_PARTS => wgpu::BufferBindingType::Storage { read_only: false },
        _ => wgpu::BufferBindingType::Storage { read_only: true },
    };
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    }
}
