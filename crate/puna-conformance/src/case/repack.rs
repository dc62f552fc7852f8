//! Cases of `repack`.

use puna_core::graph::{Halves, Source};
use puna_core::reference;
use puna_gpu::kernel::lines;
use puna_gpu::kernel::repack::{self, RepackParams};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::WORKGROUP;

use super::{Case, Dispatch, Kv, Products, Wanted, formats, words, words_of};
use crate::Extent;
use crate::data::Random;

pub(super) fn cases(extent: Extent) -> Vec<Case> {
    let mut cases = Vec::new();
    for (format, cols) in formats(extent) {
        for (ix, plane) in format.planes.iter().enumerate() {
            // Rows as they are, interleaved with another tensor's, and with rotation pairs in halves; the last ones are cut
            // off at both ends of a part.
            let heads = Some(Halves {
                head_dim: 6,
                rotated: 4,
            });
            for (rows, first_row, row_step, halves, part) in [
                (1, 0, 1, None, 0..1),
                (7, 2, 1, None, 0..9),
                (7, 1, 2, None, 0..15),
                (12, 1, 1, heads, 3..11),
            ] {
                let raw = Random(600 + cases.len() as u32).rows(format, rows, cols);
                // Behind other bytes of the chunk, at an address that is a multiple of 2 alone.
                let raw_at = 38;
                let mut bytes = vec![0xa5; raw_at];
                bytes.extend(&raw);
                bytes.resize(bytes.len().next_multiple_of(4) + 4, 0x5a);

                let row_words = format.row_words(plane, cols);
                let used_words = format.used_words(plane, cols);
                let to = Source {
                    first_row,
                    row_step,
                    halves,
                    ..Source::whole(0, rows)
                };
                let mut want = vec![7; part.len() * row_words];
                let source = &reference::repack::repack(format, &raw, cols)[ix];
                for row in (0..rows).filter(|&row| part.contains(&to.landing(row))) {
                    let at = (to.landing(row) - part.start) * row_words;
                    want[at..at + used_words]
                        .copy_from_slice(&source[row * row_words..][..used_words]);
                }
                let [x, y] = lines((rows * used_words).div_ceil(WORKGROUP as usize) as u32);
                let (head_dim, rotated) = halves.map_or((0, 0), |it| (it.head_dim, it.rotated));
                let params = RepackParams {
                    raw_at: raw_at as u32,
                    row_bytes: (raw.len() / rows) as u32,
                    rows: rows as u32,
                    skipped: 0,
                    first_row: first_row as u32,
                    row_step: row_step as u32,
                    head_dim: head_dim as u32,
                    rotated: rotated as u32,
                    part_row: part.start as u32,
                    part_rows: part.len() as u32,
                    plane: ix as u32,
                    row_words: row_words as u32,
                    used_words: used_words as u32,
                    grid_x: x,
                    padding: [0; 2],
                };
                let params = bytemuck::bytes_of(&params).to_vec();
                cases.push(Case {
                    name: format!(
                        "repack {} {} K {cols} rows {rows} to {first_row} by {row_step} rotated {rotated}",
                        format.name, plane.name
                    ),
                    kernel: "repack",
                    products: Products::F32,
                    kv: Kv(KvType::F32),
                    magnitude: 0.0,
                    exact: true,
                    buffers: vec![
                        (binding::OUT, vec![7; part.len() * row_words]),
                        (
                            binding::RAW,
                            words_of(&bytes),
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
