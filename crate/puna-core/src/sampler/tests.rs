#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a test stops at the first surprise"
)]

use super::{Sampler, SamplingParams};
use crate::ErrorCode;

/// Logits of very different tokens, two of them equal.
const LOGITS: [f32; 8] = [0.5, 2.0, -1.0, 2.0, 3.0, -4.0, 1.0, 0.0];

fn sampler(params: SamplingParams) -> Sampler {
    Sampler::new(params, LOGITS.len()).unwrap()
}

/// How often each token is drawn over many seeds.
fn draws(params: &SamplingParams, seeds: u64) -> [u32; 8] {
    let mut counts = [0; 8];
    for seed in 0..seeds {
        let mut sampler = sampler(SamplingParams {
            seed,
            ..params.clone()
        });
        let id = sampler.sample(&mut LOGITS.clone(), None).unwrap();
        counts[id as usize] += 1;
    }
    counts
}

/// The probabilities that `kept` tokens have, computed by another route: f64 and the standard library.
fn softmax(temperature: f64, kept: &[usize]) -> [f64; 8] {
    let mut weights = [0.0; 8];
    for ix in kept {
        weights[*ix] = (f64::from(LOGITS[*ix]) / temperature).exp();
    }
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

/// The draws come from the distribution (χ², 99.9 % point) and from nowhere else.
#[track_caller]
fn check(params: SamplingParams, kept: &[usize]) {
    const SEEDS: u64 = 20_000;
    /// 99.9 % points for 0 to 7 degrees of freedom.
    const LIMITS: [f64; 8] = [1e-9, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32];
    let expected = softmax(f64::from(params.temperature), kept);
    let counts = draws(&params, SEEDS);
    let mut chi2 = 0.0;
    for (count, probability) in counts.iter().zip(expected) {
        let wanted = probability * SEEDS as f64;
        if wanted > 0.0 {
            chi2 += (f64::from(*count) - wanted).powi(2) / wanted;
        } else {
            assert_eq!(*count, 0, "a token that was filtered out: {counts:?}");
        }
    }
    let limit = LIMITS[kept.len() - 1];
    assert!(
        chi2 < limit,
        "χ² is {chi2}, at most {limit}: {counts:?} of {expected:?}"
    );
}

const ALL: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
const NEUTRAL: fn() -> SamplingParams = SamplingParams::default;

#[test]
fn draws_have_the_models_distribution() {
    check(NEUTRAL(), &ALL);
    check(
        SamplingParams {
            temperature: 0.5,
            ..NEUTRAL()
        },
        &ALL,
    );
    check(
        SamplingParams {
            temperature: 2.0,
            ..NEUTRAL()
        },
        &ALL,
    );
}

#[test]
fn top_k_keeps_the_likeliest() {
    let top_k = |top_k| SamplingParams {
        top_k,
        temperature: 2.0,
        ..NEUTRAL()
    };
    check(top_k(1), &[4]);
    check(top_k(2), &[4, 1]); // 1 and 3 are equal: the lower id stays
    check(top_k(3), &[4, 1, 3]);
    check(top_k(7), &[4, 1, 3, 6, 0, 7, 2]);
    check(top_k(8), &ALL);
    check(top_k(0), &ALL);
    check(top_k(u32::MAX), &ALL);
}

#[test]
fn top_p_keeps_the_shortest_beginning() {
    let top_p = |top_p| SamplingParams { top_p, ..NEUTRAL() };
    let p = softmax(1.0, &ALL);
    check(top_p(0.0), &[4]);
    check(top_p((p[4] - 1e-4) as f32), &[4]);
    check(top_p((p[4] + 1e-4) as f32), &[4, 1]);
    check(top_p((p[4] + p[1] + 1e-4) as f32), &[4, 1, 3]);
    check(top_p((1.0 - p[5] + 1e-4) as f32), &ALL);
    check(top_p(1.0), &ALL);
}

#[test]
fn min_p_is_relative_to_the_likeliest() {
    let min_p = |min_p| SamplingParams { min_p, ..NEUTRAL() };
    check(min_p(1.0), &[4]);
    check(min_p((-1.01_f32).exp()), &[4, 1, 3]);
    check(min_p((-0.99_f32).exp()), &[4]);
    check(min_p(0.0), &ALL);
}

#[test]
fn filters_work_on_what_the_one_before_left() {
    // Of the three likeliest, the first two have 1 and e^-1 of 1 + 2 e^-1: 78.8 %.
    let both = |top_p| SamplingParams {
        top_k: 3,
        top_p,
        ..NEUTRAL()
    };
    check(both(0.78), &[4, 1]);
    check(both(0.80), &[4, 1, 3]);
    // Temperature goes first: flatter weights need more tokens.
    check(
        SamplingParams {
            temperature: 4.0,
            top_p: 0.5,
            ..NEUTRAL()
        },
        &[4, 1, 3],
    );
    check(
        SamplingParams {
            temperature: 0.25,
            top_p: 0.5,
            ..NEUTRAL()
        },
        &[4],
    );
    check(
        SamplingParams {
            temperature: 2.0,
            top_p: 0.8,
            min_p: 0.5,
            ..NEUTRAL()
        },
        &[4, 1, 3],
    );
}

#[test]
fn temperature_zero_takes_the_first_of_the_largest() {
    let mut sampler = sampler(SamplingParams::greedy());
    assert_eq!(
        sampler.sample(&mut LOGITS.clone(), None).unwrap(),
        4,
        "the largest"
    );
    assert_eq!(
        sampler.sample(&mut [1.0, 2.0, 2.0], None).unwrap(),
        1,
        "the first of equals"
    );
    assert_eq!(
        sampler.sample(&mut [-3.0], None).unwrap(),
        0,
        "the only one"
    );
    for temperature in [1e-30, f32::MIN_POSITIVE, f32::from_bits(1)] {
        let counts = draws(
            &SamplingParams {
                temperature,
                ..NEUTRAL()
            },
            100,
        );
        assert_eq!(counts[4], 100, "temperature {temperature}: {counts:?}");
    }
}

#[test]
fn a_draw_depends_on_seed_and_step_alone() {
    let run = |seed, skip: u32| {
        let mut sampler = sampler(SamplingParams {
            seed,
            temperature: 2.0,
            ..NEUTRAL()
        });
        (0..skip).for_each(|_| sampler.accept(0));
        let mut step = || {
            let id = sampler.sample(&mut LOGITS.clone(), None).unwrap();
            sampler.accept(id);
            id
        };
        std::array::from_fn::<u32, 24, _>(|_| step())
    };
    assert_eq!(run(7, 0), run(7, 0), "the same seed");
    assert_ne!(run(7, 0), run(8, 0), "another seed");
    assert_eq!(run(7, 0)[5..], run(7, 5)[..19], "whatever was drawn before");
    // The tokens themselves: a change here is a change of every user's answers.
    assert_eq!(run(7, 0)[..12], EXPECTED, "since the first release");
}

/// Computed apart from this code, from the paper and the formulae of this module.
const EXPECTED: [u32; 12] = [7, 3, 0, 3, 2, 3, 4, 1, 0, 4, 4, 4];

#[test]
fn sampling_twice_without_accepting_gives_the_same_token() {
    let mut sampler = sampler(SamplingParams {
        temperature: 2.0,
        seed: 3,
        ..NEUTRAL()
    });
    let first = sampler.sample(&mut LOGITS.clone(), None).unwrap();
    assert_eq!(
        sampler.sample(&mut LOGITS.clone(), None).unwrap(),
        first,
        "nothing was accepted"
    );
}

/// The logits after bias and penalties, for a prompt [1, 2, 2] and an answer [4, 2, 4, 4].
#[track_caller]
fn adjusts(params: SamplingParams, changed: &[(usize, f32)]) {
    let mut sampler = sampler(SamplingParams {
        temperature: 0.0,
        ..params
    });
    sampler.accept_prompt(&[1, 2, 2]);
    [4, 2, 4, 4].into_iter().for_each(|id| sampler.accept(id));
    let mut expected = LOGITS;
    for (ix, logit) in changed {
        expected[*ix] = *logit;
    }
    let mut logits = LOGITS;
    sampler.sample(&mut logits, None).unwrap();
    assert_eq!(logits, expected, "{:?}", sampler.params);
}

#[test]
fn penalties_follow_their_formulae() {
    adjusts(NEUTRAL(), &[]);
    // Prompt and answer: 1, 2, 4; positive logits are divided, negative ones multiplied.
    adjusts(
        SamplingParams {
            repetition_penalty: 2.0,
            ..NEUTRAL()
        },
        &[(1, 1.0), (2, -2.0), (4, 1.5)],
    );
    // The answer alone: 2 once, 4 three times.
    adjusts(
        SamplingParams {
            presence_penalty: 0.5,
            ..NEUTRAL()
        },
        &[(2, -1.5), (4, 2.5)],
    );
    adjusts(
        SamplingParams {
            frequency_penalty: 0.5,
            ..NEUTRAL()
        },
        &[(2, -1.5), (4, 1.5)],
    );
    adjusts(
        SamplingParams {
            presence_penalty: -1.0,
            frequency_penalty: -0.5,
            ..NEUTRAL()
        },
        &[(2, 0.5), (4, 5.5)],
    );
    adjusts(
        SamplingParams {
            logit_bias: vec![(0, 100.0), (7, -100.0)],
            ..NEUTRAL()
        },
        &[(0, 100.5), (7, -100.0)],
    );
    // Bias first, then repetition, then the others.
    let all = SamplingParams {
        logit_bias: vec![(2, 3.0)],
        repetition_penalty: 2.0,
        presence_penalty: 0.25,
        ..NEUTRAL()
    };
    adjusts(all, &[(1, 1.0), (2, 0.75), (4, 1.25)]);
}

#[test]
fn a_bias_can_force_and_ban() {
    check(
        SamplingParams {
            logit_bias: vec![(4, -100.0)],
            top_k: 1,
            ..NEUTRAL()
        },
        &[1],
    );
    check(
        SamplingParams {
            logit_bias: vec![(5, 100.0)],
            ..NEUTRAL()
        },
        &[5],
    );
}

#[test]
fn broken_logits_are_an_error() {
    for params in [NEUTRAL(), SamplingParams::greedy()] {
        for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for ix in [0, 3, 7] {
                let mut logits = LOGITS;
                logits[ix] = broken;
                let error = sampler(params.clone())
                    .sample(&mut logits, None)
                    .unwrap_err();
                assert_eq!(error.code(), ErrorCode::Internal, "{error}");
                assert!(
                    error.message().contains(&format!("token {ix} is")),
                    "{error}"
                );
            }
        }
        let error = sampler(params).sample(&mut [], None).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Internal, "no logits: {error}");
    }
}

#[test]
fn extreme_logits_are_drawn_from_without_harm() {
    let mut sampler = sampler(SamplingParams {
        top_p: 0.9,
        ..NEUTRAL()
    });
    assert_eq!(
        sampler
            .sample(&mut [f32::MAX, f32::MIN, 0.0], None)
            .unwrap(),
        0,
        "all the weight"
    );
    assert!(
        sampler.sample(&mut [f32::MIN; 5], None).unwrap() < 5,
        "all equal"
    );
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    #[track_caller]
    fn refused(params: SamplingParams, param: &str) {
        let error = Sampler::new(params, 8).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidRequest, "{error}");
        assert_eq!(error.details()["param"], param, "{error}");
    }
    for bad in [-0.1, f32::NAN, f32::INFINITY] {
        refused(
            SamplingParams {
                temperature: bad,
                ..NEUTRAL()
            },
            "temperature",
        );
        refused(
            SamplingParams {
                top_p: bad,
                ..NEUTRAL()
            },
            "top_p",
        );
        refused(
            SamplingParams {
                min_p: bad,
                ..NEUTRAL()
            },
            "min_p",
        );
        refused(
            SamplingParams {
                repetition_penalty: bad,
                ..NEUTRAL()
            },
            "repetition_penalty",
        );
    }
    refused(
        SamplingParams {
            repetition_penalty: 0.0,
            ..NEUTRAL()
        },
        "repetition_penalty",
    );
    refused(
        SamplingParams {
            top_p: 1.1,
            ..NEUTRAL()
        },
        "top_p",
    );
    refused(
        SamplingParams {
            presence_penalty: f32::NAN,
            ..NEUTRAL()
        },
        "presence_penalty",
    );
    refused(
        SamplingParams {
            frequency_penalty: f32::INFINITY,
            ..NEUTRAL()
        },
        "frequency_penalty",
    );
    refused(
        SamplingParams {
            logit_bias: vec![(8, 1.0)],
            ..NEUTRAL()
        },
        "logit_bias",
    );
    refused(
        SamplingParams {
            logit_bias: vec![(0, f32::NAN)],
            ..NEUTRAL()
        },
        "logit_bias",
    );
}

/// On a vocabulary of usual size the partial ranking keeps what a full sort would.
#[test]
fn partial_ranking_agrees_with_a_full_sort() {
    let logits: Vec<f32> = (0..50_000_u32)
        .map(|id| (super::philox::random(9, id) >> 12) as f32 / 65_536.0)
        .collect();
    for (top_k, top_p, temperature) in [
        (0, 0.9, 1.0),
        (0, 0.5, 4.0),
        (300, 1.0, 1.0),
        (5000, 0.99, 3.0),
        (0, 0.999, 2.0),
    ] {
        let mut ranked: Vec<usize> = (0..logits.len()).collect();
        ranked.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)));
        ranked.truncate(if top_k == 0 { ranked.len() } else { top_k });
        let weight = |ix: &usize| ((f64::from(logits[*ix]) - 16.0) / temperature).exp();
        let sum: f64 = ranked.iter().map(weight).sum();
        let mut so_far = 0.0;
        let mut kept: Vec<u32> = Vec::new();
        for ix in &ranked {
            kept.push(*ix as u32);
            so_far += weight(ix);
            if so_far >= top_p * sum {
                break;
            }
        }
        kept.sort_unstable();
        let params = SamplingParams {
            top_k: top_k as u32,
            top_p: top_p as f32,
            temperature: temperature as f32,
            ..NEUTRAL()
        };
        let mut sampler = Sampler::new(params, logits.len()).unwrap();
        let id = sampler.sample(&mut logits.clone(), None).unwrap();
        let left: Vec<u32> = sampler
            .candidates
            .iter()
            .map(|candidate| candidate.id)
            .collect();
        let off = left.len().abs_diff(kept.len());
        assert!(off <= 1, "{} kept, {} expected", left.len(), kept.len());
        let common = left
            .iter()
            .filter(|id| kept.binary_search(id).is_ok())
            .count();
        assert!(
            common >= left.len().min(kept.len()),
            "one set is part of the other"
        );
        assert!(left.contains(&id), "what is drawn was kept");
    }
}

#[test]
fn tokens_of_the_prompt_and_of_the_answer_are_counted_once_each() {
    let mut sampler = sampler(SamplingParams {
        repetition_penalty: 1.5,
        ..SamplingParams::default()
    });
    for id in [5, 2, 5] {
        sampler.accept(id);
    }
    sampler.accept_prompt(&[7, 2, 0, 7]);
    sampler.accept(7);
    let seen: Vec<_> = sampler.seen().collect();
    assert_eq!(seen, [(0, 0), (2, 1), (5, 2), (7, 1)], "in order of ids");
}
