//! Keys of the metadata: one by one, each checked; and those that nobody here knows the meaning of.

use crate::model::Architecture;
use crate::weights::header::Metadata;
use crate::{Error, Result};

/// Sizes that no known model exceeds; they keep every product of two of them inside 64 bits.
pub(super) const MAX_WIDTH: u32 = 1 << 20;
pub(super) const MAX_LAYERS: u32 = 1 << 10;
pub(super) const MAX_HEAD_DIM: u32 = 1 << 10;
pub(super) const MAX_CONTEXT: u32 = 1 << 24;
pub(super) const MAX_EXPERTS: u32 = 512;
pub(super) const MAX_EXPERTS_PER_TOK: u32 = 32;

/// A model's metadata, as its architecture names it.
pub(super) struct Keys<'a> {
    pub(super) meta: &'a Metadata,
    pub(super) architecture: &'a Architecture,
}

/// Keys that change the arithmetic, and the values of which that is not so: none, or numbers.
const ARITHMETIC: &[(&str, &[f32])] = &[
    ("rope.scaling.type", &[]),
    ("rope.scaling.factor", &[0.0, 1.0]),
    ("rope.scaling.attn_factor", &[0.0, 1.0]),
    ("rope.scale_linear", &[0.0, 1.0]),
    ("rope.freq_base_swa", &[]),
    ("attention.sliding_window_pattern", &[]),
    ("attention.sliding_window", &[0.0]),
    ("attn_logit_softcapping", &[0.0]),
    ("final_logit_softcapping", &[0.0]),
    ("attention.scale", &[0.0]),
    ("attention.clamp_kqv", &[0.0]),
    ("attention.max_alibi_bias", &[0.0]),
    ("attention.temperature_scale", &[0.0]),
    ("attention.temperature_length", &[]),
    ("attention.chunk_size", &[0.0]),
    ("interleave_moe_layer_step", &[0.0, 1.0]),
    ("logit_scale", &[0.0, 1.0]),
    ("residual_scale", &[0.0, 1.0]),
    ("embedding_scale", &[0.0, 1.0]),
    ("expert_count", &[0.0]),
    ("attention.kv_lora_rank", &[0.0]),
];

impl Keys<'_> {
    pub(super) fn key(&self, suffix: &str) -> String {
        format!("{}.{suffix}", self.architecture.name)
    }

    /// A number of whatever type.
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        let float = self.meta.f32(key).map(f64::from);
        float.or_else(|| self.meta.u32(key).map(f64::from))
    }

    /// A number of things, if there are any.
    pub(super) fn count(&self, suffix: &str) -> Result<Option<u32>> {
        let key = self.key(suffix);
        if !self.meta.contains(&key) {
            return Ok(None);
        }
        Ok(Some(self.meta.required_u32(&key)?).filter(|&count| count != 0))
    }

    /// A truth value.
    pub(super) fn flag(&self, suffix: &str, default: bool) -> Result<bool> {
        let key = self.key(suffix);
        match self.meta.contains(&key) {
            true => self.meta.required_bool(&key),
            false => Ok(default),
        }
    }

    /// A bound, if there is one.
    pub(super) fn cap(&self, suffix: &str) -> Result<Option<f32>> {
        let key = self.key(suffix);
        if !self.meta.contains(&key) || self.meta.required_f32(&key)? == 0.0 {
            return Ok(None);
        }
        self.positive(suffix, None).map(Some)
    }

    pub(super) fn size(&self, suffix: &str, max: u32) -> Result<u32> {
        let key = self.key(suffix);
        let value = self.meta.required_u32(&key)?;
        check_size(&key, value, max)
    }

    pub(super) fn size_or(&self, suffix: &str, max: u32, default: u32) -> Result<u32> {
        let key = self.key(suffix);
        let value = if self.meta.contains(&key) {
            self.meta.required_u32(&key)?
        } else {
            default
        };
        check_size(&key, value, max)
    }

    pub(super) fn positive(&self, suffix: &str, default: Option<f32>) -> Result<f32> {
        let key = self.key(suffix);
        let value = match default {
            Some(default) if !self.meta.contains(&key) => default,
            _ => self.meta.required_f32(&key)?,
        };
        if value.is_finite() && value > 0.0 {
            Ok(value)
        } else {
            Err(Error::bad_model_file(format!(
                "{key} is {value}, expected a positive number"
            )))
        }
    }

    /// Features that change the arithmetic: running on without them would give wrong words.
    pub(super) fn refuse_unsupported(&self) -> Result<()> {
        if self.flag("attention.causal", !self.architecture.encodes)? == self.architecture.encodes {
            return Err(Error::unsupported_model(format!(
                "{} is {}: this architecture is supported as one that {}",
                self.key("attention.causal"),
                self.architecture.encodes,
                match self.architecture.encodes {
                    true => "makes vectors of texts",
                    false => "writes texts",
                }
            )));
        }
        for (suffix, neutral) in ARITHMETIC {
            let key = self.key(suffix);
            if !self.meta.contains(&key) || self.architecture.knows(suffix) {
                continue;
            }
            let number = self.number(&key);
            let changes = match number {
                Some(number) => !neutral.iter().any(|&it| f64::from(it) == number),
                None => self.meta.str(&key) != Some("none"),
            };
            if changes {
                let value = self.meta.describe(&key).unwrap_or_default();
                return Err(Error::unsupported_model(format!(
                    "{key} = {value} is not supported"
                )));
            }
        }
        Ok(())
    }
}

/// Fails unless a size is one that a model may have.
fn check_size(key: &str, value: u32, max: u32) -> Result<u32> {
    if (1..=max).contains(&value) {
        Ok(value)
    } else {
        Err(Error::bad_model_file(format!(
            "{key} is {value}, expected 1 to {max}"
        )))
    }
}
