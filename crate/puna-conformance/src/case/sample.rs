//! Cases of `sample`.

use puna_core::reference::penalize::best;
use puna_core::reference::sample::{sample, sample_at};
use puna_core::sampler::{SamplingParams, philox};
use puna_gpu::kernel::Step;
use puna_gpu::kernel::penalize::SLICE;
use puna_gpu::kernel::sample::{RING, SampleParams, Settings, UNUSABLE, WORKGROUP, variant};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::penalize::key;
use super::{Case, Dispatch, Kv, Products, Wanted, apart, bits, words};
use crate::data::Random;

/// Largest error of a sum of weights, as a part of it: that of WGSL's `exp`, 2 · 32 units in the last place.
const ERROR: f64 = 1e-5;

pub(super) fn cases() -> Vec<Case> {
    let default = SamplingParams::default();
    let with = |top_k, top_p, min_p, temperature| SamplingParams {
        top_k,
        top_p,
        min_p,
        temperature,
        ..default.clone()
    };
    let settings = [
        SamplingParams::greedy(),
        default.clone(),
        with(0, 1.0, 0.0, 0.25),
        with(3, 1.0, 0.0, 1.0),
        with(0, 0.5, 0.0, 1.0),
        with(0, 0.0, 0.0, 1.0),
        with(0, 1.0, 0.1, 1.0),
        with(0, 1.0, 1.0, 1.0),
        with(40, 0.75, 0.0625, 1.5),
        with(7, 0.9, 0.0, 1e-30),
    ];
    let mut cases = Vec::new();
    // Below, on and above the workgroup; a prime; several slices.
    for vocab in [7, WORKGROUP, WORKGROUP + 1, 1031, 3 * SLICE + 5] {
        for params in &settings {
            for spread in [Spread::Ties, Spread::Peaked, Spread::Flat] {
                let answer = answer(params, vocab, spread, cases.len() as u32);
                cases.push(case(&[answer], Step::new(&90.into(), 13, 160, 1)));
            }
        }
    }
    cases.push(unusable());
    // Each seat has settings, logits and a past of its own.
    for vocab in [7, 1031] {
        let seats = settings.iter().step_by(2).zip(500..);
        let answers: Vec<_> = seats
            .map(|(params, number)| answer(params, vocab, Spread::Peaked, number))
            .collect();
        cases.push(case(&answers, Step::new(&apart(5), 5, 160, 5)));
    }
    cases
}

/// The answer of a seat, and what is drawn for it.
struct Answer {
    name: String,
    logits: Vec<f32>,
    params: SamplingParams,
    drawn: u32,
    /// The token, and the one that is told.
    drew: [u32; 2],
}

/// What the logits are like.
#[derive(Clone, Copy, Debug)]
enum Spread {
    /// Few different values, so that cuts fall among equals.
    Ties,
    /// Some likely ones and a long tail.
    Peaked,
    /// All about as likely.
    Flat,
}

fn answer(params: &SamplingParams, vocab: u32, spread: Spread, number: u32) -> Answer {
    let mut random = Random(800 + number);
    let logits: Vec<f32> = (0..vocab)
        .map(|_| match spread {
            Spread::Ties => f32::from(random.word() as u8 % 9) - 4.0,
            Spread::Peaked => 20.0 * random.unit().powi(5),
            Spread::Flat => 0.5 * random.unit(),
        })
        .collect();
    // Not a seed whose number, or a share whose cut, is so near to another token that the last bits of an
    // exponential decide.
    let mut params = params.clone();
    params.seed = u64::from(random.word()) << 24;
    let drawn = number * 29;
    let is_clear = |params: &SamplingParams| {
        let number = f64::from(philox::random(params.seed, drawn)) / 4_294_967_296.0;
        let token = sample(&logits, params, drawn);
        let near = |number: f64, share: f32, smallest: f32| {
            let params = SamplingParams {
                top_p: if params.top_p < 1.0 { share } else { 1.0 },
                min_p: smallest,
                ..params.clone()
            };
            sample_at(&logits, &params, number) == token
        };
        let more = 1.0 + ERROR as f32;
        // Shares and smallest weights here are sums of powers of two: among equals they are met exactly.
        let exact = matches!(spread, Spread::Ties);
        near(number * (1.0 + ERROR), params.top_p, params.min_p)
            && near(number * (1.0 - ERROR), params.top_p, params.min_p)
            && (exact
                || near(number, params.top_p * more, params.min_p * more)
                    && near(number, params.top_p / more, params.min_p / more))
    };
    while !is_clear(&params) {
        params.seed += 1;
    }
    let token = sample(&logits, &params, drawn) as u32;
    Answer {
        name: format!("{params:?} {spread:?}"),
        logits,
        params,
        drawn,
        drew: [token, token],
    }
}

/// A logit that is not a number: the CPU is told.
fn unusable() -> Case {
    let mut logits = vec![0.5; 300];
    logits[77] = f32::NAN;
    let params = SamplingParams {
        top_p: 0.5,
        ..SamplingParams::default()
    };
    let answer = Answer {
        name: "no number".to_owned(),
        logits,
        params,
        drawn: 5,
        drew: [0; 2],
    };
    let mut case = case(&[answer], Step::new(&90.into(), 13, 160, 1));
    let broken = vec![u32::MAX, 77];
    for (binding, words) in &mut case.buffers {
        if *binding == binding::BEST {
            words.clone_from(&broken);
        }
    }
    let mut emitted = vec![7; RING as usize];
    emitted[5] = 77 | UNUSABLE;
    case.wanted = vec![Wanted::Words(binding::EMITTED, emitted)];
    case
}

/// `step` draws a token for each of these.
fn case(answers: &[Answer], step: Step) -> Case {
    let rows = answers[0].logits.len();
    let of_each = |words: &dyn Fn(&Answer) -> Vec<u32>| -> Vec<u32> {
        answers.iter().flat_map(words).collect()
    };
    let mut settings = Settings::default();
    for (own, answer) in settings.iter_mut().zip(answers) {
        *own = SampleParams::new(&answer.params, rows as u32);
    }
    let winners = of_each(&|answer| {
        let best = best(&answer.logits, SLICE as usize).into_iter();
        best.flat_map(|id| [key(answer.logits[id]), id as u32])
            .collect()
    });
    let step = step.drawn(answers.iter().map(|answer| answer.drawn));
    let mut after = step.drawn(answers.iter().map(|answer| answer.drawn + 1));
    if step.together == 0 {
        after.seats[0].position += step.tokens;
        (after.tokens, after.first_token) = (1, 0);
    } else {
        let seats = after.seats.iter_mut().take(answers.len());
        seats.for_each(|seat| seat.position += 1);
    }
    let rings = of_each(&|answer| {
        let mut ring = vec![7; RING as usize];
        ring[(answer.drawn % RING) as usize] = answer.drew[1];
        ring
    });
    let as_words = |step: &Step| bytemuck::cast_slice(bytemuck::bytes_of(step)).to_vec();
    let seen = vec![3; answers.len() * rows];
    Case {
        name: format!(
            "sample {} V {rows} seats {}",
            answers[0].name,
            answers.len()
        ),
        kernel: "sample",
        products: Products::F32,
        kv: Kv(KvType::F32),
        magnitude: 0.0,
        exact: true,
        buffers: vec![
            (binding::OUT, of_each(&|answer| bits(&answer.logits))),
            (binding::SEEN, seen.clone()),
            (binding::BEST, winners),
            (binding::NEXT, as_words(&step)),
            (binding::NEXT_ID, vec![7; answers.len()]),
            (binding::EMITTED, vec![7; rings.len()]),
        ],
        step: words([0; 8]),
        dispatches: vec![Dispatch {
            variant: variant(rows as u32),
            params: bytemuck::bytes_of(&settings).to_vec(),
            workgroups: [answers.len() as u32, 1, 1],
        }],
        wanted: vec![
            Wanted::Words(binding::EMITTED, rings),
            Wanted::Words(binding::NEXT_ID, of_each(&|answer| vec![answer.drew[0]])),
            Wanted::Words(binding::NEXT, as_words(&after)),
            // No penalties, no counting.
            Wanted::Words(binding::SEEN, seen),
        ],
    }
}
