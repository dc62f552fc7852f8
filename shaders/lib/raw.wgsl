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

// Two bytes at `at`; in the upper half those of the next block, `stride` bytes on, if there is one.
fn raw_pair(at: u32, stride: u32, has_next: bool) -> u32 {
    if (has_next) {
        return raw_u16(at) | (raw_u16(at + stride) << 16u);
    }
    return raw_u16(at);
}

// A word whose bit 8·b + k is bit 4·k + b of `bits`: shifted right by k, the lowest bits of its bytes are those
// of weights 4·k .. 4·k + 4.
fn raw_spread(bits: u32) -> u32 {
    var word = 0u;
    for (var k = 0u; k < 8u; k++) {
        let four = (((bits >> (4u * k)) & 15u) * 0x00204081u) & 0x01010101u;
        word |= four << k;
    }
    return word;
}

// Word `word` of the `bits` words that hold a run of 32 quants of so many bits. In the file they are bits `shift` .. of
// the 32 bytes at `at`; byte b of the word holds those of weights 4·(word + bits·n) + b, at bits bits·n ...
fn raw_gather(at: u32, bits: u32, shift: u32, word: u32) -> u32 {
    let low = 0x01010101u * ((1u << bits) - 1u);
    var gathered = 0u;
    for (var n = 0u; n * bits < 8u; n++) {
        gathered |= ((raw_u32(at + 4u * (word + bits * n)) >> shift) & low) << (bits * n);
    }
    return gathered;
}

// The low nibbles of four bytes, side by side.
fn raw_squeeze(bytes: u32) -> u32 {
    let pairs = (bytes & 0x000f000fu) | ((bytes & 0x0f000f00u) >> 4u);
    return (pairs & 0xffu) | ((pairs >> 8u) & 0xff00u);
}
