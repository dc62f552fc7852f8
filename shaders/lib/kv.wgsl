// Where things are in the KV cache of a layer: (2, Hkv, capacity, Dh), keys first; or, if VALUES_APART is 0, keys alone, whose
// first dimensions are the values.
// Linked with how elements are stored (lib/kv_store_*.wgsl) or loaded (lib/kv_load_*.wgsl).

// Element of `which` (0 keys, 1 values), head, row, dimension 0.
fn kv_at(which: u32, head: u32, row: u32) -> u32 {
    return ((which * VALUES_APART * KV_HEADS + head) * step.capacity + row) * HEAD_DIM;
}
