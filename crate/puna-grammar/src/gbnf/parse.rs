//! Text to rules.

use std::collections::HashMap;

use super::{Node, Rules};

/// Groups inside of groups.
const DEEPEST: usize = 100;
/// Repetitions of repetitions.
const MOST_OPERATORS: usize = 4;
/// Most repetitions that may be written as a number.
const MOST_TIMES: u32 = 10_000;

/// Reads a grammar; what is wrong is told with line and column.
pub(super) fn rules(text: &str) -> Result<Rules, String> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        names: HashMap::new(),
        bodies: Vec::new(),
    };
    parser.space(true);
    while parser.peek().is_some() {
        parser.rule()?;
    }
    let mut all = Vec::new();
    for (name, seen_at, body) in parser.bodies {
        match body {
            Some(body) => all.push(body),
            None => {
                return Err(format!(
                    "{}: there is no rule '{name}'",
                    place(text, seen_at)
                ));
            }
        }
    }
    match parser.names.get("root") {
        Some(root) => Ok(Rules { all, root: *root }),
        None => Err("there is no rule 'root', with which a grammar begins".to_owned()),
    }
}

/// Line and column, from 1, in characters.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count();
    format!("line {line}, column {}", column.saturating_add(1))
}

struct Parser<'t> {
    text: &'t str,
    /// Of the next byte.
    at: usize,
    depth: usize,
    names: HashMap<&'t str, usize>,
    /// Name, where it was first seen, and what was defined.
    bodies: Vec<(String, usize, Option<Node>)>,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at = self.at.saturating_add(next.len_utf8());
        Some(next)
    }

    /// Goes over a text, if it is next.
    fn take(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        if is_next {
            self.at = self.at.saturating_add(text.len());
        }
        is_next
    }

    fn expected(&self, what: &str) -> String {
        let got = match self.peek() {
            Some('\n') => "the line's end".to_owned(),
            Some(got) => format!("'{got}'"),
            None => "the end".to_owned(),
        };
        format!("{}: expected {what}, got {got}", place(self.text, self.at))
    }

    /// Goes over white space and comments; over ends of lines too if `lines`.
    fn space(&mut self, lines: bool) {
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' => {}
                '\r' | '\n' if lines => {}
                '#' => {
                    let comment = self.rest().find('\n').unwrap_or(self.rest().len());
                    self.at = self.at.saturating_add(comment);
                    continue;
                }
                _ => return,
            }
            self.next();
        }
    }

    fn name(&mut self) -> Option<&'t str> {
        let is_other = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let rest = self.rest();
        let name = rest.get(..rest.find(is_other).unwrap_or(rest.len()))?;
        self.at = self.at.saturating_add(name.len());
        (!name.is_empty()).then_some(name)
    }

    /// The number of a rule of that name.
    fn number(&mut self, name: &'t str) -> usize {
        let next = self.bodies.len();
        let number = *self.names.entry(name).or_insert(next);
        if number == next {
            let seen_at = self.at.saturating_sub(name.len());
            self.bodies.push((name.to_owned(), seen_at, None));
        }
        number
    }

    fn rule(&mut self) -> Result<(), String> {
        let begin = self.at;
        let name = self
            .name()
            .ok_or_else(|| self.expected("the name of a rule"))?;
        let number = self.number(name);
        self.space(false);
        if !self.take("::=") {
            return Err(self.expected("'::='"));
        }
        self.space(true);
        let body = self.alternatives(false)?;
        if !matches!(self.peek(), None | Some('\r' | '\n')) {
            return Err(self.expected("the line's end"));
        }
        self.space(true);
        match self.bodies.get_mut(number) {
            Some((_, _, defined @ None)) => *defined = Some(body),
            _ => {
                let place = place(self.text, begin);
                return Err(format!("{place}: there is a rule '{name}' already"));
            }
        }
        Ok(())
    }

    fn alternatives(&mut self, nested: bool) -> Result<Node, String> {
        let mut all = vec![self.sequence(nested)?];
        while self.take("|") {
            self.space(true);
            all.push(self.sequence(nested)?);
        }
        Ok(match (all.pop(), all.is_empty()) {
            (Some(one), true) => one,
            (last, _) => {
                all.extend(last);
                Node::OneOf(all)
            }
        })
    }

    fn sequence(&mut self, nested: bool) -> Result<Node, String> {
        let mut all = Vec::new();
        while let Some(next) = self.peek() {
            let one = match next {
                '"' => Node::Text(self.literal()?),
                '[' => Node::Class(self.class()?),
                '.' => {
                    self.next();
                    Node::Class("(?s:.)".to_owned())
                }
                '(' => self.group()?,
                '<' | '!' => {
                    let place = place(self.text, self.at);
                    return Err(format!(
                        "{place}: tokens by name or number are not supported; write their text as a string"
                    ));
                }
                _ => match self.name() {
                    Some(name) => Node::Rule(self.number(name)),
                    None => break,
                },
            };
            let one = self.repeated(one)?;
            self.space(nested);
            all.push(one);
        }
        Ok(Node::Sequence(all))
    }

    fn group(&mut self) -> Result<Node, String> {
        self.next();
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEEPEST {
            return Err(format!(
                "{}: too many groups inside of groups",
                place(self.text, self.at)
            ));
        }
        self.space(true);
        let inside = self.alternatives(true)?;
        if !self.take(")") {
            return Err(self.expected("')'"));
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(inside)
    }

    fn repeated(&mut self, one: Node) -> Result<Node, String> {
        let mut one = one;
        for _ in 0..MOST_OPERATORS {
            let (least, most) = match self.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => self.bounds()?,
                _ => return Ok(one),
            };
            // The last of the braces.
            self.next();
            one = Node::Repeat(Box::new(one), least, most);
        }
        Err(self.expected("something to repeat"))
    }

    /// What stands in braces: `m`, `m,`, `m,n` or `,n`. The closing one is next.
    fn bounds(&mut self) -> Result<(u32, Option<u32>), String> {
        self.next();
        self.space(false);
        let least = self.times()?;
        self.space(false);
        let bounds = match self.take(",") {
            false => least.map(|least| (least, Some(least))),
            true => {
                self.space(false);
                Some((least.unwrap_or(0), self.times()?))
            }
        };
        self.space(false);
        let Some((least, most)) = bounds else {
            return Err(self.expected("a number"));
        };
        if most.is_some_and(|most| most < least) {
            return Err(self.expected(&format!("at least {least} times")));
        }
        match self.peek() {
            Some('}') => Ok((least, most)),
            _ => Err(self.expected("'}'")),
        }
    }

    fn times(&mut self) -> Result<Option<u32>, String> {
        let rest = self.rest();
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let digits = rest.get(..digits).unwrap_or_default();
        if digits.is_empty() {
            return Ok(None);
        }
        match digits.parse() {
            Ok(times) if times <= MOST_TIMES => {
                self.at = self.at.saturating_add(digits.len());
                Ok(Some(times))
            }
            _ => Err(self.expected(&format!("at most {MOST_TIMES} times"))),
        }
    }

    fn literal(&mut self) -> Result<String, String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.peek() {
                Some('"') => break,
                None | Some('\n') => return Err(self.expected("'\"'")),
                Some(_) => text.push(self.character()?),
            }
        }
        self.next();
        Ok(text)
    }

    /// A character, or what stands for one.
    fn character(&mut self) -> Result<char, String> {
        let begin = self.at;
        let escaped = match self.next() {
            Some('\\') => self.next(),
            Some(plain) => return Ok(plain),
            None => None,
        };
        let digits = match escaped {
            Some('n') => return Ok('\n'),
            Some('r') => return Ok('\r'),
            Some('t') => return Ok('\t'),
            Some(itself @ ('\\' | '"' | '[' | ']' | '-' | '^')) => return Ok(itself),
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => {
                self.at = begin;
                return Err(self.expected(
                    "a character, or a backslash and one of n, r, t, \\, \", [, ], x, u, U",
                ));
            }
        };
        let hex = self.rest().get(..digits).unwrap_or_default();
        let code = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
        match code {
            Some(character) if !hex.starts_with('+') => {
                self.at = self.at.saturating_add(digits);
                Ok(character)
            }
            _ => {
                let what = format!("{digits} hexadecimal digits of a character");
                Err(self.expected(&what))
            }
        }
    }

    /// A class of characters, as an expression.
    fn class(&mut self) -> Result<String, String> {
        self.next();
        let mut class = String::from("[");
        if self.take("^") {
            class.push('^');
        }
        let mut is_empty = true;
        loop {
            match self.peek() {
                Some(']') => break,
                None | Some('\n') => return Err(self.expected("']'")),
                Some(_) => {}
            }
            let begin = self.at;
            let first = self.character()?;
            let mut last = first;
            let rest = self.rest();
            if rest.starts_with('-') && !rest.starts_with("-]") {
                self.next();
                last = self.character()?;
            }
            if last < first {
                self.at = begin;
                return Err(self.expected("a range from a lower to a higher character"));
            }
            let range = format!("\\u{{{:X}}}-\\u{{{:X}}}", u32::from(first), u32::from(last));
            class.push_str(&range);
            is_empty = false;
        }
        if is_empty {
            return Err(self.expected("a character"));
        }
        self.next();
        class.push(']');
        Ok(class)
    }
}
