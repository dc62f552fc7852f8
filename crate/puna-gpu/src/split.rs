//! How a kernel's work is divided among invocations; the same for all projections.

use crate::device::Capabilities;
use crate::shader::variant::Precision;

/// Invocations of a workgroup, where nothing asks for more.
pub const WORKGROUP: u32 = 64;
/// Invocations of a workgroup of projections in the serial split: as many as a software adapter has lanes.
const SERIAL_WORKGROUP: u32 = 8;
/// Lanes that share a unit of rows where there are no subgroups.
const SHARED_LANES: u32 = 16;
/// Matrices are cut at multiples of so many rows: the largest unit.
pub const MOST_ROWS: u32 = 32;

/// What a unit of work takes at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Adjacent rows; a power of two from 4 to [`MOST_ROWS`].
    pub rows: u32,
    /// Tokens.
    pub tokens: u32,
}

/// A work split: which skeleton of `shaders/lib` is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// No barriers; an invocation does it all, in f32: for software adapters.
    Serial,
    /// Sums through workgroup memory.
    Shared,
    /// Sums by subgroup operations; smallest and largest size of a subgroup, powers of two.
    Subgroup(u32, u32),
}

impl Split {
    /// The best split that works on a device in an arithmetic.
    #[must_use]
    pub fn best(capabilities: &Capabilities, precision: Precision) -> Self {
        match capabilities.subgroups {
            _ if capabilities.is_software && Self::Serial.computes_in(precision) => Self::Serial,
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

    /// Whether it has this arithmetic. What f16 saves is bandwidth and registers, of which a software adapter has none
    /// to save; its compiler takes many times longer.
    #[must_use]
    pub fn computes_in(self, precision: Precision) -> bool {
        self != Self::Serial || precision == Precision::F32
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

    /// Adjacent rows of a unit of work.
    #[must_use]
    pub const fn unit_rows(self) -> u32 {
        match self {
            Self::Serial => 16,
            Self::Shared | Self::Subgroup(..) => 4,
        }
    }

    /// A unit of work where there is one token.
    #[must_use]
    pub const fn decode_tile(self) -> Tile {
        Tile {
            rows: self.unit_rows(),
            tokens: 1,
        }
    }

    /// A unit of work where there are many tokens.
    #[must_use]
    pub const fn prefill_tile(self) -> Tile {
        Tile {
            rows: self.unit_rows(),
            tokens: 8,
        }
    }

    /// Both.
    #[must_use]
    pub const fn tiles(self) -> [Tile; 2] {
        [self.decode_tile(), self.prefill_tile()]
    }

    /// Invocations of a workgroup.
    #[must_use]
    pub const fn workgroup(self) -> u32 {
        match self {
            Self::Serial => SERIAL_WORKGROUP,
            Self::Subgroup(_, max) if max > WORKGROUP => max,
            _ => WORKGROUP,
        }
    }

    /// Units of work of a workgroup.
    #[must_use]
    pub const fn units(self) -> u32 {
        match self {
            Self::Serial => self.workgroup(),
            Self::Shared => self.workgroup() / SHARED_LANES,
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
            Self::Shared => constants.extend([("UNITS", self.units()), ("LANES", SHARED_LANES)]),
            Self::Subgroup(min, max) => {
                constants.extend([("UNITS", self.units()), ("ROUNDS", max / min)]);
            }
        }
        constants
    }
}
