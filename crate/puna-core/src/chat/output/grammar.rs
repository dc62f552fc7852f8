//! What an answer may be, in a model's own marks.

use super::harmony;
use super::marked::{END_THINK, THINK};
use super::style::Style;
use crate::grammar::Grammar;

/// A tool that may be called.
#[derive(Clone, Debug)]
pub struct Callable {
    /// Its name.
    pub name: String,
    /// What its arguments may be: a JSON object.
    pub arguments: Grammar,
}

/// What an answer may say.
#[derive(Clone, Debug)]
pub enum Saying {
    /// A text, held to this.
    Text(Grammar),
    /// Calls of these tools, at least one; one at most where it is so.
    Calls(Vec<Callable>, bool),
    /// One or the other.
    Either(Box<Self>, Box<Self>),
}

impl Style {
    /// What an answer to `prompt` may be that says so, its thoughts in front of that.
    #[must_use]
    pub fn grammar(&self, prompt: &str, saying: &Saying) -> Grammar {
        let said = self.said(saying);
        if self.is_harmony {
            return Grammar::Sequence(vec![harmony::thoughts(), said]);
        }
        let prompt = prompt.trim_end();
        if !self.reasons || prompt.ends_with(END_THINK) {
            return said;
        }
        let through = Grammar::Through(END_THINK.to_owned());
        let thoughts = match prompt.ends_with(THINK) {
            true => Grammar::Sequence(vec![through, Grammar::space()]),
            false => Grammar::Optional(Box::new(Grammar::Sequence(vec![
                Grammar::text(THINK),
                through,
                Grammar::space(),
            ]))),
        };
        Grammar::Sequence(vec![thoughts, said])
    }

    fn said(&self, saying: &Saying) -> Grammar {
        match saying {
            Saying::Text(text) if self.is_harmony => harmony::answer(text.clone()),
            Saying::Text(text) => text.clone(),
            Saying::Calls(tools, is_single) => self.calling(tools, *is_single),
            Saying::Either(one, other) => Grammar::OneOf(vec![self.said(one), self.said(other)]),
        }
    }

    fn calling(&self, tools: &[Callable], is_single: bool) -> Grammar {
        let one_of = |write: &dyn Fn(&Callable) -> Vec<Grammar>| {
            Grammar::OneOf(
                tools
                    .iter()
                    .map(|tool| Grammar::Sequence(write(tool)))
                    .collect(),
            )
        };
        let Some(block) = self.block.filter(|_| !self.is_harmony) else {
            return one_of(&harmony::call);
        };
        let writing = &block.writing;
        let [front, middle, back] = writing.call;
        let call = one_of(&|tool| {
            vec![
                Grammar::Text(format!("{front}{}{middle}", tool.name)),
                tool.arguments.clone(),
                Grammar::text(back),
            ]
        });
        let calls = match is_single {
            true => call,
            false => Grammar::Several(Box::new(call), writing.between.to_owned()),
        };
        Grammar::Sequence(vec![
            Grammar::text(writing.begin),
            calls,
            Grammar::text(writing.end),
        ])
    }
}
