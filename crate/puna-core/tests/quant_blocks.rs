//! Every format of the registry against values that its authors' decoders give.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of golden files are small"
)]

mod support;

use puna_core::ErrorCode;
use puna_core::graph::Builder;
use puna_core::model;
use puna_core::quant::{FORMATS, Format};
use support::{read_floats, read_gguf, read_tensor};

/// In units of the largest value of a block, as the golden folder's README says.
const TOLERANCE: f32 = 1e-6;

/// The types that the reference quantiser makes nothing of by itself: floats, and those that want to know which weights
/// matter.
const NOT_QUANTISED: &[&str] = &["f16", "bf16", "iq2_xxs", "iq2_xs", "iq1_s"];

/// A file of blocks, and how many stand in a row of it.
fn file_of(format: &Format) -> (&'static str, usize) {
    // Where the numbers of `ik_llama.cpp` begin.
    if format.ggml_type >= 100 {
        ("quant-blocks/ik.safetensors", 4)
    } else {
        ("quant-blocks/ggml.safetensors", 1)
    }
}

fn check(format: &Format, set: &str) {
    let label = format!("{}{set}", format.name.to_uppercase());
    let (file, blocks_of_row) = file_of(format);
    let bytes = read_tensor(file, &format!("{label}.bytes"));
    let want = read_floats(file, &format!("{label}.f32"));
    let cols = blocks_of_row * format.block_len;
    assert!(
        bytes.len() >= 4 * format.row_bytes(cols),
        "{label}: too little"
    );
    let got = format.dequantize_rows(&bytes, cols);
    assert_eq!(got.len(), want.len(), "{label}: lengths differ");
    let blocks = got
        .chunks_exact(format.block_len)
        .zip(want.chunks_exact(format.block_len));
    for (block, (got, want)) in blocks.enumerate() {
        let largest = want.iter().fold(0.0, |most: f32, w| most.max(w.abs()));
        for (i, (got, want)) in got.iter().zip(want).enumerate() {
            assert!(
                (got - want).abs() <= TOLERANCE * largest,
                "{label}: weight {i} of block {block} is {got}, expected {want}"
            );
        }
    }
}

#[test]
fn every_format_decodes_its_bytes_as_its_authors_do() {
    for format in FORMATS.iter().filter(|format| format.name != "f32") {
        check(format, "");
        let (_, blocks_of_row) = file_of(format);
        if blocks_of_row == 1 && !NOT_QUANTISED.contains(&format.name) {
            check(format, ".real");
        }
    }
}

#[test]
fn a_row_that_is_no_whole_number_of_blocks_is_refused() {
    let (_, mut header) = read_gguf("llama-256/llama-256-Q4_1.gguf");
    let (config, _) = model::open(&header).expect("a graph");
    for format in FORMATS {
        // Of weights that stand alone, vectors of four may not be cut.
        let cols = match format.value_bytes {
            0 => format.block_len * 3 / 2,
            _ => format.block_len + 2,
        };
        let tensor = &mut header.tensors[0];
        tensor.dims = vec![cols as u64, 2];
        tensor.ggml_type = format.ggml_type;
        let name = tensor.name.clone();
        let error = Builder::new(&config, &header)
            .matrix(&name, 2, cols)
            .expect_err("half a block");
        assert_eq!(error.code(), ErrorCode::UnsupportedModel, "{error}");
        let expected = format!(
            "tensor {name} has {cols} columns, expected a multiple of {}",
            format.block_len
        );
        assert!(error.message().starts_with(&expected), "{error}");
    }
}
