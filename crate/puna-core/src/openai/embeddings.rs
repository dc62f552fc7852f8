//! A body of `POST /v1/embeddings`, and the answer to it.

use serde::Serialize;

use super::field::{Body, Field, missing, refused};
use super::input::{Input, check_ids, inputs};
use crate::tokenizer::{Special, Tokenizer};
use crate::{Error, ErrorCode, Result, base64};

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

/// Fields that [`EmbeddingsRequest`] reads.
pub(super) const OWN: &[&str] = &["input", "model", "encoding_format", "dimensions"];

/// Fields of OpenAI's that change no answer.
pub(super) const IGNORED: &[&str] = &["user"];

impl EmbeddingsRequest {
    /// Reads and checks a body.
    ///
    /// # Errors
    ///
    /// `invalid_request`; the detail `param` names the field.
    pub fn parse(body: &str) -> Result<Self> {
        let body = Body::parse(body)?;
        let mut request = Self {
            inputs: Vec::new(),
            model: None,
            base64: false,
            dimensions: None,
        };
        for field in body.fields() {
            match field.path {
                "input" => request.inputs = parse_inputs(field)?,
                _ if field.value.is_null() => field.is_among(&[OWN, IGNORED])?,
                "model" => request.model = Some(field.str()?.to_owned()),
                key if IGNORED.contains(&key) => {}
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
        if !body.has("input") {
            return Err(missing("input"));
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
            let message = format!(
                "Invalid value: 'dimensions' is {dimensions}, and this model's vectors have {width}."
            );
            return Err(refused("dimensions", "invalid_value", message));
        }
        let known = tokenizer.vocab_size();
        let inputs = self.inputs.iter().enumerate();
        let all = inputs.map(|(ix, input)| {
            let ids = match input {
                Input::Text(text) => tokenizer.encode_document(text, Special::AsText)?,
                Input::Ids(ids) => ids.clone(),
            };
            check_ids(&ids, known, &format!("input[{ix}]"))?;
            if ids.is_empty() {
                let message = format!("Invalid 'input[{ix}]': the text has no token.");
                return Err(refused("input", "invalid_value", message));
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
                .detail("param", "input")
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

/// Texts or ids, none of them empty.
fn parse_inputs(field: Field<'_, '_>) -> Result<Vec<Input>> {
    let inputs = inputs(field)?;
    match inputs.iter().any(Input::is_empty) {
        false => Ok(inputs),
        true => Err(field.invalid("Invalid 'input': an input must not be empty.".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
