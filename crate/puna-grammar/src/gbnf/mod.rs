//! GBNF, llama.cpp's notation of grammars, to Lark.
//!
//! What repeats itself only by `*`, `+`, `?` and `{m,n}` becomes a terminal: an expression, which is followed exactly. Rules that
//! refer to themselves stay rules, over such terminals, of which each takes as much as it can.

mod parse;
mod write;

use puna_core::Result;
use puna_core::grammar::Source;

use crate::blame::refused;

/// A grammar of GBNF in Lark.
///
/// # Errors
/// `invalid_request` with line and column, or with the name of a rule that is not there.
pub(crate) fn to_lark(source: &Source) -> Result<String> {
    let rules = parse::rules(&source.definition);
    rules
        .and_then(|rules| write::lark(&rules))
        .map_err(|said| refused(source, None, &said))
}

/// What a rule is made of.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// This text.
    Text(String),
    /// One character, as an expression.
    Class(String),
    /// The rule of that number.
    Rule(usize),
    /// One behind the other.
    Sequence(Vec<Self>),
    /// One of them.
    OneOf(Vec<Self>),
    /// At least so often, and at most.
    Repeat(Box<Self>, u32, Option<u32>),
}

/// All rules.
#[derive(Clone, Debug)]
struct Rules {
    all: Vec<Node>,
    /// The one that begins.
    root: usize,
}
