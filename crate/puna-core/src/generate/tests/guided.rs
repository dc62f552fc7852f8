use std::cell::Cell;
use std::rc::Rc;

use super::*;
use crate::guide::{Guide, allows};

/// Holds an answer to a text, byte by byte of its tokens.
#[derive(Debug)]
struct Script {
    rest: &'static [u8],
    tokenizer: Tokenizer,
    allowed: Vec<u32>,
    /// How often it was asked what may come next.
    asked: Rc<Cell<usize>>,
    forces: bool,
}

impl Guide for Script {
    fn allowed(&mut self) -> Result<&[u32]> {
        self.asked.set(self.asked.get() + 1);
        self.allowed = vec![0; self.tokenizer.vocab_size().div_ceil(32)];
        for id in 0..self.tokenizer.vocab_size() as u32 {
            let text = self.tokenizer.text_of(id, &[]);
            if !text.is_empty() && self.rest.starts_with(text) {
                self.allowed[id as usize / 32] |= 1 << (id % 32);
            }
        }
        Ok(&self.allowed)
    }

    fn accept(&mut self, id: u32) -> Result<bool> {
        let text = self.tokenizer.text_of(id, &[]);
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.ok_or_else(|| crate::Error::internal("not allowed"))?;
        Ok(self.rest.is_empty())
    }

    fn forced(&mut self) -> Result<Vec<u8>> {
        Ok(if self.forces {
            self.rest.to_vec()
        } else {
            Vec::new()
        })
    }
}

/// The text, the forwarded tokens of each call, and how often it was asked what may come next.
fn guided(
    request: GenerateRequest,
    rest: &'static str,
    forces: bool,
    draws: bool,
) -> (Answer, Vec<Vec<u32>>, usize) {
    let tokenizer = tokenizer();
    let asked = Rc::new(Cell::new(0));
    let script = Script {
        rest: rest.as_bytes(),
        tokenizer: tokenizer.clone(),
        allowed: Vec::new(),
        asked: Rc::clone(&asked),
        forces,
    };
    let generation = Generation::new(request, &tokenizer, CONTEXT).unwrap();
    let mut generation = generation.guided(Some(Box::new(script)));
    let (mut text, mut calls, mut told) = (String::new(), Vec::new(), Vec::new());
    loop {
        let Ask::Forward { ids, .. } = generation.ask(64) else {
            panic!("done without an end");
        };
        calls.push(ids);
        // The model would rather say something else.
        let mut logits = sure(END);
        let events = if draws {
            let allowed = generation.allowed().unwrap().unwrap().to_vec();
            let best = (0..384).find(|id| allows(&allowed, *id)).unwrap();
            generation.answer(Forwarded::Draw(Draw::Token(best)))
        } else {
            generation.answer(Forwarded::Logits(&mut logits))
        };
        for event in events.unwrap() {
            match event {
                Event::Text { text: part, .. } => text.push_str(&part),
                Event::Tokens(tokens) => told.push((tokens, String::new())),
                Event::Finish { reason, usage, .. } => {
                    let answer = Answer {
                        text,
                        reason,
                        usage,
                        told,
                    };
                    return (answer, calls, asked.get());
                }
            }
        }
    }
}

#[test]
fn an_answer_is_held_to_what_is_allowed_and_ends_where_nothing_may_follow() {
    for draws in [false, true] {
        let (answer, calls, asked) = guided(request("x"), "yes, sir", false, draws);
        assert_eq!(answer.text, "yes, sir");
        assert_eq!(answer.reason, FinishReason::Stop, "no token ends it");
        assert_eq!(
            answer.usage.completion_tokens as usize, asked,
            "each was drawn"
        );
        assert_eq!(calls.len(), asked, "the last one is not forwarded");
    }
}

#[test]
fn what_must_come_next_is_not_drawn_and_forwarded_together() {
    let text = "The answer is in the house.";
    for draws in [false, true] {
        let (slow, _, drawn) = guided(request("x"), text, false, draws);
        let (answer, calls, asked) = guided(request("x"), text, true, draws);
        assert_eq!(answer.text, text);
        assert_eq!(answer.reason, FinishReason::Stop);
        assert!(
            asked < drawn && drawn <= slow.usage.completion_tokens as usize,
            "{asked} of {drawn}"
        );
        assert!(calls.iter().skip(1).any(|ids| ids.len() > 1), "{calls:?}");
        let forwarded: usize = calls.iter().map(Vec::len).sum();
        let all = ids("x").len() + answer.usage.completion_tokens as usize;
        assert_eq!(forwarded + 1, all, "each token once, but for the last");
    }
}

#[test]
fn what_must_come_next_ends_at_the_limit_and_is_drawn_where_it_is_to_be_told_of() {
    let text = "The answer is in the house.";
    let short = GenerateRequest {
        max_tokens: Some(3),
        ..request("x")
    };
    let (answer, _, _) = guided(short, text, true, false);
    assert_eq!(
        (answer.reason, answer.usage.completion_tokens),
        (FinishReason::Length, 3)
    );
    let telling = GenerateRequest {
        logprobs: Some(0),
        ..request("x")
    };
    let (answer, _, asked) = guided(telling, text, true, false);
    assert_eq!(answer.text, text);
    assert_eq!(
        asked, answer.usage.completion_tokens as usize,
        "each was drawn"
    );
    let told: usize = answer.told.iter().map(|(tokens, _)| tokens.len()).sum();
    assert_eq!(told, asked, "and told of");
}

#[test]
fn no_control_token_comes_of_text_that_must_come_next() {
    let text = "a <|eot_id|> b";
    for forces in [false, true] {
        let (answer, calls, _) = guided(request("x"), text, forces, true);
        assert_eq!(answer.text, text, "{forces}");
        let mut made = calls.iter().skip(1).flatten();
        assert!(
            made.all(|id| !tokenizer().text_of(*id, &[]).is_empty()),
            "{calls:?}"
        );
    }
}
