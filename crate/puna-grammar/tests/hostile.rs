//! Thousands of changed grammars: each compiles or is refused, and what compiles can be followed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use puna_core::grammar::{Grammar, Source, Syntax};
use puna_core::guide::Guide;
use puna_core::random::Random;
use puna_grammar::{Compiler, Vocabulary};

const SEEDS: &[(Syntax, &str)] = &[
    (
        Syntax::Gbnf,
        "root ::= \"1. \" move{2,3} (ws [a-h\\x41-\\u0042^]* | root)? # c\nmove ::= [^\"\\\\] | .\nws ::= \" \"+\n",
    ),
    (
        Syntax::JsonSchema,
        r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/x"},"b":{"anyOf":[{"type":"integer","minimum":-3,"maximum":70},{"type":"null"}]}},"required":["a"],"additionalProperties":false,"$defs":{"x":{"type":"array","items":{"type":"string","pattern":"^[a-c]{1,3}$","maxLength":5},"minItems":1,"maxItems":3}}}"##,
    ),
    (Syntax::Regex, r"(?i)(yes|no+)[^\d\s]{1,4}\.(\u{e9}|\x41)*"),
    (
        Syntax::Lark,
        "start: a | \"x\" b~1..3\na: /[0-9]+/ b?\nb[suffix=\";\"]: /(?s:.*)/\n%ignore / /\n",
    ),
];

#[test]
fn changed_grammars_compile_or_are_refused() {
    let bytes: Vec<[u8; 1]> = (0..=255).map(|byte| [byte]).collect();
    let tokens = bytes.iter().map(<[u8; 1]>::as_slice);
    let vocabulary = Vocabulary::new(tokens.chain([b"".as_slice()]), &[256]);
    let mut compiler = Compiler::new(&vocabulary).unwrap();
    let mut random = Random(7);
    let mut compiled = 0;
    for turn in 0..1600_u32 {
        let (syntax, seed) = SEEDS[turn as usize % SEEDS.len()];
        let mut text: Vec<char> = seed.chars().collect();
        for _ in 0..=random.word() % 3 {
            let at = random.word() as usize % text.len();
            let other = text[random.word() as usize % text.len()];
            match random.word() % 4 {
                0 => drop(text.remove(at)),
                1 => text.insert(at, other),
                2 => text[at] = other,
                _ => text[at] = char::from_u32(random.word() % 256).unwrap(),
            }
        }
        let definition: String = text.into_iter().collect();
        let grammar = Grammar::Source(Source {
            syntax,
            definition: definition.clone(),
            param: "puna.grammar".to_owned(),
        });
        match compiler.guide(&grammar) {
            Err(error) => assert_eq!(
                error.code().as_str(),
                "invalid_request",
                "{definition}: {error}"
            ),
            Ok(mut guide) => {
                compiled += 1;
                follow(&mut guide, &mut random, &definition);
            }
        }
    }
    assert!(
        compiled > 200,
        "only {compiled} of the changed ones are still grammars"
    );
}

/// Goes on at random, as far as 20 tokens.
fn follow(guide: &mut dyn Guide, random: &mut Random, definition: &str) {
    for _ in 0..20 {
        let allowed = match guide.allowed() {
            Ok(allowed) => allowed,
            Err(error) => {
                return assert_eq!(
                    error.code().as_str(),
                    "invalid_request",
                    "{definition}: {error}"
                );
            }
        };
        let ids: Vec<u32> = (0..257)
            .filter(|id| puna_core::guide::allows(allowed, *id))
            .collect();
        assert!(!ids.is_empty(), "{definition}");
        let id = ids[random.word() as usize % ids.len()];
        if id == 256 || guide.accept(id).unwrap() {
            return;
        }
    }
}
