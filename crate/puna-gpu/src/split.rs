//! How a kernel's work is divided among invocations; the same for all projections.

use crate::device::Capabilities;
use crate::shader::variant::Precision;

/// Invocations of a workgroup, where nothing asks for more.
pub const WORKGROUP: u32 = 64;
/// Invocations of a workgroup of projections in the serial split: as many as a software adapter has lanes.
const SERIAL_WORKGROUP: u32 = 8;
/// Lanes that share a unit of rows where there are no subgroups.
const SHARED_LANES: u32 = 16;
/// Units of rows of a workgroup where there are many tokens: 64 rows × 32 tokens, or 64, each in a block of K of it.
const TILED_UNITS: u32 = 16;
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

/// How many tokens a program is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// One: decode.
    One,
    /// A few: short prompts.
    Few,
    /// Any number: long prompts.
    Many,
}

impl Width {
    /// Most tokens of a step.
    #[must_use]
    pub const fn most_tokens(self) -> usize {
        match self {
            Self::One => 1,
            Self::Few => 8,
            Self::Many => usize::MAX,
        }
    }

    /// Name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Few => "few",
            Self::Many => "many",
        }
    }
}

/// How a projection's work is divided among invocations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsSplit {
    /// The skeleton that is linked.
    pub module: &'static str,
    /// A unit of work.
    pub tile: Tile,
    /// Invocations of a workgroup.
    pub workgroup: u32,
    /// Units of rows of a workgroup.
    pub units: u32,
    /// Groups of tokens of a workgroup, [`Tile::tokens`] each.
    pub groups: u32,
    /// Constants that the skeleton is linked with, besides those of the tile and the workgroup.
    pub constants: Vec<(&'static str, u32)>,
    /// Whether it uses subgroup operations.
    pub subgroups: bool,
}

/// How attention's work is divided among invocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttentionSplit {
    /// No barriers; an invocation does it all.
    Serial,
    /// Parts of the keys, merged afterwards.
    Parts,
    /// Tiles of queries and keys.
    Tiled,
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

    /// Adjacent rows of a unit of work.
    #[must_use]
    pub const fn unit_rows(self) -> u32 {
        match self {
            Self::Serial => 16,
            Self::Shared | Self::Subgroup(..) => 4,
        }
    }

    /// The programs that it has: one for each of these.
    #[must_use]
    pub const fn widths(self) -> &'static [Width] {
        match self {
            Self::Serial => &[Width::One, Width::Many],
            Self::Shared | Self::Subgroup(..) => &[Width::One, Width::Few, Width::Many],
        }
    }

    /// The narrowest of its programs for so many tokens.
    #[must_use]
    pub fn width(self, tokens: usize) -> Width {
        let fits = |width: &Width| tokens <= width.most_tokens();
        let width = self.widths().iter().copied().find(fits);
        width.unwrap_or(Width::Many)
    }

    /// How the projections are divided.
    #[must_use]
    pub fn rows(self, width: Width, precision: Precision) -> RowsSplit {
        let tile = Tile {
            rows: self.unit_rows(),
            tokens: match width {
                Width::One => 1,
                Width::Few | Width::Many => 8,
            },
        };
        match (self, width) {
            (Self::Serial, _) => RowsSplit {
                module: "lib/rows_serial",
                tile,
                workgroup: SERIAL_WORKGROUP,
                units: SERIAL_WORKGROUP,
                groups: 1,
                constants: Vec::new(),
                subgroups: false,
            },
            (_, Width::Many) => {
                // In f16 twice as many tokens take the same workgroup memory.
                let groups = match precision {
                    Precision::F32 => 4,
                    Precision::F16 => 8,
                };
                RowsSplit {
                    module: "lib/rows_tiled",
                    tile,
                    workgroup: TILED_UNITS * groups,
                    units: TILED_UNITS,
                    groups,
                    constants: vec![("UNITS", TILED_UNITS), ("GROUPS", groups)],
                    subgroups: false,
                }
            }
            (Self::Shared, _) => {
                let units = WORKGROUP / SHARED_LANES;
                RowsSplit {
                    module: "lib/rows_shared",
                    tile,
                    workgroup: WORKGROUP,
                    units,
                    groups: 1,
                    constants: vec![("UNITS", units), ("LANES", SHARED_LANES)],
                    subgroups: false,
                }
            }
            (Self::Subgroup(min, max), _) => {
                let workgroup = max.max(WORKGROUP);
                let units = workgroup / min;
                RowsSplit {
                    module: "lib/rows_subgroup",
                    tile,
                    workgroup,
                    units,
                    groups: 1,
                    constants: vec![("UNITS", units), ("ROUNDS", max / min)],
                    subgroups: true,
                }
            }
        }
    }

    /// How attention is divided.
    #[must_use]
    pub const fn attention(self, width: Width) -> AttentionSplit {
        match (self, width) {
            (Self::Serial, _) => AttentionSplit::Serial,
            (_, Width::One | Width::Few) => AttentionSplit::Parts,
            (_, Width::Many) => AttentionSplit::Tiled,
        }
    }
}
