// Rotation of a head's adjacent pairs by the token's position.
@group(0) @binding(10) var<storage, read> rope: array<vec2<f32>>; // (capacity, ROPE_DIMS / 2): cos, sin

fn turned(position: u32, d: u32, v: vec2<f32>) -> vec2<f32> {
    if (d >= ROPE_DIMS) {
        return v;
    }
    let turn = rope[position * (ROPE_DIMS / 2u) + d / 2u];
    return vec2<f32>(v.x * turn.x - v.y * turn.y, v.x * turn.y + v.y * turn.x);
}
