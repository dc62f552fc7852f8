//! Rules to Lark.

use std::fmt::Write;

use super::{Node, Rules};
use crate::lark::quoted;

/// The grammar in Lark.
pub(super) fn lark(rules: &Rules) -> Result<String, String> {
    let mut writer = Writer {
        // Rules that come to themselves again, or to such that do, are no expressions.
        kinds: fixpoint(rules, &|rule, known| {
            all_rules(rule, &|it| known.get(it).copied().unwrap_or(false))
        }),
        nullable: fixpoint(rules, &may_be_empty),
        nothing: fixpoint(rules, &is_nothing),
        text: String::new(),
        n_terminals: 0,
    };
    let start = writer.expression(&Node::Rule(rules.root));
    let mut text = format!("start: {start}\n");
    for (number, rule) in rules.all.iter().enumerate() {
        match writer.is_regular(number) {
            // Whoever has an expression inside of one refers to this.
            true => {
                let body = terminal(rule);
                let _ = writeln!(writer.text, "G{number}: {body}");
            }
            false => {
                let body = writer.expression(rule);
                let _ = writeln!(writer.text, "g{number}: {body}");
            }
        }
    }
    text.push_str(&writer.text);
    Ok(text)
}

/// Of which rules something holds, if it follows for a rule from those of which it is known.
fn fixpoint(rules: &Rules, holds: &dyn Fn(&Node, &[bool]) -> bool) -> Vec<bool> {
    let mut known = vec![false; rules.all.len()];
    loop {
        let next: Vec<bool> = rules.all.iter().map(|rule| holds(rule, &known)).collect();
        if next == known {
            return known;
        }
        known = next;
    }
}

fn all_rules(node: &Node, holds: &dyn Fn(usize) -> bool) -> bool {
    match node {
        Node::Text(_) | Node::Class(_) => true,
        Node::Rule(number) => holds(*number),
        Node::Sequence(parts) | Node::OneOf(parts) => {
            parts.iter().all(|part| all_rules(part, holds))
        }
        Node::Repeat(part, _, _) => all_rules(part, holds),
    }
}

fn may_be_empty(node: &Node, nullable: &[bool]) -> bool {
    match node {
        Node::Text(text) => text.is_empty(),
        Node::Class(_) => false,
        Node::Rule(number) => nullable.get(*number).copied().unwrap_or(false),
        Node::Sequence(parts) => parts.iter().all(|part| may_be_empty(part, nullable)),
        Node::OneOf(parts) => parts.iter().any(|part| may_be_empty(part, nullable)),
        Node::Repeat(part, least, _) => *least == 0 || may_be_empty(part, nullable),
    }
}

struct Writer {
    /// Which rules are expressions.
    kinds: Vec<bool>,
    nullable: Vec<bool>,
    /// Which rules can only be nothing.
    nothing: Vec<bool>,
    /// Terminals and rules so far.
    text: String,
    n_terminals: usize,
}

impl Writer {
    fn is_regular(&self, number: usize) -> bool {
        self.kinds.get(number).copied().unwrap_or(false)
    }

    /// What stands in a rule for this.
    fn expression(&mut self, node: &Node) -> String {
        if all_rules(node, &|number| self.is_regular(number)) {
            return self.lexeme(node);
        }
        match node {
            Node::Rule(number) => format!("g{number}"),
            Node::Sequence(parts) => self.sequence(parts),
            Node::OneOf(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.expression(part)).collect();
                format!("({})", parts.join(" | "))
            }
            Node::Repeat(part, least, most) => {
                let part = self.expression(part);
                format!("({part}){}", times(*least, *most))
            }
            // These are regular.
            Node::Text(_) | Node::Class(_) => self.lexeme(node),
        }
    }

    /// Parts that are expressions and stand side by side are one.
    fn sequence(&mut self, parts: &[Node]) -> String {
        let mut written = Vec::new();
        let mut side_by_side = Vec::new();
        for part in parts {
            if all_rules(part, &|number| self.is_regular(number)) {
                side_by_side.push(part.clone());
                continue;
            }
            if !side_by_side.is_empty() {
                let one = Node::Sequence(std::mem::take(&mut side_by_side));
                written.push(self.lexeme(&one));
            }
            written.push(self.expression(part));
        }
        if !side_by_side.is_empty() {
            written.push(self.lexeme(&Node::Sequence(side_by_side)));
        }
        format!("({})", written.join(" "))
    }

    /// A terminal, which can't be nothing: then it is left out instead.
    fn lexeme(&mut self, node: &Node) -> String {
        let body = terminal(node);
        let name = format!("L{}", self.n_terminals);
        self.n_terminals = self.n_terminals.saturating_add(1);
        if !may_be_empty(node, &self.nullable) {
            let _ = writeln!(self.text, "{name}: {body}");
            return name;
        }
        if is_nothing(node, &self.nothing) {
            return quoted("");
        }
        let _ = writeln!(self.text, "{name}: ({body}) & /(?s:.+)/");
        format!("({name})?")
    }
}

/// Whether it can only be nothing, by what is known of the rules.
fn is_nothing(node: &Node, nothing: &[bool]) -> bool {
    match node {
        Node::Text(text) => text.is_empty(),
        Node::Class(_) => false,
        Node::Rule(number) => nothing.get(*number).copied().unwrap_or(false),
        Node::Sequence(parts) | Node::OneOf(parts) => {
            parts.iter().all(|part| is_nothing(part, nothing))
        }
        Node::Repeat(part, _, most) => *most == Some(0) || is_nothing(part, nothing),
    }
}

/// What stands in a terminal for this.
fn terminal(node: &Node) -> String {
    let joined = |parts: &[Node], between: &str| {
        let parts: Vec<_> = parts.iter().map(terminal).collect();
        format!("({})", parts.join(between))
    };
    match node {
        Node::Text(text) => quoted(text),
        Node::Class(class) => format!("/{class}/"),
        Node::Rule(number) => format!("G{number}"),
        Node::Sequence(parts) if parts.is_empty() => quoted(""),
        Node::Sequence(parts) => joined(parts, " "),
        Node::OneOf(parts) => joined(parts, " | "),
        Node::Repeat(_, _, Some(0)) => quoted(""),
        Node::Repeat(part, least, most) => {
            format!("({}){}", terminal(part), times(*least, *most))
        }
    }
}

/// Lark's operator.
fn times(least: u32, most: Option<u32>) -> String {
    match (least, most) {
        (0, None) => "*".to_owned(),
        (1, None) => "+".to_owned(),
        (0, Some(1)) => "?".to_owned(),
        (least, Some(most)) => format!("{{{least},{most}}}"),
        (least, None) => format!("{{{least},}}"),
    }
}
