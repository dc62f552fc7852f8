//! What a model is and whether this device can run it, from its header alone.

use puna_core::graph::Graph;
use puna_core::prepared::Prepared;
use puna_core::report::Report;
use puna_core::{Error, ErrorCode, Result};
use puna_gpu::ExecutorOptions;
use puna_gpu::fit::Fit;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use crate::js_error::{install_panic_hook, to_js};
use crate::loader::{LoadOptions, ModelSource, read_header};
use crate::options::{Device, Options};
use crate::progress::Progress;
use crate::scoring;
use crate::{cpu, gpu, unicode};

/// JSON of a [`Report`], and besides of `id`, `network_bytes`, and `device`: whether that which `options` name can run the
/// model, `{kind, name, reason, can_run, context_length, memory_bytes, problem}`. Where `falls_back`, it is about the CPU if
/// there is no device after all; `refused` is JSON of why there is none.
///
/// Rejects with an error that has `code`, `message` and `details` where the header can't be read.
#[wasm_bindgen]
pub async fn inspect_model(
    options: String,
    source: JsValue,
    falls_back: bool,
    refused: Option<String>,
    signal: Option<AbortSignal>,
) -> std::result::Result<String, JsValue> {
    install_panic_hook();
    unicode::supply();
    let refused = refused.map(|json| Error::from_json(&json));
    inspect(&options, &source, falls_back, refused, signal.as_ref())
        .await
        .map_err(|error| to_js(&error))
}

async fn inspect(
    options: &str,
    source: &JsValue,
    falls_back: bool,
    refused: Option<Error>,
    signal: Option<&AbortSignal>,
) -> Result<String> {
    let options = Options::parse(options)?;
    let source = ModelSource::from_js(source)?;
    let progress = Progress::new(None);
    let load = LoadOptions {
        cache: options.cache(),
        revalidate: options.revalidate(),
        of_adapter: false,
    };
    let found = read_header(&source, load, &progress, signal).await?;
    let prepared = Prepared::new(&found.header, &options.wishes()?);
    let report = Report::new(&found.header, found.file_bytes, &prepared);
    let verdict = match (&prepared, refused) {
        (Ok(_), Some(error)) => refusal(options.device(), options.device_reason(), &error),
        (Ok(prepared), None) => verdict(&prepared.graph, &options, falls_back).await,
        (Err(error), _) => refusal(options.device(), options.device_reason(), error),
    };
    let mut report = serde_json::to_value(report)
        .map_err(|error| Error::internal(format!("the report is no JSON: {error}")))?;
    if let Some(report) = report.as_object_mut() {
        // The device's says it, too.
        report.remove("problem");
        report.insert("id".to_owned(), found.name.into());
        report.insert("network_bytes".to_owned(), progress.network_bytes().into());
        report.insert("device".to_owned(), verdict);
    }
    Ok(report.to_string())
}

/// A device that can run a model.
struct Place {
    name: String,
    /// Tokens of the longest conversation.
    context_length: usize,
    /// Bytes that it takes with such a conversation.
    memory_bytes: u64,
}

async fn verdict(graph: &Graph, options: &Options, falls_back: bool) -> Value {
    let reason = options.device_reason();
    match options.device() {
        Device::Cpu => of_cpu(graph, options, reason),
        Device::Webgpu => match on_gpu(graph, options).await {
            Ok(place) => consent(Device::Webgpu, reason, &place),
            Err(error) if falls_back && error.code() == ErrorCode::UnsupportedDevice => {
                of_cpu(graph, options, &error.message())
            }
            Err(error) => refusal(Device::Webgpu, reason, &error),
        },
    }
}

fn of_cpu(graph: &Graph, options: &Options, reason: &str) -> Value {
    match cpu::fit(graph, options) {
        Ok((context_length, memory_bytes)) => {
            let place = Place {
                name: "CPU".to_owned(),
                context_length,
                memory_bytes,
            };
            consent(Device::Cpu, reason, &place)
        }
        Err(error) => refusal(Device::Cpu, reason, &error),
    }
}

async fn on_gpu(graph: &Graph, options: &Options) -> Result<Place> {
    let gpu = gpu::open().await?;
    let how = ExecutorOptions {
        split: Some(gpu::split(&gpu, options)?),
        precision: gpu::precision(&gpu, options)?,
        kv: options.kv(),
        context_length: options.context_length,
        max_logits: scoring::rows(graph.out_width),
        ..ExecutorOptions::default()
    };
    let fit = Fit::new(&gpu.capabilities, graph, &how)?;
    Ok(Place {
        name: gpu::name(&gpu),
        context_length: fit.context_length,
        memory_bytes: fit.bytes(graph, &how),
    })
}

fn consent(device: Device, reason: &str, place: &Place) -> Value {
    json!({
        "kind": device.name(),
        "name": place.name,
        "reason": reason,
        "can_run": true,
        "context_length": place.context_length,
        "memory_bytes": place.memory_bytes,
        "problem": null,
    })
}

fn refusal(device: Device, reason: &str, error: &Error) -> Value {
    json!({
        "kind": device.name(),
        "name": null,
        "reason": reason,
        "can_run": false,
        "context_length": null,
        "memory_bytes": null,
        "problem": error.to_json(),
    })
}
