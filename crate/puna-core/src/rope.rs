//! Rotary position embedding (Su et al. 2021, arXiv 2104.09864), and how models stretch it over longer contexts.

use serde::{Deserialize, Serialize};

use crate::angle::sin_cos;
use crate::{Error, Result};

/// How a token's position turns pairs of a head's dimensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rope {
    /// Base of the frequencies.
    pub theta: f64,
    /// How many of a head's dimensions rotate; the rest pass through. Even.
    pub dims: u32,
    /// What is done to the frequencies.
    pub scaling: Scaling,
    /// What each frequency is divided by, if that is given one by one.
    pub factors: Option<Factors>,
    /// What takes the place of these in contexts that the model was stretched to.
    pub longer: Option<Longer>,
    /// What cosines and sines are multiplied by.
    pub magnitude: f64,
}

/// Factors of a rotation for contexts beyond a length (`LongRoPE`, Ding et al. 2024, arXiv 2402.13753).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Longer {
    /// Most tokens of context without them.
    pub beyond: u32,
    /// The factors.
    pub factors: Factors,
}

/// What is done to all frequencies of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Scaling {
    /// Nothing.
    None,
    /// They are divided by this (Chen et al. 2023, arXiv 2306.15595).
    Linear(f64),
    /// The slow ones are divided, the fast ones not (Peng et al. 2023, arXiv 2309.00071).
    Yarn(Yarn),
    /// The same by wave lengths (Llama Team 2024, arXiv 2407.21783).
    Llama3(Llama3),
}

/// Which frequencies are divided, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Llama3 {
    /// What they are divided by.
    pub factor: f64,
    /// Tokens of context before the stretch.
    pub original_context: f64,
    /// Turns within it up to which one is divided by all of the factor.
    pub low_freq_factor: f64,
    /// Turns from which on a frequency stays.
    pub high_freq_factor: f64,
}

impl Llama3 {
    /// A frequency, in radians a position, as it is after the stretch.
    fn scaled(&self, frequency: f64) -> f64 {
        let turns = self.original_context * frequency / std::f64::consts::TAU;
        let (low, high) = (self.low_freq_factor, self.high_freq_factor);
        let kept = ((turns - low) / (high - low)).clamp(0.0, 1.0);
        frequency * kept + frequency / self.factor * (1.0 - kept)
    }
}

/// Which frequencies are divided, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Yarn {
    /// What they are divided by.
    pub factor: f64,
    /// Tokens of context before the stretch.
    pub original_context: f64,
    /// Turns within it from which on a frequency stays.
    pub beta_fast: f64,
    /// Turns up to which one is divided by all of the factor.
    pub beta_slow: f64,
    /// Whether the pairs of both are whole numbers.
    pub truncates: bool,
}

/// What multiplies cosines and sines where a rotation is stretched by `YaRN` and a model says nothing else.
pub(crate) fn magnitude(factor: f64) -> f64 {
    0.1 * factor.ln() + 1.0
}

impl Yarn {
    /// The share of pair `pair` that is divided, 0 to 1.
    fn share(&self, theta: f64, dims: f64, pair: f64) -> f64 {
        // The pair that turns so many times within the original context.
        let pair_of = |turns: f64| {
            let slowest = self.original_context / (turns * std::f64::consts::TAU);
            dims * slowest.ln() / (2.0 * theta.ln())
        };
        let (mut low, mut high) = (pair_of(self.beta_fast), pair_of(self.beta_slow));
        if self.truncates {
            (low, high) = (low.floor(), high.ceil());
        }
        let (low, high) = (low.max(0.0), high.min(dims - 1.0));
        ((pair - low) / (high - low).max(0.001)).clamp(0.0, 1.0)
    }
}

/// What each frequency is divided by, (dims / 2,).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Factors {
    /// Index into `Header::tensors`, if they are a tensor.
    pub tensor: Option<usize>,
    /// Empty until they were read.
    pub values: Vec<f32>,
}

impl Factors {
    /// Those of a tensor, which are still to come.
    #[must_use]
    pub const fn of_tensor(tensor: usize) -> Self {
        Self {
            tensor: Some(tensor),
            values: Vec::new(),
        }
    }
}

impl Rope {
    /// Plain rotation.
    #[must_use]
    pub const fn plain(theta: f64, dims: u32) -> Self {
        Self {
            theta,
            dims,
            scaling: Scaling::None,
            factors: None,
            longer: None,
            magnitude: 1.0,
        }
    }

    /// Takes factors from some bytes of their tensor, those from `offset` on.
    ///
    /// # Errors
    /// `bad_model_file` for more of them than there are frequencies, or one that is no positive number.
    pub fn supply(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        let Some(factors) = &mut self.factors else {
            return Ok(());
        };
        let count = self.dims as usize / 2;
        // What has not come yet is 0.
        factors.values.resize(count, 0.0);
        let first = usize::try_from(offset / 4).unwrap_or(usize::MAX);
        let (words, rest) = bytes.as_chunks();
        let room = factors.values.get_mut(first..);
        let room = room.and_then(|room| room.get_mut(..words.len()));
        let values = words.iter().map(|word| f32::from_le_bytes(*word));
        match room {
            Some(room) if rest.is_empty() => {
                for (ix, (to, value)) in room.iter_mut().zip(values).enumerate() {
                    if !value.is_finite() || value <= 0.0 {
                        return Err(Error::bad_model_file(format!(
                            "factor {} of the rotation is {value}, expected a positive number",
                            first.saturating_add(ix)
                        )));
                    }
                    *to = value;
                }
                Ok(())
            }
            _ => Err(Error::bad_model_file(format!(
                "the factors of the rotation are more than {count}, one for each frequency"
            ))),
        }
    }

    /// Whether all factors are there, if there are any.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let factors = self.factors.as_ref().map(|it| it.values.as_slice());
        factors.is_none_or(|values| !values.is_empty() && values.iter().all(|&it| it > 0.0))
    }

    /// `(cos, sin)` of one position's angles, (dims / 2, 2), computed in f64: the shader's own
    /// functions are accurate to 2^-11 only, and only near 0.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "f64 → f32 is the rounding that is wanted"
    )]
    pub fn row(&self, position: u32) -> Vec<[f32; 2]> {
        (0..self.dims / 2)
            .map(|pair| {
                let (sin, cos) = sin_cos(f64::from(position) * self.frequency(pair));
                [(self.magnitude * cos) as f32, (self.magnitude * sin) as f32]
            })
            .collect()
    }

    /// Radians a position.
    fn frequency(&self, pair: u32) -> f64 {
        let (pair, dims) = (f64::from(pair), f64::from(self.dims));
        let frequency = self.theta.powf(-2.0 * pair / dims);
        let scaled = match self.scaling {
            Scaling::None => frequency,
            Scaling::Linear(factor) => frequency / factor,
            Scaling::Yarn(yarn) => {
                let share = yarn.share(self.theta, dims, pair);
                frequency / yarn.factor * share + frequency * (1.0 - share)
            }
            Scaling::Llama3(llama3) => llama3.scaled(frequency),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a pair's number"
        )]
        let factor = self
            .factors
            .as_ref()
            .and_then(|factors| factors.values.get(pair as usize));
        scaled / f64::from(factor.copied().unwrap_or(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_turn_by_position() {
        let rope = Rope::plain(10_000.0, 4);
        assert_eq!(
            rope.row(0),
            [[1.0, 0.0], [1.0, 0.0]],
            "position 0 does not rotate"
        );
        let row = rope.row(1);
        assert!(
            (row[0][1] - 1f32.sin()).abs() < 1e-7,
            "the first pair turns by one radian a position"
        );
        assert!(
            (row[1][1] - 0.01f32.sin()).abs() < 1e-7,
            "the second by theta^(-1/2)"
        );
    }

    #[test]
    fn stretched_rotations_turn_slower() {
        let mut rope = Rope {
            scaling: Scaling::Linear(8.0),
            magnitude: 2.0,
            ..Rope::plain(10_000.0, 4)
        };
        let row = rope.row(4);
        assert!((row[0][0] - 2.0 * 0.5f32.cos()).abs() < 1e-6, "{row:?}");
        rope.factors = Some(Factors::of_tensor(0));
        let factors = [1.0f32, 4.0].map(f32::to_le_bytes).concat();
        assert!(!rope.is_complete(), "none has come");
        rope.supply(4, &factors[4..]).expect("the second");
        assert!(!rope.is_complete(), "one is missing");
        rope.supply(0, &factors[..4]).expect("the first");
        assert!(rope.is_complete(), "both are there");
        let row = rope.row(100);
        assert!(
            (row[1][1] - 2.0 * (100.0f32 * 0.01 / 32.0).sin()).abs() < 1e-6,
            "{row:?}"
        );
        for (offset, bad) in [(4, &factors[..]), (0, &[0; 8]), (0, &factors[..7])] {
            rope.supply(offset, bad).expect_err("no positive numbers");
        }
    }

    #[test]
    fn fast_pairs_stay_and_slow_ones_are_stretched() {
        let yarn = Yarn {
            factor: 40.0,
            original_context: 4096.0,
            beta_fast: 32.0,
            beta_slow: 1.0,
            truncates: true,
        };
        let rope = Rope {
            scaling: Scaling::Yarn(yarn),
            ..Rope::plain(10_000.0, 64)
        };
        // Pairs 10.4 and 22.5 turn 32 times and once: 10 and 23 bound the slope.
        for (pair, share) in [(0, 0.0), (10, 0.0), (15, 5.0 / 13.0), (23, 1.0), (31, 1.0)] {
            let plain = 10_000f64.powf(-f64::from(pair) / 32.0);
            let expected = plain * (1.0 - share) + plain / 40.0 * share;
            let got = rope.frequency(pair);
            assert!((got / expected - 1.0).abs() < 1e-12, "pair {pair}: {got}");
        }
        // With the pairs as they are.
        let exact = Rope {
            scaling: Scaling::Yarn(Yarn {
                truncates: false,
                ..yarn
            }),
            ..rope
        };
        let pair_of =
            |turns: f64| 32.0 * (4096.0 / (turns * std::f64::consts::TAU)).ln() / 10_000f64.ln();
        let (low, high) = (pair_of(32.0), pair_of(1.0));
        let share = (15.0 - low) / (high - low);
        let plain = 10_000f64.powf(-15.0 / 32.0);
        let expected = plain * (1.0 - share) + plain / 40.0 * share;
        let got = exact.frequency(15);
        assert!((got / expected - 1.0).abs() < 1e-12, "pair 15: {got}");
        assert!((magnitude(yarn.factor) - 1.368_887_9).abs() < 1e-6);
    }
}
