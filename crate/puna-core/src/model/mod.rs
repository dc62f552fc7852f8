//! The architectures: one file each, one line each in [`ARCHITECTURES`].
//!
//! A model file turns a config into ops over named tensors. It mentions no buffer, no pipeline, no
//! format and no device, and it never loads anything.

mod llama;

use crate::config::ModelConfig;
use crate::graph::{Builder, Graph};
use crate::weights::gguf::Gguf;
use crate::{Error, Result};

type Build = fn(&ModelConfig, &mut Builder<'_>) -> Result<()>;

/// Every architecture, by `general.architecture`.
pub static ARCHITECTURES: &[(&str, Build)] = &[("llama", llama::build)];

/// The graph of the file's model, its weights checked against the file's tensor table.
///
/// # Errors
/// `unsupported_model` for an architecture or tensor type that is not implemented,
/// `bad_model_file` for missing tensors and wrong shapes.
pub fn build(config: &ModelConfig, gguf: &Gguf) -> Result<Graph> {
    let (_, build) = ARCHITECTURES
        .iter()
        .find(|(name, _)| *name == config.architecture)
        .ok_or_else(|| {
            let known: Vec<_> = ARCHITECTURES.iter().map(|(name, _)| *name).collect();
            Error::unsupported_model(format!(
                "architecture {:?} is not supported, expected one of {}",
                config.architecture,
                known.join(", ")
            ))
            .detail("architecture", config.architecture.as_str())
        })?;
    let mut builder = Builder::new(config, gguf);
    build(config, &mut builder)?;
    Ok(builder.finish())
}

/// Whether `architecture` is implemented: asked before the config is read, whose keys it decides.
#[must_use]
pub fn is_supported(architecture: &str) -> bool {
    ARCHITECTURES.iter().any(|(name, _)| *name == architecture)
}
