//! The browser's GPU: what wgpu does not tell, and how to wait for it.

use std::rc::Rc;

use js_sys::{Array, Reflect};
use puna_core::sorted::sorted;
use puna_core::{Error, ErrorCode, Result};
use puna_gpu::device::is_software_name;
use puna_gpu::readback::{Readback, Tick};
use puna_gpu::shader::variant::Precision as Arithmetic;
use puna_gpu::split::Split;
use puna_gpu::{Executor, Gpu, GpuOptions};
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::js_error::from_js;
use crate::macrotask::Macrotask;
use crate::options::{Options, Poke, Precision, Variant};
use crate::timer::Timer;

/// A read-back of nothing that takes longer is waiting for a timer, not for the GPU.
const SLOW_READBACK_MS: f64 = 20.0;

/// Opens the device. The worker has made the browser ask for subgroups, which wgpu can't.
pub(crate) async fn open() -> Result<Gpu> {
    let mut gpu = Gpu::request(&GpuOptions::default()).await?;
    if features(&gpu).iter().any(|name| name == "subgroups") {
        gpu.enable_subgroups();
    }
    let words = ["vendor", "architecture", "description"].map(|key| adapter_word(&gpu, key));
    gpu.capabilities.is_software |= is_software_adapter(&words.join(" "));
    Ok(gpu)
}

/// Whether an adapter that calls itself so is a GPU that the processor imitates.
#[wasm_bindgen]
#[must_use]
pub fn is_software_adapter(words: &str) -> bool {
    is_software_name(words)
}

/// The device as `ModelInfo` describes it.
pub(crate) fn describe(executor: &Executor, reason: &str) -> Value {
    let gpu = executor.gpu();
    let [vendor, architecture, description] =
        ["vendor", "architecture", "description"].map(|key| adapter_word(gpu, key));
    json!({
        "kind": "webgpu",
        "reason": reason,
        "name": name(gpu),
        "vendor": vendor,
        "architecture": architecture,
        "description": description,
        "is_software": gpu.capabilities.is_software,
        "variant": executor.split().name(),
        "precision": executor.precision().name(),
        "dispatches_per_layer": executor.dispatches_per_layer(0),
        "features": features(gpu),
    })
}

/// What it is called, by the first word that says something.
pub(crate) fn name(gpu: &Gpu) -> String {
    let words = ["description", "device", "architecture", "vendor"];
    let words = words.map(|key| adapter_word(gpu, key));
    let mut words = words.into_iter().chain([gpu.info.name.clone()]);
    words
        .find(|word| !word.is_empty())
        .unwrap_or_else(|| "WebGPU".to_owned())
}

/// What tells devices apart that are fast in different things; and versions of the shaders.
pub(crate) fn identity(gpu: &Gpu, split: Split, precision: Arithmetic) -> String {
    let words = ["vendor", "architecture", "device", "description"];
    let words = words.map(|key| adapter_word(gpu, key)).join("/");
    let version = env!("CARGO_PKG_VERSION");
    let features = features(gpu).join(" ");
    format!(
        "{version} {split:?} {} {words} {features}",
        precision.name()
    )
}

/// The work split that was asked for.
///
/// # Errors
/// `unsupported_device` when this device has no subgroups.
pub(crate) fn split(gpu: &Gpu, options: &Options) -> Result<Split> {
    let subgroups = gpu
        .capabilities
        .subgroups
        .map(|(min, max)| Split::Subgroup(min, max));
    match options.variant() {
        Variant::Auto => Ok(Split::best(&gpu.capabilities, precision(gpu, options)?)),
        Variant::Serial => Ok(Split::Serial),
        Variant::Shared => Ok(Split::Shared),
        Variant::Subgroup => subgroups.ok_or_else(|| missing("subgroups", "variant")),
    }
}

/// The arithmetic that was asked for. Software adapters only lose time by f16.
///
/// # Errors
/// `unsupported_device` when this device has no f16.
pub(crate) fn precision(gpu: &Gpu, options: &Options) -> Result<Arithmetic> {
    let capabilities = &gpu.capabilities;
    match options.precision() {
        Precision::Auto if capabilities.f16 && !capabilities.is_software => Ok(Arithmetic::F16),
        Precision::Auto | Precision::F32 => Ok(Arithmetic::F32),
        Precision::F16 if capabilities.f16 => Ok(Arithmetic::F16),
        Precision::F16 => Err(missing("shader-f16", "precision")),
    }
}

fn missing(feature: &str, option: &str) -> Error {
    Error::new(
        ErrorCode::UnsupportedDevice,
        format!(
            "this GPU has no {feature}, which the option {option:?} asks for; leave it at \"auto\""
        ),
    )
    .detail("feature", feature)
}

/// How pending read-backs are poked, if at all.
pub(crate) async fn tick(gpu: &Gpu, poke: Poke) -> Result<Option<Tick>> {
    let wanted = match poke {
        Poke::On => true,
        Poke::Off => false,
        Poke::Auto => readback_ms(gpu).await? > SLOW_READBACK_MS,
    };
    if !wanted {
        return Ok(None);
    }
    let macrotask = Macrotask::new()?;
    Ok(Some(Rc::new(move |ms| {
        let macrotask = macrotask.clone();
        Box::pin(async move {
            if ms == 0 {
                macrotask.pass().await;
            } else {
                Timer::new(ms).await;
            }
        })
    })))
}

/// How long an unpoked read-back of one word takes, in ms: the shorter of two that begin when one before them has ended. Where a
/// timer ends them, that one may by chance have begun shortly before.
async fn readback_ms(gpu: &Gpu) -> Result<f64> {
    let source = gpu.buffer(
        "probe",
        16,
        wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
    );
    let readback = Readback::new(gpu, 16, None);
    let mut shortest = f64::INFINITY;
    for turn in 0..3 {
        let start = js_sys::Date::now();
        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        readback.copy(&mut encoder, &source, 16);
        gpu.queue.submit([encoder.finish()]);
        readback.read(gpu, 16, &mut Vec::new()).await?;
        if turn > 0 {
            shortest = shortest.min(js_sys::Date::now() - start);
        }
    }
    Ok(shortest)
}

/// The browser's own device, of which wgpu shows a part.
fn js_device(gpu: &Gpu) -> JsValue {
    gpu.device.as_webgpu().map_or(JsValue::UNDEFINED, |device| {
        let device: &JsValue = device.as_ref();
        device.clone()
    })
}

fn features(gpu: &Gpu) -> Vec<String> {
    let features = Reflect::get(&js_device(gpu), &"features".into()).unwrap_or(JsValue::UNDEFINED);
    let features = Array::from(&features);
    let names = features.iter().filter_map(|name| name.as_string());
    sorted(names.collect(), &Ord::cmp)
}

fn adapter_word(gpu: &Gpu, key: &str) -> String {
    let info = Reflect::get(&js_device(gpu), &"adapterInfo".into()).unwrap_or(JsValue::UNDEFINED);
    if !info.is_object() {
        return String::new();
    }
    Reflect::get(&info, &key.into())
        .ok()
        .and_then(|word| word.as_string())
        .unwrap_or_default()
}

/// Queues a write of JS-owned bytes: they never enter wasm's memory. `bytes` has room up to a multiple
/// of 4 behind it.
///
/// # Errors
/// What the browser throws.
pub(crate) fn write(gpu: &Gpu, buffer: &wgpu::Buffer, bytes: &js_sys::Uint8Array) -> Result<()> {
    #[wasm_bindgen]
    extern "C" {
        type RawQueue;
        #[wasm_bindgen(method, catch, js_name = writeBuffer)]
        fn write_buffer(
            this: &RawQueue,
            buffer: &JsValue,
            offset: f64,
            data: &js_sys::Uint8Array,
        ) -> std::result::Result<(), JsValue>;
    }
    let (Some(queue), Some(buffer)) = (gpu.queue.as_webgpu(), buffer.as_webgpu()) else {
        return Err(Error::internal("the GPU's queue is not the browser's"));
    };
    let padded = bytes.length().next_multiple_of(4);
    let whole = js_sys::Uint8Array::new_with_byte_offset_and_length(
        &bytes.buffer(),
        bytes.byte_offset(),
        padded,
    );
    let queue: &JsValue = queue.as_ref();
    let buffer: &JsValue = buffer.as_ref();
    queue
        .unchecked_ref::<RawQueue>()
        .write_buffer(buffer, 0.0, &whole)
        .map_err(|thrown| from_js(&thrown, "writing weights to the GPU"))
}
