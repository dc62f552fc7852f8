//! Twin of `shaders/kernel/repack.wgsl`.

use crate::quant::{BLOCK_LEN, Format};

/// The planes of a matrix whose rows of `cols` weights stand in `raw` as the file has them: a
/// vector of 32-bit words for each plane, row after row.
#[must_use]
pub fn repack(format: &Format, raw: &[u8], cols: usize) -> Vec<Vec<u32>> {
    let blocks = cols / BLOCK_LEN;
    let plane = |ix: usize| {
        let words = format.planes[ix].row_words(blocks);
        let used = (blocks * format.planes[ix].bits_per_block).div_ceil(32);
        raw.chunks_exact(format.row_bytes(cols))
            .flat_map(|row| {
                (0..words).map(move |word| {
                    if word < used {
                        (format.repack_word)(row, ix, word)
                    } else {
                        0
                    }
                })
            })
            .collect()
    };
    (0..format.planes.len()).map(plane).collect()
}
