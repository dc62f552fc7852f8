//! Cases of `rounds`: as many as every driver allows.

use puna_core::reference::rounds::rounds;
use puna_gpu::kernel::rounds::{self, RoundsParams};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{Case, Dispatch, Kv, Products, Wanted, words};

pub(super) fn cases() -> Vec<Case> {
    let case = |asked: u32| {
        let params = RoundsParams::new(asked);
        Case {
            name: format!("rounds {asked}"),
            kernel: "rounds",
            products: Products::F32,
            kv: Kv(KvType::F32),
            magnitude: 0.0,
            exact: true,
            buffers: vec![(binding::OUT, vec![0])],
            step: words([0; 4]),
            dispatches: vec![Dispatch {
                variant: rounds::variant(),
                params: bytemuck::bytes_of(&params).to_vec(),
                workgroups: [1, 1, 1],
            }],
            wanted: vec![Wanted::Words(binding::OUT, vec![rounds(asked)])],
        }
    };
    [0, 1, 50_000].map(case).into()
}
