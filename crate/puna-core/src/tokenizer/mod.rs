//! Text to token ids and back, from a model's own files.
//!
//! A GGUF's metadata is read as llama.cpp reads it, a `tokenizer.json` as the `tokenizers` crate does; both
//! end in the same steps: tokens found as a whole, a normalizer, a cut into words, a model of words. Unicode's tables are
//! those of libraries where nobody supplies others. Knows nothing of chats.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod bert;
mod bpe;
pub(crate) mod bytes;
mod charsmap;
mod end;
mod gguf;
mod ids;
mod json;
mod lookup;
mod normalizer;
mod pipeline;
mod pre;
mod regex;
mod set;
mod special;
mod splitter;
mod spm;
mod stream;
mod strings;
#[cfg(test)]
pub(crate) mod tests;
mod unicode;
mod unigram;
mod vocab;
mod wordpiece;

use std::fmt;
use std::sync::Arc;

use crate::Result;
use crate::checkpoint;
use crate::weights::header::{Header, Metadata, Origin};

pub use json::JsonFiles;
pub use stream::{DecodeStream, Utf8Stream};
pub use unicode::{NormalForm, Tables as UnicodeTables};
pub use vocab::TokenKind;

use pipeline::Pipeline;
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
    /// Tokens that are found as a whole in the text as it is.
    special: SpecialTokens,
    pipeline: Pipeline,
    bos: Option<u32>,
    eos: Option<u32>,
    /// What a document begins and ends with.
    prefix: Vec<u32>,
    suffix: Vec<u32>,
    /// How many spaces at the beginning of a text are the tokenizer's own.
    own_spaces: usize,
}

impl Tokenizer {
    /// The tokenizer of a model, as its files describe it.
    ///
    /// # Errors
    ///
    /// As [`Self::from_gguf`] and [`Self::from_json`].
    pub fn for_model(header: &Header) -> Result<Self> {
        match &header.origin {
            Origin::Gguf { .. } => Self::from_gguf(&header.metadata),
            Origin::Checkpoint(companions) => Self::from_json(&JsonFiles {
                tokenizer: companions.required(checkpoint::TOKENIZER)?,
                tokenizer_config: companions.get(checkpoint::TOKENIZER_CONFIG),
                special_tokens_map: companions.get(checkpoint::SPECIAL_TOKENS_MAP),
                generation_config: companions.get(checkpoint::GENERATION_CONFIG),
            }),
        }
    }

    /// The tokenizer that a GGUF's metadata describes; ids are llama.cpp's.
    ///
    /// # Errors
    ///
    /// `unsupported_model` for another kind of tokenizer or an unknown pre-tokenizer, by name;
    /// `bad_model_file` where the arrays are missing or contradict each other.
    pub fn from_gguf(metadata: &Metadata) -> Result<Self> {
        gguf::read(metadata).map(|inner| Self(Arc::new(inner)))
    }

    /// The tokenizer that a `tokenizer.json` and its companions describe; ids are those of the `tokenizers`
    /// library.
    ///
    /// # Errors
    ///
    /// `unsupported_model` for a step or model that is not supported, by name; `bad_model_file` where a file
    /// is malformed or contradicts itself, with the place.
    pub fn from_json(files: &JsonFiles<'_>) -> Result<Self> {
        json::read(files).map(|inner| Self(Arc::new(inner)))
    }

    /// The ids of `text`, with nothing added. User-defined tokens are always found as a whole, control
    /// tokens only with [`Special::Parse`].
    pub fn encode(&self, text: &str, special: Special) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        self.encode_into(text, special, true, &mut ids)?;
        Ok(ids)
    }

    /// The ids of a text that is not a chat, between the tokens that the model asks for: BOS and EOS, or an
    /// encoder's CLS and SEP. The output of a chat template has them already: use [`Self::encode`] for it.
    pub fn encode_document(&self, text: &str, special: Special) -> Result<Vec<u32>> {
        let mut ids = self.encode_start(text, special)?;
        ids.extend(&self.0.suffix);
        Ok(ids)
    }

    /// The ids of a text that goes on: behind the tokens that the model asks for in front of one.
    pub fn encode_start(&self, text: &str, special: Special) -> Result<Vec<u32>> {
        let mut ids = self.0.prefix.clone();
        self.encode_into(text, special, true, &mut ids)?;
        Ok(ids)
    }

    /// The ids of `text` (bytes) as it goes on inside of an answer in which the control tokens `shown` are text too, as far as it
    /// is whole characters and its ids stand for it byte by byte. No other control token is among them.
    pub fn encode_inside(&self, text: &[u8], shown: &[u32]) -> Result<Vec<u32>> {
        let text = text.utf8_chunks().next().map_or("", |it| it.valid());
        let mut ids = Vec::new();
        self.encode_into(text, Special::Parse, false, &mut ids)?;
        let mut rest = text.as_bytes();
        let stands_for_it = |id: &u32| {
            let own = self.text_of(*id, shown);
            let behind = rest.strip_prefix(own).filter(|_| !own.is_empty());
            behind.map(|behind| rest = behind).is_some() && !self.is_end_of_generation(*id)
        };
        let same = ids.iter().copied().take_while(stands_for_it);
        Ok(same.collect())
    }

    /// The bytes that token `id` adds to a text in which the control tokens `shown` are text too.
    #[must_use]
    pub fn text_of(&self, id: u32, shown: &[u32]) -> &[u8] {
        match shown.contains(&id) {
            true => self.piece(id).unwrap_or_default(),
            false => self.0.vocab.text(id),
        }
    }

    /// Adds the ids of `text`. `begins`: nothing is in front of it.
    fn encode_into(
        &self,
        text: &str,
        special: Special,
        begins: bool,
        ids: &mut Vec<u32>,
    ) -> Result<()> {
        let pipeline = &self.0.pipeline;
        let mut end = 0;
        for found in self.0.special.find(text, special) {
            let before = text.get(end..found.range.start).unwrap_or_default();
            if !before.is_empty() {
                pipeline.encode(before, begins && end == 0, special, ids)?;
            }
            ids.push(found.id);
            end = found.range.end;
        }
        match text.get(end..) {
            None | Some("") => Ok(()),
            Some(rest) => pipeline.encode(rest, begins && end == 0, special, ids),
        }
    }

    /// The text of `ids`. Control tokens are left out, and so is the space that the tokenizer puts in front
    /// of a text; bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut stream = self.decode_stream();
        let mut text: String = ids.iter().filter_map(|id| stream.push(*id)).collect();
        text.extend(stream.finish());
        text
    }

    /// A stream that turns ids into text one by one.
    #[must_use]
    pub fn decode_stream(&self) -> DecodeStream {
        DecodeStream::new(self.clone(), self.0.own_spaces)
    }

    /// The bytes of token `id`, of a control token what it is written as, of an unused one nothing; `None` if
    /// there is no such id.
    #[must_use]
    pub fn piece(&self, id: u32) -> Option<&[u8]> {
        self.0.vocab.piece(id)
    }

    /// What kind of token `id` is; `None` if there is no such id.
    #[must_use]
    pub fn kind(&self, id: u32) -> Option<TokenKind> {
        self.0.vocab.kind(id)
    }

    /// The control token that is written so.
    #[must_use]
    pub fn control(&self, text: &str) -> Option<u32> {
        match self.encode(text, Special::Parse).ok()?.as_slice() {
            [id] if self.kind(*id) == Some(TokenKind::Control) => Some(*id),
            _ => None,
        }
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
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokenizer({} tokens)", self.vocab_size())
    }
}
