// Floats of the file, 32 by 32, rounded to blocks as a file would have them, of Q8_0 or of Q4_0
// One invocation → two blocks, which together are whole words.

struct Params {
    raw_at: u32,      // byte of the first float in `raw`
    blocks: u32,      // to make
    type_number: u32, // of the floats; see lib/element.wgsl
    grid_x: u32,      // workgroups in x
}

@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(7) var<storage, read_write> blocks: array<u32>; // one after the other, 34 or 18 bytes each

// Halves of words of a block: its scale, and two quants each, or four.
const HALVES = 32u / QUANTS + 1u;

// Both blocks.
var<private> words: array<u32, HALVES>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let pair = (group.x + group.y * params.grid_x) * WORKGROUP + lane;
    if (2u * pair >= params.blocks) {
        return;
    }
    for (var w = 0u; w < HALVES; w++) {
        words[w] = 0u;
    }
    quantize(2u * pair, 0u);
    if (2u * pair + 1u < params.blocks) {
        quantize(2u * pair + 1u, HALVES);
    }
    for (var w = 0u; w < HALVES; w++) {
        blocks[pair * HALVES + w] = words[w];
    }
}

// Block `block`, to the halves of words from `at` on.
fn quantize(block: u32, at: u32) {
    var farthest = 0f; // from 0
    for (var i = 0u; i < 32u; i++) {
        let w = weight(block, i);
        farthest = select(farthest, w, abs(w) > abs(farthest));
    }
    // Of 8 bits: 127 steps on either side. Of 4: the farthest is -8 steps.
    let d = select(farthest / -8f, abs(farthest) / 127f, QUANTS == 2u);
    let inverse = select(0f, 1f / d, d != 0f);
    put(at, pack2x16float(vec2(d, 0f)) & 0xffffu);
    for (var n = 0u; n < 32u / QUANTS; n++) {
        var bits = 0u;
        if (QUANTS == 2u) {
            for (var b = 0u; b < 2u; b++) {
                let steps = weight(block, 2u * n + b) * inverse;
                let rounded = i32(sign(steps) * floor(abs(steps) + 0.5f));
                bits |= (bitcast<u32>(rounded) & 0xffu) << (8u * b);
            }
        } else {
            // Byte i: quant i, and above it quant i + 16.
            for (var b = 0u; b < 4u; b++) {
                let i = 2u * n + b / 2u + b % 2u * 16u;
                let steps = weight(block, i) * inverse + 8.5f;
                bits |= min(u32(max(steps, 0f)), 15u) << (4u * b);
            }
        }
        put(at + 1u + n, bits);
    }
}

fn weight(block: u32, i: u32) -> f32 {
    return element(params.type_number, params.raw_at, block * 32u + i);
}

fn put(half: u32, bits: u32) {
    words[half / 2u] |= bits << (half % 2u * 16u);
}
