use super::super::ggml_type::{TYPES, ggml_type};
use super::super::header::{Header, Parsed};
use super::super::plan::{CHUNK_BYTES, MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, Plan};
use super::{Numbers, Writer};
use crate::ErrorCode;

const TINY: &[u8] = include_bytes!("../../../../../tests/golden/llama-256/llama-256-Q8_0.gguf");

type Cuts = Vec<(u64, u32)>;

fn parse(bytes: &[u8]) -> Header {
    match Header::from_gguf(bytes) {
        Ok(Parsed::Done(header)) => header,
        other => panic!("expected a whole header, got {other:?}"),
    }
}

/// Everything that the rules of a plan promise.
#[track_caller]
fn check(header: &Header, plan: &Plan, chunk_bytes: u32, label: &str) {
    let mut at = 0;
    let mut covered = vec![0; header.tensors.len()];
    for chunk in &plan.chunks {
        assert_eq!(chunk.offset, at, "{label}: chunks follow each other");
        assert!(
            chunk.offset % 4 == 0 && chunk.bytes > 0 && chunk.bytes <= chunk_bytes,
            "{label}: {chunk:?}"
        );
        at = chunk.end();
        if chunk.offset < header.data_offset {
            assert!(
                chunk.pieces.is_empty() && at <= header.data_offset,
                "{label}: the header is apart"
            );
        }
        let mut free_from = 0;
        for piece in &chunk.pieces {
            let tensor = &header.tensors[piece.tensor];
            let layout = ggml_type(tensor.ggml_type).unwrap();
            assert_eq!(
                piece.tensor_offset, covered[piece.tensor],
                "{label}: {} in order",
                tensor.name
            );
            covered[piece.tensor] += u64::from(piece.bytes);
            let in_file = chunk.offset + u64::from(piece.chunk_offset);
            assert_eq!(
                in_file,
                tensor.offset + piece.tensor_offset,
                "{label}: {} place",
                tensor.name
            );
            assert!(
                piece.chunk_offset >= free_from && piece.bytes > 0,
                "{label}: pieces are apart"
            );
            free_from = piece.chunk_offset + piece.bytes;
            assert!(free_from <= chunk.bytes, "{label}: inside the chunk");
            assert_eq!(
                piece.tensor_offset % 4,
                0,
                "{label}: {} alignment",
                tensor.name
            );
            let row = layout.row_bytes(tensor.dims[0]).unwrap();
            let whole = match tensor.dims.len() {
                1 => u64::from(layout.block_bytes),
                _ => row * u64::from(layout.rows_together),
            };
            assert_eq!(
                piece.tensor_offset % whole,
                0,
                "{label}: {} starts at a row",
                tensor.name
            );
            let end = piece.tensor_offset + u64::from(piece.bytes);
            assert!(
                end == tensor.bytes || end % whole == 0,
                "{label}: {} ends at a row",
                tensor.name
            );
        }
    }
    assert_eq!(at, plan.file_bytes, "{label}: the whole file");
    let sizes: Vec<_> = header.tensors.iter().map(|tensor| tensor.bytes).collect();
    assert_eq!(covered, sizes, "{label}: every tensor is whole");
    let cuts = plan
        .chunks
        .iter()
        .map(|chunk| (chunk.offset, chunk.bytes))
        .collect();
    assert_eq!(
        &Plan::from_cuts(header, plan.file_bytes, cuts).unwrap(),
        plan,
        "{label}: cut again"
    );
}

#[test]
fn a_real_file_is_cut_at_every_size() {
    let header = parse(TINY);
    for chunk_bytes in [4096, 4100, 8192, 30_000, 65_536, 1 << 20, CHUNK_BYTES] {
        let plan = Plan::new(&header, TINY.len() as u64, chunk_bytes).unwrap();
        check(
            &header,
            &plan,
            chunk_bytes,
            &format!("chunks of {chunk_bytes}"),
        );
        if chunk_bytes <= 65_536 {
            assert!(
                plan.chunks.len() > TINY.len() / chunk_bytes as usize,
                "{} chunks",
                plan.chunks.len()
            );
        }
    }
}

/// Random headers of every type, with gaps between tensors, cut at random sizes.
#[test]
fn any_file_is_covered_exactly_in_whole_rows() {
    let mut numbers = Numbers::new(11);
    for round in 0..400 {
        let mut builder = Writer::new();
        let mut at = 0;
        for ix in 0..numbers.below(12) {
            let layout = &TYPES[numbers.below(TYPES.len())];
            let columns = u64::from(layout.block_len) * (1 + numbers.below(6)) as u64;
            let rows = u64::from(layout.rows_together) * (1 + numbers.below(40)) as u64;
            builder = builder.tensor(&format!("t{ix}"), &[columns, rows], layout.id, at);
            at += layout.row_bytes(columns).unwrap() * rows + 32 * numbers.below(300) as u64;
            at = at.next_multiple_of(32);
        }
        let bytes = builder.build();
        let header = parse(&bytes);
        let last = header
            .by_offset()
            .last()
            .map_or(header.data_offset, |(_, tensor)| {
                tensor.offset + tensor.bytes
            });
        let file_bytes = last + numbers.below(9000) as u64;
        let chunk_bytes = 4 * (50_000 + numbers.below(20_000) as u32);
        for chunk_bytes in [chunk_bytes, 40_000] {
            match Plan::new(&header, file_bytes, chunk_bytes) {
                Ok(plan) => check(&header, &plan, chunk_bytes, &format!("round {round}")),
                // Rows of types with bytes in front may be larger than the smaller chunk.
                Err(error) => {
                    assert_eq!(
                        (error.code(), chunk_bytes),
                        (ErrorCode::UnsupportedModel, 40_000),
                        "{error}"
                    );
                }
            }
        }
    }
}

#[test]
fn rows_of_18_bytes_are_cut_every_36() {
    let header = parse(&Writer::new().tensor("w", &[32, 1000], 2, 0).build());
    let plan = Plan::new(&header, header.data_offset + 18_000, 4096).unwrap();
    let first = plan.chunks[1].pieces[0];
    assert_eq!(u64::from(first.bytes), 4096 / 36 * 36, "113 pairs of rows");
}

#[test]
fn chunk_sizes_are_bounded() {
    let header = parse(TINY);
    for chunk_bytes in [0, MIN_CHUNK_BYTES - 4, 4098, MAX_CHUNK_BYTES + 4] {
        let error = Plan::new(&header, TINY.len() as u64, chunk_bytes).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidRequest, "{error}");
    }
    let wide = parse(&Writer::new().tensor("w", &[256 * 64, 4], 144, 0).build());
    let error = Plan::new(&wide, 1 << 20, MIN_CHUNK_BYTES).unwrap_err();
    assert!(
        error
            .message()
            .contains("tensor w: can only be cut every 8708 bytes"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_too_short_or_absurdly_long_is_refused() {
    let header = parse(TINY);
    for file_bytes in [0, 100, header.data_offset, TINY.len() as u64 - 64] {
        let error = Plan::new(&header, file_bytes, CHUNK_BYTES).unwrap_err();
        assert_eq!(
            error.code(),
            ErrorCode::BadModelFile,
            "{file_bytes}: {error}"
        );
    }
    let error = Plan::new(&header, u64::MAX, CHUNK_BYTES).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnsupportedModel, "{error}");
}

#[test]
fn cuts_that_do_not_fit_are_refused() {
    let header = parse(TINY);
    let end = TINY.len() as u64;
    let plan = Plan::new(&header, end, 1 << 16).unwrap();
    let good: Vec<_> = plan
        .chunks
        .iter()
        .map(|chunk| (chunk.offset, chunk.bytes))
        .collect();
    let refused = |change: &dyn Fn(&mut Cuts)| {
        let mut cuts = good.clone();
        change(&mut cuts);
        let error = Plan::from_cuts(&header, end, cuts).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadModelFile, "{error}");
    };
    refused(&|cuts| cuts.truncate(cuts.len() - 1));
    refused(&|cuts| cuts.retain(|cut| *cut != good[2]));
    refused(&|cuts| cuts.push((end, 0)));
    refused(&|cuts| cuts.push((end, 4)));
    refused(&|cuts| cuts.swap(1, 2));
    refused(&|cuts| *cuts = vec![(0, u32::MAX)]);
    // Four bytes moved from one chunk to the next: inside a row.
    let cut = good.iter().position(|(offset, _)| {
        header
            .tensors
            .iter()
            .any(|t| t.ggml_type == 8 && t.offset < *offset && *offset < t.offset + t.bytes)
    });
    let cut = cut.expect("a cut inside a Q8_0 tensor");
    refused(&|cuts| {
        cuts[cut - 1].1 -= 4;
        cuts[cut].0 -= 4;
        cuts[cut].1 += 4;
    });
}
