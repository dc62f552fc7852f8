//! What the tests share: a vocabulary with a token for every byte, and how a text fares in it.

use puna_core::grammar::Grammar;
use puna_core::guide::{Guide, allows};
use puna_grammar::{Compiler, Vocabulary};

/// Ends an answer.
pub(crate) const END: u32 = 256;

/// A token for every byte.
pub(crate) fn compiler() -> Compiler {
    let bytes: Vec<[u8; 1]> = (0..=255).map(|byte| [byte]).collect();
    let tokens = bytes.iter().map(<[u8; 1]>::as_slice);
    Compiler::new(&Vocabulary::new(
        tokens.chain([b"<end>".as_slice()]),
        &[END],
    ))
    .unwrap()
}

/// How a text fares.
#[derive(Debug, PartialEq)]
pub(crate) enum Fate {
    /// It is in the language, and nothing longer that begins with it.
    Complete,
    /// It is in the language.
    Taken,
    /// Something longer is.
    Unfinished,
    /// The byte there is refused.
    Refused(usize),
}

pub(crate) fn fate(grammar: &Grammar, text: &str) -> Fate {
    let mut guide = compiler().guide(grammar).unwrap();
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        if !allows(guide.allowed().unwrap(), u32::from(byte)) {
            return Fate::Refused(at);
        }
        if guide.accept(u32::from(byte)).unwrap() {
            return match bytes.next() {
                None => Fate::Complete,
                Some((at, _)) => Fate::Refused(at),
            };
        }
    }
    match allows(guide.allowed().unwrap(), END) {
        true => Fate::Taken,
        false => Fate::Unfinished,
    }
}
