//! Text to token ids and back, from a model file's own metadata.
//!
//! Byte-pair encoding as llama.cpp does it for a GGUF, over the merges of the `tokenizers` crate. Knows
//! nothing of chats; vocabularies of other kinds (sentencepiece, unigram) are refused by name.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod bpe;
pub(crate) mod bytes;
mod end;
mod pre;
mod special;
mod stream;
#[cfg(test)]
mod tests;
mod vocab;

use std::fmt;
use std::sync::Arc;

use crate::weights::gguf::Metadata;
use crate::{Error, Result};

pub use stream::{DecodeStream, Utf8Stream};
pub use vocab::TokenKind;

use bpe::Words;
use special::SpecialTokens;
use vocab::Vocab;

/// What to do with text that looks like a control token, such as `<|im_end|>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// It is plain text: for text that somebody typed.
    AsText,
    /// It is that token: for text that a chat template wrote.
    Parse,
}

/// The tokenizer of a model. Cheap to clone: the vocabulary is shared.
#[derive(Clone)]
pub struct Tokenizer(Arc<Inner>);

struct Inner {
    vocab: Vocab,
    special: SpecialTokens,
    words: Words,
    bos: Option<u32>,
    eos: Option<u32>,
    add_bos: bool,
    add_eos: bool,
}

impl Tokenizer {
    /// The tokenizer that a GGUF's metadata describes.
    ///
    /// # Errors
    ///
    /// `unsupported_model` for another kind of tokenizer or an unknown pre-tokenizer, by name;
    /// `bad_model_file` where the arrays are missing or contradict each other.
    pub fn from_gguf(metadata: &Metadata) -> Result<Self> {
        let model = metadata.required_str("tokenizer.ggml.model")?;
        if model != "gpt2" {
            return Err(Error::unsupported_model(format!(
                "the tokenizer {model:?} (tokenizer.ggml.model) is not supported; supported is \"gpt2\" (byte-level BPE)"
            ))
            .detail("tokenizer", model));
        }
        let pre = match metadata.contains("tokenizer.ggml.pre") {
            true => metadata.required_str("tokenizer.ggml.pre")?,
            false => "default",
        };
        let pre = pre::find(pre)?;
        let flag = |key: &str, default: bool| match metadata.contains(key) {
            true => metadata.required_bool(key),
            false => Ok(default),
        };
        let vocab = Vocab::from_gguf(metadata)?;
        let id_of = |key| end::id_of(metadata, key, vocab.len());
        let bos = id_of("tokenizer.ggml.bos_token_id")?;
        let eos = id_of("tokenizer.ggml.eos_token_id")?;
        Ok(Self(Arc::new(Inner {
            special: SpecialTokens::new(&vocab),
            words: Words::from_gguf(metadata, pre)?,
            bos,
            eos,
            add_bos: flag("tokenizer.ggml.add_bos_token", pre.add_bos)?,
            add_eos: flag("tokenizer.ggml.add_eos_token", false)?,
            vocab,
        })))
    }

    /// The ids of `text`, with nothing added. User-defined tokens are always found as a whole, control
    /// tokens only with [`Special::Parse`].
    pub fn encode(&self, text: &str, special: Special) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        self.encode_into(text, special, &mut ids)?;
        Ok(ids)
    }

    /// The ids of a text that is not a chat, between the BOS and EOS that the model asks for. The output
    /// of a chat template has them already: use [`Self::encode`] for it.
    pub fn encode_document(&self, text: &str, special: Special) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        ids.extend(self.0.bos.filter(|_| self.0.add_bos));
        self.encode_into(text, special, &mut ids)?;
        ids.extend(self.0.eos.filter(|_| self.0.add_eos));
        Ok(ids)
    }

    fn encode_into(&self, text: &str, special: Special, ids: &mut Vec<u32>) -> Result<()> {
        let Inner { vocab, words, .. } = &*self.0;
        let mut end = 0;
        for found in self.0.special.find(vocab, text, special) {
            words.encode(text.get(end..found.range.start).unwrap_or_default(), ids)?;
            ids.push(found.id);
            end = found.range.end;
        }
        words.encode(text.get(end..).unwrap_or_default(), ids)
    }

    /// The text of `ids`. Control tokens are left out; bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids
            .iter()
            .flat_map(|id| self.text_of(*id))
            .copied()
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A stream that turns ids into text one by one.
    #[must_use]
    pub fn decode_stream(&self) -> DecodeStream {
        DecodeStream::new(self.clone())
    }

    /// The bytes of token `id`, of a control token what it is written as; `None` if there is no such id.
    #[must_use]
    pub fn piece(&self, id: u32) -> Option<&[u8]> {
        self.0.vocab.piece(id)
    }

    /// What kind of token `id` is; `None` if there is no such id.
    #[must_use]
    pub fn kind(&self, id: u32) -> Option<TokenKind> {
        self.0.vocab.kind(id)
    }

    /// Whether an answer ends with token `id`.
    #[must_use]
    pub fn is_end_of_generation(&self, id: u32) -> bool {
        self.end_of_generation().binary_search(&id).is_ok()
    }

    /// All ids that end an answer, ascending.
    #[must_use]
    pub fn end_of_generation(&self) -> &[u32] {
        self.0.vocab.end_of_generation()
    }

    /// Number of tokens.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.0.vocab.len()
    }

    /// What the token that begins a text is written as; empty if the model has none.
    #[must_use]
    pub fn bos_text(&self) -> String {
        self.written(self.0.bos)
    }

    /// What the token that ends a text is written as; empty if the model has none.
    #[must_use]
    pub fn eos_text(&self) -> String {
        self.written(self.0.eos)
    }

    fn written(&self, id: Option<u32>) -> String {
        let piece = id.and_then(|id| self.piece(id)).unwrap_or_default();
        String::from_utf8_lossy(piece).into_owned()
    }

    /// The bytes that token `id` adds to a text.
    fn text_of(&self, id: u32) -> &[u8] {
        self.0.vocab.text(id)
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokenizer({} tokens)", self.vocab_size())
    }
}
