//! How a kernel's work is divided among invocations; the same for all projections.

use crate::device::Capabilities;

/// Invocations of a workgroup, where nothing asks for more.
pub const WORKGROUP: u32 = 64;
/// Lanes that share a pair of rows where there are no subgroups.
const SHARED_LANES: u32 = 16;
/// Tokens that a unit of work takes at a time in prefill.
pub const PREFILL_TOKENS: u32 = 8;

/// A work split: which skeleton of `shaders/lib` is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// No barriers; an invocation does it all: for software adapters.
    Serial,
    /// Sums through workgroup memory.
    Shared,
    /// Sums by subgroup operations; smallest and largest size of a subgroup, powers of two.
    Subgroup(u32, u32),
}

impl Split {
    /// The best split that works on a device.
    #[must_use]
    pub const fn best(capabilities: &Capabilities) -> Self {
        match capabilities.subgroups {
            _ if capabilities.is_software => Self::Serial,
            Some((min, max)) => Self::Subgroup(min, max),
            None => Self::Shared,
        }
    }

    /// Every split that works on a device.
    #[must_use]
    pub fn all(capabilities: &Capabilities) -> Vec<Self> {
        let mut all = vec![Self::Serial, Self::Shared];
        all.extend(
            capabilities
                .subgroups
                .map(|(min, max)| Self::Subgroup(min, max)),
        );
        all
    }

    /// Name in options and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Shared => "shared",
            Self::Subgroup(..) => "subgroup",
        }
    }

    /// Whether it uses subgroup operations.
    #[must_use]
    pub const fn subgroups(self) -> bool {
        matches!(self, Self::Subgroup(..))
    }

    /// Invocations of a workgroup.
    #[must_use]
    pub const fn workgroup(self) -> u32 {
        match self {
            Self::Subgroup(_, max) if max > WORKGROUP => max,
            _ => WORKGROUP,
        }
    }

    /// Pairs of rows of a workgroup.
    #[must_use]
    pub const fn pairs(self) -> u32 {
        match self {
            Self::Serial => WORKGROUP,
            Self::Shared => WORKGROUP / SHARED_LANES,
            Self::Subgroup(min, _) => self.workgroup() / min,
        }
    }

    /// The skeleton of the projections.
    #[must_use]
    pub const fn rows_module(self) -> &'static str {
        match self {
            Self::Serial => "lib/rows_serial",
            Self::Shared => "lib/rows_shared",
            Self::Subgroup(..) => "lib/rows_subgroup",
        }
    }

    /// The skeleton of attention.
    #[must_use]
    pub const fn attention_module(self) -> &'static str {
        match self {
            Self::Serial => "lib/attention_serial",
            _ => "lib/attention_shared",
        }
    }

    /// Constants that the skeleton of the projections is linked with.
    #[must_use]
    pub fn constants(self) -> Vec<(&'static str, u32)> {
        let mut constants = vec![("WORKGROUP", self.workgroup())];
        match self {
            Self::Serial => {}
            Self::Shared => constants.extend([("PAIRS", self.pairs()), ("LANES", SHARED_LANES)]),
            Self::Subgroup(min, max) => {
                constants.extend([("PAIRS", self.pairs()), ("ROUNDS", max / min)]);
            }
        }
        constants
    }
}
