// Work split of the projections for many tokens, in integers of 8 bits, on GPUs.
//
// As lib/rows_tiled.wgsl, but inputs are rounded to signed bytes, x ≈ scale·q with scale = max |x| / 127 of a half of a
// block, and products are taken four at a time: Σ w·x = Σ (scale_w·scale_x·Σ q_w·q_x − low·Σ x) over both halves.
// Linked with an input (input4 …), a format (decode_ints), what adapters add (add_low_rank), lib/block and a kernel (first_token, store_pair …).

const TILE_ROWS = UNITS * UNIT;
const TILE_TOKENS = GROUPS * TOKENS;
// Invocations that add up a token's sums of squares.
const ADDERS = WORKGROUP / TILE_TOKENS;

// Row UNIT·u + r is at slot UNITS·r + u: what invocations read side by side lies side by side.
var<workgroup> w_tile: array<vec4<u32>, 2u * TILE_ROWS>; // (2, slots): 16 bytes, a half of a block
var<workgroup> w_ranges: array<vec4<f32>, TILE_ROWS>; // scales and lows of both halves
var<workgroup> x_tile: array<vec4<u32>, 2u * TILE_TOKENS>; // (2, tokens): 16 bytes
var<workgroup> x_ranges: array<vec4<f32>, TILE_TOKENS>; // scales of both halves, and sums
var<workgroup> squares: array<f32, WORKGROUP>;
var<workgroup> norms: array<f32, TILE_TOKENS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row0 = TILE_ROWS * (group.x + group.y * params.grid_x);
    let t0 = first_token() + group.z * TILE_TOKENS;
    let last = step.tokens - 1u;
    var square = 0.0;
    for (var i = lane % ADDERS; i < SQUARES4; i += ADDERS) {
        square += input_square(min(t0 + lane / ADDERS, last), i);
    }
    squares[lane] = square;
    workgroupBarrier();
    if (lane < TILE_TOKENS) {
        square = 0.0;
        for (var i = 0u; i < ADDERS; i++) {
            square += squares[lane * ADDERS + i];
        }
        norms[lane] = input_scale(square);
    }

    let unit = lane % UNITS;
    let own = lane / UNITS * TOKENS;
    var sum: Sums;
    for (var block = 0u; block < BLOCKS; block++) {
        workgroupBarrier();
        for (var slot = lane; slot < TILE_ROWS; slot += WORKGROUP) {
            // What is out of range is computed with another row's weights, and not stored.
            let row = min(row0 + slot % UNITS * UNIT + slot / UNITS, params.rows - 1u);
            let ints = decode_ints(row, block);
            w_tile[slot] = vec4<u32>(ints.q[0], ints.q[1], ints.q[2], ints.q[3]);
            w_tile[TILE_ROWS + slot] = vec4<u32>(ints.q[4], ints.q[5], ints.q[6], ints.q[7]);
            w_ranges[slot] = vec4<f32>(ints.scale, ints.low);
        }
        // From the other end: invocations that have no weights to decode are the first to have tokens.
        for (var t = WORKGROUP - 1u - lane; t < TILE_TOKENS; t += WORKGROUP) {
            round_input(t, min(t0 + t, last), block);
        }
        workgroupBarrier();
        var w = array<vec4<u32>, 2u * UNIT>();
        var range = array<vec4<f32>, UNIT>();
        for (var r = 0u; r < UNIT; r++) {
            let slot = r * UNITS + unit;
            w[2u * r] = w_tile[slot];
            w[2u * r + 1u] = w_tile[TILE_ROWS + slot];
            range[r] = w_ranges[slot];
        }
        for (var t = 0u; t < TOKENS; t++) {
            let first = x_tile[own + t];
            let second = x_tile[TILE_TOKENS + own + t];
            let x = x_ranges[own + t];
            let both = x.z + x.w;
            for (var r = 0u; r < UNIT; r++) {
                let a = x.x * f32(dot16(w[2u * r], first));
                let b = x.y * f32(dot16(w[2u * r + 1u], second));
                if (SCALES == 1u) {
                    sum[r][t] += range[r].x * (a + b) - range[r].z * both;
                } else {
                    sum[r][t] += range[r].x * a + range[r].y * b - range[r].z * x.z - range[r].w * x.w;
                }
            }
        }
    }
    let row = row0 + unit * UNIT;
    if (row < params.rows) {
        add_low_rank(row, t0 + own, last, 0u, 1u, &sum);
        store_unit(row, t0 + own, &sum);
    }
}

fn dot16(w: vec4<u32>, x: vec4<u32>) -> i32 {
    return dot4I8Packed(w.x, x.x) + dot4I8Packed(w.y, x.y) + dot4I8Packed(w.z, x.z) + dot4I8Packed(w.w, x.w);
}

// A block of token `from_t`, behind the norm, rounded, to place t of the tile.
fn round_input(t: u32, from_t: u32, block: u32) {
    var range = array<vec2<f32>, 2>(); // of each half: scale, sum
    for (var half = 0u; half < 2u; half++) {
        var x = array<vec4<f32>, 4>();
        var most = vec4<f32>(0.0);
        for (var k4 = 0u; k4 < 4u; k4++) {
            x[k4] = input4(from_t, block * 8u + half * 4u + k4) * norms[t];
            most = max(most, abs(x[k4]));
        }
        // Less than that is nothing: its reciprocal would leave f32.
        let peak = max(max(max(most.x, most.y), max(most.z, most.w)), 1.0e-30);
        var q = vec4<u32>(0u);
        var sum = 0;
        for (var k4 = 0u; k4 < 4u; k4++) {
            q[k4] = pack4xI8(vec4<i32>(round(x[k4] * (127.0 / peak))));
            sum += dot4I8Packed(q[k4], 0x01010101u);
        }
        x_tile[half * TILE_TOKENS + t] = q;
        range[half] = vec2<f32>(peak / 127.0, peak / 127.0 * f32(sum));
    }
    x_ranges[t] = vec4<f32>(range[0].x, range[1].x, range[0].y, range[1].y);
}
