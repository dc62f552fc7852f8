use super::super::ggml_type::{TYPES, ggml_type, type_name};

#[test]
fn numbers_and_names_are_distinct() {
    for (ix, a) in TYPES.iter().enumerate() {
        for b in &TYPES[ix + 1..] {
            assert!(a.id < b.id, "{} and {} are out of order", a.name, b.name);
            assert_ne!(a.name, b.name, "two numbers share a name");
        }
    }
}

/// Values, bytes and bytes in front of a row, as the fixtures of quantised blocks record them.
#[test]
fn layouts_are_those_of_the_recorded_blocks() {
    let recorded: &[(u32, &str, u32, u32, u32)] = &[
        (2, "Q4_0", 32, 18, 0),
        (3, "Q4_1", 32, 20, 0),
        (8, "Q8_0", 32, 34, 0),
        (11, "Q3_K", 256, 110, 0),
        (14, "Q6_K", 256, 210, 0),
        (29, "IQ1_M", 256, 56, 0),
        (34, "TQ1_0", 256, 54, 0),
        (39, "MXFP4", 32, 17, 0),
        (40, "NVFP4", 64, 36, 0),
        (41, "Q1_0", 128, 18, 0),
        (133, "Q6_0", 32, 26, 0),
        (141, "IQ6_K", 256, 212, 0),
        (145, "IQ2_KS", 256, 70, 2),
        (146, "IQ4_KSS", 256, 128, 4),
        (152, "IQ5_KS", 256, 168, 4),
        (156, "IQ3_KS", 256, 102, 2),
        (157, "IQ2_KL", 256, 86, 2),
        (158, "IQ1_KT", 256, 56, 4),
    ];
    for &(id, name, block_len, block_bytes, row_extra_bytes) in recorded {
        let row = ggml_type(id).expect(name);
        assert_eq!(
            (
                row.name,
                row.block_len,
                row.block_bytes,
                row.row_extra_bytes
            ),
            (name, block_len, block_bytes, row_extra_bytes),
            "type {id}"
        );
    }
}

#[test]
fn a_row_must_be_whole_blocks_and_fit() {
    let q4_1 = ggml_type(3).unwrap();
    assert_eq!(q4_1.row_bytes(576), Some(360), "18 blocks of 20 bytes");
    assert_eq!(q4_1.row_bytes(33), None, "one value too many");
    assert_eq!(
        ggml_type(28).unwrap().row_bytes(u64::MAX),
        None,
        "the product is too large"
    );
    assert_eq!(
        ggml_type(144).unwrap().row_bytes(512),
        Some(276),
        "4 bytes in front of two blocks"
    );
}

#[test]
fn withdrawn_types_have_a_name_and_no_layout() {
    assert_eq!(type_name(36), Some("I2_S"), "known by name");
    assert!(
        ggml_type(36).is_none(),
        "its tensors have 32 bytes more than their rows"
    );
    assert_eq!(type_name(9999), None, "nobody's number");
}
