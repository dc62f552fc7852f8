//! Finds tokens that are matched as a whole, before words are cut.
//!
//! As llama.cpp does: longer tokens first wherever they stand, equally long ones from the left.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Special;
use super::vocab::{TokenKind, Vocab};

/// The tokens that can be found as a whole.
pub(super) struct SpecialTokens {
    /// Ids, ordered by the bytes they are written as.
    sorted: Vec<u32>,
    /// Whether any begins with this byte: most bytes of a text are ruled out here.
    begins: [bool; 256],
}

/// A token and where it stands in the text, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) range: Range<usize>,
    pub(super) id: u32,
}

impl SpecialTokens {
    pub(super) fn new(vocab: &Vocab) -> Self {
        let piece = |id: &u32| vocab.piece(*id).unwrap_or_default();
        let mut begins = [false; 256];
        let mut sorted: Vec<u32> = vocab
            .kinds()
            .filter(|(_, kind)| kind.is_special())
            .map(|(id, _)| id)
            .filter(|id| match piece(id).first() {
                None => false,
                Some(first) => {
                    if let Some(begins) = begins.get_mut(usize::from(*first)) {
                        *begins = true;
                    }
                    true
                }
            })
            .collect();
        sorted.sort_unstable_by(|a, b| piece(a).cmp(piece(b)));
        Self { sorted, begins }
    }

    /// The tokens that stand in `text`, in its order; they do not overlap.
    pub(super) fn find(&self, vocab: &Vocab, text: &str, special: Special) -> Vec<Found> {
        let mut all = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            if self.begins.get(usize::from(byte)) == Some(&true) {
                self.at(vocab, text.as_bytes(), at, special, &mut all);
            }
        }
        all.sort_by(|a, b| {
            (b.range.len().cmp(&a.range.len())).then(a.range.start.cmp(&b.range.start))
        });
        let mut taken: BTreeMap<usize, Found> = BTreeMap::new();
        for found in all {
            let before = taken.range(..found.range.end).next_back();
            if before.is_none_or(|(_, before)| before.range.end <= found.range.start) {
                taken.insert(found.range.start, found);
            }
        }
        taken.into_values().collect()
    }

    /// Adds the tokens that begin at byte `at`: narrows the sorted list byte by byte.
    fn at(&self, vocab: &Vocab, text: &[u8], at: usize, special: Special, all: &mut Vec<Found>) {
        let byte_of = |id: &u32, depth: usize| vocab.piece(*id).and_then(|piece| piece.get(depth));
        let mut rest = self.sorted.as_slice();
        for (depth, byte) in text.iter().skip(at).enumerate() {
            // `None`, the end of a piece, comes before every byte.
            let from = rest.partition_point(|id| byte_of(id, depth) < Some(byte));
            let to = rest.partition_point(|id| byte_of(id, depth) <= Some(byte));
            rest = rest.get(from..to).unwrap_or_default();
            let Some(id) = rest.first().copied() else {
                return;
            };
            if vocab
                .piece(id)
                .is_some_and(|piece| piece.len() == depth + 1)
            {
                let wanted =
                    special == Special::Parse || vocab.kind(id) == Some(TokenKind::UserDefined);
                if wanted {
                    let range = at..at + depth + 1;
                    all.push(Found { range, id });
                }
            }
        }
    }
}
