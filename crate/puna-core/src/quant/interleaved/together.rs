//! Puts blocks of rows together, for tests: each layout once more, from the side of who writes it.

/// 4 bits of the weights of a run of row `row`, to 64 bytes.
fn nibbles(out: &mut [u8], row: usize, q: impl Fn(usize) -> u8) {
    for (at, first) in [(0, 0), (16, 16), (32, 4), (48, 20)] {
        for i in 0..4 {
            out[at + 4 * row + i] = q(first + i) & 15 | q(first + i + 8) << 4;
        }
    }
}

/// 2 bits of each, to 32 bytes.
fn pairs(out: &mut [u8], row: usize, q: impl Fn(usize) -> u8) {
    for (at, first) in [(0, 0), (16, 16)] {
        for i in 0..4 {
            let four = [0, 4, 8, 12].map(|more| q(first + more + i) & 3);
            out[at + 4 * row + i] = four[0] | four[1] << 2 | four[2] << 4 | four[3] << 6;
        }
    }
}

/// A bit of each, to 16 bytes: `order` says of which weights the first is at bits 0, 1 and so on.
fn bits(out: &mut [u8], row: usize, order: [usize; 8], q: impl Fn(usize) -> u8) {
    for i in 0..4 {
        for (bit, first) in order.into_iter().enumerate() {
            out[4 * row + i] |= (q(first + i) & 1) << bit;
        }
    }
}

/// 7 bits of signs as they are stored together: each is the sum of all up to it, without carry.
fn sums(signs: u32) -> u8 {
    let mut sum = 0;
    for bit in 0..7 {
        sum |= ((signs & ((2 << bit) - 1)).count_ones() & 1) << bit;
    }
    first(sum)
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The lowest byte.
const fn first(word: u32) -> u8 {
    word.to_le_bytes()[0]
}

/// Signs and the scale of a run: a bit of the scale below each 7 bits of signs.
fn signs_and_scale(out: &mut [u8], word: u32) {
    for (n, out) in out[..4].iter_mut().enumerate() {
        *out = sums(word >> (7 * n) & 127) << 1 | first(word >> (28 + n) & 1);
    }
}

/// Scale and min of a run of `Q4_K` and `Q5_K`.
fn scale_and_min(s: &[u8], run: usize) -> (u8, u8) {
    match run {
        0..4 => (s[run] & 63, s[run + 4] & 63),
        _ => (
            s[run + 4] & 15 | s[run - 4] >> 6 << 4,
            s[run + 4] >> 4 | s[run] >> 6 << 4,
        ),
    }
}

/// Of each 16 weights, of all rows: 4 bits in 32 bytes and `more` bits in `len` bytes, numbers after the last byte on top.
fn scale(out: &mut [u8], len: usize, bits: usize, number: usize, value: u8) {
    out[number % len] |= (value & ((1 << bits) - 1)) << (number / len * bits);
}

/// A block of each row → the block of all.
pub(super) fn together(name: &str, rows: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![0; rows.len() * rows[0].len()];
    for (row, b) in rows.iter().enumerate() {
        put(name, b, row, &mut out);
    }
    out
}

fn put(name: &str, b: &[u8], row: usize, out: &mut [u8]) {
    let two = |out: &mut [u8], at: usize, bytes: &[u8]| {
        out[at + 2 * row..][..2].copy_from_slice(&bytes[..2]);
    };
    // Quants of formats that have the same.
    let low2 = |at: usize, run: usize| move |i: usize| b[at + run / 4 * 32 + i] >> (run % 4 * 2);
    let low4 = |at: usize, run: usize| move |i: usize| b[at + run / 2 * 32 + i] >> (run % 2 * 4);
    let halves = |at: usize| move |i: usize| b[at + i % 16] >> (i / 16 * 4);
    let top = |at: usize, run: usize| move |i: usize| b[at + i] >> run;
    match name {
        "q4_0_r8" => {
            two(out, 0, b);
            for l in 0..4 {
                out[16 + 32 * l + 4 * row..][..4].copy_from_slice(&b[2 + 4 * l..][..4]);
            }
        }
        "q8_0_r8" => {
            two(out, 0, b);
            for l in 0..4 {
                out[16 + 32 * l + 4 * row..][..4].copy_from_slice(&b[2 + 4 * l..][..4]);
                out[144 + 32 * l + 4 * row..][..4].copy_from_slice(&b[18 + 4 * l..][..4]);
            }
        }
        "q5_0_r4" => {
            two(out, 0, b);
            let fifth = |i: usize| b[2 + i / 8] >> (i % 8);
            bits(&mut out[8..], row, [0, 16, 4, 20, 8, 24, 12, 28], fifth);
            nibbles(&mut out[24..], row, halves(6));
        }
        "q6_0_r4" => {
            two(out, 0, b);
            let high = |i: usize| b[2 + i % 8] >> (i / 8 % 2 * 4 + i / 16 * 2) & 3;
            for (half, first) in [(0, 0), (16, 16)] {
                for i in 0..4 {
                    let four = [0, 4, 8, 12].map(|more| high(first + more + i));
                    out[8 + half + 4 * row + i] =
                        four[0] | four[1] << 2 | four[2] << 4 | four[3] << 6;
                }
            }
            nibbles(&mut out[40..], row, halves(10));
        }
        "iq4_nl_r4" => {
            two(out, 0, b);
            nibbles(&mut out[8..], row, halves(2));
        }
        "bf16_r16" => {
            for pair in 0..16 {
                out[64 * pair + 4 * row..][..4].copy_from_slice(&b[4 * pair..][..4]);
            }
        }
        "q2_k_r4" => {
            two(out, 0, &b[80..]);
            two(out, 8, &b[82..]);
            for n in 0..16 {
                out[16 + 4 * n + row] = b[n];
            }
            for run in 0..8 {
                pairs(&mut out[80 + 32 * run..], row, low2(16, run));
            }
        }
        "q3_k_r4" => {
            two(out, 0, &b[108..]);
            for n in 0..16 {
                let low = b[96 + n % 8] >> (n / 8 * 4);
                scale(&mut out[24..], 32, 4, 4 * n + row, low);
                let high = b[104 + n % 4] >> (n / 4 * 2);
                scale(&mut out[8..], 16, 2, 4 * n + row, high);
            }
            for run in 0..8 {
                let order = [0, 4, 8, 12, 16, 20, 24, 28];
                bits(&mut out[56 + 16 * run..], row, order, top(0, run));
                pairs(&mut out[184 + 32 * run..], row, low2(32, run));
            }
        }
        "q4_k_r4" | "q5_k_r4" => {
            two(out, 0, b);
            two(out, 8, &b[2..]);
            let quants = if name == "q4_k_r4" { 64 } else { 192 };
            for run in 0..8 {
                let (scale, min) = scale_and_min(&b[4..16], run);
                let which = 4 * run + row;
                out[32 + which] = scale & 15 | min << 4;
                out[16 + which % 16] |= (scale >> 4 | min >> 4 << 2) << (which / 16 * 4);
                let from = if quants == 64 { 16 } else { 48 };
                nibbles(&mut out[quants + 64 * run..], row, low4(from, run));
                if quants == 192 {
                    let order = [0, 8, 4, 12, 16, 24, 20, 28];
                    bits(&mut out[64 + 16 * run..], row, order, top(16, run));
                }
            }
        }
        "q6_k_r4" => {
            two(out, 0, &b[208..]);
            for n in 0..16 {
                out[8 + 4 * n + row] = b[192 + n];
            }
            for run in 0..8 {
                let at = run / 4 * 64 + run % 2 * 32;
                let low = |i: usize| b[at + i] >> (run % 4 / 2 * 4);
                nibbles(&mut out[328 + 64 * run..], row, low);
                let high = |i: usize| b[128 + run / 4 * 32 + i] >> (run % 4 * 2) & 3;
                for half in [0, 16] {
                    for i in 0..4 {
                        let four = [0, 8, 4, 12].map(|more| high(half + more + i));
                        out[72 + 32 * run + half + 4 * row + i] =
                            four[0] | four[1] << 2 | four[2] << 4 | four[3] << 6;
                    }
                }
            }
        }
        "iq4_xs_r8" => {
            two(out, 0, b);
            for run in 0..8 {
                scale(
                    &mut out[32..],
                    32,
                    4,
                    8 * run + row,
                    b[4 + run / 2] >> (run % 2 * 4),
                );
                scale(
                    &mut out[16..],
                    16,
                    2,
                    8 * run + row,
                    b[2 + run / 4] >> (run % 4 * 2),
                );
                let q = halves(8 + 16 * run);
                for (at, first) in [(0, 0), (32, 8), (64, 16), (96, 24)] {
                    for i in 0..4 {
                        out[64 + 128 * run + at + 4 * row + i] =
                            q(first + i) & 15 | q(first + i + 4) << 4;
                    }
                }
            }
        }
        "iq2_xxs_r4" => {
            two(out, 0, b);
            for run in 0..8 {
                let at = 8 + 16 * run + 4 * row;
                signs_and_scale(&mut out[at..], word(&b[6 + 8 * run..]));
                out[at + 128..][..4].copy_from_slice(&b[2 + 8 * run..][..4]);
            }
        }
        "iq3_xxs_r4" => {
            two(out, 0, b);
            for run in 0..8 {
                let signs = word(&b[66 + 4 * run..]);
                signs_and_scale(&mut out[8 + 16 * run + 4 * row..], signs);
                out[136 + 32 * run + 8 * row..][..8].copy_from_slice(&b[2 + 8 * run..][..8]);
            }
        }
        "iq2_xs_r4" => {
            two(out, 0, b);
            for run in 0..8 {
                for n in 0..4 {
                    let from = &b[2 + 8 * run + 2 * n..];
                    let to = &mut out[8 + 32 * run + 8 * row + 2 * n..];
                    to[0] = from[0];
                    to[1] = from[1] & 1 | sums(u32::from(from[1] >> 1)) << 1;
                }
                out[264 + 4 * run + row] = b[66 + run];
            }
        }
        "iq2_s_r4" => {
            two(out, 0, b);
            for run in 0..8 {
                out[8 + 16 * run + 4 * row..][..4].copy_from_slice(&b[2 + 4 * run..][..4]);
                out[136 + 4 * run + row] = b[66 + run];
                out[168 + 16 * run + 4 * row..][..4].copy_from_slice(&b[34 + 4 * run..][..4]);
                out[296 + 4 * run + row] = b[74 + run];
            }
        }
        "iq3_s_r4" => {
            two(out, 0, b);
            for run in 0..8 {
                for i in 0..4 {
                    out[8 + 32 * run + row + 8 * i] = b[2 + 8 * run + i];
                    out[12 + 32 * run + row + 8 * i] = b[6 + 8 * run + i];
                }
                out[264 + 4 * run + row] = b[66 + run];
                let order = [0, 4, 8, 12, 16, 20, 24, 28];
                let sign = |i: usize| b[74 + 4 * run + i / 8] >> (i % 8);
                bits(&mut out[296 + 16 * run..], row, order, sign);
                scale(
                    &mut out[424..],
                    16,
                    4,
                    4 * run + row,
                    b[106 + run / 2] >> (run % 2 * 4),
                );
            }
        }
        "iq4_ks_r4" | "iq5_ks_r4" => {
            for run in 0..8 {
                out[4 * run + row] = b[run];
                let to = &mut out[32 + 64 * run..];
                if name == "iq4_ks_r4" {
                    nibbles(to, row, halves(8 + 16 * run));
                } else {
                    nibbles(to, row, low4(8, run));
                    let order = [0, 8, 16, 24, 4, 12, 20, 28];
                    bits(&mut out[544 + 16 * run..], row, order, top(136, run));
                }
            }
        }
        _ => put_k(name, b, row, out),
    }
}

/// `IQ2_K` to `IQ5_K`: 16 shifts, then scales.
fn put_k(name: &str, b: &[u8], row: usize, out: &mut [u8]) {
    out[2 * row..][..2].copy_from_slice(&b[..2]);
    for n in 0..16 {
        let bit_of = |at: usize| b[at + n / 8] >> (n % 8) & 1;
        let nibble_of = |at: usize| b[at + n / 2] >> (n % 2 * 4);
        let which = 4 * n + row;
        out[8 + row + n % 2 * 4] |= bit_of(2) << (n / 2);
        match name {
            "iq2_k_r4" => scale(&mut out[16..], 32, 4, which, nibble_of(4)),
            "iq3_k_r4" => {
                scale(&mut out[16..], 8, 1, which, bit_of(4));
                scale(&mut out[24..], 32, 4, which, nibble_of(6));
            }
            "iq4_k_r4" | "iq5_k_r4" => {
                scale(&mut out[16..], 16, 2, which, b[4 + n / 4] >> (n % 4 * 2));
                scale(&mut out[32..], 32, 4, which, nibble_of(8));
            }
            other => panic!("no layout of {other}"),
        }
    }
    for run in 0..8 {
        let low2 = |at: usize| move |i: usize| b[at + run / 4 * 32 + i] >> (run % 4 * 2);
        let top = |at: usize| move |i: usize| b[at + i] >> run;
        match name {
            "iq2_k_r4" => pairs(&mut out[48 + 32 * run..], row, low2(12)),
            "iq3_k_r4" => {
                pairs(&mut out[56 + 32 * run..], row, low2(14));
                let order = [0, 4, 8, 12, 16, 20, 24, 28];
                bits(&mut out[312 + 16 * run..], row, order, top(78));
            }
            "iq4_k_r4" => {
                let q = |i: usize| b[16 + 16 * run + i % 16] >> (i / 16 * 4);
                nibbles(&mut out[64 + 64 * run..], row, q);
            }
            _ => {
                let q = |i: usize| b[16 + run / 2 * 32 + i] >> (run % 2 * 4);
                nibbles(&mut out[64 + 64 * run..], row, q);
                let order = [0, 8, 16, 24, 4, 12, 20, 28];
                bits(&mut out[576 + 16 * run..], row, order, top(144));
            }
        }
    }
}
