//! What goes back: chunks and completions, of a chat and of texts.

use serde_json::{Value, json};

use super::text::Choice;
use super::{Respond, TextRequest};
use crate::chat::{OutputParser, Part, Warnings, call_id};
use crate::generate::{Event, FinishReason, LogProb, TokenLogProb, Usage};
use crate::score::Score;
use crate::sorted::sorted;
use crate::tokenizer::Tokenizer;

/// Why an answer ended that calls tools.
const TOOL_CALLS: &str = "tool_calls";
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
    /// By number, those that have begun.
    answers: Vec<Answer>,
    /// Finished ones by number, unless they are streamed.
    done: Vec<(usize, Value)>,
    /// Whether tokens are told of.
    tells: bool,
    /// The prompts that have answers.
    prompts: Vec<usize>,
    usage: Usage,
    /// Tokens that were thoughts.
    reasoning_tokens: u32,
}

/// An answer in the making.
#[derive(Clone, Debug, Default)]
struct Answer {
    /// So far, unless it is streamed.
    text: String,
    reasoning: String,
    /// Takes it apart, if it is of a chat.
    parser: Option<OutputParser>,
    warnings: Warnings,
    /// Calls of tools, unless they are streamed; how many there were, and may be.
    calls: Vec<Value>,
    called: usize,
    most_calls: usize,
    /// Whether the call that has begun is one too many.
    is_surplus: bool,
    /// Tokens so far that are to be told of, or those of the chunk that comes next.
    tokens: Vec<TokenLogProb>,
    /// Characters in front of `tokens`.
    offset: usize,
    /// Bytes of the prompt's first token, of which nothing is known, until the tokens of the prompt that stands in front of the
    /// answer were told; and whether there were any.
    first: Option<Vec<u8>>,
    is_scored: bool,
    /// What it begins with.
    echo: String,
    /// Whether it is the first one to its prompt: all together have read that once.
    is_first: bool,
    /// Tokens up to where it thought last.
    thought: u32,
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
            answers: Vec::new(),
            done: Vec::new(),
            tells: options.logprobs.is_some(),
            prompts: Vec::new(),
            usage: Usage::default(),
            reasoning_tokens: 0,
        }
    }
}

impl Respond for Responder {
    fn scored(&mut self, index: usize, score: &Score, tokenizer: &Tokenizer) {
        let mut answer = self.take(index);
        let first = score.ids.first().map(|id| tokenizer.piece(*id));
        answer.first = first.map(|piece| piece.unwrap_or_default().to_vec());
        answer.tokens = score.tokens(tokenizer);
        self.put(index, answer);
    }

    /// When streaming, who speaks.
    fn begin(&mut self, index: usize, choice: &Choice) -> Vec<Value> {
        let is_first = !self.prompts.contains(&choice.prompt);
        if is_first {
            self.prompts.push(choice.prompt);
        }
        let scored = self.take(index);
        let mut answer = Answer {
            text: choice.echo.clone().unwrap_or_default(),
            echo: choice.echo.clone().unwrap_or_default(),
            parser: choice.parser.clone(),
            most_calls: if choice.is_single { 1 } else { usize::MAX },
            is_scored: scored.first.is_some(),
            is_first,
            ..scored
        };
        let mut sent = Vec::new();
        if self.stream && self.is_chat {
            let delta = json!({ "role": "assistant", "content": "", "refusal": null });
            sent.push(answer.chunk(self, index, &delta, None));
        } else if self.stream && (!answer.text.is_empty() || answer.is_scored) {
            let echo = json!(std::mem::take(&mut answer.text));
            sent.push(answer.chunk(self, index, &echo, None));
        }
        self.put(index, answer);
        sent
    }

    fn event(&mut self, index: usize, _: &Choice, event: &Event) -> Vec<Value> {
        let mut answer = self.take(index);
        let sent = match event {
            Event::Tokens(tokens) => {
                answer.tokens.extend_from_slice(tokens);
                Vec::new()
            }
            Event::Text { text, tokens } => {
                let parts = match &mut answer.parser {
                    Some(parser) => parser.push(text),
                    None => vec![Part::Text(text.clone())],
                };
                if are_thoughts(&parts) {
                    answer.thought = *tokens;
                }
                answer.parts(self, index, parts)
            }
            Event::Finish { reason, usage, .. } => {
                let rest = answer.parser.as_mut().map(OutputParser::finish);
                let rest = rest.unwrap_or_default();
                if are_thoughts(&rest) {
                    answer.thought = usage.completion_tokens;
                }
                let mut sent = answer.parts(self, index, rest);
                self.count(&answer, *usage);
                let reason = match reason {
                    FinishReason::Stop if answer.called > 0 => TOOL_CALLS,
                    reason => reason.as_str(),
                };
                if self.stream {
                    let delta = if self.is_chat { json!({}) } else { json!("") };
                    sent.push(answer.chunk(self, index, &delta, Some(reason)));
                } else {
                    let done = answer.whole(self, index, reason);
                    self.done.push((index, done));
                }
                sent
            }
        };
        self.put(index, answer);
        sent
    }

    fn end(&mut self) -> Vec<Value> {
        let usage = json!({
            "prompt_tokens": self.usage.prompt_tokens,
            "completion_tokens": self.usage.completion_tokens,
            "total_tokens": self.usage.total_tokens(),
            "prompt_tokens_details": { "cached_tokens": self.usage.cached_tokens },
            "completion_tokens_details": { "reasoning_tokens": self.reasoning_tokens },
        });
        if !self.stream {
            let done = sorted(std::mem::take(&mut self.done), &|a, b| a.0.cmp(&b.0));
            let choices = done.into_iter().map(|(_, choice)| choice).collect();
            return vec![self.envelope(choices, Some(usage))];
        }
        match self.include_usage {
            true => vec![self.envelope(Vec::new(), Some(usage))],
            false => Vec::new(),
        }
    }
}

impl Responder {
    /// An answer, which is to be put back.
    fn take(&mut self, index: usize) -> Answer {
        let answer = self.answers.get_mut(index);
        answer.map(std::mem::take).unwrap_or_default()
    }

    fn put(&mut self, index: usize, answer: Answer) {
        if self.answers.len() <= index {
            self.answers
                .resize_with(index.saturating_add(1), Answer::default);
        }
        if let Some(place) = self.answers.get_mut(index) {
            *place = answer;
        }
    }

    /// Several answers to a prompt have read it once.
    fn count(&mut self, answer: &Answer, usage: Usage) {
        self.reasoning_tokens = self.reasoning_tokens.saturating_add(answer.thought);
        let all = &mut self.usage;
        all.completion_tokens = all
            .completion_tokens
            .saturating_add(usage.completion_tokens);
        if answer.is_first {
            all.prompt_tokens = all.prompt_tokens.saturating_add(usage.prompt_tokens);
            // To be scored a prompt is read as a whole.
            let cached = if answer.is_scored {
                0
            } else {
                usage.cached_tokens
            };
            all.cached_tokens = all.cached_tokens.saturating_add(cached);
        }
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

impl Answer {
    fn parts(&mut self, of: &Responder, index: usize, parts: Vec<Part>) -> Vec<Value> {
        let mut sent = Vec::new();
        for part in parts {
            self.warnings.see(&part);
            let delta = match part {
                Part::Text(text) | Part::NoCall(text) if !of.stream => {
                    self.text.push_str(&text);
                    continue;
                }
                Part::Reasoning(text) if !of.stream => {
                    self.reasoning.push_str(&text);
                    continue;
                }
                Part::Text(text) | Part::NoCall(text) if of.is_chat => json!({ "content": text }),
                Part::Text(text) | Part::NoCall(text) => json!(text),
                Part::Reasoning(text) => json!({ "reasoning_content": text }),
                Part::Call(call) => match self.begin_call(of, index, &call.name, call.arguments) {
                    Some(delta) => delta,
                    None => continue,
                },
                Part::CallBegin(name) => match self.begin_call(of, index, &name, String::new()) {
                    Some(delta) => delta,
                    None => continue,
                },
                Part::CallArguments(_) if self.is_surplus => continue,
                Part::CallArguments(piece) if of.stream => {
                    let number = self.called.saturating_sub(1);
                    let function = json!({ "arguments": piece });
                    json!({ "tool_calls": [{ "index": number, "function": function }] })
                }
                Part::CallArguments(piece) => {
                    let last = self.calls.last_mut();
                    let so_far = last.and_then(|it| it.pointer_mut("/function/arguments"));
                    if let Some(Value::String(so_far)) = so_far {
                        so_far.push_str(&piece);
                    }
                    continue;
                }
                Part::CallEnd => continue,
            };
            sent.push(self.chunk(of, index, &delta, None));
        }
        sent
    }

    /// What to send of a call that begins with these arguments; nothing if it is one too many, or nothing is streamed.
    fn begin_call(
        &mut self,
        of: &Responder,
        index: usize,
        name: &str,
        arguments: String,
    ) -> Option<Value> {
        self.is_surplus = self.called >= self.most_calls;
        if self.is_surplus {
            return None;
        }
        let number = self.called;
        self.called = number.saturating_add(1);
        let answer = format!("{}/{index}", of.id);
        let mut call = json!({
            "id": call_id(name, &answer, number),
            "type": "function",
            "function": { "name": name, "arguments": arguments },
        });
        if !of.stream {
            self.calls.push(call);
            return None;
        }
        if let Some(fields) = call.as_object_mut() {
            fields.insert("index".to_owned(), number.into());
        }
        Some(json!({ "tool_calls": [call] }))
    }

    /// A finished answer.
    fn whole(&mut self, of: &Responder, index: usize, reason: &str) -> Value {
        let text = std::mem::take(&mut self.text);
        let logprobs = self.logprobs(of);
        if !of.is_chat {
            return self.choice(index, "text", text.into(), &logprobs, Some(reason));
        }
        // Who calls a tool may say nothing.
        let content = match text.is_empty() && self.called > 0 {
            true => Value::Null,
            false => text.into(),
        };
        let mut message = json!({ "role": "assistant", "content": content, "refusal": null });
        if let Some(fields) = message.as_object_mut() {
            if !self.reasoning.is_empty() {
                let reasoning = std::mem::take(&mut self.reasoning);
                fields.insert("reasoning_content".to_owned(), reasoning.into());
            }
            if !self.calls.is_empty() {
                let calls = std::mem::take(&mut self.calls);
                fields.insert("tool_calls".to_owned(), calls.into());
            }
        }
        self.choice(index, "message", message, &logprobs, Some(reason))
    }

    fn chunk(
        &mut self,
        of: &Responder,
        index: usize,
        delta: &Value,
        reason: Option<&str>,
    ) -> Value {
        let key = if of.is_chat { "delta" } else { "text" };
        let logprobs = match self.tokens.is_empty() && self.first.is_none() {
            true => Value::Null,
            false => self.logprobs(of),
        };
        let choice = self.choice(index, key, delta.clone(), &logprobs, reason);
        // With usage wanted, every other chunk says that it has none.
        let usage = of.include_usage.then_some(Value::Null);
        of.envelope(vec![choice], usage)
    }

    /// Said by it so; with its end come the warnings.
    fn choice(
        &self,
        index: usize,
        key: &str,
        said: Value,
        logprobs: &Value,
        reason: Option<&str>,
    ) -> Value {
        let mut choice = json!({
            "index": index,
            key: said,
            "logprobs": logprobs,
            "finish_reason": reason,
        });
        if reason.is_some() {
            self.warnings.tell(&mut choice);
        }
        choice
    }

    /// Of the tokens since it was asked for last.
    fn logprobs(&mut self, of: &Responder) -> Value {
        if !of.tells {
            return Value::Null;
        }
        let tokens = std::mem::take(&mut self.tokens);
        if of.is_chat {
            let content = tokens.iter().map(of_token);
            return json!({ "content": content.collect::<Value>(), "refusal": null });
        }
        let mut texts: Vec<String> = Vec::new();
        let (mut logprobs, mut tops) = (Vec::new(), Vec::new());
        let (mut offsets, mut is_outside) = (Vec::new(), false);
        if let Some(first) = self.first.take() {
            let first = String::from_utf8_lossy(&first).into_owned();
            // What the model asks for in front of a text is none of it.
            is_outside = !self.echo.starts_with(&first);
            texts.push(first);
            logprobs.push(Value::Null);
            tops.push(Value::Null);
        }
        for told in &tokens {
            texts.push(text_of(&told.token));
            logprobs.push(written(&told.token).into());
            let top = told.top.iter();
            let top = top.map(|it| (text_of(it), Value::from(written(it))));
            tops.push(Value::Object(top.collect()));
        }
        for text in &texts {
            offsets.push(self.offset);
            if !std::mem::take(&mut is_outside) {
                self.offset = self.offset.saturating_add(text.chars().count());
            }
        }
        json!({
            "tokens": texts,
            "token_logprobs": logprobs,
            "top_logprobs": tops,
            "text_offset": offsets,
        })
    }
}

/// Whether that is what the model thinks, and no more.
pub(super) fn are_thoughts(parts: &[Part]) -> bool {
    !parts.is_empty() && parts.iter().all(|it| matches!(it, Part::Reasoning(_)))
}

/// A token of a chat, and others in its place.
pub(super) fn of_token(token: &TokenLogProb) -> Value {
    let mut told = in_chat(&token.token);
    if let Some(fields) = told.as_object_mut() {
        let top = token.top.iter().map(in_chat).collect();
        fields.insert("top_logprobs".to_owned(), top);
    }
    told
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
