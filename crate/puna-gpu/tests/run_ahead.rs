//! Answers whose steps were submitted ahead, beside the same answers token by token: text, usage and what the session
//! knows must be as if no step had been wasted.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of a tiny model are small"
)]

mod support;

use std::cell::Cell;
use std::path::PathBuf;

use puna_core::generate::{Ask, Event, Forwarded, GenerateRequest, Generation, Usage};
use puna_core::places::{Place, Places};
use puna_core::sampler::{Draw, SamplingParams};
use puna_core::session::Session;
use puna_core::tokenizer::{Special, Tokenizer};
use puna_core::weights::header::{Header, Parsed};
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::Split;
use puna_gpu::{Executor, ExecutorOptions, Wanted};

fn path() -> PathBuf {
    support::root().join("tests/golden/llama-256/llama-256-Q4_1.gguf")
}

fn tokenizer() -> Tokenizer {
    let bytes = std::fs::read(path()).expect("the golden file is in the tree");
    let Ok(Parsed::Done(header)) = Header::from_gguf(&bytes) else {
        panic!("a good header");
    };
    Tokenizer::from_gguf(&header.metadata).expect("a tokenizer")
}

/// `step_ms`: how long the executor is made to believe that a step takes.
fn executor(step_ms: f64, split: Option<Split>) -> Executor {
    let time = Cell::new(0.0);
    let options = ExecutorOptions {
        split,
        kv: KvType::F32,
        max_logits: 4,
        clock: Some(Box::new(move || {
            time.set(time.get() + step_ms);
            time.get()
        })),
        ..ExecutorOptions::default()
    };
    support::load(support::gpu(), &path(), 64 << 10, options)
}

/// What an answer came to.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    text: String,
    end: String,
    usage: Usage,
    held: Vec<u32>,
}

/// Answers; the caller goes away after `patience` tokens. `ahead` by the GPU's sampler, else token by token from logits.
fn answer(
    executor: &mut Executor,
    session: &mut Session,
    tokenizer: &Tokenizer,
    request: GenerateRequest,
    patience: usize,
    ahead: bool,
) -> Answer {
    let (mut text, mut end) = (String::new(), "aborted".to_owned());
    let generation = Generation::new(request, tokenizer, session.capacity());
    let mut generation = generation.expect("a request").on(session.clone());
    let started = pollster::block_on(executor.start(&[generation.sampler()]));
    started.expect("room");
    let mut tokens = 0;
    while let Ask::Forward {
        position,
        ids,
        logits,
        ahead: more,
    } = generation.ask(8)
    {
        if tokens == patience {
            break;
        }
        let at = position as usize;
        let forwarded = if !logits {
            pollster::block_on(executor.forward(at, &ids, Wanted::None)).expect("a chunk");
            Forwarded::Nothing
        } else if ahead {
            tokens += 1;
            let draw = pollster::block_on(executor.sample(at, &ids, more as usize));
            Forwarded::Draw(draw.expect("a token")[0])
        } else {
            tokens += 1;
            let logits = pollster::block_on(executor.forward(at, &ids, Wanted::Last));
            Forwarded::Logits(logits.expect("logits"))
        };
        for event in generation.answer(forwarded).expect("events") {
            match event {
                Event::Tokens(_) => panic!("nobody asked for them"),
                Event::Text { text: more, .. } => text.push_str(&more),
                Event::Finish { reason, .. } => end = reason.as_str().to_owned(),
            }
        }
    }
    let usage = generation.usage();
    *session = generation.into_session();
    Answer {
        text,
        end,
        usage,
        held: session.tokens().to_vec(),
    }
}

/// Settings of the `ix`th answer: everything the sampler does, alone and together.
fn sampling(ix: usize) -> SamplingParams {
    let pick = |period: usize, values: &[f32]| values[ix / period % values.len()];
    SamplingParams {
        temperature: pick(1, &[0.8, 0.0, 1.5]),
        top_k: if ix % 4 == 1 { 20 } else { 0 },
        top_p: pick(2, &[1.0, 0.9]),
        min_p: pick(3, &[0.0, 0.03]),
        repetition_penalty: pick(2, &[1.2, 1.0]),
        presence_penalty: pick(5, &[0.0, 0.3]),
        frequency_penalty: pick(3, &[0.1, 0.0]),
        logit_bias: if ix.is_multiple_of(3) {
            vec![(65, 2.0), (66, -3.0)]
        } else {
            Vec::new()
        },
        seed: ix as u64 * 77,
    }
}

#[test]
fn answers_ahead_are_those_of_token_by_token() {
    let tokenizer = tokenizer();
    // A GPU that seems to be slow has two steps in flight, one that seems to be fast has many.
    let mut ahead = [executor(500.0, None), executor(0.02, None)];
    let mut plain = executor(1.0, None);
    let mut sessions = [0, 1, 2].map(|_| Session::new(256));
    let mut ends = std::collections::BTreeMap::new();
    for ix in 0..if support::is_full() { 240 } else { 24 } {
        let prompt = format!("Request {} of {ix}: ", ix % 7);
        let mut request = GenerateRequest {
            prompt: tokenizer.encode(&prompt, Special::Parse).expect("a prompt"),
            sampling: sampling(ix),
            stop: Vec::new(),
            max_tokens: Some(1 + (ix as u32 * 13) % 60),
            ..GenerateRequest::default()
        };
        // The model has no will to stop: it is made to want to, sooner or later.
        if ix % 5 == 2 {
            request.sampling.logit_bias.push((383, 4.0));
        }
        let mut patience = usize::MAX;
        if ix % 4 == 3 {
            patience = ix % 23;
        }
        if ix % 3 == 1 {
            // A text of the answer, found by answering once without it.
            let mut session = Session::new(256);
            let whole = answer(
                &mut plain,
                &mut session,
                &tokenizer,
                request.clone(),
                usize::MAX,
                false,
            );
            sessions[2].clear();
            let from = whole.text.chars().count() / 2;
            let stop: String = whole.text.chars().skip(from).take(2).collect();
            request.stop = vec![stop]
                .into_iter()
                .filter(|stop| !stop.is_empty())
                .collect();
        }
        let [first, second, third] = &mut sessions;
        let want = answer(
            &mut plain,
            third,
            &tokenizer,
            request.clone(),
            patience,
            false,
        );
        *ends.entry(want.end.clone()).or_insert(0) += 1;
        for (session, executor) in [first, second].into_iter().zip(&mut ahead) {
            if ix % 3 == 1 {
                session.clear();
            }
            let got = answer(
                executor,
                session,
                &tokenizer,
                request.clone(),
                patience,
                true,
            );
            assert_eq!(got, want, "answer {ix}: {request:?}");
        }
    }
    println!("{ends:?}");
    assert!(
        ["stop", "length", "aborted"]
            .iter()
            .all(|end| ends.contains_key(*end)),
        "only {ends:?}"
    );
    let steps = |executor: &Executor| {
        let counters = &executor.gpu().counters;
        [&counters.steps, &counters.submits]
            .map(|counter| counter.load(std::sync::atomic::Ordering::Relaxed))
    };
    let [slow, fast] = [steps(&ahead[0]), steps(&ahead[1])];
    assert!(
        fast[0] > fast[1] * 2 && slow[0] <= slow[1],
        "steps and submissions: {fast:?} of a fast GPU, {slow:?} of a slow one"
    );
}

#[test]
fn an_answer_grows_over_the_cache_and_ends_at_the_context() {
    let tokenizer = tokenizer();
    // As on GPUs: beyond 256 tokens attention is in parts, and a step has more dispatches.
    let mut executor = executor(0.02, Some(Split::Shared));
    let context = executor.context_length();
    let mut session = Session::new(context as u32);
    let request = GenerateRequest {
        prompt: vec![1, 65, 66],
        sampling: SamplingParams {
            seed: 5,
            ..SamplingParams::default()
        },
        stop: Vec::new(),
        max_tokens: None,
        ..GenerateRequest::default()
    };
    let mut plain = self::executor(1.0, Some(Split::Shared));
    let mut other = Session::new(context as u32);
    let ahead = answer(
        &mut executor,
        &mut session,
        &tokenizer,
        request.clone(),
        600,
        true,
    );
    let want = answer(&mut plain, &mut other, &tokenizer, request, 600, false);
    assert_eq!(ahead, want, "over several sizes of the cache");
    assert!(
        context < 600 || want.held.len() > 512,
        "it did grow: {}",
        want.held.len()
    );
}

#[test]
fn tokens_out_of_order_are_refused() {
    let mut executor = executor(1.0, None);
    let sampler = puna_core::sampler::Sampler::new(SamplingParams::greedy(), 384).expect("one");
    pollster::block_on(async {
        executor.start(&[&sampler]).await.expect("room");
        executor.sample(0, &[1, 2], 5).await.expect("a token");
        let error = executor.sample(7, &[3], 5).await.expect_err("not the next");
        assert!(error.message().contains("do not follow"), "{error}");
        executor.start(&[&sampler]).await.expect("room");
        executor
            .sample(0, &[1, 2], 5)
            .await
            .expect("another answer");
    });
}

/// One of some answers that are made in the same steps.
struct Seat {
    generation: Generation,
    first_row: usize,
    text: String,
    end: Option<String>,
}

impl Seat {
    fn asked(&mut self) -> (Place, Vec<u32>, usize) {
        let Ask::Forward {
            position,
            ids,
            logits,
            ahead,
        } = self.generation.ask(64)
        else {
            panic!("it goes on");
        };
        assert!(logits, "prompts are short");
        let place = Place {
            first_row: self.first_row,
            position: position as usize,
        };
        (place, ids, ahead as usize)
    }

    fn answer(&mut self, draw: Draw) {
        let events = self.generation.answer(Forwarded::Draw(draw));
        for event in events.expect("events") {
            match event {
                Event::Tokens(_) => panic!("nobody asked for them"),
                Event::Text { text, .. } => self.text.push_str(&text),
                Event::Finish { reason, .. } => self.end = Some(reason.as_str().to_owned()),
            }
        }
    }
}

/// Answers of several requests in the same steps, which come and go: each is what it is alone, however many steps are ahead.
#[test]
fn answers_side_by_side_are_those_that_each_gives_alone() {
    let tokenizer = tokenizer();
    let mut plain = executor(1.0, None);
    for (step_ms, split) in [(500.0, None), (0.02, None), (0.02, Some(Split::Shared))] {
        let mut executor = executor(step_ms, split);
        let request = |ix: usize| GenerateRequest {
            prompt: (tokenizer.encode(&format!("Request {ix}: "), Special::Parse))
                .expect("a prompt"),
            sampling: sampling(ix),
            max_tokens: Some(20 + (ix as u32 * 29) % 70),
            ..GenerateRequest::default()
        };
        let mut seats: Vec<Seat> = Vec::new();
        let (mut next, mut together, mut rest, mut done) = (0, 0, 0, Vec::new());
        pollster::block_on(async {
            while next < 9 || !seats.is_empty() {
                // A new one as often as there is room: its prompt is read alone.
                if next < 9 && seats.len() < 4 {
                    let generation = Generation::new(request(next), &tokenizer, 256);
                    let mut seat = Seat {
                        generation: generation.expect("a request"),
                        first_row: 0,
                        text: String::new(),
                        end: None,
                    };
                    // Where nobody else is.
                    let taken: Vec<_> = seats.iter().map(|seat| seat.first_row).collect();
                    let free = (0..4).map(|at| 256 * at).find(|row| !taken.contains(row));
                    seat.first_row = free.expect("room");
                    let (place, ids, ahead) = seat.asked();
                    let started = executor.start(&[seat.generation.sampler()]).await;
                    started.expect("room");
                    let draws = executor.sample(place, &ids, ahead.min(3)).await;
                    seat.answer(draws.expect("a token")[0]);
                    seats.push(seat);
                    next += 1;
                }
                let samplers: Vec<_> = seats.iter().map(|it| it.generation.sampler()).collect();
                executor.start(&samplers).await.expect("room");
                for _ in 0..7 {
                    let asked: Vec<_> = seats.iter_mut().map(Seat::asked).collect();
                    let places: Vec<_> = asked.iter().map(|(place, ..)| *place).collect();
                    let ids: Vec<_> = asked.iter().map(|(_, ids, _)| ids[0]).collect();
                    let ahead = asked
                        .iter()
                        .map(|(.., ahead)| *ahead)
                        .min()
                        .unwrap_or(0)
                        .min(9);
                    let draws = executor.sample(Places::each(&places), &ids, ahead).await;
                    together = together.max(places.len());
                    for (seat, draw) in seats.iter_mut().zip(draws.expect("tokens")) {
                        seat.answer(draw);
                    }
                    if seats.iter().any(|seat| seat.end.is_some()) {
                        break;
                    }
                }
                // Others go on with what was drawn for them, and those that have ended do not.
                loop {
                    let going = seats.iter_mut().enumerate();
                    let going = going.filter(|(_, seat)| seat.end.is_none());
                    let going: Vec<_> = going
                        .map(|(at, seat)| {
                            let (place, ids, _) = seat.asked();
                            (at, place.position, ids[0])
                        })
                        .collect();
                    let Some(draws) = executor.rest(&going).await.expect("tokens") else {
                        break;
                    };
                    rest += 1;
                    for (at, ..) in going {
                        seats[at].answer(draws[at]);
                    }
                }
                let (ended, others): (Vec<_>, _) =
                    seats.into_iter().partition(|seat| seat.end.is_some());
                done.extend(ended);
                seats = others;
            }
        });
        assert_eq!((together, done.len()), (4, 9), "they did go together");
        assert!(rest > 0, "some was left");
        for seat in done {
            let usage = seat.generation.usage();
            let held = seat.generation.into_session().tokens().to_vec();
            let own = (0..9).find(|ix| held.starts_with(&request(*ix).prompt));
            let request = request(own.expect("one of them"));
            let mut session = Session::new(256);
            let (session, patience) = (&mut session, usize::MAX);
            let want = answer(&mut plain, session, &tokenizer, request, patience, false);
            let got = Answer {
                text: seat.text,
                end: seat.end.expect("an end"),
                usage,
                held,
            };
            assert_eq!(got, want);
        }
    }
}
