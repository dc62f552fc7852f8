//! What goes back: a message, or the events that it is made of.

use serde_json::{Map, Value, json};

use crate::chat::{OutputParser, Part, Warnings, call_id};
use crate::generate::{Event, FinishReason, Usage};
use crate::openai::{Choice, Respond};

/// Turns the events of a generation into a `message`, or into the events of one.
#[derive(Debug)]
pub struct MessageResponder {
    id: String,
    model: String,
    stream: bool,
    parser: Option<OutputParser>,
    /// Finished blocks of the content, unless it is streamed.
    content: Vec<Value>,
    /// The kind of the block that is open, and its number.
    open: Option<Kind>,
    blocks: usize,
    called: usize,
    most_calls: usize,
    /// The id and the name of the call that is open, if it is not one too many.
    call: Option<(String, String)>,
    /// What was said in the open block, unless it is streamed.
    text: String,
    message: Value,
    warnings: Warnings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
}

impl MessageResponder {
    /// Answers as `id`, which gets the prefix of its kind.
    #[must_use]
    pub fn new(stream: bool, id: &str, model: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            model: model.into(),
            stream,
            parser: None,
            content: Vec::new(),
            open: None,
            blocks: 0,
            called: 0,
            most_calls: usize::MAX,
            call: None,
            text: String::new(),
            message: Value::Null,
            warnings: Warnings::default(),
        }
    }

    fn parts(&mut self, parts: Vec<Part>) -> Vec<Value> {
        let mut sent = Vec::new();
        for part in parts {
            self.warnings.see(&part);
            match part {
                Part::Text(text) | Part::NoCall(text) => self.say(Kind::Text, &text, &mut sent),
                Part::Reasoning(text) => self.say(Kind::Thinking, &text, &mut sent),
                Part::Call(call) => {
                    self.begin_call(call.name, &mut sent);
                    self.arguments(&call.arguments, &mut sent);
                    self.end_call(&mut sent);
                }
                Part::CallBegin(name) => self.begin_call(name, &mut sent),
                Part::CallArguments(piece) => self.arguments(&piece, &mut sent),
                Part::CallEnd => self.end_call(&mut sent),
            }
        }
        sent
    }

    fn say(&mut self, kind: Kind, text: &str, sent: &mut Vec<Value>) {
        if self.open != Some(kind) {
            self.close(sent);
            self.open = Some(kind);
            let block = match kind {
                Kind::Text => json!({ "type": "text", "text": "" }),
                Kind::Thinking => json!({ "type": "thinking", "thinking": "", "signature": "" }),
            };
            self.start(&block, sent);
        }
        if !self.stream {
            self.text.push_str(text);
            return;
        }
        let delta = match kind {
            Kind::Text => json!({ "type": "text_delta", "text": text }),
            Kind::Thinking => json!({ "type": "thinking_delta", "thinking": text }),
        };
        self.delta(&delta, sent);
    }

    fn begin_call(&mut self, name: String, sent: &mut Vec<Value>) {
        self.close(sent);
        if self.called >= self.most_calls {
            return;
        }
        let id = format!("toolu_{}", call_id(&name, &self.id, self.called));
        self.called = self.called.saturating_add(1);
        let block = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
        self.start(&block, sent);
        self.call = Some((id, name));
    }

    fn arguments(&mut self, piece: &str, sent: &mut Vec<Value>) {
        if self.call.is_none() {
            return;
        }
        if !self.stream {
            self.text.push_str(piece);
            return;
        }
        let delta = json!({ "type": "input_json_delta", "partial_json": piece });
        self.delta(&delta, sent);
    }

    fn end_call(&mut self, sent: &mut Vec<Value>) {
        let Some((id, name)) = self.call.take() else {
            return;
        };
        if self.stream {
            return self.stop(sent);
        }
        let text = std::mem::take(&mut self.text);
        self.content.push(match crate::json::read::<Value>(&text) {
            Ok(input) => json!({ "type": "tool_use", "id": id, "name": name, "input": input }),
            // Cut short it is no object, and what there is of it is not lost.
            Err(_) => json!({ "type": "text", "text": format!("{name} {text}") }),
        });
    }

    fn start(&self, block: &Value, sent: &mut Vec<Value>) {
        if self.stream {
            sent.push(json!({
                "type": "content_block_start", "index": self.blocks, "content_block": block,
            }));
        }
    }

    fn delta(&self, delta: &Value, sent: &mut Vec<Value>) {
        sent.push(json!({ "type": "content_block_delta", "index": self.blocks, "delta": delta }));
    }

    fn stop(&mut self, sent: &mut Vec<Value>) {
        sent.push(json!({ "type": "content_block_stop", "index": self.blocks }));
        self.blocks = self.blocks.saturating_add(1);
    }

    /// Closes the open block, if one is.
    fn close(&mut self, sent: &mut Vec<Value>) {
        let Some(kind) = self.open.take() else {
            return;
        };
        if self.stream {
            return self.stop(sent);
        }
        let text = std::mem::take(&mut self.text);
        self.content.push(match kind {
            Kind::Text => json!({ "type": "text", "text": text }),
            Kind::Thinking => json!({ "type": "thinking", "thinking": text, "signature": "" }),
        });
    }

    fn message(&self, stop: &Map<String, Value>, usage: &Value) -> Value {
        json!({
            "id": format!("msg_{}", self.id),
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": self.content,
            "stop_reason": stop.get("stop_reason"),
            "stop_sequence": stop.get("stop_sequence"),
            "usage": usage,
        })
    }
}

impl Respond for MessageResponder {
    fn begin(&mut self, _index: usize, choice: &Choice) -> Vec<Value> {
        self.parser.clone_from(&choice.parser);
        self.most_calls = if choice.is_single { 1 } else { usize::MAX };
        if !self.stream {
            return Vec::new();
        }
        let usage = json!({ "input_tokens": choice.generate.prompt.len(), "output_tokens": 0 });
        let message = self.message(&Map::new(), &usage);
        vec![json!({ "type": "message_start", "message": message })]
    }

    fn event(&mut self, _index: usize, _choice: &Choice, event: &Event) -> Vec<Value> {
        match event {
            Event::Tokens(_) => Vec::new(),
            Event::Text { text, .. } => {
                let parts = match &mut self.parser {
                    Some(parser) => parser.push(text),
                    None => vec![Part::Text(text.clone())],
                };
                self.parts(parts)
            }
            Event::Finish {
                reason,
                stop,
                usage,
            } => {
                let rest = self.parser.as_mut().map(OutputParser::finish);
                let mut sent = self.parts(rest.unwrap_or_default());
                self.close(&mut sent);
                let why = match (reason, stop) {
                    (FinishReason::Stop, _) if self.called > 0 => "tool_use",
                    (FinishReason::Stop, Some(_)) => "stop_sequence",
                    (FinishReason::Stop, None) => "end_turn",
                    (FinishReason::Length, _) => "max_tokens",
                };
                let mut stopped = Map::new();
                stopped.insert("stop_reason".to_owned(), why.into());
                let at = stop.as_deref().filter(|_| why == "stop_sequence");
                stopped.insert("stop_sequence".to_owned(), at.into());
                let usage = usage_body(*usage);
                if self.stream {
                    let mut delta =
                        json!({ "type": "message_delta", "delta": stopped, "usage": usage });
                    self.warnings.tell(&mut delta);
                    sent.push(delta);
                    sent.push(json!({ "type": "message_stop" }));
                } else {
                    self.message = self.message(&stopped, &usage);
                    self.warnings.tell(&mut self.message);
                }
                sent
            }
        }
    }

    fn end(&mut self) -> Vec<Value> {
        match self.stream {
            true => Vec::new(),
            false => vec![std::mem::take(&mut self.message)],
        }
    }
}

/// As Anthropic counts: what was read anew, and what was known.
fn usage_body(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.prompt_tokens.saturating_sub(usage.cached_tokens),
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": usage.completion_tokens,
    })
}
