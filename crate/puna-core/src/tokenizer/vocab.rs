//! The vocabulary: what bytes a token stands for, and what kind it is.

use super::strings::Strings;

/// The largest vocabularies known have 262,144 entries.
pub(super) const MAX_TOKENS: usize = 1 << 20;

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
    pub(super) const fn from_number(number: i32) -> Self {
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
    pieces: Strings,
    kinds: Vec<TokenKind>,
    /// Ids that end an answer, ascending.
    end_of_generation: Vec<u32>,
}

impl Vocab {
    /// A vocabulary of one piece and one kind a token; `end_of_generation` ascending.
    pub(super) fn new(
        mut pieces: Strings,
        kinds: Vec<TokenKind>,
        end_of_generation: Vec<u32>,
    ) -> Self {
        pieces.shrink();
        Self {
            pieces,
            kinds,
            end_of_generation,
        }
    }

    /// Number of tokens.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// What kind of token `id` is.
    pub(super) fn kind(&self, id: u32) -> Option<TokenKind> {
        self.kinds.get(usize::try_from(id).ok()?).copied()
    }

    /// The bytes of token `id`; of structure, the text it is written as.
    pub(super) fn piece(&self, id: u32) -> Option<&[u8]> {
        self.pieces.get(id)
    }

    /// What token `id` adds to the text: nothing, if it is structure or no token at all.
    pub(super) fn text(&self, id: u32) -> &[u8] {
        match self.kind(id) {
            Some(kind) if kind.is_text() => self.piece(id).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Ids that end an answer, ascending.
    pub(super) fn end_of_generation(&self) -> &[u32] {
        &self.end_of_generation
    }
}
