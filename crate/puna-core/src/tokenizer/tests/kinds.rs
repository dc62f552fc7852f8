//! Vocabularies of other kinds than byte pairs, from a GGUF's metadata; larger ones are in
//! `tests/small_vocabularies.rs`.

use super::encode;
use super::header::Header;
use crate::ErrorCode;
use crate::tokenizer::{Special, TokenKind};

/// Unknown, BOS, EOS, two bytes, pieces.
fn sentencepiece() -> Header {
    Header::default()
        .str("tokenizer.ggml.model", "llama")
        .tokens(&[
            "<unk>", "<s>", "</s>", "<0x0A>", "<0xC3>", "▁", "a", "▁a", "aa",
        ])
        .types(&[2, 3, 3, 6, 6, 1, 1, 1, 1])
        .scores(&[0.0, 0.0, 0.0, 0.0, 0.0, -3.0, -4.0, -1.0, -2.0])
}

fn wordpiece() -> Header {
    Header::default()
        .str("tokenizer.ggml.model", "bert")
        .tokens(&["[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁a", "b", "▁!", "é"])
        .types(&[3, 2, 3, 3, 1, 1, 1, 1])
        .u32("tokenizer.ggml.bos_token_id", 2)
        .u32("tokenizer.ggml.seperator_token_id", 3)
        .u32("tokenizer.ggml.unknown_token_id", 1)
}

fn unigram() -> Header {
    Header::default()
        .str("tokenizer.ggml.model", "t5")
        .tokens(&["<pad>", "</s>", "<unk>", "▁", "a", "b", "ab", "[x]"])
        .types(&[3, 3, 2, 1, 1, 1, 1, 4])
        .scores(&[0.0, 0.0, 0.0, -2.0, -1.0, -1.0, -1.5, 0.0])
}

#[track_caller]
fn bad(header: &Header, says: &str) {
    let error = header.load().expect_err("the header is wrong");
    assert_eq!(error.code(), ErrorCode::BadModelFile, "{error}");
    assert!(
        error.message().contains(says),
        "{error} should say {says:?}"
    );
}

#[test]
fn sentencepiece_begins_with_bos_and_a_space_unless_told_otherwise() {
    let tokenizer = sentencepiece().tokenizer();
    let document = tokenizer.encode_document("aa", Special::AsText).unwrap();
    assert_eq!(document, [1, 7, 6], "<s>, ▁a, a: the best score first");
    assert_eq!(tokenizer.decode(&document), "aa", "without the space");
    assert_eq!(
        encode(&tokenizer, "\né", Special::AsText),
        [5, 3, 4, 0],
        "bytes, one unknown"
    );
    assert_eq!(tokenizer.end_of_generation(), [2], "</s>");
    assert_eq!(
        (tokenizer.bos_text(), tokenizer.eos_text()),
        ("<s>".into(), "</s>".into()),
        "named by the kind"
    );
    let bare = sentencepiece()
        .bool("tokenizer.ggml.add_space_prefix", false)
        .bool("tokenizer.ggml.add_bos_token", false)
        .bool("tokenizer.ggml.add_eos_token", true)
        .tokenizer();
    let document = bare.encode_document("aa", Special::AsText).unwrap();
    assert_eq!(document, [8, 2], "aa, </s>");
    assert_eq!(
        bare.decode(&encode(&bare, " a", Special::AsText)),
        " a",
        "the text's own space"
    );
}

#[test]
fn every_piece_of_text_gets_the_space() {
    let tokenizer = sentencepiece().tokenizer();
    assert_eq!(
        encode(&tokenizer, "a</s>a", Special::Parse),
        [7, 2, 7],
        "behind a token too"
    );
    assert_eq!(
        encode(&tokenizer, "", Special::Parse),
        [0_u32; 0],
        "nothing is nothing"
    );
    assert_eq!(
        encode(&tokenizer, "</s>", Special::Parse),
        [2],
        "nothing around it"
    );
}

#[test]
fn pieces_are_text_bytes_and_structure() {
    let tokenizer = sentencepiece().tokenizer();
    assert_eq!(tokenizer.piece(7), Some(b" a".as_slice()), "a space");
    assert_eq!(tokenizer.piece(3), Some(b"\n".as_slice()), "a byte");
    assert_eq!(tokenizer.kind(3), Some(TokenKind::Byte), "a byte");
    assert_eq!(
        tokenizer.decode(&[7, 4, 1, 0]),
        "a\u{fffd}",
        "half a character, no structure"
    );
}

#[test]
fn wordpiece_has_its_frame_and_its_normalizer() {
    let tokenizer = wordpiece().tokenizer();
    let document = tokenizer.encode_document("AB a!", Special::AsText).unwrap();
    assert_eq!(document, [2, 4, 5, 4, 6, 3], "[CLS] a b, a, ! [SEP]");
    assert_eq!(
        encode(&tokenizer, "aé", Special::AsText),
        [1],
        "accents go, and ae is unknown"
    );
    let cased = wordpiece().bool("tokenizer.ggml.normalizer.lowercase", false);
    assert_eq!(
        encode(&cased.tokenizer(), "A aé", Special::AsText),
        [1, 4, 7],
        "A is unknown, é stays"
    );
    assert_eq!(tokenizer.decode(&document), "ab a !", "words apart");
    bad(
        &wordpiece().without("tokenizer.ggml.seperator_token_id"),
        "seperator (SEP)",
    );
}

#[test]
fn unigram_takes_the_best_sum() {
    let tokenizer = unigram().tokenizer();
    let document = tokenizer.encode_document("ab", Special::AsText).unwrap();
    assert_eq!(document, [3, 6, 1], "▁, ab (-1.5 is more than -2), </s>");
    assert_eq!(
        encode(&tokenizer, "a[x]c", Special::AsText),
        [3, 4, 7, 3, 2],
        "[x] as a whole, c unknown"
    );
    assert_eq!(
        encode(&tokenizer, "ccc", Special::AsText),
        [3, 2],
        "one unknown for all"
    );
}

#[test]
fn arrays_that_do_not_fit_are_refused() {
    bad(
        &sentencepiece().scores(&[0.0; 8]),
        "tokenizer.ggml.scores has 8 entries for 9 tokens",
    );
    bad(
        &sentencepiece().u32("tokenizer.ggml.scores", 1),
        "tokenizer.ggml.scores",
    );
    bad(
        &sentencepiece().with_tokens(&[("a", 1)]),
        "\"a\" is in the vocabulary twice, as 6 and 9",
    );
    bad(
        &unigram().scores(&[f32::NAN; 8]),
        "scores[2] is not a number",
    );
    let map = "tokenizer.ggml.precompiled_charsmap";
    bad(
        &unigram().bytes(map, &[1, 2]),
        "precompiled_charsmap: 2 bytes",
    );
    bad(&unigram().bytes(map, &[9, 0, 0, 0]), "an array of 9 bytes");
    let whole = unigram().without("tokenizer.ggml.scores").tokenizer();
    assert_eq!(whole.vocab_size(), 8, "scores may be missing");
}
