//! A [`Grammar`] in llguidance's own language, a dialect of Lark.

use std::fmt::Write;

use llguidance::api::{GrammarWithLexer, TopLevelGrammar};
use llguidance::regex_to_lark;
use puna_core::Result;
use puna_core::grammar::{Grammar, Source, Syntax};
use serde_json::{Map, Value, json};

use crate::blame::refused;
use crate::gbnf;
use crate::schema::{change_all, with_plain_names, without_idle};

/// The whole of it.
///
/// # Errors
/// `invalid_request` for a source that can't be read at all.
pub(crate) fn written(grammar: &Grammar) -> Result<TopLevelGrammar> {
    let mut lark = Lark::default();
    let start = lark.expression(grammar)?;
    let text = format!("start: {start}\n{}", lark.rules);
    let mut grammars = vec![GrammarWithLexer {
        name: Some("start".to_owned()),
        ..GrammarWithLexer::from_lark(text)
    }];
    grammars.append(&mut lark.others);
    Ok(TopLevelGrammar {
        grammars,
        max_tokens: None,
    })
}

#[derive(Default)]
struct Lark {
    /// All but `start`.
    rules: String,
    n_rules: usize,
    /// Grammars that somebody wrote, under their names.
    others: Vec<GrammarWithLexer>,
}

impl Lark {
    fn expression(&mut self, grammar: &Grammar) -> Result<String> {
        Ok(match grammar {
            Grammar::Text(text) => literal(text),
            Grammar::Source(source) => self.source(source)?,
            Grammar::Through(text) => {
                let attribute = format!("[suffix={}]", quoted(text));
                self.rule(&attribute, "/(?s:.*)/")
            }
            Grammar::Prose {
                not_first,
                without,
                through,
            } => self.prose(not_first, without, *through),
            Grammar::Sequence(parts) => self.joined(parts, " ")?,
            Grammar::OneOf(parts) => self.joined(parts, " | ")?,
            Grammar::Optional(part) => format!("({})?", self.expression(part)?),
            Grammar::Several(part, between) => {
                let part = self.expression(part)?;
                let part = self.rule("", &part);
                format!("({part} ({} {part})*)", literal(between))
            }
        })
    }

    fn joined(&mut self, parts: &[Grammar], between: &str) -> Result<String> {
        let parts: Result<Vec<_>> = parts.iter().map(|part| self.expression(part)).collect();
        Ok(format!("({})", parts?.join(between)))
    }

    /// A terminal of its own: it ends with the mark, which is in no other place of it.
    fn prose(&mut self, not_first: &[String], without: &str, through: bool) -> String {
        let mut body = "/(?s:.*)/".to_owned();
        for text in not_first {
            let _ = write!(body, " & ~(/[ \\t\\r\\n]*/ {} /(?s:.*)/)", quoted(text));
        }
        if !without.is_empty() {
            let _ = write!(body, " & ~(/(?s:.*)/ {} /(?s:.*)/)", quoted(without));
        }
        match through {
            true => self.named("T", "", &format!("({body}) {}", quoted(without))),
            false => self.named("T", "", &body),
        }
    }

    /// The name of a new rule.
    fn rule(&mut self, attributes: &str, body: &str) -> String {
        self.named("r", attributes, body)
    }

    /// The same, or that of a new terminal, which begins with a capital letter.
    fn named(&mut self, initial: &str, attributes: &str, body: &str) -> String {
        let name = format!("{initial}{}", self.n_rules);
        self.n_rules = self.n_rules.saturating_add(1);
        // Writing to a string does not fail.
        let _ = writeln!(self.rules, "{name}{attributes}: {body}");
        name
    }

    fn source(&mut self, source: &Source) -> Result<String> {
        let definition = source.definition.as_str();
        Ok(match source.syntax {
            Syntax::JsonSchema => format!("%json {}", schema(source)?),
            // What is between two slashes must be something.
            Syntax::Regex if definition.is_empty() => literal(""),
            Syntax::Regex => format!("/{}/", regex_to_lark(definition, "")),
            Syntax::Lark => self.other(definition.to_owned()),
            Syntax::Gbnf => self.other(gbnf::to_lark(source)?),
        })
    }

    fn other(&mut self, lark: String) -> String {
        let name = format!("other{}", self.others.len());
        let reference = format!("@{name}");
        self.others.push(GrammarWithLexer {
            name: Some(name),
            ..GrammarWithLexer::from_lark(lark)
        });
        reference
    }
}

/// A text as the longest piece that fits is taken: an object's brace stands alone, as it does in JSON of a schema, or one of
/// the two would hide the other.
fn literal(text: &str) -> String {
    match text.strip_prefix('{') {
        Some(rest) if !rest.is_empty() => format!("{} {}", quoted("{"), quoted(rest)),
        _ => quoted(text),
    }
}

/// A string of Lark: JSON's, in which this stands for itself no more.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// The schema, and how its JSON is written.
fn schema(source: &Source) -> Result<Value> {
    let schema = serde_json::from_str(&source.definition);
    let schema = schema.map_err(|error| refused(source, None, &error.to_string()))?;
    let mut schema = match schema {
        Value::Object(schema) => Value::Object(schema),
        Value::Bool(true) => Value::Object(Map::new()),
        _ => return Err(refused(source, Some(""), "no JSON is in this schema")),
    };
    change_all(&mut schema, &|schema| {
        without_leap_seconds(schema);
        without_idle(schema);
    });
    with_plain_names(&mut schema);
    if let Value::Object(schema) = &mut schema {
        // As models have seen JSON in calls of tools. Where white space is free some go on with nothing else, and what is the
        // same each time need not be drawn.
        let how =
            json!({ "whitespace_flexible": false, "item_separator": ", ", "key_separator": ": " });
        schema.insert("x-guidance".to_owned(), how);
    }
    Ok(schema)
}

/// A minute may have a second 60, but for validators only the last one of some days: no answer has it.
fn without_leap_seconds(schema: &mut Map<String, Value>) {
    let format = schema.get("format").and_then(Value::as_str);
    if !matches!(format, Some("time" | "date-time")) {
        return;
    }
    let pattern = json!({ "pattern": "^[^:]*:[^:]*:[0-5]" });
    match schema.get_mut("allOf") {
        Some(Value::Array(all)) => all.push(pattern),
        _ => {
            schema.insert("allOf".to_owned(), json!([pattern]));
        }
    }
}
