// low[t, j] = scale(j)·Σ_k A[j, k]·norm(x[t])[k]   A (WIDTH, K) planes, x (T, K) f32, low (T, WIDTH) f32
// Rows of A: r of each adapter, for each group of the rows that read them.
@group(0) @binding(7) var<storage, read_write> low_rank: array<u32>; // (MOST_TOKENS, WIDTH) f32; what stands behind is not touched
@group(0) @binding(28) var<uniform> adapter_scales: array<vec4<f32>, 4>; // (16,): an adapter's

fn first_token() -> u32 {
    return 0u;
}

fn scale_of(row: u32) -> f32 {
    let adapter = row / RANK % ADAPTERS;
    return adapter_scales[adapter / 4u][adapter % 4u];
}

fn store_pair(part_row: u32, t: u32, v: vec2<f32>) -> f32 {
    let row = params.first_row + part_row;
    let at = t * WIDTH + row;
    low_rank[at] = bitcast<u32>(v.x * scale_of(row));
    low_rank[at + 1u] = bitcast<u32>(v.y * scale_of(row + 1u));
    return 0.0;
}

fn store_squares(part_row: u32, t: u32, sum: f32) {
}
