//! Makes GGUF headers that hold a tokenizer.

use crate::Result;
use crate::tokenizer::Tokenizer;
use crate::weights::header::{self, Parsed};

/// Pairs of a header; a key given twice counts the last time.
#[derive(Clone, Default)]
pub(crate) struct Header(Vec<(String, Vec<u8>)>);

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

impl Header {
    /// Letters a, b, c; three merges; a few tokens of other kinds: ids 0 to 8.
    pub(crate) fn small() -> Self {
        Self::default()
            .str("tokenizer.ggml.model", "gpt2")
            .pre("gpt-2")
            .tokens(&["a", "b", "c", "ab", "bc", "abc", "<e>", "<c>", "[u]"])
            .types(&[1, 1, 1, 1, 1, 1, 3, 3, 4])
            .merges(&["a b", "b c", "ab c"])
    }

    pub(crate) fn set(mut self, key: &str, kind: u32, value: Vec<u8>) -> Self {
        self = self.without(key);
        self.0.push((
            key.to_owned(),
            [kind.to_le_bytes().to_vec(), value].concat(),
        ));
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.0.retain(|(name, _)| name != key);
        self
    }

    pub(crate) fn u32(self, key: &str, value: u32) -> Self {
        self.set(key, 4, value.to_le_bytes().to_vec())
    }

    pub(crate) fn bool(self, key: &str, value: bool) -> Self {
        self.set(key, 7, vec![value.into()])
    }

    pub(crate) fn str(self, key: &str, value: &str) -> Self {
        self.set(key, 8, string(value))
    }

    pub(crate) fn pre(self, name: &str) -> Self {
        self.str("tokenizer.ggml.pre", name)
    }

    pub(crate) fn tokens(self, tokens: &[&str]) -> Self {
        self.strs("tokenizer.ggml.tokens", tokens)
    }

    pub(crate) fn merges(self, merges: &[&str]) -> Self {
        self.strs("tokenizer.ggml.merges", merges)
    }

    pub(crate) fn types(self, types: &[i32]) -> Self {
        let elements = types
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        self.array("tokenizer.ggml.token_type", 5, types.len(), elements)
    }

    /// `tokenizer.ggml.scores`.
    pub(crate) fn scores(self, scores: &[f32]) -> Self {
        let elements = scores.iter().flat_map(|score| score.to_le_bytes());
        let elements = elements.collect();
        self.array("tokenizer.ggml.scores", 6, scores.len(), elements)
    }

    /// An array of bytes.
    pub(crate) fn bytes(self, key: &str, bytes: &[u8]) -> Self {
        self.array(key, 0, bytes.len(), bytes.to_vec())
    }

    fn strs(self, key: &str, texts: &[&str]) -> Self {
        let elements = texts.iter().flat_map(|text| string(text)).collect();
        self.array(key, 8, texts.len(), elements)
    }

    fn array(self, key: &str, kind: u32, count: usize, elements: Vec<u8>) -> Self {
        let head = [kind.to_le_bytes().as_slice(), &(count as u64).to_le_bytes()].concat();
        self.set(key, 9, [head, elements].concat())
    }

    /// Adds tokens with their types to those of this header.
    pub(crate) fn with_tokens(self, more: &[(&str, i32)]) -> Self {
        let metadata = self.parse().metadata;
        let tokens = metadata.required_strs("tokenizer.ggml.tokens").unwrap();
        let tokens: Vec<&str> = tokens
            .iter()
            .chain(more.iter().map(|(text, _)| *text))
            .collect();
        let mut types = metadata.required_i32s("tokenizer.ggml.token_type").unwrap();
        types.extend(more.iter().map(|(_, kind)| kind));
        self.tokens(&tokens).types(&types)
    }

    pub(crate) fn parse(&self) -> header::Header {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3_u32.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend((self.0.len() as u64).to_le_bytes());
        for (key, value) in &self.0 {
            bytes.extend(string(key));
            bytes.extend(value);
        }
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        match header::Header::from_gguf(&bytes).unwrap() {
            Parsed::Done(header) => header,
            Parsed::NeedMore { .. } => panic!("the header is whole"),
        }
    }

    pub(crate) fn load(&self) -> Result<Tokenizer> {
        Tokenizer::from_gguf(&self.parse().metadata)
    }

    #[track_caller]
    pub(crate) fn tokenizer(&self) -> Tokenizer {
        self.load().unwrap()
    }
}
