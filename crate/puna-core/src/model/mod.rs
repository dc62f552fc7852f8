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

/// The config and the graph of the file's model, its weights checked against the file's tensor table.
///
/// # Errors
/// `unsupported_model` for an architecture, feature or tensor type that is not implemented,
/// `bad_model_file` for missing tensors, wrong shapes and absurd sizes.
pub fn open(gguf: &Gguf) -> Result<(ModelConfig, Graph)> {
    // The architecture comes first: it says which keys the config has.
    let architecture = gguf.metadata.required_str("general.architecture")?;
    let (_, build) = ARCHITECTURES
        .iter()
        .find(|(name, _)| *name == architecture)
        .ok_or_else(|| {
            let known: Vec<_> = ARCHITECTURES.iter().map(|(name, _)| *name).collect();
            Error::unsupported_model(format!(
                "architecture {:?} is not supported, expected one of {}",
                architecture,
                known.join(", ")
            ))
            .detail("architecture", architecture)
        })?;
    let config = ModelConfig::from_gguf(gguf)?;
    let mut builder = Builder::new(&config, gguf);
    build(&config, &mut builder)?;
    let graph = builder.finish()?;
    Ok((config, graph))
}
