//! A part of a JSON file, with its place in it for errors.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::{Error, Result};

/// Bytes of a part: the largest published, a table of character replacements, has some 700 kB.
const MAX_BYTES: usize = 4 << 20;
/// Steps of a part, those inside others counted; published ones have ten.
const MAX_STEPS: usize = 64;

/// A value and where it is.
#[derive(Clone)]
pub(super) struct Part<'v> {
    pub(super) value: &'v Value,
    place: String,
}

/// The value of a part of the file.
pub(super) fn parse(raw: Option<&RawValue>, place: &str) -> Result<Value> {
    let Some(raw) = raw.map(RawValue::get) else {
        return Ok(Value::Null);
    };
    if raw.len() > MAX_BYTES {
        return Err(Error::bad_model_file(format!(
            "tokenizer.json: {place} has {} bytes; at most {MAX_BYTES} are possible",
            raw.len()
        )));
    }
    crate::json::read(raw)
        .map_err(|error| Error::bad_model_file(format!("tokenizer.json: {place}: {error}")))
}

impl<'v> Part<'v> {
    pub(super) fn new(value: &'v Value, place: &str) -> Self {
        Self {
            value,
            place: place.to_owned(),
        }
    }

    /// A malformed part: what is expected, and what is there.
    #[cold]
    pub(super) fn bad(&self, expected: &str) -> Error {
        let mut got = self.value.to_string();
        if let Some((end, _)) = got.char_indices().nth(60) {
            got.truncate(end);
            got.push('…');
        }
        Error::bad_model_file(format!(
            "tokenizer.json: {}: {expected} expected, got {got}",
            self.place
        ))
    }

    /// A part that is not supported.
    #[cold]
    pub(super) fn unsupported(&self, what: &str) -> Error {
        Error::unsupported_model(format!(
            "tokenizer.json: {}: {what} is not supported",
            self.place
        ))
        .detail("tokenizer", what)
    }

    /// The field `key`; null if it is not there.
    pub(super) fn get(&self, key: &str) -> Self {
        Self {
            value: self.value.get(key).unwrap_or(&Value::Null),
            place: format!("{}.{key}", self.place),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    pub(super) fn str(&self) -> Result<&'v str> {
        self.value.as_str().ok_or_else(|| self.bad("a string"))
    }

    pub(super) fn bool(&self, default: bool) -> Result<bool> {
        match self.value {
            Value::Null => Ok(default),
            Value::Bool(value) => Ok(*value),
            _ => Err(self.bad("true or false")),
        }
    }

    pub(super) fn count(&self) -> Result<usize> {
        let number = self.value.as_u64().and_then(|n| usize::try_from(n).ok());
        number.ok_or_else(|| self.bad("a whole number"))
    }

    pub(super) fn id(&self) -> Result<u32> {
        let number = self.value.as_u64().and_then(|n| u32::try_from(n).ok());
        number.ok_or_else(|| self.bad("a token's id"))
    }

    /// The only character of a string.
    pub(super) fn char(&self) -> Result<char> {
        let mut characters = self.str()?.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(character),
            _ => Err(self.bad("one character")),
        }
    }

    pub(super) fn array(&self) -> Result<Vec<Self>> {
        let elements = self.value.as_array().ok_or_else(|| self.bad("an array"))?;
        let element = |(ix, value)| Self {
            value,
            place: format!("{}[{ix}]", self.place),
        };
        Ok(elements.iter().enumerate().map(element).collect())
    }

    /// The field `type`.
    pub(super) fn kind(&self) -> Result<&'v str> {
        self.get("type").str()
    }

    /// The steps of which this is one or a `Sequence`, whose elements are under `key`; none if it is null.
    pub(super) fn steps(&self, key: &str) -> Result<Vec<Self>> {
        let mut steps = Vec::new();
        self.flatten(key, &mut steps)?;
        Ok(steps)
    }

    /// How deep it can go is bounded by the depth of the JSON.
    fn flatten(&self, key: &str, steps: &mut Vec<Self>) -> Result<()> {
        if self.is_null() {
            return Ok(());
        }
        if self.kind()? == "Sequence" {
            return self
                .get(key)
                .array()?
                .iter()
                .try_for_each(|step| step.flatten(key, steps));
        }
        if steps.len() >= MAX_STEPS {
            return Err(self.unsupported(&format!("a sequence of more than {MAX_STEPS} steps")));
        }
        steps.push(self.clone());
        Ok(())
    }
}
