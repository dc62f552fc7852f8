//! What goes back: chunks and completions, of a chat and of texts.

use serde_json::{Value, json};

use super::TextRequest;
use super::text::Choice;
use crate::generate::{Event, FinishReason, LogProb, TokenLogProb, Usage};

/// What OpenAI writes for a token that is next to impossible: JSON has no infinity.
const LEAST_LOGPROB: f32 = -9999.0;

/// Turns the events of generations into what the request asked for: chunks, or one completion.
#[derive(Clone, Debug)]
pub struct Responder {
    /// Of this answer, such as `"chatcmpl-1"`.
    id: String,
    /// In seconds since 1970.
    created: u64,
    model: String,
    is_chat: bool,
    stream: bool,
    include_usage: bool,
    /// Finished answers, unless they are streamed.
    done: Vec<Value>,
    /// The answer so far, unless it is streamed.
    text: String,
    /// Whether tokens are told of, and those of the answer so far, or of the chunk that comes next.
    tells: bool,
    tokens: Vec<TokenLogProb>,
    /// Characters of the answer in front of `tokens`.
    offset: usize,
    /// The prompt whose answer began last.
    prompt: Option<usize>,
    usage: Usage,
}

impl Responder {
    /// Answers `request` as `id`, which gets the prefix of its kind; `created` is in seconds since 1970.
    #[must_use]
    pub fn new(request: &TextRequest, id: &str, created: u64, model: impl Into<String>) -> Self {
        let is_chat = matches!(request, TextRequest::Chat(_));
        let options = request.options();
        let prefix = if is_chat { "chatcmpl" } else { "cmpl" };
        Self {
            id: format!("{prefix}-{id}"),
            created,
            model: model.into(),
            is_chat,
            stream: options.stream,
            include_usage: options.include_usage,
            done: Vec::new(),
            text: String::new(),
            tells: options.logprobs.is_some(),
            tokens: Vec::new(),
            offset: 0,
            prompt: None,
            usage: Usage::default(),
        }
    }

    /// What to send before the first event of an answer: when streaming, who speaks.
    pub fn begin(&mut self, index: usize, choice: &Choice) -> Option<Value> {
        self.text.clone_from(&choice.echo);
        self.tokens.clear();
        self.offset = 0;
        if !self.stream {
            return None;
        }
        if self.is_chat {
            let delta = json!({ "role": "assistant", "content": "", "refusal": null });
            return Some(self.chunk(index, &delta, None));
        }
        let echo = std::mem::take(&mut self.text);
        (!echo.is_empty()).then(|| self.chunk(index, &json!(echo), None))
    }

    /// What to send for an event of an answer, if anything.
    pub fn event(&mut self, index: usize, choice: &Choice, event: &Event) -> Option<Value> {
        match event {
            Event::Tokens(tokens) => {
                self.tokens.extend_from_slice(tokens);
                None
            }
            Event::Text(text) if self.stream => {
                let delta = match self.is_chat {
                    true => json!({ "content": text }),
                    false => json!(text),
                };
                Some(self.chunk(index, &delta, None))
            }
            Event::Text(text) => {
                self.text.push_str(text);
                None
            }
            Event::Finish { reason, usage } => {
                self.count(choice.prompt, *usage);
                if self.stream {
                    let delta = if self.is_chat { json!({}) } else { json!("") };
                    return Some(self.chunk(index, &delta, Some(*reason)));
                }
                let text = std::mem::take(&mut self.text);
                let message = json!({ "role": "assistant", "content": text, "refusal": null });
                let (key, said) = match self.is_chat {
                    true => ("message", message),
                    false => ("text", json!(text)),
                };
                let logprobs = self.logprobs();
                let done = choice_of(index, key, said, &logprobs, Some(*reason));
                self.done.push(done);
                None
            }
        }
    }

    /// What to send when all answers are complete, if anything.
    pub fn end(&mut self) -> Option<Value> {
        let usage = json!({
            "prompt_tokens": self.usage.prompt_tokens,
            "completion_tokens": self.usage.completion_tokens,
            "total_tokens": self.usage.total_tokens(),
            "prompt_tokens_details": { "cached_tokens": self.usage.cached_tokens },
        });
        if !self.stream {
            let choices = std::mem::take(&mut self.done);
            return Some(self.envelope(choices, Some(usage)));
        }
        self.include_usage
            .then(|| self.envelope(Vec::new(), Some(usage)))
    }

    /// Several answers to a prompt have read it once.
    fn count(&mut self, prompt: usize, usage: Usage) {
        let all = &mut self.usage;
        all.completion_tokens = all
            .completion_tokens
            .saturating_add(usage.completion_tokens);
        if self.prompt.replace(prompt) != Some(prompt) {
            all.prompt_tokens = all.prompt_tokens.saturating_add(usage.prompt_tokens);
            all.cached_tokens = all.cached_tokens.saturating_add(usage.cached_tokens);
        }
    }

    fn chunk(&mut self, index: usize, delta: &Value, reason: Option<FinishReason>) -> Value {
        let key = if self.is_chat { "delta" } else { "text" };
        let logprobs = match self.tokens.is_empty() {
            true => Value::Null,
            false => self.logprobs(),
        };
        let choice = choice_of(index, key, delta.clone(), &logprobs, reason);
        // With usage wanted, every other chunk says that it has none.
        let usage = self.include_usage.then_some(Value::Null);
        self.envelope(vec![choice], usage)
    }

    /// Of the tokens since it was asked for last.
    fn logprobs(&mut self) -> Value {
        if !self.tells {
            return Value::Null;
        }
        let tokens = std::mem::take(&mut self.tokens);
        if self.is_chat {
            let content = tokens.iter().map(|it| {
                let mut token = in_chat(&it.token);
                if let Some(fields) = token.as_object_mut() {
                    let top = it.top.iter().map(in_chat).collect();
                    fields.insert("top_logprobs".to_owned(), top);
                }
                token
            });
            return json!({ "content": content.collect::<Value>(), "refusal": null });
        }
        let offsets = tokens.iter().map(|it| {
            let offset = self.offset;
            self.offset = offset.saturating_add(text_of(&it.token).chars().count());
            Value::from(offset)
        });
        let text_offset: Value = offsets.collect();
        let top = tokens.iter().map(|it| {
            let top = it.top.iter();
            let top = top.map(|it| (text_of(it), Value::from(written(it))));
            Value::Object(top.collect())
        });
        json!({
            "tokens": tokens.iter().map(|it| text_of(&it.token)).collect::<Value>(),
            "token_logprobs": tokens.iter().map(|it| written(&it.token)).collect::<Value>(),
            "top_logprobs": top.collect::<Value>(),
            "text_offset": text_offset,
        })
    }

    fn envelope(&self, choices: Vec<Value>, usage: Option<Value>) -> Value {
        let object = match (self.is_chat, self.stream) {
            (true, true) => "chat.completion.chunk",
            (true, false) => "chat.completion",
            (false, _) => "text_completion",
        };
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

fn choice_of(
    index: usize,
    key: &str,
    said: Value,
    logprobs: &Value,
    reason: Option<FinishReason>,
) -> Value {
    json!({
        "index": index,
        key: said,
        "logprobs": logprobs,
        "finish_reason": reason.map(FinishReason::as_str),
    })
}

fn in_chat(token: &LogProb) -> Value {
    json!({ "token": text_of(token), "logprob": written(token), "bytes": token.bytes })
}

/// What of a token is text; parts of characters are U+FFFD.
fn text_of(token: &LogProb) -> String {
    String::from_utf8_lossy(&token.bytes).into_owned()
}

fn written(token: &LogProb) -> f32 {
    token.logprob.max(LEAST_LOGPROB)
}
