// TQ1_0: w = d·(q − 1), 256 weights in 8 runs of 32, q from 0 to 2; the digits of b / 256 in base 3, five a byte b.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS / 8, 3): a digit a run of 32 bytes; then of 16
@group(0) @binding(1) var<storage, read> rest: array<u32>; // (R, BLOCKS / 8): four digits of 4 bytes
@group(0) @binding(2) var<storage, read> ranges: array<u32>; // (R, ⌈BLOCKS / 16⌉): d of two blocks of the file as f16

const SCALES = 1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = (row * BLOCKS + block) / 8u;
    let run = block % 8u;
    var low = vec4<u32>(0u);
    var high = vec4<u32>(0u);
    if (run < 5u) {
        low = digits(quants[at * 3u], run);
        high = digits(quants[at * 3u + 1u], run);
    } else {
        let last = quants[at * 3u + 2u];
        low = digits(last, run * 2u - 10u);
        if (run < 7u) {
            high = digits(last, run * 2u - 9u);
        } else {
            let four = rest[at];
            high = vec4<u32>(digits(vec4<u32>(four), 0u).x, digits(vec4<u32>(four), 1u).x, digits(vec4<u32>(four), 2u).x, digits(vec4<u32>(four), 3u).x);
        }
    }
    let d = unpack2x16float(ranges[row * ((BLOCKS + 15u) / 16u) + block / 16u])[block / 8u % 2u];
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        vec2<f32>(d),
        vec2<f32>(d),
    );
}

// Digit n of each byte: 3·(b·3^n mod 256) div 256, two bytes of a word at a time.
fn digits(bytes: vec4<u32>, n: u32) -> vec4<u32> {
    let power = select(select(select(select(81u, 27u, n == 3u), 9u, n == 2u), 3u, n == 1u), 1u, n == 0u);
    let even = ((bytes & vec4<u32>(0x00ff00ffu)) * power) & vec4<u32>(0x00ff00ffu);
    let odd = (((bytes >> vec4<u32>(8u)) & vec4<u32>(0x00ff00ffu)) * power) & vec4<u32>(0x00ff00ffu);
    return (((even * 3u) >> vec4<u32>(8u)) & vec4<u32>(0x00030003u)) | ((odd * 3u) & vec4<u32>(0x03000300u));
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xU8(word));
}

// File: 48 bytes of quants, 4 of the rest, d f16.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 12u * 54u + word % 12u * 4u);
    }
    if (plane == 1u) {
        return raw_u32(row_at + word * 54u + 48u);
    }
    return raw_pair(row_at + word * 2u * 54u + 52u, 54u, word * 2u + 1u < BLOCKS / 8u);
}
