//! Cases of `penalize`.

use puna_core::reference::penalize::{IN_PROMPT, best, penalize};
use puna_core::sampler::SamplingParams;
use puna_gpu::kernel::penalize::{SLICE, variant};
use puna_gpu::kernel::sample::{SampleParams, Settings};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{Case, Dispatch, Kv, Products, Wanted, bits, words};
use crate::data::Random;

pub(super) fn cases() -> Vec<Case> {
    let bias = vec![(0, -2.5), (6, 4.0)];
    let penalties = SamplingParams {
        repetition_penalty: 2.0,
        frequency_penalty: 0.5,
        presence_penalty: -0.75,
        ..SamplingParams::default()
    };
    let both = SamplingParams {
        logit_bias: bias.clone(),
        ..penalties.clone()
    };
    let biased = SamplingParams {
        logit_bias: bias,
        ..SamplingParams::default()
    };
    let plain = SamplingParams::default();
    let mut cases = Vec::new();
    // Below and on a slice, a prime, and several slices.
    for vocab in [7, SLICE, 1031, 3 * SLICE + 5] {
        for (label, params, masked) in [
            ("plain", &plain, false),
            ("bias", &biased, false),
            ("penalties", &penalties, false),
            ("mask", &plain, true),
            ("all", &both, true),
        ] {
            let seat = seat(params, vocab, masked, cases.len() as u32);
            cases.push(case(label, vocab, &[seat]));
        }
    }
    // Each seat has settings, logits and a past of its own.
    for vocab in [7, SLICE + 33] {
        let seats = [(&both, false), (&plain, true), (&penalties, false)];
        let seats = seats
            .into_iter()
            .zip(50..)
            .map(|((params, masked), seed)| seat(params, vocab, masked, seed));
        cases.push(case("seats", vocab, &seats.collect::<Vec<_>>()));
    }
    cases
}

/// What a seat has, and what must come of it.
struct Seat {
    params: SampleParams,
    logits: Vec<f32>,
    seen: Vec<u32>,
    bias: Vec<f32>,
    allowed: Vec<u32>,
    want: Vec<f32>,
    winners: Vec<u32>,
}

fn seat(params: &SamplingParams, vocab: u32, masked: bool, seed: u32) -> Seat {
    let mut random = Random(700 + seed);
    // A few values, so that the best has equals.
    let logits: Vec<f32> = (0..vocab)
        .map(|_| f32::from(random.word() as u8 % 61) * 0.25 - 9.0)
        .collect();
    let seen: Vec<u32> = (0..vocab)
        .map(|_| match random.word() % 8 {
            0 => IN_PROMPT,
            1 => IN_PROMPT | (random.word() % 4),
            2 => random.word() % 4,
            _ => 0,
        })
        .collect();
    let allowed: Vec<u32> = (0..vocab.div_ceil(32)).map(|_| random.word()).collect();
    let mut bias = vec![0.0; vocab as usize];
    for &(id, value) in &params.logit_bias {
        bias[id as usize] = value;
    }
    let gpu = SampleParams::new(params, vocab);
    let gpu = if masked { gpu.masked() } else { gpu };
    let mut want = logits.clone();
    let unseen = vec![0; vocab as usize];
    penalize(
        &mut want,
        if gpu.has_penalties() { &seen } else { &unseen },
        masked.then_some(allowed.as_slice()),
        params,
    );
    let winners = best(&want, SLICE as usize).into_iter();
    let winners = winners.flat_map(|id| [key(want[id]), id as u32]).collect();
    Seat {
        params: gpu,
        logits,
        seen,
        bias,
        allowed,
        want,
        winners,
    }
}

fn case(label: &str, vocab: u32, seats: &[Seat]) -> Case {
    let slices = vocab.div_ceil(SLICE);
    let mut settings = Settings::default();
    for (own, seat) in settings.iter_mut().zip(seats) {
        *own = seat.params;
    }
    let of_each =
        |words: &dyn Fn(&Seat) -> Vec<u32>| -> Vec<u32> { seats.iter().flat_map(words).collect() };
    let want = seats.iter().flat_map(|seat| seat.want.clone()).collect();
    Case {
        name: format!("penalize {label} V {vocab}"),
        kernel: "penalize",
        products: Products::F32,
        kv: Kv(KvType::F32),
        magnitude: 0.0,
        // All values are sums and products of small multiples of powers of two.
        exact: true,
        buffers: vec![
            (binding::OUT, of_each(&|seat| bits(&seat.logits))),
            (binding::SEEN, of_each(&|seat| seat.seen.clone())),
            (binding::BIAS, of_each(&|seat| bits(&seat.bias))),
            (binding::ALLOWED, of_each(&|seat| seat.allowed.clone())),
            (binding::BEST, vec![0; seats.len() * slices as usize * 2]),
        ],
        step: words([0; 8]),
        dispatches: vec![Dispatch {
            variant: variant(vocab),
            params: bytemuck::bytes_of(&settings).to_vec(),
            workgroups: [slices, seats.len() as u32, 1],
        }],
        wanted: vec![
            Wanted::Floats(binding::OUT, want),
            Wanted::Words(binding::BEST, of_each(&|seat| seat.winners.clone())),
        ],
    }
}

/// A number that grows as the float does, for finite ones.
pub(super) fn key(logit: f32) -> u32 {
    let bits = logit.to_bits();
    if bits >> 31 == 0 {
        bits ^ (1 << 31)
    } else {
        !bits
    }
}
