// Points of codebooks: 2 or 3 bits a weight, spread to a byte each; signs.

// Four numbers of 2 bits, to a byte each.
fn spread2(bits: u32) -> u32 {
    let pairs = (bits | (bits << 12u)) & 0x000f000fu;
    return (pairs | (pairs << 6u)) & 0x03030303u;
}

// Four numbers of 3 bits, to a byte each.
fn spread3(bits: u32) -> u32 {
    let pairs = (bits & 0x3fu) | ((bits & 0xfc0u) << 10u);
    return (pairs & 0x00070007u) | ((pairs & 0x00380038u) << 5u);
}

// Four numbers of 1 bit, to a byte each.
fn spread1(bits: u32) -> u32 {
    return ((bits & 15u) * 0x00204081u) & 0x01010101u;
}

// Four levels of 2 bits of IQ2: 8, 25, 43.
fn levels2(bits: u32) -> u32 {
    let q = spread2(bits & 0xffu);
    return q * 17u + ((q >> 1u) & 0x01010101u) + 0x08080808u;
}

// Bytes from 1 to 127, negative where a bit is set.
fn with_signs(bytes: u32, bits: u32) -> u32 {
    let negative = spread1(bits);
    return (bytes ^ (negative * 255u)) + negative;
}

// 8 signs out of 7 bits: an even number of them are set.
fn signs8(index: u32) -> u32 {
    let bits = index & 127u;
    return bits | ((countOneBits(bits) & 1u) << 7u);
}

// 8 weights of IQ2: a point of the table, and its signs.
fn point2(index: u32, signs: u32) -> vec2<u32> {
    let point = entry(index);
    return vec2<u32>(with_signs(levels2(point), signs), with_signs(levels2(point >> 8u), signs >> 4u));
}

// 8 weights of IQ1, eight times as large: −1, 0 or 1, and an eighth more, or less.
fn point1(index: u32, is_less: bool) -> vec2<u32> {
    let point = entry(index);
    let q = vec2<u32>(spread2(point & 0xffu), spread2(point >> 8u));
    let off = select(0x79797979u, 0x77777777u, is_less);
    return (q * 8u + vec2<u32>(off)) ^ vec2<u32>(0x80808080u);
}
