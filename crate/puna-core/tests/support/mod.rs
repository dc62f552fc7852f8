//! Reads the golden files.

use std::path::PathBuf;

use puna_core::weights::gguf::{Gguf, Parsed};

/// `tests/golden/NAME`.
pub(crate) fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(name)
}

/// A whole GGUF file: its bytes and its header.
pub(crate) fn read_gguf(name: &str) -> (Vec<u8>, Gguf) {
    let bytes = std::fs::read(golden(name)).expect("the golden file is in the tree");
    match Gguf::parse(&bytes).expect("a good header") {
        Parsed::Done(gguf) => (bytes, gguf),
        Parsed::NeedMore { at_least } => {
            panic!("{name} ends inside its header, {at_least} bytes are needed")
        }
    }
}

/// One tensor of a safetensors file, its elements as little-endian words.
pub(crate) fn read_words(name: &str, tensor: &str) -> Vec<u32> {
    let bytes = std::fs::read(golden(name)).expect("the golden file is in the tree");
    let (length, rest) = bytes.split_first_chunk::<8>().expect("a length");
    let (header, data) =
        rest.split_at(usize::try_from(u64::from_le_bytes(*length)).expect("a short header"));
    let header: serde_json::Value = serde_json::from_slice(header).expect("a JSON header");
    let offset = |ix: usize| {
        usize::try_from(
            header[tensor]["data_offsets"][ix]
                .as_u64()
                .expect("an offset"),
        )
        .expect("small")
    };
    data[offset(0)..offset(1)]
        .as_chunks()
        .0
        .iter()
        .map(|&word| u32::from_le_bytes(word))
        .collect()
}

/// The same, as floats.
pub(crate) fn read_floats(name: &str, tensor: &str) -> Vec<f32> {
    read_words(name, tensor)
        .into_iter()
        .map(f32::from_bits)
        .collect()
}
