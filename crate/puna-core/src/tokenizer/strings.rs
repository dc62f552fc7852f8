//! Many short texts in one block: a `String` each would be several times larger.

use crate::{Error, Result};

/// Byte strings by number.
#[derive(Default)]
pub(super) struct Strings {
    /// One behind the other.
    bytes: Vec<u8>,
    /// `ends[ix]` is where string `ix` ends in `bytes`.
    ends: Vec<u32>,
}

impl Strings {
    /// Room for `count` strings of `bytes` in all.
    pub(super) fn with_capacity(count: usize, bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ends: Vec::with_capacity(count),
        }
    }

    /// Adds a string by what `write` appends.
    pub(super) fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        write(&mut self.bytes);
        let end = u32::try_from(self.bytes.len())
            .map_err(|_| Error::bad_model_file("the vocabulary has more than 4 GiB of text"))?;
        self.ends.push(end);
        Ok(())
    }

    /// Adds a string.
    pub(super) fn push(&mut self, text: &[u8]) -> Result<()> {
        self.push_with(|bytes| bytes.extend_from_slice(text))
    }

    /// String number `id`.
    pub(super) fn get(&self, id: u32) -> Option<&[u8]> {
        let ix = usize::try_from(id).ok()?;
        let end = usize::try_from(*self.ends.get(ix)?).ok()?;
        let start = match ix.checked_sub(1) {
            None => 0,
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
        };
        self.bytes.get(start..end)
    }

    /// Number of strings.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Gives back what was reserved and not used.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}
