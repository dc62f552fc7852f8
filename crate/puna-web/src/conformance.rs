//! The kernel conformance suite, for the browser's tests. Never shipped.

use puna_conformance::Extent;
use puna_conformance::fault::{FAULTS, Fault};
use puna_gpu::Gpu;
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::gpu;
use crate::js_error::{install_panic_hook, to_js};
use crate::options::Poke;
use crate::unicode;

/// Runs a case a shader, then plants a fault in each kernel, which tells that wrong results are seen here, too: natively one
/// is planted in every file. `skipped` are names of variants that are left out, as `variants` has them. JSON `{variants, passed, planted, failed: ["name: why"]}`.
#[wasm_bindgen]
pub async fn run_conformance(full: bool, skipped: Vec<String>) -> Result<String, JsValue> {
    install_panic_hook();
    let report = async {
        let device: Gpu = gpu::open().await?;
        let extent = if full { Extent::Usual } else { Extent::Brief };
        let variants: Vec<_> = puna_conformance::variants(&device)
            .into_iter()
            .map(|variant| {
                (
                    format!("{} {}", variant.0.name(), variant.1.name()),
                    variant,
                )
            })
            .filter(|(name, _)| !skipped.contains(name))
            .collect();
        let all = variants.iter().map(|(_, variant)| *variant);
        let cases = puna_conformance::one_a_shader(puna_conformance::cases_of(all, extent));
        let tick = gpu::tick(&device, Poke::Auto).await?;
        let mut outcomes = puna_conformance::check(&device, &cases, tick.clone()).await?;
        let of_kernels = FAULTS
            .iter()
            .filter(|fault| fault.module.starts_with("kernel/"));
        let faults: Vec<Fault> = of_kernels.copied().collect();
        let planted = puna_conformance::plant(&device, &cases, &faults, tick).await?;
        let n_planted = planted.len();
        outcomes.extend(planted);
        let failed: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| {
                outcome
                    .failure
                    .as_ref()
                    .map(|failure| format!("{}: {failure}", outcome.name))
            })
            .collect();
        let names: Vec<_> = variants.into_iter().map(|(name, _)| name).collect();
        Ok(json!({
            "variants": names,
            "passed": outcomes.len().saturating_sub(failed.len()),
            "planted": n_planted,
            "failed": failed,
        })
        .to_string())
    };
    report.await.map_err(|error| to_js(&error))
}

/// Where user-perceived characters end in a text, in bytes, as tokenizers see them.
#[wasm_bindgen]
pub fn graphemes(text: &str) -> Option<Vec<usize>> {
    unicode::graphemes(text)
}

/// The first and the last character of each range of `\p{name}`, as tokenizers see it; none if there is no such name.
#[wasm_bindgen]
pub fn unicode_class(name: &str) -> Option<Vec<u32>> {
    let ranges = unicode::class(name)?.into_iter();
    let ends = ranges.flat_map(|range| [*range.start(), *range.end()]);
    Some(ends.map(u32::from).collect())
}
