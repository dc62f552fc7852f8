//! What requests may ask for beyond OpenAI's API, under one key.

use super::field::Field;
use super::options::Options;
use crate::Result;
use crate::grammar::{Grammar, Source, Syntax};

/// The key.
pub(super) const KEY: &str = "puna";

/// What may be under it.
pub const READ: &[&str] = &["grammar", "regex", "top_k", "min_p", "repetition_penalty"];

/// Takes all that is under the key.
pub(super) fn parse(field: Field<'_, '_>, options: &mut Options) -> Result<()> {
    let mut grammar = None;
    field.members(|key, field| {
        if field.value.is_null() && READ.contains(&key) {
            return Ok(());
        }
        match key {
            "grammar" | "regex" if grammar.is_some() => {
                return Err(field.invalid(format!(
                    "Invalid '{}': an answer is held to a grammar or to a regex, not to both.",
                    field.path
                )));
            }
            "grammar" => grammar = Some(parse_grammar(field)?),
            "regex" => grammar = Some(source(Syntax::Regex, field)?),
            _ if options.sample(key, field)? => {}
            _ => return Err(field.unrecognized()),
        }
        Ok(())
    })?;
    options.grammar = grammar;
    Ok(())
}

/// As OpenAI's custom tools have it: `{"syntax": "lark", "definition": "start: …"}`.
fn parse_grammar(field: Field<'_, '_>) -> Result<Grammar> {
    let syntaxes = [
        ("gbnf", Syntax::Gbnf),
        ("lark", Syntax::Lark),
        ("regex", Syntax::Regex),
    ];
    let syntax = field.member("syntax", |it| it.one_of(&syntaxes))?;
    field.members(|key, field| match key {
        "syntax" | "definition" => Ok(()),
        _ => Err(field.unrecognized()),
    })?;
    field.member("definition", |it| source(syntax, it))
}

fn source(syntax: Syntax, field: Field<'_, '_>) -> Result<Grammar> {
    Ok(Grammar::Source(Source {
        syntax,
        definition: field.str()?.to_owned(),
        param: field.path.to_owned(),
    }))
}
