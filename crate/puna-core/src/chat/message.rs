//! One turn of a chat.

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions for the whole chat.
    System,
    /// The newer name of `system`; templates know only that one, so it is rendered as it.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a tool.
    Tool,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Self] = &[
        Self::System,
        Self::Developer,
        Self::User,
        Self::Assistant,
        Self::Tool,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }

    /// The name in templates.
    const fn in_template(self) -> &'static str {
        match self {
            Self::Developer => Self::System.as_str(),
            other => other.as_str(),
        }
    }

    /// The role of that name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == name)
    }
}

/// One turn of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
    /// The speaker's or the tool's name.
    pub name: Option<String>,
    /// Which call a tool's result answers.
    pub tool_call_id: Option<String>,
}

impl Message {
    /// A message with nothing but text.
    #[must_use]
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            name: None,
            tool_call_id: None,
        }
    }

    /// What a template sees: fields that are not given are not there.
    pub(super) fn to_value(&self) -> Value {
        /// In the order in which `tojson` is to write them.
        #[derive(Serialize)]
        struct Fields<'a> {
            role: &'static str,
            content: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            name: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            tool_call_id: Option<&'a str>,
        }
        Value::from(Serde(Fields {
            role: self.role.in_template(),
            content: &self.content,
            name: self.name.as_deref(),
            tool_call_id: self.tool_call_id.as_deref(),
        }))
    }
}
