//! Cases of `repack`.

use puna_core::reference;
use puna_gpu::kernel::{lines, repack};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::WORKGROUP;

use super::{Case, Dispatch, Kv, Products, Wanted, formats, words};
use crate::Extent;
use crate::data::Random;

pub(super) fn cases(extent: Extent) -> Vec<Case> {
    let mut cases = Vec::new();
    for (format, cols) in formats(extent) {
        for (ix, plane) in format.planes.iter().enumerate() {
            // Rows as they are, and interleaved with another tensor's.
            for (rows, first_row, row_step) in [(1, 0, 1), (7, 2, 1), (7, 1, 2)] {
                let raw = Random(600 + cases.len() as u32).rows(format, rows, cols);
                // Behind other bytes of the chunk, at an address that is a multiple of 2 alone.
                let raw_at = 38;
                let mut bytes = vec![0xa5; raw_at];
                bytes.extend(&raw);
                bytes.resize(bytes.len().next_multiple_of(4) + 4, 0x5a);

                let row_words = format.row_words(plane, cols);
                let used_words = format.used_words(plane, cols);
                let total = first_row + rows * row_step;
                let mut want = vec![7; total * row_words];
                let source = &reference::repack::repack(format, &raw, cols)[ix];
                for row in 0..rows {
                    let at = (first_row + row * row_step) * row_words;
                    want[at..at + used_words]
                        .copy_from_slice(&source[row * row_words..][..used_words]);
                }
                let [x, y] = lines((rows * used_words).div_ceil(WORKGROUP as usize) as u32);
                let params = [
                    raw_at,
                    raw.len() / rows,
                    rows,
                    first_row,
                    row_step,
                    ix,
                    row_words,
                    used_words,
                ]
                .map(|value| value as u32);
                let params = params
                    .into_iter()
                    .chain([x, 0, 0, 0])
                    .flat_map(u32::to_le_bytes)
                    .collect();
                cases.push(Case {
                    name: format!(
                        "repack {} {} K {cols} rows {rows} to {first_row} by {row_step}",
                        format.name, plane.name
                    ),
                    kernel: "repack",
                    products: Products::F32,
                    kv: Kv(KvType::F32),
                    magnitude: 0.0,
                    exact: true,
                    buffers: vec![
                        (binding::OUT, vec![7; total * row_words]),
                        (
                            binding::RAW,
                            bytes
                                .as_chunks()
                                .0
                                .iter()
                                .map(|&word| u32::from_le_bytes(word))
                                .collect(),
                        ),
                    ],
                    step: words([0; 4]),
                    dispatches: vec![Dispatch {
                        variant: repack::variant(format, cols),
                        params,
                        workgroups: [x, y, 1],
                    }],
                    wanted: vec![Wanted::Words(binding::OUT, want)],
                });
            }
        }
    }
    cases
}
