// [q | k | v][t] = W·rmsnorm(x[t]); q, k rotated by adjacent pairs; k, v stored at position + t
//   W (H·Dh + 2·Hkv·Dh, D) planes or some of its rows, x (T, D) f32, query (T, H·Dh) f32, kv as lib/kv.wgsl
@group(0) @binding(7) var<storage, read_write> query: array<f32>; // (T, H·Dh)
@group(0) @binding(10) var<storage, read> rope: array<vec2<f32>>; // (capacity, ROPE_DIMS / 2): cos, sin

fn first_token() -> u32 {
    return 0u;
}

fn store_pair(part_row: u32, t: u32, v: vec2<f32>) -> f32 {
    let row = params.first_row + part_row;
    let q_rows = HEADS * HEAD_DIM;
    let k_rows = KV_HEADS * HEAD_DIM;
    let d = row % HEAD_DIM;
    var out = v;
    if (row < q_rows + k_rows && d < ROPE_DIMS) {
        let turn = rope[(step.position + t) * (ROPE_DIMS / 2u) + d / 2u];
        out = vec2<f32>(v.x * turn.x - v.y * turn.y, v.x * turn.y + v.y * turn.x);
    }
    if (row < q_rows) {
        query[t * q_rows + row] = out.x;
        query[t * q_rows + row + 1u] = out.y;
    } else {
        let which = (row - q_rows) / k_rows;
        let head = (row - q_rows) % k_rows / HEAD_DIM;
        kv_store2(kv_at(which, head, step.position + t) + d, out);
    }
    return 0.0;
}

fn store_squares(part_row: u32, t: u32, sum: f32) {
}
