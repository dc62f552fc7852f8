//! Host half of `shaders/kernel/deinterleave.wgsl`.

use bytemuck::{Pod, Zeroable};
use puna_core::quant::Format;

use super::{lines, to_u32};
use crate::shader::binding;
use crate::shader::variant::{Precision, Variant};
use crate::split::WORKGROUP;

/// `Params` of `shaders/kernel/deinterleave.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct DeinterleaveParams {
    /// Byte of the first group among the raw bytes; a multiple of 4.
    pub raw_at: u32,
    /// 32-bit words of all groups.
    pub words: u32,
    /// Bytes of a group.
    pub group_bytes: u32,
    /// Bytes of a row that stands alone.
    pub row_bytes: u32,
    /// Rows of a group.
    pub rows: u32,
    /// Bytes in front of a row's blocks.
    pub head_bytes: u32,
    /// Bytes of a block of a row.
    pub block_bytes: u32,
    /// Workgroups in x.
    pub grid_x: u32,
}

impl DeinterleaveParams {
    /// Of `bytes` bytes from `raw_at`: whole groups of rows of `cols` weights.
    #[must_use]
    pub fn new(format: &Format, cols: usize, raw_at: u32, bytes: u32) -> Self {
        let words = bytes.div_ceil(4);
        let row_bytes = to_u32(format.row_bytes(cols));
        let rows = to_u32(format.rows_together());
        Self {
            raw_at,
            words,
            group_bytes: row_bytes * rows,
            row_bytes,
            rows,
            head_bytes: to_u32(format.head_bytes()),
            block_bytes: to_u32(format.block_bytes),
            grid_x: lines(words.div_ceil(WORKGROUP))[0],
        }
    }

    /// Workgroups in x and y.
    #[must_use]
    pub fn workgroups(&self) -> [u32; 2] {
        lines(self.words.div_ceil(WORKGROUP))
    }
}

/// The pipeline, the same for all formats.
#[must_use]
pub fn variant() -> Variant {
    Variant {
        kernel: "deinterleave",
        modules: ["lib/raw", "kernel/deinterleave"]
            .map(str::to_owned)
            .to_vec(),
        constants: vec![("WORKGROUP", WORKGROUP)],
        bindings: vec![binding::PARAMS, binding::X, binding::OUT, binding::RAW],
        precision: Precision::F32,
        subgroups: false,
    }
}
