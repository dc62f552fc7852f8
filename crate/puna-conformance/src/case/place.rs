//! Cases of `place`.

use puna_core::graph::{Halves, Source};
use puna_core::reference;
use puna_gpu::kernel::place::{self, PlaceParams};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::WORKGROUP;

use super::{Case, Dispatch, Kv, Products, Wanted, words};
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
    // All of the source at once, and a piece of it; with pairs side by side, and in halves.
    for (from, count, halves) in [
        (0, 1, None),
        (5, 130, None),
        (0, 144, heads),
        (13, 70, heads),
    ] {
        let elements = Random(1000 + cases.len() as u32).floats(count);
        // Behind other bytes of the chunk.
        let mut raw = vec![0x5afe_u32; 3];
        raw.extend(elements.iter().map(|x| x.to_bits()));
        raw.push(0);
        let source = Source {
            first_row: FIRST,
            halves,
            ..Source::whole(0, 144)
        };
        let mut want = vec![7; LEN];
        reference::place::place(&elements, &source, from, &mut want);
        let (head_dim, rotated) = halves.map_or((0, 0), |it| (it.head_dim, it.rotated));
        let params = PlaceParams {
            raw_at: 12,
            count: count as u32,
            skipped: from as u32,
            first: FIRST as u32,
            head_dim: head_dim as u32,
            rotated: rotated as u32,
            padding: [0; 2],
        };
        cases.push(Case {
            name: format!("place {count} from {from} rotated {rotated}"),
            kernel: "place",
            products: Products::F32,
            kv: Kv(KvType::F32),
            magnitude: 0.0,
            exact: true,
            buffers: vec![(binding::OUT, vec![7; LEN]), (binding::RAW, raw)],
            step: words([0; 4]),
            dispatches: vec![Dispatch {
                variant: place::variant(),
                params: bytemuck::bytes_of(&params).to_vec(),
                workgroups: [params.count.div_ceil(WORKGROUP), 1, 1],
            }],
            wanted: vec![Wanted::Words(binding::OUT, want)],
        });
    }
    cases
}
