//! What an adapter's tensors are called, which of the model's they are for, and what they are multiplied by.

use super::{TYPE, peft};
use crate::checkpoint::Companions;
use crate::weights::header::{Header, Origin};
use crate::{Error, Result, model};

/// Which of the two thin matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    /// A.
    Down,
    /// B.
    Up,
}

/// A tensor that was understood.
#[derive(Debug)]
pub(super) struct Named {
    /// The model's tensor, as GGUF calls it.
    pub(super) target: String,
    pub(super) half: Half,
    /// Index into the adapter's.
    pub(super) tensor: usize,
}

/// What B·A is multiplied by.
#[derive(Debug)]
pub(super) enum Scaling {
    /// The same numerator for all; 0 is none.
    Alpha(f32),
    /// What PEFT's settings say.
    Peft(Box<peft::Scaling>),
}

impl Scaling {
    pub(super) fn scale(&self, target: &str, rank: usize) -> Result<f32> {
        let scale = match self {
            Self::Alpha(0.0) => 1.0,
            Self::Alpha(alpha) => alpha / rank as f32,
            Self::Peft(scaling) => scaling.scale(target, rank),
        };
        match scale.is_finite() {
            true => Ok(scale),
            false => Err(Error::bad_model_file(format!(
                "{target} is multiplied by {scale}"
            ))),
        }
    }
}

/// What an adapter's header says.
pub(super) struct Found {
    pub(super) tensors: Vec<Named>,
    pub(super) scaling: Scaling,
    /// Whether rows of Q and K have their rotation pairs in halves.
    pub(super) halves: bool,
}

pub(super) fn read(header: &Header, model: &Header) -> Result<Found> {
    match &header.origin {
        Origin::Gguf { .. } => of_gguf(header, model),
        Origin::Checkpoint(companions) => of_peft(header, companions, model),
    }
}

/// As llama.cpp's `convert_lora_to_gguf.py` writes it.
fn of_gguf(header: &Header, model: &Header) -> Result<Found> {
    let meta = &header.metadata;
    let kind = meta.str("general.type").unwrap_or("model");
    if kind != TYPE {
        return Err(Error::unsupported_model(format!(
            "general.type is {kind:?}, expected {TYPE:?}: the file is no adapter"
        )));
    }
    let sort = meta.required_str("adapter.type")?;
    if sort != "lora" {
        return Err(Error::unsupported_model(format!(
            "adapter.type is {sort:?}, expected \"lora\""
        )));
    }
    let tokens = "adapter.alora.invocation_tokens";
    if meta.contains(tokens) {
        return Err(Error::unsupported_model(format!(
            "{tokens}: adapters that begin within a prompt are not supported"
        )));
    }
    let own = meta.required_str("general.architecture")?;
    let name = model.metadata.required_str("general.architecture")?;
    if own != name {
        return Err(Error::unsupported_model(format!(
            "the adapter is of a model of architecture {own:?}, and this is a {name:?}"
        )));
    }
    let mut tensors = Vec::new();
    for (ix, tensor) in header.tensors.iter().enumerate() {
        let stem = |end: &str| tensor.name.strip_suffix(end).map(str::to_owned);
        let (target, half) = match (stem(".lora_a"), stem(".lora_b")) {
            (Some(target), _) => (target, Half::Down),
            (_, Some(target)) => (target, Half::Up),
            _ => return Err(unknown(&tensor.name)),
        };
        tensors.push(Named {
            target,
            half,
            tensor: ix,
        });
    }
    Ok(Found {
        tensors,
        scaling: Scaling::Alpha(meta.required_f32("adapter.lora.alpha")?),
        halves: model::find(own)?.halves,
    })
}

/// As PEFT saves it.
fn of_peft(header: &Header, companions: &Companions, model: &Header) -> Result<Found> {
    let scaling = peft::Scaling::parse(companions.required(peft::ADAPTER_CONFIG)?)?;
    let architecture = model::find(model.metadata.required_str("general.architecture")?)?;
    let mut first = None;
    for hub in architecture.hubs() {
        let mut scaling = scaling.clone();
        match tensors(header, hub, model, &mut scaling) {
            Ok(tensors) => {
                return Ok(Found {
                    tensors,
                    scaling: Scaling::Peft(Box::new(scaling)),
                    halves: hub.halves,
                });
            }
            Err(error) => _ = first.get_or_insert(error),
        }
    }
    Err(first.unwrap_or_else(|| {
        Error::unsupported_model(format!(
            "the model is a {}, of which there are no adapters in safetensors",
            architecture.name
        ))
    }))
}

/// The tensors, by the names that models of a type have at Hugging Face.
fn tensors(
    header: &Header,
    hub: &crate::checkpoint::Hub,
    model: &Header,
    scaling: &mut peft::Scaling,
) -> Result<Vec<Named>> {
    let mut named = Vec::new();
    for (ix, tensor) in header.tensors.iter().enumerate() {
        let (module, half) = peft::module(&tensor.name).ok_or_else(|| unknown(&tensor.name))?;
        let target = crate::checkpoint::name_of(&format!("{module}.weight"), hub);
        let target = target.filter(|target| model.tensor(target).is_some());
        let target = target.ok_or_else(|| {
            Error::unsupported_model(format!(
                "the adapter changes {module}, which the model has not: it is of another model"
            ))
            .detail("tensor", tensor.name.as_str())
        })?;
        scaling.learn(&target, module);
        named.push(Named {
            target,
            half,
            tensor: ix,
        });
    }
    Ok(named)
}

fn unknown(name: &str) -> Error {
    let why = if name.contains("lora_magnitude_vector") {
        "adapters whose directions have lengths of their own (DoRA) are not supported"
    } else if name.contains("lora_embedding") {
        "adapters of embeddings are not supported"
    } else {
        "expected pairs of thin matrices (LoRA) and nothing else: whole tensors belong into the model"
    };
    Error::unsupported_model(format!("tensor {name}: {why}")).detail("tensor", name)
}
