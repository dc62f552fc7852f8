//! One turn of a chat.

use serde_json::{Map, Value};

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
    /// What else a template may look at, such as `tool_calls` or `reasoning_content`; one called as a field
    /// above takes its place.
    pub fields: Map<String, Value>,
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
            fields: Map::new(),
        }
    }

    /// What a template sees, in the order in which `tojson` is to write it: fields that are not given are
    /// not there.
    pub(super) fn to_value(&self) -> Value {
        let mut fields = Map::new();
        let mut set = |key: &str, text: &str| fields.insert(key.to_owned(), Value::from(text));
        set("role", self.role.in_template());
        set("content", &self.content);
        if let Some(name) = &self.name {
            set("name", name);
        }
        if let Some(id) = &self.tool_call_id {
            set("tool_call_id", id);
        }
        fields.extend(self.fields.clone());
        Value::Object(fields)
    }
}
