//! Twin of `shaders/kernel/route.wgsl`.

use crate::graph::{Groups, Routing, Scoring};

/// The experts of each token and their scores, (T, used), the best first: logits (T, E), bias (E,). Of equals the first is
/// better.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn route(logits: &[f32], routing: &Routing, bias: Option<&[f32]>) -> Vec<Vec<(usize, f32)>> {
    let tokens = logits.chunks_exact(routing.experts);
    let of_token = |logits: &[f32]| {
        let scores = scores(logits, routing.scoring);
        let mut compared = scores.clone();
        for (score, bias) in compared.iter_mut().zip(bias.unwrap_or_default()) {
            *score += f64::from(*bias);
        }
        if let Some(groups) = routing.groups {
            forget_others(&mut compared, groups);
        }
        let best = &ranked(&compared)[..routing.used];
        let sum: f64 = best.iter().map(|&expert| scores[expert]).sum();
        let divisor = if routing.normalized { sum } else { 1.0 };
        let factor = f64::from(routing.scale) / divisor;
        let chosen = best
            .iter()
            .map(|&expert| (expert, (scores[expert] * factor) as f32));
        chosen.collect()
    };
    tokens.map(of_token).collect()
}

fn scores(logits: &[f32], scoring: Scoring) -> Vec<f64> {
    let logits = logits.iter().map(|&logit| f64::from(logit));
    match scoring {
        Scoring::Sigmoid => logits.map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
        Scoring::Softmax => {
            let highest = logits.clone().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = logits.map(|logit| (logit - highest).exp()).collect();
            let total: f64 = weights.iter().sum();
            weights.iter().map(|weight| weight / total).collect()
        }
    }
}

/// Makes the scores of experts 0 whose group is not among the best ones.
fn forget_others(scores: &mut [f64], groups: Groups) {
    let size = scores.len() / groups.count;
    let score_of = |group: &[f64]| {
        let ranked = ranked(group);
        ranked[..groups.best].iter().map(|&ix| group[ix]).sum()
    };
    let of_groups: Vec<f64> = scores.chunks_exact(size).map(score_of).collect();
    for &group in &ranked(&of_groups)[groups.used..] {
        scores[group * size..(group + 1) * size].fill(0.0);
    }
}

/// Indices by descending value, of equals the first first.
fn ranked(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order
}
