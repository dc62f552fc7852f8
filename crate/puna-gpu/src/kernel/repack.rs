//! Host half of `shaders/kernel/repack.wgsl`.

use bytemuck::{Pod, Zeroable};
use puna_core::quant::Format;

use super::{shape, weight_modules};
use crate::shader::binding;
use crate::shader::variant::{Precision, Variant};
use crate::split::WORKGROUP;

/// `Params` of `shaders/kernel/repack.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct RepackParams {
    /// Byte of the first row among the raw bytes.
    pub raw_at: u32,
    /// Bytes of a row in the file.
    pub row_bytes: u32,
    /// Rows to repack.
    pub rows: u32,
    /// What of its source stands in front of the first.
    pub skipped: u32,
    /// Matrix row where the source's first lands.
    pub first_row: u32,
    /// 2 where two sources are interleaved.
    pub row_step: u32,
    /// Of rotation pairs in halves: `Dh`.
    pub head_dim: u32,
    /// Of those, how many dimensions rotate; 0 where pairs lie side by side.
    pub rotated: u32,
    /// The part's first row.
    pub part_row: u32,
    /// Its rows; of others nothing is written.
    pub part_rows: u32,
    /// Which plane.
    pub plane: u32,
    /// Words of a row in this plane.
    pub row_words: u32,
    /// Of which so many hold blocks.
    pub used_words: u32,
    /// Workgroups in x.
    pub grid_x: u32,
    /// To a multiple of 16 bytes.
    pub padding: [u32; 2],
}

/// The pipeline of a format and a number of columns.
#[must_use]
pub fn variant(format: &Format, cols: usize) -> Variant {
    let mut modules = weight_modules(format, Precision::F32);
    modules.extend(["lib/landing", "kernel/repack"].map(str::to_owned));
    let mut constants = shape(cols).to_vec();
    constants.push(("WORKGROUP", WORKGROUP));
    let bindings = vec![binding::PARAMS, binding::OUT, binding::RAW];
    Variant {
        kernel: "repack",
        modules,
        constants,
        bindings,
        precision: Precision::F32,
        subgroups: false,
    }
}
