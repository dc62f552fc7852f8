//! What a request says about sampling.

use std::cmp::Ordering;

use crate::{Error, Result};

/// How the next token is chosen. The default changes nothing: it draws from the model's own distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingParams {
    /// Logits are divided by it; 0 takes the most likely token (and ignores the seed). At least 0.
    pub temperature: f32,
    /// Only the `top_k` most likely tokens; 0 = all.
    pub top_k: u32,
    /// Only the most likely tokens that together have this probability; 0 to 1.
    pub top_p: f32,
    /// Only tokens at least this much as likely as the most likely one; 0 to 1.
    pub min_p: f32,
    /// Divides positive and multiplies negative logits of tokens in the prompt or the answer; more than 0.
    pub repetition_penalty: f32,
    /// Subtracted from the logits of tokens in the answer.
    pub presence_penalty: f32,
    /// Subtracted from the logits of tokens in the answer, once for each time.
    pub frequency_penalty: f32,
    /// Added to the logits of these token ids.
    pub logit_bias: Vec<(u32, f32)>,
    /// The same seed gives the same answer.
    pub seed: u64,
}

impl Default for SamplingParams {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            logit_bias: Vec::new(),
            seed: 0,
        }
    }
}

impl SamplingParams {
    /// Always the most likely token.
    #[must_use]
    pub fn greedy() -> Self {
        Self {
            temperature: 0.0,
            ..Self::default()
        }
    }

    /// Whether the most likely token is taken.
    #[must_use]
    pub fn is_greedy(&self) -> bool {
        self.temperature <= 0.0
    }

    /// Whether tokens that were seen are penalized.
    #[must_use]
    pub fn has_penalties(&self) -> bool {
        is_other(self.repetition_penalty, 1.0)
            || is_other(self.frequency_penalty, 0.0)
            || is_other(self.presence_penalty, 0.0)
    }

    /// Checks every value, and the token ids against the size of the vocabulary.
    ///
    /// # Errors
    ///
    /// `invalid_request` naming the field.
    pub fn check(&self, vocab_size: usize) -> Result<()> {
        let in_range = [
            (
                "temperature",
                self.temperature,
                self.temperature >= 0.0,
                "at least 0",
            ),
            (
                "top_p",
                self.top_p,
                (0.0..=1.0).contains(&self.top_p),
                "from 0 to 1",
            ),
            (
                "min_p",
                self.min_p,
                (0.0..=1.0).contains(&self.min_p),
                "from 0 to 1",
            ),
            (
                "repetition_penalty",
                self.repetition_penalty,
                self.repetition_penalty > 0.0,
                "more than 0",
            ),
            ("presence_penalty", self.presence_penalty, true, "finite"),
            ("frequency_penalty", self.frequency_penalty, true, "finite"),
        ];
        for (name, value, holds, expected) in in_range {
            if !holds || !value.is_finite() {
                return Err(Error::invalid_request(
                    name,
                    format!(
                        "Invalid '{name}': expected a number {expected}, but got {value} instead."
                    ),
                ));
            }
        }
        for (id, bias) in &self.logit_bias {
            let known = usize::try_from(*id).is_ok_and(|ix| ix < vocab_size);
            if !known || !bias.is_finite() {
                return Err(Error::invalid_request(
                    "logit_bias",
                    format!(
                        "Invalid 'logit_bias': token {id} with bias {bias}; the model has tokens 0 to {}.",
                        vocab_size.saturating_sub(1)
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// Whether a setting is other than the value that does nothing. Exact on purpose.
pub(super) fn is_other(value: f32, neutral: f32) -> bool {
    value.total_cmp(&neutral) != Ordering::Equal
}
