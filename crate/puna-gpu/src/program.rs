//! A static program: the dispatches of a graph with everything that they are bound to.

use puna_core::graph::Op;

use crate::device::{Counters, Gpu};
use crate::kernel::{self, Recipe, Setting, Slot, Step};
use crate::memory::Memory;
use crate::pipeline::Pipelines;
use crate::tape::Work;

/// One dispatch of the static program.
#[derive(Debug)]
pub(crate) struct Dispatch {
    pub(crate) recipe: Recipe,
    pub(crate) params: wgpu::Buffer,
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) group: wgpu::BindGroup,
}

impl Dispatch {
    /// Binds anew what is bound to something that has grown.
    pub(crate) fn rebind(&mut self, gpu: &Gpu, memory: &Memory) {
        if self.recipe.slots.iter().any(|slot| slot.grows()) {
            self.group = bind(gpu, memory, &self.recipe, &self.params, &self.pipeline);
        }
    }

    /// What a step records.
    pub(crate) fn work(&self, step: &Step) -> Work<'_> {
        Work {
            pipeline: &self.pipeline,
            group: &self.group,
            workgroups: self.recipe.grid.workgroups(step),
        }
    }

    pub(crate) fn new(
        gpu: &Gpu,
        memory: &Memory,
        pipelines: &mut Pipelines,
        recipe: Recipe,
    ) -> Self {
        let pipeline = pipelines.get(gpu, &recipe.variant);
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let params = gpu.buffer(&recipe.label, size_of::<kernel::Params>() as u64, usage);
        gpu.queue
            .write_buffer(&params, 0, bytemuck::bytes_of(&recipe.params));
        let group = bind(gpu, memory, &recipe, &params, &pipeline);
        Self {
            recipe,
            params,
            pipeline,
            group,
        }
    }
}

fn bind(
    gpu: &Gpu,
    memory: &Memory,
    recipe: &Recipe,
    params: &wgpu::Buffer,
    pipeline: &wgpu::ComputePipeline,
) -> wgpu::BindGroup {
    Counters::tick(&gpu.counters.bind_groups);
    let resource = |slot: Slot| match slot {
        Slot::Plane {
            matrix,
            part,
            plane,
        } => memory.matrices[matrix][part].plane(plane),
        Slot::Table(matrix) => memory.tables[matrix].as_entire_binding(),
        Slot::Params => params.as_entire_binding(),
        Slot::Step => memory.step.as_entire_binding(),
        Slot::X(ix) | Slot::X2(ix) | Slot::Out(ix) => memory.activations[ix].as_entire_binding(),
        Slot::NormedX(ix) | Slot::NormedOut(ix) => memory.normed[ix].as_entire_binding(),
        Slot::Logits => memory.logits.as_entire_binding(),
        Slot::Vectors => memory.vectors.as_entire_binding(),
        Slot::Kv(layer) | Slot::KvX(layer) => memory.cache.layers[layer].as_entire_binding(),
        Slot::FreshKv | Slot::FreshKvX => memory.fresh_kv.as_entire_binding(),
        Slot::Rope(ix) => memory.cache.ropes[ix].as_entire_binding(),
        Slot::Own(vector) => memory.vector(vector),
        Slot::Chosen(ix, bytes) => wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &memory.activations[ix],
            offset: 0,
            size: wgpu::BufferSize::new(bytes),
        }),
        Slot::SumsOfParts => memory.sums_of_parts.as_entire_binding(),
        Slot::Ids => memory.ids.as_entire_binding(),
        Slot::LowRank(ix) | Slot::LowRankOut(ix) => memory.low_ranks[ix].as_entire_binding(),
        Slot::Scales => memory.scales.as_entire_binding(),
    };
    let entries: Vec<_> = recipe
        .slots
        .iter()
        .map(|&slot| wgpu::BindGroupEntry {
            binding: slot.binding(),
            resource: resource(slot),
        })
        .collect();
    gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(&recipe.label),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &entries,
    })
}

/// The dispatches of the graph.
#[must_use]
pub fn recipes(setting: &Setting<'_>) -> Vec<Recipe> {
    let ops = 0..setting.graph.ops.len();
    ops.flat_map(|ix| of_op(ix, setting)).collect()
}

fn of_op(ix: usize, setting: &Setting<'_>) -> Vec<Recipe> {
    let op = &setting.graph.ops[ix];
    let next = |out| setting.graph.next_gain(ix, out);
    match op {
        Op::Embed(op) => kernel::embed::recipes(op, next(op.out), setting),
        Op::Qkv(op) => kernel::qkv::recipes(op, setting),
        Op::Attention(op) => {
            let mut recipes = kernel::quantize_kv::recipes(op.layer, setting);
            recipes.extend(kernel::attention::recipes(op, setting));
            recipes
        }
        Op::QkNorm(op) => kernel::qk_norm::recipes(op, setting),
        Op::Latent(op) => kernel::latent::recipes(op, setting),
        Op::HeadLinear(op) => kernel::head_linear::recipes(op, setting),
        Op::Linear(op) => kernel::linear::recipes(op, next(op.out), setting),
        Op::LinearAdd(op) => kernel::linear_add::recipes(op, next(op.residual), setting),
        Op::Positions(op) => kernel::positions::recipes(op, setting),
        Op::LayerNorm(op) => kernel::layer_norm::recipes(op, setting),
        Op::GateUp(op) => kernel::gate_up::recipes(op, setting),
        Op::NormAdd(op) => kernel::norm_add::recipes(op, next(op.residual), setting),
        Op::Route(op) => kernel::route::recipes(op, setting),
        Op::MoeGlu(op) => kernel::moe_glu::recipes(op, setting),
        Op::MoeDown(op) => kernel::moe_down::recipes(op, next(op.residual), setting),
        Op::Glu(op) => kernel::glu::recipes(op, setting),
        Op::Head(op) => kernel::head::recipes(op, setting),
    }
}
