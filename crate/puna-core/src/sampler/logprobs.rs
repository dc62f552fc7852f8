//! What a model thought of a token: logarithms of probabilities, natural ones, of its own distribution, before bias,
//! penalties and temperature.

use std::cmp::Ordering;

/// A distribution over the tokens.
#[derive(Clone, Debug)]
pub struct LogProbs {
    /// (V,).
    logits: Vec<f32>,
    /// ln Σ exp(logit).
    log_sum: f64,
}

impl LogProbs {
    /// Of logits (V,), which are finite.
    #[must_use]
    pub fn of(logits: &[f32]) -> Self {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let max = f64::from(max);
        let sum: f64 = logits
            .iter()
            .map(|logit| (f64::from(*logit) - max).exp())
            .sum();
        Self {
            logits: logits.to_vec(),
            log_sum: max + sum.ln(),
        }
    }

    /// Of a token; 0 is certain.
    #[must_use]
    pub fn of_token(&self, id: u32) -> f32 {
        let logit = usize::try_from(id).ok().and_then(|ix| self.logits.get(ix));
        #[expect(
            clippy::cast_possible_truncation,
            reason = "logits have no more digits"
        )]
        logit.map_or(f32::NEG_INFINITY, |logit| {
            (f64::from(*logit) - self.log_sum) as f32
        })
    }

    /// The likeliest tokens, `count` of them or all, equals by id.
    #[must_use]
    pub fn top(&self, count: usize) -> Vec<(u32, f32)> {
        let rank = |a: &(u32, f32), b: &(u32, f32)| -> Ordering {
            b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
        };
        let mut top: Vec<(u32, f32)> = Vec::with_capacity(count.saturating_add(1));
        for entry in (0..).zip(self.logits.iter().copied()) {
            let is_better = top
                .last()
                .is_none_or(|last| top.len() < count || rank(&entry, last) == Ordering::Less);
            if count > 0 && is_better {
                let at = top.partition_point(|it| rank(it, &entry) == Ordering::Less);
                top.insert(at, entry);
                top.truncate(count);
            }
        }
        top.iter()
            .map(|(id, _)| (*id, self.of_token(*id)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_and_the_likeliest_come_first() {
        let logits = [0.5, 3.0, -2.0, 3.0, 700.0, 699.0];
        let of = LogProbs::of(&logits);
        let sum: f32 = (0..6).map(|id| of.of_token(id).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        assert!((of.of_token(4) - (-0.313_261_7)).abs() < 1e-5);
        let ids = |count: usize| -> Vec<u32> { of.top(count).iter().map(|it| it.0).collect() };
        assert_eq!(ids(0), [0; 0]);
        assert_eq!(ids(1), [4]);
        assert_eq!(ids(4), [4, 5, 1, 3], "equals by id");
        assert_eq!(ids(9), [4, 5, 1, 3, 0, 2], "all there are");
        for (id, logprob) in of.top(6) {
            assert_eq!(logprob, of.of_token(id));
        }
    }
}
