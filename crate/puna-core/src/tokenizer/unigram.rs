//! Sentencepiece's unigram model: the pieces whose log probabilities add up to most, over the `tokenizers`
//! crate.

use tokenizers::Model as _;
use tokenizers::models::unigram;

use crate::{Error, Result};

/// A vocabulary with log probabilities.
pub(super) struct Unigram {
    unigram: unigram::Unigram,
    /// The id of each piece of the model: pieces that are never found are not in it.
    ids: Vec<u32>,
}

impl Unigram {
    /// A model of `pieces`: text, log probability and id; `unknown` is the number of the piece for what is
    /// in no other.
    pub(super) fn new(
        pieces: Vec<(String, f64, u32)>,
        unknown: Option<usize>,
        byte_fallback: bool,
    ) -> Result<Self> {
        let ids = pieces.iter().map(|(_, _, id)| *id).collect();
        let pieces = pieces.into_iter().map(|(text, score, _)| (text, score));
        let mut unigram = unigram::Unigram::from(pieces.collect(), unknown, byte_fallback)
            .map_err(|error| Error::bad_model_file(format!("tokenizer: {error}")))?;
        // The cache would keep what users wrote.
        unigram.resize_cache(0);
        Ok(Self { unigram, ids })
    }

    /// Adds the ids of a word.
    pub(super) fn encode(&self, word: &str, ids: &mut Vec<u32>) -> Result<()> {
        let tokens = self.unigram.tokenize(word).map_err(|error| {
            Error::unsupported_model(format!("the tokenizer has no token for a text: {error}"))
        })?;
        let id = |token: &tokenizers::Token| {
            let ix = usize::try_from(token.id).ok()?;
            self.ids.get(ix).copied()
        };
        ids.extend(tokens.iter().filter_map(id));
        Ok(())
    }
}
