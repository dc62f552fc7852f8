//! Cases of `route`.

use puna_core::graph::{Groups, Route, Routing, Scoring};
use puna_core::reference::route::route;
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{Case, KV, Kv, Stage, Variation, Wanted, bits, dispatches, step_bytes, step_of};
use crate::experts::{PLAIN, packed};

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    let grouped = |best| {
        Some(Groups {
            count: 8,
            used: 3,
            best,
        })
    };
    // As in Mixtral; as in DeepSeek's second and third version, with more experts than a workgroup has invocations.
    for (routing, is_biased) in [
        (PLAIN, false),
        (
            Routing {
                experts: 160,
                used: 6,
                groups: grouped(1),
                normalized: false,
                scale: 16.0,
                ..PLAIN
            },
            false,
        ),
        (
            Routing {
                experts: 160,
                used: 8,
                scoring: Scoring::Sigmoid,
                groups: grouped(2),
                scale: 2.5,
                ..PLAIN
            },
            true,
        ),
    ] {
        for tokens in [1, 7] {
            let mut stage = Stage::new(1100 + cases.len() as u32, KV);
            let logits = stage.activation(routing.experts);
            let chosen = stage.activation(2 * routing.used);
            let mut values = stage.random.floats(tokens * routing.experts);
            values.iter_mut().for_each(|x| *x *= 4.0);
            // Two that are equal, and the best.
            (values[1], values[3]) = (9.0, 9.0);
            let bias = stage.random.floats(routing.experts);
            let wanted = route(&values, &routing, is_biased.then_some(bias.as_slice()));
            let op = Route {
                routing,
                logits,
                bias: is_biased.then(|| stage.vector(routing.experts)),
                chosen,
            };
            let step = step_of(3, tokens);
            let recipes = kernel::route::recipes(&op, &stage.setting(variant, KvType::F32));
            let wanted = packed(&wanted);
            cases.push(Case {
                name: format!(
                    "route {} of {} {:?} groups {} bias {is_biased} T {tokens}",
                    routing.used,
                    routing.experts,
                    routing.scoring,
                    routing.groups.is_some()
                ),
                kernel: "route",
                products: variant.products(),
                kv: Kv(KvType::F32),
                magnitude: 0.0,
                exact: false,
                buffers: vec![
                    (binding::X, bits(&values)),
                    (binding::OUT, vec![0; wanted.len()]),
                    (binding::OWN, bits(&bias)),
                ],
                step: step_bytes(&step),
                dispatches: dispatches(recipes, &step),
                wanted: vec![Wanted::Choices(binding::OUT, wanted)],
            });
        }
    }
    cases
}
