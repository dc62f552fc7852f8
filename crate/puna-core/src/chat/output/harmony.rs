//! gpt-oss's answers: messages with a header each, which says what they are (OpenAI, "harmony" response format).
//!
//! ```text
//! <|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…
//! <|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{…}
//! ```

use serde_json::Value;

use super::call::Call;
use super::grammar::Callable;
use super::parser::{Part, put, without_end};
use super::pieces::Pieces;
use crate::chat::Message;
use crate::grammar::Grammar;

const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
/// What ends a message, and, all that is between two, a header's beginning.
const ENDS: &[&str] = &["<|end|>", "<|start|>", "<|call|>", "<|return|>"];
/// Control tokens that are no ends of answers.
pub(super) const MARKS: &[&str] = &[CHANNEL, MESSAGE, "<|constrain|>", "<|end|>", "<|start|>"];

/// Takes such an answer apart.
#[derive(Clone, Debug)]
pub(super) struct Harmony {
    /// What may be called.
    tools: Vec<Callable>,
    /// Whether what begins as a call is one.
    is_decided: bool,
    state: State,
    /// What was not given out yet.
    held: String,
}

#[derive(Clone, Debug)]
enum State {
    /// The prompt ends inside of a header, behind who speaks.
    Header,
    Text,
    Reasoning,
    /// The header, as it was, and the name in it.
    Call(String, String),
    /// In the arguments of a call that was told of.
    Arguments(Pieces),
}

impl Harmony {
    pub(super) const fn new(tools: Vec<Callable>, is_decided: bool) -> Self {
        Self {
            tools,
            is_decided,
            state: State::Header,
            held: String::new(),
        }
    }

    pub(super) fn push(&mut self, text: &str) -> Vec<Part> {
        self.held.push_str(text);
        let mut parts = Vec::new();
        while self.advance(&mut parts) {}
        parts
    }

    pub(super) fn finish(&mut self) -> Vec<Part> {
        let mut parts = Vec::new();
        let held = std::mem::take(&mut self.held);
        match &self.state {
            // A header that was cut short says nothing.
            State::Header if is_header(held.trim()) => {}
            State::Header => put(&mut parts, Part::Text(held)),
            State::Arguments(_) => parts.push(Part::CallEnd),
            _ => self.end(held, &mut parts),
        }
        parts
    }

    /// Goes over to the next message if what is held tells; whether it did.
    fn advance(&mut self, parts: &mut Vec<Part>) -> bool {
        match &mut self.state {
            State::Header => return self.header(parts),
            State::Arguments(pieces) => {
                let (told, used, is_complete) = pieces.push(&self.held);
                self.held.drain(..used);
                if !told.is_empty() {
                    parts.push(Part::CallArguments(told));
                }
                if is_complete {
                    parts.push(Part::CallEnd);
                    self.state = State::Text;
                }
                return is_complete;
            }
            _ => {}
        }
        let found = ENDS
            .iter()
            .filter_map(|end| Some((self.held.find(end)?, end.len())));
        if let Some((at, length)) = found.min() {
            let body: String = self.held.drain(..at).collect();
            self.held.drain(..length);
            self.end(body, parts);
            self.state = State::Header;
            return true;
        }
        let sure = match self.state {
            // A call is one only as a whole.
            State::Call(..) => 0,
            _ => without_end(&self.held, ENDS),
        };
        let said = self.held.drain(..sure).collect();
        if !matches!(self.state, State::Call(..)) {
            self.end(said, parts);
        }
        false
    }

    fn header(&mut self, parts: &mut Vec<Part>) -> bool {
        let Some((header, body)) = self.held.split_once(MESSAGE) else {
            // A model that goes on without one says its answer.
            let seen = self.held.trim_start();
            if seen.is_empty() || is_header(seen) {
                return false;
            }
            self.state = State::Text;
            return true;
        };
        let (header, body) = (header.to_owned(), body.to_owned());
        let name = header.split_once("to=functions.").map(|(_, name)| name);
        let name = name.and_then(|it| it.split([' ', '<']).next());
        self.state = match name {
            Some(name) if self.is_decided && self.is_offered(name) => {
                parts.push(Part::CallBegin(name.to_owned()));
                State::Arguments(Pieces::default())
            }
            Some(name) => State::Call(header.clone(), name.to_owned()),
            None if header.contains("<|channel|>analysis") => State::Reasoning,
            None => State::Text,
        };
        self.held = body;
        true
    }

    fn is_offered(&self, name: &str) -> bool {
        self.tools.iter().any(|tool| tool.name == name)
    }

    /// Gives out what was said in a message.
    fn end(&self, body: String, parts: &mut Vec<Part>) {
        match &self.state {
            State::Header | State::Text | State::Arguments(_) => put(parts, Part::Text(body)),
            State::Reasoning => put(parts, Part::Reasoning(body)),
            State::Call(header, name) => {
                let arguments = crate::json::read::<Value>(&body).ok();
                let call = arguments
                    .filter(|_| self.is_offered(name))
                    .and_then(|arguments| Call::new(name, &arguments));
                put(
                    parts,
                    match call {
                        Some(call) => Part::Call(call),
                        None => Part::NoCall(format!("{header}{MESSAGE}{body}")),
                    },
                );
            }
        }
    }
}

/// A message as the template looks at it.
pub(super) fn renamed(mut message: Message) -> Message {
    let calls = message.fields.contains_key("tool_calls") && message.content.is_empty();
    if let (true, Some(thoughts)) = (calls, message.fields.remove("reasoning_content")) {
        message.fields.insert("thinking".to_owned(), thoughts);
    }
    message
}

/// Thoughts in front of an answer, if there are any.
pub(super) fn thoughts() -> Grammar {
    Grammar::Optional(Box::new(Grammar::Sequence(vec![
        Grammar::Text(format!("{CHANNEL}analysis{MESSAGE}")),
        Grammar::Through("<|end|>".to_owned()),
        Grammar::text("<|start|>assistant"),
    ])))
}

/// An answer that says this.
pub(super) fn answer(text: Grammar) -> Grammar {
    Grammar::Sequence(vec![
        Grammar::Text(format!("{CHANNEL}final{MESSAGE}")),
        text,
    ])
}

/// A call of a tool.
pub(super) fn call(tool: &Callable) -> Vec<Grammar> {
    let header = format!(
        "{CHANNEL}commentary to=functions.{} <|constrain|>json{MESSAGE}",
        tool.name
    );
    vec![Grammar::Text(header), tool.arguments.clone()]
}

/// Whether a text is the beginning of a header, or may become one.
fn is_header(seen: &str) -> bool {
    let fronts = [CHANNEL, "<|start|>", "assistant", "to="];
    let may_be = |front: &&str| front.starts_with(seen) || seen.starts_with(*front);
    fronts.iter().any(may_be)
}
