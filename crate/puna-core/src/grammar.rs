//! What an answer may be: a language, put together of what users ask for and of what a model's own marks demand.
//!
//! Plain data. Whatever compiles it follows answers as a [`crate::guide::Guide`].

use serde::{Deserialize, Serialize};

/// A language. Texts in it are bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grammar {
    /// This text and no other.
    Text(String),
    /// What was asked for in a language for languages.
    Source(Source),
    /// Any text up to this one, and it.
    Through(String),
    /// Any text, also none, that is no more than that.
    Prose {
        /// It does not begin with these, nor with white space and these.
        not_first: Vec<String>,
        /// This is not in it.
        without: String,
        /// Whether that comes behind it.
        through: bool,
    },
    /// One behind the other.
    Sequence(Vec<Self>),
    /// One of them.
    OneOf(Vec<Self>),
    /// It, or nothing.
    Optional(Box<Self>),
    /// It, once or more often, with this between.
    Several(Box<Self>, String),
}

/// A language for languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Syntax {
    /// JSON Schema, drafts 4 to 2020-12: JSON that it describes.
    JsonSchema,
    /// A regular expression, in the `regex` crate's syntax, of the whole text.
    Regex,
    /// Lark, as llguidance reads it.
    Lark,
    /// GBNF, as llama.cpp reads it.
    Gbnf,
}

/// A language as somebody wrote it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// In which language.
    pub syntax: Syntax,
    /// What was written.
    pub definition: String,
    /// The field of the request that it is from.
    pub param: String,
}

impl Grammar {
    /// JSON that a schema describes, from the request's field `param`.
    #[must_use]
    pub fn json(schema: &serde_json::Value, param: impl Into<String>) -> Self {
        Self::Source(Source {
            syntax: Syntax::JsonSchema,
            definition: schema.to_string(),
            param: param.into(),
        })
    }

    /// Shows it and all its parts.
    pub fn visit<'g>(&'g self, see: &mut dyn FnMut(&'g Self)) {
        see(self);
        match self {
            Self::Text(_) | Self::Source(_) | Self::Through(_) | Self::Prose { .. } => {}
            Self::Sequence(parts) | Self::OneOf(parts) => {
                parts.iter().for_each(|part| part.visit(see));
            }
            Self::Optional(part) | Self::Several(part, _) => part.visit(see),
        }
    }

    /// This text and no other.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A little white space, or none.
    #[must_use]
    pub fn space() -> Self {
        Self::regex("[ \n]{0,4}")
    }

    /// Any text.
    #[must_use]
    pub fn anything() -> Self {
        Self::regex("(?s:.*)")
    }

    /// What a regular expression describes, of nobody's request.
    #[must_use]
    pub(crate) fn regex(definition: &str) -> Self {
        Self::Source(Source {
            syntax: Syntax::Regex,
            definition: definition.to_owned(),
            param: String::new(),
        })
    }
}
