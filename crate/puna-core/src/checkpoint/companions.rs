//! The files beside a checkpoint's weights.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::adapter::{ADAPTER_CONFIG, ADAPTER_WEIGHTS};
use crate::sorted::sorted;
use crate::{Error, Result};

/// Sizes, and what sort of model it is.
pub const CONFIG: &str = "config.json";
/// Which file has which tensor, where the weights are in several.
pub const INDEX: &str = "model.safetensors.index.json";
/// The vocabulary, and how texts are cut.
pub const TOKENIZER: &str = "tokenizer.json";
/// Which tokens begin and end a text; in older checkpoints the chat template, too.
pub const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
/// The same tokens, for what the one before does not say.
pub const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
/// Which tokens end an answer.
pub const GENERATION_CONFIG: &str = "generation_config.json";
/// The chat template.
pub const CHAT_TEMPLATE: &str = "chat_template.jinja";
/// How encoders make one vector of a text's.
pub const POOLING: &str = "1_Pooling/config.json";
/// The one file of weights, where there is no index.
const WHOLE: &str = "model.safetensors";

/// Names of the files, in the order in which they are put end to end: an adapter's one first.
pub const COMPANIONS: [&str; 9] = [
    ADAPTER_CONFIG,
    CONFIG,
    TOKENIZER,
    TOKENIZER_CONFIG,
    SPECIAL_TOKENS_MAP,
    GENERATION_CONFIG,
    CHAT_TEMPLATE,
    POOLING,
    INDEX,
];

/// Files of weights of the largest models known: some 200.
const MAX_SHARDS: usize = 1 << 10;
/// The largest tokenizer known has 33 MB.
const MAX_FILE_BYTES: usize = 64 << 20;

/// Whether a checkpoint without that companion can't be run.
#[must_use]
pub fn is_required(name: &str) -> bool {
    [CONFIG, TOKENIZER, ADAPTER_CONFIG].contains(&name)
}

/// Names of the files that stand beside an adapter's weights, or a model's.
pub fn companions(of_adapter: bool) -> impl Iterator<Item = &'static str> {
    let of_it = move |name: &&str| (*name == ADAPTER_CONFIG) == of_adapter;
    COMPANIONS.into_iter().filter(of_it)
}

/// Contents of the files that a checkpoint has.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Companions {
    /// In the order of [`COMPANIONS`].
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Companions {
    /// Adds a file, in the order of [`COMPANIONS`].
    ///
    /// # Errors
    /// `bad_model_file` for one that is none or comes too late, or that is larger than any.
    pub fn push(&mut self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let place = |name: &str| COMPANIONS.iter().position(|it| *it == name);
        let last = self.files.last().and_then(|(last, _)| place(last));
        let known = place(name).filter(|place| last.is_none_or(|last| last < *place));
        let Some(known) = known.and_then(|place| COMPANIONS.get(place)) else {
            return Err(Error::bad_model_file(format!(
                "{name}: no file of a checkpoint, or not in its order"
            )));
        };
        if bytes.len() > MAX_FILE_BYTES {
            return Err(Error::bad_model_file(format!(
                "{name} has {} bytes; at most {MAX_FILE_BYTES} are possible",
                bytes.len()
            )));
        }
        self.files.push((known, bytes));
        Ok(())
    }

    /// The contents of a file.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let mut files = self.files.iter();
        let (_, bytes) = files.find(|(it, _)| *it == name)?;
        Some(bytes)
    }

    /// The contents of a file that a checkpoint must have.
    ///
    /// # Errors
    /// `bad_model_file` if it has not.
    pub fn required(&self, name: &str) -> Result<&[u8]> {
        self.get(name)
            .ok_or_else(|| Error::bad_model_file(format!("the checkpoint has no {name}")))
    }

    /// Whether they are an adapter's.
    #[must_use]
    pub fn is_adapter(&self) -> bool {
        self.get(ADAPTER_CONFIG).is_some()
    }

    /// Names of the files that are there, and their sizes.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let files = self.files.iter();
        files.map(|(name, bytes)| (*name, bytes.len() as u64))
    }

    pub(super) fn sizes(&self) -> impl Iterator<Item = u64> {
        self.files().map(|(_, bytes)| bytes)
    }

    /// Names of the files of weights, in the order in which they are put end to end.
    ///
    /// # Errors
    /// `bad_model_file` for an index that is malformed, or names files elsewhere.
    pub fn shards(&self) -> Result<Vec<String>> {
        if self.is_adapter() {
            return Ok(vec![ADAPTER_WEIGHTS.to_owned()]);
        }
        let Some(index) = self.get(INDEX) else {
            return Ok(vec![WHOLE.to_owned()]);
        };
        let index: Index = serde_json::from_slice(index)
            .map_err(|error| Error::bad_model_file(format!("{INDEX}: {error}")))?;
        let names = index.weight_map.0;
        if names.is_empty() || names.len() > MAX_SHARDS {
            return Err(Error::bad_model_file(format!(
                "{INDEX} names {} files, expected 1 to {MAX_SHARDS}",
                names.len()
            )));
        }
        if let Some(name) = names.iter().find(|name| !is_beside(name)) {
            return Err(Error::bad_model_file(format!(
                "{INDEX} names {name:?}, expected the name of a safetensors file beside it"
            )));
        }
        Ok(names)
    }
}

impl fmt::Debug for Companions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.files()).finish()
    }
}

/// Whether it is the name of a file in the same folder, in whatever address it is put.
fn is_beside(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.len() <= 255
        && name.chars().all(plain)
        && !name.starts_with('.')
        && name.ends_with(".safetensors")
}

#[derive(Deserialize)]
struct Index {
    weight_map: Values,
}

/// The values of an object: a name of a file a tensor, each kept once, in order.
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of files by tensors' names")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Values, A::Error> {
                let mut files: Vec<String> = Vec::new();
                while map.next_key::<IgnoredAny>()?.is_some() {
                    let file = map.next_value()?;
                    // Tensors of one file mostly stand together.
                    if files.last() != Some(&file) {
                        files.push(file);
                    }
                }
                let mut files = sorted(files, &Ord::cmp);
                files.dedup();
                Ok(Values(files))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
