//! Cases of `linear_add`.

use puna_core::graph::LinearAdd;
use puna_core::reference::linear_add::linear_add;
use puna_gpu::kernel::{self, Step};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{
    Case, KV, Kv, Stage, Variation, Wanted, bits, dispatches, formats, magnitude, step_bytes,
};

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    for (format, cols) in formats() {
        // 1, a prime, and about the serial split's tile of 128 rows; a prime for every format.
        let rows: &[usize] = if format.name == "q4_1" {
            &[1, 31, 127, 129]
        } else {
            &[31]
        };
        for &rows in rows {
            for &tokens in variant.tokens() {
                let mut stage = Stage::new(cases.len() as u32, KV);
                let weight = stage.matrix(format, rows, cols);
                let (x, residual) = (stage.activation(cols), stage.activation(rows));
                let input = stage.random.floats(tokens * cols);
                let before = stage.random.floats(tokens * rows);
                let mut after = before.clone();
                linear_add(stage.dense(weight), &input, &mut after);

                let step = Step {
                    position: 3,
                    tokens: tokens as u32,
                    capacity: 0,
                    first_token: tokens as u32,
                };
                let op = LinearAdd {
                    weight,
                    x,
                    residual,
                };
                let recipes =
                    kernel::linear_add::recipes(&op, &stage.setting(variant, KvType::F32));
                let mut buffers: Vec<_> = stage.planes(weight).collect();
                buffers.extend([(binding::X, bits(&input)), (binding::OUT, bits(&before))]);
                cases.push(Case {
                    name: format!(
                        "linear_add {} R {rows} K {cols} T {tokens} {}",
                        format.name,
                        variant.label()
                    ),
                    kernel: "linear_add",
                    precision: variant.precision,
                    kv: Kv(KvType::F32),
                    magnitude: magnitude(cols),
                    exact: false,
                    buffers,
                    step: step_bytes(&step),
                    dispatches: dispatches(recipes, &step),
                    wanted: vec![Wanted::Floats(binding::OUT, after)],
                    fault: ("residual[at] += v.x", "residual[at] = v.x"),
                });
            }
        }
    }
    cases
}
