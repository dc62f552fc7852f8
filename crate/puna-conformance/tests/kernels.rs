//! The suite on the adapter that `PUNA_ADAPTER` names.

use std::collections::BTreeMap;

use puna_conformance::fault::FAULTS;
use puna_gpu::{Gpu, GpuOptions};

#[test]
fn every_kernel_agrees_with_its_twin_and_planted_faults_are_seen() {
    let wanted = std::env::var("PUNA_ADAPTER").ok();
    // lavapipe's adapter calls itself by its compiler.
    let adapter = wanted.clone().map(|name| {
        if name == "lavapipe" {
            "llvmpipe".to_owned()
        } else {
            name
        }
    });
    let (variants, outcomes) = pollster::block_on(async {
        let gpu = Gpu::request(&GpuOptions { adapter })
            .await
            .expect("a GPU adapter; `cargo xtask test` installs a software one");
        println!("{}: {:?}", gpu.info.name, gpu.capabilities);
        let variants: Vec<_> = puna_conformance::variants(&gpu)
            .into_iter()
            .map(|(split, precision)| format!("{} {}", split.name(), precision.name()))
            .collect();
        let outcomes = puna_conformance::run(&gpu, "")
            .await
            .expect("the device works");
        (variants, outcomes)
    });
    let expected: &[&str] = match wanted.as_deref() {
        Some("lavapipe") => &[
            "serial f32",
            "serial f16",
            "shared f32",
            "shared f16",
            "subgroup f32",
            "subgroup f16",
            "subgroup f32",
        ],
        Some("swiftshader") => &["serial f32", "shared f32", "subgroup f32", "subgroup f32"],
        _ => &[],
    };
    if !expected.is_empty() {
        assert_eq!(variants, expected, "what this adapter can run");
    }
    let mut by_kernel = BTreeMap::new();
    for outcome in &outcomes {
        *by_kernel
            .entry(outcome.name.split(' ').next().unwrap_or_default())
            .or_insert(0) += 1;
    }
    println!("{} cases: {by_kernel:?}", outcomes.len());
    let failures: Vec<_> = outcomes
        .iter()
        .filter_map(|o| o.failure.as_ref().map(|f| format!("{}: {f}", o.name)))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases failed:\n{}",
        failures.len(),
        outcomes.len(),
        failures.join("\n")
    );
    if !expected.is_empty() {
        assert_eq!(
            by_kernel.get("planted"),
            Some(&FAULTS.len()),
            "both adapters run every shader file"
        );
    }
}
