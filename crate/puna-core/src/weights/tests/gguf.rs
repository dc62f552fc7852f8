use super::super::header::{Header, Origin, Parsed};
use super::{Numbers, Writer, string};
use crate::{Error, ErrorCode};

const TINY: &[u8] = include_bytes!("../../../../../tests/golden/llama-256/llama-256-Q8_0.gguf");

#[track_caller]
fn done(bytes: &[u8]) -> Header {
    match Header::from_gguf(bytes) {
        Ok(Parsed::Done(header)) => header,
        other => panic!("expected a whole header, got {other:?}"),
    }
}

#[track_caller]
fn fails(bytes: &[u8], code: ErrorCode, says: &str) -> Error {
    match Header::from_gguf(bytes) {
        Err(error) => {
            assert_eq!(error.code(), code, "{error}");
            assert!(
                error.message().contains(says),
                "{error} should say {says:?}"
            );
            error
        }
        other => panic!("expected {}, got {other:?}", code.as_str()),
    }
}

#[track_caller]
fn bad(bytes: &[u8], says: &str) -> Error {
    fails(bytes, ErrorCode::BadModelFile, says)
}

/// A header with one of everything, and the bytes of its tensors behind it.
fn rich() -> Writer {
    Writer::new()
        .str("general.architecture", "llama")
        .pair("a.u8", 0, [200])
        .pair("a.i8", 1, [0xff])
        .pair("a.u16", 2, 513_u16.to_le_bytes())
        .pair("a.u32", 4, 70_000_u32.to_le_bytes())
        .pair("a.i32", 5, (-3_i32).to_le_bytes())
        .pair("a.f32", 6, 1e-5_f32.to_le_bytes())
        .pair("a.bool", 7, [1])
        .pair("a.u64", 10, (1_u64 << 40).to_le_bytes())
        .pair("a.f64", 12, 0.5_f64.to_le_bytes())
        .strs("a.strs", &["<s>", "", "é", "▁the"])
        .array(
            "a.i32s",
            5,
            3,
            [1_i32, -2, 3].map(i32::to_le_bytes).concat(),
        )
        .array(
            "a.u32s",
            4,
            2,
            [1_u32, u32::MAX].map(u32::to_le_bytes).concat(),
        )
        .array(
            "a.f32s",
            6,
            2,
            [0.25_f32, -1.0].map(f32::to_le_bytes).concat(),
        )
        .array("a.bools", 7, 3, [1, 0, 1])
        .array(
            "a.nested",
            9,
            1,
            [9_u32.to_le_bytes().to_vec(), 0_u64.to_le_bytes().to_vec()].concat(),
        )
        .tensor("blk.0.weight", &[64, 3], 8, 0)
        .tensor("norm", &[5], 0, 224)
}

#[test]
fn values_are_told_to_programs_as_they_are() {
    let many = vec![1; 65];
    let header = done(&rich().array("a.many", 0, 65, many).build());
    let json = |key: &str| header.metadata.json(key).unwrap().to_string();
    for (key, expected) in [
        ("general.architecture", "\"llama\""),
        ("a.u8", "200"),
        ("a.i8", "-1"),
        ("a.i32", "-3"),
        ("a.f32", "0.00001"),
        ("a.bool", "true"),
        ("a.u64", "1099511627776"),
        ("a.f64", "0.5"),
        ("a.strs", "[\"<s>\",\"\",\"é\",\"▁the\"]"),
        ("a.u32s", "[1,4294967295]"),
        ("a.f32s", "[0.25,-1.0]"),
        ("a.bools", "[true,false,true]"),
        ("a.nested", "\"array[1]\""),
        ("a.many", "\"u8[65]\""),
    ] {
        assert_eq!(json(key), expected, "{key}");
    }
    assert_eq!(header.metadata.json("a.none"), None);
}

#[test]
fn reads_a_file_that_another_program_wrote() {
    let header = done(TINY);
    assert_eq!(header.origin, Origin::Gguf { version: 3 }, "version");
    assert_eq!(
        header.metadata.str("general.architecture"),
        Some("llama"),
        "architecture"
    );
    assert_eq!(
        header.metadata.u32("llama.embedding_length"),
        Some(256),
        "hidden size"
    );
    let tokens = header.metadata.strs("tokenizer.ggml.tokens").unwrap();
    assert_eq!(
        tokens.len(),
        tokens.iter().count(),
        "all strings are walked"
    );
    let types = header.metadata.i32s("tokenizer.ggml.token_type").unwrap();
    assert_eq!(types.len(), tokens.len(), "one type a token");
    header.check(TINY.len() as u64).unwrap();
    let last = header
        .by_offset()
        .last()
        .map(|(_, tensor)| tensor.offset + tensor.bytes)
        .unwrap();
    assert!(
        TINY.len() as u64 - last < 32,
        "the last tensor ends the file: {last}"
    );
    let query = header.tensor("blk.0.attn_q.weight").unwrap();
    assert_eq!(
        (query.ggml_type, query.dims[0]),
        (8, 256),
        "Q8_0, 256 columns"
    );
}

#[test]
fn values_convert_when_they_fit() {
    let header = done(&rich().build());
    let m = &header.metadata;
    assert_eq!(
        (m.u32("a.u8"), m.u64("a.u8")),
        (Some(200), Some(200)),
        "widened"
    );
    assert_eq!((m.u32("a.i8"), m.u32("a.i32")), (None, None), "negative");
    assert_eq!(m.u32("a.u16"), Some(513), "u16");
    assert_eq!(m.u32("a.u32"), Some(70_000), "u32");
    assert_eq!(
        (m.u32("a.u64"), m.u64("a.u64")),
        (None, Some(1 << 40)),
        "too large for 32 bits"
    );
    assert_eq!(
        (m.f32("a.f32"), m.f32("a.f64"), m.f32("a.u32")),
        (Some(1e-5), Some(0.5), None),
        "floats"
    );
    assert_eq!(
        (m.bool("a.bool"), m.bool("a.u8")),
        (Some(true), None),
        "bool"
    );
    assert_eq!(
        m.strs("a.strs").unwrap().iter().collect::<Vec<_>>(),
        ["<s>", "", "é", "▁the"],
        "strings"
    );
    assert_eq!(m.i32s("a.i32s").unwrap(), [1, -2, 3], "i32s");
    assert_eq!(
        (m.u32s("a.i32s"), m.i32s("a.u32s")),
        (None, None),
        "one element does not fit"
    );
    assert_eq!(m.u32s("a.u32s").unwrap(), [1, u32::MAX], "u32s");
    assert_eq!(m.f32s("a.f32s").unwrap(), [0.25, -1.0], "f32s");
    assert_eq!(m.bools("a.bools").unwrap(), [true, false, true], "bools");
    assert_eq!(
        (m.u32("a.i32s"), m.i32s("a.u32")),
        (None, None),
        "an array is not a value"
    );
    assert!(
        m.contains("a.nested") && m.i32s("a.nested").is_none(),
        "nested arrays are skipped"
    );
    let error = m.required_u32("a.i32").unwrap_err();
    assert!(
        error.message().contains("\"a.i32\"") && error.message().contains("-3"),
        "{error}"
    );
    assert!(
        m.required_str("gone")
            .unwrap_err()
            .message()
            .contains("has no \"gone\""),
        "names the key"
    );
}

#[test]
fn tensors_get_their_place_and_size() {
    let bytes = rich().build();
    let header = done(&bytes);
    let [weight, norm] = &header.tensors[..] else {
        panic!("two tensors")
    };
    assert_eq!(
        header.data_offset,
        bytes.len() as u64,
        "data follows the padded header"
    );
    assert_eq!(
        (weight.offset, weight.bytes),
        (header.data_offset, 204),
        "3 rows of 2 blocks of 34"
    );
    assert_eq!(
        (norm.offset, norm.bytes),
        (header.data_offset + 224, 20),
        "5 floats"
    );
    header.check(header.data_offset + 244).unwrap();
    let error = header.check(header.data_offset + 243).unwrap_err();
    assert!(error.message().contains("tensor norm"), "{error}");
}

#[test]
fn every_prefix_asks_for_more_and_never_too_much() {
    let bytes = rich().build();
    // The padding belongs to the data's place, not to what must be there.
    let needed = (0..bytes.len())
        .find(|end| matches!(Header::from_gguf(&bytes[..*end]), Ok(Parsed::Done(_))))
        .unwrap();
    assert!(
        bytes.len() - needed < 32,
        "at most the padding is not needed"
    );
    for end in 0..needed {
        match Header::from_gguf(&bytes[..end]) {
            Ok(Parsed::NeedMore { at_least }) => {
                assert!(
                    at_least > end as u64 && at_least <= needed as u64,
                    "{end}: asked for {at_least}"
                );
            }
            other => panic!("prefix of {end}: {other:?}"),
        }
    }
    let header = done(TINY).data_offset as usize;
    for end in (0..header - 64).step_by(7) {
        assert!(
            matches!(Header::from_gguf(&TINY[..end]), Ok(Parsed::NeedMore { .. })),
            "prefix of {end}"
        );
    }
}

#[test]
fn growing_as_asked_reaches_the_whole_header() {
    let mut end = 16;
    for _ in 0..64 {
        match Header::from_gguf(&TINY[..end]).unwrap() {
            Parsed::Done(_) => return,
            Parsed::NeedMore { at_least } => end = (at_least as usize).max(end * 2).min(TINY.len()),
        }
    }
    panic!("64 attempts were not enough");
}

#[test]
fn flipped_bytes_never_panic_nor_pass_the_end() {
    let rich = rich().build();
    let tiny = &TINY[..done(TINY).data_offset as usize];
    let mut numbers = Numbers::new(7);
    let mut refused = 0;
    for round in 0..6000 {
        let mut bytes = if round % 4 == 0 {
            tiny.to_vec()
        } else {
            rich.clone()
        };
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(bytes.len());
            bytes[at] = if round % 2 == 0 {
                numbers.next() as u8
            } else {
                [0, 1, 0x7f, 0x80, 0xff][numbers.below(5)]
            };
        }
        match Header::from_gguf(&bytes) {
            Ok(Parsed::Done(header)) => {
                let file_bytes = numbers.next() >> numbers.below(64);
                if header.check(file_bytes).is_ok() {
                    assert!(
                        header
                            .tensors
                            .iter()
                            .all(|t| t.offset + t.bytes <= file_bytes),
                        "round {round}"
                    );
                }
                for key in header.metadata.keys() {
                    header.metadata.describe(key).unwrap();
                    header.metadata.json(key).unwrap();
                    if let Some(strs) = header.metadata.strs(key) {
                        assert_eq!(strs.iter().count(), strs.len(), "round {round}: {key}");
                    }
                }
            }
            Ok(Parsed::NeedMore { at_least }) => {
                assert!(at_least > bytes.len() as u64, "round {round}");
            }
            Err(_) => refused += 1,
        }
    }
    assert!(
        refused > 500,
        "only {refused} of 6000 were refused: the flips miss"
    );
}

#[test]
fn absurd_counts_are_refused_before_anything_is_allocated() {
    let empty = Writer::new();
    bad(
        &empty.build_with_counts(1 << 60, 0),
        "number of tensors is 1152921504606846976",
    );
    bad(
        &empty.build_with_counts(0, u64::MAX),
        "number of metadata pairs",
    );
    let array = |kind, count| Writer::new().array("k", kind, count, []).build();
    for kind in [0, 5, 8, 9, 12] {
        bad(&array(kind, 1 << 60), "more than a header can hold");
    }
    let mut long = (u64::MAX - 3).to_le_bytes().to_vec();
    long.extend(b"text");
    bad(&Writer::new().pair("k", 8, long).build(), "k at byte");
    let plausible = Header::from_gguf(&array(8, 1 << 20)).unwrap();
    assert!(
        matches!(plausible, Parsed::NeedMore { at_least } if at_least > 8 << 20),
        "a million strings have at least a million lengths: {plausible:?}"
    );
}

#[test]
fn malformed_metadata_is_refused_by_name() {
    bad(
        &Writer::new().pair("k", 13, [0; 8]).build(),
        "\"k\" has the value type 13",
    );
    bad(
        &Writer::new().array("k", 99, 1, [0; 8]).build(),
        "\"k\" has the value type 99",
    );
    bad(
        &Writer::new()
            .str("k", "a")
            .str("j", "x")
            .str("k", "b")
            .build(),
        "\"k\" is there twice",
    );
    bad(
        &Writer::new()
            .pair("k", 8, [1, 0, 0, 0, 0, 0, 0, 0, 0xff])
            .build(),
        "not UTF-8",
    );
    bad(
        &Writer::new()
            .array("k", 8, 1, [1, 0, 0, 0, 0, 0, 0, 0, 0xc3])
            .build(),
        "not UTF-8",
    );
    let nest = [9_u32.to_le_bytes().to_vec(), 1_u64.to_le_bytes().to_vec()]
        .concat()
        .repeat(40);
    bad(
        &Writer::new().array("k", 9, 1, nest).build(),
        "nests arrays",
    );
    for alignment in [0_u32, 4, 33, 1 << 20] {
        let value = alignment.to_le_bytes();
        bad(
            &Writer::new().pair("general.alignment", 4, value).build(),
            "general.alignment is",
        );
    }
    bad(
        &Writer::new().str("general.alignment", "32").build(),
        "general.alignment",
    );
}

#[test]
fn malformed_tensors_are_refused_by_name() {
    let tensor = |dims: &[u64], kind, offset| Writer::new().tensor("t", dims, kind, offset).build();
    bad(&tensor(&[], 0, 0), "tensor t: has 0 dimensions");
    bad(&tensor(&[1; 5], 0, 0), "tensor t: has 5 dimensions");
    bad(&tensor(&[4, 0], 0, 0), "has a 0");
    bad(&tensor(&[33], 8, 0), "not whole blocks of 32 (Q8_0)");
    bad(&tensor(&[288], 12, 0), "not whole blocks of 256 (Q4_K)");
    bad(&tensor(&[1 << 32, 1 << 32], 0, 0), "too large");
    bad(&tensor(&[1 << 62], 0, 0), "too large");
    bad(&tensor(&[4], 0, 33), "not a multiple of the alignment 32");
    bad(&tensor(&[4], 0, u64::MAX - 31), "beyond any file");
    let twice = Writer::new()
        .tensor("t", &[4], 0, 0)
        .tensor("t", &[4], 0, 32)
        .build();
    bad(&twice, "tensor t: is there twice");
    let error = fails(
        &tensor(&[4], 250, 0),
        ErrorCode::UnsupportedModel,
        "type number 250",
    );
    assert_eq!(error.details()["tensor"], "t", "names the tensor");
    fails(&tensor(&[4], 36, 0), ErrorCode::UnsupportedModel, "I2_S");
}

#[test]
fn check_refuses_overlap_and_parts() {
    let overlap = done(
        &Writer::new()
            .tensor("a", &[16], 0, 0)
            .tensor("b", &[16], 0, 32)
            .build(),
    );
    let error = overlap.check(1 << 20).unwrap_err();
    assert!(
        error.message().contains("tensor b") && error.message().contains("but a ends"),
        "{error}"
    );
    let part = Writer::new()
        .pair("split.count", 2, 3_u16.to_le_bytes())
        .pair("split.no", 2, 0_u16.to_le_bytes())
        .build();
    let error = done(&part).check(1 << 20).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnsupportedModel, "{error}");
    assert!(error.message().contains("part 1 of 3"), "{error}");
}

#[test]
fn alignment_moves_the_data() {
    let bytes = Writer::new()
        .alignment(256)
        .tensor("a", &[4], 0, 256)
        .build();
    let header = done(&bytes);
    assert_eq!(header.data_offset, bytes.len() as u64, "aligned to 256");
    assert_eq!(
        header.tensors[0].offset,
        header.data_offset + 256,
        "counted from the data"
    );
}

#[test]
fn versions_are_told_apart() {
    assert_eq!(
        done(&rich().version(2).build()).origin,
        Origin::Gguf { version: 2 },
        "version 2 is read"
    );
    fails(
        &rich().version(1).build(),
        ErrorCode::UnsupportedModel,
        "version 1",
    );
    fails(
        &rich().version(4).build(),
        ErrorCode::UnsupportedModel,
        "version 4",
    );
    fails(
        &rich().version(3_u32.swap_bytes()).build(),
        ErrorCode::UnsupportedModel,
        "big-endian",
    );
    bad(&rich().version(0).build(), "version 0");
}

#[test]
fn other_files_are_named() {
    bad(b"<!DOCTYPE html><html>", "an HTML page");
    bad(b"\n  <html lang=en>", "an HTML page");
    bad(b"PK\x03\x04\x14\x00", "a zip archive");
    bad(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:",
        "a Git LFS pointer",
    );
    bad(b"\x1f\x8b\x08\x00", "a compressed file");
    bad(b"{\"error\": \"not found\"}", "a JSON text");
    bad(
        &[&1000_u64.to_le_bytes()[..], b"{\"__metadata__\""].concat(),
        "a safetensors file",
    );
    bad(b"tjgg\x03\0\0\0", "before GGUF");
    bad(&[0; 64], "zeros");
    bad(b"GGUX", "47 47 55 58");
    assert!(
        string("x").len() == 9,
        "strings of the builder have a length of 8 bytes"
    );
}

#[test]
fn an_empty_file_asks_for_a_header() {
    assert!(
        matches!(
            Header::from_gguf(b""),
            Ok(Parsed::NeedMore { at_least: 1.. })
        ),
        "nothing yet"
    );
    assert!(
        matches!(
            Header::from_gguf(b"GG"),
            Ok(Parsed::NeedMore { at_least: 3.. })
        ),
        "still good"
    );
}
