//! A static program: the dispatches of a graph with everything that they are bound to.

use puna_core::graph::Op;
use puna_core::{Error, Result};

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
        Slot::X(ix) | Slot::Out(ix) => memory.activations[ix].as_entire_binding(),
        Slot::NormedX(ix) | Slot::NormedOut(ix) => memory.normed[ix].as_entire_binding(),
        Slot::Logits => memory.logits.as_entire_binding(),
        Slot::Vectors => memory.vectors.as_entire_binding(),
        Slot::Kv(layer) | Slot::KvX(layer) => memory.cache.layers[layer].as_entire_binding(),
        Slot::Rope => memory.cache.rope.as_entire_binding(),
        Slot::SumsOfParts => memory.sums_of_parts.as_entire_binding(),
        Slot::Ids => memory.ids.as_entire_binding(),
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
///
/// # Errors
/// `unsupported_model` where something is written to the residual stream that no norm reads.
pub fn recipes(setting: &Setting<'_>) -> Result<Vec<Recipe>> {
    let mut all = Vec::new();
    for ix in 0..setting.graph.ops.len() {
        all.extend(of_op(ix, setting)?);
    }
    Ok(all)
}

fn of_op(ix: usize, setting: &Setting<'_>) -> Result<Vec<Recipe>> {
    let op = &setting.graph.ops[ix];
    let next = |out| {
        let gain = setting.graph.next_gain(ix, out);
        gain.ok_or_else(|| {
            Error::unsupported_model(format!(
                "op {ix}, {}: its output is not read through a norm",
                op.name()
            ))
        })
    };
    Ok(match op {
        Op::Embed(op) => kernel::embed::recipes(op, next(op.out)?, setting),
        Op::Qkv(op) => kernel::qkv::recipes(op, setting),
        Op::Attention(op) => kernel::attention::recipes(op, setting),
        Op::LinearAdd(op) => kernel::linear_add::recipes(op, next(op.residual)?, setting),
        Op::Glu(op) => kernel::glu::recipes(op, setting),
        Op::Head(op) => kernel::head::recipes(op, setting),
    })
}
