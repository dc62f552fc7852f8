//! Modules + constants → WGSL text: concatenation, in a fixed order, and nothing else.
//!
//! A browser caches compiled shaders by their text, so the same variant always gives the same text.

use std::fmt::Write as _;

include!(concat!(env!("OUT_DIR"), "/shaders.rs"));

/// Every shader file: `folder/stem` and its text.
pub fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().copied()
}

/// WGSL text: directives, constants, modules.
///
/// # Panics
/// When a module does not exist: the names are constants of this crate.
#[must_use]
pub fn link(enables: &[&str], constants: &[(&str, u32)], modules: &[String]) -> String {
    let mut text = String::new();
    for feature in enables {
        let _ = writeln!(text, "enable {feature};");
    }
    for (name, value) in constants {
        let _ = writeln!(text, "const {name} = {value}u;");
    }
    for module in modules {
        let (_, source) = FILES
            .iter()
            .find(|(name, _)| name == module)
            .expect("invariant: a module names a file of shaders/");
        let _ = write!(text, "\n// {module}\n{source}");
    }
    text
}
