// Keys and values of a step's tokens → 127ths of the largest of each KV_BLOCK of them, at position + t of the KV cache
//   x (T, 2, Hkv, Dh) f32 as lib/kv_store_fresh.wgsl stores it, kv as lib/kv.wgsl and lib/kv_q8.wgsl
// One invocation → one block.
@group(0) @binding(6) var<storage, read> x: array<vec4<f32>>; // (T, 2, Hkv, Dh / 4)
@group(0) @binding(9) var<storage, read_write> kv: array<u32>; // (2, Hkv, capacity, Dh / 4), (2, Hkv, capacity, Dh / KV_BLOCK)

// Of a head.
const BLOCKS = HEAD_DIM / KV_BLOCK;
const WORDS = KV_BLOCK / 4u;
// Smaller ones are zeros: their inverse may be infinite.
const LEAST = 1.0e-30;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = group.x * WORKGROUP + lane;
    let row = index / BLOCKS;
    let head = row % KV_HEADS;
    let which = row / KV_HEADS % (1u + VALUES_APART);
    let t = row / KV_HEADS / (1u + VALUES_APART);
    if (t >= step.tokens) {
        return;
    }
    var most = vec4<f32>(LEAST);
    for (var i = 0u; i < WORDS; i++) {
        most = max(most, abs(x[index * WORDS + i]));
    }
    let largest = max(max(most.x, most.y), max(most.z, most.w));
    let to = kv_at(which, head, first_row_of(t) + position_of(t)) + index % BLOCKS * KV_BLOCK;
    for (var i = 0u; i < WORDS; i++) {
        kv[to / 4u + i] = pack4x8snorm(x[index * WORDS + i] / largest);
    }
    kv[largest_at(to)] = bitcast<u32>(largest);
}
