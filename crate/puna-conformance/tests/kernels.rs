//! The suite on the adapter that `PUNA_ADAPTER` names.

use std::collections::BTreeMap;
use std::sync::Mutex;

use puna_conformance::Extent;
use puna_conformance::fault::FAULTS;
use puna_gpu::{Gpu, GpuOptions};

#[test]
fn every_kernel_agrees_with_its_twin_and_planted_faults_are_seen() {
    let wanted = std::env::var("PUNA_ADAPTER").ok();
    let open = || {
        let options = GpuOptions {
            adapter: wanted.clone(),
        };
        pollster::block_on(Gpu::request(&options))
            .expect("a GPU adapter; `cargo xtask test` installs a software one")
    };
    let gpu = open();
    println!("{}: {:?}", gpu.info.name, gpu.capabilities);
    let variants: Vec<_> = puna_conformance::variants(&gpu)
        .into_iter()
        .map(|(split, precision)| format!("{} {}", split.name(), precision.name()))
        .collect();
    let extent = match std::env::var_os("PUNA_FULL") {
        Some(_) => Extent::Full,
        None => Extent::Usual,
    };
    let mut cases = puna_conformance::cases(&gpu, extent);
    // While a kernel is worked on: only the cases whose names have this text in them.
    let only = std::env::var("PUNA_CASES").ok();
    if let Some(text) = &only {
        cases.retain(|case| case.name.contains(text.as_str()));
    }
    // Most of the time is the driver's compiler, which uses one thread a device: two take what is next, cases of one
    // shader together.
    let groups = cases.chunk_by(|a, b| a.dispatches[0].variant == b.dispatches[0].variant);
    let groups = Mutex::new(
        groups
            .map(|cases| (cases, None))
            .chain(FAULTS.iter().map(|fault| (&cases[..], Some(fault)))),
    );
    let work = |gpu: &Gpu| {
        let mut outcomes = Vec::new();
        loop {
            let next = groups.lock().expect("no panic").next();
            let Some((cases, fault)) = next else {
                return outcomes;
            };
            let found = pollster::block_on(async {
                match fault {
                    None => puna_conformance::check(gpu, cases, None).await,
                    Some(fault) => puna_conformance::plant(gpu, cases, &[*fault], None).await,
                }
            });
            outcomes.extend(found.expect("the device works"));
        }
    };
    let outcomes = std::thread::scope(|scope| {
        let other = scope.spawn(|| work(&open()));
        let mut outcomes = work(&gpu);
        outcomes.extend(other.join().expect("no panic"));
        outcomes
    });
    let expected: &[&str] = match wanted.as_deref() {
        Some("lavapipe") => &[
            "serial f32",
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
    if !expected.is_empty() && only.is_none() {
        assert_eq!(
            by_kernel.get("planted"),
            Some(&FAULTS.len()),
            "both adapters run every shader file"
        );
    }
}
