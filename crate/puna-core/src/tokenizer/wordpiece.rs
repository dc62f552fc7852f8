//! BERT's pieces of words: the longest token that a word begins with, and so on with the rest.
//!
//! The `tokenizers` crate tries every length at every place, which takes the cube of a word's length where
//! a file sets no bound; here the longest token is one.

use super::lookup::Lookup;

/// A vocabulary and how it writes what begins a word and what continues it.
pub(super) struct WordPiece {
    pub(super) lookup: Lookup,
    /// In front of what begins a word.
    pub(super) first: &'static str,
    /// In front of what continues one.
    pub(super) next: String,
    /// For a word that does not come out.
    pub(super) unknown: u32,
    /// A word of more characters is unknown.
    pub(super) max_chars: usize,
}

impl WordPiece {
    /// Adds the ids of a word.
    pub(super) fn encode(&self, word: &str, ids: &mut Vec<u32>) {
        let begin = ids.len();
        let known = word.chars().count() <= self.max_chars && self.pieces(word, ids).is_some();
        if !known {
            ids.truncate(begin);
            ids.push(self.unknown);
        }
    }

    fn pieces(&self, word: &str, ids: &mut Vec<u32>) -> Option<()> {
        let mut prefix = self.first;
        let mut rest = word;
        let mut written = Vec::new();
        while !rest.is_empty() {
            let longest = self.lookup.longest().saturating_sub(prefix.len());
            let mut end = floor(rest, longest);
            loop {
                let piece = rest.get(..end).filter(|piece| !piece.is_empty())?;
                written.clear();
                written.extend_from_slice(prefix.as_bytes());
                written.extend_from_slice(piece.as_bytes());
                if let Some(id) = self.lookup.id(&written) {
                    ids.push(id);
                    break;
                }
                end = floor(rest, end - 1);
            }
            rest = rest.get(end..)?;
            prefix = &self.next;
        }
        Some(())
    }
}

/// The last place where a character ends, up to byte `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::strings::Strings;
    use super::*;

    fn ids(tokens: &[&str], first: &'static str, next: &str, word: &str) -> Vec<u32> {
        let mut texts = Strings::default();
        for token in tokens {
            texts.push(token.as_bytes()).unwrap();
        }
        let model = WordPiece {
            lookup: Lookup::new(texts).unwrap(),
            first,
            next: next.to_owned(),
            unknown: 0,
            max_chars: 9,
        };
        let mut ids = vec![99];
        model.encode(word, &mut ids);
        ids.split_off(1)
    }

    #[test]
    fn the_longest_piece_is_taken_at_each_place() {
        let bert = ["[UNK]", "un", "##aff", "##able", "##a", "é", "##é"];
        let ids_of = |word| ids(&bert, "", "##", word);
        assert_eq!(ids_of("unaffable"), [1, 2, 3], "un, aff, able");
        assert_eq!(ids_of("éa"), [5, 4], "é, a");
        assert_eq!(ids_of("unx"), [0], "the whole word is unknown");
        assert_eq!(ids_of("éé"), [5, 6], "characters of two bytes");
        assert_eq!(ids_of("éaaaaaaaa").len(), 9, "as long as allowed");
        assert_eq!(ids_of("éaaaaaaaaa"), [0], "too long");
        let gguf = ["[UNK]", "▁un", "aff", "able"];
        assert_eq!(ids(&gguf, "▁", "", "unaffable"), [1, 2, 3], "as in a GGUF");
        assert_eq!(ids(&gguf, "▁", "", "able"), [0], "it begins no word");
    }
}
