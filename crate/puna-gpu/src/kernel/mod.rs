//! The host half of each shader: which modules, constants and bindings, how many workgroups.
//!
//! A kernel turns an op into [`Recipe`]s: plain data, one a dispatch. Only the executor knows buffers.

pub mod attention;
pub mod deinterleave;
pub mod embed;
pub mod gate_up;
pub mod glu;
pub mod head;
pub mod head_linear;
pub mod latent;
pub mod layer_norm;
pub mod linear;
pub mod linear_add;
pub mod low_rank;
pub mod moe_down;
pub mod moe_glu;
pub mod norm_add;
pub mod penalize;
pub mod place;
pub mod positions;
pub mod qk_norm;
pub mod qkv;
pub mod quantize;
pub mod quantize_kv;
pub mod repack;
pub mod rounds;
pub mod route;
pub mod sample;
pub mod transpose;

use bytemuck::{Pod, Zeroable};
use puna_core::graph::{Activate, ActivationIx, Gate, Graph, MatrixIx, RopeIx, Span, VectorIx};
use puna_core::places::{MOST_TOGETHER, Places};
use puna_core::quant::{BLOCK_LEN, Format};

use crate::choices::{Choices, Job};
use crate::shader::binding;
use crate::shader::variant::{KvType, Precision, Variant, kv_block};
use crate::split::{Split, Width};

/// What a kernel may know: the graph, where things were put, and which variants to use.
#[derive(Debug)]
pub struct Setting<'a> {
    /// The graph.
    pub graph: &'a Graph,
    /// (first row, rows) of each part of each matrix.
    pub parts: Vec<Vec<(usize, usize)>>,
    /// Offset of each vector in the buffer of vectors.
    pub gains: Vec<u32>,
    /// The work split.
    pub split: Split,
    /// Products in f16?
    pub precision: Precision,
    /// Element of the KV cache.
    pub kv: KvType,
    /// How many tokens there are at a time.
    pub width: Width,
    /// Most tokens of a step.
    pub max_tokens: usize,
    /// Whether inputs of prompts may be rounded to 8 bits.
    pub rounds: bool,
    /// Whether adapters add to what they change.
    pub adapted: bool,
    /// The ways that were chosen.
    pub choices: Choices,
}

/// One dispatch, as plain data.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Op and matrix, for profilers and errors.
    pub label: String,
    /// The pipeline.
    pub variant: Variant,
    /// What each binding is bound to.
    pub slots: Vec<Slot>,
    /// Contents of the uniform block.
    pub params: Params,
    /// How many workgroups.
    pub grid: Grid,
    /// What its way is chosen for, if there is a choice.
    pub job: Option<Job>,
}

impl Recipe {
    /// Storage buffers that it binds.
    #[must_use]
    pub fn storage_buffers(&self) -> usize {
        let is_storage = |slot: &&Slot| !slot.is_uniform();
        self.slots.iter().filter(is_storage).count()
    }

    /// A dispatch in f32 without subgroup operations, of which there is one way.
    pub(crate) fn plain(
        kernel: &'static str,
        label: String,
        modules: impl IntoIterator<Item = impl Into<String>>,
        constants: Vec<(&'static str, u32)>,
        slots: Vec<Slot>,
        params: Params,
        grid: Grid,
    ) -> Self {
        Self {
            label,
            variant: Variant {
                kernel,
                modules: modules.into_iter().map(Into::into).collect(),
                constants,
                bindings: slots.iter().map(|slot| slot.binding()).collect(),
                precision: Precision::F32,
                subgroups: false,
            },
            slots,
            params,
            grid,
            job: None,
        }
    }
}

/// What a binding is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Plane `plane` of part `part` of a matrix.
    Plane {
        /// The matrix.
        matrix: MatrixIx,
        /// Its part.
        part: usize,
        /// The plane, also the binding's number.
        plane: usize,
    },
    /// What a matrix's format looks up.
    Table(MatrixIx),
    /// The recipe's own params.
    Params,
    /// The step.
    Step,
    /// An activation as input.
    X(ActivationIx),
    /// An activation as second input.
    X2(ActivationIx),
    /// An activation, made ready for its norm, as input.
    NormedX(ActivationIx),
    /// An activation as output.
    Out(ActivationIx),
    /// An activation, made ready for its norm, as output.
    NormedOut(ActivationIx),
    /// The logits as output.
    Logits,
    /// Gains of all norms.
    Vectors,
    /// A layer of the KV cache as output.
    Kv(usize),
    /// A layer of the KV cache as input.
    KvX(usize),
    /// Keys and values of a step's tokens that are not in the KV cache yet, as output.
    FreshKv,
    /// The same as input.
    FreshKvX,
    /// What parts of the keys leave for their merging.
    SumsOfParts,
    /// The table of rotations.
    Rope(RopeIx),
    /// Token ids.
    Ids,
    /// A vector of the op's own.
    Own(VectorIx),
    /// The experts that tokens use; bytes of them.
    Chosen(ActivationIx, u64),
    /// What adapters add to a matrix, by low rank of the graph, as input.
    LowRank(usize),
    /// The same as output.
    LowRankOut(usize),
    /// What each adapter is multiplied by.
    Scales,
}

impl Slot {
    /// The binding's number.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a format has at most four planes"
    )]
    pub const fn binding(self) -> u32 {
        match self {
            Self::Plane { plane, .. } => binding::PLANES + plane as u32,
            Self::Table(_) => binding::TABLE,
            Self::Params => binding::PARAMS,
            Self::Step => binding::STEP,
            Self::X(_) | Self::NormedX(_) | Self::FreshKvX => binding::X,
            Self::X2(_) => binding::X2,
            Self::NormedOut(_) => binding::NORMED,
            Self::Out(_) | Self::Logits | Self::LowRankOut(_) => binding::OUT,
            Self::Vectors => binding::VECTORS,
            Self::Kv(_) | Self::FreshKv => binding::KV,
            Self::KvX(_) => binding::KV_X,
            Self::SumsOfParts => binding::SUMS_OF_PARTS,
            Self::Rope(_) => binding::ROPE,
            Self::Own(_) => binding::OWN,
            Self::Chosen(..) => binding::CHOSEN,
            Self::Ids => binding::IDS,
            Self::LowRank(_) => binding::LOW_RANK,
            Self::Scales => binding::SCALES,
        }
    }

    /// Whether it is bound as a uniform block: of such a device takes more than of storage buffers.
    #[must_use]
    pub const fn is_uniform(self) -> bool {
        matches!(
            self,
            Self::Table(_)
                | Self::Params
                | Self::Step
                | Self::Own(_)
                | Self::Chosen(..)
                | Self::Scales
        )
    }

    /// Whether the buffer behind it changes when the KV cache grows.
    #[must_use]
    pub const fn grows(self) -> bool {
        matches!(self, Self::Kv(_) | Self::KvX(_) | Self::Rope(_))
    }
}

/// `Params` of `shaders/lib/params.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct Params {
    /// Output row of the part's row 0.
    pub first_row: u32,
    /// Rows of the part.
    pub rows: u32,
    /// Workgroups in x.
    pub grid_x: u32,
    /// Offset of the gain of the norm that follows.
    pub gain: u32,
    /// Added to the mean square.
    pub eps: f32,
    /// Multiplies rows of a table, scores.
    pub scale: f32,
    /// Bounds scores, logits.
    pub cap: f32,
    /// How many positions a token sees.
    pub window: u32,
    /// First row of the part, where rows are those of experts.
    pub part_row: u32,
    /// Its rows.
    pub part_rows: u32,
    /// A token sees no position before the last multiple of this.
    pub chunk: u32,
    /// How much more scores of late positions are multiplied by.
    pub heat: f32,
    /// Positions with each of which that grows.
    pub every: u32,
    /// Offset of a bias, or of a table, among all vectors.
    pub bias: u32,
    /// To a multiple of 16 bytes.
    pub padding: [u32; 2],
}

/// Conversations of a step at most.
pub const SEATS: u32 = to_u32(MOST_TOGETHER);
const _: () = assert!(SEATS == 8, "as many as `shaders/lib/step.wgsl` has");

/// `Seat` of `shaders/lib/step.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Seat {
    /// Of the conversation's first token of this call.
    pub position: u32,
    /// Of the KV cache: where the conversation begins.
    pub first_row: u32,
    /// Tokens that were sampled for its answer.
    pub drawn: u32,
    /// To a multiple of 16 bytes.
    pub padding: u32,
}

/// `Step` of `shaders/lib/step.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Step {
    /// T.
    pub tokens: u32,
    /// Tokens that the KV cache has room for.
    pub capacity: u32,
    /// Of those whose logits are wanted; T when none are.
    pub first_token: u32,
    /// 1: each token is another conversation's; 0: all are one's.
    pub together: u32,
    /// The conversations.
    pub seats: [Seat; MOST_TOGETHER],
}

impl Step {
    /// A step of so many tokens, the last of which have their logits computed.
    #[must_use]
    pub fn new(places: &Places, tokens: usize, capacity: usize, wanted: usize) -> Self {
        let mut step = Self {
            tokens: to_u32(tokens),
            capacity: to_u32(capacity),
            first_token: to_u32(tokens.saturating_sub(wanted)),
            together: u32::from(matches!(places, Places::Each(_))),
            seats: [Seat::default(); MOST_TOGETHER],
        };
        for (seat, place) in step.seats.iter_mut().zip(places.conversations()) {
            seat.position = to_u32(place.position);
            seat.first_row = to_u32(place.first_row);
        }
        step
    }

    /// The same with what was sampled for each conversation's answer.
    #[must_use]
    pub fn drawn(mut self, drawn: impl IntoIterator<Item = u32>) -> Self {
        for (seat, drawn) in self.seats.iter_mut().zip(drawn) {
            seat.drawn = drawn;
        }
        self
    }

    /// Positions of all tokens; where the conversation of each ends.
    fn positions(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..self.tokens).map(|t| match self.together {
            0 => {
                let [first, ..] = self.seats;
                (first.position + t, first.position + self.tokens)
            }
            _ => {
                let position = self.seats[t as usize % MOST_TOGETHER].position;
                (position, position + 1)
            }
        })
    }

    /// Tokens: all, or those whose logits are wanted.
    const fn wanted(&self, wanted_only: bool) -> u32 {
        if wanted_only {
            self.tokens - self.first_token
        } else {
            self.tokens
        }
    }
}

/// How many workgroups a dispatch has, by step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// (x, y) for the rows, z for the tokens, `tokens_each` at a time.
    Rows {
        /// Workgroups in x and y.
        xy: [u32; 2],
        /// Tokens a workgroup takes.
        tokens_each: u32,
        /// Only the tokens whose logits are wanted.
        wanted_only: bool,
    },
    /// Units of rows for some tokens, then for the next ones; an invocation each.
    Units {
        /// Units of rows.
        units: u32,
        /// Tokens a unit takes.
        tokens_each: u32,
        /// Only the tokens whose logits are wanted.
        wanted_only: bool,
        /// Invocations of a workgroup.
        workgroup: u32,
        /// Most workgroups in x.
        line: u32,
    },
    /// Invocations in a line: so many a token.
    Flat {
        /// Invocations a token.
        per_token: u32,
        /// Invocations of a workgroup.
        workgroup: u32,
    },
    /// x workgroups for each token, tokens in y.
    Tokens {
        /// Workgroups of a token.
        x: u32,
        /// Only the tokens whose logits are wanted.
        wanted_only: bool,
    },
    /// x workgroups for each tile of rows, tiles in y.
    Tiles {
        /// Workgroups of a tile.
        x: u32,
        /// Rows of a token.
        rows_each_token: u32,
        /// Rows of a tile.
        rows: u32,
    },
    /// x workgroups a part of the keys and token, parts in y, tokens in z.
    Parts {
        /// Workgroups of a part and token.
        x: u32,
        /// One for all parts of a token; nothing to do where each has one.
        merge: bool,
        /// Which positions a token sees.
        span: Span,
    },
}

impl Grid {
    /// Workgroups of a step; a 0 means nothing to do.
    #[must_use]
    pub fn workgroups(self, step: &Step) -> [u32; 3] {
        match self {
            Self::Rows {
                xy,
                tokens_each,
                wanted_only,
            } => {
                let tiles = step.wanted(wanted_only).div_ceil(tokens_each);
                [xy[0], xy[1], tiles]
            }
            Self::Units {
                units,
                tokens_each,
                wanted_only,
                workgroup,
                line,
            } => {
                let tiles = step.wanted(wanted_only).div_ceil(tokens_each);
                let groups = (units * tiles).div_ceil(workgroup);
                let x = if groups < line { groups } else { line };
                [x, groups.div_ceil(line), 1]
            }
            Self::Flat {
                per_token,
                workgroup,
            } => [(step.tokens * per_token).div_ceil(workgroup), 1, 1],
            Self::Tiles {
                x,
                rows_each_token,
                rows,
            } => [x, (step.tokens * rows_each_token).div_ceil(rows), 1],
            Self::Tokens { x, wanted_only } => [x, step.wanted(wanted_only), 1],
            Self::Parts { x, merge, span } => {
                let parts = attention::most_parts(step.positions(), span);
                match (merge, parts) {
                    (true, 1) => [0; 3],
                    (true, _) => [x, 1, step.tokens],
                    (false, _) => [x, parts, step.tokens],
                }
            }
        }
    }
}

/// Most workgroups of a dimension on every device.
pub(crate) const LINE: u32 = 65_535;

/// Workgroups in x and y for `count` of them.
#[must_use]
pub fn lines(count: u32) -> [u32; 2] {
    let y = count.div_ceil(LINE).max(1);
    [count.div_ceil(y), y]
}

/// Constants of a matrix's shape.
pub(crate) fn shape(cols: usize) -> [(&'static str, u32); 2] {
    [
        ("COLS", to_u32(cols)),
        ("BLOCKS", to_u32(cols.div_ceil(BLOCK_LEN))),
    ]
}

/// Sizes were bounded when the config was read.
#[expect(clippy::cast_possible_truncation, reason = "bounded by ModelConfig")]
pub(crate) const fn to_u32(value: usize) -> u32 {
    value as u32
}

/// The modules that every kernel with weights begins with.
pub(crate) fn weight_modules(format: &Format, precision: Precision) -> Vec<String> {
    let mut modules = vec![
        format!("lib/real_{}", precision.name()),
        "lib/raw".to_owned(),
        format!("quant/{}", format.plain().name),
    ];
    modules.extend(format.integers.then(|| "lib/ints".to_owned()));
    modules.extend(format.modules.iter().map(|&module| module.to_owned()));
    modules
}

/// What every kernel with weights binds of them.
pub(crate) fn weight_slots(format: &Format, matrix: MatrixIx, part: usize) -> Vec<Slot> {
    let planes = 0..format.planes.len();
    let mut slots: Vec<_> = planes
        .map(|plane| Slot::Plane {
            matrix,
            part,
            plane,
        })
        .collect();
    slots.extend((!(format.table)().is_empty()).then_some(Slot::Table(matrix)));
    slots
}

impl Setting<'_> {
    /// What writes to the residual stream does for its reader: modules and bindings.
    pub(crate) fn output(&self, out: ActivationIx, next: Option<VectorIx>) -> Output {
        match next {
            Some(gain) => Output {
                modules: &["lib/vectors", "lib/output_norm"],
                slots: vec![Slot::Vectors, Slot::NormedOut(out)],
                gain: self.gains[gain],
            },
            None => Output {
                modules: &["lib/output_plain"],
                slots: Vec::new(),
                gain: 0,
            },
        }
    }

    /// What is added to rows of a projection.
    pub(crate) fn bias(&self, bias: Option<VectorIx>) -> Bias {
        match bias {
            Some(bias) => Bias {
                modules: &["lib/own_vector", "lib/bias"],
                constant: Some(self.own4(bias)),
                slot: Some(Slot::Own(bias)),
            },
            None => Bias {
                modules: &["lib/bias_none"],
                constant: None,
                slot: None,
            },
        }
    }

    /// A vector of an op's own: how many vec4s it has.
    pub(crate) fn own4(&self, vector: VectorIx) -> (&'static str, u32) {
        ("OWN4", to_u32(self.graph.vectors[vector].len.div_ceil(4)))
    }

    /// The experts that tokens use, of `rows` rows each: constants and binding.
    pub(crate) fn chosen(&self, chosen: ActivationIx, used: usize, rows: usize) -> Chosen {
        let vec4s = (self.max_tokens * used).div_ceil(2);
        Chosen {
            constants: [
                ("USED", to_u32(used)),
                ("EXPERT_ROWS", to_u32(rows)),
                ("CHOSEN4", to_u32(vec4s)),
            ],
            slot: Slot::Chosen(chosen, vec4s as u64 * 16),
        }
    }

    /// How queries and keys rotate: modules, constants and bindings.
    pub(crate) fn rotation(&self, rope: Option<RopeIx>) -> Rotation {
        match rope {
            Some(ix) => Rotation {
                module: "lib/rotate",
                constant: Some(("ROPE_DIMS", self.graph.ropes[ix].dims)),
                slot: Some(Slot::Rope(ix)),
            },
            None => Rotation {
                module: "lib/rotate_none",
                constant: None,
                slot: None,
            },
        }
    }

    /// The modules that load from the KV cache.
    pub(crate) const fn kv_load(&self) -> &'static [&'static str] {
        match self.kv {
            KvType::F16 => &["lib/kv", "lib/kv_load_f16"],
            KvType::F32 => &["lib/kv", "lib/kv_load_f32"],
            KvType::Q8 => &["lib/kv", "lib/kv_q8", "lib/kv_load_q8"],
        }
    }

    /// The modules that store keys and values.
    pub(crate) const fn kv_store(&self) -> &'static [&'static str] {
        match self.kv {
            KvType::F16 => &["lib/kv", "lib/kv_store_f16"],
            KvType::F32 => &["lib/kv", "lib/kv_store_f32"],
            KvType::Q8 => &["lib/kv_store_fresh"],
        }
    }

    /// Where they store them.
    pub(crate) const fn kv_slot(&self, layer: usize) -> Slot {
        match self.kv {
            KvType::F16 | KvType::F32 => Slot::Kv(layer),
            KvType::Q8 => Slot::FreshKv,
        }
    }

    /// Constants of the KV cache's shape.
    pub(crate) fn kv_constants(&self, heads: usize) -> [(&'static str, u32); 6] {
        let kv = self.graph.kv;
        [
            ("HEADS", to_u32(heads)),
            ("KV_HEADS", to_u32(kv.heads)),
            ("HEAD_DIM", to_u32(kv.head_dim)),
            ("VALUE_DIM", to_u32(kv.value_dim)),
            ("VALUES_APART", to_u32(kv.planes() - 1)),
            ("KV_BLOCK", to_u32(kv_block(kv.head_dim))),
        ]
    }
}

/// See [`Setting::output`].
pub(crate) struct Output {
    pub(crate) modules: &'static [&'static str],
    pub(crate) slots: Vec<Slot>,
    pub(crate) gain: u32,
}

/// See [`Setting::bias`].
pub(crate) struct Bias {
    pub(crate) modules: &'static [&'static str],
    pub(crate) constant: Option<(&'static str, u32)>,
    pub(crate) slot: Option<Slot>,
}

/// See [`Setting::rotation`].
pub(crate) struct Rotation {
    pub(crate) module: &'static str,
    pub(crate) constant: Option<(&'static str, u32)>,
    pub(crate) slot: Option<Slot>,
}

/// See [`Setting::chosen`].
pub(crate) struct Chosen {
    pub(crate) constants: [(&'static str, u32); 3],
    pub(crate) slot: Slot,
}

/// The modules of what comes through a gate.
pub(crate) const fn gate_modules(gate: Gate) -> &'static [&'static str] {
    match gate {
        Gate::Silu => &["lib/gate_silu"],
        Gate::GeluTanh => &["lib/tanh", "lib/gate_gelu_tanh"],
        Gate::ClampedSwish => &["lib/gate_clamped_swish"],
    }
}

/// The module of what is done to each element.
pub(crate) const fn act_module(activate: Option<Activate>) -> &'static str {
    match activate {
        Some(Activate::Gelu) => "lib/act_gelu",
        None => "lib/act_none",
    }
}

/// The modules of what is added to rows of experts, behind those of the output.
pub(crate) fn expert_bias_modules(
    bias: Option<VectorIx>,
    output: &[&'static str],
) -> Vec<&'static str> {
    let mut modules = output.to_vec();
    match bias {
        Some(_) if output.contains(&"lib/vectors") => modules.push("lib/expert_bias"),
        Some(_) => modules.extend(["lib/vectors", "lib/expert_bias"]),
        None => modules.push("lib/expert_bias_none"),
    }
    modules
}

/// The modules of a bound.
pub(crate) const fn cap_modules(cap: Option<f32>) -> &'static [&'static str] {
    match cap {
        Some(_) => &["lib/tanh", "lib/cap_tanh"],
        None => &["lib/cap_none"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_enough_and_hold_all() {
        for count in [0, 1, 65_535, 65_536, 75_968, 131_071, 10_000_000] {
            let [x, y] = lines(count);
            assert!(x <= 65_535 && y <= 65_535, "{count}: {x} × {y}");
            assert!(
                u64::from(x) * u64::from(y) >= u64::from(count),
                "{count}: {x} × {y}"
            );
            assert!(
                u64::from(x) * u64::from(y) < u64::from(count) + u64::from(y.max(1)),
                "{count}: {x} × {y}"
            );
        }
    }
}
