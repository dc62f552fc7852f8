//! Cases of `transpose`.

use puna_core::graph::{Source, Transposed};
use puna_core::reference;
use puna_gpu::kernel::transpose::{TransposeParams, variant};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::WORKGROUP;

use super::{Case, Dispatch, Kv, Products, Wanted, words, words_of};
use crate::data::Random;

/// Groups of the tensor, and rows of a plane's words.
const GROUPS: usize = 3;
const ROW_WORDS: usize = 16;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let transposed = Transposed {
        group_rows: 20,
        cols: 12,
        width: 24,
        first: 5,
        rows: 10,
    };
    // All rows, and pieces that begin and end at odd ones; one part of the matrix, or all.
    for (value_bytes, from, rows, row_step, part) in [
        (2, 0, 60, 2, 0..60),
        (2, 21, 6, 1, 0..30),
        (2, 23, 30, 1, 8..29),
        (4, 3, 40, 2, 10..60),
    ] {
        let mut random = Random(1300 + cases.len() as u32);
        let row_bytes = transposed.width * value_bytes;
        let bytes: Vec<u8> = (0..rows * row_bytes).map(|_| random.word() as u8).collect();
        let source = Source {
            first_row: row_step - 1,
            row_step,
            transposed: Some(transposed),
            ..Source::whole(0, GROUPS * transposed.rows)
        };
        let matrix_rows = GROUPS * transposed.rows * row_step;
        let mut want = vec![7; matrix_rows * ROW_WORDS * 4];
        reference::transpose::transpose(
            &bytes,
            value_bytes,
            from,
            &source,
            transposed,
            ROW_WORDS * 4,
            &mut want,
        );
        let want = &want[part.start * ROW_WORDS * 4..part.end * ROW_WORDS * 4];
        let mut raw = vec![0x5a; 8];
        raw.extend(bytes);
        raw.extend([0; 4]);
        let workgroups = ((rows * transposed.rows) as u32).div_ceil(WORKGROUP);
        let params = TransposeParams {
            raw_at: 8,
            there: from as u32,
            rows: rows as u32,
            width: transposed.width as u32,
            first: transposed.first as u32,
            group_rows: transposed.group_rows as u32,
            cols: transposed.cols as u32,
            out_rows: transposed.rows as u32,
            first_row: source.first_row as u32,
            row_step: row_step as u32,
            part_row: part.start as u32,
            part_rows: part.len() as u32,
            row_words: ROW_WORDS as u32,
            value_bytes: value_bytes as u32,
            grid_x: workgroups,
            padding: 0,
        };
        cases.push(Case {
            name: format!(
                "transpose {value_bytes} bytes {rows} from {from} to {part:?} by {row_step}"
            ),
            kernel: "transpose",
            products: Products::F32,
            kv: Kv(KvType::F32),
            magnitude: 0.0,
            exact: true,
            buffers: vec![
                (binding::OUT, vec![0x0707_0707; want.len() / 4]),
                (binding::RAW, words_of(&raw)),
            ],
            step: words([0; 4]),
            dispatches: vec![Dispatch {
                variant: variant(),
                params: bytemuck::bytes_of(&params).to_vec(),
                workgroups: [workgroups, 1, 1],
            }],
            wanted: vec![Wanted::Words(binding::OUT, words_of(want))],
        });
    }
    cases
}
