//! Twin of `shaders/kernel/repack.wgsl`.

use crate::quant::Format;

/// The planes of a matrix whose rows of `cols` weights stand in `raw` as the file has them: a
/// vector of 32-bit words for each plane, row after row.
#[must_use]
pub fn repack(format: &Format, raw: &[u8], cols: usize) -> Vec<Vec<u32>> {
    let mut planes = Vec::new();
    for (ix, plane) in format.planes.iter().enumerate() {
        let padding = format.row_words(plane, cols) - format.used_words(plane, cols);
        let mut words = Vec::new();
        for row in raw.chunks_exact(format.row_bytes(cols)) {
            let used = 0..format.used_words(plane, cols);
            words.extend(used.map(|word| (format.repack_word)(row, ix, word)));
            words.extend(std::iter::repeat_n(0, padding));
        }
        planes.push(words);
    }
    planes
}
