//! JSON schemas keyword by keyword, after how JSON Schema's own suite divides them (draft 2020-12, as OpenAI's structured
//! outputs and more): an answer is valid by its schema, whatever the model, and what a schema takes can be said. The cases are
//! written anew.
//!
//! Of `valid` values each can be said, of `invalid` ones none. `beyond` are such that the schema takes and that can't be said:
//! members in another order. A schema that can't be followed is `refused`, at a place, in words that name the keyword: it is
//! never followed in part. What is valid here and what is not, ajv 8 says as well.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod support;

use std::collections::BTreeSet;

use puna_core::grammar::Grammar;
use serde::Deserialize;
use serde_json::Value;
use support::{Fate, compiler, fate};

const PARAM: &str = "response_format.json_schema.schema";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    keyword: String,
    is: String,
    schema: Value,
    #[serde(default)]
    valid: Vec<Value>,
    #[serde(default)]
    invalid: Vec<Value>,
    #[serde(default)]
    beyond: Vec<Value>,
    refused: Option<Refused>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    /// A JSON pointer.
    at: String,
    says: String,
}

/// A value in the one form that answers have.
fn said(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(said).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), said(value))
            };
            let members: Vec<_> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        value => value.to_string(),
    }
}

/// What is wrong with what is made of a case.
fn wrong(case: &Case) -> Vec<String> {
    let grammar = Grammar::json(&case.schema, PARAM);
    let guide = compiler().guide(&grammar);
    match (&guide, &case.refused) {
        (Ok(_), Some(_)) => return vec!["it is not refused".to_owned()],
        (Err(error), None) => return vec![format!("it is refused: {error}")],
        (Err(error), Some(Refused { at, says })) => {
            let message = error.message();
            let is_so = error.details()["pointer"] == **at && message.contains(says.as_str());
            return match is_so {
                true => Vec::new(),
                false => vec![format!("{:?}: {message}", error.details())],
            };
        }
        (Ok(_), None) => {}
    }
    let mut all = Vec::new();
    let mut expect = |values: &[Value], expected: bool| {
        for value in values {
            let text = said(value);
            let fate = fate(&grammar, &text);
            let is_taken = matches!(fate, Fate::Complete | Fate::Taken);
            if is_taken != expected {
                all.push(format!("{text}: {fate:?}"));
            }
        }
    };
    expect(&case.valid, true);
    expect(&case.invalid, false);
    expect(&case.beyond, false);
    all
}

#[test]
fn answers_conform_to_schemas_keyword_by_keyword() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("conformity.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let wrong = wrong(case);
        failures.extend(
            wrong
                .iter()
                .map(|it| format!("{}, {}: {it}", case.keyword, case.is)),
        );
    }
    let keywords: BTreeSet<_> = cases.iter().map(|case| &case.keyword).collect();
    println!("{} schemas, {} keywords", cases.len(), keywords.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
