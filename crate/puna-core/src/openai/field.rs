//! Reads fields of a request; errors name them as OpenAI's server does.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::{Error, Result};

/// A value and the path it was found at: `"messages[0].role"`.
#[derive(Clone, Copy)]
pub(super) struct Field<'p, 'v> {
    pub(super) path: &'p str,
    pub(super) value: &'v Value,
}

impl<'v> Field<'_, 'v> {
    pub(super) fn bool(self) -> Result<bool> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong_type("a boolean"))
    }

    pub(super) fn str(self) -> Result<&'v str> {
        self.value
            .as_str()
            .ok_or_else(|| self.wrong_type("a string"))
    }

    pub(super) fn array(self) -> Result<&'v [Value]> {
        match self.value {
            Value::Array(values) => Ok(values),
            _ => Err(self.wrong_type("an array")),
        }
    }

    pub(super) fn object(self) -> Result<&'v Map<String, Value>> {
        self.value
            .as_object()
            .ok_or_else(|| self.wrong_type("an object"))
    }

    /// A number in `min..=max`, rounded to f32.
    pub(super) fn number(self, min: f64, max: f64) -> Result<f32> {
        let number = self
            .value
            .as_f64()
            .ok_or_else(|| self.wrong_type("a decimal"))?;
        if number < min {
            return Err(self.out_of_range("decimal", "below minimum", ">=", min));
        }
        if number > max {
            return Err(self.out_of_range("decimal", "above maximum", "<=", max));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "f32 is what sampling computes in"
        )]
        Ok(number as f32)
    }

    /// A whole number in `min..=max`.
    pub(super) fn integer(self, min: u32, max: u32) -> Result<u32> {
        let number = self
            .value
            .as_i64()
            .map(i128::from)
            .or(self.value.as_u64().map(i128::from));
        let number = number.ok_or_else(|| self.wrong_type("an integer"))?;
        if number < i128::from(min) {
            return Err(self.out_of_range("integer", "below minimum", ">=", min));
        }
        match u32::try_from(number) {
            Ok(number) if number <= max => Ok(number),
            _ => Err(self.out_of_range("integer", "above maximum", "<=", max)),
        }
    }

    pub(super) fn wrong_type(self, expected: &str) -> Error {
        let path = self.path;
        let got = kind(self.value);
        self.invalid(format!(
            "Invalid type for '{path}': expected {expected}, but got {got} instead."
        ))
    }

    fn out_of_range(self, what: &str, how: &str, relation: &str, limit: impl Display) -> Error {
        let Self { path, value } = self;
        self.invalid(format!(
            "Invalid '{path}': {what} {how} value. Expected a value {relation} {limit}, but got {value} instead."
        ))
    }

    /// A field that OpenAI has and this does not.
    pub(super) fn unsupported(self) -> Error {
        let path = self.path;
        self.invalid(format!(
            "Unsupported parameter: '{path}' is not supported with this model."
        ))
    }

    /// A field that nobody has.
    pub(super) fn unrecognized(self) -> Error {
        self.invalid(format!(
            "Unrecognized request argument supplied: {}",
            self.path
        ))
    }

    pub(super) fn invalid(self, message: String) -> Error {
        Error::invalid_request(self.path, message)
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
