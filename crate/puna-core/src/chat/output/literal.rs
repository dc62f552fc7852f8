//! Calls as functions are called in Python, and as Gemma's own models write them: values between brackets, JSON's or Python's.
//!
//! ```text
//! [f(a=1, b='x'), g()]
//! call:f{a:1,b:<escape>x<escape>}
//! ```

use serde_json::{Map, Value};

use super::Callable;
use super::call::Call;
use super::calls::json_objects;

/// Brackets that are open at a time.
const MOST_DEPTH: usize = 64;
/// What stands on both sides of a text that is as it is.
const QUOTES: &[&str] = &["<escape>", "<|\"|>"];

/// Calls of tools, or objects of JSON that say the same; within a fence, too.
pub(super) fn calls(text: &str, tools: &[Callable]) -> Option<Vec<Call>> {
    let text = text.trim();
    let fenced = text.strip_prefix("```json");
    let text = fenced.map_or(text, |it| it.trim().trim_end_matches('`'));
    if let Some(calls) = json_objects(text, tools) {
        return Some(calls);
    }
    let mut reader = Reader::of(text);
    let is_list = reader.take("[");
    let mut calls = Vec::new();
    loop {
        reader.skip(&[',']);
        if is_list && reader.take("]") || reader.rest.is_empty() {
            break;
        }
        reader.take("call:");
        let name = reader.until(&['(', '{'])?;
        let close = match reader.take("(") {
            true => ")",
            false => {
                reader.has_words = true;
                reader.take("{").then_some("}")?
            }
        };
        let arguments = reader.members(close, MOST_DEPTH)?;
        calls.push(Call::of_members(name, arguments, tools)?);
    }
    let is_whole = reader.rest.trim().is_empty() && !calls.is_empty();
    is_whole.then_some(calls)
}

/// A text that is one value and no more.
pub(super) fn value(text: &str) -> Option<Value> {
    let json = crate::json::read(text.trim()).ok();
    json.or_else(|| {
        let mut reader = Reader::of(text);
        let value = reader.value(MOST_DEPTH)?;
        reader.rest.trim().is_empty().then_some(value)
    })
}

struct Reader<'t> {
    rest: &'t str,
    /// Whether words that are nothing else are texts.
    has_words: bool,
}

impl<'t> Reader<'t> {
    const fn of(text: &'t str) -> Self {
        Self {
            rest: text,
            has_words: false,
        }
    }

    fn skip(&mut self, also: &[char]) {
        let is_space = |c: char| c.is_whitespace() || also.contains(&c);
        self.rest = self.rest.trim_start_matches(is_space);
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// What is in front of the first of these.
    fn until(&mut self, ends: &[char]) -> Option<&'t str> {
        let at = self.rest.find(ends)?;
        let (front, rest) = self.rest.split_at_checked(at)?;
        self.rest = rest;
        Some(front.trim())
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let inside = depth.checked_sub(1)?;
        self.skip(&[]);
        if self.take("{") {
            return self.members("}", inside).map(Value::Object);
        }
        for (open, close) in [("[", "]"), ("(", ")")] {
            if self.take(open) {
                return self.elements(close, inside).map(Value::Array);
            }
        }
        if let Some(text) = self.text() {
            return Some(text.into());
        }
        let end = self.rest.find([',', ')', ']', '}', ':', '=']);
        let (word, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
        self.rest = rest;
        let word = word.trim();
        Some(match word {
            "true" | "True" => true.into(),
            "false" | "False" => false.into(),
            "null" | "None" => Value::Null,
            _ => match crate::json::read(word) {
                Ok(number @ Value::Number(_)) => number,
                _ => {
                    let is_cut = QUOTES.iter().any(|quote| word.contains(quote));
                    let is_word = self.has_words && !is_cut && !word.is_empty();
                    is_word.then(|| word.into())?
                }
            },
        })
    }

    fn elements(&mut self, close: &str, depth: usize) -> Option<Vec<Value>> {
        let mut elements = Vec::new();
        loop {
            self.skip(&[',']);
            if self.take(close) {
                return Some(elements);
            }
            elements.push(self.value(depth)?);
        }
    }

    fn members(&mut self, close: &str, depth: usize) -> Option<Map<String, Value>> {
        let mut members = Map::new();
        loop {
            self.skip(&[',']);
            if self.take(close) {
                return Some(members);
            }
            let key = match self.text() {
                Some(key) => key,
                None => self.until(&[':', '=', ',', '(', ')', '{', '}'])?.to_owned(),
            };
            self.skip(&[]);
            if key.is_empty() || !self.take(":") && !self.take("=") {
                return None;
            }
            members.insert(key, self.value(depth)?);
        }
    }

    /// A text in quotes of any kind.
    fn text(&mut self) -> Option<String> {
        for quote in QUOTES {
            if let Some((text, rest)) = self
                .rest
                .strip_prefix(quote)
                .and_then(|behind| behind.split_once(quote))
            {
                self.rest = rest;
                return Some(text.to_owned());
            }
        }
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|c| ['"', '\''].contains(c))?;
        let mut values =
            serde_json::Deserializer::from_slice(self.rest.as_bytes()).into_iter::<Value>();
        if let Some(Ok(Value::String(text))) = values.next() {
            self.rest = self.rest.get(values.byte_offset()..)?;
            return Some(text);
        }
        let mut chars = self.rest.char_indices().skip(1);
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => escape(&mut chars, &mut text)?,
                // Some models, and some templates, leave quotes within a text as they are.
                _ if c == quote && ends(self.rest.get(at..)?.get(1..)?) => {
                    self.rest = self.rest.get(at..)?.get(1..)?;
                    return Some(text);
                }
                _ => text.push(c),
            }
        }
        None
    }
}

/// Whether what stands behind a quote can stand behind a text.
fn ends(behind: &str) -> bool {
    let next = behind.trim_start().chars().next();
    next.is_none_or(|c| [',', ')', ']', '}', ':', '='].contains(&c))
}

/// What a backslash means in Python.
fn escape(chars: &mut impl Iterator<Item = (usize, char)>, text: &mut String) -> Option<()> {
    let (_, c) = chars.next()?;
    let digits = match c {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    if digits > 0 {
        let code: String = chars.take(digits).map(|(_, c)| c).collect();
        let code = u32::from_str_radix(&code, 16).ok()?;
        text.push(char::from_u32(code)?);
        return Some(());
    }
    match c {
        'n' => text.push('\n'),
        't' => text.push('\t'),
        'r' => text.push('\r'),
        '\n' => {}
        '\\' | '\'' | '"' => text.push(c),
        other => text.extend(['\\', other]),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_jsons_and_pythons() {
        for (text, expected) in [
            ("1", json!(1)),
            (" -1.5e3 ", json!(-1500.0)),
            ("True", json!(true)),
            ("null", json!(null)),
            ("'a'", json!("a")),
            (r#""é\n\"\ud83d\ude00\/""#, json!("é\n\"😀/")),
            (r#"'a\'b\x41\u00e9\U0001f600\q\\'"#, json!("a'bAé😀\\q\\")),
            ("'it's, I say'", json!("it's, I say")),
            ("'é'", json!("é")),
            ("<escape>{\"a\", }<escape>", json!("{\"a\", }")),
            ("[1, 'a', (2, None,), {}]", json!([1, "a", [2, null], {}])),
            (
                "{'a': 1, \"b\": {c:<|\"|>x<|\"|>}}",
                json!({ "a": 1, "b": { "c": "x" } }),
            ),
        ] {
            assert_eq!(value(text), Some(expected), "{text}");
        }
        for text in [
            "", "a", "1 2", "'a", "[1", "{1}", "{a}", "{:1}", "f(1)", "'\\u12'", "'\\", "01",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
        let nested = |depth: usize| format!("{}{}", "(".repeat(depth), ")".repeat(depth));
        assert!(value(&nested(MOST_DEPTH)).is_some());
        assert_eq!(value(&nested(MOST_DEPTH + 1)), None);
    }
}
