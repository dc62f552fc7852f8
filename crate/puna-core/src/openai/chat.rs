//! The body of `POST /v1/chat/completions`.

use serde_json::Value;

use super::field::{Body, Field, missing, refused};
use super::format;
use super::message;
use super::options::{self, Options};
use super::tools::{self, Tools};
use crate::Result;
use crate::chat::{Message, Role};
use crate::grammar::Grammar;

/// A checked request.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// The chat so far; at least one message.
    pub messages: Vec<Message>,
    /// What may be called.
    pub(super) tools: Tools,
    /// Whether the model is to think before it answers, where its template has a switch for that.
    pub(super) thinks: Option<bool>,
    /// How much, where its template has words for that.
    pub(super) effort: Option<&'static str>,
    /// Whether the oldest turns are left out where there is no room for all.
    pub(super) truncates: bool,
    /// How to answer.
    pub options: Options,
    /// `response_format`.
    format: Option<Grammar>,
    /// `logprobs` and `top_logprobs`.
    tells: bool,
    top: Option<usize>,
}

/// Most alternatives of a token that are told, as OpenAI has it.
pub(super) const MAX_TOP: u32 = 20;

/// How much a model may be asked to think; and the words that templates have for it, which are fewer.
const EFFORTS: &[(&str, Option<&str>)] = &[
    ("none", None),
    ("minimal", Some("low")),
    ("low", Some("low")),
    ("medium", Some("medium")),
    ("high", Some("high")),
    ("xhigh", Some("high")),
    ("max", Some("high")),
];

/// How much the model is to think: nothing, or a word that templates know.
pub(super) fn effort(field: Field<'_, '_>) -> Result<Option<&'static str>> {
    field.one_of(EFFORTS)
}

impl ChatRequest {
    /// Of what other wires ask.
    pub(crate) const fn new(messages: Vec<Message>, tools: Tools, options: Options) -> Self {
        Self {
            messages,
            tools,
            thinks: None,
            effort: None,
            truncates: false,
            options,
            format: None,
            tells: false,
            top: None,
        }
    }

    /// The same where the model is to think before it answers, or not to.
    pub(crate) const fn thinking(mut self, thinks: Option<bool>) -> Self {
        self.thinks = thinks;
        self
    }

    /// Takes an effort that was asked for.
    pub(super) const fn think(&mut self, effort: Option<&'static str>) {
        self.thinks = Some(effort.is_some());
        self.effort = effort;
    }

    /// The same where the oldest turns may be left out.
    pub(super) const fn truncating(mut self, truncates: bool) -> Self {
        self.truncates = truncates;
        self
    }

    /// Leaves out the oldest exchanges, so that `tokens` become about `room`; instructions and the last turn stay. Whether there
    /// was something to leave out.
    pub(super) fn shorten(&mut self, tokens: usize, room: usize) -> bool {
        let excess = tokens.saturating_sub(room);
        let is_rule = |it: &Message| matches!(it.role, Role::System | Role::Developer);
        let old = self.messages.len().saturating_sub(1);
        let text: usize = self.messages.iter().map(|it| it.content.len()).sum();
        // By length, of the text that there is.
        let bytes = text.saturating_mul(excess) / tokens.max(1);
        let (mut left_out, mut stays) = (0, Vec::new());
        let mut is_leaving = false;
        for (ix, message) in self.messages.iter().enumerate() {
            // An exchange goes as a whole: results of tools have no sense without their calls.
            let begins = message.role == Role::User || ix == old;
            if begins {
                is_leaving = excess > 0 && left_out <= bytes && ix < old;
            }
            if is_leaving && !is_rule(message) {
                left_out = left_out.saturating_add(message.content.len().max(1));
            } else {
                stays.push(message.clone());
            }
        }
        let is_shorter = stays.len() < self.messages.len();
        self.messages = stays;
        is_shorter
    }

    /// Reads and checks a body.
    ///
    /// # Errors
    ///
    /// `invalid_request`; the details `param` and `reason` are OpenAI's `param` and `code`.
    pub fn parse(body: &str) -> Result<Self> {
        let body = Body::parse(body)?;
        let mut request = Self::new(Vec::new(), Tools::default(), Options::default());
        for field in body.fields() {
            match field.path {
                "messages" => request.messages = message::parse_all(field)?,
                // As for OpenAI, `null` is "not given".
                _ if field.value.is_null() => known(field)?,
                _ => request.set(field)?,
            }
        }
        request.check(&body)?;
        Ok(request)
    }

    fn set(&mut self, field: Field<'_, '_>) -> Result<()> {
        match field.path {
            "max_completion_tokens" => {
                self.options.max_tokens = Some(field.integer(1, u32::MAX)?);
            }
            "response_format" => self.format = format::parse(field)?,
            "reasoning_effort" => self.think(effort(field)?),
            "logprobs" => self.tells = field.bool()?,
            "top_logprobs" => self.top = Some(field.integer(0, MAX_TOP)? as usize),
            _ if self.options.set(field)? || self.tools.set(field)? => {}
            _ if says_the_default(field.path, field.value) => {}
            _ => return known(field).and(Err(field.unsupported())),
        }
        Ok(())
    }

    fn check(&mut self, body: &Body) -> Result<()> {
        if !body.has("messages") {
            return Err(missing("messages"));
        }
        if body.gives("max_tokens") && body.gives("max_completion_tokens") {
            let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
            return Err(refused(
                "max_tokens",
                "invalid_parameter_combination",
                message,
            ));
        }
        if self.top.is_some() && !self.tells {
            let message =
                "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.";
            return Err(refused("top_logprobs", "invalid_value", message));
        }
        self.tools.check(body)?;
        if self.format.is_some() {
            if self.options.grammar.is_some() {
                let message = "Invalid 'response_format': an answer is held to it or to a grammar of the request's own, not to both.";
                return Err(refused(
                    "response_format",
                    "invalid_parameter_combination",
                    message,
                ));
            }
            self.options.grammar = self.format.take();
        }
        self.options.logprobs = self.tells.then(|| self.top.unwrap_or(0));
        self.options.check(body)
    }
}

/// Fields that [`ChatRequest`] reads itself.
pub(super) const OWN: &[&str] = &[
    "messages",
    "max_completion_tokens",
    "response_format",
    "reasoning_effort",
    "logprobs",
    "top_logprobs",
];

/// Fields of OpenAI's that change no answer: bookkeeping of its service.
pub(super) const IGNORED: &[&str] = &[
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
];

/// Fields of OpenAI's that are not supported.
pub(super) const UNSUPPORTED: &[&str] = &[
    "audio",
    "function_call",
    "functions",
    "modalities",
    "moderation",
    "prediction",
    "verbosity",
    "web_search_options",
];

/// An error if nobody knows a field of that name.
fn known(field: Field<'_, '_>) -> Result<()> {
    field.is_among(&[OWN, options::READ, tools::READ, IGNORED, UNSUPPORTED])
}

/// Whether a field asks for nothing that would not happen anyway.
fn says_the_default(key: &str, value: &Value) -> bool {
    match key {
        "modalities" => matches!(value.as_array().map(Vec::as_slice), Some([one]) if one == "text"),
        "function_call" => value == "none",
        _ => IGNORED.contains(&key),
    }
}
