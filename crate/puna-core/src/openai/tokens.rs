//! What tokens a text has, or a prompt would.

use serde_json::{Value, json};

use super::beginning::Beginning;
use super::field::{Body, Field};
use super::{ChatRequest, ResponsesRequest};
use crate::Result;
use crate::anthropic;
use crate::chat::ChatTemplate;
use crate::tokenizer::{Special, Tokenizer};

/// What is to be taken apart.
#[derive(Clone, Debug)]
pub enum TokensRequest {
    /// What would be read for an answer.
    Prompt(Beginning),
    /// A text with nothing in front, in which control tokens are text.
    Text(String),
}

impl TokensRequest {
    /// Reads and checks a body: that of a chat request, one with a `prompt`, or one with a `text`.
    ///
    /// # Errors
    /// Those of [`Beginning::parse`].
    pub fn parse(body: &str) -> Result<Self> {
        let read = Body::parse(body)?;
        let Some(text) = read.fields().find(|field| field.path == "text") else {
            return Beginning::parse(body).map(Self::Prompt);
        };
        match read.fields().find(|field| field.path != "text") {
            None => Ok(Self::Text(text.str()?.to_owned())),
            Some(other) => Err(other.unrecognized()),
        }
    }

    /// A body of Anthropic's `POST /v1/messages/count_tokens`.
    ///
    /// # Errors
    /// Those of [`anthropic::parse_count`].
    pub fn parse_message(body: &str) -> Result<Self> {
        anthropic::parse_count(body).map(Self::of_chat)
    }

    /// A body of `POST /v1/responses/input_tokens`.
    ///
    /// # Errors
    /// Those of [`ResponsesRequest::parse`].
    pub fn parse_response(body: &str) -> Result<Self> {
        ResponsesRequest::parse(body).map(|request| Self::of_chat(request.chat))
    }

    fn of_chat(request: ChatRequest) -> Self {
        Self::Prompt(Beginning::Chat(Box::new(request)))
    }

    /// Its tokens.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::render`].
    pub fn ids(&self, template: &ChatTemplate, tokenizer: &Tokenizer) -> Result<Vec<u32>> {
        match self {
            Self::Prompt(prompt) => prompt.encoded(template, tokenizer, true),
            Self::Text(text) => tokenizer.encode(text, Special::AsText),
        }
    }
}

/// Tokens as JSON: `ids`, and in `texts` what each of them adds; parts of characters are U+FFFD there.
#[must_use]
pub fn told(ids: &[u32], tokenizer: &Tokenizer) -> Value {
    let texts = ids.iter().map(|id| {
        let piece = tokenizer.piece(*id).unwrap_or_default();
        String::from_utf8_lossy(piece).into_owned()
    });
    json!({ "ids": ids, "texts": texts.collect::<Vec<_>>() })
}

/// The text of tokens; `special`: control tokens are shown as they are written.
///
/// # Errors
/// `invalid_request` for what is no token of the model.
pub fn text_of(ids: &[u32], special: bool, tokenizer: &Tokenizer) -> Result<String> {
    super::input::check_ids(ids, tokenizer.vocab_size(), "ids")?;
    let shown = if special { ids.to_vec() } else { Vec::new() };
    let mut stream = tokenizer.decode_stream().showing(shown);
    let mut text: String = ids.iter().filter_map(|id| stream.push(*id)).collect();
    text.extend(stream.finish());
    Ok(text)
}

/// A text that is to be scored, and what stands in front of it.
#[derive(Clone, Debug)]
pub struct ScoreRequest {
    text: String,
    front: Option<Beginning>,
}

impl ScoreRequest {
    /// Reads and checks a body: that of [`TokensRequest::parse`] with the `text` that comes next.
    ///
    /// # Errors
    /// Those of [`Beginning::parse`].
    pub fn parse(body: &str) -> Result<Self> {
        let mut front: Value = crate::json::read(body).unwrap_or_default();
        let text = front.as_object_mut().and_then(|it| it.remove("text"));
        let Some(text) = text else {
            Body::parse(body)?;
            return Err(super::field::missing("text"));
        };
        let text = Field {
            path: "text",
            value: &text,
        };
        let text = text.str()?.to_owned();
        let is_alone = front.as_object().is_some_and(serde_json::Map::is_empty);
        let front = match is_alone {
            true => None,
            false => Some(Beginning::parse(&front.to_string())?),
        };
        Ok(Self { text, front })
    }

    /// Its tokens, and how many of them are given.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::render`]; `invalid_request` for a text without tokens.
    pub fn ids(&self, template: &ChatTemplate, tokenizer: &Tokenizer) -> Result<(Vec<u32>, usize)> {
        let (front, whole) = match &self.front {
            None => {
                let front = tokenizer.encode_start("", Special::Parse)?;
                (front, tokenizer.encode_start(&self.text, Special::Parse)?)
            }
            Some(front) => {
                let given = front.encoded(template, tokenizer, true)?;
                let whole = front.with(&self.text, template, tokenizer)?;
                (given, whole)
            }
        };
        // Where the text begins inside of a token, that belongs to it.
        let same = front.iter().zip(&whole).take_while(|(a, b)| a == b).count();
        match same < whole.len() {
            true => Ok((whole, same)),
            false => Err(crate::Error::invalid_request(
                "text",
                "'text' has no tokens; there is nothing to score",
            )),
        }
    }
}
