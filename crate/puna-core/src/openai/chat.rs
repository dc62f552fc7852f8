//! The body of `POST /v1/chat/completions`.

use serde_json::Value;

use super::field::{Body, Field, missing, refused};
use super::message;
use super::options::{self, Options};
use crate::Result;
use crate::chat::Message;

/// A checked request.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// The chat so far; at least one message.
    pub messages: Vec<Message>,
    /// How to answer.
    pub options: Options,
}

impl ChatRequest {
    /// Reads and checks a body.
    ///
    /// # Errors
    ///
    /// `invalid_request`; the details `param` and `reason` are OpenAI's `param` and `code`.
    pub fn parse(body: &str) -> Result<Self> {
        let body = Body::parse(body)?;
        let mut request = Self {
            messages: Vec::new(),
            options: Options::default(),
        };
        for field in body.fields() {
            match field.path {
                "messages" => request.messages = message::parse_all(field)?,
                // As for OpenAI, `null` is "not given".
                _ if field.value.is_null() => known(field)?,
                _ => request.set(field)?,
            }
        }
        request.check(&body)?;
        Ok(request)
    }

    fn set(&mut self, field: Field<'_, '_>) -> Result<()> {
        if field.path == "max_completion_tokens" {
            self.options.max_tokens = Some(field.integer(1, u32::MAX)?);
        } else if !self.options.set(field)? && !says_the_default(field.path, field.value) {
            return known(field).and(Err(field.unsupported()));
        }
        Ok(())
    }

    fn check(&self, body: &Body) -> Result<()> {
        if !body.has("messages") {
            return Err(missing("messages"));
        }
        if body.gives("max_tokens") && body.gives("max_completion_tokens") {
            let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
            return Err(refused(
                "max_tokens",
                "invalid_parameter_combination",
                message,
            ));
        }
        self.options.check(body)
    }
}

/// Fields of OpenAI's that change no answer: bookkeeping of its service.
const IGNORED: &[&str] = &[
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
];

/// Fields of OpenAI's that are not supported.
const UNSUPPORTED: &[&str] = &[
    "audio",
    "function_call",
    "functions",
    "logprobs",
    "modalities",
    "moderation",
    "parallel_tool_calls",
    "prediction",
    "reasoning_effort",
    "response_format",
    "tool_choice",
    "tools",
    "top_logprobs",
    "verbosity",
    "web_search_options",
];

/// An error if nobody knows a field of that name.
fn known(field: Field<'_, '_>) -> Result<()> {
    let own = &["max_completion_tokens"];
    field.is_among(&[own, options::READ, IGNORED, UNSUPPORTED])
}

/// Whether a field asks for nothing that would not happen anyway.
fn says_the_default(key: &str, value: &Value) -> bool {
    match key {
        "logprobs" => value.as_bool() == Some(false),
        "response_format" => value.get("type").and_then(Value::as_str) == Some("text"),
        "modalities" => matches!(value.as_array().map(Vec::as_slice), Some([one]) if one == "text"),
        "tool_choice" | "function_call" => value == "none",
        _ => IGNORED.contains(&key),
    }
}
