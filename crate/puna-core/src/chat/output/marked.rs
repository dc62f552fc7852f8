//! Answers in which marks stand around reasoning and around calls.

use super::block::Block;
use super::grammar::Callable;
use super::parser::{Part, put, without_end};
use super::pieces::Pieces;
use super::style::Style;

pub(super) const THINK: &str = "<think>";
pub(super) const END_THINK: &str = "</think>";

/// Takes such an answer apart.
#[derive(Clone, Debug)]
pub(super) struct Marked {
    style: Style,
    /// What may be called.
    tools: Vec<Callable>,
    /// Whether what begins as a call is one, whose arguments are told as they come.
    is_decided: bool,
    state: State,
    /// What was not given out yet: it may be a mark, or in front of one.
    held: String,
    /// The space in front of the block of calls that is open.
    space: String,
    /// Whether a tool was called.
    called: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but white space so far.
    Start,
    /// Between the marks of reasoning; whether anything of it was given out.
    Reasoning {
        begun: bool,
    },
    /// Behind it, where the answer has not begun.
    Between,
    Text,
    /// In a block of calls; whether its mark was a bare brace, which belongs to it.
    Calls {
        bare: bool,
    },
    /// In front of a call that is as the grammar has it, the first of its block, or another.
    Front {
        bare: bool,
        first: bool,
    },
    /// In its arguments.
    Arguments(Pieces),
    /// Behind them.
    Back,
}

impl Marked {
    /// For an answer of that style to `prompt`, which may call `tools`.
    pub(super) fn new(style: Style, tools: Vec<Callable>, prompt: &str, is_decided: bool) -> Self {
        // Some templates begin the reasoning themselves.
        let begun = style.reasons && prompt.trim_end().ends_with(THINK);
        Self {
            style,
            tools,
            is_decided: is_decided
                && style
                    .block
                    .is_some_and(|block| block.writing.members.is_none()),
            state: match begun {
                true => State::Reasoning { begun: false },
                false => State::Start,
            },
            held: String::new(),
            space: String::new(),
            called: false,
        }
    }

    /// The parts that are sure by now.
    pub(super) fn push(&mut self, text: &str) -> Vec<Part> {
        self.held.push_str(text);
        let mut parts = Vec::new();
        while self.advance(&mut parts) {}
        parts
    }

    /// What is left at the end.
    pub(super) fn finish(&mut self) -> Vec<Part> {
        let mut parts = Vec::new();
        let held = std::mem::take(&mut self.held);
        match self.state {
            State::Reasoning { begun } => {
                let held = if begun {
                    held.as_str()
                } else {
                    held.trim_start()
                };
                put(&mut parts, Part::Reasoning(held.trim_end().to_owned()));
            }
            // The space behind calls is nobody's, either.
            State::Text if self.called && held.trim().is_empty() => {}
            // An answer of nothing but space is one.
            State::Start | State::Between | State::Text => put(&mut parts, Part::Text(held)),
            State::Calls { bare } => self.close(&held, bare, "", &mut parts),
            State::Front { first: true, .. } => {
                let space = std::mem::take(&mut self.space);
                put(&mut parts, Part::NoCall(format!("{space}{held}")));
            }
            State::Arguments(_) => parts.push(Part::CallEnd),
            State::Front { .. } => {
                let end = self.style.block.map_or("", |block| block.writing.end);
                let is_end = held.trim().is_empty() || end.starts_with(&held);
                put(
                    &mut parts,
                    Part::Text(if is_end { String::new() } else { held }),
                );
            }
            // What was cut short of a mark is nobody's.
            State::Back => {}
        }
        parts
    }

    /// Goes over to the next state if what is held tells which; whether it did.
    fn advance(&mut self, parts: &mut Vec<Part>) -> bool {
        match self.state {
            State::Start => self.start(),
            State::Reasoning { begun } => self.reason(begun, parts),
            State::Between => {
                let answer = self.held.trim_start();
                if answer.is_empty() {
                    return false;
                }
                self.held = answer.to_owned();
                self.begin_text()
            }
            State::Text => self.text(parts),
            State::Calls { bare } => self.calls(bare, parts),
            State::Front { bare, first } => self.front(bare, first, parts),
            State::Arguments(pieces) => self.arguments(pieces, parts),
            State::Back => self.back(),
        }
    }

    fn start(&mut self) -> bool {
        let seen = self.held.trim_start();
        if seen.is_empty() {
            return false;
        }
        if self.style.reasons {
            if let Some(inside) = seen.strip_prefix(THINK) {
                self.held = inside.to_owned();
                self.state = State::Reasoning { begun: false };
                return true;
            }
            if THINK.starts_with(seen) {
                return false;
            }
        }
        self.begin_text()
    }

    /// Where an answer may begin with a call without a mark, it begins here; whether that is known.
    fn begin_text(&mut self) -> bool {
        let seen = self.held.trim_start();
        let bare = self.style.block.map_or([].as_slice(), |block| block.bare);
        let is_bare = bare.iter().any(|mark| seen.starts_with(mark));
        if !is_bare && bare.iter().any(|mark| mark.starts_with(seen)) {
            return false;
        }
        self.state = match is_bare {
            true => self.begin_calls(true),
            false => State::Text,
        };
        true
    }

    const fn begin_calls(&self, bare: bool) -> State {
        match self.is_decided {
            true => State::Front { bare, first: true },
            false => State::Calls { bare },
        }
    }

    fn reason(&mut self, begun: bool, parts: &mut Vec<Part>) -> bool {
        if !begun {
            self.held = self.held.trim_start().to_owned();
        }
        if let Some((inside, behind)) = self.held.split_once(END_THINK) {
            put(parts, Part::Reasoning(inside.trim_end().to_owned()));
            self.held = behind.to_owned();
            self.state = State::Between;
            return true;
        }
        let sure = in_front_of_space(&self.held, without_end(&self.held, &[END_THINK]));
        let said = self.held.drain(..sure).collect::<String>();
        if !said.is_empty() {
            parts.push(Part::Reasoning(said));
            self.state = State::Reasoning { begun: true };
        }
        false
    }

    fn text(&mut self, parts: &mut Vec<Part>) -> bool {
        let Some(block) = self.style.block else {
            put(parts, Part::Text(std::mem::take(&mut self.held)));
            return false;
        };
        if let Some((before, behind)) = self.held.split_once(block.open) {
            // The space in front of calls is nobody's, if they are some.
            let (said, space) = before.split_at(before.trim_end().len());
            put(parts, Part::Text(said.to_owned()));
            self.space = space.to_owned();
            self.held = match self.is_decided {
                true => format!("{}{behind}", block.open),
                false => behind.to_owned(),
            };
            self.state = self.begin_calls(false);
            return true;
        }
        let sure = in_front_of_space(&self.held, without_end(&self.held, &[block.open]));
        put(parts, Part::Text(self.held.drain(..sure).collect()));
        false
    }

    fn calls(&mut self, bare: bool, parts: &mut Vec<Part>) -> bool {
        let close = self.style.block.and_then(|block| block.close);
        let close = close.filter(|_| !bare);
        let Some((inside, behind)) = close.and_then(|close| self.held.split_once(close)) else {
            return false;
        };
        let (inside, behind) = (inside.to_owned(), behind.to_owned());
        self.close(&inside, bare, close.unwrap_or_default(), parts);
        self.held = behind;
        self.state = State::Text;
        true
    }

    /// Where a call begins that is written as the grammar has it.
    fn front(&mut self, bare: bool, first: bool, parts: &mut Vec<Part>) -> bool {
        let Some(Block { open, writing, .. }) = self.style.block else {
            return false;
        };
        let held = match first {
            true => self.held.trim_start(),
            false => self.held.as_str(),
        };
        let lead = if first {
            writing.begin
        } else {
            writing.between
        };
        let lead = format!("{lead}{}", writing.call[0]);
        let mut may_be = lead.starts_with(held);
        if let Some(behind) = held.strip_prefix(&lead) {
            let middle = writing.call[1];
            for tool in &self.tools {
                let name = format!("{}{middle}", tool.name);
                if let Some(arguments) = behind.strip_prefix(&name) {
                    parts.push(Part::CallBegin(tool.name.clone()));
                    self.called = true;
                    self.held = arguments.to_owned();
                    self.state = State::Arguments(Pieces::default());
                    return true;
                }
                may_be |= name.starts_with(behind);
            }
        }
        may_be |= !first && held.len() < writing.end.len() && writing.end.starts_with(held);
        if may_be {
            return false;
        }
        let held = std::mem::take(&mut self.held);
        if first {
            // It is not what was expected: it is read as in an answer that is held to nothing.
            let inside = held.strip_prefix(open).filter(|_| !bare);
            self.held = inside.unwrap_or(&held).to_owned();
            self.state = State::Calls { bare };
        } else {
            self.held = held.strip_prefix(writing.end).unwrap_or(&held).to_owned();
            self.state = State::Text;
        }
        true
    }

    fn arguments(&mut self, mut pieces: Pieces, parts: &mut Vec<Part>) -> bool {
        let (told, used, is_complete) = pieces.push(&self.held);
        self.held.drain(..used);
        if !told.is_empty() {
            parts.push(Part::CallArguments(told));
        }
        self.state = match is_complete {
            true => {
                parts.push(Part::CallEnd);
                State::Back
            }
            false => State::Arguments(pieces),
        };
        is_complete
    }

    fn back(&mut self) -> bool {
        let back = self.style.block.map_or("", |block| block.writing.call[2]);
        if let Some(behind) = self.held.strip_prefix(back) {
            self.held = behind.to_owned();
        } else if back.starts_with(&self.held) {
            return false;
        }
        self.state = State::Front {
            bare: false,
            first: false,
        };
        true
    }

    /// What was between the marks: calls, or text as it was said.
    fn close(&mut self, inside: &str, bare: bool, close: &str, parts: &mut Vec<Part>) {
        let Some(Block { open, parse, .. }) = self.style.block else {
            return;
        };
        let calls = parse(inside, &self.tools).filter(|calls| {
            let mut names = calls.iter().map(|call| &call.name);
            names.all(|name| self.tools.iter().any(|tool| tool.name == *name))
        });
        match calls {
            Some(calls) => {
                self.called = true;
                parts.extend(calls.into_iter().map(Part::Call));
            }
            None if bare => put(parts, Part::Text(inside.to_owned())),
            None => {
                let space = std::mem::take(&mut self.space);
                put(parts, Part::NoCall(format!("{space}{open}{inside}{close}")));
            }
        }
    }
}

/// The end of `text[..end]` without the space there.
fn in_front_of_space(text: &str, end: usize) -> usize {
    text.get(..end).map_or(end, |front| front.trim_end().len())
}
