//! Texts, or token ids, that stand for themselves and are no chat.

use serde_json::Value;

use super::field::{Field, refused};
use crate::Result;

/// Most inputs of a request, as OpenAI has it.
const MAX_INPUTS: usize = 2048;

/// A text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Input {
    Text(String),
    Ids(Vec<u32>),
}

impl Input {
    pub(super) const fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Ids(ids) => ids.is_empty(),
        }
    }
}

/// A text, token ids, or several of one of both.
pub(super) fn inputs(field: Field<'_, '_>) -> Result<Vec<Input>> {
    let wrong = || {
        field
            .wrong_type("a string, an array of strings, or an array of token ids or of such arrays")
    };
    let ids = |values: &[Value]| -> Result<Input> {
        let ids = values
            .iter()
            .map(|value| u32::try_from(value.as_u64()?).ok());
        ids.collect::<Option<_>>().map(Input::Ids).ok_or_else(wrong)
    };
    let inputs = match field.value {
        Value::String(text) => vec![Input::Text(text.clone())],
        Value::Array(values) => match values.first() {
            Some(Value::String(_)) => {
                let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
                let texts = texts.map(|text| text.map(Input::Text).ok_or_else(wrong));
                texts.collect::<Result<_>>()?
            }
            Some(Value::Array(_)) => {
                let several = values
                    .iter()
                    .map(|value| value.as_array().ok_or_else(wrong));
                several.map(|values| ids(values?)).collect::<Result<_>>()?
            }
            Some(_) => vec![ids(values)?],
            None => return Err(field.empty_array()),
        },
        _ => return Err(wrong()),
    };
    if inputs.len() > MAX_INPUTS {
        return Err(field.too_long(MAX_INPUTS, inputs.len()));
    }
    Ok(inputs)
}

/// Whether ids are of tokens that there are; `path` is where they stand.
pub(super) fn check_ids(ids: &[u32], vocab_size: usize, path: &str) -> Result<()> {
    match ids.iter().find(|&&id| id as usize >= vocab_size) {
        None => Ok(()),
        Some(id) => {
            let message =
                format!("Invalid '{path}': token {id} is outside the vocabulary of {vocab_size}.");
            let param = path.split('[').next().unwrap_or(path);
            Err(refused(param, "invalid_value", message))
        }
    }
}
