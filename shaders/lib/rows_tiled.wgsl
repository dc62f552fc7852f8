// Work split of the projections for many tokens, on GPUs.
//
// One workgroup → UNITS units of UNIT adjacent rows × GROUPS groups of TOKENS tokens; an invocation has a unit and a
// group. WORKGROUP = UNITS · GROUPS. K goes through workgroup memory by blocks: a block of weights is decoded
// once for all tokens of the tile, an input read once for all its rows.
// Linked with an input (input4 …), a format (decode_block), what adapters add (add_low_rank), lib/block and a kernel (first_token, store_pair …).

const TILE_ROWS = UNITS * UNIT;
const TILE_TOKENS = GROUPS * TOKENS;
// Invocations that add up a token's sums of squares.
const ADDERS = WORKGROUP / TILE_TOKENS;
// Vec4s of a block; and one more, so that neighbours begin in different banks.
const BLOCK4 = 8u;
const STRIDE = BLOCK4 + 1u;

// Row UNIT·u + r is at slot UNITS·r + u: what invocations read side by side lies side by side.
var<workgroup> w_tile: array<real4, TILE_ROWS * STRIDE>;
var<workgroup> x_tile: array<real4, TILE_TOKENS * STRIDE>;
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
            let w = decode_block(row, block);
            for (var k4 = 0u; k4 < BLOCK4; k4++) {
                w_tile[slot * STRIDE + k4] = w[k4];
            }
        }
        for (var i = lane; i < TILE_TOKENS * BLOCK4; i += WORKGROUP) {
            let t = i / BLOCK4;
            let x = input4(min(t0 + t, last), block * BLOCK4 + i % BLOCK4);
            x_tile[t * STRIDE + i % BLOCK4] = real4(x * norms[t]);
        }
        workgroupBarrier();
        for (var k4 = 0u; k4 < BLOCK4; k4++) {
            var w = array<real4, UNIT>();
            for (var r = 0u; r < UNIT; r++) {
                w[r] = w_tile[(r * UNITS + unit) * STRIDE + k4];
            }
            for (var t = 0u; t < TOKENS; t++) {
                let x = x_tile[(own + t) * STRIDE + k4];
                for (var r = 0u; r < UNIT; r++) {
                    sum[r][t] += f32(dot(w[r], x));
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
