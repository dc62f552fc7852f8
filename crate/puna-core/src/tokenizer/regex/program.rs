//! Expressions as steps, and the machine that goes through them: at a fork it takes the first way, and comes back for the
//! other one if that led to nothing.

use std::cell::Cell;

use super::syntax::{self, Greed, Node, Place};
use crate::tokenizer::set::Set;

/// Published expressions have some hundred steps.
const MAX_STEPS: usize = 10_000;
/// Ways that are open at a time: 16 MB.
const MAX_OPEN: usize = 1 << 20;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A character of a set.
    One(usize),
    /// Characters of a set, as many as there are of at most `max`.
    Run {
        set: usize,
        min: usize,
        max: usize,
        /// Whether fewer will do.
        gives_back: bool,
    },
    Goto(usize),
    /// The next step, or, if that leads to nothing, the other one.
    Fork(usize),
    /// The other one, or else the next step.
    ForkLater(usize),
    /// Notes in a slot where the text is at.
    Note(usize),
    /// Goes to a step if the text is still where it was noted.
    IfStill(usize, usize),
    Place(Place),
    /// Whether the steps up to `behind` lead to a match, from so many characters back.
    Look {
        back: Option<usize>,
        negated: bool,
        behind: usize,
    },
    /// The steps up to there, and none of their other ways.
    Atomic(usize),
    Done,
}

/// An expression that can be looked for.
pub(super) struct Program {
    steps: Vec<Step>,
    sets: Vec<Set>,
    slots: usize,
    /// The characters of words, if it asks for their edges.
    word: Option<Set>,
}

/// More work than the caller allowed.
#[derive(Debug)]
pub(super) struct GaveUp;

/// Steps and characters that are left of what may be taken for a text, in all of its pieces and by all expressions.
#[derive(Debug)]
pub(in crate::tokenizer) struct Work(Cell<u64>);

impl Work {
    /// For each byte of a text, and besides. The published expressions take a few dozen a byte, but for those that look at all
    /// digits of a number from each of its digits; one that is made to take long takes as many as it is given, a second.
    const ALLOWED: (u64, u64) = (1000, 1 << 27);

    /// For a text of so many bytes.
    pub(in crate::tokenizer) fn of(bytes: usize) -> Self {
        let (each, besides) = Self::ALLOWED;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        Self(Cell::new(
            bytes.saturating_mul(each).saturating_add(besides),
        ))
    }

    fn take(&self, count: usize) -> Result<(), GaveUp> {
        let count = u64::try_from(count).map_err(|_| GaveUp)?;
        self.0.set(self.0.get().checked_sub(count).ok_or(GaveUp)?);
        Ok(())
    }
}

impl Program {
    /// The steps of an expression; the reason, if there are too many.
    pub(super) fn of(node: &Node) -> Result<Self, String> {
        let mut program = Self {
            steps: Vec::new(),
            sets: Vec::new(),
            slots: 0,
            word: None,
        };
        program.write(node)?;
        program.push(Step::Done)?;
        Ok(program)
    }

    fn push(&mut self, step: Step) -> Result<usize, String> {
        let at = self.steps.len();
        if at >= MAX_STEPS {
            return Err(format!("it has more than {MAX_STEPS} steps"));
        }
        self.steps.push(step);
        Ok(at)
    }

    /// Replaces a step once it is known where it leads.
    fn patch(&mut self, at: usize, step: Step) {
        if let Some(place) = self.steps.get_mut(at) {
            *place = step;
        }
    }

    fn set(&mut self, set: &Set) -> usize {
        let known = self.sets.iter().position(|known| known == set);
        known.unwrap_or_else(|| {
            self.sets.push(set.clone());
            self.sets.len() - 1
        })
    }

    fn write(&mut self, node: &Node) -> Result<(), String> {
        match node {
            Node::Set(set) => {
                let set = self.set(set);
                self.push(Step::One(set))?;
            }
            Node::Sequence(nodes) => {
                for node in nodes {
                    self.write(node)?;
                }
            }
            Node::Choice(nodes) => self.write_choice(nodes, &mut Self::write)?,
            Node::Repeat {
                node,
                min,
                max,
                greed,
            } => self.write_repeat(node, *min, *max, *greed)?,
            Node::Atomic(node) => {
                let at = self.push(Step::Done)?;
                self.write(node)?;
                self.push(Step::Done)?;
                self.patch(at, Step::Atomic(self.steps.len()));
            }
            Node::Look {
                node,
                behind,
                negated,
            } => self.write_look(node, *behind, *negated)?,
            Node::Place(place) => {
                if matches!(place, Place::WordEdge | Place::NoWordEdge) && self.word.is_none() {
                    self.word = Some(syntax::word()?);
                }
                self.push(Step::Place(*place))?;
            }
        }
        Ok(())
    }

    /// Each node as `write` writes it, the first that leads to a match.
    fn write_choice(
        &mut self,
        nodes: &[Node],
        write: &mut dyn FnMut(&mut Self, &Node) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut ends = Vec::new();
        for (ix, node) in nodes.iter().enumerate() {
            if ix + 1 == nodes.len() {
                write(self, node)?;
                break;
            }
            let fork = self.push(Step::Done)?;
            write(self, node)?;
            ends.push(self.push(Step::Done)?);
            self.patch(fork, Step::Fork(self.steps.len()));
        }
        for end in ends {
            self.patch(end, Step::Goto(self.steps.len()));
        }
        Ok(())
    }

    fn write_repeat(
        &mut self,
        node: &Node,
        min: u32,
        max: Option<u32>,
        greed: Greed,
    ) -> Result<(), String> {
        let as_size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        if let (Node::Set(set), false) = (node, greed == Greed::Lazy) {
            let set = self.set(set);
            self.push(Step::Run {
                set,
                min: as_size(min),
                max: max.map_or(usize::MAX, as_size),
                gives_back: greed == Greed::Greedy,
            })?;
            return Ok(());
        }
        if greed == Greed::Possessive {
            let at = self.push(Step::Done)?;
            self.write_repeat(node, min, max, Greed::Greedy)?;
            self.push(Step::Done)?;
            self.patch(at, Step::Atomic(self.steps.len()));
            return Ok(());
        }
        let fork = |to| match greed {
            Greed::Lazy => Step::ForkLater(to),
            _ => Step::Fork(to),
        };
        for _ in 0..min {
            // Of nothing there are as many as one likes.
            let before = self.steps.len();
            self.write(node)?;
            if self.steps.len() == before {
                return Ok(());
            }
        }
        let Some(max) = max else {
            let slot = self.slots;
            self.slots += 1;
            let start = self.push(Step::Done)?;
            self.push(Step::Note(slot))?;
            self.write(node)?;
            let still = self.push(Step::Done)?;
            self.push(Step::Goto(start))?;
            let end = self.steps.len();
            self.patch(start, fork(end));
            self.patch(still, Step::IfStill(slot, end));
            return Ok(());
        };
        let mut forks = Vec::new();
        for _ in min..max {
            forks.push(self.push(Step::Done)?);
            self.write(node)?;
        }
        for at in forks {
            self.patch(at, fork(self.steps.len()));
        }
        Ok(())
    }

    fn write_look(&mut self, node: &Node, behind: bool, negated: bool) -> Result<(), String> {
        // Behind, each choice has a length of its own.
        if let (Node::Choice(nodes), true) = (node, behind) {
            return match negated {
                true => nodes
                    .iter()
                    .try_for_each(|node| self.write_look(node, behind, negated)),
                false => self.write_choice(nodes, &mut |program, node| {
                    program.write_look(node, behind, negated)
                }),
            };
        }
        let back = match behind {
            true => Some(length(node).ok_or("what it looks for behind has no certain length")?),
            false => None,
        };
        let at = self.push(Step::Done)?;
        self.write(node)?;
        self.push(Step::Done)?;
        let behind = self.steps.len();
        self.patch(
            at,
            Step::Look {
                back,
                negated,
                behind,
            },
        );
        Ok(())
    }
}

/// Characters of every text that a node matches, if they are as many.
fn length(node: &Node) -> Option<usize> {
    match node {
        Node::Set(_) => Some(1),
        Node::Sequence(nodes) => nodes
            .iter()
            .try_fold(0_usize, |sum, node| sum.checked_add(length(node)?)),
        Node::Choice(nodes) => {
            let mut lengths = nodes.iter().map(length);
            let first = lengths.next()??;
            lengths.all(|length| length == Some(first)).then_some(first)
        }
        Node::Repeat { node, min, max, .. } => {
            let times = max.filter(|max| max == min)?;
            length(node)?.checked_mul(usize::try_from(times).ok()?)
        }
        Node::Atomic(node) => length(node),
        Node::Look { .. } | Node::Place(_) => Some(0),
    }
}

/// A way that was not taken yet.
#[derive(Clone, Copy, Debug)]
enum Open {
    /// A step, and where the text is at.
    Fork(u32, u32),
    /// The step behind a run that can give back characters, from the first place to the second.
    Run(u32, u32, u32),
    /// What a slot held.
    Slot(u32, u32),
}

/// Goes through the steps of a program at places of one text.
pub(super) struct Machine<'t> {
    program: &'t Program,
    text: &'t str,
    work: &'t Work,
    open: Vec<Open>,
    slots: Vec<u32>,
}

impl<'t> Machine<'t> {
    pub(super) fn new(program: &'t Program, text: &'t str, work: &'t Work) -> Self {
        Self {
            program,
            text,
            work,
            open: Vec::new(),
            slots: vec![0; program.slots],
        }
    }

    /// Where the match that begins at byte `at` ends, if there is one.
    pub(super) fn at(&mut self, at: usize) -> Result<Option<usize>, GaveUp> {
        self.run(0, at)
    }

    fn worked(&mut self, count: usize) -> Result<(), GaveUp> {
        self.work.take(count)
    }

    fn leave(&mut self, open: Open) -> Result<(), GaveUp> {
        if self.open.len() >= MAX_OPEN {
            return Err(GaveUp);
        }
        self.open.push(open);
        Ok(())
    }

    fn behind(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    fn before(&self, at: usize) -> Option<char> {
        self.text.get(..at)?.chars().next_back()
    }

    fn run(&mut self, step: usize, at: usize) -> Result<Option<usize>, GaveUp> {
        let floor = self.open.len();
        let end = self.from(step, at, floor);
        self.open.truncate(floor);
        end
    }

    /// The end of the first way that leads to one, from a step; of those that are open, the first `floor` are others'.
    fn from(&mut self, step: usize, at: usize, floor: usize) -> Result<Option<usize>, GaveUp> {
        let small = |number: usize| u32::try_from(number).map_err(|_| GaveUp);
        let large = |number: u32| usize::try_from(number).map_err(|_| GaveUp);
        let (mut step, mut at) = (step, at);
        loop {
            self.worked(1)?;
            let program = self.program;
            let taken = match program.steps.get(step).copied() {
                None => return Err(GaveUp),
                Some(Step::Done) => return Ok(Some(at)),
                Some(Step::One(set)) => {
                    let found = self.behind(at).filter(|&found| {
                        let set = program.sets.get(set);
                        set.is_some_and(|set| set.contains(found))
                    });
                    found.map(|found| (step + 1, at + found.len_utf8()))
                }
                Some(Step::Run {
                    set,
                    min,
                    max,
                    gives_back,
                }) => self
                    .run_of(set, min, max, at)?
                    .map_or(Ok(None), |(least, most)| {
                        if gives_back && least < most {
                            self.leave(Open::Run(small(step + 1)?, small(least)?, small(most)?))?;
                        }
                        Ok(Some((step + 1, most)))
                    })?,
                Some(Step::Goto(to)) => Some((to, at)),
                Some(Step::Fork(other)) => {
                    self.leave(Open::Fork(small(other)?, small(at)?))?;
                    Some((step + 1, at))
                }
                Some(Step::ForkLater(other)) => {
                    self.leave(Open::Fork(small(step + 1)?, small(at)?))?;
                    Some((other, at))
                }
                Some(Step::Note(slot)) => {
                    let now = small(at)?;
                    let held = self.slots.get_mut(slot).ok_or(GaveUp)?;
                    let before = std::mem::replace(held, now);
                    self.leave(Open::Slot(small(slot)?, before))?;
                    Some((step + 1, at))
                }
                Some(Step::IfStill(slot, end)) => {
                    let noted = self.slots.get(slot).copied().ok_or(GaveUp)?;
                    let still = noted == small(at)?;
                    Some((if still { end } else { step + 1 }, at))
                }
                Some(Step::Place(place)) => self.is_at(place, at).then_some((step + 1, at)),
                Some(Step::Look {
                    back,
                    negated,
                    behind,
                }) => {
                    let found = match self.back(at, back.unwrap_or(0))? {
                        Some(start) => self.run(step + 1, start)?.is_some(),
                        None => false,
                    };
                    (found != negated).then_some((behind, at))
                }
                Some(Step::Atomic(behind)) => self.run(step + 1, at)?.map(|end| (behind, end)),
            };
            if let Some(taken) = taken {
                (step, at) = taken;
                continue;
            }
            // Back to the last way that is open.
            loop {
                if self.open.len() <= floor {
                    return Ok(None);
                }
                match self.open.pop() {
                    None => return Ok(None),
                    Some(Open::Fork(to, place)) => {
                        (step, at) = (large(to)?, large(place)?);
                        break;
                    }
                    Some(Open::Run(to, least, most)) => {
                        let most = large(most)?;
                        let last = self.before(most).ok_or(GaveUp)?;
                        let fewer = most - last.len_utf8();
                        if large(least)? < fewer {
                            self.open.push(Open::Run(to, least, small(fewer)?));
                        }
                        (step, at) = (large(to)?, fewer);
                        break;
                    }
                    Some(Open::Slot(slot, held)) => {
                        if let Some(slot) = self.slots.get_mut(large(slot)?) {
                            *slot = held;
                        }
                    }
                }
            }
        }
    }

    /// Where `min` characters of a set end, and where at most `max` do.
    fn run_of(
        &mut self,
        set: usize,
        min: usize,
        max: usize,
        at: usize,
    ) -> Result<Option<(usize, usize)>, GaveUp> {
        let program = self.program;
        let (Some(set), Some(rest)) = (program.sets.get(set), self.text.get(at..)) else {
            return Err(GaveUp);
        };
        let (mut count, mut end) = (0, at);
        let mut least = (min == 0).then_some(at);
        for character in rest.chars().take(max) {
            if !set.contains(character) {
                break;
            }
            count += 1;
            end += character.len_utf8();
            if count == min {
                least = Some(end);
            }
        }
        self.worked(count)?;
        Ok(least.map(|least| (least, end)))
    }

    /// So many characters back.
    fn back(&mut self, at: usize, count: usize) -> Result<Option<usize>, GaveUp> {
        self.worked(count)?;
        let mut at = at;
        for _ in 0..count {
            match self.before(at) {
                Some(character) => at -= character.len_utf8(),
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    fn is_at(&self, place: Place, at: usize) -> bool {
        let word = |character: Option<char>| {
            let word = self.program.word.as_ref();
            character.is_some_and(|character| word.is_some_and(|word| word.contains(character)))
        };
        let edge = || word(self.before(at)) != word(self.behind(at));
        match place {
            Place::Start => at == 0,
            Place::End => at == self.text.len(),
            Place::EndOfText => {
                let rest = self.text.get(at..).unwrap_or_default();
                rest.bytes().all(|byte| byte == b'\n')
            }
            Place::StartOfLine => at == 0 || self.before(at) == Some('\n'),
            Place::EndOfLine => matches!(self.behind(at), None | Some('\n')),
            Place::WordEdge => edge(),
            Place::NoWordEdge => !edge(),
        }
    }
}
