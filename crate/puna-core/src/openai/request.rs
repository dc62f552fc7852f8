//! A request: the body of `POST /v1/chat/completions`.

use serde_json::{Map, Value};

use super::field::Field;
use super::message;
use crate::chat::{ChatTemplate, Message, Prompt};
use crate::generate::GenerateRequest;
use crate::sampler::SamplingParams;
use crate::tokenizer::{Special, Tokenizer};
use crate::{Error, ErrorCode, Result};

/// Most stop strings, as OpenAI has it.
const MAX_STOPS: usize = 4;

/// The fields of a body.
pub(super) fn object(body: &str) -> Result<Map<String, Value>> {
    let body: Value = serde_json::from_str(body).map_err(|error| {
        let message = format!("We could not parse the JSON body of your request: {error}");
        Error::new(ErrorCode::InvalidRequest, message)
    })?;
    match body {
        Value::Object(body) => Ok(body),
        _ => {
            let message = "The body of a request is a JSON object.";
            Err(Error::new(ErrorCode::InvalidRequest, message))
        }
    }
}

/// A checked request.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// The chat so far; at least one message.
    pub messages: Vec<Message>,
    /// What the caller calls the model; up to the caller of this to check.
    pub model: Option<String>,
    /// How tokens are chosen; the seed in it is [`Self::seed`] or 0.
    pub sampling: SamplingParams,
    /// The seed, if one was given.
    pub seed: Option<u64>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// Most tokens of the answer.
    pub max_tokens: Option<u32>,
    /// Whether to answer in chunks.
    pub stream: bool,
    /// Whether the last chunk is to tell the usage.
    pub include_usage: bool,
}

impl ChatRequest {
    /// Reads and checks a body.
    ///
    /// # Errors
    ///
    /// `invalid_request`; the detail `param` names the field.
    pub fn parse(body: &str) -> Result<Self> {
        let body = object(body)?;
        let mut request = Self {
            messages: Vec::new(),
            model: None,
            sampling: SamplingParams::default(),
            seed: None,
            stop: Vec::new(),
            max_tokens: None,
            stream: false,
            include_usage: false,
        };
        for (key, value) in &body {
            let field = Field { path: key, value };
            match key.as_str() {
                "messages" => request.messages = message::parse_all(field)?,
                // As for OpenAI, `null` is "not given".
                key if value.is_null() => known(key, field)?,
                _ => request.set(field)?,
            }
        }
        request.check(&body)?;
        Ok(request)
    }

    fn set(&mut self, field: Field<'_, '_>) -> Result<()> {
        let sampling = &mut self.sampling;
        match field.path {
            "model" => self.model = Some(field.str()?.to_owned()),
            "stream" => self.stream = field.bool()?,
            "stream_options" => self.include_usage = parse_stream_options(field)?,
            "max_tokens" | "max_completion_tokens" => {
                self.max_tokens = Some(field.integer(1, u32::MAX)?);
            }
            "stop" => self.stop = parse_stop(field)?,
            "seed" => {
                let seed = parse_seed(field)?;
                self.seed = Some(seed);
                sampling.seed = seed;
            }
            "temperature" => sampling.temperature = field.number(0.0, 2.0)?,
            "top_p" => sampling.top_p = field.number(0.0, 1.0)?,
            "presence_penalty" => sampling.presence_penalty = field.number(-2.0, 2.0)?,
            "frequency_penalty" => sampling.frequency_penalty = field.number(-2.0, 2.0)?,
            "logit_bias" => sampling.logit_bias = parse_logit_bias(field)?,
            "top_k" => sampling.top_k = field.integer(0, u32::MAX)?,
            "min_p" => sampling.min_p = field.number(0.0, 1.0)?,
            "repetition_penalty" => sampling.repetition_penalty = field.number(0.01, 10.0)?,
            "n" if field.integer(1, 128)? != 1 => {
                return Err(
                    field.invalid("Unsupported value: 'n' must be 1 with this model.".to_owned())
                );
            }
            other if says_the_default(other, field.value) => {}
            other => return known(other, field).and(Err(field.unsupported())),
        }
        Ok(())
    }

    fn check(&self, body: &Map<String, Value>) -> Result<()> {
        let given = |key| body.get(key).is_some_and(|value| !value.is_null());
        if !body.contains_key("messages") {
            return Err(Error::invalid_request(
                "messages",
                "Missing required parameter: 'messages'.",
            ));
        }
        if given("max_tokens") && given("max_completion_tokens") {
            let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
            return Err(Error::invalid_request("max_tokens", message));
        }
        if given("stream_options") && !self.stream {
            let message =
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
            return Err(Error::invalid_request("stream_options", message));
        }
        Ok(())
    }

    /// The messages as a prompt, and how to answer it. `random_seed` is for requests that give none.
    ///
    /// # Errors
    ///
    /// Those of [`ChatTemplate::render`].
    pub fn to_generate(
        &self,
        template: &ChatTemplate,
        tokenizer: &Tokenizer,
        random_seed: u64,
    ) -> Result<GenerateRequest> {
        let prompt = template.render(&Prompt::answer(&self.messages))?;
        let seed = self.seed.unwrap_or(random_seed);
        Ok(GenerateRequest {
            prompt: tokenizer.encode(&prompt, Special::Parse)?,
            sampling: SamplingParams {
                seed,
                ..self.sampling.clone()
            },
            stop: self.stop.clone(),
            max_tokens: self.max_tokens,
        })
    }
}

/// Fields that are read by [`ChatRequest::set`].
const READ: &[&str] = &[
    "model",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "seed",
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "top_k",
    "min_p",
    "repetition_penalty",
    "n",
];

/// Fields of OpenAI's that change no answer: bookkeeping of its service.
const IGNORED: &[&str] = &[
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
];

/// Fields of OpenAI's that are not supported.
const UNSUPPORTED: &[&str] = &[
    "audio",
    "function_call",
    "functions",
    "logprobs",
    "modalities",
    "moderation",
    "parallel_tool_calls",
    "prediction",
    "reasoning_effort",
    "response_format",
    "tool_choice",
    "tools",
    "top_logprobs",
    "verbosity",
    "web_search_options",
];

/// An error if nobody knows a field of that name.
fn known(key: &str, field: Field<'_, '_>) -> Result<()> {
    let lists = [READ, IGNORED, UNSUPPORTED];
    if lists.iter().any(|list| list.contains(&key)) {
        Ok(())
    } else {
        Err(field.unrecognized())
    }
}

/// Whether a field asks for nothing that would not happen anyway.
fn says_the_default(key: &str, value: &Value) -> bool {
    match key {
        "n" => true,
        "logprobs" => value.as_bool() == Some(false),
        "response_format" => value.get("type").and_then(Value::as_str) == Some("text"),
        "modalities" => matches!(value.as_array().map(Vec::as_slice), Some([one]) if one == "text"),
        "tool_choice" | "function_call" => value == "none",
        _ => IGNORED.contains(&key),
    }
}

fn parse_stream_options(field: Field<'_, '_>) -> Result<bool> {
    let mut include_usage = false;
    for (key, value) in field.object()? {
        let path = format!("{}.{key}", field.path);
        let field = Field { path: &path, value };
        match key.as_str() {
            "include_usage" => include_usage = field.bool()?,
            // Pads chunks against eavesdroppers; nothing leaves the page here.
            "include_obfuscation" => {}
            _ => return Err(field.unrecognized()),
        }
    }
    Ok(include_usage)
}

fn parse_stop(field: Field<'_, '_>) -> Result<Vec<String>> {
    let values = match field.value {
        Value::Array(values) => values.as_slice(),
        Value::String(_) => std::slice::from_ref(field.value),
        _ => return Err(field.wrong_type("one of a string or array of strings")),
    };
    if values.is_empty() || values.len() > MAX_STOPS {
        return Err(field.invalid(format!(
            "Invalid 'stop': expected an array of 1 to {MAX_STOPS} strings, but got {} instead.",
            values.len()
        )));
    }
    let parse = |value| {
        let text = Field { value, ..field }.str()?;
        if text.is_empty() {
            return Err(
                field.invalid("Invalid 'stop': an empty string is no stop string.".to_owned())
            );
        }
        Ok(text.to_owned())
    };
    values.iter().map(parse).collect()
}

/// Any 64-bit integer: two's complement for negative ones.
fn parse_seed(field: Field<'_, '_>) -> Result<u64> {
    let signed = field.value.as_i64().map(i64::cast_unsigned);
    signed
        .or(field.value.as_u64())
        .ok_or_else(|| field.wrong_type("a 64-bit integer"))
}

fn parse_logit_bias(field: Field<'_, '_>) -> Result<Vec<(u32, f32)>> {
    let parse = |(key, value): (&String, &Value)| {
        let id = key.parse().map_err(|_| {
            field.invalid(format!(
                "Invalid key in 'logit_bias': {key}. Expected a token id."
            ))
        })?;
        let path = format!("{}.{key}", field.path);
        Ok((id, Field { path: &path, value }.number(-100.0, 100.0)?))
    };
    field.object()?.iter().map(parse).collect()
}
