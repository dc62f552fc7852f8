//! Twin of `shaders/kernel/penalize.wgsl`.

use crate::sampler::SamplingParams;

/// In a word of `seen`: the token is in the prompt. The other bits count how often it is in the answer.
pub const IN_PROMPT: u32 = 1 << 31;
/// The logit of a token that the mask forbids.
pub const FORBIDDEN: f32 = -3.0e38;

/// Bias, penalties and mask on logits (V,), in place. `seen` (V,) as [`IN_PROMPT`] says; of `allowed`, if given,
/// bit i % 32 of word i / 32 is set where token i may be chosen.
#[expect(
    clippy::cast_precision_loss,
    reason = "an answer has far fewer than 2^24 tokens"
)]
pub fn penalize(
    logits: &mut [f32],
    seen: &[u32],
    allowed: Option<&[u32]>,
    params: &SamplingParams,
) {
    for (id, bias) in &params.logit_bias {
        logits[*id as usize] += bias;
    }
    for (id, logit) in logits.iter_mut().enumerate() {
        if seen[id] != 0 {
            *logit = if *logit > 0.0 {
                *logit / params.repetition_penalty
            } else {
                *logit * params.repetition_penalty
            };
        }
        let count = seen[id] & !IN_PROMPT;
        if count > 0 {
            *logit -= count as f32 * params.frequency_penalty + params.presence_penalty;
        }
        if allowed.is_some_and(|allowed| allowed[id / 32] >> (id % 32) & 1 == 0) {
            *logit = FORBIDDEN;
        }
    }
}

/// The best of each `slice` of the logits: the token of the largest one, the first of equals.
#[must_use]
pub fn best(logits: &[f32], slice: usize) -> Vec<usize> {
    let first_of_best = |(ix, part): (usize, &[f32])| {
        let best =
            (1..part.len()).fold(0, |best, id| if part[id] > part[best] { id } else { best });
        ix * slice + best
    };
    logits
        .chunks(slice)
        .enumerate()
        .map(first_of_best)
        .collect()
}
