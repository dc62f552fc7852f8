//! Text to token id, for vocabularies that are looked up piece by piece.

use super::strings::Strings;
use crate::{Error, Result};

/// A hash table of ids over the texts themselves: 8 bytes a token and the texts once.
pub(super) struct Lookup {
    texts: Strings,
    /// Ids plus one; 0 is free. A power of two, at most half full.
    slots: Vec<u32>,
    hash: ahash::RandomState,
    /// Bytes of the longest text.
    longest: usize,
}

impl Lookup {
    /// A table of `texts`, whose number is their id. Empty ones can't be found; of two that are equal
    /// the second is an error.
    pub(super) fn new(texts: Strings) -> Result<Self> {
        let slots = (texts.len() + 1).saturating_mul(2).next_power_of_two();
        let mut table = Self {
            texts,
            slots: vec![0; slots],
            // Any will do; the same on every machine.
            hash: ahash::RandomState::with_seeds(1, 2, 3, 4),
            longest: 0,
        };
        for id in 0..u32::try_from(table.texts.len()).unwrap_or(u32::MAX) {
            table.insert(id)?;
        }
        Ok(table)
    }

    fn insert(&mut self, id: u32) -> Result<()> {
        let text = self.texts.get(id).unwrap_or_default();
        if text.is_empty() {
            return Ok(());
        }
        self.longest = self.longest.max(text.len());
        let (at, found) = self.find(text);
        if let Some(first) = found {
            return Err(Error::bad_model_file(format!(
                "the token {:?} is in the vocabulary twice, as {first} and {id}",
                String::from_utf8_lossy(text)
            )));
        }
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = id.saturating_add(1);
        }
        Ok(())
    }

    /// Where `text` is or would be, and its id if it is there.
    fn find(&self, text: &[u8]) -> (usize, Option<u32>) {
        let mask = self.slots.len() - 1;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the low bits are what is wanted"
        )]
        let mut at = self.hash.hash_one(text) as usize & mask;
        // Half of the slots are free, so this ends.
        while let Some(id) = self.slots.get(at).and_then(|slot| slot.checked_sub(1)) {
            if self.texts.get(id) == Some(text) {
                return (at, Some(id));
            }
            at = (at + 1) & mask;
        }
        (at, None)
    }

    /// The id of `text`.
    pub(super) fn id(&self, text: &[u8]) -> Option<u32> {
        if text.is_empty() || text.len() > self.longest {
            return None;
        }
        self.find(text).1
    }

    /// Bytes of the longest text.
    pub(super) const fn longest(&self) -> usize {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(texts: &[&str]) -> Result<Lookup> {
        let mut strings = Strings::default();
        for text in texts {
            strings.push(text.as_bytes()).unwrap();
        }
        Lookup::new(strings)
    }

    #[test]
    fn every_text_is_found_under_its_number_and_no_other() {
        let texts: Vec<String> = (0..1000).map(|ix| format!("t{ix}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let lookup = table(&texts).unwrap();
        for (id, text) in (0..).zip(&texts) {
            assert_eq!(lookup.id(text.as_bytes()), Some(id), "{text}");
        }
        for other in ["", "t", "t1000", "t10000"] {
            assert_eq!(lookup.id(other.as_bytes()), None, "{other}");
        }
        assert_eq!(lookup.longest(), 4, "t999");
    }

    #[test]
    fn empty_texts_are_nowhere_and_equal_ones_are_refused() {
        assert_eq!(table(&["", ""]).unwrap().id(b""), None, "empty");
        assert_eq!(table(&[]).unwrap().id(b"a"), None, "none at all");
        let error = table(&["a", "b", "a"]).err().expect("twice");
        assert!(error.message().contains("twice, as 0 and 2"), "{error}");
    }
}
