// Scores of experts, each for itself.
fn score(lane: u32) {
    for (var e = lane; e < EXPERTS; e += WORKGROUP) {
        scores[e] = 1.0 / (1.0 + exp(min(-scores[e], 80.0)));
    }
}
