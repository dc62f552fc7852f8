//! Every format of the registry against values that llama.cpp's own decoders give.
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

const BLOCKS: &str = "quant-blocks/ggml.safetensors";
/// In units of the largest value of a block, as the golden folder's README says.
const TOLERANCE: f32 = 1e-6;

fn check(format: &Format, set: &str) {
    let label = format!("{}{set}", format.name.to_uppercase());
    let bytes = read_tensor(BLOCKS, &format!("{label}.bytes"));
    let want = read_floats(BLOCKS, &format!("{label}.f32"));
    let blocks = bytes.len() / format.block_bytes;
    assert!(blocks >= 4, "{label}: only {blocks} blocks");
    let got = format.dequantize_all(&bytes);
    assert_eq!(got.len(), want.len(), "{label}: lengths differ");
    let of_block = |values: &[f32], block: usize| {
        values[block * format.block_len..(block + 1) * format.block_len].to_vec()
    };
    for block in 0..blocks {
        let (got, want) = (of_block(&got, block), of_block(&want, block));
        let largest = want.iter().fold(0.0, |most: f32, w| most.max(w.abs()));
        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
            assert!(
                (got - want).abs() <= TOLERANCE * largest,
                "{label}: weight {i} of block {block} is {got}, expected {want}"
            );
        }
    }
}

#[test]
fn every_format_decodes_its_bytes_as_llama_cpp_does() {
    for format in FORMATS.iter().filter(|format| format.name != "f32") {
        check(format, "");
        // What a quantiser makes; an f16 is not quantised.
        if format.name != "f16" {
            check(format, ".real");
        }
    }
}

#[test]
fn a_row_that_is_no_whole_number_of_blocks_is_refused() {
    let (_, mut gguf) = read_gguf("llama-256/llama-256-Q4_1.gguf");
    let (config, _) = model::open(&gguf).expect("a graph");
    for format in FORMATS {
        let cols = format.block_len * 3 / 2;
        let tensor = &mut gguf.tensors[0];
        tensor.dims = vec![cols as u64, 2];
        tensor.ggml_type = format.ggml_type;
        let name = tensor.name.clone();
        let error = Builder::new(&config, &gguf)
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
