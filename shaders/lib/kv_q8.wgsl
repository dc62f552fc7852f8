// Where the KV cache in 8 bits has what a block's elements are 127ths of: behind all elements, (2, Hkv, capacity, Dh / KV_BLOCK).

// The word of the element at `at`.
fn largest_at(at: u32) -> u32 {
    return (1u + VALUES_APART) * KV_HEADS * step.capacity * (HEAD_DIM / 4u) + at / KV_BLOCK;
}
