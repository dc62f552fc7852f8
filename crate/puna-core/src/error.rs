//! The one error type, and the closed list of codes that users may branch on.
//!
//! A code is part of the public API: it crosses the worker boundary unchanged and the list in
//! `www/src/generated/codes.ts` is made from [`ErrorCode::ALL`]. A message names what, where, expected,
//! got, and what to do.

use std::fmt;

use serde_json::{Map, Value};

/// Result of everything in this workspace that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($name:ident = $text:literal, $doc:literal;)*) => {
        /// What went wrong, as a stable name. Adding one is a change of the public API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $(#[doc = $doc] $name,)* }

        impl ErrorCode {
            /// Every code, in the order in which they are documented.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable `snake_case` name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }
        }
    };
}

codes! {
    UnsupportedDevice = "unsupported_device", "This browser or machine has no usable GPU adapter.";
    DeviceLost = "device_lost", "The GPU went away while in use; the next request loads the model again.";
    OutOfMemory = "out_of_memory", "The GPU or the tab has no memory left for what was asked.";
    ShaderFailed = "shader_failed", "The device's driver refused a shader.";
    Network = "network", "A request failed: no connection, an HTTP error, or a wrong range.";
    Integrity = "integrity", "Bytes do not have the checksum they should have.";
    StorageFull = "storage_full", "The browser's storage is full.";
    BadModelFile = "bad_model_file", "The file is not a well-formed model file.";
    UnsupportedModel = "unsupported_model", "The file is well-formed but needs something that is not supported.";
    ContextLengthExceeded = "context_length_exceeded", "The prompt does not fit the context.";
    InvalidRequest = "invalid_request", "A field of the request is missing, malformed or not supported.";
    Aborted = "aborted", "The caller's AbortSignal stopped the work.";
    Busy = "busy", "More is asked of the model at once than it has room for, or another load holds its files.";
    Internal = "internal", "A defect of this library.";
}

/// An error: a code, a message with facts, machine-readable details, and where it happened.
///
/// One word wide, so that a `Result` stays small.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: ErrorCode,
    message: String,
    details: Map<String, Value>,
    context: Vec<String>,
}

impl Error {
    /// An error of `code`; `message` names what, where, expected, got, and what to do.
    #[cold]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            details: Map::new(),
            context: Vec::new(),
        }))
    }

    /// A request field that is missing, malformed or not supported; `param` is its path.
    #[cold]
    pub fn invalid_request(param: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message).detail("param", param)
    }

    /// A malformed model file.
    #[cold]
    pub fn bad_model_file(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadModelFile, message)
    }

    /// A well-formed model file that needs something not supported.
    #[cold]
    pub fn unsupported_model(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::UnsupportedModel, message)
    }

    /// A defect of this library.
    #[cold]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }

    /// Adds a machine-readable fact, such as `status` or `param`.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.details.insert(key.to_owned(), value.into());
        self
    }

    /// Adds where it happened, outermost last: `"shard 3 of 12"`.
    #[must_use]
    pub fn context(mut self, place: impl Into<String>) -> Self {
        self.0.context.push(place.into());
        self
    }

    /// The code to branch on.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The message, the places it passed through in front.
    #[must_use]
    pub fn message(&self) -> String {
        let mut text = String::new();
        for place in self.0.context.iter().rev() {
            text.push_str(place);
            text.push_str(": ");
        }
        text.push_str(&self.0.message);
        text
    }

    /// Machine-readable facts.
    #[must_use]
    pub fn details(&self) -> &Map<String, Value> {
        &self.0.details
    }

    /// What crosses the worker boundary: `{code, message, details}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::json!({ "code": self.code().as_str(), "message": self.message(), "details": self.0.details })
    }

    /// What [`Self::to_json`] wrote, as text; anything else is `internal`.
    #[must_use]
    pub fn from_json(json: &str) -> Self {
        let value: Value = serde_json::from_slice(json.as_bytes()).unwrap_or_default();
        let text = |key| value.get(key).and_then(Value::as_str);
        let code = ErrorCode::ALL
            .iter()
            .find(|code| text("code") == Some(code.as_str()));
        let (Some(code), Some(message)) = (code, text("message")) else {
            return Self::internal(format!("an error that is none: {json}"));
        };
        let mut error = Self::new(*code, message);
        if let Some(Value::Object(details)) = value.get("details") {
            error.0.details = details.clone();
        }
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code().as_str(), self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

/// Adds a place to the error of a result.
pub trait Context<T> {
    /// Adds where it happened; the text is made only on failure.
    fn context<S: Into<String>>(self, place: impl FnOnce() -> S) -> Result<T>;
}

impl<T> Context<T> for Result<T> {
    fn context<S: Into<String>>(self, place: impl FnOnce() -> S) -> Self {
        self.map_err(|error| error.context(place()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_lists_places_outermost_first() {
        let error = Error::new(ErrorCode::Integrity, "sha256 differs")
            .context("shard 3")
            .context("model");
        assert_eq!(
            error.to_string(),
            "integrity: model: shard 3: sha256 differs",
            "places come first"
        );
    }

    #[test]
    fn json_and_back_is_the_same_error() {
        let error = Error::new(ErrorCode::OutOfMemory, "too large")
            .detail("bytes", 7)
            .context("weights");
        let back = Error::from_json(&error.to_json().to_string());
        assert_eq!(back.to_json(), error.to_json(), "code, message and details");
        for other in ["", "{}", r#"{"code":"no_such","message":"m"}"#] {
            let error = Error::from_json(other);
            assert_eq!(error.code(), ErrorCode::Internal, "{other}");
        }
    }

    #[test]
    fn codes_are_distinct() {
        let mut names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorCode::ALL.len(), "two codes share a name");
    }
}
