//! Files that are wrong, and what they get.

use super::header::Header;
use crate::ErrorCode;

#[track_caller]
fn fails(header: &Header, code: ErrorCode, says: &str) {
    let error = header.load().expect_err("the header is wrong");
    assert_eq!(error.code(), code, "{error}");
    assert!(
        error.message().contains(says),
        "{error} should say {says:?}"
    );
}

#[track_caller]
fn bad(header: &Header, says: &str) {
    fails(header, ErrorCode::BadModelFile, says);
}

#[track_caller]
fn unsupported(header: &Header, says: &str) {
    fails(header, ErrorCode::UnsupportedModel, says);
}

#[test]
fn what_is_not_supported_is_named() {
    let small = Header::small;
    unsupported(&small().str("tokenizer.ggml.model", "rwkv"), "\"rwkv\"");
    unsupported(&small().pre("kimi-k2"), "\"kimi-k2\"");
    unsupported(&small().pre("kimi-k2"), "smollm, starcoder");
}

#[test]
fn a_missing_pre_tokenizer_is_the_default_one() {
    let tokenizer = Header::small().without("tokenizer.ggml.pre").tokenizer();
    assert_eq!(tokenizer.vocab_size(), 9, "it loads");
}

#[test]
fn missing_or_mistyped_arrays_are_refused() {
    let small = Header::small;
    bad(&Header::default(), "tokenizer.ggml.model");
    bad(
        &small().without("tokenizer.ggml.tokens"),
        "tokenizer.ggml.tokens",
    );
    bad(
        &small().without("tokenizer.ggml.merges"),
        "tokenizer.ggml.merges",
    );
    bad(
        &small().u32("tokenizer.ggml.tokens", 1),
        "tokenizer.ggml.tokens",
    );
    bad(
        &small().u32("tokenizer.ggml.token_type", 1),
        "tokenizer.ggml.token_type",
    );
    bad(&small().u32("tokenizer.ggml.pre", 1), "tokenizer.ggml.pre");
    bad(
        &small().str("tokenizer.ggml.add_bos_token", "yes"),
        "add_bos_token",
    );
}

#[test]
fn arrays_that_contradict_each_other_are_refused() {
    let small = Header::small;
    bad(&small().types(&[1; 8]), "8 entries for 9 tokens");
    bad(&small().tokens(&[]).types(&[]), "0 entries");
    let twice = small().with_tokens(&[("ab", 1)]);
    bad(&twice, "\"ab\" is in the vocabulary twice, as 3 and 9");
    bad(&small().merges(&["a x"]), "merges[0] is \"a x\"");
    bad(&small().merges(&["a b", "x a"]), "merges[1]");
    bad(
        &small().merges(&["c a"]),
        "the result is not in the vocabulary",
    );
    bad(
        &small().merges(&["abc abc"]),
        "the result is not in the vocabulary",
    );
    bad(&small().merges(&["ab"]), "a space between");
    bad(&small().merges(&[" a"]), "not in the vocabulary");
    bad(&small().merges(&[""]), "a space between");
}

#[test]
fn ids_outside_the_vocabulary_are_refused() {
    for name in ["bos", "eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep"] {
        let key = format!("tokenizer.ggml.{name}_token_id");
        bad(
            &Header::small().u32(&key, 9),
            &format!("{key} is 9; the vocabulary has 9 tokens"),
        );
        assert!(
            Header::small().u32(&key, 8).load().is_ok(),
            "{name} is the last token"
        );
    }
}

#[test]
fn empty_tokens_are_no_duplicates_and_match_nothing() {
    let tokenizer = Header::small().with_tokens(&[("", 3), ("", 1)]).tokenizer();
    let ids = tokenizer.encode("abc", super::Special::Parse).unwrap();
    assert_eq!(ids, [5], "empty tokens are nowhere in a text");
}

#[test]
fn any_cut_or_changed_byte_is_an_error_or_a_tokenizer_and_never_a_panic() {
    // Types, counts and texts of the arrays all pass through this.
    let tokens = ["a", "b", "ab", "<|im_end|>", "[u]"];
    for broken in 0..tokens.len() {
        for replacement in [
            "",
            " ",
            "a",
            "ab",
            "\u{0}",
            "Ġ",
            "<|im_end|>",
            "aaaaaaaaaaaaaaaaaaaa",
        ] {
            let mut changed = tokens;
            changed[broken] = replacement;
            for kind in [-1, 0, 2, 3, 4, 5, 6, i32::MAX] {
                let mut types = [1; 5];
                types[broken] = kind;
                let header = Header::small()
                    .tokens(&changed)
                    .types(&types)
                    .merges(&["a b"]);
                if let Ok(tokenizer) = header.load() {
                    let ids = tokenizer.encode("ab <|im_end|>[u]\0", super::Special::Parse);
                    assert!(tokenizer.decode(&ids.unwrap()).len() < 100, "a short text");
                }
            }
        }
    }
}
