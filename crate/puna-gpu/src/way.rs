//! Ways to compute a projection: how rows and tokens are divided among invocations, and the arithmetic.

use crate::shader::variant::Precision;

/// A way to compute a projection. All of them give the same but for rounding; which one is fast is for the device to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Way {
    /// The division.
    pub rows: RowsSplit,
    /// The arithmetic of products that are not of integers.
    pub precision: Precision,
}

/// How rows and tokens are divided among invocations; each has a skeleton in `shaders/lib`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowsSplit {
    /// An invocation has a unit and all of K.
    Serial {
        /// Invocations of a workgroup.
        workgroup: u32,
    },
    /// Invocations share a unit and add up through workgroup memory.
    Shared {
        /// Invocations of a workgroup.
        workgroup: u32,
        /// Of those, the ones that share a unit; a power of two.
        lanes: u32,
    },
    /// A subgroup shares units; its smallest and largest size are powers of two.
    Subgroup {
        /// Invocations of a workgroup, at least `max`.
        workgroup: u32,
        /// Smallest size of a subgroup.
        min: u32,
        /// Largest size of a subgroup.
        max: u32,
    },
    /// Tiles of rows and tokens; blocks of K go through workgroup memory.
    Tiled {
        /// Units of rows of a tile.
        units: u32,
        /// Groups of tokens of a tile.
        groups: u32,
    },
    /// The same, with inputs rounded to 8 bits.
    Int8 {
        /// Units of rows of a tile.
        units: u32,
        /// Groups of tokens of a tile.
        groups: u32,
    },
}

impl RowsSplit {
    /// The skeleton that is linked.
    #[must_use]
    pub const fn module(self) -> &'static str {
        match self {
            Self::Serial { .. } => "lib/rows_serial",
            Self::Shared { .. } => "lib/rows_shared",
            Self::Subgroup { .. } => "lib/rows_subgroup",
            Self::Tiled { .. } => "lib/rows_tiled",
            Self::Int8 { .. } => "lib/rows_int8",
        }
    }

    /// Invocations of a workgroup.
    #[must_use]
    pub const fn workgroup(self) -> u32 {
        match self {
            Self::Serial { workgroup }
            | Self::Shared { workgroup, .. }
            | Self::Subgroup { workgroup, .. } => workgroup,
            Self::Tiled { units, groups } | Self::Int8 { units, groups } => units * groups,
        }
    }

    /// Units of rows of a workgroup.
    #[must_use]
    pub const fn units(self) -> u32 {
        match self {
            Self::Serial { workgroup } => workgroup,
            Self::Shared { workgroup, lanes } => workgroup / lanes,
            Self::Subgroup { workgroup, min, .. } => workgroup / min,
            Self::Tiled { units, .. } | Self::Int8 { units, .. } => units,
        }
    }

    /// Groups of tokens of a workgroup.
    #[must_use]
    pub const fn groups(self) -> u32 {
        match self {
            Self::Tiled { groups, .. } | Self::Int8 { groups, .. } => groups,
            _ => 1,
        }
    }

    /// Constants that the skeleton is linked with.
    #[must_use]
    pub fn constants(self) -> Vec<(&'static str, u32)> {
        let mut constants = vec![("WORKGROUP", self.workgroup())];
        match self {
            Self::Serial { .. } => {}
            Self::Shared { lanes, .. } => {
                constants.extend([("UNITS", self.units()), ("LANES", lanes)]);
            }
            Self::Subgroup { min, max, .. } => {
                constants.extend([("UNITS", self.units()), ("ROUNDS", max / min)]);
            }
            Self::Tiled { units, groups } | Self::Int8 { units, groups } => {
                constants.extend([("UNITS", units), ("GROUPS", groups)]);
            }
        }
        constants
    }

    /// How a block's weights and inputs meet, where the skeleton asks for it.
    #[must_use]
    pub const fn block_modules(self, tokens: u32) -> &'static [&'static str] {
        match self {
            Self::Shared { .. } | Self::Subgroup { .. } if tokens > 1 => &["lib/weights_first"],
            Self::Serial { .. } | Self::Shared { .. } | Self::Subgroup { .. } => {
                &["lib/dot32", "lib/inputs_first"]
            }
            Self::Tiled { .. } | Self::Int8 { .. } => &[],
        }
    }

    /// Whether it uses subgroup operations.
    #[must_use]
    pub const fn subgroups(self) -> bool {
        matches!(self, Self::Subgroup { .. })
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let precision = self.precision.name();
        match self.rows {
            RowsSplit::Serial { workgroup } => write!(f, "serial-{workgroup}-{precision}"),
            RowsSplit::Shared { workgroup, lanes } => {
                write!(f, "shared-{workgroup}-{lanes}-{precision}")
            }
            RowsSplit::Subgroup { workgroup, .. } => write!(f, "subgroup-{workgroup}-{precision}"),
            RowsSplit::Tiled { units, groups } => write!(f, "tiled-{units}-{groups}-{precision}"),
            RowsSplit::Int8 { units, groups } => write!(f, "int8-{units}-{groups}"),
        }
    }
}
