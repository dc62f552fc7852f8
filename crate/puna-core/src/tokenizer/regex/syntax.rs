//! The syntax of expressions: that of the `fancy-regex` crate, but for what published tokenizers have no use for
//! (references to groups, conditions, verbs).

use crate::tokenizer::set::Set;
use crate::tokenizer::unicode;

/// How deep groups and sets may lie in each other; published ones have three.
const MAX_DEPTH: usize = 32;
/// Repetitions of repetitions.
const MAX_REPEATS: usize = 3;
/// Nodes of an expression, and ranges of all its sets; published ones have some hundred, and ten thousand.
const MAX_NODES: usize = 10_000;
const MAX_RANGES: usize = 1 << 18;
/// Different sets that have a name.
const MAX_NAMES: usize = 32;
/// The name under which the characters of words are kept.
const WORD: &str = "\\w";

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// A character of the set.
    Set(Set),
    /// One behind the other; of none, the empty text.
    Sequence(Vec<Self>),
    /// The first of them that leads to a match.
    Choice(Vec<Self>),
    Repeat {
        node: Box<Self>,
        min: u32,
        /// Without end if it is none.
        max: Option<u32>,
        greed: Greed,
    },
    /// What is found first in it is all that is tried.
    Atomic(Box<Self>),
    /// Whether it is ahead or behind; takes nothing.
    Look {
        node: Box<Self>,
        behind: bool,
        negated: bool,
    },
    Place(Place),
}

/// How much a repetition takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greed {
    /// As much as it can, less if that leads to no match.
    Greedy,
    /// As little as it can.
    Lazy,
    /// As much as it can and no less.
    Possessive,
}

/// A place between characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Start,
    End,
    /// At the end, or in front of the line feeds there.
    EndOfText,
    StartOfLine,
    EndOfLine,
    /// Between a character of a word and one of none.
    WordEdge,
    NoWordEdge,
}

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    any_case: bool,
    lines: bool,
    dot_is_all: bool,
}

/// Reads expressions.
pub(super) struct Parser {
    source: Vec<char>,
    at: usize,
    flags: Flags,
    depth: usize,
    nodes: usize,
    ranges: usize,
    /// Sets that Unicode gives a name.
    named: Vec<(String, Set)>,
}

/// The tree of an expression; the reason, if it is none.
pub(super) fn parse(source: &str) -> Result<Node, String> {
    let mut parser = Parser {
        source: source.chars().collect(),
        at: 0,
        flags: Flags::default(),
        depth: 0,
        nodes: 0,
        ranges: 0,
        named: Vec::new(),
    };
    let node = parser.choice()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.error("a `)` without its `(`")),
    }
}

/// The characters of words (UTS #18, annex C).
pub(super) fn word() -> Result<Set, String> {
    let parts = ["Alphabetic", "M", "Nd", "Pc", "Join_Control"];
    parts.iter().try_fold(Set::default(), |word, name| {
        Ok(word.union(&unicode::class(name)?))
    })
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.source.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += 1;
        Some(character)
    }

    /// Takes `text` if it comes next.
    fn eat(&mut self, text: &str) -> bool {
        let Some(rest) = self.source.get(self.at..) else {
            return false;
        };
        let mut count = 0;
        let mut rest = rest.iter();
        for character in text.chars() {
            if rest.next() != Some(&character) {
                return false;
            }
            count += 1;
        }
        self.at += count;
        true
    }

    fn error(&self, what: &str) -> String {
        format!("{what}, at character {}", self.at)
    }

    /// Fails for more than any expression has.
    fn count(&mut self, nodes: usize, set: Option<&Set>) -> Result<(), String> {
        self.nodes += nodes;
        self.ranges += set.map_or(0, Set::ranges);
        if self.nodes > MAX_NODES || self.ranges > MAX_RANGES {
            return Err(self.error(&format!(
                "more than {MAX_NODES} parts, or {MAX_RANGES} ranges of characters"
            )));
        }
        Ok(())
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error(&format!("more than {MAX_DEPTH} groups in each other")));
        }
        self.depth += 1;
        let got = read(self);
        self.depth -= 1;
        got
    }

    fn choice(&mut self) -> Result<Node, String> {
        let outside = self.flags;
        let mut choices = Vec::new();
        loop {
            choices.push(self.sequence()?);
            if !self.eat("|") {
                break;
            }
        }
        self.flags = outside;
        Ok(one_or(choices, Node::Choice))
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let mut nodes = Vec::new();
        while !matches!(self.peek(), None | Some('|' | ')')) {
            if let Some(node) = self.item()? {
                nodes.push(self.repeated(node)?);
            }
        }
        Ok(one_or(nodes, Node::Sequence))
    }

    /// One item without what repeats it; none for what only sets flags.
    fn item(&mut self) -> Result<Option<Node>, String> {
        let Some(character) = self.next() else {
            return Err(self.error("nothing where something is expected"));
        };
        self.count(1, None)?;
        Ok(Some(match character {
            '(' => return self.deeper(Self::group),
            '[' => {
                let set = self.deeper(Self::bracket)?;
                Node::Set(self.cased(set))
            }
            '.' if self.flags.dot_is_all => Node::Set(Set::default().complement()),
            '.' => Node::Set(Set::one('\n').complement()),
            '^' if self.flags.lines => Node::Place(Place::StartOfLine),
            '^' => Node::Place(Place::Start),
            '$' if self.flags.lines => Node::Place(Place::EndOfLine),
            '$' => Node::Place(Place::End),
            '*' | '+' | '?' => return Err(self.error("a repetition of nothing")),
            '\\' => match self.peek() {
                Some('A') => self.place(Place::Start),
                Some('z') => self.place(Place::End),
                Some('Z') => self.place(Place::EndOfText),
                Some('b') => self.place(Place::WordEdge),
                Some('B') => self.place(Place::NoWordEdge),
                _ => {
                    let set = self.escape()?;
                    Node::Set(self.cased(set))
                }
            },
            character => Node::Set(self.cased(Set::one(character))),
        }))
    }

    fn place(&mut self, place: Place) -> Node {
        self.at += 1;
        Node::Place(place)
    }

    fn cased(&self, set: Set) -> Set {
        if self.flags.any_case {
            set.in_every_case()
        } else {
            set
        }
    }

    /// Behind a `(`.
    fn group(&mut self) -> Result<Option<Node>, String> {
        let look = |node, behind, negated| Node::Look {
            node: Box::new(node),
            behind,
            negated,
        };
        let outside = self.flags;
        let node = if !self.eat("?") || self.eat(":") {
            self.choice()?
        } else if self.eat(">") {
            Node::Atomic(Box::new(self.choice()?))
        } else if self.eat("=") {
            look(self.choice()?, false, false)
        } else if self.eat("!") {
            look(self.choice()?, false, true)
        } else if self.eat("<=") {
            look(self.choice()?, true, false)
        } else if self.eat("<!") {
            look(self.choice()?, true, true)
        } else if self.eat("P<") || self.eat("<") {
            // What a group is called matters to nobody here.
            while self
                .next()
                .ok_or_else(|| self.error("a name without end"))?
                != '>'
            {}
            self.choice()?
        } else {
            self.set_flags()?;
            if self.eat(")") {
                return Ok(None);
            }
            if !self.eat(":") {
                return Err(self.error("a group of a kind that is not supported"));
            }
            self.choice()?
        };
        self.flags = outside;
        if !self.eat(")") {
            return Err(self.error("a `(` without its `)`"));
        }
        Ok(Some(node))
    }

    fn set_flags(&mut self) -> Result<(), String> {
        let mut on = true;
        while let Some(flag) = self.peek() {
            match flag {
                '-' => on = false,
                'i' => self.flags.any_case = on,
                'm' => self.flags.lines = on,
                's' => self.flags.dot_is_all = on,
                'u' if on => {}
                ':' | ')' => return Ok(()),
                _ => return Err(self.error(&format!("the flag {flag:?}, which is not supported"))),
            }
            self.at += 1;
        }
        Ok(())
    }

    /// `node` with the repetitions behind it.
    fn repeated(&mut self, mut node: Node) -> Result<Node, String> {
        for _ in 0..=MAX_REPEATS {
            let (min, max) = match self.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => match self.bounds()? {
                    Some(bounds) => bounds,
                    None => return Ok(node),
                },
                _ => return Ok(node),
            };
            self.at += 1;
            let greed = match self.peek() {
                Some('?') => Greed::Lazy,
                Some('+') => Greed::Possessive,
                _ => Greed::Greedy,
            };
            self.at += usize::from(greed != Greed::Greedy);
            node = Node::Repeat {
                node: Box::new(node),
                min,
                max,
                greed,
            };
        }
        Err(self.error("too many repetitions of repetitions"))
    }

    /// Of `{n}`, `{n,}`, `{,m}` and `{n,m}`, up to the `}`; none, and nothing is taken, if it is something else.
    fn bounds(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let start = self.at;
        self.at += 1;
        let first = self.number()?;
        let comma = self.eat(",");
        let second = if comma { self.number()? } else { None };
        if self.peek() != Some('}') || (first.is_none() && second.is_none()) {
            self.at = start;
            return Ok(None);
        }
        let max = if comma { second } else { first };
        let min = first.unwrap_or(0);
        if max.is_some_and(|max| max < min) {
            return Err(self.error("a repetition whose most is less than its least"));
        }
        Ok(Some((min, max)))
    }

    fn number(&mut self) -> Result<Option<u32>, String> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|digit| digit.to_digit(10)) {
            let so_far = number.unwrap_or(0_u32).checked_mul(10);
            number = so_far.and_then(|so_far| so_far.checked_add(digit));
            if number.is_none() {
                return Err(self.error("a number that is too large"));
            }
            self.at += 1;
        }
        Ok(number)
    }

    /// Behind a `[`, up to and with its `]`.
    fn bracket(&mut self) -> Result<Set, String> {
        let negated = self.eat("^");
        // At the front it is a character.
        let mut parts = Vec::new();
        if self.eat("]") {
            parts.push(Set::one(']'));
        }
        // What is on the left of an operator, with it.
        let mut left: Option<(Set, Operator)> = None;
        loop {
            if self.eat("]") {
                break;
            }
            if let Some(operator) = self.operator() {
                let set = Set::of_all(std::mem::take(&mut parts));
                left = Some((combined(left, set), operator));
                continue;
            }
            let Some(character) = self.next() else {
                return Err(self.error("a `[` without its `]`"));
            };
            let part = match character {
                '[' if self.eat(":") => self.posix()?,
                '[' => self.deeper(Self::bracket)?,
                '\\' => {
                    let from = self.escape()?;
                    match only(&from) {
                        Some(first) => self.range(first)?,
                        None => from,
                    }
                }
                first => self.range(first)?,
            };
            self.count(0, Some(&part))?;
            parts.push(part);
        }
        let set = combined(left, Set::of_all(parts));
        Ok(if negated {
            // Cases first: `(?i)[^k]` has no kind of k.
            self.cased(set).complement()
        } else {
            set
        })
    }

    fn operator(&mut self) -> Option<Operator> {
        let operators = [
            ("&&", Operator::And),
            ("--", Operator::Minus),
            ("~~", Operator::Either),
        ];
        let found = operators.into_iter().find(|(text, _)| self.eat(text));
        found.map(|(_, operator)| operator)
    }

    /// From `first` to what is behind a `-`, if there is one.
    fn range(&mut self, first: char) -> Result<Set, String> {
        let start = self.at;
        if !self.eat("-") || matches!(self.peek(), Some(']' | '-') | None) {
            self.at = start;
            return Ok(Set::one(first));
        }
        let last = match self.next() {
            Some('\\') => only(&self.escape()?),
            Some('[') => None,
            other => other,
        };
        match last {
            Some(last) if first <= last => Ok(Set::of(vec![(first.into(), last.into())])),
            _ => Err(self.error("a range that is none")),
        }
    }

    /// Behind `[:`.
    fn posix(&mut self) -> Result<Set, String> {
        let negated = self.eat("^");
        let mut name = String::new();
        while !self.eat(":]") {
            match self.next() {
                Some(character) if name.len() < 16 => name.push(character),
                _ => return Err(self.error("a `[:` without its `:]`")),
            }
        }
        let holds: fn(&char) -> bool = match name.as_str() {
            "alnum" => char::is_ascii_alphanumeric,
            "alpha" => char::is_ascii_alphabetic,
            "ascii" => char::is_ascii,
            "blank" => |c| matches!(c, ' ' | '\t'),
            "cntrl" => char::is_ascii_control,
            "digit" => char::is_ascii_digit,
            "graph" => char::is_ascii_graphic,
            "lower" => char::is_ascii_lowercase,
            "print" => |c| c.is_ascii_graphic() || *c == ' ',
            "punct" => char::is_ascii_punctuation,
            "space" => |c| c.is_ascii_whitespace() || *c == '\u{b}',
            "upper" => char::is_ascii_uppercase,
            "word" => |c| c.is_ascii_alphanumeric() || *c == '_',
            "xdigit" => char::is_ascii_hexdigit,
            _ => return Err(self.error(&format!("the set [:{name}:], which is unknown"))),
        };
        let points = (0..128).filter(|&point| char::from(point).is_ascii() && holds(&point.into()));
        let set = Set::of(
            points
                .map(|point: u8| (point.into(), point.into()))
                .collect(),
        );
        Ok(if negated { set.complement() } else { set })
    }

    /// Behind a `\`: the characters that it stands for.
    fn escape(&mut self) -> Result<Set, String> {
        let Some(character) = self.next() else {
            return Err(self.error("a `\\` with nothing behind it"));
        };
        let one = |character| Ok(Set::one(character));
        let set = match character {
            'a' => one('\u{7}'),
            'e' => one('\u{1b}'),
            'f' => one('\u{c}'),
            'n' => one('\n'),
            'r' => one('\r'),
            't' => one('\t'),
            'v' => one('\u{b}'),
            'd' => self.named("Nd"),
            'D' => Ok(self.named("Nd")?.complement()),
            's' => self.named("White_Space"),
            'S' => Ok(self.named("White_Space")?.complement()),
            'w' => self.named(WORD),
            'W' => Ok(self.named(WORD)?.complement()),
            'h' => Ok(Set::of(vec![(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)])),
            'H' => Ok(Set::of(vec![(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)]).complement()),
            'x' => self.hexadecimal(2),
            'u' => self.hexadecimal(4),
            'U' => self.hexadecimal(8),
            'p' => self.property(),
            'P' => Ok(self.property()?.complement()),
            other if !other.is_alphanumeric() => one(other),
            other => Err(self.error(&format!("`\\{other}`, which is not supported"))),
        }?;
        self.count(0, Some(&set))?;
        Ok(set)
    }

    /// So many digits, or any number of them between braces.
    fn hexadecimal(&mut self, digits: usize) -> Result<Set, String> {
        let braced = self.eat("{");
        let (mut point, mut count) = (0_u32, 0);
        while let Some(digit) = self.peek().and_then(|digit| digit.to_digit(16)) {
            if count == if braced { 8 } else { digits } {
                break;
            }
            self.at += 1;
            count += 1;
            point = point << 4 | digit;
        }
        if braced && !self.eat("}") {
            return Err(self.error("a code point without its `}`"));
        }
        if count == 0 || !braced && count < digits {
            return Err(self.error("a code point of fewer digits than it has to have"));
        }
        match char::from_u32(point) {
            Some(character) => Ok(Set::one(character)),
            None => Err(self.error("a number that is no character's")),
        }
    }

    /// Behind `\p`: a letter, or a name in braces.
    fn property(&mut self) -> Result<Set, String> {
        if !self.eat("{") {
            let Some(letter) = self.next() else {
                return Err(self.error("a `\\p` with nothing behind it"));
            };
            return self.named(&letter.to_string());
        }
        let mut name = String::new();
        while !self.eat("}") {
            match self.next() {
                Some(character) if name.len() < 64 => name.push(character),
                _ => return Err(self.error("a `\\p{` without its `}`")),
            }
        }
        self.named(&name)
    }

    fn named(&mut self, name: &str) -> Result<Set, String> {
        if let Some((_, set)) = self.named.iter().find(|(known, _)| known == name) {
            return Ok(set.clone());
        }
        if self.named.len() >= MAX_NAMES {
            return Err(self.error(&format!("more than {MAX_NAMES} sets that have a name")));
        }
        let set = match name {
            WORD => word(),
            name => unicode::class(name),
        };
        let set = set.map_err(|error| self.error(&error))?;
        self.named.push((name.to_owned(), set.clone()));
        Ok(set)
    }
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    And,
    Minus,
    /// In one of both and not in the other.
    Either,
}

fn combined(left: Option<(Set, Operator)>, right: Set) -> Set {
    match left {
        None => right,
        Some((left, Operator::And)) => left.intersection(&right),
        Some((left, Operator::Minus)) => left.intersection(&right.complement()),
        Some((left, Operator::Either)) => {
            let both = left.intersection(&right);
            left.union(&right).intersection(&both.complement())
        }
    }
}

/// The character of a set that has one.
fn only(set: &Set) -> Option<char> {
    set.only().and_then(char::from_u32)
}

fn one_or(mut nodes: Vec<Node>, several: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match nodes.len() {
        1 => nodes.remove(0),
        0 => Node::Sequence(nodes),
        _ => several(nodes),
    }
}
