//! Host half of `shaders/kernel/transpose.wgsl`.

use bytemuck::{Pod, Zeroable};

use crate::shader::binding;
use crate::shader::variant::{Precision, Variant};
use crate::split::WORKGROUP;

/// `Params` of `shaders/kernel/transpose.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct TransposeParams {
    /// Byte of the first row among the raw bytes.
    pub raw_at: u32,
    /// The tensor's row that stands there.
    pub there: u32,
    /// Rows of the tensor that are there.
    pub rows: u32,
    /// Elements of one.
    pub width: u32,
    /// Of which the first is the first row of the matrix.
    pub first: u32,
    /// Rows of the tensor for an expert, or a head.
    pub group_rows: u32,
    /// Of which so many are columns.
    pub cols: u32,
    /// Rows of the matrix for an expert, or a head.
    pub out_rows: u32,
    /// Matrix row where the source's first lands.
    pub first_row: u32,
    /// 2 where two sources are interleaved.
    pub row_step: u32,
    /// The part's first row.
    pub part_row: u32,
    /// Its rows; of others nothing is written.
    pub part_rows: u32,
    /// Words of a row in the plane.
    pub row_words: u32,
    /// Bytes of an element: 4, or 2.
    pub value_bytes: u32,
    /// Workgroups in x.
    pub grid_x: u32,
    /// To a multiple of 16 bytes.
    pub padding: u32,
}

/// The one pipeline.
#[must_use]
pub fn variant() -> Variant {
    Variant {
        kernel: "transpose",
        modules: ["lib/raw", "kernel/transpose"].map(str::to_owned).to_vec(),
        constants: vec![("WORKGROUP", WORKGROUP)],
        bindings: vec![binding::PARAMS, binding::OUT, binding::RAW],
        precision: Precision::F32,
        subgroups: false,
    }
}
