// Bytes of the file, little endian, at any byte address.
@group(0) @binding(12) var<storage, read> raw: array<u32>;

fn raw_u16(at: u32) -> u32 {
    let word = raw[at / 4u] >> (at % 4u * 8u);
    if (at % 4u == 3u) {
        return (word | (raw[at / 4u + 1u] << 8u)) & 0xffffu;
    }
    return word & 0xffffu;
}

fn raw_u32(at: u32) -> u32 {
    let shift = at % 4u * 8u;
    if (shift == 0u) {
        return raw[at / 4u];
    }
    return (raw[at / 4u] >> shift) | (raw[at / 4u + 1u] << (32u - shift));
}
