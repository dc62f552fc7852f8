//! Text that arrives in pieces, taken apart as it comes.

use super::call::Call;
use super::grammar::{Callable, Saying};
use super::harmony::Harmony;
use super::marked::Marked;
use super::style::Style;

/// A part of what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Of the answer.
    Text(String),
    /// Of the answer: it began as calls do, and is none.
    NoCall(String),
    /// Of what the model thought before.
    Reasoning(String),
    /// A tool is to be called.
    Call(Call),
    /// The tool of this name is to be called; its arguments follow, and then an end.
    CallBegin(String),
    /// More of the arguments of the call that has begun: together they are JSON of an object.
    CallArguments(String),
    /// The call is complete, or was cut short with the answer.
    CallEnd,
}

/// Takes an answer apart.
#[derive(Clone, Debug)]
pub struct OutputParser(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Marked(Marked),
    Harmony(Harmony),
}

impl OutputParser {
    /// For an answer of that style to `prompt`, which may call `tools`, and is held to `saying` if to anything.
    #[must_use]
    pub fn new(style: Style, tools: Vec<Callable>, prompt: &str, saying: Option<&Saying>) -> Self {
        let is_decided = saying.is_some_and(|it| it.decides(&style));
        Self(match style.is_harmony {
            true => Kind::Harmony(Harmony::new(tools, is_decided)),
            false => Kind::Marked(Marked::new(style, tools, prompt, is_decided)),
        })
    }

    /// The parts that are sure by now.
    pub fn push(&mut self, text: &str) -> Vec<Part> {
        match &mut self.0 {
            Kind::Marked(parser) => parser.push(text),
            Kind::Harmony(parser) => parser.push(text),
        }
    }

    /// What is left at the end.
    pub fn finish(&mut self) -> Vec<Part> {
        match &mut self.0 {
            Kind::Marked(parser) => parser.finish(),
            Kind::Harmony(parser) => parser.finish(),
        }
    }
}

/// Adds a part that says something.
pub(super) fn put(parts: &mut Vec<Part>, part: Part) {
    match &part {
        Part::Text(text) | Part::NoCall(text) | Part::Reasoning(text) if text.is_empty() => {}
        _ => parts.push(part),
    }
}

/// Bytes of `text` that are in front of what may be the beginning of a mark.
pub(super) fn without_end(text: &str, marks: &[&str]) -> usize {
    let longest = marks.iter().map(|mark| mark.len()).max().unwrap_or(0);
    let may_begin = |at: &usize| {
        let end = text.get(*at..).unwrap_or_default();
        marks.iter().any(|mark| mark.starts_with(end))
    };
    let places = text.char_indices().map(|(at, _)| at);
    let first = places.rev().take(longest).filter(may_begin).last();
    first.unwrap_or(text.len())
}
