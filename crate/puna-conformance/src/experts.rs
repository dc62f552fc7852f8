//! What cases of experts share.

use puna_core::graph::{Routing, Scoring};

use crate::data::Random;

/// Two of five experts.
pub(crate) const PLAIN: Routing = Routing {
    experts: 5,
    used: 2,
    scoring: Scoring::Softmax,
    groups: None,
    normalized: true,
    scale: 1.0,
};

/// Experts of tokens, and scores.
pub(crate) fn choices(
    random: &mut Random,
    routing: Routing,
    tokens: usize,
) -> Vec<Vec<(usize, f32)>> {
    let mut choice = || {
        let first = random.word() as usize % routing.experts;
        let numbers = (0..routing.used).map(|slot| (first + 2 * slot) % routing.experts);
        let scores = random.floats(routing.used);
        numbers.zip(scores).collect()
    };
    (0..tokens).map(|_| choice()).collect()
}

/// As kernels pass them on: number, bits of the score.
pub(crate) fn packed(chosen: &[Vec<(usize, f32)>]) -> Vec<u32> {
    let pairs = chosen.iter().flatten();
    let words = pairs.flat_map(|&(expert, score)| [expert as u32, score.to_bits()]);
    words.collect()
}
