//! Whoever goes on with the answers: step after step, of those whose turn it is.

use std::future::poll_fn;
use std::task::Poll;

use puna_core::generate::{Ask, Forwarded};
use puna_core::graph::Wanted;
use puna_core::places::Places;
use puna_core::sampler::Sampler;
use puna_core::schedule::Wish;
use puna_core::session::Session;
use puna_core::{Error, ErrorCode, Result, adapter};

use super::{Answer, Answers, State};
use crate::engine::Model;
use crate::executor::{Draws, Executor};
use crate::turns::{Turn, Turns};

/// Answers with which one can go on in the same steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group {
    weights: u64,
    draws: Draws,
}

/// What an answer has asked for.
#[derive(Debug)]
struct Asked {
    id: u32,
    /// Tells its rows; it holds no tokens.
    session: Session,
    position: usize,
    ids: Vec<u32>,
    logits: bool,
    ahead: usize,
    draws: Draws,
}

/// What comes next.
#[derive(Debug)]
struct Next {
    /// What those ask for whose turn it is.
    asked: Vec<Asked>,
    /// What adapters are multiplied by for them.
    scales: Vec<f32>,
    /// Whether others wait.
    others: bool,
    /// Those of the chain that are still there.
    chained: Vec<Chained>,
}

/// An answer of the chain.
#[derive(Clone, Copy, Debug)]
struct Chained {
    id: u32,
    seat: usize,
    /// Of the token that it has asked for.
    position: usize,
    token: u32,
}

/// The caller goes on with all answers: until this is dropped.
#[derive(Debug)]
pub(crate) struct Driving<'a> {
    answers: &'a Answers,
    turns: &'a Turns<Box<Model>>,
    turn: Option<Turn<'a, Box<Model>>>,
}

impl<'a> Driving<'a> {
    pub(super) const fn new(answers: &'a Answers, turns: &'a Turns<Box<Model>>) -> Self {
        Self {
            answers,
            turns,
            turn: None,
        }
    }

    /// Takes one step with those whose turn it is; `own` are the caller's, who hears of them without a pause, and who is about to
    /// begin more if `is_more`.
    ///
    /// # Errors
    /// When the model was unloaded.
    pub(crate) async fn step(&mut self, own: &[u32], is_more: bool) -> Result<()> {
        let turn = match &mut self.turn {
            Some(turn) => turn,
            none => none.insert(self.turns.turn().await?),
        };
        let is_wanted = is_more || turn.is_wanted();
        let answers = self.answers;
        answers.step(turn.get()?, is_wanted).await;
        let is_over = answers.0.borrow().schedule.is_over();
        if is_over && turn.is_wanted() {
            turn.pass().await?;
        } else if answers.others_have_news(own) {
            pause().await;
        }
        Ok(())
    }
}

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        self.answers.0.borrow_mut().are_driven = false;
        self.answers.wake();
    }
}

impl Answers {
    /// Takes one step with those whose turn it is.
    async fn step(&self, model: &mut Model, is_wanted: bool) {
        self.end_aborted(model);
        let Some(Next {
            mut asked,
            scales,
            others,
            chained,
        }) = self.ask(&model.executor, &model.chain)
        else {
            return;
        };
        if asked
            .iter()
            .map(|asked| asked.id)
            .ne(model.chain.iter().copied())
            && self.take_rest(model, &chained).await
        {
            return;
        }
        if let Err(error) = model.adapt(&scales) {
            return self.fail(model, &asked, &error);
        }
        let mut ahead = usize::MAX;
        if is_wanted || others {
            // What is submitted beyond this turn nobody would look at.
            ahead = self.0.borrow().schedule.left();
        }
        // One without room keeps nobody else from going on.
        let mut refused = Vec::new();
        for (at, asked) in asked.iter().enumerate() {
            let end = asked.position.saturating_add(asked.ids.len());
            let Model {
                executor,
                conversations,
                ..
            } = model;
            let room = conversations.make_room(executor, &asked.session, end, asked.ahead);
            match room.await {
                Ok(room) => ahead = ahead.min(asked.ahead).min(room.saturating_sub(end)),
                Err(error) => refused.push((at, error)),
            }
        }
        for (at, error) in refused.into_iter().rev() {
            let without = asked.remove(at);
            let waits = error.code() == ErrorCode::Busy && self.0.borrow_mut().wait(without.id);
            if !waits {
                self.fail(model, &[without], &error);
            }
        }
        if asked.is_empty() {
            return;
        }
        let places: Vec<_> = (asked.iter())
            .map(|asked| model.conversations.place(&asked.session, asked.position))
            .collect();
        let places = Places::each(&places);
        let ran = self.run(model, &asked, &places, ahead).await;
        match ran {
            Ok(tokens) => {
                self.0.borrow_mut().schedule.made(tokens);
                self.share(model, &asked);
                self.give_back(model);
            }
            Err(error) => {
                model.chain.clear();
                self.fail(model, &asked, &error);
            }
        }
    }

    /// Before the chain ends, or goes on with other answers, each takes what was drawn for it already; whether there was anything.
    async fn take_rest(&self, model: &mut Model, chained: &[Chained]) -> bool {
        let going: Vec<_> = chained
            .iter()
            .map(|it| (it.seat, it.position, it.token))
            .collect();
        let drawn = match model.executor.rest(&going).await {
            Ok(None) => return false,
            drawn => drawn,
        };
        let mut state = self.0.borrow_mut();
        for chained in chained {
            let draw = match &drawn {
                Ok(drawn) => drawn.as_ref().and_then(|drawn| drawn.get(chained.seat)),
                Err(error) => {
                    state.with(chained.id, |answer| answer.cancel(Err(error.clone())));
                    continue;
                }
            };
            if let Some(draw) = draw {
                state.with(chained.id, |answer| answer.take(Forwarded::Draw(*draw)));
            }
        }
        drop(state);
        if drawn.is_err() {
            model.chain.clear();
        }
        self.give_back(model);
        true
    }

    /// What those ask for whose turn it is.
    fn ask(&self, executor: &Executor, chain: &[u32]) -> Option<Next> {
        let mut state = self.0.borrow_mut();
        let State {
            answers, schedule, ..
        } = &mut *state;
        let mut wishes = Vec::new();
        let mut all = Vec::new();
        for answer in answers {
            let (false, Some(generation)) = (answer.is_waiting, &mut answer.generation) else {
                continue;
            };
            let Ask::Forward {
                position,
                ids,
                logits,
                ahead,
            } = generation.ask(executor.chunk_tokens())
            else {
                continue;
            };
            let draws = executor.draws(generation);
            let is_single = logits && ids.len() == 1;
            wishes.push(Wish {
                id: answer.id,
                group: is_single.then(|| Group {
                    weights: adapter::weights(&answer.scales),
                    draws,
                }),
            });
            let asked = Asked {
                id: answer.id,
                session: generation.session().without_tokens(),
                position: position as usize,
                ids,
                logits,
                ahead: ahead as usize,
                draws,
            };
            all.push((asked, &answer.scales));
        }
        let of_chain = |(seat, id): (usize, &u32)| {
            let (asked, _) = all.iter().find(|(asked, _)| asked.id == *id)?;
            let token = asked.ids.first().filter(|_| asked.logits);
            Some(Chained {
                id: *id,
                seat,
                position: asked.position,
                token: *token?,
            })
        };
        let chained = chain.iter().enumerate().filter_map(of_chain).collect();
        let next = schedule.next(&wishes, executor.most_together());
        let mut asked = Vec::new();
        let mut scales = None;
        for (own, of_own) in all {
            if next.ids.contains(&own.id) {
                scales.get_or_insert_with(|| of_own.clone());
                asked.push(own);
            }
        }
        Some(Next {
            asked,
            scales: scales?,
            others: next.others,
            chained,
        })
    }

    /// Runs what was asked for and answers it; tokens that count.
    async fn run(
        &self,
        model: &mut Model,
        asked: &[Asked],
        places: &Places,
        ahead: usize,
    ) -> Result<usize> {
        let Model {
            executor, chain, ..
        } = model;
        let ids: Vec<_> = asked.iter().flat_map(|asked| asked.ids.clone()).collect();
        let tokens = ids.len().div_ceil(asked.len().max(1));
        let (logits, draws) = (asked.iter())
            .next()
            .map_or((false, Draws::Later), |asked| (asked.logits, asked.draws));
        if !logits {
            chain.clear();
            executor.forward(places.clone(), &ids, Wanted::None).await?;
            self.answer(asked, std::iter::repeat_with(|| Forwarded::Nothing));
            return Ok(tokens);
        }
        if draws == Draws::Later {
            chain.clear();
            let rows = executor.logits(places, &ids).await?;
            self.answer(asked, rows.map(Forwarded::Logits));
            return Ok(tokens);
        }
        let own: Vec<u32> = asked.iter().map(|asked| asked.id).collect();
        // Tokens that were not drawn are among several.
        let is_new = *chain != own || draws == Draws::Among && tokens > 1;
        if is_new {
            chain.clear();
            let samplers = self.samplers(&own);
            executor.start(&samplers).await?;
            *chain = own;
        }
        let mut refused = Vec::new();
        let drawn = match draws {
            Draws::Among => {
                let mut allowed = |seat: usize| {
                    let id = chain.get(seat).copied().unwrap_or_default();
                    // Whose grammar fails ends behind this step, and alone.
                    let allowed = self.allowed(id);
                    allowed.unwrap_or_else(|error| {
                        refused.push((id, error));
                        Vec::new()
                    })
                };
                executor.sample_among(places, &ids, &mut allowed).await?
            }
            _ => executor.sample(places, &ids, ahead).await?,
        };
        for (id, error) in refused {
            self.0
                .borrow_mut()
                .with(id, |answer| answer.cancel(Err(error)));
        }
        self.answer(asked, drawn.into_iter().map(Forwarded::Draw));
        Ok(tokens)
    }

    /// Others may begin with what was read of prompts that are complete.
    fn share(&self, model: &mut Model, asked: &[Asked]) {
        let mut state = self.0.borrow_mut();
        for asked in asked {
            if asked.logits && asked.ids.len() > 1 {
                state.with(asked.id, |answer| {
                    if let Some(generation) = &answer.generation {
                        model.conversations.share(generation.session());
                    }
                });
            }
        }
    }

    /// What the tokens of answers are drawn by just now.
    fn samplers(&self, ids: &[u32]) -> Vec<Sampler> {
        let mut state = self.0.borrow_mut();
        let of = |id: &u32| {
            let sampler =
                |answer: &mut Answer| answer.generation.as_ref()?.sampler().clone().into();
            state.with(*id, sampler).flatten()
        };
        ids.iter().filter_map(of).collect()
    }

    /// The tokens that an answer's grammar allows, as [`puna_core::guide::Guide::allowed`] has them.
    fn allowed(&self, id: u32) -> Result<Vec<u32>> {
        let allowed = |answer: &mut Answer| {
            let generation = answer.generation.as_mut();
            let allowed = generation.map(|it| it.allowed().map(|it| it.map(<[u32]>::to_vec)));
            allowed.transpose()
        };
        let found = self.0.borrow_mut().with(id, allowed).transpose()?;
        let none = || Error::internal("an answer that is held to a grammar has none");
        found.flatten().flatten().ok_or_else(none)
    }

    /// Hands each what it has asked for.
    fn answer<'f>(&self, asked: &[Asked], forwarded: impl Iterator<Item = Forwarded<'f>>) {
        let mut state = self.0.borrow_mut();
        for (asked, forwarded) in asked.iter().zip(forwarded) {
            state.with(asked.id, |answer| answer.take(forwarded));
        }
    }

    fn fail(&self, model: &mut Model, asked: &[Asked], error: &Error) {
        for asked in asked {
            let mut state = self.0.borrow_mut();
            state.with(asked.id, |answer| answer.cancel(Err(error.clone())));
        }
        self.give_back(model);
    }
}

/// Lets others tell what came of theirs.
async fn pause() {
    let mut is_back = false;
    poll_fn(|context| {
        if std::mem::replace(&mut is_back, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
