//! Host half of `shaders/kernel/quantize.wgsl`.

use bytemuck::{Pod, Zeroable};
use puna_core::quant::Format;

use super::{lines, to_u32};
use crate::shader::binding;
use crate::shader::variant::{Precision, Variant};
use crate::split::WORKGROUP;

/// `Params` of `shaders/kernel/quantize.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct QuantizeParams {
    /// Byte of the first float among the raw bytes.
    pub raw_at: u32,
    /// Blocks to make, of 32 floats each.
    pub blocks: u32,
    /// Type of the floats, by its number in GGUF: F32, F16 or BF16.
    pub type_number: u32,
    /// Workgroups in x.
    pub grid_x: u32,
}

impl QuantizeParams {
    /// Of `bytes` bytes of floats from `raw_at`.
    #[must_use]
    pub fn new(stored: &Format, raw_at: u32, bytes: u32) -> Self {
        let blocks = bytes / to_u32(stored.block_bytes);
        Self {
            raw_at,
            blocks,
            type_number: stored.ggml_type,
            grid_x: lines(blocks.div_ceil(2).div_ceil(WORKGROUP))[0],
        }
    }

    /// Workgroups in x and y.
    #[must_use]
    pub fn workgroups(&self) -> [u32; 2] {
        lines(self.blocks.div_ceil(2).div_ceil(WORKGROUP))
    }
}

/// The pipeline of a format that weights are brought to.
#[must_use]
pub fn variant(format: &Format) -> Variant {
    let modules = ["lib/raw", "lib/element", "kernel/quantize"];
    // Quants in a half of a word: two of 8 bits, four of 4.
    let quants = match format.name {
        "q8_0" => 2,
        _ => 4,
    };
    Variant {
        kernel: "quantize",
        modules: modules.map(str::to_owned).to_vec(),
        constants: vec![("WORKGROUP", WORKGROUP), ("QUANTS", quants)],
        bindings: vec![binding::PARAMS, binding::OUT, binding::RAW],
        precision: Precision::F32,
        subgroups: false,
    }
}
