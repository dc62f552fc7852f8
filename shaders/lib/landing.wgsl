// Where a row or element `i` of a tensor goes: the firsts of rotation pairs, which are one half of the first `rotated` of a
// head's `head_dim` rows, beside their seconds. Nothing rotates where that is 0.
fn landing(i: u32, head_dim: u32, rotated: u32) -> u32 {
    if (rotated == 0u) {
        return i;
    }
    let d = i % head_dim;
    if (d >= rotated) {
        return i;
    }
    let half = rotated / 2u;
    return i - d + d % half * 2u + d / half;
}
