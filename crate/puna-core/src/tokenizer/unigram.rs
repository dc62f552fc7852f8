//! Sentencepiece's unigram model: of all ways to cut a word into pieces, the one whose log probabilities add up to most.
//!
//! It does what the `tokenizers` crate does, but for its caches, its samples and the classes of its tries.

use super::ids::Ids;
use crate::{Error, Result};

/// How much less likely than the least likely piece a character is that is in none.
const PENALTY: f64 = 10.0;
/// The node of the trie that nothing leads to.
const ROOT: u32 = 0;

/// A vocabulary with log probabilities.
pub(super) struct Unigram {
    /// A trie: a node and the next byte → the next node.
    steps: Ids,
    /// The piece that ends at each node.
    ends: Vec<Option<usize>>,
    /// Log probability and id of each piece of the model: pieces that are never found are not in it.
    pieces: Vec<(f64, u32)>,
    /// The piece for what is in no other.
    unknown: Option<usize>,
    /// The log probability of a character that is in no piece.
    unknown_score: f64,
    byte_fallback: bool,
}

/// The best way to the end of a character.
#[derive(Clone, Copy)]
struct Best {
    score: f64,
    /// Where its last piece begins.
    start: usize,
    piece: usize,
}

impl Unigram {
    /// A model of `pieces`: text, log probability and id; `unknown` is the number of the piece for what is
    /// in no other.
    pub(super) fn new(
        pieces: Vec<(String, f64, u32)>,
        unknown: Option<usize>,
        byte_fallback: bool,
    ) -> Result<Self> {
        if unknown.is_some_and(|unknown| unknown >= pieces.len()) {
            return Err(Error::bad_model_file(format!(
                "tokenizer: the piece for unknown text is {unknown:?}; there are {} pieces",
                pieces.len()
            )));
        }
        let lowest = pieces.iter().map(|(_, score, _)| *score);
        let mut model = Self {
            steps: Ids::default(),
            ends: vec![None],
            pieces: pieces.iter().map(|(_, score, id)| (*score, *id)).collect(),
            unknown,
            unknown_score: lowest.fold(f64::INFINITY, f64::min) - PENALTY,
            byte_fallback,
        };
        for (piece, (text, _, _)) in pieces.iter().enumerate() {
            model.add(text, piece)?;
        }
        Ok(model)
    }

    /// Of two pieces of one text the second is found.
    fn add(&mut self, text: &str, piece: usize) -> Result<()> {
        let mut node = ROOT;
        for byte in text.bytes() {
            node = match self.step(node, byte) {
                Some(next) => next,
                None => {
                    let next = u32::try_from(self.ends.len())
                        .map_err(|_| Error::bad_model_file("tokenizer: the pieces are too long"))?;
                    self.steps.insert(&key(node, byte), next)?;
                    self.ends.push(None);
                    next
                }
            };
        }
        if let Some(end) = self.ends.get_mut(ix(node)) {
            *end = Some(piece);
        }
        Ok(())
    }

    fn step(&self, node: u32, byte: u8) -> Option<u32> {
        self.steps.get(&key(node, byte))
    }

    /// The pieces that `text` begins with, the shortest first, and their lengths.
    fn beginnings(&self, text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
        let mut node = ROOT;
        let nodes = text.iter().map_while(move |byte| {
            node = self.step(node, *byte)?;
            Some(node)
        });
        let ends = nodes.map(|node| self.ends.get(ix(node)).copied().flatten());
        (1..)
            .zip(ends)
            .filter_map(|(length, end)| Some((length, end?)))
    }

    /// The piece of this text.
    fn piece(&self, text: &[u8]) -> Option<usize> {
        let mut found = self.beginnings(text);
        let (_, piece) = found.find(|(length, _)| *length == text.len())?;
        Some(piece)
    }

    /// Adds the ids of a word.
    pub(super) fn encode(&self, word: &str, ids: &mut Vec<u32>) -> Result<()> {
        let mut best: Vec<Option<Best>> = vec![None; word.len() + 1];
        for (start, character) in word.char_indices() {
            let rest = word.as_bytes().get(start..).unwrap_or_default();
            let so_far = best.get(start).copied().flatten();
            let so_far = so_far.map_or(0.0, |best| best.score);
            let mut offer = |length: usize, score: f64, piece: Option<usize>| {
                let score = so_far + score;
                if let Some(end) = best.get_mut(start + length)
                    && end.is_none_or(|end| score > end.score)
                {
                    let piece = piece.ok_or_else(no_unknown)?;
                    *end = Some(Best {
                        score,
                        start,
                        piece,
                    });
                }
                Ok(())
            };
            let width = character.len_utf8();
            let mut is_alone = false;
            for (length, piece) in self.beginnings(rest) {
                let score = self.pieces.get(piece).map_or(0.0, |(score, _)| *score);
                offer(length, score, Some(piece))?;
                is_alone |= length == width;
            }
            if !is_alone {
                offer(width, self.unknown_score, self.unknown)?;
            }
        }
        // From the end; what is unknown and side by side is one.
        let mut parts: Vec<(usize, usize)> = Vec::new();
        let mut end = word.len();
        let mut is_unknown_behind = false;
        while let Some(last) = best.get(end).copied().flatten() {
            let is_unknown = Some(last.piece) == self.unknown;
            match parts.last_mut() {
                Some(behind) if is_unknown && is_unknown_behind => behind.0 = last.start,
                _ => parts.push((last.start, end)),
            }
            is_unknown_behind = is_unknown;
            end = last.start;
        }
        for (start, end) in parts.into_iter().rev() {
            let text = word.as_bytes().get(start..end).unwrap_or_default();
            self.push(text, ids)?;
        }
        Ok(())
    }

    /// Adds the id of a piece, of its bytes or of what is unknown.
    fn push(&self, text: &[u8], ids: &mut Vec<u32>) -> Result<()> {
        let id = |piece: usize| self.pieces.get(piece).map(|(_, id)| *id);
        if let Some(piece) = self.piece(text) {
            ids.extend(id(piece));
            return Ok(());
        }
        if self.byte_fallback {
            let byte = |byte: &u8| self.piece(format!("<0x{byte:02X}>").as_bytes());
            let bytes: Option<Vec<usize>> = text.iter().map(byte).collect();
            if let Some(bytes) = bytes {
                ids.extend(bytes.into_iter().filter_map(id));
                return Ok(());
            }
        }
        ids.extend(id(self.unknown.ok_or_else(no_unknown)?));
        Ok(())
    }
}

fn key(node: u32, byte: u8) -> [u8; 5] {
    let [a, b, c, d] = node.to_le_bytes();
    [a, b, c, d, byte]
}

fn ix(node: u32) -> usize {
    usize::try_from(node).unwrap_or(usize::MAX)
}

#[cold]
fn no_unknown() -> Error {
    Error::unsupported_model(
        "the tokenizer has no token for a text: a character is in no piece, and the vocabulary names no piece for that",
    )
}

#[cfg(test)]
mod tests {
    use tokenizers::Model as _;
    use tokenizers::models::unigram;

    use super::*;
    use crate::random::Random;

    fn text(random: &mut Random, letters: &[&str], longest: u64) -> String {
        let mut below = |end: u64| usize::try_from(random.long() % end).unwrap();
        let length = below(longest) + 1;
        (0..length)
            .map(|_| letters[below(letters.len() as u64)])
            .collect()
    }

    #[test]
    fn words_become_what_the_crate_makes_of_them() {
        let mut random = Random(3);
        let mut longer = 0;
        for round in 0..200 {
            let mut pieces: Vec<(String, f64)> = ["?", "a", "b", "<0xC3>", "<0xA9>", "<0x64>"]
                .map(|text| (text.to_owned(), 0.0))
                .to_vec();
            let letters = ["a", "b", "c", "é", "日", "?"];
            for ix in 0..30_u32 {
                // Some scores are equal, and some texts there twice.
                pieces.push((text(&mut random, &letters, 4), -f64::from(ix * 7 % 13)));
            }
            let (byte_fallback, unknown) = (round % 2 == 0, (round % 3 > 0).then_some(0));
            let with_ids = pieces.iter().zip(100..);
            let with_ids = with_ids.map(|((text, score), id)| (text.clone(), *score, id));
            let ours = Unigram::new(with_ids.collect(), unknown, byte_fallback).unwrap();
            let mut theirs =
                unigram::Unigram::from(pieces.clone(), unknown, byte_fallback).unwrap();
            theirs.resize_cache(0);
            for _ in 0..40 {
                let word = text(&mut random, &["a", "b", "c", "é", "日", "?", "d", "è"], 16);
                let mut ids = Vec::new();
                let done = ours.encode(&word, &mut ids);
                match theirs.tokenize(&word) {
                    Ok(want) => {
                        done.unwrap();
                        let want: Vec<u32> = want.iter().map(|token| token.id + 100).collect();
                        assert_eq!(ids, want, "{word:?} {pieces:?}");
                        longer += word.chars().count().saturating_sub(ids.len());
                    }
                    Err(error) => {
                        assert!(unknown.is_none(), "{error}");
                        assert_eq!(done.unwrap_err().code(), crate::ErrorCode::UnsupportedModel);
                    }
                }
            }
        }
        assert!(longer > 8_000, "only {longer}");
    }

    #[test]
    fn a_number_of_no_piece_is_refused() {
        let pieces = vec![("a".to_owned(), 0.0, 0)];
        let error = Unigram::new(pieces, Some(1), false)
            .err()
            .expect("there is one piece");
        assert!(error.message().contains("1 pieces"), "{error}");
    }
}
