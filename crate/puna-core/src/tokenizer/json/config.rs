//! The files beside a `tokenizer.json`: `tokenizer_config.json`, `special_tokens_map.json`,
//! `generation_config.json`.

use serde::{Deserialize, Deserializer};

use super::MAX_FILE_BYTES;
use crate::{Error, Result};

/// What is read of `tokenizer_config.json` and `special_tokens_map.json`.
#[derive(Default, Deserialize)]
pub(super) struct TokenizerConfig {
    #[serde(default)]
    pub(super) bos_token: TokenText,
    #[serde(default)]
    pub(super) eos_token: TokenText,
    #[serde(default)]
    pub(super) add_bos_token: Option<bool>,
    #[serde(default)]
    pub(super) add_eos_token: Option<bool>,
}

/// What is read of `generation_config.json`.
#[derive(Default, Deserialize)]
pub(super) struct GenerationConfig {
    #[serde(default)]
    pub(super) bos_token_id: Ids,
    #[serde(default)]
    pub(super) eos_token_id: Ids,
}

/// A token by its text: a string, or an object that has it as `content`.
#[derive(Default)]
pub(super) struct TokenText(pub(super) Option<String>);

/// A token id or several.
#[derive(Default)]
pub(super) struct Ids(pub(super) Vec<u32>);

#[derive(Deserialize)]
#[serde(untagged)]
enum TokenForms {
    Text(String),
    Object { content: String },
}

impl<'de> Deserialize<'de> for TokenText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = Option::<TokenForms>::deserialize(deserializer)?;
        Ok(Self(token.map(|token| match token {
            TokenForms::Text(text) | TokenForms::Object { content: text } => text,
        })))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum IdForms {
    One(u32),
    Several(Vec<u32>),
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ids = Option::<IdForms>::deserialize(deserializer)?;
        Ok(Self(match ids {
            None => Vec::new(),
            Some(IdForms::One(id)) => vec![id],
            Some(IdForms::Several(ids)) => ids,
        }))
    }
}

/// The file called `name`; the default if it is not there.
pub(super) fn read<'f, T: Default + Deserialize<'f>>(
    file: Option<&'f [u8]>,
    name: &str,
) -> Result<T> {
    let Some(file) = file else {
        return Ok(T::default());
    };
    if file.len() > MAX_FILE_BYTES {
        return Err(Error::bad_model_file(format!(
            "{name} has {} bytes; at most {MAX_FILE_BYTES} are possible",
            file.len()
        )));
    }
    serde_json::from_slice(file).map_err(|error| Error::bad_model_file(format!("{name}: {error}")))
}
