//! Every kernel of every instruction set against exact sums over the same rounded activations.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of test cases are small"
)]

use puna_core::quant::{BLOCK_LEN, FORMATS, Format};
use puna_cpu::Simd;
use puna_cpu::activation::Activations;
use puna_cpu::weights::{self, GROUP, TILE};

/// The same numbers on every machine (splitmix64).
struct Random(u64);

impl Random {
    fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as u32
    }

    fn unit(&mut self) -> f32 {
        (self.word() >> 8) as f32 / 8_388_608.0 - 1.0
    }
}

fn sample(format: &Format, rows: usize, cols: usize, random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![0; rows * format.row_bytes(cols)];
    for block in bytes.chunks_exact_mut(format.block_bytes) {
        (format.sample)(&mut || random.word(), block);
        if format.name == "q8_0" {
            // Quantising gives no -128, and kernels read it as -127.
            for quant in &mut block[2..] {
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
    let dense = format.dequantize_all(&bytes);
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

    let x: Vec<f32> = (0..tokens * cols).map(|_| random.unit()).collect();
    let mut activations = Activations::default();
    activations.quantize(&x, cols);
    let has_integers = matches!(format.name, "q4_1" | "q8_0");
    let input: Vec<f64> = if has_integers {
        let quants = activations.quants.iter().flatten();
        let scales = activations.scales.iter().flatten();
        let scales = scales.flat_map(|scale| [*scale; BLOCK_LEN / 2]);
        quants
            .zip(scales)
            .map(|(&q, d)| f64::from(q) * f64::from(d))
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

#[test]
fn every_kernel_is_exact_but_for_the_last_bits() {
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
    let names: Vec<_> = Simd::all().into_iter().map(Simd::name).collect();
    println!("{checked} cases on {names:?}");
}

/// The largest quants and activations that there can be: sums of 16 bits must hold them.
#[test]
fn extremes_do_not_overflow() {
    for simd in Simd::all() {
        for &format in FORMATS
            .iter()
            .filter(|format| ["q4_1", "q8_0"].contains(&format.name))
        {
            let one = half_one();
            let mut block = vec![0xff_u8; format.block_bytes];
            block[..2].copy_from_slice(&one);
            if format.name == "q4_1" {
                block[2..4].copy_from_slice(&[0, 0]);
            } else {
                block[2..].fill(127);
            }
            let mut matrix = weights::new(format, GROUP, BLOCK_LEN).expect("memory");
            (0..GROUP).for_each(|row| matrix.put_row(row, &block));
            for sign in [1.0, -1.0] {
                let mut activations = Activations::default();
                activations.quantize(&[sign * 127.0; BLOCK_LEN], BLOCK_LEN);
                let mut out = [[0.0; GROUP]; TILE];
                matrix.dot(simd, 0, &[activations.row(0)], &mut out);
                let quant = if format.name == "q4_1" { 15.0 } else { 127.0 };
                let want = sign * 32.0 * 127.0 * quant;
                assert_eq!(out[0], [want; GROUP], "{format:?} {}", simd.name());
            }
        }
    }
}

/// 1 as f16.
const fn half_one() -> [u8; 2] {
    [0x00, 0x3c]
}
