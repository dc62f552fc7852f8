// Values that are not evenly spaced, where there are many: signed bytes of the table, each byte of q being the number of one.
// Linked with lib/table.

fn looked_up(q: vec4<u32>) -> vec4<u32> {
    return vec4<u32>(four(q.x), four(q.y), four(q.z), four(q.w));
}

fn four(q: u32) -> u32 {
    return level(q & 0xffu) | (level((q >> 8u) & 0xffu) << 8u) | (level((q >> 16u) & 0xffu) << 16u) | (level(q >> 24u) << 24u);
}

fn level(q: u32) -> u32 {
    return (table[q / 16u][q / 4u % 4u] >> (q % 4u * 8u)) & 0xffu;
}
