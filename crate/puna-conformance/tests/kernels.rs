//! The suite on the adapter that `PUNA_ADAPTER` names.

use std::collections::BTreeMap;

use puna_gpu::{Gpu, GpuOptions};

/// Fewer cases than this mean that some were lost.
const AT_LEAST: usize = 500;

#[test]
fn every_kernel_agrees_with_its_twin_and_planted_faults_are_seen() {
    let wanted = std::env::var("PUNA_ADAPTER").ok();
    // lavapipe's adapter calls itself by its compiler.
    let adapter = wanted.map(|name| {
        if name == "lavapipe" {
            "llvmpipe".to_owned()
        } else {
            name
        }
    });
    let outcomes = pollster::block_on(async {
        let gpu = Gpu::request(&GpuOptions { adapter })
            .await
            .expect("a GPU adapter; `cargo xtask test` installs a software one");
        println!("{}: {:?}", gpu.info.name, gpu.capabilities);
        puna_conformance::run(&gpu, "")
            .await
            .expect("the device works")
    });
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
    assert!(
        outcomes.len() >= AT_LEAST,
        "only {} cases ran",
        outcomes.len()
    );
    assert_eq!(
        by_kernel.get("planted"),
        Some(&7),
        "a planted fault for each of seven kernels"
    );
}
