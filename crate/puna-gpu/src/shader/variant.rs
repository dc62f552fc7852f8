//! Which modules and constants make one pipeline.

use super::link;
use crate::device::Capabilities;

/// Arithmetic of products of weights and inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// f32: the complete baseline.
    F32,
    /// f16 where the adapter has it; sums stay in f32.
    F16,
}

impl Precision {
    /// Name in options and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }
}

/// Element of the KV cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KvType {
    /// Two elements a word: half the memory and the traffic.
    F16,
    /// Exact.
    F32,
    /// Four elements a word, 127ths of the largest of their block: little more than half of f16's memory.
    Q8,
}

impl KvType {
    /// Name in options and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::Q8 => "q8",
        }
    }

    /// Bytes of a row (Dh,) in each section of a layer's buffer: elements of all rows, then what they are multiplied by.
    #[must_use]
    pub const fn sections(self, head_dim: usize) -> [usize; 2] {
        match self {
            Self::F16 => [2 * head_dim, 0],
            Self::F32 => [4 * head_dim, 0],
            Self::Q8 => [head_dim, 4 * head_dim / kv_block(head_dim)],
        }
    }

    /// Bytes of a row (Dh,).
    #[must_use]
    pub const fn row_bytes(self, head_dim: usize) -> u64 {
        let [elements, factors] = self.sections(head_dim);
        (elements + factors) as u64
    }
}

/// Elements of a head that are rounded together in [`KvType::Q8`]: up to 32 in whole words, a whole number of which are the head
/// (of a multiple of 4).
#[must_use]
pub const fn kv_block(head_dim: usize) -> usize {
    let mut block = 32;
    while block > 4 && !head_dim.is_multiple_of(block) {
        block -= 4;
    }
    block
}

/// One pipeline: the key of its text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Stem of the kernel, for labels.
    pub kernel: &'static str,
    /// Modules, in the order of linking.
    pub modules: Vec<String>,
    /// Constants.
    pub constants: Vec<(&'static str, u32)>,
    /// Bindings that the entry point uses.
    pub bindings: Vec<u32>,
    /// Products in f16?
    pub precision: Precision,
    /// Uses subgroup operations?
    pub subgroups: bool,
}

impl Variant {
    /// The text for a device. Natively the compiler takes subgroup operations without a directive
    /// and refuses the directive; browsers demand it.
    #[must_use]
    pub fn link(&self, capabilities: &Capabilities) -> String {
        let mut enables = Vec::new();
        if self.precision == Precision::F16 {
            enables.push("f16");
        }
        if self.subgroups && capabilities.wants_enable_subgroups {
            enables.push("subgroups");
        }
        link::link(&enables, &self.constants, &self.modules)
    }
}
