//! Host half of `shaders/kernel/place.wgsl`.

use bytemuck::{Pod, Zeroable};

use super::lines;
use crate::shader::binding;
use crate::shader::variant::{Precision, Variant};
use crate::split::WORKGROUP;

/// `Params` of `shaders/kernel/place.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct PlaceParams {
    /// Byte of the first element among the raw bytes.
    pub raw_at: u32,
    /// Elements to place.
    pub count: u32,
    /// What of its source stands in front of the first.
    pub skipped: u32,
    /// Where the source's first goes, among all vectors.
    pub first: u32,
    /// Of rotation pairs in halves: `Dh`.
    pub head_dim: u32,
    /// Of those, how many dimensions rotate; 0 where pairs lie side by side.
    pub rotated: u32,
    /// Type of an element, by its number in GGUF: F32, F16 or BF16.
    pub type_number: u32,
    /// What is added to each.
    pub offset: f32,
    /// 2 where two sources are interleaved element by element, else 1.
    pub row_step: u32,
    /// Workgroups in x.
    pub grid_x: u32,
    /// To a multiple of 16 bytes.
    pub padding: [u32; 2],
}

impl PlaceParams {
    /// Workgroups in x and y for so many elements.
    #[must_use]
    pub fn grid(count: u32) -> [u32; 2] {
        lines(count.div_ceil(WORKGROUP))
    }
}

/// The one pipeline.
#[must_use]
pub fn variant() -> Variant {
    let modules = ["lib/raw", "lib/element", "lib/landing", "kernel/place"];
    Variant {
        kernel: "place",
        modules: modules.map(str::to_owned).to_vec(),
        constants: vec![("WORKGROUP", WORKGROUP)],
        bindings: vec![binding::PARAMS, binding::OUT, binding::RAW],
        precision: Precision::F32,
        subgroups: false,
    }
}
