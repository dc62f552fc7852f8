//! Dispatches on their way to the queue: a pass a step, a limited number a submission.

use crate::device::{Counters, Gpu};
use crate::readback::Readback;

/// A dispatch with everything that it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work<'a> {
    pub(crate) pipeline: &'a wgpu::ComputePipeline,
    pub(crate) group: &'a wgpu::BindGroup,
    pub(crate) workgroups: [u32; 3],
}

impl Work<'_> {
    /// Whether there is anything to do.
    pub(crate) fn is_any(&self) -> bool {
        !self.workgroups.contains(&0)
    }
}

/// What is recorded and not yet submitted.
#[derive(Debug)]
pub(crate) struct Tape<'a> {
    gpu: &'a Gpu,
    encoder: wgpu::CommandEncoder,
    recorded: usize,
    /// Most dispatches of a submission: a driver that works too long on one is reset.
    limit: usize,
}

impl<'a> Tape<'a> {
    /// An empty one.
    pub(crate) fn new(gpu: &'a Gpu, limit: usize) -> Self {
        Self {
            gpu,
            encoder: encoder(gpu),
            recorded: 0,
            limit: limit.max(1),
        }
    }

    /// Records a step; submits whenever there is enough.
    pub(crate) fn play<'w>(&mut self, step: impl Iterator<Item = Work<'w>>) {
        let mut step = step.filter(Work::is_any).peekable();
        while step.peek().is_some() {
            let room = self.limit - self.recorded;
            let descriptor = wgpu::ComputePassDescriptor::default();
            let mut pass = self.encoder.begin_compute_pass(&descriptor);
            for Work {
                pipeline,
                group,
                workgroups: [x, y, z],
            } in step.by_ref().take(room)
            {
                pass.set_pipeline(pipeline);
                pass.set_bind_group(0, group, &[]);
                pass.dispatch_workgroups(x, y, z);
                self.recorded += 1;
                Counters::tick(&self.gpu.counters.dispatches);
            }
            drop(pass);
            if self.recorded >= self.limit {
                let full = std::mem::replace(&mut self.encoder, encoder(self.gpu));
                self.recorded = 0;
                submit(self.gpu, full);
            }
        }
    }

    /// Submits what is left.
    pub(crate) fn submit(self) {
        submit(self.gpu, self.encoder);
    }

    /// Records the copy of `bytes` of `source`, and submits what is left.
    pub(crate) fn end(
        mut self,
        readback: &Readback,
        source: &wgpu::Buffer,
        bytes: u64,
    ) -> wgpu::SubmissionIndex {
        readback.copy(&mut self.encoder, source, bytes);
        submit(self.gpu, self.encoder)
    }
}

fn encoder(gpu: &Gpu) -> wgpu::CommandEncoder {
    gpu.device
        .create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
}

fn submit(gpu: &Gpu, encoder: wgpu::CommandEncoder) -> wgpu::SubmissionIndex {
    Counters::tick(&gpu.counters.submits);
    gpu.queue.submit([encoder.finish()])
}
