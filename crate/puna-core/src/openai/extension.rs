//! What requests may ask for beyond OpenAI's API, under one key.

use super::field::{Body, Field};
use super::options::Options;
use crate::Result;
use crate::grammar::{Grammar, Source, Syntax};
use crate::session::Retention;

/// The key.
pub(super) const KEY: &str = "puna";

/// What adapters are multiplied by at most, away from 0.
const MOST_SCALE: f64 = 100.0;

/// What may be under it.
pub const READ: &[&str] = &[
    "grammar",
    "regex",
    "top_k",
    "min_p",
    "repetition_penalty",
    "adapters",
    "cache",
];

/// What may become of a conversation that was answered.
const RETENTIONS: [(&str, Retention); 3] = [
    ("auto", Retention::Usual),
    ("keep", Retention::Keep),
    ("drop", Retention::Drop),
];

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
            "adapters" => options.adapters = Some(parse_adapters(field)?),
            "cache" => options.retention = field.one_of(&RETENTIONS)?,
            _ if options.sample(key, field)? => {}
            _ => return Err(field.unrecognized()),
        }
        Ok(())
    })?;
    options.grammar = grammar;
    Ok(())
}

/// The same as a text of its own.
///
/// # Errors
/// `invalid_request` for what is no such object.
pub fn read_adapters(body: &str) -> Result<Vec<(String, f32)>> {
    let body = Body::parse(body)?;
    let scale = |field: Field<'_, '_>| {
        let scale = field.number(-MOST_SCALE, MOST_SCALE)?;
        Ok((field.path.to_owned(), scale))
    };
    body.fields().map(scale).collect()
}

/// `{NAME: SCALE}`; those that are not named are multiplied by 0.
fn parse_adapters(field: Field<'_, '_>) -> Result<Vec<(String, f32)>> {
    let mut adapters = Vec::new();
    field.members(|name, field| {
        let scale = field.number(-MOST_SCALE, MOST_SCALE)?;
        adapters.push((name.to_owned(), scale));
        Ok(())
    })?;
    Ok(adapters)
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
