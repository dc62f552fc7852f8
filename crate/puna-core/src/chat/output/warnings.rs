//! What is odd about an answer, told beside it.

use serde_json::Value;

use super::parser::Part;

/// Characters of what was said that a warning repeats.
const SHOWN: usize = 80;
/// Most warnings of an answer.
const MOST: usize = 16;

/// Warnings about one answer.
#[derive(Clone, Debug, Default)]
pub struct Warnings(Vec<String>);

impl Warnings {
    /// Warns of a part that began as a call and is none.
    pub fn see(&mut self, part: &Part) {
        if let Part::NoCall(said) = part
            && self.0.len() < MOST
        {
            let said = said.trim_start();
            let shown: String = said.chars().take(SHOWN).collect();
            let more = if shown.len() < said.len() { "…" } else { "" };
            self.0.push(format!(
                "this began as a call of a tool, and is none that was offered and can be read; it is in the text as it was said: {shown}{more}"
            ));
        }
    }

    /// Puts them into an object, if there are any.
    pub fn tell(&self, body: &mut Value) {
        if let Value::Object(body) = body
            && !self.0.is_empty()
        {
            body.insert("warnings".to_owned(), self.0.clone().into());
        }
    }
}
