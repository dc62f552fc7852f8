//! Cases of `low_rank`, and of what it adds to a projection in each way that there is.

use half::f16;
use puna_core::graph::{Factors, LinearAdd, LowRank, RowGroups};
use puna_core::reference::linear_add::linear_add;
use puna_core::reference::low_rank::{low_rank, merge};
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::{Split, Width};

use super::{
    Case, KV, Kv, MOST_TOKENS, Stage, Variation, Wanted, bits, dispatches, format, magnitude,
    step_bytes, step_of,
};

/// Three adapters, of which one is off.
const SCALES: [f32; 3] = [0.75, 0.0, -1.5];

/// Rows are grouped in another way for each number of tokens.
pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let groups = match variant.width {
        Width::One => RowGroups::Stacked(vec![8, 14]),
        Width::Few => RowGroups::Stacked(Vec::new()),
        Width::Many => RowGroups::Interleaved,
    };
    let tokens = variant.tokens().last().copied().unwrap_or(1);
    let [down, projection] = of_shape(variant, groups, tokens);
    // How rows are divided for the first is what every projection shows.
    let is_first = variant.split == Split::Serial && variant.width == Width::One;
    is_first
        .then_some(down)
        .into_iter()
        .chain([projection])
        .collect()
}

fn of_shape(variant: Variation, groups: RowGroups, tokens: usize) -> [Case; 2] {
    let (rows, cols, rank) = (32, 96, 8);
    let mut stage = Stage::new(900, KV);
    let weight = stage.matrix(format("q4_1"), rows, cols);
    let mut of = LowRank {
        matrix: weight,
        down: 0,
        shape: (rows, cols),
        groups,
        adapters: SCALES.len(),
        rank,
    };
    of.down = stage.matrix(format("f16"), of.width(), cols);
    let (x, residual) = (stage.activation(cols), stage.activation(rows));
    let input = stage.random.floats(tokens * cols);
    let before = stage.random.floats(tokens * rows);
    let up: Vec<f32> = stage.random.floats(of.adapters * rows * rank);
    let up: Vec<f32> = up.iter().map(|x| f16::from_f32(*x).to_f32()).collect();

    let down = stage.dense(of.down);
    let low = low_rank(down, &of, &input, None, &SCALES);
    let mut merged = stage.dense(weight).data.to_vec();
    for (adapter, scale) in SCALES.iter().enumerate() {
        let own = (0..of.groups.count()).flat_map(|group| {
            let first = of.first(group, adapter);
            down.data[first * cols..(first + rank) * cols].to_vec()
        });
        let factors = Factors {
            adapter,
            low_rank: 0,
            down: own.collect(),
            up: up[adapter * rows * rank..(adapter + 1) * rows * rank].to_vec(),
        };
        merge(&mut merged, &of, &factors, *scale);
    }
    let mut after = before.clone();
    let whole = puna_core::reference::Dense {
        data: &merged,
        cols,
    };
    linear_add(whole, &input, None, &mut after);

    let step = step_of(3, tokens);
    let op = LinearAdd {
        weight,
        bias: None,
        x,
        residual,
    };
    let width = of.width();
    let of_down = of.down;
    stage.graph.low_ranks.push(of);
    let mut recipes = kernel::linear_add::recipes(&op, None, &stage.setting(variant, KvType::F32));
    let projection = recipes.split_off(1);
    let case = |kernel: &'static str, recipes, buffers, wanted| Case {
        name: format!(
            "{kernel} adapters of {:?} T {tokens} {}",
            stage.graph.low_ranks[0].groups,
            variant.label()
        ),
        kernel,
        products: variant.products(),
        kv: Kv(KvType::F32),
        magnitude: magnitude(cols),
        exact: false,
        buffers,
        step: step_bytes(&step),
        dispatches: dispatches(recipes, &step),
        wanted,
    };

    // Behind what A gives for all tokens stands B.
    let mut held = bits(&low);
    held.resize(MOST_TOKENS * width, 0);
    let pairs = up.as_chunks::<2>().0.iter();
    held.extend(pairs.map(|pair| {
        let [low, high] = pair.map(|x| u32::from(f16::from_f32(x).to_bits()));
        low | high << 16
    }));
    let mut scales = SCALES.to_vec();
    scales.resize(16, f32::NAN);
    let mut first: Vec<_> = stage.planes(of_down).collect();
    first.extend([
        (binding::X, bits(&input)),
        (binding::OUT, vec![0; low.len()]),
        (binding::SCALES, bits(&scales)),
    ]);
    let mut second: Vec<_> = stage.planes(weight).collect();
    second.extend([
        (binding::X, bits(&input)),
        (binding::OUT, bits(&before)),
        (binding::LOW_RANK, held),
    ]);
    [
        case(
            "low_rank",
            recipes,
            first,
            vec![Wanted::Floats(binding::OUT, low)],
        ),
        case(
            "linear_add",
            projection,
            second,
            vec![Wanted::Floats(binding::OUT, after)],
        ),
    ]
}
