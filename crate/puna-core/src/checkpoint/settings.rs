//! `config.json`, key by key.

use serde_json::{Map, Value};

use super::CONFIG;
use crate::weights::header::{Header, Metadata, Parsed};
use crate::weights::writer::Writer;
use crate::{Error, Result};

/// Where a model of texts and images has the settings of its texts.
const TEXT: &str = "text_config";

/// Keys that GGUF has not: whether rotation pairs lie in halves, and whether gains are stored less 1.
pub(crate) const HALVES: &str = "checkpoint.rotation_halves";
pub(crate) const GAINS_LESS_ONE: &str = "checkpoint.gains_less_one";

/// The settings of a model: what its file says, or what goes without saying.
#[derive(Debug)]
pub(crate) struct Settings {
    given: Map<String, Value>,
    defaults: Map<String, Value>,
    /// For messages: where they stand.
    place: String,
}

impl Settings {
    /// Of which nothing is known.
    pub(super) fn none() -> Self {
        Self {
            given: Map::new(),
            defaults: Map::new(),
            place: CONFIG.to_owned(),
        }
    }

    /// Those of a file of that name.
    pub(crate) fn of(file: &str, bytes: &[u8]) -> Result<Self> {
        Ok(Self {
            given: object(file, bytes)?,
            defaults: Map::new(),
            place: file.to_owned(),
        })
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let mut given = object(CONFIG, bytes)?;
        let mut place = CONFIG.to_owned();
        if let Some(Value::Object(text)) = given.remove(TEXT) {
            let whole = std::mem::replace(&mut given, text);
            place = format!("{CONFIG}: {TEXT}");
            // A few are said of the whole model.
            for key in ["tie_word_embeddings", "quantization_config"] {
                if let (false, Some(value)) = (given.contains_key(key), whole.get(key)) {
                    given.insert(key.to_owned(), value.clone());
                }
            }
        }
        Ok(Self {
            given,
            defaults: Map::new(),
            place,
        })
    }

    pub(super) fn with_defaults(self, json: &str) -> Result<Self> {
        let defaults = object(CONFIG, json.as_bytes())?;
        Ok(Self { defaults, ..self })
    }

    /// Those of an object among them; empty if it is not there.
    pub(super) fn part(&self, key: &str) -> Self {
        let given = match self.get(key) {
            Some(Value::Object(object)) => object.clone(),
            _ => Map::new(),
        };
        Self {
            given,
            defaults: Map::new(),
            place: format!("{}: {key}", self.place),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    pub(super) fn model_type(&self) -> Result<&str> {
        self.str("model_type")?
            .ok_or_else(|| self.bad("model_type", "a string"))
    }

    /// What is said of `key`; null is nothing.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        let given = self.given.get(key).filter(|value| !value.is_null());
        given.or_else(|| self.defaults.get(key))
    }

    pub(crate) fn u32(&self, key: &str) -> Result<Option<u32>> {
        self.read(key, "an integer from 0 to 4294967295", |value| {
            u32::try_from(value.as_u64()?).ok()
        })
    }

    pub(crate) fn required_u32(&self, key: &str) -> Result<u32> {
        self.u32(key)?
            .ok_or_else(|| self.bad(key, "an integer from 0 to 4294967295"))
    }

    pub(crate) fn f64(&self, key: &str) -> Result<Option<f64>> {
        self.read(key, "a number", Value::as_f64)
    }

    pub(crate) fn bool(&self, key: &str) -> Result<Option<bool>> {
        self.read(key, "true or false", Value::as_bool)
    }

    pub(crate) fn str(&self, key: &str) -> Result<Option<&str>> {
        self.read(key, "a string", Value::as_str)
    }

    /// A list of numbers.
    pub(super) fn f64s(&self, key: &str) -> Result<Option<Vec<f64>>> {
        self.read(key, "a list of numbers", |value| {
            value.as_array()?.iter().map(Value::as_f64).collect()
        })
    }

    fn read<'s, T>(
        &'s self,
        key: &str,
        expected: &str,
        convert: impl Fn(&'s Value) -> Option<T>,
    ) -> Result<Option<T>> {
        let value = self.get(key);
        let value = value.map(|value| convert(value).ok_or_else(|| self.bad(key, expected)));
        value.transpose()
    }

    /// Fails if `key` is said to be anything but one of `known`, each as JSON writes it: it would change the arithmetic.
    pub(crate) fn expect(&self, key: &str, known: &[&str]) -> Result<()> {
        let Some(value) = self.get(key) else {
            return Ok(());
        };
        let got = value.to_string();
        // 1.0 is 1.
        let number = value.as_f64();
        let same = |known: &str| known == got || number.is_some() && number == known.parse().ok();
        if known.iter().any(|it| same(it)) {
            return Ok(());
        }
        Err(self.unsupported(key, &known.join(" or ")))
    }

    /// Fails unless a list says of each layer what is `expected` of it.
    pub(crate) fn expect_layers<V: Into<Value>>(
        &self,
        key: &str,
        expected: impl Fn(usize) -> V,
    ) -> Result<()> {
        let Some(Value::Array(layers)) = self.get(key) else {
            return Ok(());
        };
        let mut all = layers.iter().enumerate();
        let other = |(layer, value): &(usize, &Value)| **value != expected(*layer).into();
        match all.find(other) {
            None => Ok(()),
            Some((layer, _)) => {
                let key = format!("{key}[{layer}]");
                Err(self.unsupported(&key, &expected(layer).into().to_string()))
            }
        }
    }

    #[cold]
    pub(crate) fn unsupported(&self, key: &str, expected: &str) -> Error {
        Error::unsupported_model(format!(
            "{}: {key} is {}; only {expected} is supported",
            self.place,
            self.shown(key)
        ))
        .detail("key", key)
    }

    #[cold]
    pub(crate) fn bad(&self, key: &str, expected: &str) -> Error {
        Error::bad_model_file(format!(
            "{}: {key} is {}, expected {expected}",
            self.place,
            self.shown(key)
        ))
        .detail("key", key)
    }

    fn shown(&self, key: &str) -> String {
        let key = key.split('[').next().unwrap_or(key);
        let text = self.get(key).map(ToString::to_string);
        let text = text.unwrap_or_else(|| "missing".to_owned());
        text.chars().take(200).collect()
    }
}

fn object(file: &str, bytes: &[u8]) -> Result<Map<String, Value>> {
    serde_json::from_slice(bytes).map_err(|error| Error::bad_model_file(format!("{file}: {error}")))
}

/// Metadata that is being written, by the keys that GGUF has for it.
pub(crate) struct Keys<'a> {
    architecture: &'a str,
    writer: Writer,
    written: Vec<String>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(architecture: &'a str) -> Self {
        Self {
            architecture,
            writer: Writer::new().str("general.architecture", architecture),
            written: Vec::new(),
        }
    }

    /// What is written first stays.
    fn put(&mut self, suffix: &str, write: impl FnOnce(Writer, &str) -> Writer) {
        if self.written.iter().any(|it| it == suffix) {
            return;
        }
        self.written.push(suffix.to_owned());
        let writer = std::mem::replace(&mut self.writer, Writer::new());
        self.writer = write(writer, &format!("{}.{suffix}", self.architecture));
    }

    /// How its tensors are held.
    pub(super) fn hub(&mut self, halves: bool, gains_less_one: bool) {
        self.bool(HALVES, halves);
        self.bool(GAINS_LESS_ONE, gains_less_one);
    }

    pub(crate) fn u32(&mut self, suffix: &str, value: u32) {
        self.put(suffix, |to, key| to.pair(key, 4, value.to_le_bytes()));
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "f32 is what metadata holds"
    )]
    pub(crate) fn f32(&mut self, suffix: &str, value: f64) {
        let value = value as f32;
        self.put(suffix, |to, key| to.pair(key, 6, value.to_le_bytes()));
    }

    pub(crate) fn bool(&mut self, suffix: &str, value: bool) {
        self.put(suffix, |to, key| to.pair(key, 7, [u8::from(value)]));
    }

    pub(crate) fn str(&mut self, suffix: &str, value: &str) {
        self.put(suffix, |to, key| to.str(key, value));
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "f32 is what metadata holds"
    )]
    pub(super) fn f32s(&mut self, suffix: &str, values: &[f64]) {
        let bytes = values.iter().flat_map(|it| (*it as f32).to_le_bytes());
        let bytes: Vec<u8> = bytes.collect();
        self.put(suffix, |to, key| {
            to.array(key, 6, values.len() as u64, bytes)
        });
    }

    pub(super) fn finish(self) -> Result<Metadata> {
        match Header::from_gguf(&self.writer.build())? {
            Parsed::Done(header) => Ok(header.metadata),
            Parsed::NeedMore { .. } => Err(Error::internal("metadata that ends too early")),
        }
    }
}
