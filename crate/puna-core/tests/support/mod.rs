//! Reads the golden files.

use std::path::PathBuf;

use puna_core::weights::header::{Header, Parsed};
use puna_core::weights::safetensors;

/// The project's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `tests/golden/NAME`.
pub(crate) fn golden(name: &str) -> PathBuf {
    root().join("tests/golden").join(name)
}

/// A whole GGUF file: its bytes and its header.
pub(crate) fn read_gguf(name: &str) -> (Vec<u8>, Header) {
    let bytes = std::fs::read(golden(name)).expect("the golden file is in the tree");
    match Header::from_gguf(&bytes).expect("a good header") {
        Parsed::Done(header) => (bytes, header),
        Parsed::NeedMore { at_least } => {
            panic!("{name} ends inside its header, {at_least} bytes are needed")
        }
    }
}

/// The bytes of one tensor of a safetensors file.
pub(crate) fn read_tensor(name: &str, tensor: &str) -> Vec<u8> {
    let bytes = std::fs::read(golden(name)).expect("the golden file is in the tree");
    let Parsed::Done(header) = safetensors::parse(&bytes).expect("a good header") else {
        panic!("{name} ends inside its header");
    };
    let mut entries = header.tensors.iter();
    let entry = entries.find(|entry| entry.name == tensor);
    let entry = entry.unwrap_or_else(|| panic!("{name} has no tensor {tensor}"));
    bytes[entry.offset as usize..(entry.offset + entry.bytes) as usize].to_vec()
}

/// The same, as little-endian words.
pub(crate) fn read_words(name: &str, tensor: &str) -> Vec<u32> {
    let words = read_tensor(name, tensor);
    let words = words.as_chunks().0.iter();
    words.map(|&word| u32::from_le_bytes(word)).collect()
}

/// The same, as floats.
pub(crate) fn read_floats(name: &str, tensor: &str) -> Vec<f32> {
    read_words(name, tensor)
        .into_iter()
        .map(f32::from_bits)
        .collect()
}
