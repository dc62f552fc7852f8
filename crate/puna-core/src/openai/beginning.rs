//! The beginning of a conversation, to be read ahead of a question.

use serde_json::Value;

use super::field::Body;
use super::text::chat_prompt;
use super::{ChatRequest, CompletionRequest};
use crate::chat::ChatTemplate;
use crate::tokenizer::{Special, Tokenizer};
use crate::{Error, Result};

/// What conversations are to begin with.
#[derive(Clone, Debug)]
pub enum Beginning {
    /// Messages, and tools that are offered with them.
    Chat(Box<ChatRequest>),
    /// A text as it is.
    Text(String),
}

impl Beginning {
    /// Reads and checks a body: that of a chat request, or one with a `prompt`.
    ///
    /// # Errors
    /// Those of [`ChatRequest::parse`] and [`CompletionRequest::parse`].
    pub fn parse(body: &str) -> Result<Self> {
        if !Body::parse(body)?.has("prompt") {
            return ChatRequest::parse(body).map(|request| Self::Chat(Box::new(request)));
        }
        CompletionRequest::parse(body)?;
        let prompt: Value = crate::json::read(body).unwrap_or_default();
        match prompt.get("prompt").and_then(Value::as_str) {
            Some(text) => Ok(Self::Text(text.to_owned())),
            None => Err(Error::invalid_request(
                "prompt",
                "Invalid type for 'prompt': a conversation begins with one text.",
            )),
        }
    }

    /// Its tokens: those that prompts which begin with it begin with.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::render`]; `invalid_request` for what has no tokens.
    pub fn ids(&self, template: &ChatTemplate, tokenizer: &Tokenizer) -> Result<Vec<u32>> {
        let ids = self.encoded(template, tokenizer, false)?;
        match ids.is_empty() {
            false => Ok(ids),
            true => Err(Error::invalid_request(
                "session",
                "session: a conversation begins with at least one token",
            )),
        }
    }

    /// Its tokens; `answer`: up to where the model is to speak.
    pub(super) fn encoded(
        &self,
        template: &ChatTemplate,
        tokenizer: &Tokenizer,
        answer: bool,
    ) -> Result<Vec<u32>> {
        match self {
            Self::Chat(request) => {
                let text = chat_prompt(request, template, answer)?;
                tokenizer.encode(&text, Special::Parse)
            }
            Self::Text(text) => tokenizer.encode_start(text, Special::Parse),
        }
    }

    /// The tokens of a text that begins so, and goes on with `text` where the model is to speak.
    pub(super) fn with(
        &self,
        text: &str,
        template: &ChatTemplate,
        tokenizer: &Tokenizer,
    ) -> Result<Vec<u32>> {
        match self {
            Self::Chat(request) => {
                let front = chat_prompt(request, template, true)?;
                tokenizer.encode(&(front + text), Special::Parse)
            }
            Self::Text(front) => tokenizer.encode_start(&(front.clone() + text), Special::Parse),
        }
    }
}
