//! How a kernel's work is divided among invocations; the same for all projections.

use crate::device::Capabilities;
use crate::shader::variant::Precision;
use crate::way::{RowsSplit, Way};

/// Invocations of a workgroup, where nothing asks for more.
pub const WORKGROUP: u32 = 64;
/// Invocations of a workgroup of projections in the serial split: as many as a software adapter has lanes.
const SERIAL_WORKGROUP: u32 = 8;
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
    /// A few: short prompts, and answers side by side.
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

    /// A unit of work.
    #[must_use]
    pub const fn tile(self, width: Width) -> Tile {
        Tile {
            rows: self.unit_rows(),
            tokens: match width {
                Width::One => 1,
                // As many answers as mostly go on together: more would compute for nobody.
                Width::Few => 4,
                Width::Many => 8,
            },
        }
    }

    /// The way that is good everywhere.
    #[must_use]
    pub fn default_way(self, width: Width, precision: Precision) -> Way {
        self.ways(width, precision, false)[0]
    }

    /// The ways to compute projections. The first one is good everywhere; whether one of the others is better is for
    /// a measurement to say. Of weights that are integers, inputs of prompts may be rounded to such, too.
    #[must_use]
    pub fn ways(self, width: Width, precision: Precision, integers: bool) -> Vec<Way> {
        let float = |rows| Way { rows, precision };
        let tiled = |units, groups| float(RowsSplit::Tiled { units, groups });
        let int8 = |units, groups| Way {
            rows: RowsSplit::Int8 { units, groups },
            precision: Precision::F32,
        };
        match (self, width) {
            (Self::Serial, _) => vec![float(RowsSplit::Serial {
                workgroup: SERIAL_WORKGROUP,
            })],
            (_, Width::Many) => {
                let mut ways = match precision {
                    Precision::F32 => vec![tiled(16, 4), tiled(8, 4)],
                    // In half the workgroup memory.
                    Precision::F16 => vec![tiled(16, 8), tiled(16, 4)],
                };
                if precision == Precision::F16 {
                    ways.push(Way {
                        precision: Precision::F32,
                        ..tiled(16, 4)
                    });
                }
                if integers {
                    ways.extend([int8(32, 8), int8(16, 4)]);
                }
                ways
            }
            (Self::Shared, _) => {
                let shared = |workgroup, lanes| float(RowsSplit::Shared { workgroup, lanes });
                let mut ways = vec![shared(WORKGROUP, 16)];
                if width == Width::One {
                    ways.extend([
                        shared(WORKGROUP, 32),
                        shared(WORKGROUP, 64),
                        shared(2 * WORKGROUP, 16),
                    ]);
                }
                ways
            }
            (Self::Subgroup(min, max), _) => {
                let workgroup = max.max(WORKGROUP);
                let of = |workgroup| {
                    float(RowsSplit::Subgroup {
                        workgroup,
                        min,
                        max,
                    })
                };
                let mut ways = vec![of(workgroup)];
                if width == Width::One {
                    ways.push(of(2 * workgroup));
                    ways.extend((max < WORKGROUP).then(|| of(max)));
                }
                ways
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
