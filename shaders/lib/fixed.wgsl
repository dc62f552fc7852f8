// Sums of weights from 0 to 1 in fixed point: integers, so that a sum does not depend on the order of its terms.
//
// A number is x·2^26 + y·2^13 + z in units of 2^-39. Where y and z are below 2^13 it is normal; only normal
// numbers are compared. Up to 2^18 weights add up before anything overflows.
// Linked with lib/philox (multiply).

const LIMB = 8192.0;

// A weight, 1.0 at most. Normal.
fn fixed(weight: f32) -> vec3<u32> {
    let high = weight * LIMB;
    let middle = fract(high) * LIMB;
    let low = fract(middle) * LIMB;
    return vec3<u32>(vec3<f32>(high, middle, low));
}

fn normal(v: vec3<u32>) -> vec3<u32> {
    let middle = v.y + (v.z >> 13u);
    return vec3<u32>(v.x + (middle >> 13u), middle & 8191u, v.z & 8191u);
}

fn less(a: vec3<u32>, b: vec3<u32>) -> bool {
    return a.x < b.x || (a.x == b.x && (a.y < b.y || (a.y == b.y && a.z < b.z)));
}

// a - b, where b is not more than a.
fn difference(a: vec3<u32>, b: vec3<u32>) -> vec3<u32> {
    // Borrows from the upper limbs, paid back by `normal`.
    let lent = a + vec3<u32>(0u, 8191u, 8192u) - vec3<u32>(b.x + 1u, b.y, b.z);
    return normal(lent);
}

// v·part / 2^32, up to 3 units too low.
fn share(v: vec3<u32>, part: u32) -> vec3<u32> {
    let high = multiply(v.x, part);
    let middle = multiply(v.y, part);
    let low = multiply(v.z, part);
    let rest = (high.x >> 6u) + ((middle.y << 13u) | (middle.x >> 19u)) + low.y;
    return vec3<u32>(high.y + (rest >> 26u), (rest >> 13u) & 8191u, rest & 8191u);
}

// How many of `each`, more than 0, it takes to reach `v`.
fn times_to_reach(v: vec3<u32>, each: vec3<u32>) -> u32 {
    let scale = vec3<f32>(67108864.0, LIMB, 1.0);
    let about = u32(dot(vec3<f32>(v), scale) / dot(vec3<f32>(each), scale));
    // The quotient is rounded: from below it, a few steps up.
    var times = max(about, 1u) - 1u;
    for (var i = 0u; i < 3u; i++) {
        times += u32(less(normal(each * times), v));
    }
    return times;
}
