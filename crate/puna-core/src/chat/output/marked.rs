//! Answers in which marks stand around reasoning and around calls.

use super::parser::{Part, put, without_end};
use super::style::{Block, Style};

pub(super) const THINK: &str = "<think>";
pub(super) const END_THINK: &str = "</think>";

/// Takes such an answer apart.
#[derive(Clone, Debug)]
pub(super) struct Marked {
    style: Style,
    /// Names that may be called.
    tools: Vec<String>,
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
}

impl Marked {
    /// For an answer of that style to `prompt`, which may call `tools`.
    pub(super) fn new(style: Style, tools: Vec<String>, prompt: &str) -> Self {
        // Some templates begin the reasoning themselves.
        let begun = style.reasons && prompt.trim_end().ends_with(THINK);
        Self {
            style,
            tools,
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

    /// Where an answer may be a bare object, it begins here.
    fn begin_text(&mut self) -> bool {
        let is_bare = self.style.block.is_some_and(|block| block.bare)
            && self.held.trim_start().starts_with('{');
        self.state = match is_bare {
            true => State::Calls { bare: true },
            false => State::Text,
        };
        true
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
            self.held = behind.to_owned();
            self.state = State::Calls { bare: false };
            return true;
        }
        let sure = in_front_of_space(&self.held, without_end(&self.held, &[block.open]));
        put(parts, Part::Text(self.held.drain(..sure).collect()));
        false
    }

    fn calls(&mut self, bare: bool, parts: &mut Vec<Part>) -> bool {
        let close = self.style.block.and_then(|block| block.close);
        let Some((inside, behind)) = close.and_then(|close| self.held.split_once(close)) else {
            return false;
        };
        let (inside, behind) = (inside.to_owned(), behind.to_owned());
        self.close(&inside, bare, close.unwrap_or_default(), parts);
        self.held = behind;
        self.state = State::Text;
        true
    }

    /// What was between the marks: calls, or text as it was said.
    fn close(&mut self, inside: &str, bare: bool, close: &str, parts: &mut Vec<Part>) {
        let Some(Block { open, parse, .. }) = self.style.block else {
            return;
        };
        let calls = parse(inside).filter(|calls| {
            let mut names = calls.iter().map(|call| &call.name);
            names.all(|name| self.tools.contains(name))
        });
        match calls {
            Some(calls) => {
                self.called = true;
                parts.extend(calls.into_iter().map(Part::Call));
            }
            None if bare => put(parts, Part::Text(inside.to_owned())),
            None => {
                let space = std::mem::take(&mut self.space);
                put(parts, Part::Text(format!("{space}{open}{inside}{close}")));
            }
        }
    }
}

/// The end of `text[..end]` without the space there.
fn in_front_of_space(text: &str, end: usize) -> usize {
    text.get(..end).map_or(end, |front| front.trim_end().len())
}
