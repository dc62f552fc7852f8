//! Tests of this room, and a builder of headers for them.

mod ggml_type;
mod gguf;
mod manifest;
mod plan;

/// Writes GGUF headers, well-formed or not.
#[derive(Clone)]
pub(crate) struct Builder {
    version: u32,
    pairs: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    alignment: usize,
}

pub(crate) fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            version: 3,
            pairs: Vec::new(),
            tensors: Vec::new(),
            alignment: 32,
        }
    }

    pub(crate) fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// A pair of type number `kind` with these bytes as its value.
    pub(crate) fn pair(mut self, key: &str, kind: u32, value: impl AsRef<[u8]>) -> Self {
        let mut pair = string(key);
        pair.extend(kind.to_le_bytes());
        pair.extend(value.as_ref());
        self.pairs.push(pair);
        self
    }

    pub(crate) fn str(self, key: &str, text: &str) -> Self {
        self.pair(key, 8, string(text))
    }

    pub(crate) fn array(
        self,
        key: &str,
        kind: u32,
        count: u64,
        elements: impl AsRef<[u8]>,
    ) -> Self {
        let mut value = kind.to_le_bytes().to_vec();
        value.extend(count.to_le_bytes());
        value.extend(elements.as_ref());
        self.pair(key, 9, value)
    }

    pub(crate) fn strs(self, key: &str, texts: &[&str]) -> Self {
        let elements: Vec<u8> = texts.iter().flat_map(|text| string(text)).collect();
        self.array(key, 8, texts.len() as u64, elements)
    }

    pub(crate) fn alignment(mut self, alignment: u32) -> Self {
        self.alignment = alignment as usize;
        self.pair("general.alignment", 4, alignment.to_le_bytes())
    }

    pub(crate) fn tensor(mut self, name: &str, dims: &[u64], kind: u32, offset: u64) -> Self {
        let mut tensor = string(name);
        tensor.extend((dims.len() as u32).to_le_bytes());
        tensor.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
        tensor.extend(kind.to_le_bytes());
        tensor.extend(offset.to_le_bytes());
        self.tensors.push(tensor);
        self
    }

    /// The header, padded to where the data begins.
    pub(crate) fn build(&self) -> Vec<u8> {
        self.build_with_counts(self.tensors.len() as u64, self.pairs.len() as u64)
    }

    pub(crate) fn build_with_counts(&self, n_tensors: u64, n_pairs: u64) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(n_tensors.to_le_bytes());
        bytes.extend(n_pairs.to_le_bytes());
        bytes.extend(self.pairs.concat());
        bytes.extend(self.tensors.concat());
        bytes.resize(bytes.len().next_multiple_of(self.alignment), 0);
        bytes
    }
}

/// A small generator of numbers, the same on every run (splitmix64).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}
