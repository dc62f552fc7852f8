//! What a model thinks of a text: how likely each of its tokens is, given those in front of it.
//!
//! A state machine like [`crate::generate`]: it is asked what to forward, and told the logits that came of it.

use crate::generate::{LogProb, TokenLogProb};
use crate::sampler::LogProbs;
use crate::session::Session;
use crate::tokenizer::Tokenizer;
use crate::{Error, Result};

/// What is to be forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Position of the first of `ids`.
    pub position: usize,
    /// (T,) token ids.
    pub ids: Vec<u32>,
    /// Whether the logits (T, V) of all of them are wanted, or none.
    pub logits: bool,
}

/// The scoring of one text. It borrows the session, and writes down there only what really was forwarded.
#[derive(Debug)]
pub struct Scoring<'s> {
    session: &'s mut Session,
    ids: Vec<u32>,
    /// Tokens in front, which are given.
    given: usize,
    asked: Option<Forward>,
    logprobs: Vec<f32>,
    /// How many of the likeliest tokens are noted in the place of each, and those.
    top: usize,
    tops: Vec<Vec<(u32, f32)>>,
}

impl<'s> Scoring<'s> {
    /// Of the tokens behind the first `given`. What the session has in common with those is not forwarded again.
    #[must_use]
    pub fn new(ids: Vec<u32>, given: usize, session: &'s mut Session) -> Self {
        let front = ids.get(..given.max(1)).unwrap_or(&ids);
        session.reuse(front);
        Self {
            session,
            ids,
            given,
            asked: None,
            logprobs: Vec::new(),
            top: 0,
            tops: Vec::new(),
        }
    }

    /// The same, with so many of the likeliest tokens in the place of each noted besides.
    #[must_use]
    pub const fn telling(mut self, top: usize) -> Self {
        self.top = top;
        self
    }

    /// What to forward next, at most `chunk` tokens, or `rows` where logits are wanted; nothing where all is known. Asking again
    /// before answering gives the same.
    pub fn ask(&mut self, chunk: usize, rows: usize) -> Option<&Forward> {
        if self.asked.is_none() {
            let position = self.session.tokens().len();
            // The logits of a token are those of the next one.
            let scored = self.given.max(1).saturating_sub(1);
            let last = self.ids.len().saturating_sub(1);
            let logits = position >= scored;
            let end = match logits {
                true => position.saturating_add(rows.max(1)).min(last),
                false => position.saturating_add(chunk.max(1)).min(scored),
            };
            let ids = self.ids.get(position..end).filter(|it| !it.is_empty())?;
            self.asked = Some(Forward {
                position,
                ids: ids.to_vec(),
                logits,
            });
        }
        self.asked.as_ref()
    }

    /// Says that what was asked for has been forwarded; `logits` are its logits (T, V), if they were wanted.
    ///
    /// # Errors
    /// `internal` for what was not asked, or logits of another size.
    pub fn answer(&mut self, logits: &[f32], vocab_size: usize) -> Result<()> {
        let Some(Forward {
            position,
            ids,
            logits: wanted,
        }) = self.asked.take()
        else {
            return Err(Error::internal("scoring: an answer to what was not asked"));
        };
        self.session.record(&ids)?;
        if !wanted {
            return Ok(());
        }
        let width = logits.len() / ids.len().max(1);
        if width < vocab_size || width.saturating_mul(ids.len()) != logits.len() {
            return Err(Error::internal(format!(
                "scoring: {} logits of {} tokens, whose vocabulary is {vocab_size}",
                logits.len(),
                ids.len()
            )));
        }
        let next = self.ids.iter().skip(position.saturating_add(1));
        for (row, id) in logits.chunks_exact(width).zip(next) {
            // Rows of a padded embedding are no tokens.
            let row = row.get(..vocab_size).unwrap_or(row);
            if row.iter().any(|logit| !logit.is_finite()) {
                self.session.clear();
                return Err(Error::internal(
                    "scoring: the model gave a logit that is no number",
                ));
            }
            let all = LogProbs::of(row);
            self.logprobs.push(all.of_token(*id));
            self.tops.push(all.top(self.top));
        }
        Ok(())
    }

    /// The conversation that it goes on with.
    #[must_use]
    pub const fn session(&self) -> &Session {
        self.session
    }

    /// What came of it.
    #[must_use]
    pub fn finish(self) -> Score {
        // The very first token has nothing in front of it.
        let known = self.logprobs.into_iter().map(Some);
        let first = (self.given == 0).then_some(None);
        Score {
            ids: self.ids.get(self.given..).unwrap_or_default().to_vec(),
            logprobs: first.into_iter().chain(known).collect(),
            tops: self.tops,
        }
    }
}

/// How likely a text is.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Its tokens.
    pub ids: Vec<u32>,
    /// The natural logarithm of each one's probability; nothing for one that has no other in front of it.
    pub logprobs: Vec<Option<f32>>,
    /// The likeliest tokens in the place of each that has a probability, as many as were asked for, and theirs.
    pub tops: Vec<Vec<(u32, f32)>>,
}

impl Score {
    /// The logarithm of the text's probability.
    #[must_use]
    pub fn logprob(&self) -> f64 {
        self.logprobs.iter().flatten().copied().map(f64::from).sum()
    }

    /// What a model thought of each token that has others in front of it.
    #[must_use]
    pub fn tokens(&self, tokenizer: &Tokenizer) -> Vec<TokenLogProb> {
        let scored = self.ids.iter().zip(&self.logprobs);
        let scored = scored.filter_map(|(id, logprob)| Some((*id, (*logprob)?)));
        let told = scored.zip(&self.tops).map(|((id, logprob), top)| {
            let top = top.iter();
            TokenLogProb {
                token: LogProb::of(id, logprob, tokenizer),
                top: top
                    .map(|(id, logprob)| LogProb::of(*id, *logprob, tokenizer))
                    .collect(),
            }
        });
        told.collect()
    }

    /// exp of the mean of −ln p: 1 is certain; nothing where no token has a probability.
    #[must_use]
    pub fn perplexity(&self) -> Option<f64> {
        let count = u32::try_from(self.logprobs.iter().flatten().count()).unwrap_or(u32::MAX);
        (count > 0).then(|| (-self.logprob() / f64::from(count)).exp())
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test stops at the first surprise"
    )]

    use super::*;

    /// Logits of 3 tokens, behind which comes the one after them with a probability of a half, in a table of 4 rows.
    fn after(id: u32) -> [f32; 4] {
        let mut logits = [0.0; 4];
        logits[(id as usize + 1) % 3] = 2.0_f32.ln();
        logits[3] = 99.0;
        logits
    }

    fn score(ids: &[u32], given: usize, held: &[u32], rows: usize) -> (Score, Vec<Forward>) {
        let mut session = Session::new(64);
        session.record(held).unwrap();
        let mut scoring = Scoring::new(ids.to_vec(), given, &mut session);
        let mut asked = Vec::new();
        while let Some(forward) = scoring.ask(2, rows).cloned() {
            let logits = match forward.logits {
                true => forward.ids.iter().flat_map(|id| after(*id)).collect(),
                false => Vec::new(),
            };
            scoring.answer(&logits, 3).unwrap();
            asked.push(forward);
        }
        (scoring.finish(), asked)
    }

    #[test]
    fn each_token_is_scored_by_those_in_front() {
        let (half, quarter) = (0.5_f32.ln(), 0.25_f32.ln());
        for rows in [1, 2, 9] {
            let (score, _) = score(&[0, 1, 2, 2, 0], 0, &[], rows);
            assert_eq!(score.ids, [0, 1, 2, 2, 0]);
            let expected = [None, Some(half), Some(half), Some(quarter), Some(half)];
            for (got, expected) in score.logprobs.iter().zip(expected) {
                assert_eq!(got.is_some(), expected.is_some());
                assert!((got.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-6);
            }
            let sum = f64::from(half) * 3.0 + f64::from(quarter);
            assert!((score.logprob() - sum).abs() < 1e-6);
            assert!((score.perplexity().unwrap() - (-sum / 4.0).exp()).abs() < 1e-6);
        }
    }

    #[test]
    fn what_is_given_is_read_without_logits_and_not_twice() {
        let ids = [0, 1, 2, 0, 1, 2];
        let (all, asked) = score(&ids, 4, &[], 9);
        assert_eq!(all.ids, [1, 2]);
        assert_eq!(all.logprobs.len(), 2);
        let of = |it: &Forward| (it.position, it.ids.len(), it.logits);
        let asked: Vec<_> = asked.iter().map(of).collect();
        assert_eq!(asked, [(0, 2, false), (2, 1, false), (3, 2, true)]);
        assert_eq!(all.tops, [[], []] as [[(u32, f32); 0]; 2], "nobody asked");
        let (again, asked) = score(&ids, 4, &[0, 1, 2, 0, 1], 9);
        assert_eq!(again, all);
        assert_eq!(asked.len(), 1, "only what gives the logits: {asked:?}");
    }

    #[test]
    fn the_likeliest_tokens_are_told_where_that_is_asked_for() {
        let mut session = Session::new(64);
        let mut scoring = Scoring::new(vec![0, 1, 0], 0, &mut session).telling(2);
        while let Some(forward) = scoring.ask(2, 1).cloned() {
            let logits: Vec<f32> = forward.ids.iter().flat_map(|id| after(*id)).collect();
            scoring.answer(&logits, 3).unwrap();
        }
        let score = scoring.finish();
        let ids = |at: usize| score.tops[at].iter().map(|(id, _)| *id).collect::<Vec<_>>();
        assert_eq!((ids(0), ids(1)), (vec![1, 0], vec![2, 0]), "equals by id");
        assert!((score.tops[1][0].1 - 0.5_f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn one_token_alone_has_no_probability() {
        let (score, asked) = score(&[2], 0, &[], 9);
        assert_eq!((score.logprobs.as_slice(), asked.len()), (&[None][..], 0));
        assert_eq!(score.perplexity(), None);
    }

    #[test]
    fn broken_logits_are_an_error() {
        let mut session = Session::new(64);
        let mut scoring = Scoring::new(vec![0, 1], 0, &mut session);
        scoring.answer(&[], 3).unwrap_err();
        scoring.ask(9, 9).unwrap();
        scoring.answer(&[0.0; 2], 3).unwrap_err();
        let mut scoring = Scoring::new(vec![0, 1], 0, &mut session);
        scoring.ask(9, 9).unwrap();
        scoring.answer(&[0.0, f32::NAN, 0.0], 3).unwrap_err();
    }
}
