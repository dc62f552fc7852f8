//! Keeps numbers of JSON to what JavaScript can tell apart: a model that has begun with digits may go on with them for good.

use puna_core::grammar::{Grammar, Syntax};

/// Digits in front of a number's point, and behind it.
const MOST: usize = 16;
/// Digits of an exponent.
const MOST_OF_EXPONENT: usize = 2;

/// Follows the text of an answer as far as it takes to know whether a number is being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digits {
    in_string: bool,
    /// A backslash was the last byte.
    escaped: bool,
    /// Digits so far, of the part of a number that is being written.
    run: usize,
    in_exponent: bool,
    /// What ends text that is no JSON.
    marks: Vec<String>,
    /// The last bytes, as many as the longest of those has.
    tail: Vec<u8>,
}

impl Digits {
    /// For answers that the grammar holds, if JSON is in them.
    pub(crate) fn of(grammar: &Grammar) -> Option<Self> {
        let mut digits = Self::default();
        let mut has_json = false;
        grammar.visit(&mut |part| match part {
            Grammar::Source(source) => has_json |= source.syntax == Syntax::JsonSchema,
            Grammar::Through(mark)
            | Grammar::Prose {
                without: mark,
                through: true,
                ..
            } => digits.marks.push(mark.clone()),
            _ => {}
        });
        has_json.then_some(digits)
    }

    /// The answer goes on so.
    pub(crate) fn push(&mut self, text: &[u8]) {
        for byte in text {
            self.push_byte(*byte);
            self.tail.push(*byte);
            if self
                .marks
                .iter()
                .any(|mark| self.tail.ends_with(mark.as_bytes()))
            {
                // Whatever quotes there were, they were none of JSON's.
                (self.in_string, self.escaped, self.run) = (false, false, 0);
                self.tail.clear();
            }
            let longest = self.marks.iter().map(String::len).max().unwrap_or(0);
            let surplus = self.tail.len().saturating_sub(longest);
            self.tail.drain(..surplus);
        }
    }

    fn push_byte(&mut self, byte: u8) {
        match (self.in_string, byte) {
            (true, _) if self.escaped => self.escaped = false,
            (true, b'\\') => self.escaped = true,
            (true, b'"') => self.in_string = false,
            (true, _) => {}
            (false, b'0'..=b'9') => self.run = self.run.saturating_add(1),
            (false, b'e' | b'E') if self.run > 0 => (self.in_exponent, self.run) = (true, 0),
            (false, b'+' | b'-') => self.run = 0,
            (false, _) => {
                self.in_string = byte == b'"';
                (self.in_exponent, self.run) = (false, 0);
            }
        }
    }

    /// How many more digits may come next, if that is bounded.
    pub(crate) fn room(&self) -> Option<usize> {
        let most = match self.in_exponent {
            true => MOST_OF_EXPONENT,
            false => MOST,
        };
        (!self.in_string).then(|| most.saturating_sub(self.run))
    }
}

/// Digits that a token begins with.
pub(crate) fn leading(token: &[u8]) -> usize {
    token
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(text: &str) -> Option<usize> {
        let schema = Grammar::json(&serde_json::json!({}), "s");
        let through = Grammar::Through("</think>".to_owned());
        let grammar = Grammar::Sequence(vec![Grammar::Optional(Box::new(through)), schema]);
        let mut digits = Digits::of(&grammar).expect("there is JSON in it");
        digits.push(text.as_bytes());
        digits.room()
    }

    #[test]
    fn numbers_have_so_many_digits_and_texts_any() {
        assert_eq!(room(""), Some(16));
        assert_eq!(room("{\"a\": 12"), Some(14));
        assert_eq!(room("[1234567890123456"), Some(0));
        assert_eq!(room("[1234567890123456."), Some(16));
        assert_eq!(room("[-0.25, 3"), Some(15));
        assert_eq!(room("1e"), Some(2), "of an exponent");
        assert_eq!(room("1.5E-1"), Some(1));
        assert_eq!(room("1e12"), Some(0));
        assert_eq!(room("[1e12, 1"), Some(15), "the next number");
        assert_eq!(room("true, false, 1"), Some(15), "an e of no number");
        assert_eq!(room("\"12345"), None);
        assert_eq!(room("\"a\\\"1"), None, "a quote in a text");
        assert_eq!(
            room("\"a\\\\\"1"),
            Some(15),
            "and one behind a backslash in it"
        );
        assert_eq!(room("so \"he</think>1"), Some(15), "a quote of thoughts");
        assert!(Digits::of(&Grammar::text("1")).is_none(), "no JSON");
    }
}
