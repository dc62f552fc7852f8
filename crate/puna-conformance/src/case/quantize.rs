//! Cases of `quantize`.

use puna_core::quant::{BLOCK_LEN, Format};
use puna_core::reference;
use puna_gpu::kernel::quantize::{QuantizeParams, variant};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{Case, Dispatch, Kv, Products, Wanted, words, words_of};
use crate::data::Random;

/// Weights that are half way between two numbers become 0: a device divides a little otherwise than another.
fn keep_off_ties(format: &Format, stored: &Format, block: &mut [u8]) {
    let weights: Vec<f32> = stored.values(block).collect();
    let farthest = weights.iter().fold(0.0_f32, |far, w| far.max(w.abs()));
    let steps = if format.name == "q8_0" { 127.0 } else { 8.0 };
    let values = block.chunks_exact_mut(stored.value_bytes);
    for (w, bytes) in weights.iter().zip(values) {
        let exact = w / farthest.max(f32::MIN_POSITIVE) * steps;
        if (exact.abs().fract() - 0.5).abs() < 1e-3 {
            bytes.fill(0);
        }
    }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    // An odd number of blocks, and more than a workgroup has; one block is of zeros.
    for (name, stored, blocks) in [
        ("q8_0", "f32", 5),
        ("q8_0", "bf16", 150),
        ("q4_0", "bf16", 5),
        ("q4_0", "f16", 150),
    ] {
        let [format, stored] =
            [name, stored].map(|name| Format::named(name).expect("a format of the registry"));
        let mut random = Random(1200 + cases.len() as u32);
        let mut bytes = vec![0; stored.row_bytes(blocks * BLOCK_LEN)];
        stored.sample_row(&mut || random.word(), &mut bytes);
        bytes[stored.block_bytes..2 * stored.block_bytes].fill(0);
        for block in bytes.chunks_exact_mut(stored.block_bytes) {
            keep_off_ties(format, stored, block);
        }
        let weights: Vec<f32> = stored.values(&bytes).collect();
        let mut want = reference::quantize::quantize(format, &weights);
        want.resize(want.len().next_multiple_of(4), 0);
        // Behind other bytes of the chunk, at an odd place where floats have two.
        let raw_at = 8 + stored.value_bytes;
        let params = QuantizeParams::new(stored, raw_at as u32, bytes.len() as u32);
        let mut raw = vec![0x5a; raw_at];
        raw.extend(bytes);
        raw.resize(raw.len().next_multiple_of(4) + 4, 0);
        let mut want = words_of(&want);
        // The last pair's second block is none: zeros.
        let words_of_pairs = blocks.div_ceil(2) * 2 * format.block_bytes / 4;
        want.resize(words_of_pairs, 0);
        let [x, y] = params.workgroups();
        cases.push(Case {
            name: format!("quantize {} → {name} {blocks}", stored.name),
            kernel: "quantize",
            products: Products::F32,
            kv: Kv(KvType::F32),
            magnitude: 0.0,
            exact: true,
            buffers: vec![
                (binding::OUT, vec![7; want.len()]),
                (binding::RAW, words_of(&raw)),
            ],
            step: words([0; 4]),
            dispatches: vec![Dispatch {
                variant: variant(format),
                params: bytemuck::bytes_of(&params).to_vec(),
                workgroups: [x, y, 1],
            }],
            wanted: vec![Wanted::Words(binding::OUT, want)],
        });
    }
    cases
}
