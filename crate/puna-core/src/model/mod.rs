//! The architectures: one file each, one line each in [`ARCHITECTURES`].
//!
//! A model file turns a config into ops over named tensors. It mentions no buffer, no pipeline, no
//! format and no device, and it never loads anything.

mod bert;
mod blocks;
mod deepseek2;
mod encoder;
mod experts;
mod gemma2;
mod gemma3;
mod gpt_oss;
mod latent;
mod llama;
mod llama4;
mod nomic_bert;
mod olmo2;
mod phi3;
mod qwen2;
mod qwen3;
mod qwen3moe;
mod smollm3;

use crate::checkpoint::Hub;
use crate::config::ModelConfig;
use crate::graph::{Builder, Graph};
use crate::weights::header::Header;
use crate::{Error, Result, adapter};

/// What makes an architecture.
#[derive(Debug)]
pub struct Architecture {
    /// `general.architecture`.
    pub name: &'static str,
    /// The models that have it, for people.
    pub models: &'static str,
    /// Emits its ops.
    build: fn(&ModelConfig, &mut Builder<'_>) -> Result<()>,
    /// Whether the rows of Q and K have the firsts of rotation pairs in one half of a head and the seconds in the other.
    pub(crate) halves: bool,
    /// Keys of the metadata that change the arithmetic, of which it knows what they mean.
    keys: &'static [&'static [&'static str]],
    /// Model types that Hugging Face's checkpoints of it have.
    hubs: &'static [Hub],
    /// Base of the rotation where the file does not say.
    pub(crate) rope_theta: f32,
    /// The same in layers that see a window, where these have a rotation of their own.
    pub(crate) local_rope_theta: Option<f32>,
    /// Whether the bounds of a rotation that is stretched by `YaRN` are whole numbers of pairs.
    pub(crate) yarn_truncates: bool,
    /// The key of what is added to the mean square in norms.
    pub(crate) norm_eps: &'static str,
    /// Whether it makes vectors of whole texts, and no logits.
    pub(crate) encodes: bool,
}

impl Architecture {
    const fn new(
        name: &'static str,
        models: &'static str,
        build: fn(&ModelConfig, &mut Builder<'_>) -> Result<()>,
    ) -> Self {
        Self {
            name,
            models,
            build,
            halves: false,
            keys: &[],
            hubs: &[],
            rope_theta: 10_000.0,
            local_rope_theta: None,
            yarn_truncates: true,
            norm_eps: "attention.layer_norm_rms_epsilon",
            encodes: false,
        }
    }

    /// What `config.json` may call it at Hugging Face.
    pub fn model_types(&self) -> impl Iterator<Item = &'static str> {
        self.hubs.iter().map(|hub| hub.model_type)
    }

    /// How checkpoints of it are held at Hugging Face.
    pub(crate) fn hubs(&self) -> impl Iterator<Item = &'static Hub> {
        self.hubs.iter()
    }

    /// Whether it knows what a key means that changes the arithmetic.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.keys.iter().any(|keys| keys.contains(&key))
    }
}

/// Keys of rotations that are stretched.
const SCALED_ROPE: &[&str] = &[
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.scaling.attn_factor",
    "rope.scale_linear",
];

/// Every architecture, a line each.
pub static ARCHITECTURES: &[&Architecture] = &[
    &llama::LLAMA,
    &llama4::LLAMA4,
    &qwen2::QWEN2,
    &qwen3::QWEN3,
    &qwen3moe::QWEN3MOE,
    &gemma2::GEMMA2,
    &gemma3::GEMMA3,
    &phi3::PHI3,
    &olmo2::OLMO2,
    &smollm3::SMOLLM3,
    &gpt_oss::GPT_OSS,
    &deepseek2::DEEPSEEK2,
    &bert::BERT,
    &nomic_bert::NOMIC_BERT,
];

/// The architecture of that name.
///
/// # Errors
/// `unsupported_model` with the names of all that there are.
pub fn find(name: &str) -> Result<&'static Architecture> {
    let mut all = ARCHITECTURES.iter().copied();
    all.find(|it| it.name == name).ok_or_else(|| {
        let known: Vec<_> = ARCHITECTURES.iter().map(|it| it.name).collect();
        Error::unsupported_model(format!(
            "architecture {name:?} is not supported, expected one of {}",
            known.join(", ")
        ))
        .detail("architecture", name)
    })
}

/// The architecture of a checkpoint's model type, and how it is held there.
///
/// # Errors
/// `unsupported_model` with the names of all that there are.
pub(crate) fn of_hub(model_type: &str) -> Result<(&'static Architecture, &'static Hub)> {
    let all = || {
        let all = ARCHITECTURES.iter().copied();
        all.flat_map(|architecture| architecture.hubs.iter().map(move |hub| (architecture, hub)))
    };
    let found = all().find(|(_, hub)| hub.model_type == model_type);
    found.ok_or_else(|| {
        let known: Vec<_> = all().map(|(_, hub)| hub.model_type).collect();
        Error::unsupported_model(format!(
            "model type {model_type:?} is not supported, expected one of {}",
            known.join(", ")
        ))
        .detail("architecture", model_type)
    })
}

/// The config and the graph of the file's model, its weights checked against the file's tensor table.
///
/// # Errors
/// `unsupported_model` for an architecture, feature or tensor type that is not implemented,
/// `bad_model_file` for missing tensors, wrong shapes and absurd sizes.
pub fn open(header: &Header) -> Result<(ModelConfig, Graph)> {
    if header.metadata.str("general.type") == Some(adapter::TYPE) {
        return Err(Error::unsupported_model(
            "the file is an adapter; load the model that it is for, and give this among its adapters",
        ));
    }
    // The architecture comes first: it says which keys the config has.
    let architecture = find(header.metadata.required_str("general.architecture")?)?;
    let config = ModelConfig::from_header(header, architecture)?;
    let graph = build(header, architecture, &config)?;
    Ok((config, graph))
}

/// The graph as it would be if rows of Q and K had their rotation pairs in halves, or had not: where rows land of tensors that
/// are held otherwise than the model's own.
///
/// # Errors
/// As [`open`].
pub(crate) fn with_halves(header: &Header, halves: bool) -> Result<Graph> {
    let architecture = find(header.metadata.required_str("general.architecture")?)?;
    let config = ModelConfig::from_header(header, architecture)?.with_halves(halves);
    build(header, architecture, &config)
}

fn build(header: &Header, architecture: &Architecture, config: &ModelConfig) -> Result<Graph> {
    let mut builder = Builder::new(config, header);
    (architecture.build)(config, &mut builder)?;
    builder.finish()
}
