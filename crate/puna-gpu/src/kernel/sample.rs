//! Host half of `shaders/kernel/sample.wgsl`.

use bytemuck::{Pod, Zeroable};
use puna_core::places::MOST_TOGETHER;
use puna_core::sampler::SamplingParams;

use super::SEATS;
use super::penalize::SLICE;
use crate::shader::binding;
use crate::shader::variant::{Precision, Variant};

/// Invocations of the one workgroup: one a digit of a key.
pub const WORKGROUP: u32 = 256;
/// Draws whose tokens are kept for the CPU to read.
pub const RING: u32 = 64;
/// Set in the token of a draw whose largest logit is not a number.
pub const UNUSABLE: u32 = 1 << 31;

const BIAS: u32 = 1;
const PENALTIES: u32 = 2;
const MASK: u32 = 4;
const GREEDY: u32 = 8;
const TOP_K: u32 = 16;
const TOP_P: u32 = 32;

/// The word of `seen` of a token that was seen, `count` times in the answer.
#[must_use]
pub const fn seen(count: u32) -> u32 {
    count | 1 << 31
}

/// `Params` of `shaders/lib/sampling.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct SampleParams {
    /// V, tokens that there are.
    pub vocab: u32,
    /// Which steps are taken.
    pub flags: u32,
    /// Divides positive and multiplies negative logits of tokens that were seen.
    pub repetition: f32,
    /// Subtracted once for each time that a token is in the answer.
    pub frequency: f32,
    /// Subtracted once.
    pub presence: f32,
    /// Divides logits.
    pub temperature: f32,
    /// Tokens that stay, 1 to V - 1.
    pub top_k: u32,
    /// Share of all weights that stays, in 2^-32.
    pub top_p: u32,
    /// Smallest weight that stays; the largest is 1.
    pub min_p: f32,
    /// Low half of the seed.
    pub seed_low: u32,
    /// High half of the seed.
    pub seed_high: u32,
    /// To a multiple of 16 bytes.
    pub padding: u32,
}

/// Of an answer of each seat.
pub type Settings = [SampleParams; MOST_TOGETHER];

impl SampleParams {
    /// What `params` ask for, among `vocab` tokens.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "halves of a seed; a share from 0 to 1, in 2^-32"
    )]
    pub fn new(params: &SamplingParams, vocab: u32) -> Self {
        let flags = [
            (BIAS, !params.logit_bias.is_empty()),
            (PENALTIES, params.has_penalties()),
            (GREEDY, params.is_greedy()),
            (TOP_K, (1..vocab).contains(&params.top_k)),
            (TOP_P, params.top_p < 1.0),
        ];
        Self {
            vocab,
            flags: flags
                .iter()
                .map(|&(flag, is_set)| if is_set { flag } else { 0 })
                .sum(),
            repetition: params.repetition_penalty,
            frequency: params.frequency_penalty,
            presence: params.presence_penalty,
            temperature: params.temperature,
            top_k: params.top_k,
            top_p: (f64::from(params.top_p) * 4_294_967_296.0) as u32,
            min_p: params.min_p,
            seed_low: params.seed as u32,
            seed_high: (params.seed >> 32) as u32,
            padding: 0,
        }
    }

    /// The same where some tokens are forbidden.
    #[must_use]
    pub const fn masked(self) -> Self {
        Self {
            flags: self.flags | MASK,
            ..self
        }
    }

    /// Whether some tokens are forbidden.
    #[must_use]
    pub const fn is_masked(&self) -> bool {
        self.flags & MASK != 0
    }

    /// Whether the biases are added.
    #[must_use]
    pub const fn has_bias(&self) -> bool {
        self.flags & BIAS != 0
    }

    /// Whether tokens that were seen are penalized.
    #[must_use]
    pub const fn has_penalties(&self) -> bool {
        self.flags & PENALTIES != 0
    }
}

/// The pipeline for logits of `rows` tokens.
#[must_use]
pub fn variant(rows: u32) -> Variant {
    let modules = [
        "lib/step",
        "lib/sampling",
        "lib/philox",
        "lib/fixed",
        "kernel/sample",
    ];
    Variant {
        kernel: "sample",
        modules: modules.map(str::to_owned).to_vec(),
        constants: vec![
            ("WORKGROUP", WORKGROUP),
            ("SLICES", rows.div_ceil(SLICE)),
            ("ROWS", rows),
            ("SEATS", SEATS),
            ("RING", RING),
        ],
        bindings: vec![
            binding::PARAMS,
            binding::OUT,
            binding::SEEN,
            binding::BEST,
            binding::NEXT,
            binding::NEXT_ID,
            binding::EMITTED,
        ],
        precision: Precision::F32,
        subgroups: false,
    }
}
