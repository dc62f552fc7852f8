//! Texts and the numbers that a file gives them.

use super::lookup::Lookup;
use crate::Result;

/// Text → number, in the order in which texts first came.
#[derive(Default)]
pub(super) struct Ids {
    texts: Lookup,
    /// Of each text.
    numbers: Vec<u32>,
}

impl Ids {
    /// Gives a text a number; the one that it had.
    pub(super) fn insert(&mut self, text: &[u8], number: u32) -> Result<Option<u32>> {
        let ix = usize::try_from(self.texts.add(text)?).unwrap_or(usize::MAX);
        match self.numbers.get_mut(ix) {
            Some(old) => Ok(Some(std::mem::replace(old, number))),
            None => {
                self.numbers.push(number);
                Ok(None)
            }
        }
    }

    /// The number of a text.
    pub(super) fn get(&self, text: &[u8]) -> Option<u32> {
        let ix = usize::try_from(self.texts.id(text)?).ok()?;
        self.numbers.get(ix).copied()
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// All texts and their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], u32)> {
        let texts = (0..).map_while(|ix| self.texts.text(ix));
        texts.zip(self.numbers.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_of_a_text_counts() {
        let mut ids = Ids::default();
        assert_eq!(ids.insert(b"a", 7).unwrap(), None);
        assert_eq!(ids.insert(b"b", 7).unwrap(), None);
        assert_eq!(ids.insert(b"a", 9).unwrap(), Some(7), "it had one");
        assert_eq!((ids.get(b"a"), ids.get(b"c")), (Some(9), None));
        let all: Vec<_> = ids.iter().collect();
        assert_eq!(all, [(&b"a"[..], 9), (b"b", 7)]);
        assert_eq!(ids.len(), 2);
    }
}
