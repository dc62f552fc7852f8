//! Byte-pair encoding of words by merges in order of rank, as the `tokenizers` crate does it, but for its caches, its
//! dropout and its copies of the vocabulary.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::bytes;
use super::ids::Ids;
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
    pub(super) unknown: Option<u32>,
    /// Several of those in a row are one.
    pub(super) fuse_unknown: bool,
}

/// The merges of a model, applied to words.
pub(super) struct Bpe {
    vocab: Ids,
    merges: Merges,
    /// Ids from here on are bytes that the vocabulary lacks: stand-ins, dropped from the result.
    n_tokens: u32,
    options: Options,
}

/// A token to be, part of a chain.
#[derive(Clone, Copy)]
struct Symbol {
    id: u32,
    left: Option<usize>,
    right: Option<usize>,
    /// It was merged into its left neighbour.
    is_gone: bool,
}

/// Two neighbours that can be merged; the one of the least rank is the greatest, the leftmost among equals.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    rank: Reverse<u32>,
    left: Reverse<usize>,
    /// The two ids when the pair was found: others mean that one of the symbols has changed.
    ids: (u32, u32),
}

impl Bpe {
    /// A model of `vocab` and of merges that are of its texts.
    pub(super) fn new(vocab: Ids, merges: Merges, n_tokens: u32, options: Options) -> Self {
        Self {
            vocab,
            merges,
            n_tokens,
            options,
        }
    }

    /// Adds the ids of a word. What is in no token is left out where the model has no other way.
    pub(super) fn encode(&self, word: &str, ids: &mut Vec<u32>) {
        let whole = match self.options.ignore_merges {
            true => self.vocab.get(word.as_bytes()),
            false => None,
        };
        let mut symbols = match whole {
            Some(id) => vec![id],
            None => self.characters(word),
        };
        if whole.is_none() {
            self.merge(&mut symbols);
        }
        ids.extend(symbols.into_iter().filter(|id| *id < self.n_tokens));
    }

    /// The tokens of a word's characters.
    fn characters(&self, word: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(word.len());
        // Unknown characters wait for the next one that is known, and let tokens of bytes pass.
        let mut waiting = None;
        for character in word.chars() {
            let mut buffer = [0; 4];
            let text = character.encode_utf8(&mut buffer).as_bytes();
            if let Some(id) = self.vocab.get(text) {
                ids.extend(waiting.take());
                ids.push(id);
                continue;
            }
            if self.options.byte_fallback {
                let byte = |byte: &u8| self.vocab.get(format!("<0x{byte:02X}>").as_bytes());
                let bytes: Option<Vec<u32>> = text.iter().map(byte).collect();
                if let Some(bytes) = bytes {
                    ids.extend(bytes);
                    continue;
                }
            }
            if let Some(unknown) = self.options.unknown {
                if !self.options.fuse_unknown {
                    ids.extend(waiting);
                }
                waiting = Some(unknown);
            }
        }
        ids.extend(waiting);
        ids
    }

    /// Merges neighbours until no two can be.
    fn merge(&self, ids: &mut Vec<u32>) {
        let last = ids.len().saturating_sub(1);
        let symbols = ids.iter().enumerate().map(|(ix, id)| Symbol {
            id: *id,
            left: ix.checked_sub(1),
            right: Some(ix + 1).filter(|_| ix < last),
            is_gone: false,
        });
        let mut symbols: Vec<Symbol> = symbols.collect();
        let mut pairs = BinaryHeap::new();
        for left in 0..last {
            pairs.extend(self.pair(&symbols, Some(left)));
        }
        while let Some(pair) = pairs.pop() {
            let Reverse(at) = pair.left;
            let Some(left) = symbols.get(at).copied() else {
                continue;
            };
            let right = left.right.and_then(|ix| symbols.get(ix)).copied();
            let Some(right) = right.filter(|right| (left.id, right.id) == pair.ids) else {
                continue;
            };
            if left.is_gone {
                continue;
            }
            let Some(id) = self.merges.result(pair.rank.0) else {
                continue;
            };
            if let Some(gone) = left.right.and_then(|ix| symbols.get_mut(ix)) {
                gone.is_gone = true;
            }
            if let Some(next) = right.right.and_then(|ix| symbols.get_mut(ix)) {
                next.left = Some(at);
            }
            if let Some(merged) = symbols.get_mut(at) {
                merged.id = id;
                merged.right = right.right;
            }
            pairs.extend(self.pair(&symbols, left.left));
            pairs.extend(self.pair(&symbols, Some(at)));
        }
        ids.clear();
        let left = symbols.iter().filter(|symbol| !symbol.is_gone);
        ids.extend(left.map(|symbol| symbol.id));
    }

    /// A symbol and its right neighbour, if they can be merged.
    fn pair(&self, symbols: &[Symbol], left: Option<usize>) -> Option<Pair> {
        let at = left?;
        let left = symbols.get(at)?;
        let right = symbols.get(left.right?)?;
        Some(Pair {
            rank: Reverse(self.merges.rank(left.id, right.id)?),
            left: Reverse(at),
            ids: (left.id, right.id),
        })
    }
}

/// Adds a stand-in for each byte of the alphabet that has no token. The stand-ins keep the neighbours of
/// such a byte apart, as llama.cpp does: they must not merge across it.
pub(super) fn add_stand_ins(vocab: &mut Ids, n_tokens: u32) -> Result<()> {
    let mut stand_in = n_tokens;
    for character in (0..=u8::MAX).map(bytes::to_char) {
        let mut buffer = [0; 4];
        let text = character.encode_utf8(&mut buffer).as_bytes();
        if vocab.get(text).is_none() {
            vocab.insert(text, stand_in)?;
            stand_in = stand_in.saturating_add(1);
        }
    }
    Ok(())
}

/// Merges in order of rank, each of two tokens into a third.
pub(super) struct Merges {
    /// Two ids → the rank.
    ranks: Ids,
    /// What becomes of them, by rank.
    results: Vec<u32>,
    /// Of two merges of the same pair the first counts, as in llama.cpp; else the last, as in `tokenizers`.
    first_counts: bool,
    joined: String,
}

impl Merges {
    /// No merges yet.
    pub(super) fn new(first_counts: bool) -> Self {
        Self {
            ranks: Ids::default(),
            results: Vec::new(),
            first_counts,
            joined: String::new(),
        }
    }

    /// Adds the merge of next rank; what is wrong with it, if it is none.
    pub(super) fn push(&mut self, vocab: &Ids, left: &str, right: &str) -> Result<(), String> {
        if self.results.len() >= MAX_MERGES {
            return Err(format!("there are more than {MAX_MERGES} merges"));
        }
        self.joined.clear();
        self.joined.push_str(left);
        self.joined.push_str(right);
        let (Some(a), Some(b)) = (vocab.get(left.as_bytes()), vocab.get(right.as_bytes())) else {
            return Err("one of the two is not in the vocabulary".to_owned());
        };
        let Some(result) = vocab.get(self.joined.as_bytes()) else {
            return Err("the result is not in the vocabulary".to_owned());
        };
        let key = key(a, b);
        if self.first_counts && self.ranks.get(&key).is_some() {
            return Ok(());
        }
        let rank = u32::try_from(self.results.len()).unwrap_or(u32::MAX);
        let inserted = self.ranks.insert(&key, rank);
        inserted.map_err(|error: Error| error.message().to_owned())?;
        self.results.push(result);
        Ok(())
    }

    fn rank(&self, left: u32, right: u32) -> Option<u32> {
        self.ranks.get(&key(left, right))
    }

    fn result(&self, rank: u32) -> Option<u32> {
        self.results.get(usize::try_from(rank).ok()?).copied()
    }
}

fn key(left: u32, right: u32) -> [u8; 8] {
    (u64::from(left) << 32 | u64::from(right)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use ahash::AHashMap;
    use tokenizers::Model as _;
    use tokenizers::models::bpe::BPE;

    use super::*;
    use crate::random::Random;

    fn below(random: &mut Random, end: usize) -> usize {
        usize::try_from(random.long() % end as u64).unwrap()
    }

    /// A vocabulary of letters, some tokens of bytes, and what merges make of them.
    fn vocabulary(random: &mut Random) -> (Vec<String>, Vec<(String, String)>) {
        let mut texts: Vec<String> = ["?", "a", "b", "c", "é", "<0xC3>", "<0xA8>", "<0x64>"]
            .map(str::to_owned)
            .to_vec();
        let mut merges: Vec<(String, String)> = Vec::new();
        for _ in 0..40 {
            let mut any = || texts[below(random, texts.len())].clone();
            let pair = (any(), any());
            let joined = format!("{}{}", pair.0, pair.1);
            if joined.chars().count() < 12 {
                if !texts.contains(&joined) {
                    texts.push(joined);
                }
                merges.push(pair);
            }
        }
        (texts, merges)
    }

    #[test]
    fn words_become_what_the_crate_makes_of_them() {
        let mut random = Random(7);
        let mut merged = 0;
        for round in 0..200 {
            let (texts, pairs) = vocabulary(&mut random);
            let (ignore_merges, byte_fallback) = (round % 2 == 0, round / 2 % 2 == 0);
            let (fuse_unknown, has_unknown) = (round / 4 % 2 == 0, round / 8 % 2 == 0);
            let mut vocab = Ids::default();
            let mut theirs = AHashMap::new();
            for (id, text) in (0..).zip(&texts) {
                vocab.insert(text.as_bytes(), id).unwrap();
                theirs.insert(text.clone(), id);
            }
            let mut merges = Merges::new(false);
            for (left, right) in &pairs {
                merges.push(&vocab, left, right).unwrap();
            }
            let options = Options {
                ignore_merges,
                byte_fallback,
                unknown: has_unknown.then_some(0),
                fuse_unknown,
            };
            let ours = Bpe::new(vocab, merges, u32::MAX, options);
            let mut builder = BPE::builder()
                .vocab_and_merges(theirs, pairs)
                .cache_capacity(0)
                .ignore_merges(ignore_merges)
                .byte_fallback(byte_fallback)
                .fuse_unk(fuse_unknown);
            if has_unknown {
                builder = builder.unk_token("?".to_owned());
            }
            let theirs = builder.build().unwrap();
            for _ in 0..40 {
                let letters = ["a", "a", "b", "b", "c", "é", "è", "d", "日", "?"];
                let length = below(&mut random, 24);
                let word: String = (0..length)
                    .map(|_| letters[below(&mut random, letters.len())])
                    .collect();
                let mut ids = Vec::new();
                ours.encode(&word, &mut ids);
                let want = theirs.tokenize(&word).unwrap();
                let want: Vec<u32> = want.iter().map(|token| token.id).collect();
                assert_eq!(ids, want, "{word:?} {texts:?}");
                merged += word.chars().count().saturating_sub(ids.len());
            }
        }
        assert!(merged > 10_000, "only {merged} merges");
    }

    #[test]
    fn the_first_of_two_merges_of_a_pair_counts_where_it_should() {
        let ids = |first_counts| {
            let mut vocab = Ids::default();
            for (id, text) in (0..).zip(["a", "b", "c", "ab", "bc"]) {
                vocab.insert(text.as_bytes(), id).unwrap();
            }
            let mut merges = Merges::new(first_counts);
            for (left, right) in [("a", "b"), ("b", "c"), ("a", "b")] {
                merges.push(&vocab, left, right).unwrap();
            }
            let wrong = merges.push(&vocab, "c", "a").unwrap_err();
            assert!(wrong.contains("result"), "{wrong}");
            let wrong = merges.push(&vocab, "c", "x").unwrap_err();
            assert!(wrong.contains("one of the two"), "{wrong}");
            let bpe = Bpe::new(vocab, merges, u32::MAX, Options::default());
            let mut ids = Vec::new();
            bpe.encode("abc", &mut ids);
            ids
        };
        assert_eq!(ids(true), [3, 2], "ab, c");
        assert_eq!(ids(false), [0, 4], "a, bc");
    }
}
