#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test stops at the first surprise"
)]

mod guided;

use super::{
    Ask, Event, FinishReason, Forwarded, GenerateRequest, Generation, TokenLogProb, Usage,
};
use crate::sampler::{Draw, SamplingParams};
use crate::session::Session;
use crate::tokenizer::{Special, Tokenizer};
use crate::weights::header::{Header, Parsed};
use crate::{ErrorCode, Result};

const GGUF: &[u8] = include_bytes!("../../../../../tests/golden/llama-256/llama-256-Q4_1.gguf");
/// `<|eot_id|>`.
const END: u32 = 383;
const CONTEXT: u32 = 32;

fn tokenizer() -> Tokenizer {
    let Parsed::Done(header) = Header::from_gguf(GGUF).unwrap() else {
        panic!("the file is whole");
    };
    Tokenizer::from_gguf(&header.metadata).unwrap()
}

fn ids(text: &str) -> Vec<u32> {
    tokenizer().encode(text, Special::Parse).unwrap()
}

fn request(prompt: &str) -> GenerateRequest {
    GenerateRequest {
        prompt: ids(prompt),
        sampling: SamplingParams::greedy(),
        ..GenerateRequest::default()
    }
}

/// Logits of a model that is sure of `id`.
fn sure(id: u32) -> Vec<f32> {
    let mut logits = vec![0.0; 384];
    logits[id as usize] = 9.0;
    logits
}

/// What token 7 adds to an answer that has so many tokens with it.
fn open(tokens: u32) -> Event {
    Event::Text {
        text: "(".to_owned(),
        tokens,
    }
}

/// What a run came to.
#[derive(Debug, PartialEq)]
struct Answer {
    text: String,
    reason: FinishReason,
    usage: Usage,
    /// What was told of tokens, and in front of which text.
    told: Vec<(Vec<TokenLogProb>, String)>,
}

/// Plays a model that says `script` and then nothing but the end.
fn run(
    request: GenerateRequest,
    session: &mut Session,
    max_chunk: usize,
    script: &[u32],
) -> Result<Answer> {
    play(request, session, max_chunk, script, false)
}

/// As [`run`]; `draws` where the device draws tokens itself.
fn play(
    request: GenerateRequest,
    session: &mut Session,
    max_chunk: usize,
    script: &[u32],
    draws: bool,
) -> Result<Answer> {
    let generation = Generation::new(request, &tokenizer(), session.capacity())?;
    let mut generation = generation.on(session.clone());
    let mut script = script.iter().copied();
    let mut text = String::new();
    let (mut told, mut tokens) = (Vec::new(), None);
    loop {
        let Ask::Forward { ids, logits, .. } = generation.ask(max_chunk) else {
            panic!("done without an end");
        };
        assert!(!ids.is_empty() && ids.len() <= max_chunk, "size of {ids:?}");
        let token = logits.then(|| script.next().unwrap_or(END));
        let mut sampled = token.map(sure);
        let forwarded = match (token, sampled.as_deref_mut()) {
            (Some(id), _) if draws => Forwarded::Draw(Draw::Token(id)),
            (_, logits) => logits.map_or(Forwarded::Nothing, Forwarded::Logits),
        };
        for event in generation.answer(forwarded)? {
            match event {
                Event::Text { text: part, .. } => {
                    assert!(!part.is_empty(), "text is never empty");
                    text.push_str(&part);
                    told.extend(tokens.take().map(|tokens| (tokens, part)));
                }
                Event::Tokens(of_text) => {
                    assert!(tokens.replace(of_text).is_none(), "a text comes next");
                }
                Event::Finish { reason, usage, .. } => {
                    assert_eq!(
                        generation.ask(max_chunk),
                        Ask::Done,
                        "nothing after the end"
                    );
                    assert_eq!(generation.usage(), usage, "the same");
                    *session = generation.into_session();
                    return Ok(Answer {
                        text,
                        reason,
                        usage,
                        told,
                    });
                }
            }
        }
    }
}

#[track_caller]
fn check(
    request: GenerateRequest,
    script: &[u32],
    text: &str,
    reason: FinishReason,
    completion_tokens: u32,
) {
    let prompt_tokens = request.prompt.len() as u32;
    let usage = Usage {
        prompt_tokens,
        completion_tokens,
        cached_tokens: 0,
    };
    let expected = Answer {
        text: text.to_owned(),
        reason,
        usage,
        told: Vec::new(),
    };
    for (max_chunk, draws) in [(1, false), (2, true), (64, false), (64, true)] {
        let mut session = Session::new(CONTEXT);
        let answer = play(request.clone(), &mut session, max_chunk, script, draws).unwrap();
        assert_eq!(answer, expected, "chunks of {max_chunk}");
        let forwarded = prompt_tokens + completion_tokens - 1;
        assert_eq!(session.len(), forwarded, "all but the last token");
    }
}

#[test]
fn an_answer_ends_where_the_model_ends_it() {
    let script = ids("Hello, world");
    let tokens = script.len() as u32;
    check(
        request("Say hello"),
        &script,
        "Hello, world",
        FinishReason::Stop,
        tokens + 1,
    );
    check(request("Say nothing"), &[], "", FinishReason::Stop, 1);
    check(
        request("x"),
        &[ids("a")[0], 380, ids("b")[0]],
        "a",
        FinishReason::Stop,
        2,
    );
}

#[test]
fn an_answer_ends_at_its_limit_or_where_the_context_is_full() {
    let script = vec![ids("a")[0]; 100];
    let limited = GenerateRequest {
        max_tokens: Some(3),
        ..request("x")
    };
    check(limited, &script, "aaa", FinishReason::Length, 3);
    let one = GenerateRequest {
        max_tokens: Some(1),
        ..request("x")
    };
    check(one, &script, "a", FinishReason::Length, 1);
    let text = "a".repeat(31);
    check(request("x"), &script, &text, FinishReason::Length, 31);
    let more = GenerateRequest {
        max_tokens: Some(1000),
        ..request("x")
    };
    check(more, &script, &text, FinishReason::Length, 31);
    // The last token that the limit allows may be the end.
    let two = GenerateRequest {
        max_tokens: Some(2),
        ..request("x")
    };
    check(two, &script[..1], "a", FinishReason::Stop, 2);
}

#[test]
fn an_answer_ends_before_a_stop_string() {
    let stop = |stop: &str| GenerateRequest {
        stop: vec![stop.to_owned()],
        ..request("x")
    };
    let script = ids("abcdef");
    check(stop("cd"), &script, "ab", FinishReason::Stop, 4);
    check(stop("dx"), &script, "abcdef", FinishReason::Stop, 7);
    // Held back at the end and then shown, whatever ends it.
    check(stop("fg"), &script, "abcdef", FinishReason::Stop, 7);
    let limited = GenerateRequest {
        max_tokens: Some(3),
        ..stop("cx")
    };
    check(limited, &script, "abc", FinishReason::Length, 3);
}

#[test]
fn a_character_is_never_split() {
    let script = ids("é😀");
    assert_eq!(script.len(), 6, "a token a byte");
    check(request("x"), &script, "é😀", FinishReason::Stop, 7);
    // Cut inside: what never came is one replacement character.
    check(
        request("x"),
        &script[..4],
        "é\u{fffd}",
        FinishReason::Stop,
        5,
    );
    let limited = GenerateRequest {
        max_tokens: Some(5),
        ..request("x")
    };
    check(limited, &script, "é\u{fffd}", FinishReason::Length, 5);
    let stop = GenerateRequest {
        stop: vec!["\u{fffd}".to_owned()],
        ..request("x")
    };
    check(stop, &script[..4], "é", FinishReason::Stop, 5);
}

#[test]
fn what_the_model_thought_of_tokens_comes_with_their_text() {
    let asked = |stop: &[&str]| GenerateRequest {
        logprobs: Some(2),
        stop: stop.iter().map(|&it| it.to_owned()).collect(),
        sampling: SamplingParams {
            // What was thought before it.
            logit_bias: vec![(0, 5.0)],
            ..SamplingParams::greedy()
        },
        ..request("x")
    };
    let run = |request: GenerateRequest, script: &[u32]| {
        run(request, &mut Session::new(CONTEXT), 64, script).unwrap()
    };
    // e⁹ against 383 others.
    let sure = -(1.0_f32 + 383.0 * (-9.0_f32).exp()).ln();
    let script = ids("aé");
    let answer = run(asked(&[]), &script);
    let texts: Vec<_> = answer.told.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["a", "é"]);
    let [(first, _), (second, _)] = &answer.told[..] else {
        panic!("two texts");
    };
    let bytes = |tokens: &[TokenLogProb]| -> Vec<u8> {
        tokens
            .iter()
            .flat_map(|it| it.token.bytes.clone())
            .collect()
    };
    assert_eq!((bytes(first), bytes(second)), (b"a".to_vec(), "é".into()));
    assert_eq!(second.len(), 2, "both bytes of a character, with its text");
    for token in first.iter().chain(second) {
        assert!((token.token.logprob - sure).abs() < 1e-6, "{token:?}");
        assert_eq!(token.top[0], token.token);
        assert!(
            (token.top[1].logprob - (sure - 9.0)).abs() < 1e-5,
            "{token:?}"
        );
    }
    // Of what is not shown nothing is told.
    let answer = run(asked(&["é"]), &script);
    assert_eq!(answer.text, "a");
    assert_eq!(answer.told.len(), 1);

    let mut session = Session::new(CONTEXT);
    let error = play(asked(&[]), &mut session, 64, &script, true).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Internal, "{error}");
    assert_eq!(run(request("x"), &script).told, []);
}

#[test]
fn the_prompt_is_asked_for_in_chunks_and_only_the_last_gives_logits() {
    let tokenizer = tokenizer();
    let mut prompt = request("");
    prompt.prompt = vec![1, 2, 3, 4, 5];
    let mut generation = Generation::new(prompt, &tokenizer, CONTEXT).unwrap();
    let forward = |position: u32, ids: &[u32], logits| Ask::Forward {
        position,
        ids: ids.to_vec(),
        logits,
        // The next token and those up to the end of the context, less those that are there.
        ahead: CONTEXT - 5 - 1 - position.saturating_sub(4),
    };
    assert_eq!(generation.ask(2), forward(0, &[1, 2], false), "first");
    assert_eq!(generation.ask(2), forward(0, &[1, 2], false), "asked again");
    assert_eq!(
        generation.answer(Forwarded::Nothing).unwrap(),
        [],
        "nothing came of it"
    );
    assert_eq!(generation.ask(2), forward(2, &[3, 4], false), "second");
    assert_eq!(
        generation.answer(Forwarded::Nothing).unwrap(),
        [],
        "nothing came of it"
    );
    assert_eq!(generation.ask(2), forward(4, &[5], true), "the rest");
    let events = generation.answer(Forwarded::Logits(&mut sure(7))).unwrap();
    assert_eq!(events, [open(1)], "token 7");
    assert_eq!(generation.ask(2), forward(5, &[7], true), "a step");
}

#[test]
fn a_second_turn_forwards_only_what_is_new() {
    let mut session = Session::new(CONTEXT);
    let script = ids("abc");
    run(request("Hi "), &mut session, 8, &script).unwrap();
    let held = session.tokens().to_vec();
    let mut longer = request("");
    longer.prompt = [held.clone(), ids("de")].concat();
    let answer = run(longer.clone(), &mut session, 8, &script).unwrap();
    assert_eq!(
        answer.usage.cached_tokens as usize,
        held.len(),
        "the first turn"
    );
    assert_eq!(
        answer.usage.total_tokens() as usize,
        longer.prompt.len() + 4,
        "in all"
    );
    // The same prompt once more: one token is left to forward, and the answer is the same.
    let again = run(longer.clone(), &mut session, 8, &script).unwrap();
    assert_eq!(
        again.usage.cached_tokens as usize,
        longer.prompt.len() - 1,
        "all but one"
    );
    assert_eq!(again.text, answer.text, "the same");
}

#[test]
fn a_generation_given_up_midway_leaves_what_was_really_forwarded() {
    let tokenizer = tokenizer();
    let mut session = Session::new(CONTEXT);
    session.record(&[1, 2, 9, 9, 9]).unwrap();
    let mut prompt = request("");
    prompt.prompt = vec![1, 2, 3, 4, 5, 6];
    let begin = |session| {
        let generation = Generation::new(prompt.clone(), &tokenizer, CONTEXT);
        generation.unwrap().on(session)
    };
    let mut generation = begin(session);
    let _asked = generation.ask(2);
    let session = generation.into_session();
    assert_eq!(
        session.tokens(),
        [1, 2],
        "asked is not forwarded; what was behind is overwritten or not"
    );
    let mut generation = begin(session);
    let _asked = generation.ask(2);
    generation.answer(Forwarded::Nothing).unwrap();
    let _asked = generation.ask(2);
    let session = generation.into_session();
    assert_eq!(session.tokens(), [1, 2, 3, 4], "one chunk");
    let mut generation = begin(session);
    assert_eq!(generation.usage().cached_tokens, 4, "goes on from there");
    let _asked = generation.ask(2);
    generation.answer(Forwarded::Logits(&mut sure(7))).unwrap();
    let _asked = generation.ask(2);
    let session = generation.into_session();
    assert_eq!(
        session.tokens(),
        [1, 2, 3, 4, 5, 6],
        "token 7 was sampled, not forwarded"
    );
}

#[track_caller]
fn refused(request: GenerateRequest, code: ErrorCode, says: &str) -> crate::Error {
    let mut session = Session::new(CONTEXT);
    session.record(&[1, 2, 3]).unwrap();
    let error = run(request, &mut session, 8, &[]).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(
        error.message().contains(says),
        "{error} should say {says:?}"
    );
    assert_eq!(session.tokens(), [1, 2, 3], "untouched");
    error
}

#[test]
fn a_prompt_that_leaves_no_room_is_refused_with_both_numbers() {
    for length in [32_u32, 33, 1000] {
        let prompt = vec![1; length as usize];
        let error = refused(
            GenerateRequest {
                prompt,
                ..request("")
            },
            ErrorCode::ContextLengthExceeded,
            "32 tokens",
        );
        assert_eq!(error.details()["prompt_tokens"], length, "{error}");
        assert_eq!(error.details()["context_length"], CONTEXT, "{error}");
        assert!(
            error.message().contains(&format!("{length} tokens")),
            "{error}"
        );
    }
    let prompt = vec![1; 31];
    let fits = run(
        GenerateRequest {
            prompt,
            ..request("")
        },
        &mut Session::new(CONTEXT),
        8,
        &[2, 2],
    );
    assert_eq!(
        fits.unwrap().reason,
        FinishReason::Length,
        "room for one token"
    );
}

#[test]
fn a_request_that_makes_no_sense_is_refused() {
    refused(request(""), ErrorCode::InvalidRequest, "no tokens");
    refused(
        GenerateRequest {
            max_tokens: Some(0),
            ..request("x")
        },
        ErrorCode::InvalidRequest,
        "max_tokens",
    );
    let sampling = SamplingParams {
        logit_bias: vec![(384, 1.0)],
        ..SamplingParams::greedy()
    };
    refused(
        GenerateRequest {
            sampling,
            ..request("x")
        },
        ErrorCode::InvalidRequest,
        "logit_bias",
    );
}

#[test]
fn broken_logits_end_the_answer_and_empty_the_session() {
    let tokenizer = tokenizer();
    let unusable = Forwarded::Draw(Draw::Unusable(3));
    let (mut broken, mut missing) = (vec![f32::NAN; 384], vec![]);
    for (forwarded, clears) in [
        (Forwarded::Nothing, false),
        (Forwarded::Logits(&mut broken), true),
        (Forwarded::Logits(&mut missing), true),
        (unusable, true),
    ] {
        let mut generation = Generation::new(request("x"), &tokenizer, CONTEXT).unwrap();
        let _asked = generation.ask(8);
        let error = generation.answer(forwarded).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Internal, "{error}");
        assert_eq!(generation.ask(8), Ask::Done, "over");
        let error = generation.answer(Forwarded::Nothing).unwrap_err();
        assert!(error.message().contains("not asked"), "{error}");
        assert_eq!(
            generation.session().is_empty(),
            clears,
            "what made broken logits is in the cache, too"
        );
    }
}

#[test]
fn rows_beyond_the_vocabulary_are_never_sampled() {
    let tokenizer = tokenizer();
    let mut generation = Generation::new(request("x"), &tokenizer, CONTEXT).unwrap();
    let _asked = generation.ask(8);
    let mut padded = sure(7);
    padded.extend([100.0, f32::NAN]);
    let events = generation.answer(Forwarded::Logits(&mut padded)).unwrap();
    assert_eq!(events, [open(1)], "the best of the known ones");
}
