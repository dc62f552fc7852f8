//! Reads fields of a request; errors name them as OpenAI's server does, and have its `code` as the detail `reason`.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::{Error, ErrorCode, Result};

/// Characters of names, as OpenAI has it.
const MAX_NAME: usize = 64;

/// A body: a JSON object.
pub(crate) struct Body(Map<String, Value>);

impl Body {
    pub(crate) fn parse(body: &str) -> Result<Self> {
        let body: Value = crate::json::read(body).map_err(|error| {
            let message = format!("We could not parse the JSON body of your request: {error}");
            Error::new(ErrorCode::InvalidRequest, message)
        })?;
        match body {
            Value::Object(body) => Ok(Self(body)),
            _ => {
                let message = "The body of a request is a JSON object.";
                Err(Error::new(ErrorCode::InvalidRequest, message))
            }
        }
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = Field<'_, '_>> {
        self.0.iter().map(|(path, value)| Field { path, value })
    }

    /// Whether a field is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Whether a field says something: `null` is "not given".
    pub(crate) fn gives(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_null())
    }
}

/// A refusal of the field at `param`; `reason` is OpenAI's `code`.
pub(crate) fn refused(param: &str, reason: &str, message: impl Into<String>) -> Error {
    Error::invalid_request(param, message).detail("reason", reason)
}

/// A field that has to be there.
pub(crate) fn missing(param: &str) -> Error {
    let message = format!("Missing required parameter: '{param}'.");
    refused(param, "missing_required_parameter", message)
}

/// A value and the path it was found at: `"messages[0].role"`.
#[derive(Clone, Copy)]
pub(crate) struct Field<'p, 'v> {
    pub(crate) path: &'p str,
    pub(crate) value: &'v Value,
}

impl<'v> Field<'_, 'v> {
    pub(crate) fn bool(self) -> Result<bool> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong_type("a boolean"))
    }

    pub(crate) fn str(self) -> Result<&'v str> {
        self.value
            .as_str()
            .ok_or_else(|| self.wrong_type("a string"))
    }

    pub(crate) fn array(self) -> Result<&'v [Value]> {
        match self.value {
            Value::Array(values) => Ok(values),
            _ => Err(self.wrong_type("an array")),
        }
    }

    pub(crate) fn object(self) -> Result<&'v Map<String, Value>> {
        self.value
            .as_object()
            .ok_or_else(|| self.wrong_type("an object"))
    }

    /// What `read` makes of a member that has to be there.
    pub(crate) fn member<T>(
        self,
        key: &str,
        read: impl FnOnce(Field<'_, 'v>) -> Result<T>,
    ) -> Result<T> {
        let path = format!("{}.{key}", self.path);
        let value = self.object()?.get(key).ok_or_else(|| missing(&path))?;
        read(Field { path: &path, value })
    }

    /// What `read` makes of a member, if it is there.
    pub(crate) fn optional<T>(
        self,
        key: &str,
        read: impl FnOnce(Field<'_, 'v>) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.object()?.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.member(key, read).map(Some),
        }
    }

    /// What `read` makes of each member.
    pub(crate) fn members(
        self,
        mut read: impl FnMut(&str, Field<'_, 'v>) -> Result<()>,
    ) -> Result<()> {
        for (key, value) in self.object()? {
            let path = format!("{}.{key}", self.path);
            read(key, Field { path: &path, value })?;
        }
        Ok(())
    }

    /// What a tool or a schema is called.
    pub(crate) fn name(self) -> Result<String> {
        let name = self.str()?;
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
            return Err(self.invalid(format!(
                "Invalid '{}': expected 1 to {MAX_NAME} letters, digits, '_' and '-', got '{}'.",
                self.path,
                name.chars().take(MAX_NAME).collect::<String>()
            )));
        }
        Ok(name.to_owned())
    }

    /// One of these strings.
    pub(crate) fn one_of<T: Copy>(self, names: &[(&str, T)]) -> Result<T> {
        let got = self.str()?;
        let found = names.iter().find(|(name, _)| *name == got);
        found.map(|(_, it)| *it).ok_or_else(|| {
            let names: Vec<String> = names.iter().map(|(name, _)| format!("'{name}'")).collect();
            let names = match names.split_last() {
                Some((last, [])) => last.clone(),
                Some((last, before)) => format!("{} and {last}", before.join(", ")),
                None => String::new(),
            };
            self.invalid(format!(
                "Invalid value: '{got}'. Supported values are: {names}."
            ))
        })
    }

    /// A number in `min..=max`, rounded to f32.
    pub(crate) fn number(self, min: f64, max: f64) -> Result<f32> {
        let number = self
            .value
            .as_f64()
            .ok_or_else(|| self.wrong_type("a decimal"))?;
        if number < min {
            return Err(self.out_of_range("decimal", false, min));
        }
        if number > max {
            return Err(self.out_of_range("decimal", true, max));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "f32 is what sampling computes in"
        )]
        Ok(number as f32)
    }

    /// A whole number in `min..=max`.
    pub(crate) fn integer(self, min: u32, max: u32) -> Result<u32> {
        let number = self
            .value
            .as_i64()
            .map(i128::from)
            .or(self.value.as_u64().map(i128::from));
        let number = number.ok_or_else(|| self.wrong_type("an integer"))?;
        if number < i128::from(min) {
            return Err(self.out_of_range("integer", false, min));
        }
        match u32::try_from(number) {
            Ok(number) if number <= max => Ok(number),
            _ => Err(self.out_of_range("integer", true, max)),
        }
    }

    pub(crate) fn wrong_type(self, expected: &str) -> Error {
        let path = self.path;
        let got = kind(self.value);
        let message =
            format!("Invalid type for '{path}': expected {expected}, but got {got} instead.");
        refused(path, "invalid_type", message)
    }

    fn out_of_range(self, what: &str, is_above: bool, limit: impl Display) -> Error {
        let Self { path, value } = self;
        let (how, relation, reason) = match is_above {
            true => ("above maximum", "<=", "above_max_value"),
            false => ("below minimum", ">=", "below_min_value"),
        };
        let message = format!(
            "Invalid '{path}': {what} {how} value. Expected a value {relation} {limit}, but got {value} instead."
        );
        refused(path, &format!("{what}_{reason}"), message)
    }

    /// A field that OpenAI has and this does not.
    pub(crate) fn unsupported(self) -> Error {
        let path = self.path;
        let message = format!("Unsupported parameter: '{path}' is not supported with this model.");
        refused(path, "unsupported_parameter", message)
    }

    /// A value that OpenAI has and this does not.
    pub(crate) fn unsupported_value(self, why: &str) -> Error {
        refused(
            self.path,
            "unsupported_value",
            format!("Unsupported value: {why}"),
        )
    }

    /// A field that nobody has.
    pub(crate) fn unrecognized(self) -> Error {
        let message = format!("Unrecognized request argument supplied: {}", self.path);
        refused(self.path, "unknown_parameter", message)
    }

    /// A value that nobody takes.
    pub(crate) fn invalid(self, message: String) -> Error {
        refused(self.path, "invalid_value", message)
    }

    /// An array that may not be empty, and is.
    pub(crate) fn empty_array(self) -> Error {
        let message = format!(
            "Invalid '{}': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            self.path
        );
        refused(self.path, "empty_array", message)
    }

    /// An array that has more elements than it may.
    pub(crate) fn too_long(self, most: usize, count: usize) -> Error {
        let message = format!(
            "Invalid '{}': array too long. Expected an array with maximum length {most}, but got an array with length {count} instead.",
            self.path
        );
        refused(self.path, "array_above_max_length", message)
    }

    /// An error unless the field's name is in one of the lists.
    pub(crate) fn is_among(self, lists: &[&[&str]]) -> Result<()> {
        match lists.iter().any(|list| list.contains(&self.path)) {
            true => Ok(()),
            false => Err(self.unrecognized()),
        }
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
