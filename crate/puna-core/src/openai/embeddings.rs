//! A body of `POST /v1/embeddings`, and the answer to it.

use serde::Serialize;
use serde_json::Value;

use super::field::Field;
use crate::tokenizer::{Special, Tokenizer};
use crate::{Error, ErrorCode, Result, base64};

/// Most inputs of a request, as OpenAI has it.
const MAX_INPUTS: usize = 2048;

/// A checked request.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingsRequest {
    inputs: Vec<Input>,
    /// What the caller calls the model.
    pub model: Option<String>,
    /// Whether vectors are written as base64 of their bytes.
    base64: bool,
    /// How many of the elements are wanted, if not all.
    dimensions: Option<u32>,
}

/// What a vector is wanted of.
#[derive(Clone, Debug, PartialEq)]
enum Input {
    Text(String),
    Ids(Vec<u32>),
}

impl EmbeddingsRequest {
    /// Reads and checks a body.
    ///
    /// # Errors
    ///
    /// `invalid_request`; the detail `param` names the field.
    pub fn parse(body: &str) -> Result<Self> {
        let body = super::request::object(body)?;
        let mut request = Self {
            inputs: Vec::new(),
            model: None,
            base64: false,
            dimensions: None,
        };
        for (key, value) in &body {
            let field = Field { path: key, value };
            match key.as_str() {
                "input" => request.inputs = inputs(field)?,
                "model" | "user" | "encoding_format" | "dimensions" if value.is_null() => {}
                "model" => request.model = Some(field.str()?.to_owned()),
                "user" => {
                    field.str()?;
                }
                "dimensions" => request.dimensions = Some(field.integer(1, u32::MAX)?),
                "encoding_format" => {
                    request.base64 = match field.str()? {
                        "float" => false,
                        "base64" => true,
                        other => {
                            return Err(field.invalid(format!(
                                "Invalid value: '{other}'. Supported values are: 'float' and 'base64'."
                            )));
                        }
                    };
                }
                _ => return Err(field.unrecognized()),
            }
        }
        if !body.contains_key("input") {
            return Err(Error::invalid_request(
                "input",
                "Missing required parameter: 'input'.",
            ));
        }
        Ok(request)
    }

    /// The token ids of each input, with what the model has at the ends of a text.
    ///
    /// # Errors
    ///
    /// `invalid_request` for ids that are none and more dimensions than `width`, `context_length_exceeded` for a text that is
    /// longer than `context_length`.
    pub fn ids(
        &self,
        tokenizer: &Tokenizer,
        context_length: usize,
        width: usize,
    ) -> Result<Vec<Vec<u32>>> {
        if let Some(dimensions) = self.dimensions.filter(|&it| it as usize > width) {
            return Err(Error::invalid_request(
                "dimensions",
                format!(
                    "Invalid value: 'dimensions' is {dimensions}, and this model's vectors have {width}."
                ),
            ));
        }
        let known = tokenizer.vocab_size();
        let inputs = self.inputs.iter().enumerate();
        let all = inputs.map(|(ix, input)| {
            let ids = match input {
                Input::Text(text) => tokenizer.encode_document(text, Special::AsText)?,
                Input::Ids(ids) => ids.clone(),
            };
            if let Some(id) = ids.iter().find(|&&id| id as usize >= known) {
                return Err(Error::invalid_request(
                    "input",
                    format!("Invalid 'input[{ix}]': token {id} is outside the vocabulary of {known}."),
                ));
            }
            if ids.is_empty() {
                return Err(Error::invalid_request(
                    "input",
                    format!("Invalid 'input[{ix}]': the text has no token."),
                ));
            }
            if ids.len() > context_length {
                let tokens = ids.len();
                return Err(Error::new(
                    ErrorCode::ContextLengthExceeded,
                    format!(
                        "This model's maximum context length is {context_length} tokens, however 'input[{ix}]' has {tokens}. \
                         Please shorten it or divide it."
                    ),
                )
                .detail("tokens", tokens)
                .detail("context_length", context_length));
            }
            Ok(ids)
        });
        all.collect()
    }

    /// The answer: a vector of length 1 for each input, in their order, and how many tokens they had together.
    ///
    /// # Errors
    ///
    /// `internal` for a vector that JSON can't write.
    pub fn response(&self, vectors: Vec<Vec<f32>>, model: &str, tokens: usize) -> Result<String> {
        let data = vectors.into_iter().enumerate().map(|(index, vector)| {
            let vector = self.shortened(vector);
            let embedding = match self.base64 {
                true => {
                    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
                    Written::Base64(base64::encode(&bytes))
                }
                false => Written::Numbers(vector),
            };
            Embedding {
                object: "embedding",
                index,
                embedding,
            }
        });
        let response = Response {
            object: "list",
            data: data.collect(),
            model,
            usage: Usage {
                prompt_tokens: tokens,
                total_tokens: tokens,
            },
        };
        serde_json::to_string(&response)
            .map_err(|error| Error::internal(format!("vectors as JSON: {error}")))
    }

    /// The first elements, again of length 1.
    fn shortened(&self, mut vector: Vec<f32>) -> Vec<f32> {
        if let Some(dimensions) = self.dimensions {
            vector.truncate(dimensions as usize);
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            if length > 0.0 {
                vector.iter_mut().for_each(|x| *x /= length);
            }
        }
        vector
    }
}

/// Written as they are: as `Value`s thousands of vectors would take many times their own memory.
#[derive(Serialize)]
struct Response<'m> {
    object: &'static str,
    data: Vec<Embedding>,
    model: &'m str,
    usage: Usage,
}

#[derive(Serialize)]
struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Written,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    Numbers(Vec<f32>),
    Base64(String),
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

/// A text, token ids, or several of one of both.
fn inputs(field: Field<'_, '_>) -> Result<Vec<Input>> {
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
            None => Vec::new(),
        },
        _ => return Err(wrong()),
    };
    let is_empty = |input: &Input| match input {
        Input::Text(text) => text.is_empty(),
        Input::Ids(ids) => ids.is_empty(),
    };
    if inputs.is_empty() || inputs.iter().any(is_empty) {
        return Err(field.invalid("Invalid 'input': an input must not be empty.".to_owned()));
    }
    if inputs.len() > MAX_INPUTS {
        let count = inputs.len();
        return Err(field.invalid(format!(
            "Invalid 'input': array too long. Expected an array with maximum length {MAX_INPUTS}, but got an array with length {count} instead."
        )));
    }
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn inputs_are_texts_or_token_ids() {
        let of = |body: &str| EmbeddingsRequest::parse(body).unwrap();
        let text = |text: &str| Input::Text(text.to_owned());
        for (body, inputs) in [
            (r#"{"input": "a"}"#, vec![text("a")]),
            (
                r#"{"input": ["a", "b"], "user": "u"}"#,
                vec![text("a"), text("b")],
            ),
            (
                r#"{"input": [1, 2], "dimensions": null}"#,
                vec![Input::Ids(vec![1, 2])],
            ),
            (
                r#"{"input": [[1], [2, 3]]}"#,
                vec![Input::Ids(vec![1]), Input::Ids(vec![2, 3])],
            ),
        ] {
            assert_eq!(of(body).inputs, inputs, "{body}");
        }
        let request =
            of(r#"{"input": "a", "model": "m", "encoding_format": "base64", "dimensions": 2}"#);
        assert_eq!(request.model.as_deref(), Some("m"));
        let read =
            |answer: Result<String>| -> Value { serde_json::from_str(&answer.unwrap()).unwrap() };
        let answer = read(request.response(vec![vec![0.6, 0.0, 0.8]], "m", 3));
        assert_eq!(
            answer,
            json!({
                "object": "list",
                // 1, 0
                "data": [{"object": "embedding", "index": 0, "embedding": "AACAPwAAAAA="}],
                "model": "m",
                "usage": {"prompt_tokens": 3, "total_tokens": 3},
            })
        );
        let answer = read(of(r#"{"input": "a"}"#).response(vec![vec![0.5, -1.0]], "m", 3));
        assert_eq!(answer["data"][0]["embedding"], json!([0.5, -1.0]));
    }

    #[test]
    fn what_is_no_request_is_refused_by_name() {
        for (body, param, says) in [
            ("{}", "input", "Missing"),
            (r#"{"input": ""}"#, "input", "empty"),
            (r#"{"input": []}"#, "input", "empty"),
            (r#"{"input": ["a", ""]}"#, "input", "empty"),
            (r#"{"input": [[]]}"#, "input", "empty"),
            (r#"{"input": 5}"#, "input", "expected a string"),
            (r#"{"input": ["a", 5]}"#, "input", "expected a string"),
            (r#"{"input": [1.5]}"#, "input", "expected a string"),
            (r#"{"input": [-1]}"#, "input", "expected a string"),
            (
                r#"{"input": "a", "encoding_format": "hex"}"#,
                "encoding_format",
                "'hex'",
            ),
            (
                r#"{"input": "a", "dimensions": 0}"#,
                "dimensions",
                "below minimum",
            ),
            (
                r#"{"input": "a", "stream": true}"#,
                "stream",
                "Unrecognized",
            ),
        ] {
            let error = EmbeddingsRequest::parse(body).expect_err(body);
            assert_eq!(error.code(), ErrorCode::InvalidRequest, "{body}");
            assert!(error.message().contains(says), "{body}: {error}");
            assert_eq!(error.details()["param"], param, "{body}");
        }
        let many = json!({"input": vec!["a"; 2049]}).to_string();
        let error = EmbeddingsRequest::parse(&many).expect_err("too many");
        assert!(error.message().contains("2048"), "{error}");
    }
}
