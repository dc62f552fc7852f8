//! The kernel conformance suite, for the browser's tests. Never shipped.

use puna_gpu::Gpu;
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::gpu;
use crate::js_error::{install_panic_hook, to_js};

/// Runs the cases whose name contains `filter`; JSON `{device, passed, failed: ["name: why"]}`. `_options` is
/// there for the callers' sake and takes nothing yet.
#[wasm_bindgen]
pub async fn run_conformance(filter: String, _options: String) -> Result<String, JsValue> {
    install_panic_hook();
    let report = async {
        let device: Gpu = gpu::open().await?;
        let outcomes = puna_conformance::run(&device, &filter).await?;
        let failed: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| {
                outcome
                    .failure
                    .as_ref()
                    .map(|failure| format!("{}: {failure}", outcome.name))
            })
            .collect();
        let capabilities = format!("{:?}", device.capabilities);
        Ok(json!({ "device": capabilities, "passed": outcomes.len() - failed.len(), "failed": failed }).to_string())
    };
    report.await.map_err(|error| to_js(&error))
}
