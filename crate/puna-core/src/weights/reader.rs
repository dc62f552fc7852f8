//! A cursor over the first bytes of a file, which tells "not yet here" from "wrong".

use std::ops::Range;

use crate::Error;

/// No header is larger than this; the largest vocabularies known take some 15 MB.
pub const MAX_HEADER_BYTES: u64 = 64 << 20;

/// Why reading stopped.
pub(super) enum Stop {
    /// The bytes end too early; the file must have at least so many.
    Short { at_least: u64 },
    /// The bytes are wrong.
    Bad(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Bad(error)
    }
}

pub(super) type Read<T> = Result<T, Stop>;

/// A cursor; all offsets are from the start of the file.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Refuses `count` things of at least `min_bytes` each that can't all be there.
    pub(super) fn expect_room(&self, count: u64, min_bytes: u64, what: &str) -> Read<()> {
        let end = count
            .checked_mul(min_bytes)
            .and_then(|bytes| bytes.checked_add(self.at as u64));
        match end {
            Some(end) if end <= self.bytes.len() as u64 => Ok(()),
            Some(end) if end <= MAX_HEADER_BYTES => Err(Stop::Short { at_least: end }),
            _ => Err(Stop::Bad(Error::bad_model_file(format!(
                "{what} at byte {}: {count} of at least {min_bytes} bytes each is more than a header can hold ({MAX_HEADER_BYTES} bytes); the file is damaged",
                self.at
            )))),
        }
    }

    /// The place of the next `count` bytes, which are skipped.
    pub(super) fn skip(&mut self, count: u64, what: &str) -> Read<Range<usize>> {
        self.expect_room(count, 1, what)?;
        let start = self.at;
        // `expect_room` has seen that the sum is inside `bytes`.
        self.at = usize::try_from(count).map_or(start, |count| start.saturating_add(count));
        Ok(start..self.at)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Read<[u8; N]> {
        let range = self.skip(N as u64, what)?;
        // Never the zeros: `skip` gives exactly N bytes.
        Ok(self
            .bytes
            .get(range)
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or([0; N]))
    }

    pub(super) fn u32(&mut self, what: &str) -> Read<u32> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub(super) fn u64(&mut self, what: &str) -> Read<u64> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// A length-prefixed UTF-8 string of at most `max_bytes`, and its place.
    pub(super) fn string(&mut self, max_bytes: u64, what: &str) -> Read<(&'a str, Range<usize>)> {
        let length = self.u64(what)?;
        if length > max_bytes {
            return Err(Stop::Bad(Error::bad_model_file(format!(
                "{what} at byte {}: a string of {length} bytes, at most {max_bytes} are possible; the file is damaged",
                self.at
            ))));
        }
        let range = self.skip(length, what)?;
        let bytes = self.bytes.get(range.clone()).unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok((text, range)),
            Err(_) => Err(Stop::Bad(Error::bad_model_file(format!(
                "{what} at byte {}: the string is not UTF-8",
                range.start
            )))),
        }
    }
}
