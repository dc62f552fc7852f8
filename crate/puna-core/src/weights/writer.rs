//! Writes GGUF headers: of models made on the spot, and of files, well-formed or not, that tests read.

/// Where tensors begin if nothing is said of it: at a multiple of so many bytes.
pub(crate) const ALIGNMENT: usize = 32;

/// A header that grows by metadata and tensors.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    version: u32,
    pairs: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    alignment: usize,
}

/// A string as GGUF has it.
pub(crate) fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

impl Writer {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            version: 3,
            pairs: Vec::new(),
            tensors: Vec::new(),
            alignment: ALIGNMENT,
        }
    }

    /// Another version than 3.
    #[cfg(test)]
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

    /// A string.
    pub(crate) fn str(self, key: &str, text: &str) -> Self {
        self.pair(key, 8, string(text))
    }

    /// An array of `count` elements of type number `kind`.
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

    /// An array of strings.
    pub(crate) fn strs(self, key: &str, texts: &[impl AsRef<str>]) -> Self {
        let elements: Vec<u8> = texts
            .iter()
            .flat_map(|text| string(text.as_ref()))
            .collect();
        self.array(key, 8, texts.len() as u64, elements)
    }

    /// Another alignment of the tensors than 32.
    #[cfg(test)]
    pub(crate) fn alignment(mut self, alignment: u32) -> Self {
        self.alignment = alignment as usize;
        self.pair("general.alignment", 4, alignment.to_le_bytes())
    }

    /// A tensor, its first dimension the innermost, of type number `kind`, at `offset` behind the header.
    pub(crate) fn tensor(mut self, name: &str, dims: &[u64], kind: u32, offset: u64) -> Self {
        let mut tensor = string(name);
        tensor.extend(u32::try_from(dims.len()).unwrap_or(u32::MAX).to_le_bytes());
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

    /// The header with counts that need not be right.
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
