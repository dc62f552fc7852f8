// Numbers of 16 bits that a format looks up. Linked with a format (TABLE, how many words of four there are).
@group(0) @binding(23) var<uniform> table: array<vec4<u32>, TABLE>;

fn entry(index: u32) -> u32 {
    return (table[index / 8u][index / 2u % 4u] >> (index % 2u * 16u)) & 0xffffu;
}
