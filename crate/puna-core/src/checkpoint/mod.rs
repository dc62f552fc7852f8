//! A checkpoint as Hugging Face's repositories hold it: `config.json`, a tokenizer's files, and weights in safetensors. To
//! everybody else it is a [`Header`] like any other, of files that are put end to end: its settings have the keys, and its
//! tensors the names, that GGUF has for them.
//!
//! What an architecture has of its own is in its file ([`Hub`]); all else is here.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

pub mod address;
mod companions;
mod names;
mod settings;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise"
)]
mod tests;
mod translate;

use std::sync::Arc;

use crate::model;
use crate::weights::header::{Header, Metadata, Origin, TensorInfo, refuse_duplicates};
use crate::weights::safetensors::{Entry, Safetensors};
use crate::weights::split::places;
use crate::{Error, Result};

pub use companions::{
    CHAT_TEMPLATE, COMPANIONS, CONFIG, Companions, GENERATION_CONFIG, INDEX, POOLING,
    SPECIAL_TOKENS_MAP, TOKENIZER, TOKENIZER_CONFIG, companions, is_required,
};
pub(crate) use settings::{GAINS_LESS_ONE, HALVES, Keys, Settings};

/// What Hugging Face's checkpoints of a model type have that others have not.
#[derive(Debug)]
pub(crate) struct Hub {
    /// `model_type` in `config.json`.
    pub(crate) model_type: &'static str,
    /// Parts of a layer that are called otherwise than in [`names`]: what they are here, and in GGUF.
    pub(crate) names: &'static [(&'static str, &'static str)],
    /// The same outside of layers; what is not used has no name in GGUF.
    pub(crate) outer: &'static [(&'static str, &'static str)],
    /// What stands in front of a layer's number.
    pub(crate) layers: &'static str,
    /// What `config.json` need not say, as JSON.
    pub(crate) defaults: &'static str,
    /// Whether rows of Q and K have the firsts of rotation pairs in one half of a head and the seconds in the other.
    pub(crate) halves: bool,
    /// Whether gains are stored less 1.
    pub(crate) gains_less_one: bool,
    /// What the activation of feed-forward layers is called.
    pub(crate) act: &'static str,
    /// Writes keys of its own, and refuses what is otherwise than its graph has it.
    pub(crate) translate: fn(&Settings, &mut Keys<'_>) -> Result<()>,
}

impl Hub {
    /// A model type that is like most.
    pub(crate) const fn new(model_type: &'static str) -> Self {
        Self {
            model_type,
            names: &[],
            outer: &[],
            layers: "layers.",
            defaults: "{}",
            halves: true,
            gains_less_one: false,
            act: "silu",
            translate: |_, _| Ok(()),
        }
    }
}

/// A file of weights.
#[derive(Clone, Debug)]
pub struct Shard {
    /// Its header.
    pub header: Safetensors,
    /// Its size.
    pub bytes: u64,
}

/// The header of a checkpoint, or of an adapter, and the size of its files put end to end: the companions that are there in the order of
/// [`COMPANIONS`], and the shards in theirs.
///
/// # Errors
/// `unsupported_model` for a model type, setting or type of weights that is not implemented, `bad_model_file` for missing or
/// malformed files.
pub fn header(companions: Companions, shards: Vec<Shard>) -> Result<(Header, u64)> {
    if companions.is_adapter() {
        // What its tensors are called depends on the model, which is not known here.
        let name = |name: &str| Some(name.to_owned());
        return assemble(companions, Metadata::default(), shards, &name);
    }
    let config = companions.required(CONFIG)?;
    let settings = Settings::parse(config)?;
    let (architecture, hub) = model::of_hub(settings.model_type()?)?;
    let settings = settings.with_defaults(hub.defaults)?;
    let pooling = companions.get(POOLING).map(translate::pooling_type);
    let pooling = pooling.transpose()?.filter(|_| architecture.encodes);
    let metadata = translate::metadata(&settings, architecture, hub, pooling)?;
    let name = |name: &str| names::translate(name, &settings, hub);
    assemble(companions, metadata, shards, &name)
}

/// Puts the files end to end; `name` says what a tensor is called, if it is wanted.
fn assemble(
    companions: Companions,
    metadata: Metadata,
    shards: Vec<Shard>,
    name: &dyn Fn(&str) -> Option<String>,
) -> Result<(Header, u64)> {
    let sizes = companions.sizes().chain(shards.iter().map(|it| it.bytes));
    let (starts, end) =
        places(sizes).ok_or_else(|| Error::bad_model_file("the files are larger than any"))?;
    let shard_starts = starts.iter().skip(companions.sizes().count());
    let mut data_offset = None;
    let mut tensors = Vec::new();
    for (shard, start) in shards.into_iter().zip(shard_starts) {
        let data = start.saturating_add(shard.header.data_offset);
        data_offset.get_or_insert(data);
        for entry in shard.header.tensors {
            let fits = entry.offset.saturating_add(entry.bytes) <= shard.bytes;
            if !fits {
                return Err(Error::bad_model_file(format!(
                    "tensor {}: its {} bytes at byte {} end behind the file's {}; it is cut short or damaged",
                    entry.name, entry.bytes, entry.offset, shard.bytes
                )));
            }
            if let Some(name) = name(&entry.name) {
                tensors.push(tensor(entry, name, *start)?);
            }
        }
    }
    let data_offset =
        data_offset.ok_or_else(|| Error::bad_model_file("the checkpoint has no weights"))?;
    refuse_duplicates(&tensors)?;
    let header = Header {
        origin: Origin::Checkpoint(Arc::new(companions)),
        metadata,
        tensors,
        data_offset,
        starts,
    };
    Ok((header, end))
}

/// The name that GGUF has for a tensor of a checkpoint of a model type; none if nobody knows it.
pub(crate) fn name_of(name: &str, hub: &Hub) -> Option<String> {
    let name = names::translate(name, &Settings::none(), hub);
    name.filter(|name| name.starts_with("blk.") || name == "output.weight")
}

fn tensor(entry: Entry, name: String, start: u64) -> Result<TensorInfo> {
    let ggml_type = match entry.dtype.as_str() {
        "F32" => 0,
        "F16" => 1,
        "BF16" => 30,
        other => {
            return Err(Error::unsupported_model(format!(
                "tensor {} has type {other}, expected F32, F16 or BF16: weights that others have quantised are read from GGUF",
                entry.name
            ))
            .detail("tensor", entry.name.as_str()));
        }
    };
    let mut dims: Vec<_> = entry.shape.into_iter().rev().collect();
    if dims.is_empty() {
        dims.push(1);
    }
    Ok(TensorInfo {
        name,
        dims,
        ggml_type,
        offset: entry.offset.saturating_add(start),
        bytes: entry.bytes,
    })
}
