//! Cases of `penalize`.

use puna_core::reference::penalize::{IN_PROMPT, best, penalize};
use puna_core::sampler::SamplingParams;
use puna_gpu::kernel::penalize::{SLICE, variant};
use puna_gpu::kernel::sample::SampleParams;
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
            cases.push(case(label, params, vocab, masked, cases.len() as u32));
        }
    }
    cases
}

fn case(label: &str, params: &SamplingParams, vocab: u32, masked: bool, seed: u32) -> Case {
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
    let slices = vocab.div_ceil(SLICE);
    Case {
        name: format!("penalize {label} V {vocab}"),
        kernel: "penalize",
        products: Products::F32,
        kv: Kv(KvType::F32),
        magnitude: 0.0,
        // All values are sums and products of small multiples of powers of two.
        exact: true,
        buffers: vec![
            (binding::OUT, bits(&logits)),
            (binding::SEEN, seen),
            (binding::BIAS, bits(&bias)),
            (binding::ALLOWED, allowed),
            (binding::BEST, vec![0; slices as usize * 2]),
        ],
        step: words([0; 8]),
        dispatches: vec![Dispatch {
            variant: variant(),
            params: bytemuck::bytes_of(&gpu).to_vec(),
            workgroups: [slices, 1, 1],
        }],
        wanted: vec![
            Wanted::Floats(binding::OUT, want),
            Wanted::Words(binding::BEST, winners),
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
