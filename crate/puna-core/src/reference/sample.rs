//! Twin of `shaders/kernel/sample.wgsl`: what `sampler` does behind the penalties, with everything sorted and nothing
//! clever.

use std::cmp::Ordering;

use crate::sampler::{SamplingParams, philox};

/// The token that is drawn from logits (V,) as draw `drawn` of an answer.
#[must_use]
pub fn sample(logits: &[f32], params: &SamplingParams, drawn: u32) -> usize {
    let random = f64::from(philox::random(params.seed, drawn)) / 4_294_967_296.0;
    sample_at(logits, params, random)
}

/// As [`sample`], `random` from 0 to 1 in place of the seed's number.
#[must_use]
pub fn sample_at(logits: &[f32], params: &SamplingParams, random: f64) -> usize {
    let rank =
        |a: &usize, b: &usize| -> Ordering { logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)) };
    let mut kept: Vec<usize> = (0..logits.len()).collect();
    kept.sort_by(rank);
    let best = kept[0];
    if params.is_greedy() {
        return best;
    }
    let weight = |id: usize| {
        let below = f64::from(logits[id]) - f64::from(logits[best]);
        (below / f64::from(params.temperature)).exp()
    };
    if params.top_k > 0 {
        kept.truncate(params.top_k as usize);
    }
    if params.top_p < 1.0 {
        let wanted = f64::from(params.top_p) * kept.iter().map(|&id| weight(id)).sum::<f64>();
        let mut so_far = 0.0;
        let enough = kept.iter().position(|&id| {
            so_far += weight(id);
            so_far >= wanted
        });
        kept.truncate(enough.map_or(kept.len(), |at| at + 1));
    }
    kept.retain(|&id| id == best || weight(id) >= f64::from(params.min_p));
    kept.sort_unstable();
    let goal = random * kept.iter().map(|&id| weight(id)).sum::<f64>();
    let mut so_far = 0.0;
    let drawn = kept.into_iter().find(|&id| {
        so_far += weight(id);
        goal < so_far
    });
    drawn.unwrap_or(best)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::guide::allows;
    use crate::random::Random;
    use crate::reference::penalize::{IN_PROMPT, penalize};
    use crate::sampler::Sampler;

    /// Settings that use everything, each alone and with others.
    fn params(ix: usize, seed: u64) -> SamplingParams {
        let pick = |period: usize, values: &[f32]| values[ix / period % values.len()];
        SamplingParams {
            temperature: pick(1, &[0.7, 0.0, 1.0, 1.9]),
            top_k: if ix % 3 == 1 { 12 } else { 0 },
            top_p: pick(2, &[1.0, 0.9, 0.3]),
            min_p: pick(3, &[0.0, 0.05]),
            repetition_penalty: pick(5, &[1.0, 1.3]),
            presence_penalty: pick(7, &[0.0, 0.4]),
            frequency_penalty: pick(11, &[0.0, 0.2]),
            logit_bias: if ix.is_multiple_of(2) {
                vec![(3, 1.5), (8, -9.0)]
            } else {
                Vec::new()
            },
            seed,
        }
    }

    #[test]
    fn the_plain_way_and_the_sampler_choose_alike() {
        const VOCAB: usize = 200;
        for ix in 0..600 {
            let params = params(ix, ix as u64);
            let mut random = Random(ix as u64);
            let unit = |random: &mut Random| random.word() as f32 / 2_147_483_648.0 - 1.0;
            let mut logits: Vec<f32> = (0..VOCAB).map(|_| unit(&mut random) * 8.0).collect();
            // Some equals among the best.
            for id in [17, 60, 61, 199] {
                logits[id] = 7.5;
            }
            let mut sampler = Sampler::new(params.clone(), VOCAB).unwrap();
            let mut seen = vec![0; VOCAB];
            for id in [5, 17, 60] {
                sampler.accept_prompt(&[id]);
                seen[id as usize] |= IN_PROMPT;
            }
            for id in [5, 5, 99] {
                sampler.accept(id);
                seen[id as usize] += 1;
            }
            // Every other time some are forbidden, the best of them among those.
            let mut allowed = [0_u32; VOCAB.div_ceil(32)];
            for word in &mut allowed {
                *word = random.word() << 1;
            }
            let allowed = (ix % 2 == 1).then_some(allowed.as_slice());
            let mut penalized = logits.clone();
            penalize(&mut penalized, &seen, allowed, &params);
            let plain = sample(&penalized, &params, 3);
            let got = sampler.sample(&mut logits, allowed).unwrap();
            assert!(allowed.is_none_or(|it| allows(it, got)), "{params:?}");
            assert_eq!(got as usize, plain, "{params:?}");
            assert_eq!(logits, penalized, "{params:?}");
        }
    }
}
