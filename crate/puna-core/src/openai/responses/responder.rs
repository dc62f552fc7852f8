//! What goes back: a response, or the events that it is made of.

use serde_json::{Map, Value, json};

use super::request::ResponsesRequest;
use crate::chat::{OutputParser, Part, Warnings, call_id};
use crate::generate::{Event, FinishReason, TokenLogProb, Usage};
use crate::openai::response::{are_thoughts, of_token};
use crate::openai::{Choice, Respond};

/// Turns the events of a generation into a `response`, or into the events of one.
#[derive(Debug)]
pub struct ResponsesResponder {
    id: String,
    /// In seconds since 1970.
    created: u64,
    model: String,
    stream: bool,
    /// What the request says of itself.
    repeated: Map<String, Value>,
    /// Whether thoughts stand where summaries do.
    as_summary: bool,
    parser: Option<OutputParser>,
    /// Items that are complete.
    output: Vec<Value>,
    /// The kind of the item that is open, and its text.
    open: Option<(Kind, String)>,
    /// Of the tokens of the open text, and of the piece of it that comes next.
    told: Vec<Value>,
    unsent: Vec<TokenLogProb>,
    called: usize,
    most_calls: usize,
    /// The call that is open, if it is not one too many.
    call: Option<OpenCall>,
    /// Tokens of the answer up to where it thought last.
    reasoning_tokens: u32,
    /// Events so far.
    sequence: u64,
    response: Value,
    warnings: Warnings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Reasoning,
}

#[derive(Debug)]
struct OpenCall {
    /// Of its item, and of itself.
    id: String,
    call_id: String,
    name: String,
    /// So far.
    arguments: String,
}

impl OpenCall {
    fn item(&self, status: &str) -> Value {
        json!({
            "id": self.id,
            "type": "function_call",
            "status": status,
            "call_id": self.call_id,
            "name": self.name,
            "arguments": self.arguments,
        })
    }
}

impl ResponsesResponder {
    /// Answers `request` as `id`, which gets the prefix of its kind; `created` is in seconds since 1970.
    #[must_use]
    pub fn new(
        request: &ResponsesRequest,
        id: &str,
        created: u64,
        model: impl Into<String>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            created,
            model: model.into(),
            stream: request.chat.options.stream,
            repeated: request.repeated.clone(),
            as_summary: request.wants_summary,
            parser: None,
            output: Vec::new(),
            open: None,
            told: Vec::new(),
            unsent: Vec::new(),
            called: 0,
            most_calls: usize::MAX,
            call: None,
            reasoning_tokens: 0,
            sequence: 0,
            response: Value::Null,
            warnings: Warnings::default(),
        }
    }

    fn parts(&mut self, parts: Vec<Part>, tokens: u32, sent: &mut Vec<Value>) {
        if are_thoughts(&parts) {
            self.reasoning_tokens = tokens;
        }
        for part in parts {
            self.warnings.see(&part);
            match part {
                Part::Text(text) | Part::NoCall(text) => self.say(Kind::Message, &text, sent),
                Part::Reasoning(text) => self.say(Kind::Reasoning, &text, sent),
                Part::Call(call) => {
                    self.begin_call(call.name, sent);
                    self.arguments(&call.arguments, sent);
                    self.end_call(sent);
                }
                Part::CallBegin(name) => self.begin_call(name, sent),
                Part::CallArguments(piece) => self.arguments(&piece, sent),
                Part::CallEnd => self.end_call(sent),
            }
        }
    }

    fn say(&mut self, kind: Kind, text: &str, sent: &mut Vec<Value>) {
        if self.open.as_ref().map(|(open, _)| *open) != Some(kind) {
            self.close("completed", sent);
            self.open = Some((kind, String::new()));
            let item = self.item(kind, None, "in_progress");
            self.send("response.output_item.added", json!({ "item": item }), sent);
            let part = self.part(kind, "", &[]);
            self.send_part(kind, "added", json!({ "part": part }), sent);
        }
        if let Some((_, said)) = &mut self.open {
            said.push_str(text);
        }
        let mut fields = json!({ "delta": text });
        let unsent = std::mem::take(&mut self.unsent);
        if kind == Kind::Message {
            let told: Vec<Value> = unsent.iter().map(of_token).collect();
            if let Some(fields) = fields.as_object_mut() {
                fields.insert("logprobs".to_owned(), told.clone().into());
            }
            self.told.extend(told);
        }
        self.send_text(kind, "delta", fields, sent);
    }

    /// Closes the open item, if one is.
    fn close(&mut self, status: &str, sent: &mut Vec<Value>) {
        let Some((kind, text)) = self.open.take() else {
            return;
        };
        let told = std::mem::take(&mut self.told);
        let mut fields = json!({ "text": text });
        if let (Kind::Message, Some(fields)) = (kind, fields.as_object_mut()) {
            fields.insert("logprobs".to_owned(), told.clone().into());
        }
        self.send_text(kind, "done", fields, sent);
        let part = self.part(kind, &text, &told);
        self.send_part(kind, "done", json!({ "part": part.clone() }), sent);
        let item = self.item(kind, Some(part), status);
        self.send(
            "response.output_item.done",
            json!({ "item": item.clone() }),
            sent,
        );
        self.output.push(item);
    }

    fn begin_call(&mut self, name: String, sent: &mut Vec<Value>) {
        self.close("completed", sent);
        self.unsent.clear();
        if self.called >= self.most_calls {
            return;
        }
        let call = OpenCall {
            id: self.item_id("fc"),
            call_id: format!("call_{}", call_id(&name, &self.id, self.called)),
            name,
            arguments: String::new(),
        };
        self.called = self.called.saturating_add(1);
        let begun = json!({ "item": call.item("in_progress") });
        self.send("response.output_item.added", begun, sent);
        self.call = Some(call);
    }

    fn arguments(&mut self, piece: &str, sent: &mut Vec<Value>) {
        self.unsent.clear();
        let Some(call) = &mut self.call else {
            return;
        };
        call.arguments.push_str(piece);
        let fields = json!({ "item_id": call.id, "delta": piece });
        self.send("response.function_call_arguments.delta", fields, sent);
    }

    fn end_call(&mut self, sent: &mut Vec<Value>) {
        let Some(call) = self.call.take() else {
            return;
        };
        let fields = json!({ "item_id": call.id, "name": call.name, "arguments": call.arguments });
        self.send("response.function_call_arguments.done", fields, sent);
        // An answer may be cut short in the middle of them.
        let status = match crate::json::read::<Value>(&call.arguments) {
            Ok(_) => "completed",
            Err(_) => "incomplete",
        };
        let whole = call.item(status);
        let done = json!({ "item": whole.clone() });
        self.send("response.output_item.done", done, sent);
        self.output.push(whole);
    }

    /// An item's id, which it has from its beginning on.
    fn item_id(&self, prefix: &str) -> String {
        format!("{prefix}_{}{:04x}", self.id, self.output.len())
    }

    fn id_of(&self, kind: Kind) -> String {
        self.item_id(match kind {
            Kind::Message => "msg",
            Kind::Reasoning => "rs",
        })
    }

    /// An item with one part, or with none yet.
    fn item(&self, kind: Kind, part: Option<Value>, status: &str) -> Value {
        let id = self.id_of(kind);
        let parts: Vec<Value> = part.into_iter().collect();
        match kind {
            Kind::Message => json!({
                "id": id,
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": parts,
            }),
            Kind::Reasoning => {
                let (content, summary) = match self.as_summary {
                    true => (Vec::new(), parts),
                    false => (parts, Vec::new()),
                };
                json!({ "id": id, "type": "reasoning", "summary": summary, "content": content })
            }
        }
    }

    fn part(&self, kind: Kind, text: &str, told: &[Value]) -> Value {
        match kind {
            Kind::Message => {
                json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": told })
            }
            Kind::Reasoning if self.as_summary => json!({ "type": "summary_text", "text": text }),
            Kind::Reasoning => json!({ "type": "reasoning_text", "text": text }),
        }
    }

    /// An event of the open item's text.
    fn send_text(&mut self, kind: Kind, what: &str, fields: Value, sent: &mut Vec<Value>) {
        let name = match kind {
            Kind::Message => "output_text",
            Kind::Reasoning if self.as_summary => "reasoning_summary_text",
            Kind::Reasoning => "reasoning_text",
        };
        self.send_in_part(kind, &format!("response.{name}.{what}"), fields, sent);
    }

    /// An event of the open item's only part.
    fn send_part(&mut self, kind: Kind, what: &str, fields: Value, sent: &mut Vec<Value>) {
        let name = match (kind, self.as_summary) {
            (Kind::Reasoning, true) => "reasoning_summary_part",
            _ => "content_part",
        };
        self.send_in_part(kind, &format!("response.{name}.{what}"), fields, sent);
    }

    fn send_in_part(&mut self, kind: Kind, name: &str, mut fields: Value, sent: &mut Vec<Value>) {
        let index = match (kind, self.as_summary) {
            (Kind::Reasoning, true) => "summary_index",
            _ => "content_index",
        };
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("item_id".to_owned(), self.id_of(kind).into());
            fields.insert(index.to_owned(), 0.into());
        }
        self.send(name, fields, sent);
    }

    /// An event of the item that is open; of the response as it stands, if it has that in `fields`.
    fn send(&mut self, name: &str, mut fields: Value, sent: &mut Vec<Value>) {
        if !self.stream {
            return;
        }
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("type".to_owned(), name.into());
            fields.insert("sequence_number".to_owned(), self.sequence.into());
            if !fields.contains_key("response") {
                fields.insert("output_index".to_owned(), self.output.len().into());
            }
        }
        self.sequence = self.sequence.saturating_add(1);
        sent.push(fields);
    }

    /// The response as it stands.
    fn snapshot(&self, status: &str, usage: Option<Usage>) -> Value {
        let details = (status == "incomplete").then(|| json!({ "reason": "max_output_tokens" }));
        let usage = usage.map(|usage| {
            json!({
                "input_tokens": usage.prompt_tokens,
                "input_tokens_details": { "cached_tokens": usage.cached_tokens },
                "output_tokens": usage.completion_tokens,
                "output_tokens_details": { "reasoning_tokens": self.reasoning_tokens },
                "total_tokens": usage.total_tokens(),
            })
        });
        let mut response = json!({
            "id": format!("resp_{}", self.id),
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": null,
            "incomplete_details": details,
            "model": self.model,
            "output": self.output,
            "usage": usage,
        });
        if let Some(fields) = response.as_object_mut() {
            fields.extend(self.repeated.clone());
        }
        self.warnings.tell(&mut response);
        response
    }
}

impl Respond for ResponsesResponder {
    fn begin(&mut self, _index: usize, choice: &Choice) -> Vec<Value> {
        self.parser.clone_from(&choice.parser);
        self.most_calls = if choice.is_single { 1 } else { usize::MAX };
        let mut sent = Vec::new();
        for name in ["response.created", "response.in_progress"] {
            let fields = json!({ "response": self.snapshot("in_progress", None) });
            self.send(name, fields, &mut sent);
        }
        sent
    }

    fn event(&mut self, _index: usize, _choice: &Choice, event: &Event) -> Vec<Value> {
        let mut sent = Vec::new();
        match event {
            Event::Tokens(tokens) => self.unsent.extend_from_slice(tokens),
            Event::Text { text, tokens } => {
                let parts = match &mut self.parser {
                    Some(parser) => parser.push(text),
                    None => vec![Part::Text(text.clone())],
                };
                self.parts(parts, *tokens, &mut sent);
            }
            Event::Finish { reason, usage, .. } => {
                let rest = self.parser.as_mut().map(OutputParser::finish);
                self.parts(rest.unwrap_or_default(), usage.completion_tokens, &mut sent);
                let status = match reason {
                    FinishReason::Stop => "completed",
                    FinishReason::Length => "incomplete",
                };
                self.close(status, &mut sent);
                self.response = self.snapshot(status, Some(*usage));
                let fields = json!({ "response": self.response.clone() });
                self.send(&format!("response.{status}"), fields, &mut sent);
            }
        }
        sent
    }

    fn end(&mut self) -> Vec<Value> {
        match self.stream {
            true => Vec::new(),
            false => vec![std::mem::take(&mut self.response)],
        }
    }
}
