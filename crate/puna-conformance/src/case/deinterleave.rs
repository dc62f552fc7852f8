//! Cases of `deinterleave`.

use puna_core::quant::INTERLEAVED;
use puna_core::reference;
use puna_gpu::kernel::deinterleave::{DeinterleaveParams, variant};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{Case, Dispatch, Kv, Products, Wanted, words, words_of};
use crate::data::Random;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (seed, format) in INTERLEAVED.iter().enumerate() {
        // Behind other bytes of the chunk; two groups.
        let raw_at = 40;
        let cols = 3 * format.block_len;
        let mut random = Random(800 + seed as u32);
        let bytes = 2 * format.rows_together() * format.row_bytes(cols);
        let mut raw: Vec<u8> = (0..bytes).map(|_| random.word() as u8).collect();
        let interleaving = format.interleaving.expect("of the list of them");
        let mut want = reference::deinterleave::deinterleave(format, &raw, cols);
        let params = DeinterleaveParams::new(format, cols, raw_at, bytes as u32);
        for bytes in [&mut raw, &mut want] {
            bytes.splice(0..0, [7; 40]);
        }
        let [x, y] = params.workgroups();
        cases.push(Case {
            name: format!("deinterleave {} K {cols}", format.name),
            kernel: "deinterleave",
            products: Products::F32,
            kv: Kv(KvType::F32),
            magnitude: 0.0,
            exact: true,
            buffers: vec![
                (binding::X, interleaving.sources()),
                (binding::OUT, vec![0x0707_0707; want.len() / 4]),
                (binding::RAW, words_of(&raw)),
            ],
            step: words([0; 4]),
            dispatches: vec![Dispatch {
                variant: variant(),
                params: bytemuck::bytes_of(&params).to_vec(),
                workgroups: [x, y, 1],
            }],
            wanted: vec![Wanted::Words(binding::OUT, words_of(&want))],
        });
    }
    cases
}
