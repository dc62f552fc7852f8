//! What a model says, taken apart: text, reasoning, calls of tools.
//!
//! Models mark them in ways of their own, which their chat templates show ([`Style`]). What looks like a call and is none stays
//! text: nothing that was said is lost.

mod calls;
mod grammar;
mod harmony;
mod marked;
mod parser;
mod style;
#[cfg(test)]
mod tests;

pub use calls::Call;
pub use grammar::{Callable, Saying};
pub use parser::{OutputParser, Part};
pub use style::{Style, marks};
