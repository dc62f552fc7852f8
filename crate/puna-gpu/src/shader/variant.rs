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
}

impl KvType {
    /// Name in options and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::F32 => "f32",
        }
    }

    /// Bytes of an element.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
        }
    }
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
