//! Byte-pair encoding of the words that the pre-tokenizer cut, over the `tokenizers` crate.

use ahash::{AHashMap, AHashSet};
use tokenizers::Model;
use tokenizers::models::bpe::BPE;

use crate::weights::gguf::{Metadata, StrArray};
use crate::{Error, Result};

use super::bytes;
use super::pre::{PreTokenizer, Splitter};

/// The merges of a model, applied to words.
pub(super) struct Words {
    splitter: Splitter,
    bpe: BPE,
    /// Ids from here on are bytes that the vocabulary lacks: stand-ins, dropped from the result.
    n_tokens: u32,
}

impl Words {
    /// Reads `tokenizer.ggml.tokens` and `tokenizer.ggml.merges`.
    pub(super) fn from_gguf(metadata: &Metadata, pre: &PreTokenizer) -> Result<Self> {
        let tokens = metadata.required_strs("tokenizer.ggml.tokens")?;
        let n_tokens = u32::try_from(tokens.len())
            .map_err(|_| Error::bad_model_file("the vocabulary has more than 2^32 tokens"))?;
        let vocab = read_vocab(tokens, n_tokens)?;
        let merges = read_merges(metadata.required_strs("tokenizer.ggml.merges")?, &vocab)?;
        let bpe = BPE::builder()
            .vocab_and_merges(vocab, merges)
            // The crate's cache lives in a global and keeps what users wrote; a word takes
            // microseconds without it.
            .cache_capacity(0)
            .ignore_merges(pre.ignore_merges)
            .build()
            .map_err(|error| Error::bad_model_file(format!("tokenizer: {error}")))?;
        Ok(Self {
            splitter: Splitter::new(pre)?,
            bpe,
            n_tokens,
        })
    }

    /// Adds the ids of `text` to `ids`. Bytes that the vocabulary lacks are left out.
    pub(super) fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<()> {
        let mut written = String::new();
        self.splitter.split(text, &mut |word| {
            bytes::write(word, &mut written);
            let tokens = self
                .bpe
                .tokenize(&written)
                .map_err(|error| Error::internal(format!("tokenizer: {error}")))?;
            let known = tokens.iter().map(|token| token.id);
            ids.extend(known.filter(|id| *id < self.n_tokens));
            Ok(())
        })
    }
}

/// Text to id, with a stand-in for each byte that has no token. The stand-ins keep the neighbours of
/// such a byte apart: they must not merge across it.
fn read_vocab(tokens: StrArray<'_>, n_tokens: u32) -> Result<AHashMap<String, u32>> {
    let mut vocab = AHashMap::with_capacity(tokens.len() + 256);
    for (id, token) in (0..n_tokens).zip(tokens) {
        // Empty entries can't be found in a text; several are no contradiction.
        if token.is_empty() {
            continue;
        }
        if let Some(first) = vocab.insert(token.to_owned(), id) {
            return Err(Error::bad_model_file(format!(
                "the token {token:?} is in the vocabulary twice, as {first} and {id}"
            )));
        }
    }
    let mut stand_in = n_tokens;
    for character in (0..=u8::MAX).map(bytes::to_char) {
        let mut buffer = [0; 4];
        let text: &str = character.encode_utf8(&mut buffer);
        if !vocab.contains_key(text) {
            vocab.insert(text.to_owned(), stand_in);
            stand_in = stand_in.saturating_add(1);
        }
    }
    Ok(vocab)
}

/// Merges of the largest vocabularies known: some 500 thousand.
const MAX_MERGES: usize = 1 << 21;

/// The merges in order of rank. Each must join two tokens into a third: the crate relies on it.
fn read_merges(
    merges: StrArray<'_>,
    vocab: &AHashMap<String, u32>,
) -> Result<Vec<(String, String)>> {
    if merges.len() > MAX_MERGES {
        return Err(Error::bad_model_file(format!(
            "tokenizer.ggml.merges has {} entries; at most {MAX_MERGES} are possible",
            merges.len()
        )));
    }
    let mut pairs = Vec::new();
    let mut seen = AHashSet::new();
    let mut joined = String::new();
    for (rank, merge) in merges.iter().enumerate() {
        let bad = |what: &str| {
            Err(Error::bad_model_file(format!(
                "tokenizer.ggml.merges[{rank}] is {merge:?}: {what}"
            )))
        };
        let Some((left, right)) = merge.split_once(' ') else {
            return bad("two tokens and a space between them expected");
        };
        joined.clear();
        joined.push_str(left);
        joined.push_str(right);
        let (Some(a), Some(b)) = (vocab.get(left), vocab.get(right)) else {
            return bad("one of the two is not in the vocabulary");
        };
        if !vocab.contains_key(joined.as_str()) {
            return bad("the result is not in the vocabulary");
        }
        // Of two merges of the same pair the first counts; the crate would take the last.
        if seen.insert((*a, *b)) {
            pairs.push((left.to_owned(), right.to_owned()));
        }
    }
    Ok(pairs)
}
