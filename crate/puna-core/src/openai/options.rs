//! What all requests for texts have in common: how tokens are chosen, where an answer ends, how it is sent.

use serde_json::Value;

use super::extension;
use super::field::{Body, Field};
use crate::Result;
use crate::grammar::Grammar;
use crate::sampler::SamplingParams;
use crate::session::Retention;

/// Most stop strings, as OpenAI has it.
const MAX_STOPS: usize = 4;
/// Most answers of a request, as OpenAI has it.
const MAX_CHOICES: u32 = 128;

/// How to answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What the caller calls the model; up to the caller of this to check.
    pub model: Option<String>,
    /// How tokens are chosen; the seed in it is [`Self::seed`] or 0.
    pub sampling: SamplingParams,
    /// The seed, if one was given.
    pub seed: Option<u64>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// Most tokens of an answer.
    pub max_tokens: Option<u32>,
    /// What the text of an answer has to be, if not anything.
    pub grammar: Option<Grammar>,
    /// What adapters are multiplied by, by name; as it stands where nothing is said.
    pub adapters: Option<Vec<(String, f32)>>,
    /// What becomes of the conversation when it is answered.
    pub retention: Retention,
    /// Whether to tell what the model thought of each token, and of so many of the likeliest ones besides.
    pub logprobs: Option<usize>,
    /// How many answers are wanted of each prompt.
    pub n: u32,
    /// Whether to answer in chunks.
    pub stream: bool,
    /// Whether the last chunk is to tell the usage.
    pub include_usage: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            model: None,
            sampling: SamplingParams::default(),
            seed: None,
            stop: Vec::new(),
            max_tokens: None,
            grammar: None,
            adapters: None,
            retention: Retention::Usual,
            logprobs: None,
            n: 1,
            stream: false,
            include_usage: false,
        }
    }
}

/// Fields that [`Options::set`] reads.
pub(super) const READ: &[&str] = &[
    "model",
    "stream",
    "stream_options",
    "max_tokens",
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
    extension::KEY,
];

impl Options {
    /// Takes a field that is among [`READ`]; whether it is.
    pub(super) fn set(&mut self, field: Field<'_, '_>) -> Result<bool> {
        let sampling = &mut self.sampling;
        match field.path {
            "model" => self.model = Some(field.str()?.to_owned()),
            "stream" => self.stream = field.bool()?,
            "stream_options" => self.include_usage = parse_stream_options(field)?,
            "max_tokens" => self.max_tokens = Some(field.integer(1, u32::MAX)?),
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
            "n" => self.n = field.integer(1, MAX_CHOICES)?,
            extension::KEY => extension::parse(field, self)?,
            key => return self.sample(key, field),
        }
        Ok(true)
    }

    /// Takes what many hosted APIs have beside OpenAI's fields, and what is also found under the key of extensions; whether it
    /// is that.
    pub(super) fn sample(&mut self, key: &str, field: Field<'_, '_>) -> Result<bool> {
        let sampling = &mut self.sampling;
        match key {
            "top_k" => sampling.top_k = field.integer(0, u32::MAX)?,
            "min_p" => sampling.min_p = field.number(0.0, 1.0)?,
            "repetition_penalty" => sampling.repetition_penalty = field.number(0.01, 10.0)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What no field alone can tell.
    pub(super) fn check(&self, body: &Body) -> Result<()> {
        if body.gives("stream_options") && !self.stream {
            let message =
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
            return Err(super::field::refused(
                "stream_options",
                "invalid_value",
                message,
            ));
        }
        Ok(())
    }

    /// How tokens of the `choice`th answer are chosen. `random_seed` is for requests that give none; answers to one prompt
    /// are not to be the same.
    pub(super) fn sampling_of(&self, choice: u32, random_seed: u64) -> SamplingParams {
        SamplingParams {
            seed: self
                .seed
                .unwrap_or(random_seed)
                .wrapping_add(u64::from(choice)),
            ..self.sampling.clone()
        }
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
