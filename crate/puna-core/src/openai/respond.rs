//! How answers go back, whatever the wire.

use serde_json::Value;

use super::Choice;
use crate::generate::Event;
use crate::score::Score;
use crate::tokenizer::Tokenizer;

/// Turns the events of generations into what a request asked for. Those of an answer come in this order, those of several in
/// any.
pub trait Respond {
    /// Takes what the model thought of a prompt that an answer begins with, in front of that answer.
    fn scored(&mut self, _index: usize, _score: &Score, _tokenizer: &Tokenizer) {}

    /// What to send before the first event of an answer.
    fn begin(&mut self, index: usize, choice: &Choice) -> Vec<Value>;

    /// What to send for an event of an answer.
    fn event(&mut self, index: usize, choice: &Choice, event: &Event) -> Vec<Value>;

    /// What to send when all answers are complete.
    fn end(&mut self) -> Vec<Value>;
}
