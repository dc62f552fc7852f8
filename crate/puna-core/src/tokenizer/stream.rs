//! Bytes that arrive in pieces, as text that never splits a character.

use super::Tokenizer;

/// Collects bytes and gives them out as text as soon as whole characters are there.
///
/// Bytes that can't be UTF-8 become U+FFFD, one for each maximal part, as
/// [`String::from_utf8_lossy`] does: the texts together are what it makes of the bytes together.
#[derive(Clone, Debug, Default)]
pub struct Utf8Stream {
    /// The beginning of a character: at most 3 bytes between calls.
    pending: Vec<u8>,
}

impl Utf8Stream {
    /// An empty stream.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pending: Vec::new(),
        }
    }

    /// The characters that `bytes` complete, if any.
    pub fn push(&mut self, bytes: &[u8]) -> Option<String> {
        self.pending.extend_from_slice(bytes);
        let incomplete = incomplete_end(&self.pending);
        let whole = self.pending.len().saturating_sub(incomplete);
        let text: String = match self.pending.get(..whole) {
            None | Some([]) => return None,
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        };
        self.pending.drain(..whole);
        Some(text)
    }

    /// What is left at the end: the beginning of a character that never came is one U+FFFD.
    pub fn finish(&mut self) -> Option<String> {
        if self.pending.is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        Some(text)
    }
}

/// Length of the beginning of a character at the end of `bytes`, 0 to 3.
fn incomplete_end(bytes: &[u8]) -> usize {
    let Some(last) = bytes.utf8_chunks().last() else {
        return 0;
    };
    let tail = last.invalid();
    // An invalid part at the very end may be one that more bytes would complete.
    match std::str::from_utf8(tail) {
        Err(error) if error.error_len().is_none() => tail.len(),
        _ => 0,
    }
}

/// Text of an answer, token by token. Structure (control tokens) adds nothing.
#[derive(Clone, Debug)]
pub struct DecodeStream {
    tokenizer: Tokenizer,
    stream: Utf8Stream,
    /// How many spaces may still be left out: the tokenizer put them in front of the text.
    own_spaces: usize,
    /// Control tokens that are text here.
    shown: Vec<u32>,
}

impl DecodeStream {
    pub(super) const fn new(tokenizer: Tokenizer, own_spaces: usize) -> Self {
        Self {
            tokenizer,
            stream: Utf8Stream::new(),
            own_spaces,
            shown: Vec::new(),
        }
    }

    /// The same where these control tokens are text, as they are written.
    #[must_use]
    pub fn showing(mut self, shown: Vec<u32>) -> Self {
        self.shown = shown;
        self
    }

    /// The characters that token `id` completes, if any.
    pub fn push(&mut self, id: u32) -> Option<String> {
        let mut bytes = self.tokenizer.text_of(id, &self.shown);
        while self.own_spaces > 0 {
            match bytes.split_first() {
                Some((b' ', rest)) => {
                    bytes = rest;
                    self.own_spaces -= 1;
                }
                Some(_) => self.own_spaces = 0,
                None => break,
            }
        }
        self.stream.push(bytes)
    }

    /// What is left at the end: the beginning of a character that never came is one U+FFFD.
    pub fn finish(&mut self) -> Option<String> {
        self.stream.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], sizes: usize) {
        let mut stream = Utf8Stream::new();
        let mut text = String::new();
        for part in bytes.chunks(sizes) {
            text.extend(stream.push(part));
        }
        text.extend(stream.finish());
        assert_eq!(
            text,
            String::from_utf8_lossy(bytes),
            "{bytes:02x?} in parts of {sizes}"
        );
    }

    #[test]
    fn parts_together_are_what_the_bytes_are_at_once() {
        let cases: [&[u8]; 10] = [
            b"",
            b"plain",
            "a😀é中\u{301}z".as_bytes(),
            b"\xff\xfe\xf0\x9f\x98",
            b"\xf0\x9f\x98\xf0\x9f\x98\x80",
            b"\xe4\xb8a\xc3",
            b"\xc3\x28\xa0\xa1\xe2\x82",
            b"\xed\xa0\x80x",
            b"\xf4\x90\x80\x80",
            b"\x80\x80\x80\xf0\x90",
        ];
        for bytes in cases {
            for size in 1..=5 {
                check(bytes, size);
            }
        }
    }

    #[test]
    fn nothing_is_given_out_before_a_character_is_whole() {
        let mut stream = Utf8Stream::new();
        assert_eq!(
            stream.push(b"a\xf0\x9f"),
            Some("a".to_owned()),
            "half an emoji waits"
        );
        assert_eq!(stream.push(b"\x98"), None, "three quarters wait");
        assert_eq!(stream.push(b"\x80"), Some("😀".to_owned()), "whole");
        assert_eq!(stream.finish(), None, "nothing left");
        assert_eq!(stream.push(b"\xf0\x9f"), None, "half an emoji waits");
        assert_eq!(
            stream.finish(),
            Some("\u{fffd}".to_owned()),
            "it never came"
        );
        assert_eq!(stream.finish(), None, "said once");
    }
}
