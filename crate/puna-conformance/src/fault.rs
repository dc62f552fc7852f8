//! A fault for every shader file, which some case must see: else the suite looks away.

/// A shader file, a text in it, and one that makes it wrong.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// `folder/stem`.
    pub module: &'static str,
    /// Once in the file.
    pub find: &'static str,
    /// What takes its place.
    pub replace: &'static str,
}

const fn fault(module: &'static str, find: &'static str, replace: &'static str) -> Fault {
    Fault {
        module,
        find,
        replace,
    }
}

/// One a file of `shaders/`, but for `lib/real_*` and `lib/output_plain`, which hold nothing that could be wrong.
pub const FAULTS: &[Fault] = &[
    fault(
        "kernel/attention",
        "* params.scale",
        "* (params.scale + 0.1)",
    ),
    fault(
        "kernel/deinterleave",
        "^ bit_of(block_at, source >> 16u)",
        "",
    ),
    fault(
        "kernel/embed",
        "params.first_row, block)",
        "params.first_row, 0u)",
    ),
    fault("kernel/glu", "gated(v.x, v.y)", "gated(v.y, v.x)"),
    fault("kernel/head", "capped(v.x)", "capped(-v.x)"),
    fault("kernel/head_linear", "row % HEAD_ROWS", "row % 16u"),
    fault("kernel/latent", "d - VALUE_DIM, v)", "d, v)"),
    fault("kernel/linear", "out[at] = v.x", "out[at] = -v.x"),
    fault("kernel/linear_add", "residual[at] + v.x", "v.x"),
    fault("kernel/low_rank", "row / RANK % ADAPTERS", "row / RANK"),
    fault("lib/low_rank", "group = own % 2u", "group = 0u"),
    fault(
        "lib/low_rank_none",
        "Sums>) {\n}",
        "Sums>) { (*sum)[0][0] += 0.5; }",
    ),
    fault(
        "kernel/penalize",
        "value -= f32(count)",
        "value += f32(count)",
    ),
    fault("kernel/moe_down", "at + row,", "row,"),
    fault("kernel/moe_glu", "* select(score", "* select(1.0"),
    fault(
        "kernel/norm_add",
        "square) / f32(WIDTH)",
        "square) / f32(WIDTH + 4u)",
    ),
    fault("kernel/layer_norm", "x[row + d] - mean;", "x[row + d];"),
    fault("kernel/gate_up", "gated(x[i], up[i])", "gated(up[i], x[i])"),
    fault(
        "kernel/positions",
        "position_of(group.y) * WIDTH",
        "group.y * WIDTH",
    ),
    fault("lib/act_none", "return v;", "return v * 1.5;"),
    fault("lib/act_gelu", "0.254829592", "0.264829592"),
    fault("kernel/place", "params.skipped + i", "i"),
    fault("kernel/quantize", "+ 8.5f", "+ 8f"),
    fault(
        "kernel/quantize_kv",
        "i < WORDS; i++) {\nkv[",
        "i + 1u < WORDS; i++) {\nkv[",
    ),
    fault("kernel/transpose", "if (i == 0u)", "if (i == 1000u)"),
    fault("lib/element", "<< 16u", "<< 15u"),
    fault(
        "kernel/qk_norm",
        "lane * 2u; d < HEAD_DIM",
        "lane * 2u; d < 12u",
    ),
    fault("kernel/qkv", "row < ROTATED_ROWS", "row < HEAD_DIM"),
    fault(
        "kernel/repack",
        "i * params.row_bytes",
        "i * params.row_bytes + 4u",
    ),
    fault("kernel/rounds", "select(1u, 2u", "select(1u, 3u"),
    fault("kernel/route", "&& other < e", "&& other > e"),
    fault(
        "kernel/sample",
        "let digit = 255u - lane",
        "let digit = lane",
    ),
    fault(
        "lib/attention_serial",
        "total * fade + dot(weight, vec4<f32>(1.0))",
        "total + dot(weight, vec4<f32>(1.0))",
    ),
    fault(
        "lib/attention_merge",
        "exp(sums_of_parts[at + VALUES4].x - highest)",
        "1.0",
    ),
    fault("lib/attention_parts", "total[g] *= fade;", ""),
    fault("lib/attention_tiled", "total *= fade;", ""),
    fault("lib/chosen", "at % 2u == 1u", "at % 2u == 2u"),
    fault("lib/dot32", "dot(w[7], v[7])", "dot(w[7], v[6])"),
    fault("lib/heads_block", "X_HEADS + head", "X_HEADS"),
    fault(
        "lib/experts_block",
        "decode_block(at + r",
        "decode_block(at",
    ),
    fault(
        "lib/fixed",
        "middle & 8191u, v.z & 8191u",
        "middle, v.z & 8191u",
    ),
    fault("lib/bias", "own_vector(row + 1u)", "own_vector(row)"),
    fault("lib/bias_none", "return v;", "return v + 1.0;"),
    fault("lib/cap_none", "return x;", "return x * 2.0;"),
    fault("lib/cap_tanh", "tanh_of(x / params.cap)", "tanh_of(x)"),
    fault("lib/gate_silu", "min(-x, 80.0)", "min(x, 80.0)"),
    fault("lib/gate_gelu_tanh", "0.044715", "0.054715"),
    fault("lib/gate_clamped_swish", "clamp(u, -7.0, 7.0)", "u"),
    fault("lib/sink", "own_vector(head)", "own_vector(0u)"),
    fault("lib/sink_none", "return 0.0;", "return 1.0;"),
    fault("lib/vectors", "vectors[i]", "vectors[i + 1u]"),
    fault("lib/expert_bias", "expert * EXPERT_ROWS + row", "row"),
    fault(
        "lib/expert_bias_none",
        "fn bias_of_slot(t: u32, slot: u32, row: u32) -> vec2<f32> {\nreturn vec2<f32>(0.0);",
        "fn bias_of_slot(t: u32, slot: u32, row: u32) -> vec2<f32> {\nreturn vec2<f32>(1.0);",
    ),
    fault("lib/input_norm", "sum / f32(COLS)", "sum / f32(COLS + 4u)"),
    fault(
        "lib/output_norm",
        "WIDTH + row / UNIT] = sum",
        "WIDTH + row / UNIT] = sum + 1.0",
    ),
    fault(
        "lib/input_plain",
        "return x[t * (COLS / 4u) + k4];",
        "return x[k4];",
    ),
    fault(
        "lib/key_parts",
        "head) * MOST_PARTS + part",
        "head) * MOST_PARTS",
    ),
    fault(
        "lib/ints",
        "scale: vec2<f32>,\nlow: vec2<f32>,",
        "low: vec2<f32>,\nscale: vec2<f32>,",
    ),
    fault(
        "lib/inputs_first",
        "decode_block(row + r",
        "decode_block(row",
    ),
    fault("lib/weights_first", "w[r][k4]", "w[r][k4 / 2u]"),
    fault(
        "lib/kv",
        "which * VALUES_APART * KV_HEADS + head",
        "which + head",
    ),
    fault(
        "lib/kv_load_f16",
        "unpack2x16float(words.y)",
        "unpack2x16float(words.x)",
    ),
    fault(
        "lib/kv_load_f32",
        "return kv[at / 4u]",
        "return kv[at / 4u].xyzx",
    ),
    fault("lib/kv_load_q8", "kv[at / 4u]", "kv[at / 8u]"),
    fault("lib/kv_q8", "+ at / KV_BLOCK", "+ at / KV_BLOCK / 2u"),
    fault(
        "lib/kv_store_fresh",
        "VALUES_APART) + which)",
        "VALUES_APART))",
    ),
    fault(
        "lib/kv_store_f16",
        "pack2x16float(v)",
        "pack2x16float(v.xx)",
    ),
    fault("lib/kv_store_f32", "= v;", "= v.xx;"),
    fault(
        "lib/params",
        "rows: u32,\ngrid_x: u32,",
        "grid_x: u32,\nrows: u32,",
    ),
    fault("lib/landing", "d / half", "0u"),
    fault("lib/own_vector", "[i % 4u]", "[0u]"),
    fault(
        "lib/rotate",
        "v.x * turn.x - v.y * turn.y",
        "v.x * turn.x + v.y * turn.y",
    ),
    fault("lib/score_sigmoid", "min(-scores[e], 80.0)", "scores[e]"),
    fault("lib/score_softmax", "/ total", ""),
    fault("lib/selection_bias", "own_vector(e)", "own_vector(0u)"),
    fault("lib/selection_none", "return 0.0;", "return f32(e);"),
    fault("lib/rotate_none", "return v;", "return v.yx;"),
    fault("lib/sum_of_all", "half > 0u", "half > 1u"),
    fault("lib/tanh", "exp(-2.0 * a)", "exp(-a)"),
    fault("lib/philox", "round < 10u", "round < 9u"),
    fault("lib/raw", "<< (32u - shift)", "<< (31u - shift)"),
    fault(
        "lib/rows_serial",
        "block < (COLS + 31u) / 32u; block++",
        "block + 1u < (COLS + 31u) / 32u; block++",
    ),
    fault(
        "lib/block",
        "t0 + t < step.tokens",
        "t0 + t + 1u < step.tokens",
    ),
    fault(
        "lib/rows_shared",
        "half > 0u; half /= 2u",
        "half > 1u; half /= 2u",
    ),
    fault("lib/rows_int8", "- range[r].z * both", "- range[r].z * x.z"),
    fault("lib/rows_tiled", "(r * UNITS + unit)", "(r + unit)"),
    fault(
        "lib/rows_subgroup",
        "round * (WORKGROUP / width) + index / width",
        "index / width",
    ),
    fault(
        "lib/sampling",
        "b.x == a.x && b.y < a.y",
        "b.x == a.x && b.y > a.y",
    ),
    fault(
        "lib/step",
        "return select(0u, t, step.together == 1u)",
        "return 0u",
    ),
    fault("quant/f16", "four(a.zw)", "four(a.xy)"),
    fault("quant/f32", "four(at + 7u)", "four(at + 6u)"),
    fault("quant/q4_0", "q >> vec4<u32>(4u)", "q >> vec4<u32>(3u)"),
    fault("quant/q4_1", "q >> vec4<u32>(4u)", "q >> vec4<u32>(3u)"),
    fault("quant/q5_0", "(4u, 5u, 6u, 7u)", "(4u, 5u, 6u, 6u)"),
    fault("quant/q5_1", "(4u, 5u, 6u, 7u)", "(4u, 5u, 6u, 6u)"),
    fault("quant/q2_k", "(4u, 4u, 6u, 6u)", "(4u, 4u, 6u, 4u)"),
    fault("quant/q3_k", "(4u, 5u, 6u, 7u)", "(4u, 5u, 6u, 6u)"),
    fault("quant/q4_k", "q >> vec4<u32>(4u)", "q >> vec4<u32>(3u)"),
    fault("quant/q5_k", "(4u, 5u, 6u, 7u)", "(4u, 5u, 6u, 6u)"),
    fault(
        "quant/q6_k",
        "vec4<u32>(0x30303030u)",
        "vec4<u32>(0x10303030u)",
    ),
    fault("quant/q8_0", "[block % 2u]", "[0u]"),
    fault("lib/levels", "either(q, 2u,", "either(q, 3u,"),
    fault(
        "lib/points",
        "(negative * 255u)) + negative",
        "(negative * 255u))",
    ),
    fault("lib/table", "index % 2u * 16u", "0u"),
    fault("quant/bf16", "16u, 0u, 16u, 0u", "16u, 0u, 0u, 16u"),
    fault("quant/iq4_nl", "q >> vec4<u32>(4u)", "q >> vec4<u32>(3u)"),
    fault("quant/iq4_xs", "run * 2u)) & 3u", "run * 2u)) & 1u"),
    fault("quant/mxfp4", "0x0c080604u", "0x0c080602u"),
    fault("quant/nvfp4", "(both >> 8u) & 0xffu", "both & 0xffu"),
    fault("quant/tq1_0", "27u, n == 3u", "9u, n == 3u"),
    fault("quant/tq2_0", "4u, 4u, 6u, 6u", "4u, 4u, 6u, 4u"),
    fault("quant/q1_0", "4u, 5u, 6u, 7u", "4u, 5u, 6u, 6u"),
    fault("quant/iq2_xxs", "q.y >> 21u", "q.y >> 20u"),
    fault("quant/iq2_xs", "q.y >> 25u", "q.y >> 24u"),
    fault("quant/iq2_s", "more << 2u", "more << 4u"),
    fault("quant/iq3_xxs", "more >> 21u", "more >> 20u"),
    fault("quant/iq3_s", "ninth >> 6u", "ninth >> 4u"),
    fault("quant/iq1_s", "more >> 1u", "more << 2u"),
    fault("quant/iq1_m", "more >> 4u", "more"),
    fault("lib/looked_up", "q % 4u * 8u", "q % 2u * 8u"),
    fault("lib/trellis", " - 126;", " - 125;"),
    fault("quant/q6_0", "0u, 0u, 4u, 4u", "0u, 0u, 4u, 2u"),
    fault("quant/iq2_k", "- 8.0", "- 7.0"),
    fault("quant/iq3_k", "(run + 6u) % 4u", "(run + 5u) % 4u"),
    fault("quant/iq4_k", "-4.0 * d", "4.0 * d"),
    fault("quant/iq5_k", "-2.0 * d", "2.0 * d"),
    fault("quant/iq6_k", "-d * vec2", "d * vec2"),
    fault("quant/iq2_ks", "(8u + run)", "run"),
    fault("quant/iq3_ks", "(head.x >> run)", "(head.x >> (8u + run))"),
    fault("quant/iq4_ks", "254u", "255u"),
    fault(
        "quant/iq4_kss",
        "even >> vec4<u32>(1u)",
        "even >> vec4<u32>(2u)",
    ),
    fault("quant/iq5_ks", "-2.0 * d", "2.0 * d"),
    fault("quant/iq2_kl", "tops >> 14u", "tops >> 12u"),
    fault("quant/iq1_kt", "tops << 5u", "tops << 6u"),
    fault("quant/iq2_kt", "q.y >> 16u", "q.y >> 15u"),
    fault("quant/iq3_kt", "bits >> 6u", "bits >> 4u"),
    fault("quant/iq4_kt", "(8u + n * 3u)", "(7u + n * 3u)"),
];

#[cfg(test)]
mod tests {
    use puna_gpu::shader::link;

    use super::*;

    #[test]
    fn every_file_has_a_fault_and_each_text_is_there_once() {
        for (file, text) in link::files() {
            let faults: Vec<_> = FAULTS.iter().filter(|fault| fault.module == file).collect();
            if file.starts_with("lib/real_") || file == "lib/output_plain" {
                continue;
            }
            let [fault] = faults.as_slice() else {
                panic!("{file} has {} faults, expected one", faults.len());
            };
            assert_eq!(
                text.matches(fault.find).count(),
                1,
                "{file}: {:?}",
                fault.find
            );
        }
    }
}
