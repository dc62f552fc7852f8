//! Texts to numbers, for vocabularies that are looked up piece by piece.

use std::hash::{BuildHasher as _, RandomState};

use super::strings::Strings;
use crate::{Error, Result};

/// A hash table of ids over the texts themselves: 12 to 24 bytes a token and the texts once. It is the only one that
/// tokenizers have: maps of the standard library are compiled anew for every type.
#[derive(Default)]
pub(super) struct Lookup {
    texts: Strings,
    /// Ids plus one; 0 is free. A power of two, at most half full.
    slots: Vec<u32>,
    hash: RandomState,
    /// Bytes of the longest text.
    longest: usize,
}

impl Lookup {
    /// A table of `texts`, whose number is their id. Empty ones can't be found; of two that are equal
    /// the second is an error.
    pub(super) fn new(texts: Strings) -> Result<Self> {
        let count = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        let mut table = Self {
            texts,
            ..Self::default()
        };
        table.make_slots();
        for id in 0..count {
            let text = table.texts.get(id).unwrap_or_default();
            if text.is_empty() {
                continue;
            }
            let (at, found) = table.find(text);
            if let Some(first) = found {
                return Err(Error::bad_model_file(format!(
                    "the token {:?} is in the vocabulary twice, as {first} and {id}",
                    String::from_utf8_lossy(text)
                )));
            }
            table.take(at, id);
        }
        Ok(table)
    }

    /// Adds a text, empty or not, if it is not there; its number.
    pub(super) fn add(&mut self, text: &[u8]) -> Result<u32> {
        if self.texts.len().saturating_mul(2) >= self.slots.len() {
            self.make_slots();
            for id in 0..u32::try_from(self.texts.len()).unwrap_or(u32::MAX) {
                let (at, _) = self.find(self.texts.get(id).unwrap_or_default());
                self.take(at, id);
            }
        }
        let (at, found) = self.find(text);
        if let Some(id) = found {
            return Ok(id);
        }
        let id = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text)?;
        self.take(at, id);
        Ok(id)
    }

    /// Free slots, twice as many as there are texts and room for as many more.
    fn make_slots(&mut self) {
        let slots = (self.texts.len() + 1).saturating_mul(3).next_power_of_two();
        self.slots = vec![0; slots];
    }

    fn take(&mut self, at: usize, id: u32) {
        let length = self.texts.get(id).map_or(0, <[u8]>::len);
        self.longest = self.longest.max(length);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = id.saturating_add(1);
        }
    }

    /// Where `text` is or would be, and its id if it is there.
    fn find(&self, text: &[u8]) -> (usize, Option<u32>) {
        let mask = self.slots.len().wrapping_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the low bits are what is wanted"
        )]
        let mut at = self.hash.hash_one(text) as usize & mask;
        // Some slots are free, so this ends.
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
        if text.len() > self.longest {
            return None;
        }
        self.find(text).1
    }

    /// The text of an id.
    pub(super) fn text(&self, id: u32) -> Option<&[u8]> {
        self.texts.get(id)
    }

    /// Number of texts.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
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
    fn a_table_that_grows_gives_each_text_the_number_it_had_first() {
        let mut lookup = Lookup::default();
        assert_eq!(lookup.id(b"a"), None, "nothing is there");
        for round in 0..2 {
            for number in 0..1000_u32 {
                let text = number.to_le_bytes();
                assert_eq!(lookup.add(&text).unwrap(), number, "round {round}");
            }
        }
        assert_eq!(lookup.add(b"").unwrap(), 1000, "empty ones too");
        assert_eq!(lookup.id(b""), Some(1000));
        assert_eq!(lookup.len(), 1001);
        assert_eq!(lookup.text(7), Some(&7_u32.to_le_bytes()[..]));
        assert_eq!(lookup.id(b"a"), None, "no other");
    }

    #[test]
    fn empty_texts_are_nowhere_and_equal_ones_are_refused() {
        assert_eq!(table(&["", ""]).unwrap().id(b""), None, "empty");
        assert_eq!(table(&[]).unwrap().id(b"a"), None, "none at all");
        let error = table(&["a", "b", "a"]).err().expect("twice");
        assert!(error.message().contains("twice, as 0 and 2"), "{error}");
    }
}
