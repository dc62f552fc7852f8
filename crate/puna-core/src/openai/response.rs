//! What goes back: chunks, completions, errors.

use serde_json::{Value, json};

use super::ChatRequest;
use crate::generate::{Event, FinishReason, Usage};
use crate::{Error, ErrorCode};

/// Turns the events of a generation into what the request asked for: `chat.completion.chunk`s, or one
/// `chat.completion`.
#[derive(Clone, Debug)]
pub struct Responder {
    id: String,
    created: u64,
    model: String,
    stream: bool,
    include_usage: bool,
    /// The answer so far, unless it is streamed.
    text: String,
}

impl Responder {
    /// Answers `request` as `id`, such as `"chatcmpl-1"`; `created` is in seconds since 1970.
    #[must_use]
    pub fn new(
        request: &ChatRequest,
        id: impl Into<String>,
        created: u64,
        model: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            created,
            model: model.into(),
            stream: request.stream,
            include_usage: request.include_usage,
            text: String::new(),
        }
    }

    /// What to send before the first event: when streaming, the chunk that says who speaks.
    #[must_use]
    pub fn open(&self) -> Option<Value> {
        let delta = json!({ "role": "assistant", "content": "", "refusal": null });
        self.stream.then(|| self.chunk(&delta, None))
    }

    /// What to send for an event, in this order.
    pub fn event(&mut self, event: &Event) -> Vec<Value> {
        match event {
            Event::Text(text) if self.stream => vec![self.chunk(&json!({ "content": text }), None)],
            Event::Text(text) => {
                self.text.push_str(text);
                Vec::new()
            }
            Event::Finish { reason, usage } if self.stream => {
                let mut chunks = vec![self.chunk(&json!({}), Some(*reason))];
                if self.include_usage {
                    chunks.push(self.envelope(
                        "chat.completion.chunk",
                        json!([]),
                        Some(usage_body(*usage)),
                    ));
                }
                chunks
            }
            Event::Finish { reason, usage } => vec![self.completion(*reason, *usage)],
        }
    }

    fn chunk(&self, delta: &Value, reason: Option<FinishReason>) -> Value {
        let choice = json!({
            "index": 0,
            "delta": delta,
            "logprobs": null,
            "finish_reason": reason.map(FinishReason::as_str),
        });
        // With usage wanted, every other chunk says that it has none.
        let usage = self.include_usage.then_some(Value::Null);
        self.envelope("chat.completion.chunk", json!([choice]), usage)
    }

    fn completion(&self, reason: FinishReason, usage: Usage) -> Value {
        let choice = json!({
            "index": 0,
            "message": { "role": "assistant", "content": self.text, "refusal": null },
            "logprobs": null,
            "finish_reason": reason.as_str(),
        });
        self.envelope("chat.completion", json!([choice]), Some(usage_body(usage)))
    }

    fn envelope(&self, object: &str, choices: Value, usage: Option<Value>) -> Value {
        let mut body = json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        });
        if let (Some(usage), Some(fields)) = (usage, body.as_object_mut()) {
            fields.insert("usage".to_owned(), usage);
        }
        body
    }
}

fn usage_body(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens(),
        "prompt_tokens_details": { "cached_tokens": usage.cached_tokens },
    })
}

/// The body of an error response.
#[must_use]
pub fn error_body(error: &Error) -> Value {
    let kind = match error.code() {
        ErrorCode::InvalidRequest | ErrorCode::ContextLengthExceeded => "invalid_request_error",
        _ => "server_error",
    };
    json!({
        "error": {
            "message": error.message(),
            "type": kind,
            "param": error.details().get("param"),
            "code": error.code().as_str(),
        }
    })
}
