//! Vectors of texts, made of their tokens' (Reimers and Gurevych 2019, arXiv 1908.10084).

use crate::{Error, Result};

/// How a text's vector is made of its tokens'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The mean of all.
    Mean,
    /// That of the first, which stands for the text.
    First,
    /// That of the last.
    Last,
}

impl Pooling {
    /// The vector (D,) of length 1 of a text whose tokens have these, (T, D).
    ///
    /// # Errors
    /// `internal` for no tokens, for what is no number, and for what has no direction.
    #[expect(clippy::cast_possible_truncation, reason = "f32 is what vectors are")]
    pub fn pool(self, tokens: &[f32], width: usize) -> Result<Vec<f32>> {
        let rows = || tokens.chunks_exact(width.max(1));
        let mut sums = vec![0.0_f64; width];
        let mut add = |row: &[f32]| {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += f64::from(*value);
            }
        };
        let count = rows().len();
        match self {
            Self::Mean => rows().for_each(&mut add),
            Self::First => rows().take(1).for_each(&mut add),
            Self::Last => rows().skip(count.saturating_sub(1)).for_each(&mut add),
        }
        if count == 0 {
            return Err(Error::internal("a text without tokens has no vector"));
        }
        let length = sums.iter().map(|sum| sum * sum).sum::<f64>().sqrt();
        if !length.is_normal() {
            return Err(Error::internal(format!(
                "a text of {count} tokens has a vector of length {length}"
            )));
        }
        Ok(sums.iter().map(|sum| (sum / length) as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_vector_of_length_1() {
        let tokens = [3.0, 0.0, 0.0, 0.0, 0.0, 8.0];
        for (pooling, expected) in [
            (Pooling::Mean, [3.0 / 73_f32.sqrt(), 8.0 / 73_f32.sqrt()]),
            (Pooling::First, [1.0, 0.0]),
            (Pooling::Last, [0.0, 1.0]),
        ] {
            assert_eq!(pooling.pool(&tokens, 2).unwrap(), expected, "{pooling:?}");
        }
        Pooling::Mean.pool(&[], 2).expect_err("no tokens");
        Pooling::First
            .pool(&[0.0, 0.0], 2)
            .expect_err("no direction");
        Pooling::Last
            .pool(&[f32::NAN, 1.0], 2)
            .expect_err("no number");
    }
}
