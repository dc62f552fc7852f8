// [q | k | v][t] = W·norm(x[t]) + bias; q, k rotated by adjacent pairs; k, v stored at position + t
//   W (H·Dh + 2·Hkv·Dh, D) planes or some of its rows, x (T, D) f32, query (T, QUERY_ROWS) f32, kv as lib/kv.wgsl
// Rows from QUERY_ROWS on go to the cache, rows up to ROTATED_ROWS rotate.
@group(0) @binding(7) var<storage, read_write> query: array<f32>; // (T, QUERY_ROWS)

fn first_token() -> u32 {
    return 0u;
}

fn store_pair(part_row: u32, t: u32, v: vec2<f32>) -> f32 {
    let row = params.first_row + part_row;
    let d = row % HEAD_DIM;
    var out = biased(row, v);
    if (row < ROTATED_ROWS) {
        out = turned(position_of(t), d, out);
    }
    if (row < QUERY_ROWS) {
        query[t * QUERY_ROWS + row] = out.x;
        query[t * QUERY_ROWS + row + 1u] = out.y;
    } else {
        let k_rows = KV_HEADS * HEAD_DIM;
        let cached = row - HEADS * HEAD_DIM;
        kv_store2(cached / k_rows, cached % k_rows / HEAD_DIM, t, d, out);
    }
    return 0.0;
}

fn store_squares(part_row: u32, t: u32, sum: f32) {
}
