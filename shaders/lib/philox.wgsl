// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), as in `sampler/philox.rs`.

// Low and high half of a·b.
fn multiply(a: u32, b: u32) -> vec2<u32> {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let left = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let right = (a & 0xffffu) * (b >> 16u) + (left & 0xffffu);
    return vec2<u32>((right << 16u) | (low & 0xffffu), (a >> 16u) * (b >> 16u) + (left >> 16u) + (right >> 16u));
}

// The number for draw `counter` with this seed (low and high half), evenly distributed over 0 to 2^32.
fn random(seed: vec2<u32>, counter: u32) -> u32 {
    var block = vec4<u32>(counter, 0u, 0u, 0u);
    var key = seed;
    for (var round = 0u; round < 10u; round++) {
        let even = multiply(0xd2511f53u, block.x);
        let odd = multiply(0xcd9e8d57u, block.z);
        block = vec4<u32>(odd.y ^ block.y ^ key.x, odd.x, even.y ^ block.w ^ key.y, even.x);
        key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return block.x;
}
