// What adapters add to a projection: Σ_j B[n, row, j]·low[t, j] over adapters n, low = scale·A·norm(x[t]) by kernel/low_rank.
// Rows of a group read the same low: one tensor's rows behind another's, or two tensors row by row.
@group(0) @binding(27) var<storage, read> low_rank: array<u32>; // (MOST_TOKENS, WIDTH) f32; at LOW_UP: B (N, R, r / 2), f16 pairs

// Pairs `first`, `first` + stride … of the sums of rows `row` to row + UNIT, for TOKENS tokens from t0 on.
fn add_low_rank(row: u32, t0: u32, last: u32, first: u32, stride: u32, sum: ptr<function, Sums>) {
    for (var r = 0u; r < UNIT; r++) {
        let own = min(params.first_row + row + r - LOW_FIRST, LOW_ROWS - 1u);
        var group = u32(own >= LOW_SECOND) + u32(own >= LOW_THIRD);
        if (LOW_INTERLEAVED == 1u) {
            group = own % 2u;
        }
        for (var pair = first; pair < LOW_ADAPTERS * LOW_PAIRS; pair += stride) {
            let adapter = pair / LOW_PAIRS;
            let up = unpack2x16float(low_rank[LOW_UP + (adapter * LOW_ROWS + own) * LOW_PAIRS + pair % LOW_PAIRS]);
            for (var t = 0u; t < TOKENS; t++) {
                let at = min(t0 + t, last) * LOW_WIDTH + 2u * (group * LOW_ADAPTERS * LOW_PAIRS + pair);
                (*sum)[r][t] += up.x * bitcast<f32>(low_rank[at]) + up.y * bitcast<f32>(low_rank[at + 1u]);
            }
        }
    }
}
