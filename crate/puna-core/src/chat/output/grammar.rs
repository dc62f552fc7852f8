//! What an answer may be, in a model's own marks.

use serde_json::{Value, json};

use super::block::Block;
use super::harmony;
use super::marked::{END_THINK, THINK};
use super::style::Style;
use crate::Result;
use crate::grammar::{Grammar, Syntax};

/// A tool that may be called.
#[derive(Clone, Debug)]
pub struct Callable {
    /// Its name.
    pub name: String,
    /// What its arguments may be: a JSON object.
    pub arguments: Grammar,
    /// Whether they must be that even where the model need not call it.
    pub is_strict: bool,
}

/// What an answer may say.
#[derive(Clone, Debug)]
pub enum Saying {
    /// A text, held to this.
    Text(Grammar),
    /// Calls of these tools, at least one; one at most where it is so.
    Calls(Vec<Callable>, bool),
    /// Any text, and calls of these tools behind it, or either alone; one call at most where it is so.
    Anything(Vec<Callable>, bool),
    /// One or the other.
    Either(Box<Self>, Box<Self>),
}

impl Callable {
    /// One that takes any object.
    #[must_use]
    pub fn any(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            arguments: Grammar::json(&json!({ "type": "object" }), "tools"),
            is_strict: false,
        }
    }

    /// What its arguments are, as the request has it.
    pub(super) fn schema(&self) -> Option<Value> {
        match &self.arguments {
            Grammar::Source(source) if source.syntax == Syntax::JsonSchema => {
                crate::json::read(&source.definition).ok()
            }
            _ => None,
        }
    }
}

impl Saying {
    /// Whether what begins as a call is one.
    pub(super) fn decides(&self, style: &Style) -> bool {
        let is_bare = style.block.is_some_and(|block| !block.bare.is_empty());
        match self {
            Self::Text(_) => false,
            Self::Calls(..) | Self::Anything(..) => true,
            // A text may be an object that begins like one.
            Self::Either(one, other) => !is_bare && (one.decides(style) || other.decides(style)),
        }
    }
}

impl Style {
    /// What an answer to `prompt` may be that says so, its thoughts in front of that.
    ///
    /// # Errors
    /// `invalid_request` with the field whose schema can't be held in the model's own marks.
    pub fn grammar(&self, prompt: &str, saying: &Saying) -> Result<Grammar> {
        if self.is_harmony {
            let said = self.said(saying, &[])?;
            return Ok(Grammar::Sequence(vec![harmony::thoughts(), said]));
        }
        let prompt = prompt.trim_end();
        if !self.reasons || prompt.ends_with(END_THINK) {
            return self.said(saying, &[]);
        }
        let through = Grammar::Through(END_THINK.to_owned());
        let (thoughts, not_first) = match prompt.ends_with(THINK) {
            true => (
                Grammar::Sequence(vec![through, Grammar::space()]),
                [].as_slice(),
            ),
            false => (
                Grammar::Optional(Box::new(Grammar::Sequence(vec![
                    Grammar::text(THINK),
                    through,
                    Grammar::space(),
                ]))),
                [THINK].as_slice(),
            ),
        };
        let said = self.said(saying, not_first)?;
        Ok(Grammar::Sequence(vec![thoughts, said]))
    }

    /// Texts that may be anything do not begin with `not_first`.
    fn said(&self, saying: &Saying, not_first: &[&str]) -> Result<Grammar> {
        Ok(match saying {
            Saying::Text(text) if self.is_harmony => harmony::answer(text.clone()),
            Saying::Text(text) => text.clone(),
            Saying::Calls(tools, is_single) => self.calling(tools, *is_single)?,
            Saying::Anything(tools, is_single) => self.anything(tools, *is_single, not_first)?,
            Saying::Either(one, other) => Grammar::OneOf(vec![
                self.said(one, not_first)?,
                self.said(other, not_first)?,
            ]),
        })
    }

    fn calling(&self, tools: &[Callable], is_single: bool) -> Result<Grammar> {
        let Some(block) = self.block.filter(|_| !self.is_harmony) else {
            let calls = tools.iter().map(harmony::call).map(Grammar::Sequence);
            return Ok(Grammar::OneOf(calls.collect()));
        };
        let writing = &block.writing;
        let call = block.one_of(writing.call[0], tools)?;
        let calls = match is_single {
            true => call,
            false => Grammar::Several(Box::new(call), writing.between.to_owned()),
        };
        Ok(Grammar::Sequence(vec![
            Grammar::text(writing.begin),
            calls,
            Grammar::text(writing.end),
        ]))
    }

    fn anything(&self, tools: &[Callable], is_single: bool, not_first: &[&str]) -> Result<Grammar> {
        // What is not strict may be called with any object.
        let tools: Vec<Callable> = tools
            .iter()
            .map(|tool| match tool.is_strict {
                true => tool.clone(),
                false => Callable::any(&tool.name),
            })
            .collect();
        let Some(block) = self.block.filter(|_| !self.is_harmony) else {
            let calls = self.calling(&tools, is_single)?;
            return Ok(Grammar::OneOf(vec![
                harmony::answer(Grammar::anything()),
                calls,
            ]));
        };
        let prose = |through| Grammar::Prose {
            not_first: [not_first, block.bare]
                .concat()
                .iter()
                .map(|it| (*it).to_owned())
                .collect(),
            without: block.open.to_owned(),
            through,
        };
        let calls = self.calling(&tools, is_single)?;
        if !block.bare.is_empty() {
            return Ok(Grammar::OneOf(vec![prose(false), calls]));
        }
        let writing = &block.writing;
        let front = format!("{}{}", writing.begin, writing.call[0]);
        let behind = front.strip_prefix(block.open).unwrap_or(&front);
        let mut parts = vec![prose(true), block.one_of(behind, &tools)?];
        if !is_single {
            let call = block.one_of(writing.call[0], &tools)?;
            parts.push(Grammar::Optional(Box::new(Grammar::Sequence(vec![
                Grammar::text(writing.between),
                Grammar::Several(Box::new(call), writing.between.to_owned()),
            ]))));
        }
        parts.push(Grammar::text(writing.end));
        Ok(Grammar::OneOf(vec![prose(false), Grammar::Sequence(parts)]))
    }
}

impl Block {
    /// A call of one of these; `front` is in front of its name.
    fn one_of(&self, front: &str, tools: &[Callable]) -> Result<Grammar> {
        let [_, middle, back] = self.writing.call;
        let calls = tools.iter().map(|tool| {
            let arguments = match self.writing.members {
                None => tool.arguments.clone(),
                Some(members) => members.grammar(tool)?,
            };
            Ok(Grammar::Sequence(vec![
                Grammar::Text(format!("{front}{}{middle}", tool.name)),
                arguments,
                Grammar::text(back),
            ]))
        });
        Ok(Grammar::OneOf(calls.collect::<Result<_>>()?))
    }
}
