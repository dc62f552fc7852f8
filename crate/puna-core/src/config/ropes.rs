//! Rotations, as the metadata describes them.

use super::keys::{Keys, MAX_CONTEXT};
use crate::rope::{Factors, Llama3, Longer, Rope, Scaling, Yarn, magnitude};
use crate::weights::header::Header;
use crate::{Error, Result};

/// What the logarithm of a stretch is multiplied by in the factor of scores.
const YARN_LOG_MULTIPLIER: &str = "rope.scaling.yarn_log_multiplier";

/// Tokens of context before a stretch.
const ORIGINAL_CONTEXT: &str = "rope.scaling.original_context_length";

impl Keys<'_> {
    /// What scores are multiplied by where rotations are stretched: `mscale²` of the authors.
    #[expect(clippy::cast_possible_truncation, reason = "f32 is what scores are")]
    pub(super) fn score_scale(&self, scaling: Scaling) -> f32 {
        let multiplier = self.meta.f32(&self.key(YARN_LOG_MULTIPLIER));
        match (scaling, multiplier) {
            (Scaling::Yarn(yarn), Some(multiplier)) => {
                (1.0 + f64::from(multiplier) * yarn.factor.ln()).powi(2) as f32
            }
            _ => 1.0,
        }
    }

    /// The rotations: one, or a second one for layers that see a window.
    pub(super) fn ropes(&self, header: &Header, dims: u32, scaling: Scaling) -> Result<Vec<Rope>> {
        let theta = f64::from(self.positive("rope.freq_base", Some(self.architecture.rope_theta))?);
        let factors = |name: &str| {
            let tensor = header
                .tensors
                .iter()
                .position(|tensor| tensor.name == name)?;
            Some(Factors::of_tensor(tensor))
        };
        let given = |suffix: &str| self.factors(suffix, dims);
        let short = factors("rope_freqs.weight").or_else(|| factors("rope_factors_short.weight"));
        let short = short.map_or_else(|| given("rope.scaling.short_factor"), |it| Ok(Some(it)))?;
        let long = factors("rope_factors_long.weight");
        let long = long.map_or_else(|| given("rope.scaling.long_factor"), |it| Ok(Some(it)))?;
        let by_scaling = match scaling {
            // What stands here is that of the scores.
            Scaling::Yarn(_) if self.meta.contains(&self.key(YARN_LOG_MULTIPLIER)) => 1.0,
            Scaling::Yarn(yarn) => magnitude(yarn.factor),
            Scaling::None | Scaling::Linear(_) | Scaling::Llama3(_) => 1.0,
        };
        let by_file = self.positive("rope.scaling.attn_factor", Some(1.0))?;
        let rope = Rope {
            theta,
            dims,
            scaling,
            factors: short,
            longer: match long {
                Some(factors) => Some(Longer {
                    beyond: self.size(ORIGINAL_CONTEXT, MAX_CONTEXT)?,
                    factors,
                }),
                None => None,
            },
            magnitude: f64::from(by_file) * by_scaling,
        };
        let mut ropes = vec![rope];
        if let Some(local) = self.architecture.local_rope_theta {
            let theta = self.positive("rope.freq_base_swa", Some(local))?;
            ropes.push(Rope::plain(f64::from(theta), dims));
        }
        Ok(ropes)
    }

    /// What each frequency is divided by, where it stands in the metadata.
    fn factors(&self, suffix: &str, dims: u32) -> Result<Option<Factors>> {
        let key = self.key(suffix);
        if !self.meta.contains(&key) {
            return Ok(None);
        }
        let values = self.meta.required_f32s(&key)?;
        let count = dims as usize / 2;
        if values.len() == count && values.iter().all(|it| it.is_finite() && *it > 0.0) {
            return Ok(Some(Factors {
                tensor: None,
                values,
            }));
        }
        Err(Error::bad_model_file(format!(
            "{key} has {} numbers, expected {count} that are positive",
            values.len()
        )))
    }

    /// What is done to all frequencies.
    pub(super) fn scaling(&self) -> Result<Scaling> {
        let kind = self.key("rope.scaling.type");
        let kind = match self.meta.contains(&kind) {
            true => self.meta.required_str(&kind)?,
            // Without a type the scaling is linear.
            false => "linear",
        };
        // The second is the older name.
        let named = |suffix: &&str| {
            let value = self.number(&self.key(suffix));
            value.is_some_and(|value| value != 0.0)
        };
        let mut given = ["rope.scaling.factor", "rope.scale_linear"].into_iter();
        let factor = match given.find(named) {
            Some(suffix) => f64::from(self.positive(suffix, None)?),
            None => 1.0,
        };
        let number = |suffix, default| self.positive(suffix, default).map(f64::from);
        let original_context = || self.size(ORIGINAL_CONTEXT, MAX_CONTEXT).map(f64::from);
        match kind {
            // The first divides frequencies one by one.
            "longrope" | "none" => Ok(Scaling::None),
            "linear" if factor == 1.0 => Ok(Scaling::None),
            "linear" => Ok(Scaling::Linear(factor)),
            "yarn" => Ok(Scaling::Yarn(Yarn {
                factor,
                original_context: original_context()?,
                beta_fast: number("rope.scaling.yarn_beta_fast", Some(32.0))?,
                beta_slow: number("rope.scaling.yarn_beta_slow", Some(1.0))?,
                truncates: self.architecture.yarn_truncates,
            })),
            "llama3" => {
                let llama3 = Llama3 {
                    factor,
                    original_context: original_context()?,
                    low_freq_factor: number("rope.scaling.low_freq_factor", None)?,
                    high_freq_factor: number("rope.scaling.high_freq_factor", None)?,
                };
                if llama3.low_freq_factor < llama3.high_freq_factor {
                    return Ok(Scaling::Llama3(llama3));
                }
                Err(Error::bad_model_file(format!(
                    "the rotation's factors of low and high frequencies are {} and {}, expected a smaller and a larger one",
                    llama3.low_freq_factor, llama3.high_freq_factor
                )))
            }
            _ => Err(Error::unsupported_model(format!(
                "{} = {kind:?} is not supported",
                self.key("rope.scaling.type")
            ))),
        }
    }
}
