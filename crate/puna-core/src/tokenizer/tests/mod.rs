//! Tests on small vocabularies; those on a real one are in `tests/smollm2_text.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test stops at the first surprise"
)]

mod golden;
pub(crate) mod header;
mod json;
mod kinds;
mod untrusted;

use super::{Special, TokenKind, Tokenizer};
use header::Header;

#[track_caller]
fn encode(tokenizer: &Tokenizer, text: &str, special: Special) -> Vec<u32> {
    tokenizer.encode(text, special).unwrap()
}

#[test]
fn merges_apply_in_order_of_rank() {
    let tokenizer = Header::small().tokenizer();
    // "ab" has rank 0, "bc" rank 1, "abc" = "ab" + "c" rank 2.
    assert_eq!(encode(&tokenizer, "abc", Special::AsText), [5], "abc");
    assert_eq!(
        encode(&tokenizer, "bcab", Special::AsText),
        [4, 3],
        "bc, ab"
    );
}

#[test]
fn the_first_of_two_equal_merges_counts() {
    // Ranks: bc, ab, bc again. Were the last to count, "abc" would begin with "ab".
    let header = Header::small().merges(&["b c", "a b", "b c", "ab c"]);
    let tokenizer = header.tokenizer();
    assert_eq!(encode(&tokenizer, "abc", Special::AsText), [0, 4], "a, bc");
}

#[test]
fn control_tokens_are_found_only_when_asked_for() {
    let tokenizer = Header::small().tokenizer();
    assert_eq!(
        encode(&tokenizer, "a<c>b", Special::Parse),
        [0, 7, 1],
        "parsed"
    );
    // Of "<c>" the vocabulary knows only "c" as text.
    assert_eq!(
        encode(&tokenizer, "a<c>b", Special::AsText),
        [0, 2, 1],
        "as text"
    );
}

#[test]
fn user_defined_tokens_are_always_found() {
    let tokenizer = Header::small().tokenizer();
    assert_eq!(
        encode(&tokenizer, "a[u]b", Special::AsText),
        [0, 8, 1],
        "as text"
    );
    assert_eq!(
        encode(&tokenizer, "a[u]b", Special::Parse),
        [0, 8, 1],
        "parsed"
    );
}

#[test]
fn the_longest_token_is_found_wherever_it_begins() {
    let header = Header::small().with_tokens(&[("<x", 3), ("x<yz>", 3), ("<x<", 4)]);
    let tokenizer = header.tokenizer();
    let ids = |text| encode(&tokenizer, text, Special::Parse);
    assert_eq!(ids("<x<yz>"), [10], "the longest begins later");
    assert_eq!(ids("<x<y"), [11], "three bytes before two");
    assert_eq!(ids("<xa"), [9, 0], "then the shortest");
    assert_eq!(ids("<x<x<x<"), [11, 11], "equally long ones from the left");
}

#[test]
fn a_byte_without_a_token_is_left_out_and_nothing_merges_across_it() {
    let tokenizer = Header::small().tokenizer();
    assert_eq!(encode(&tokenizer, "a!b", Special::AsText), [0, 1], "not ab");
    assert_eq!(encode(&tokenizer, "ab", Special::AsText), [3], "ab");
    assert_eq!(
        encode(&tokenizer, "!", Special::AsText),
        [0_u32; 0],
        "nothing"
    );
}

#[test]
fn bos_and_eos_are_added_to_documents_as_the_model_asks() {
    let both = Header::small()
        .bool("tokenizer.ggml.add_bos_token", true)
        .bool("tokenizer.ggml.add_eos_token", true)
        .u32("tokenizer.ggml.bos_token_id", 7)
        .u32("tokenizer.ggml.eos_token_id", 6);
    let document = |header: Header| {
        let tokenizer = header.tokenizer();
        tokenizer.encode_document("ab", Special::AsText).unwrap()
    };
    assert_eq!(document(both.clone()), [7, 3, 6], "both");
    assert_eq!(
        encode(&both.tokenizer(), "ab", Special::AsText),
        [3],
        "encode adds nothing"
    );
    let neither = Header::small().u32("tokenizer.ggml.bos_token_id", 7);
    assert_eq!(document(neither.clone()), [3], "a model that does not ask");
    assert_eq!(
        document(neither.pre("llama-bpe")),
        [7, 3],
        "its pre-tokenizer asks"
    );
}

#[test]
fn a_word_of_the_vocabulary_is_one_token_where_merges_are_ignored() {
    let header = Header::small().with_tokens(&[("bb", 1)]);
    assert_eq!(
        encode(&header.tokenizer(), "bb", Special::AsText),
        [1, 1],
        "no merge leads to it"
    );
    let tokenizer = header.pre("llama3").tokenizer();
    assert_eq!(
        encode(&tokenizer, "bb", Special::AsText),
        [9],
        "it is a word"
    );
}

#[test]
fn ends_are_found_by_metadata_and_by_how_they_are_written() {
    let header = Header::small().with_tokens(&[
        ("</s>", 1),
        ("<|im_end|>", 3),
        ("<reponame>", 3),
        ("<|repo_name|>", 3),
    ]);
    let tokenizer = header
        .clone()
        .u32("tokenizer.ggml.eos_token_id", 7)
        .tokenizer();
    assert_eq!(
        tokenizer.end_of_generation(),
        [7, 9, 10, 11],
        "the first of the two repo tokens"
    );
    assert!(tokenizer.is_end_of_generation(10), "<|im_end|>");
    assert!(!tokenizer.is_end_of_generation(12), "the second of the two");
    assert_eq!(
        tokenizer.kind(9),
        Some(TokenKind::Control),
        "its type was forgotten"
    );
    let named = header
        .u32("tokenizer.ggml.fim_rep_token_id", 12)
        .tokenizer();
    assert_eq!(
        named.end_of_generation(),
        [9, 10, 12],
        "the metadata goes first"
    );
}

#[test]
fn end_of_a_message_is_no_end_of_the_answer_in_a_protocol_with_calls() {
    let plain = Header::small().with_tokens(&[("<|end|>", 3)]);
    assert_eq!(plain.tokenizer().end_of_generation(), [9], "alone");
    let harmony = plain.with_tokens(&[("<|return|>", 3), ("<|call|>", 3)]);
    assert_eq!(
        harmony.tokenizer().end_of_generation(),
        [10, 11],
        "with calls"
    );
}

#[test]
fn decoding_leaves_structure_out() {
    let tokenizer = Header::small().tokenizer();
    assert_eq!(
        tokenizer.decode(&[6, 5, 7, 8, 0, 999]),
        "abc[u]a",
        "no <e>, no <c>, no 999"
    );
    assert_eq!(
        tokenizer.piece(7),
        Some(b"<c>".as_slice()),
        "what it is written as"
    );
    assert_eq!(tokenizer.piece(9), None, "no such id");
    assert_eq!(tokenizer.kind(9), None, "no such id");
    let mut stream = tokenizer.decode_stream();
    assert_eq!(stream.push(7), None, "structure");
    assert_eq!(stream.push(8).as_deref(), Some("[u]"), "user-defined");
}

#[test]
fn a_token_outside_the_byte_alphabet_is_taken_as_it_is_written() {
    let tokenizer = Header::small()
        .with_tokens(&[("▁x", 1), ("Ġé", 1)])
        .tokenizer();
    assert_eq!(tokenizer.decode(&[9]), "▁x", "verbatim");
    assert_eq!(tokenizer.piece(10), Some(b" \xe9".as_slice()), "two bytes");
}
