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

use puna_core::Result;
use puna_gpu::Gpu;
use puna_gpu::shader::variant::Precision;
use puna_gpu::split::Split;

use bench::Bench;
pub use case::Case;

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
    let splits = Split::all(&gpu.capabilities);
    splits
        .into_iter()
        .flat_map(|split| precisions.iter().map(move |&precision| (split, precision)))
        .collect()
}

/// Runs the cases whose name contains `filter`, and a planted fault for each kernel among them.
///
/// # Errors
/// Only when the device fails; a wrong result is an [`Outcome`].
pub async fn run(gpu: &Gpu, filter: &str) -> Result<Vec<Outcome>> {
    let mut bench = Bench::default();
    let mut outcomes = Vec::new();
    let mut last: Vec<Case> = Vec::new();
    for (split, precision) in variants(gpu) {
        for case in case::all(split, precision) {
            if !case.name.contains(filter) {
                continue;
            }
            let output = bench.run(gpu, &case, None).await?;
            outcomes.push(Outcome {
                name: case.name.clone(),
                failure: compare::compare(&case, &output).err(),
            });
            last.retain(|other| other.kernel != case.kernel);
            last.push(case);
        }
    }
    // The last case of a kernel is its largest: one where the fault makes a difference.
    for case in last {
        let output = bench.run(gpu, &case, Some(case.fault)).await?;
        let seen = compare::compare(&case, &output).is_err();
        let failure = (!seen).then(|| {
            format!(
                "the fault {:?} → {:?} was not seen",
                case.fault.0, case.fault.1
            )
        });
        outcomes.push(Outcome {
            name: format!("planted fault in {}", case.name),
            failure,
        });
    }
    Ok(outcomes)
}
