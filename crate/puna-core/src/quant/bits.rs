//! What the formats share: numbers in a block's bytes, bits laid out as shaders want them, random weights.

/// A word of four bytes, little endian.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Of two neighbouring blocks of a row, `stride` bytes apart, the two bytes that stand at `at` in the first. A row
/// with an odd number of blocks ends with half a word.
pub(super) fn u16_pair(row: &[u8], at: usize, stride: usize) -> u32 {
    let second = at + stride;
    let high = if second < row.len() {
        u16_at(row, second)
    } else {
        0
    };
    u32::from(u16_at(row, at)) | u32::from(high) << 16
}

/// A word whose bit 8·b + k is bit 4·k + b of `bits`: shifted right by k, the lowest bits of its bytes are those of
/// weights 4·k .. 4·k + 4. Twin of `raw_spread` in `shaders/lib/raw.wgsl`.
pub(super) fn spread(bits: u32) -> u32 {
    let four = |k: u32| (bits >> (4 * k) & 15).wrapping_mul(0x0020_4081) & 0x0101_0101;
    (0..8).fold(0, |word, k| word | four(k) << k)
}

/// Word `word` of the `bits` words that hold a run's quants of so many bits. In the file they are bits `shift` .. of
/// the 32 bytes at `at`; byte b of the word holds those of weights 4·(word + bits·n) + b, at bits bits·n ... Twin of
/// `raw_gather` in `shaders/lib/raw.wgsl`.
pub(super) fn gather(row: &[u8], at: usize, bits: usize, shift: usize, word: usize) -> u32 {
    let low = 0x0101_0101 * ((1 << bits) - 1);
    (0..8 / bits).fold(0, |gathered, n| {
        let four = u32_at(row, at + 4 * (word + bits * n)) >> shift & low;
        gathered | four << (bits * n)
    })
}

pub(super) fn f16_at(bytes: &[u8], at: usize) -> f32 {
    half::f16::from_bits(u16_at(bytes, at)).to_f32()
}

/// Random bytes.
pub(super) fn sample_bytes(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    for chunk in out.chunks_mut(4) {
        chunk.copy_from_slice(&random().to_le_bytes()[..chunk.len()]);
    }
}

/// A random number from -1 to 1.
pub(super) fn sample_unit(random: &mut dyn FnMut() -> u32) -> f32 {
    f32::from(u16::try_from(random() >> 16).unwrap_or(0)) / 32_768.0 - 1.0
}

pub(super) fn put_f16(block: &mut [u8], at: usize, value: f32) {
    block[at..at + 2].copy_from_slice(&half::f16::from_f32(value).to_le_bytes());
}
