//! Weights that are computed from a number, several in a row, as in `QTIP` (Tseng et al. 2024, arXiv 2406.11235), with the
//! generator of `ik_llama.cpp` (`iqk_quantize.cpp`).

const FACTOR: u32 = 0xcbac_1fed;

/// The `i`th weight from `state`, the first being 0: from -126 to 126.
pub(super) fn weight(state: u32, i: usize) -> f32 {
    let word = (0..=i).fold(state, |word, _| word.wrapping_mul(FACTOR));
    let bytes = (word & 0x3f3f_3f3f).to_le_bytes();
    bytes.map(f32::from).iter().sum::<f32>() - 126.0
}
