//! Sentencepiece's precompiled table of character replacements.
//!
//! A double array (Kanda 2018, "XCDA") of prefixes and, behind it, replacements that end with a zero byte.
//! A unit of it holds: bits 0 to 7 and 31 the label, bit 8 whether a prefix ends here, bit 9 and 10 to 30
//! the offset of its children, or of a leaf where its replacement begins.

use crate::{Error, Result};

/// The table.
pub(super) struct Charsmap {
    units: Vec<u32>,
    replacements: String,
}

/// What a prefix of a text is replaced by.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Replacement<'m> {
    /// Length of the prefix in bytes.
    pub(super) length: usize,
    pub(super) text: &'m str,
}

impl Charsmap {
    /// The table in `blob`: the array's size in bytes, the array, the replacements.
    pub(super) fn parse(blob: &[u8]) -> Result<Self> {
        let bad = |what: String| Error::bad_model_file(format!("precompiled_charsmap: {what}"));
        let Some((size, rest)) = blob.split_first_chunk::<4>() else {
            return Err(bad(format!("{} bytes, 4 and more expected", blob.len())));
        };
        let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
        if size % 4 != 0 || size > rest.len() {
            return Err(bad(format!(
                "an array of {size} bytes, expected a multiple of 4 and at most {}",
                rest.len()
            )));
        }
        let (units, replacements) = rest.split_at(size);
        let units = units.as_chunks().0.iter();
        let replacements = std::str::from_utf8(replacements)
            .map_err(|error| bad(format!("the replacements are no UTF-8: {error}")))?;
        Ok(Self {
            units: units.map(|unit| u32::from_le_bytes(*unit)).collect(),
            replacements: replacements.to_owned(),
        })
    }

    /// The replacement of the longest prefix of `text` that has one.
    pub(super) fn longest(&self, text: &[u8]) -> Option<Replacement<'_>> {
        let mut longest = None;
        self.walk(text, |found| {
            longest = Some(found);
            true
        });
        longest
    }

    /// The replacement of the shortest prefix of `text` that has one.
    pub(super) fn shortest(&self, text: &[u8]) -> Option<Replacement<'_>> {
        let mut shortest = None;
        self.walk(text, |found| {
            shortest = Some(found);
            false
        });
        shortest
    }

    /// Calls `each` with the replacements of longer and longer prefixes while it answers true.
    fn walk<'m>(&'m self, text: &[u8], mut each: impl FnMut(Replacement<'m>) -> bool) {
        let unit = |at: u32| self.units.get(usize::try_from(at).ok()?).copied();
        let offset = |unit: u32| (unit >> 10) << ((unit & (1 << 9)) >> 6);
        let Some(root) = unit(0) else {
            return;
        };
        let mut at = offset(root);
        for (ix, byte) in text.iter().enumerate() {
            if *byte == 0 {
                return;
            }
            at ^= u32::from(*byte);
            let Some(node) = unit(at).filter(|node| node & (1 << 31 | 0xff) == u32::from(*byte))
            else {
                return;
            };
            at ^= offset(node);
            if node & (1 << 8) != 0 {
                let text = unit(at).and_then(|leaf| self.replacement(leaf & !(1 << 31)));
                let length = ix + 1;
                if !text.is_none_or(|text| each(Replacement { length, text })) {
                    return;
                }
            }
        }
    }

    fn replacement(&self, at: u32) -> Option<&str> {
        let rest = self.replacements.get(usize::try_from(at).ok()?..)?;
        rest.split_once('\0').map(|(text, _)| text)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A table that replaces "a" by "x" and "ab" by "yy".
    pub(in super::super) fn small() -> Vec<u8> {
        let mut units = vec![0_u32; 512];
        // The root's children are at 256 ^ label, those of "a" at 384 ^ label; a leaf is at the offset.
        let unit = |label: u32, has_leaf: u32, offset: u32| label | has_leaf << 8 | offset << 10;
        units[0] = unit(0, 0, 256);
        let a = 256 ^ 0x61;
        units[a] = unit(0x61, 1, 384 ^ 256 ^ 0x61);
        units[384] = 1 << 31;
        let b = 384 ^ 0x62;
        units[b] = unit(0x62, 1, 384 ^ 0x62 ^ 500);
        units[500] = 1 << 31 | 2;
        let mut blob = 2048_u32.to_le_bytes().to_vec();
        blob.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        blob.extend(b"x\0yy\0");
        blob
    }

    #[test]
    fn prefixes_are_found() {
        let map = Charsmap::parse(&small()).unwrap();
        let found = |length, text| Some(Replacement { length, text });
        assert_eq!(map.longest(b"abc"), found(2, "yy"), "ab");
        assert_eq!(map.shortest(b"abc"), found(1, "x"), "a");
        assert_eq!(map.longest(b"ac"), found(1, "x"), "a");
        assert_eq!(map.longest(b"ba"), None, "b");
        assert_eq!(map.longest(b""), None, "empty");
        assert_eq!(map.longest(b"\0a"), None, "zero");
    }

    #[test]
    fn any_changed_byte_or_cut_is_an_error_or_a_table() {
        let blob = small();
        for cut in 0..blob.len() {
            if let Ok(map) = Charsmap::parse(&blob[..cut]) {
                map.longest(b"abc");
            }
        }
        for at in 0..blob.len() {
            for bit in 0..8 {
                let mut blob = blob.clone();
                blob[at] ^= 1 << bit;
                if let Ok(map) = Charsmap::parse(&blob) {
                    for byte in 0..=255 {
                        map.longest(&[byte, b'a', b'b', byte]);
                    }
                }
            }
        }
    }
}
