//! Cases of `place`.

use puna_core::graph::{Halves, Source};
use puna_core::quant::FORMATS;
use puna_core::reference;
use puna_gpu::kernel::place::{self, PlaceParams};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::WORKGROUP;

use super::{Case, Dispatch, Kv, Products, Wanted, words, words_of};
use crate::data::Random;

/// Elements of the vector, and those of the source among them.
const LEN: usize = 200;
const FIRST: usize = 7;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let heads = Some(Halves {
        head_dim: 12,
        rotated: 8,
    });
    // All of the source at once, and a piece of it; with pairs side by side, and in halves; of each type; every other element.
    for (from, count, halves, name, offset, row_step) in [
        (0, 1, None, "f32", 0.0, 1),
        (5, 130, None, "bf16", 1.0, 1),
        (5, 60, None, "f32", 0.0, 2),
        (0, 144, heads, "f16", 0.0, 1),
        (13, 70, heads, "f32", 1.0, 1),
        (13, 71, heads, "bf16", 0.0, 1),
    ] {
        let format = FORMATS.iter().find(|format| format.name == name);
        let format = format.expect("a format of floats");
        let mut random = Random(1000 + cases.len() as u32);
        let mut bytes = vec![0; format.row_bytes(160)];
        format.sample_row(&mut || random.word(), &mut bytes);
        bytes.truncate(count * format.value_bytes);
        let elements: Vec<f32> = format.values(&bytes).collect();
        // Behind other bytes of the chunk, at an odd place where elements have two.
        let skipped = 8 + format.value_bytes;
        let mut raw = vec![0x5a; skipped];
        raw.extend(bytes);
        raw.resize(raw.len().next_multiple_of(4) + 4, 0);
        let source = Source {
            first_row: FIRST,
            row_step,
            halves,
            ..Source::whole(0, 144)
        };
        let mut want = vec![7.0; LEN];
        reference::place::place(&elements, &source, from, offset, &mut want);
        let want = want.iter().map(|x| x.to_bits()).collect();
        let (head_dim, rotated) = halves.map_or((0, 0), |it| (it.head_dim, it.rotated));
        let params = PlaceParams {
            raw_at: skipped as u32,
            count: count as u32,
            skipped: from as u32,
            first: FIRST as u32,
            head_dim: head_dim as u32,
            rotated: rotated as u32,
            type_number: format.ggml_type,
            offset,
            row_step: row_step as u32,
            // In lines of one workgroup.
            grid_x: 1,
            padding: [0; 2],
        };
        cases.push(Case {
            name: format!(
                "place {name} {count} from {from} rotated {rotated} plus {offset} step {row_step}"
            ),
            kernel: "place",
            products: Products::F32,
            kv: Kv(KvType::F32),
            magnitude: 0.0,
            exact: true,
            buffers: vec![
                (binding::OUT, vec![7.0_f32.to_bits(); LEN]),
                (binding::RAW, words_of(&raw)),
            ],
            step: words([0; 4]),
            dispatches: vec![Dispatch {
                variant: place::variant(),
                params: bytemuck::bytes_of(&params).to_vec(),
                workgroups: [1, params.count.div_ceil(WORKGROUP), 1],
            }],
            wanted: vec![Wanted::Words(binding::OUT, want)],
        });
    }
    cases
}
