//! Host half of `shaders/kernel/penalize.wgsl`.

use super::sample::WORKGROUP;
use crate::shader::binding;
use crate::shader::variant::{Precision, Variant};

/// Logits of a workgroup.
pub const SLICE: u32 = 1024;

/// The one pipeline.
#[must_use]
pub fn variant() -> Variant {
    Variant {
        kernel: "penalize",
        modules: ["lib/sampling", "kernel/penalize"]
            .map(str::to_owned)
            .to_vec(),
        constants: vec![("WORKGROUP", WORKGROUP), ("SLICE", SLICE)],
        bindings: vec![
            binding::PARAMS,
            binding::OUT,
            binding::SEEN,
            binding::BIAS,
            binding::ALLOWED,
            binding::BEST,
        ],
        precision: Precision::F32,
        subgroups: false,
    }
}
