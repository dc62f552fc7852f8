// Scores of experts, each against all others.
fn score(lane: u32) {
    var highest = scores[0];
    for (var e = 1u; e < EXPERTS; e++) {
        highest = max(highest, scores[e]);
    }
    var total = 0.0;
    for (var e = 0u; e < EXPERTS; e++) {
        total += exp(scores[e] - highest);
    }
    workgroupBarrier();
    for (var e = lane; e < EXPERTS; e += WORKGROUP) {
        scores[e] = exp(scores[e] - highest) / total;
    }
}
