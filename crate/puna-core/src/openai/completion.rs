//! The body of `POST /v1/completions`: texts that are gone on with, without a chat.

use super::field::{Body, Field, missing};
use super::input::{Input, inputs};
use super::options::{self, Options};
use crate::Result;

/// Most tokens of an answer where nothing is said, as OpenAI has it.
const MAX_TOKENS: u32 = 16;

/// Most alternatives of a token that are told, as OpenAI has it.
const MAX_TOP: u32 = 5;

/// A checked request.
#[derive(Clone, Debug)]
pub struct CompletionRequest {
    /// The texts to go on with; at least one.
    pub(super) prompts: Vec<Input>,
    /// Whether answers begin with their prompts.
    pub echo: bool,
    /// How to answer.
    pub options: Options,
}

impl CompletionRequest {
    /// Reads and checks a body.
    ///
    /// # Errors
    ///
    /// `invalid_request`; the details `param` and `reason` are OpenAI's `param` and `code`.
    pub fn parse(body: &str) -> Result<Self> {
        let body = Body::parse(body)?;
        let mut request = Self {
            prompts: Vec::new(),
            echo: false,
            options: Options {
                max_tokens: Some(MAX_TOKENS),
                ..Options::default()
            },
        };
        let (mut best_of, mut max_tokens) = (None, None);
        for field in body.fields() {
            match field.path {
                "prompt" => request.prompts = inputs(field)?,
                _ if field.value.is_null() => known(field)?,
                "echo" => request.echo = field.bool()?,
                "max_tokens" => {
                    request.options.max_tokens = Some(field.integer(0, u32::MAX)?);
                    max_tokens = Some(field);
                }
                "logprobs" => {
                    request.options.logprobs = Some(field.integer(0, MAX_TOP)? as usize);
                }
                "best_of" => best_of = Some((field, field.integer(1, 20)?)),
                key if IGNORED.contains(&key) || request.options.set(field)? => {}
                _ => return known(field).and(Err(field.unsupported())),
            }
        }
        if !body.has("prompt") {
            return Err(missing("prompt"));
        }
        // More than are wanted would have to be ranked by their probabilities.
        if let Some((field, best_of)) = best_of
            && best_of != request.options.n
        {
            return Err(
                field.unsupported_value("'best_of' must be the same as 'n' with this model.")
            );
        }
        // A prompt that is echoed is an answer of its own.
        if let Some(field) = max_tokens.filter(|_| !request.echo) {
            field.integer(1, u32::MAX)?;
        }
        request.options.check(&body)?;
        Ok(request)
    }
}

/// Fields that [`CompletionRequest`] reads itself.
pub(super) const OWN: &[&str] = &["prompt", "echo", "best_of", "logprobs"];

/// Fields of OpenAI's that change no answer.
pub(super) const IGNORED: &[&str] = &["user"];

/// Fields of OpenAI's that are not supported.
pub(super) const UNSUPPORTED: &[&str] = &["suffix"];

/// An error if nobody knows a field of that name.
fn known(field: Field<'_, '_>) -> Result<()> {
    field.is_among(&[OWN, options::READ, IGNORED, UNSUPPORTED])
}
