//! Host half of `shaders/kernel/penalize.wgsl`.

use super::SEATS;
use super::sample::WORKGROUP;
use crate::shader::binding;
use crate::shader::variant::{Precision, Variant};

/// Logits of a workgroup.
pub const SLICE: u32 = 1024;

/// The pipeline for logits of `rows` tokens.
#[must_use]
pub fn variant(rows: u32) -> Variant {
    Variant {
        kernel: "penalize",
        modules: ["lib/sampling", "kernel/penalize"]
            .map(str::to_owned)
            .to_vec(),
        constants: vec![
            ("WORKGROUP", WORKGROUP),
            ("SLICE", SLICE),
            ("SLICES", rows.div_ceil(SLICE)),
            ("ROWS", rows),
            ("SEATS", SEATS),
        ],
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
