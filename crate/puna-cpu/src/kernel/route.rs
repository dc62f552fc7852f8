//! Choice of experts; for all tokens it takes less than one of their rows.

use puna_core::graph::{Groups, Routing, Scoring};

/// A token's experts and their scores, the best first, (used,); of equals the first is better. Logits (E,), bias (E,) added
/// where scores are compared.
pub(crate) fn route(
    logits: &[f32],
    routing: &Routing,
    bias: Option<&[f32]>,
    chosen: &mut Vec<(usize, f32)>,
) {
    let scores = scores(logits, routing.scoring);
    let mut compared = scores.clone();
    for (score, bias) in compared.iter_mut().zip(bias.unwrap_or_default()) {
        *score += bias;
    }
    if let Some(groups) = routing.groups {
        forget_others(&mut compared, groups);
    }
    let best = best(&compared, routing.used);
    let sum: f32 = best.iter().map(|&expert| scores[expert]).sum();
    let factor = routing.scale / if routing.normalized { sum } else { 1.0 };
    chosen.extend(best.iter().map(|&expert| (expert, scores[expert] * factor)));
}

fn scores(logits: &[f32], scoring: Scoring) -> Vec<f32> {
    match scoring {
        Scoring::Sigmoid => logits.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect(),
        Scoring::Softmax => {
            let highest = logits.iter().copied().fold(f32::MIN, f32::max);
            let weights: Vec<f32> = logits.iter().map(|x| (x - highest).exp()).collect();
            let total: f32 = weights.iter().sum();
            weights.iter().map(|weight| weight / total).collect()
        }
    }
}

/// Makes the scores of experts 0 whose group is not among the best ones.
fn forget_others(scores: &mut [f32], groups: Groups) {
    let size = scores.len() / groups.count;
    let score_of = |group: &[f32]| best(group, groups.best).iter().map(|&ix| group[ix]).sum();
    let of_groups: Vec<f32> = scores.chunks_exact(size).map(score_of).collect();
    let used = best(&of_groups, groups.used);
    for (group, scores) in scores.chunks_exact_mut(size).enumerate() {
        if !used.contains(&group) {
            scores.fill(0.0);
        }
    }
}

/// Indices of the largest values, the largest first.
fn best(values: &[f32], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order.truncate(count);
    order
}
