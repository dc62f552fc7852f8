//! Every kernel against its CPU twin: op × format × shape × variant, and for each a planted fault
//! that must be seen. One suite for native tests and for the browser.
#![forbid(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of test cases are small"
)]

pub mod bench;
pub mod case;
pub mod compare;
mod data;
mod experts;
pub mod fault;

use puna_core::Result;
use puna_gpu::Gpu;
use puna_gpu::readback::Tick;
use puna_gpu::shader::variant::Precision;
use puna_gpu::split::Split;

use bench::Bench;
pub use case::{Case, Products};
use fault::Fault;

/// What became of a case.
#[derive(Debug)]
pub struct Outcome {
    /// The case.
    pub name: String,
    /// What was wrong; `None` when it passed.
    pub failure: Option<String>,
}

/// The variants that a device can run: each split, in each arithmetic.
#[must_use]
pub fn variants(gpu: &Gpu) -> Vec<(Split, Precision)> {
    let mut precisions = vec![Precision::F32];
    precisions.extend(gpu.capabilities.f16.then_some(Precision::F16));
    let mut variants: Vec<_> = Split::all(&gpu.capabilities)
        .into_iter()
        .flat_map(|split| precisions.iter().map(move |&precision| (split, precision)))
        .filter(|(split, precision)| split.computes_in(*precision))
        .collect();
    // As on a device whose subgroups differ in size from run to run: the true size is within any wider range.
    variants.extend(gpu.capabilities.subgroups.map(|(min, max)| {
        let wider = Split::Subgroup((min / 2).max(4), (max * 2).min(128));
        (wider, Precision::F32)
    }));
    variants
}

/// How many cases there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every kernel in every variant with a format of each kind; the others as in [`Self::Usual`]: for browsers, which add a
    /// compiler of their own to what natively has run in full breadth.
    Brief,
    /// Every kernel in every variant with the formats that most files have; the other formats in what tells whether they
    /// are decoded well.
    Usual,
    /// Every format in every variant: software adapters compile for many minutes.
    Full,
}

/// The cases of all variants of a device.
#[must_use]
pub fn cases(gpu: &Gpu, extent: Extent) -> Vec<Case> {
    cases_of(variants(gpu), extent)
}

/// The cases of some of them.
#[must_use]
pub fn cases_of(
    variants: impl IntoIterator<Item = (Split, Precision)>,
    extent: Extent,
) -> Vec<Case> {
    variants
        .into_iter()
        .flat_map(|(split, precision)| case::all(split, precision, extent))
        .collect()
}

/// Of cases with the same shaders the last, which is the largest: for browsers, which add a compiler of their own to what
/// natively all cases have gone through. Attention and the sampler keep all: theirs differ in which way a shader takes.
#[must_use]
pub fn one_a_shader(cases: Vec<Case>) -> Vec<Case> {
    // In f16 a software adapter's compiler takes seconds for each: of those the kernels that every model has.
    let is_rare = |case: &Case| {
        case.products == Products::F16
            && matches!(
                case.kernel,
                "head_linear" | "linear" | "moe_down" | "moe_glu"
            )
    };
    let mut kept: Vec<Case> = Vec::new();
    for case in cases.into_iter().filter(|case| !is_rare(case)) {
        let same = |last: &&mut Case| {
            !matches!(
                case.kernel,
                "attention" | "deinterleave" | "penalize" | "quantize" | "sample" | "transpose"
            ) && last.kernel == case.kernel
                && last.dispatches[0].variant == case.dispatches[0].variant
        };
        match kept.last_mut().filter(same) {
            Some(last) => *last = case,
            None => kept.push(case),
        }
    }
    kept
}

/// Runs cases and compares what comes out with what their twins say; `tick` pokes read-backs.
///
/// # Errors
/// Only when the device fails; a wrong result is an [`Outcome`].
pub async fn check(gpu: &Gpu, cases: &[Case], tick: Option<Tick>) -> Result<Vec<Outcome>> {
    let mut bench = Bench::new(tick);
    let mut outcomes = Vec::new();
    for case in cases {
        let output = bench.run(gpu, case, None).await?;
        outcomes.push(Outcome {
            name: case.name.clone(),
            failure: compare::compare(case, &output).err(),
        });
    }
    Ok(outcomes)
}

/// Plants faults, those in whose shader files the cases use: one of them must see it.
///
/// # Errors
/// Only when the device fails; a fault that nobody sees is an [`Outcome`].
pub async fn plant(
    gpu: &Gpu,
    cases: &[Case],
    faults: &[Fault],
    tick: Option<Tick>,
) -> Result<Vec<Outcome>> {
    let mut bench = Bench::new(tick);
    let mut outcomes = Vec::new();
    for fault in faults {
        let runs = |case: &&Case| case.runs(fault.module);
        // The last cases of a kernel are its largest, where a fault makes a difference.
        let mut using: Vec<_> = cases.iter().rev().filter(runs).collect();
        if using.is_empty() {
            continue;
        }
        // What decodes weights is seen by a kernel that does nothing else, which is compiled in no time.
        if fault.module.starts_with("quant/") {
            using.sort_by_key(|case| case.kernel != "embed");
        }
        let mut seen = false;
        for case in using {
            let output = bench.run(gpu, case, Some(fault)).await?;
            seen = compare::compare(case, &output).is_err();
            if seen {
                break;
            }
        }
        let failure =
            (!seen).then(|| format!("{:?} → {:?} was not seen", fault.find, fault.replace));
        outcomes.push(Outcome {
            name: format!("planted fault in {}", fault.module),
            failure,
        });
    }
    Ok(outcomes)
}
