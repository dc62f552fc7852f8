//! Cases of `linear_add`.

use puna_core::graph::LinearAdd;
use puna_core::quant::{BLOCK_LEN, Format};
use puna_core::reference::linear_add::linear_add;
use puna_gpu::kernel::{self, Grid};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::Width;
use puna_gpu::way::RowsSplit;

use super::{
    Case, KV, Kv, Products, Stage, Variation, Wanted, bits, dispatches, format, formats, magnitude,
    normed, padded, step_bytes, step_of,
};

/// With all formats, or with one.
pub(super) fn cases(variant: Variation, all_formats: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    let is_int8 = matches!(variant.way.rows, RowsSplit::Int8 { .. });
    for (format, cols) in formats(variant.extent) {
        // One unit, and more than a workgroup of the serial split has; about a tile; rows that fill no unit are in
        // `glu` and `head`. The other formats have one shape: how many rows and blocks there are is for the split to
        // know; a row of one block is in `embed` and `repack` for all.
        let rows: &[usize] = match format.name {
            "q4_1" if variant.width == Width::One => &[32, 64, 96, 160],
            // Software adapters take seconds to compile for many tokens.
            "q4_1" if cols > format.block_len => &[32, 160],
            _ if cols == format.block_len || !all_formats => &[],
            _ if is_int8 && !format.integers => &[],
            _ if !is_int8 && !variant.extent.is_everywhere(format) => &[],
            _ => &[32],
        };
        let tokens = variant.tokens();
        let tokens = if variant.extent.is_everywhere(format) {
            tokens
        } else {
            &tokens[tokens.len() - 1..]
        };
        for &rows in rows {
            for &tokens in tokens {
                cases.push(case(
                    variant,
                    format,
                    rows,
                    cols,
                    tokens,
                    cases.len(),
                    false,
                ));
            }
        }
    }
    // About the 16 lanes of the shared split, a block a lane; more than twice; in several lines of workgroups.
    let tokens = variant.tokens().last().copied().unwrap_or(1);
    let numbers: &[usize] = match variant.width {
        Width::One => &[15, 16, 17, 33],
        Width::Few | Width::Many => &[17],
    };
    for &blocks in numbers {
        let cols = blocks * BLOCK_LEN;
        cases.push(case(
            variant,
            format("q4_1"),
            32,
            cols,
            tokens,
            cases.len(),
            false,
        ));
    }
    cases.push(case(
        variant,
        format("q4_1"),
        320,
        96,
        tokens,
        cases.len(),
        true,
    ));
    cases
}

fn case(
    variant: Variation,
    format: &'static Format,
    rows: usize,
    cols: usize,
    tokens: usize,
    seed: usize,
    in_lines: bool,
) -> Case {
    let mut stage = Stage::new(seed as u32, KV);
    let weight = stage.matrix(format, rows, cols);
    let (x, residual) = (stage.activation(cols), stage.activation(rows));
    let mut input = stage.random.floats(tokens * cols);
    let mut products = variant.products();
    if products == Products::Int8 {
        // Inputs that are such integers already: rounding them changes nothing.
        input.chunks_exact_mut(BLOCK_LEN / 2).for_each(whole);
        products = Products::F32;
    }
    let before = stage.random.floats(tokens * rows);
    let mut after = before.clone();
    // One shape has a bias.
    let bias = (rows == 160).then(|| stage.random.floats(rows));
    linear_add(stage.dense(weight), &input, bias.as_deref(), &mut after);

    let step = step_of(3, tokens);
    let op = LinearAdd {
        weight,
        bias: bias.as_ref().map(|_| stage.vector(rows)),
        x,
        residual,
    };
    // One shape is not read through a norm.
    let next = (rows != 96).then(|| stage.vector(rows));
    let setting = stage.setting(variant, KvType::F32);
    let mut recipes = kernel::linear_add::recipes(&op, next, &setting);
    if in_lines {
        // As for more workgroups than a device takes in one dimension.
        for recipe in &mut recipes {
            match &mut recipe.grid {
                Grid::Rows { xy, .. } => *xy = [1, xy[0]],
                Grid::Units { line, .. } => *line = 1,
                _ => {}
            }
            recipe.params.grid_x = 1;
        }
    }
    let mut buffers: Vec<_> = stage.planes(weight).collect();
    buffers.extend([(binding::X, bits(&input)), (binding::OUT, bits(&before))]);
    let gain = stage.random.floats(rows);
    let ready = normed(&after, &gain, variant);
    buffers.extend([
        (binding::VECTORS, bits(&gain)),
        (binding::NORMED, vec![0; ready.len()]),
    ]);
    buffers.extend(bias.map(|bias| (binding::OWN, padded(&bias))));
    Case {
        name: format!(
            "linear_add {} R {rows} K {cols} T {tokens}{} {}",
            format.name,
            if in_lines { " in lines" } else { "" },
            variant.label()
        ),
        kernel: "linear_add",
        products,
        kv: Kv(KvType::F32),
        magnitude: magnitude(cols),
        exact: false,
        buffers,
        step: step_bytes(&step),
        dispatches: dispatches(recipes, &step),
        wanted: match next {
            Some(_) => vec![
                Wanted::Floats(binding::OUT, after),
                Wanted::Floats(binding::NORMED, ready),
            ],
            None => vec![Wanted::Floats(binding::OUT, after)],
        },
    }
}

/// Makes inputs that share a scale multiples of a 127th of the largest.
fn whole(block: &mut [f32]) {
    let largest = block.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    for x in block {
        // The step is exact, and so is every multiple of it.
        *x = (*x / largest * 127.0).round() / 64.0;
    }
}
