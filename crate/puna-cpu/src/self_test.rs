//! Every kernel of every instruction set against exact sums over the same rounded activations: as a test of this
//! crate, and in the builds of the module that are made for browsers to be tested.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of test cases are small"
)]

use puna_core::quant::{BLOCK_LEN, FORMATS, Format};
use puna_core::random::Random;

use crate::activation::{Activations, Block, Row};
use crate::simd::Simd;
use crate::weights::{self, GROUP, TILE};

/// From -1 to 1.
fn unit(random: &mut Random) -> f32 {
    (random.word() >> 8) as f32 / 8_388_608.0 - 1.0
}

fn sample(format: &Format, rows: usize, cols: usize, random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![0; rows * format.row_bytes(cols)];
    for row in bytes.chunks_exact_mut(format.row_bytes(cols)) {
        format.sample_row(&mut || random.word(), row);
        if format.name == "q8_0" {
            // Quantising gives no -128, and kernels read it as -127.
            for quant in row
                .chunks_exact_mut(format.block_bytes)
                .flat_map(|block| &mut block[2..])
            {
                *quant = if *quant == 0x80 { 0x81 } else { *quant };
            }
        }
    }
    bytes
}

fn check(format: &'static Format, simd: Simd, rows: usize, cols: usize, tokens: usize) {
    let label = format!("{format:?} {} R {rows} K {cols} T {tokens}", simd.name());
    let mut random = Random((rows * 1000 + cols + tokens) as u64);
    let bytes = sample(format, rows, cols, &mut random);
    let mut matrix = weights::new(format, rows, cols).expect("memory");
    for (row, bytes) in bytes.chunks_exact(format.row_bytes(cols)).enumerate() {
        matrix.put_row(row, bytes);
    }
    let dense = format.dequantize_rows(&bytes, cols);
    let mut row = vec![0.0; cols];
    for r in 0..rows {
        matrix.row(r, &mut row);
        for (got, want) in row.iter().zip(&dense[r * cols..]) {
            assert!(
                (got - want).abs() <= want.abs() * 1e-6,
                "{label}: row {r} holds {got}, expected {want}"
            );
        }
    }

    let mut x: Vec<f32> = (0..tokens * cols).map(|_| unit(&mut random)).collect();
    // An outlier in some rows.
    for x in x.chunks_exact_mut(2 * cols) {
        x[cols / 2] = 20.0;
    }
    let mut activations = Activations::default();
    activations.quantize(&x, cols);
    let has_integers = weights::has_kernels(format);
    let input: Vec<f64> = if has_integers {
        (0..tokens)
            .flat_map(|t| rounded(activations.row(t)))
            .collect()
    } else {
        x.iter().map(|&x| f64::from(x)).collect()
    };
    let tile: Vec<_> = (0..tokens).map(|t| activations.row(t)).collect();
    for group in 0..rows.div_ceil(GROUP) {
        let mut out = [[f32::NAN; GROUP]; TILE];
        matrix.dot(simd, group, &tile, &mut out);
        for (t, out) in out[..tokens].iter().enumerate() {
            for (i, &got) in out.iter().enumerate() {
                let r = group * GROUP + i;
                let products = dense.get(r * cols..(r + 1) * cols).unwrap_or_default();
                let products = products.iter().zip(&input[t * cols..]);
                let (mut want, mut size) = (0.0, 1e-9);
                for (&w, &x) in products {
                    want += f64::from(w) * x;
                    size += (f64::from(w) * x).abs();
                }
                let off = (f64::from(got) - want).abs() / size;
                assert!(
                    off < 1e-6,
                    "{label}: row {r}, token {t}: {got}, expected {want}"
                );
            }
        }
    }
}

/// What a row of activations stands for.
fn rounded(row: Row<'_>) -> Vec<f64> {
    let values = |block: &Block| {
        block
            .quants
            .map(|q| f64::from(q) * f64::from(block.scale()))
    };
    let mut all: Vec<f64> = row.blocks.iter().flat_map(values).collect();
    for rest in row.rests {
        let at = rest.at * BLOCK_LEN;
        for (x, rest) in all[at..].iter_mut().zip(values(&rest.block)) {
            *x += rest;
        }
    }
    all
}

/// Panics at the first kernel that is wrong; how many cases there are.
pub(crate) fn run() -> usize {
    every_kernel_is_exact_but_for_the_last_bits() + extremes_do_not_overflow()
}

fn every_kernel_is_exact_but_for_the_last_bits() -> usize {
    let mut checked = 0;
    for simd in Simd::all() {
        for &format in FORMATS {
            for rows in [1, 7, 8, 9, 31] {
                for blocks in [1, 3, 18] {
                    for tokens in 1..=TILE {
                        check(format, simd, rows, blocks * format.block_len, tokens);
                        checked += 1;
                    }
                }
            }
        }
    }
    checked
}

/// The largest quants and activations that there can be: sums of 16 bits must hold them.
fn extremes_do_not_overflow() -> usize {
    let mut checked = 0;
    for simd in Simd::all() {
        for &format in FORMATS {
            for fill in [0xff_u8, 0x7f, 0x81] {
                // Scales of random blocks, so that they are small and finite, and the largest quants.
                let mut random = Random(7);
                let mut row = sample(format, 1, 2 * format.block_len, &mut random);
                let scales = scale_bytes(format);
                for block in row.chunks_exact_mut(format.block_bytes) {
                    for (at, byte) in block.iter_mut().enumerate() {
                        if !scales.iter().any(|range| range.contains(&at)) {
                            *byte = fill;
                        }
                    }
                }
                let cols = 2 * format.block_len;
                let mut matrix = weights::new(format, GROUP, cols).expect("memory");
                (0..GROUP).for_each(|r| matrix.put_row(r, &row));
                let dense = format.dequantize_rows(&row, cols);
                for sign in [1.0, -1.0] {
                    let x = vec![sign * 127.0; cols];
                    let mut activations = Activations::default();
                    activations.quantize(&x, cols);
                    let mut out = [[0.0; GROUP]; TILE];
                    matrix.dot(simd, 0, &[activations.row(0)], &mut out);
                    let want: f64 = dense
                        .iter()
                        .map(|&w| f64::from(w) * f64::from(sign) * 127.0)
                        .sum();
                    let size: f64 = dense.iter().map(|&w| f64::from(w).abs() * 127.0).sum();
                    checked += 1;
                    for got in out[0] {
                        let off = (f64::from(got) - want).abs() / size.max(1e-9);
                        let label = format!("{format:?} {} {fill:#x} {sign}", simd.name());
                        assert!(off < 1e-6, "{label}: {got}, expected {want}");
                    }
                }
            }
        }
    }
    checked
}

/// Bytes of a block that hold no quants.
fn scale_bytes(format: &Format) -> [std::ops::Range<usize>; 2] {
    match format.name {
        "q4_0" | "q8_0" | "q5_0" => [0..2, 0..0],
        "q4_1" | "q5_1" => [0..4, 0..0],
        "iq4_nl" => [0..2, 0..0],
        "iq4_xs" => [0..8, 0..0],
        "mxfp4" => [0..1, 0..0],
        "q2_k" => [0..16, 80..84],
        "q3_k" => [96..110, 0..0],
        "q4_k" | "q5_k" => [0..16, 0..0],
        "q6_k" => [192..210, 0..0],
        // Floats: all of it.
        _ => [0..format.block_bytes, 0..0],
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_kernel_is_right() {
        let sets: Vec<_> = super::Simd::all()
            .into_iter()
            .map(super::Simd::name)
            .collect();
        println!("{} cases on {sets:?}", super::run());
    }
}
