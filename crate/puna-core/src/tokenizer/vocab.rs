//! The vocabulary: what bytes a token stands for, and what kind it is.
//!
//! One block of bytes and one offset a token: a `String` each would be several times larger.

use std::ops::Range;

use crate::weights::gguf::{Metadata, StrArray};
use crate::{Error, Result};

use super::{bytes, end};

/// The largest vocabularies known have 262,144 entries.
const MAX_TOKENS: usize = 1 << 20;

/// What a token is for (`tokenizer.ggml.token_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Ordinary text.
    Normal,
    /// Stands for text that the vocabulary has no token for.
    Unknown,
    /// Structure, such as the end of a turn; never part of the text.
    Control,
    /// Text that is always one token, such as `<tool_call>`.
    UserDefined,
    /// Filler.
    Unused,
    /// A single byte.
    Byte,
}

impl TokenKind {
    const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            6 => Self::Byte,
            // 0 is "undefined", 5 "unused"; neither is ever produced.
            _ => Self::Unused,
        }
    }

    /// Whether the token's text can be found as a whole, before words are cut.
    pub(super) const fn is_special(self) -> bool {
        matches!(self, Self::Unknown | Self::Control | Self::UserDefined)
    }

    /// Whether the token's bytes belong to the text.
    const fn is_text(self) -> bool {
        matches!(self, Self::Normal | Self::UserDefined | Self::Byte)
    }
}

/// All tokens by id.
pub(super) struct Vocab {
    /// The pieces, one behind the other.
    bytes: Vec<u8>,
    /// `ends[id]` is where the piece of `id` ends in `bytes`.
    ends: Vec<u32>,
    kinds: Vec<TokenKind>,
    /// Ids that end an answer, ascending.
    end_of_generation: Vec<u32>,
}

impl Vocab {
    /// Reads `tokenizer.ggml.tokens` and what belongs to it. That no token is there twice is found
    /// when the merges are read.
    pub(super) fn from_gguf(metadata: &Metadata) -> Result<Self> {
        let tokens = metadata.required_strs("tokenizer.ggml.tokens")?;
        if tokens.is_empty() || tokens.len() > MAX_TOKENS {
            return Err(Error::bad_model_file(format!(
                "tokenizer.ggml.tokens has {} entries; 1 to {MAX_TOKENS} are possible",
                tokens.len()
            )));
        }
        let mut kinds = read_kinds(metadata, tokens.len())?;
        let end_of_generation = end::find(metadata, tokens, &mut kinds)?;
        let (bytes, ends) = read_pieces(tokens, &kinds)?;
        Ok(Self {
            bytes,
            ends,
            kinds,
            end_of_generation,
        })
    }

    /// Number of tokens.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// What kind of token `id` is.
    pub(super) fn kind(&self, id: u32) -> Option<TokenKind> {
        self.kinds.get(usize::try_from(id).ok()?).copied()
    }

    /// The bytes of token `id`; of structure, the text it is written as.
    pub(super) fn piece(&self, id: u32) -> Option<&[u8]> {
        let range = self.range(id)?;
        self.bytes.get(range)
    }

    /// What token `id` adds to the text: nothing, if it is structure or no token at all.
    pub(super) fn text(&self, id: u32) -> &[u8] {
        match self.kind(id) {
            Some(kind) if kind.is_text() => self.piece(id).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Ids of all tokens with their kinds.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (u32, TokenKind)> {
        (0..).zip(self.kinds.iter().copied())
    }

    /// Ids that end an answer, ascending.
    pub(super) fn end_of_generation(&self) -> &[u32] {
        &self.end_of_generation
    }

    fn range(&self, id: u32) -> Option<Range<usize>> {
        let ix = usize::try_from(id).ok()?;
        let end = usize::try_from(*self.ends.get(ix)?).ok()?;
        let start = match ix.checked_sub(1) {
            None => 0,
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
        };
        Some(start..end)
    }
}

fn read_kinds(metadata: &Metadata, n_tokens: usize) -> Result<Vec<TokenKind>> {
    const KEY: &str = "tokenizer.ggml.token_type";
    if !metadata.contains(KEY) {
        return Ok(vec![TokenKind::Normal; n_tokens]);
    }
    let numbers = metadata.required_i32s(KEY)?;
    if numbers.len() != n_tokens {
        return Err(Error::bad_model_file(format!(
            "{KEY} has {} entries for {n_tokens} tokens",
            numbers.len()
        )));
    }
    Ok(numbers.into_iter().map(TokenKind::from_number).collect())
}

fn read_pieces(tokens: StrArray<'_>, kinds: &[TokenKind]) -> Result<(Vec<u8>, Vec<u32>)> {
    // A piece is never longer than what it is written as.
    let mut pieces = Vec::with_capacity(tokens.iter().map(str::len).sum());
    let mut ends = Vec::with_capacity(tokens.len());
    for (token, kind) in tokens.iter().zip(kinds) {
        let decoded = match kind {
            TokenKind::Normal | TokenKind::Byte => bytes::read(token, &mut pieces),
            _ => None,
        };
        if decoded.is_none() {
            pieces.extend(token.as_bytes());
        }
        let end = u32::try_from(pieces.len())
            .map_err(|_| Error::bad_model_file("the vocabulary has more than 4 GiB of text"))?;
        ends.push(end);
    }
    pieces.shrink_to_fit();
    Ok((pieces, ends))
}
