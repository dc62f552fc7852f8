// The keys of a token in parts: of each of which workgroups make sums of their own, merged by a dispatch that follows.
// A part is some tiles of KEYS keys; a few tiles are one part, and more parts than MOST_PARTS are none.
@group(0) @binding(22) var<storage, read_write> sums_of_parts: array<vec4<f32>>; // (T, H, MOST_PARTS, Dv / 4 + 1)

// Tiles of a part, for a token that sees so many keys, at least 1.
fn tiles_each(keys: u32) -> u32 {
    let tiles = (keys + KEYS - 1u) / KEYS;
    return select((tiles + MOST_PARTS - 1u) / MOST_PARTS, tiles, tiles <= WHOLE_TILES);
}

fn parts_of(keys: u32) -> u32 {
    let each = tiles_each(keys) * KEYS;
    return (keys + each - 1u) / each;
}

// Where a part's sums begin: Dv / 4 of weights · values, and (highest score, sum of weights, 0, 0).
fn part_at(t: u32, head: u32, part: u32) -> u32 {
    return ((t * HEADS + head) * MOST_PARTS + part) * (VALUES4 + 1u);
}
