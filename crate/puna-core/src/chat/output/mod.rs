//! What a model says, taken apart: text, reasoning, calls of tools.
//!
//! Models mark them in ways of their own, which their chat templates show ([`Style`]). What looks like a call and is none stays
//! text, of which a warning tells: nothing that was said is lost. Arguments are told piece by piece only where the answer is held
//! to a grammar, so that what begins as a call is one; all other calls are told whole, once they were read to their end.

mod block;
mod call;
mod calls;
mod grammar;
mod harmony;
mod kind;
mod literal;
mod marked;
mod members;
mod offer;
mod parser;
mod pieces;
mod style;
mod tagged;
#[cfg(test)]
mod tests;
mod warnings;

pub use call::{Call, call_id};
pub use grammar::{Callable, Saying};
pub use parser::{OutputParser, Part};
pub use style::{Style, marks};
pub use warnings::Warnings;
