//! Byte-pair encoding of words, over the `tokenizers` crate.

use ahash::{AHashMap, AHashSet};
use tokenizers::Model as _;
use tokenizers::models::bpe::BPE;

use super::bytes;
use crate::{Error, Result};

/// Merges of the largest vocabularies known: some 515 thousand.
pub(super) const MAX_MERGES: usize = 1 << 21;

/// What a model asks for beyond its merges.
#[derive(Default)]
pub(super) struct Options {
    /// A word that is in the vocabulary is that token, whatever the merges say.
    pub(super) ignore_merges: bool,
    /// Characters that are in no token are written as tokens of bytes, `<0x0A>`.
    pub(super) byte_fallback: bool,
    /// The token for what is in no token.
    pub(super) unknown: Option<String>,
    /// Several of those in a row are one.
    pub(super) fuse_unknown: bool,
}

/// The merges of a model, applied to words.
pub(super) struct Bpe {
    bpe: BPE,
    /// Ids from here on are bytes that the vocabulary lacks: stand-ins, dropped from the result.
    n_tokens: u32,
}

impl Bpe {
    /// A model of `vocab`, text to id, and of `merges` from [`Merges::finish`].
    pub(super) fn new(
        vocab: AHashMap<String, u32>,
        merges: Vec<(String, String)>,
        n_tokens: u32,
        options: Options,
    ) -> Result<Self> {
        let mut builder = BPE::builder()
            .vocab_and_merges(vocab, merges)
            // The crate's cache lives in a global and keeps what users wrote; a word takes
            // microseconds without it.
            .cache_capacity(0)
            .ignore_merges(options.ignore_merges)
            .byte_fallback(options.byte_fallback)
            .fuse_unk(options.fuse_unknown);
        if let Some(unknown) = options.unknown {
            builder = builder.unk_token(unknown);
        }
        let bpe = builder
            .build()
            .map_err(|error| Error::bad_model_file(format!("tokenizer: {error}")))?;
        Ok(Self { bpe, n_tokens })
    }

    /// Adds the ids of a word. What is in no token is left out where the model has no other way.
    pub(super) fn encode(&self, word: &str, ids: &mut Vec<u32>) -> Result<()> {
        let tokens = self
            .bpe
            .tokenize(word)
            .map_err(|error| Error::internal(format!("tokenizer: {error}")))?;
        let known = tokens.iter().map(|token| token.id);
        ids.extend(known.filter(|id| *id < self.n_tokens));
        Ok(())
    }
}

/// Adds a stand-in for each byte of the alphabet that has no token. The stand-ins keep the neighbours of
/// such a byte apart, as llama.cpp does: they must not merge across it.
pub(super) fn add_stand_ins(vocab: &mut AHashMap<String, u32>, n_tokens: u32) {
    let mut stand_in = n_tokens;
    for character in (0..=u8::MAX).map(bytes::to_char) {
        let mut buffer = [0; 4];
        let text: &str = character.encode_utf8(&mut buffer);
        if !vocab.contains_key(text) {
            vocab.insert(text.to_owned(), stand_in);
            stand_in = stand_in.saturating_add(1);
        }
    }
}

/// Collects merges in order of rank. Each must join two tokens into a third: the crate relies on it.
pub(super) struct Merges<'v> {
    vocab: &'v AHashMap<String, u32>,
    pairs: Vec<(String, String)>,
    /// Of two merges of the same pair the first counts, as in llama.cpp; else the last, as in `tokenizers`.
    seen: Option<AHashSet<(u32, u32)>>,
    joined: String,
}

impl<'v> Merges<'v> {
    /// No merges yet.
    pub(super) fn new(vocab: &'v AHashMap<String, u32>, first_counts: bool) -> Self {
        Self {
            vocab,
            pairs: Vec::new(),
            seen: first_counts.then(AHashSet::new),
            joined: String::new(),
        }
    }

    /// Adds the merge of next rank; what is wrong with it, if it is none.
    pub(super) fn push(&mut self, left: String, right: String) -> Result<(), &'static str> {
        if self.pairs.len() >= MAX_MERGES {
            return Err("there are more than 2097152 merges");
        }
        self.joined.clear();
        self.joined.push_str(&left);
        self.joined.push_str(&right);
        let (Some(a), Some(b)) = (self.vocab.get(&left), self.vocab.get(&right)) else {
            return Err("one of the two is not in the vocabulary");
        };
        if !self.vocab.contains_key(self.joined.as_str()) {
            return Err("the result is not in the vocabulary");
        }
        if self.seen.as_mut().is_none_or(|seen| seen.insert((*a, *b))) {
            self.pairs.push((left, right));
        }
        Ok(())
    }

    /// The merges.
    pub(super) fn finish(self) -> Vec<(String, String)> {
        self.pairs
    }
}
