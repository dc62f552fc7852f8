//! What a device can do at best, measured in the same run: a copy and multiplications.

use std::time::Instant;

use puna_core::ErrorCode;
use puna_gpu::Gpu;
use puna_gpu::pipeline;
use puna_gpu::readback::Readback;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::{Precision, Variant};

use crate::{Result, ms};

/// Bytes that are copied.
const COPY_BYTES: u64 = 128 << 20;
/// Invocations that multiply.
const INVOCATIONS: u32 = 1 << 17;
/// Rounds of each.
const FMA_ROUNDS: u32 = 256;
/// Multiplications and additions of a round: 8 chains of 4 elements.
const FMA_EACH: u32 = 32;

/// 10⁹ bytes a second, read and written.
pub(crate) async fn copy(gpu: &Gpu) -> Result<f64> {
    let usage = wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let [from, to] = ["from", "to"].map(|label| gpu.buffer(label, COPY_BYTES, usage));
    let record = |encoder: &mut wgpu::CommandEncoder| {
        encoder.copy_buffer_to_buffer(&from, 0, &to, 0, COPY_BYTES);
    };
    let time = slope(gpu, &to, record).await?;
    from.destroy();
    to.destroy();
    Ok(2.0 * COPY_BYTES as f64 / time / 1e6)
}

/// 10¹² additions and multiplications a second, in f32.
pub(crate) async fn fma(gpu: &Gpu) -> Result<f64> {
    let text = format!(
        "@group(0) @binding({out}) var<storage, read_write> out: array<vec4<f32>>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    let factor = vec4<f32>(0.999 + f32(id.x % 7u) * 1.0e-6);
    var a = array<vec4<f32>, 8>();
    for (var i = 0u; i < {FMA_ROUNDS}u; i++) {{
        a[0] = fma(a[0], factor, factor); a[1] = fma(a[1], factor, factor);
        a[2] = fma(a[2], factor, factor); a[3] = fma(a[3], factor, factor);
        a[4] = fma(a[4], factor, factor); a[5] = fma(a[5], factor, factor);
        a[6] = fma(a[6], factor, factor); a[7] = fma(a[7], factor, factor);
    }}
    out[id.x] = a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7];
}}",
        out = binding::OUT
    );
    let variant = Variant {
        kernel: "fma",
        modules: Vec::new(),
        constants: Vec::new(),
        bindings: vec![binding::OUT],
        precision: Precision::F32,
        subgroups: false,
    };
    let make = || pipeline::make(gpu, &variant, &text);
    let pipeline = gpu.scoped("fma", ErrorCode::ShaderFailed, make).await?;
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
    let out = gpu.buffer("out", u64::from(INVOCATIONS) * 16, usage);
    let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry {
            binding: binding::OUT,
            resource: out.as_entire_binding(),
        }],
    });
    let record = |encoder: &mut wgpu::CommandEncoder| {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(INVOCATIONS / 64, 1, 1);
    };
    let time = slope(gpu, &out, record).await?;
    let operations = 2.0 * f64::from(INVOCATIONS) * f64::from(FMA_ROUNDS * FMA_EACH);
    Ok(operations / time / 1e9)
}

/// How long one of what `record` records takes, without what a submission and a read-back take; ms.
async fn slope(
    gpu: &Gpu,
    out: &wgpu::Buffer,
    record: impl Fn(&mut wgpu::CommandEncoder),
) -> Result<f64> {
    let readback = Readback::new(gpu, 16, None);
    let several = async |times: usize| -> Result<f64> {
        let start = Instant::now();
        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for _ in 0..times {
            record(&mut encoder);
        }
        readback.copy(&mut encoder, out, 16);
        gpu.queue.submit([encoder.finish()]);
        readback.read(gpu, 16, &mut Vec::new()).await?;
        Ok(ms(start))
    };
    several(1).await?;
    Ok((several(9).await? - several(1).await?) / 8.0)
}
