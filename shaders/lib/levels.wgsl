// Values that are not evenly spaced, looked up without memory: each byte of q is a number of 2, 3 or 4 bits, each byte that
// comes out the value of that number. Values are signed bytes, four a word, the first lowest.

fn levels16(q: vec4<u32>, values: vec4<u32>) -> vec4<u32> {
    return either(q, 3u, levels8(q, values.xy), levels8(q, values.zw));
}

fn levels8(q: vec4<u32>, values: vec2<u32>) -> vec4<u32> {
    return either(q, 2u, levels4(q, values.x), levels4(q, values.y));
}

fn levels4(q: vec4<u32>, values: u32) -> vec4<u32> {
    let low = either(q, 0u, everywhere(values), everywhere(values >> 8u));
    return either(q, 1u, low, either(q, 0u, everywhere(values >> 16u), everywhere(values >> 24u)));
}

// Bytes of `zeros` where the bit of q's byte is 0, of `ones` where it is 1.
fn either(q: vec4<u32>, bit: u32, zeros: vec4<u32>, ones: vec4<u32>) -> vec4<u32> {
    let mask = ((q >> vec4<u32>(bit)) & vec4<u32>(0x01010101u)) * 255u;
    return zeros ^ (mask & (zeros ^ ones));
}

fn everywhere(byte: u32) -> vec4<u32> {
    return vec4<u32>((byte & 0xffu) * 0x01010101u);
}
