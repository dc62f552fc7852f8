// Weights that are computed from a number, several in a row: each is a sum of the four bytes of the number times a power of a
// factor, of which 6 bits count (`ik_llama.cpp`).

// The factor's first powers, and the fourth alone.
const POWERS = vec4<u32>(0xcbac1fedu, 0xc8734169u, 0xbd2b4535u, 0xe50c7d11u);
const FACTOR4 = 0xe50c7d11u;

// 8 weights, a signed byte each.
fn trellis8(state: u32) -> vec2<u32> {
    return vec2<u32>(pack4xI8(trellis4(state)), pack4xI8(trellis4(state * FACTOR4)));
}

// 4 weights, from -126 to 126.
fn trellis4(state: u32) -> vec4<i32> {
    let bytes = (state * POWERS) & vec4<u32>(0x3f3f3f3fu);
    return vec4<i32>(sum4(bytes.x), sum4(bytes.y), sum4(bytes.z), sum4(bytes.w)) - 126;
}

fn sum4(bytes: u32) -> i32 {
    return dot4I8Packed(bytes, 0x01010101u);
}

// What a scale of 4 bits stands for: -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113.
fn trellis_scale(q: u32) -> f32 {
    let high = select(0xf6eaddcfu, 0xbfad9881u, q < 4u);
    let low = select(0x71594535u, 0x26190d01u, q < 12u);
    return f32(unpack4xI8(select(low, high, q < 8u))[q % 4u]);
}
