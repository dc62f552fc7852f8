//! The answers of one request: begun as there is room for them, told as they come.

use puna_core::generate::{Event, Generation};
use puna_core::openai::{Choice, Respond};
use puna_core::score::Scoring;
use puna_core::{Error, Result};
use serde_json::Value;
use web_sys::AbortSignal;

use crate::answers::{Driving, InPlace};
use crate::engine::{Engine, score};

/// A request that is being answered.
pub(crate) struct Making<'e> {
    pub(crate) engine: &'e Engine,
    /// The answers that it wants.
    pub(crate) choices: &'e [Choice],
    /// What adapters are multiplied by for it.
    pub(crate) scales: &'e [f32],
    pub(crate) context_length: u32,
    pub(crate) signal: Option<&'e AbortSignal>,
    pub(crate) responder: &'e mut dyn Respond,
    pub(crate) send: &'e mut dyn FnMut(Value) -> Result<()>,
    /// Those that have begun and not ended: which choice each is.
    pub(crate) going: Vec<(usize, InPlace<'e>)>,
    /// How many have begun.
    pub(crate) begun: usize,
}

impl Making<'_> {
    /// Makes all of them, by turns and together with those of others.
    ///
    /// # Errors
    /// Why one of them can't go on; `aborted`; those of `send`.
    pub(crate) async fn make(mut self) -> Result<()> {
        let engine = self.engine;
        let mut driving: Option<Driving<'_>> = None;
        loop {
            self.tell()?;
            if self.may_begin() {
                driving = None;
                self.begin().await?;
            } else if self.going.is_empty() {
                return Ok(());
            } else if let Some(driving) = &mut driving {
                let is_more = self.begun < self.choices.len() && engine.has_room();
                driving.step(&self.own(), is_more).await?;
            } else {
                driving = engine.answers.drive(&engine.model);
                if driving.is_none() {
                    engine.answers.news(&self.own()).await;
                }
            }
        }
    }

    fn own(&self) -> Vec<u32> {
        self.going.iter().map(|(_, place)| place.id()).collect()
    }

    /// Whether another one may begin: one always may, more where there is room for their conversations, and when what they
    /// have in common with those that have begun was read.
    fn may_begin(&self) -> bool {
        let Some(choice) = self.choices.get(self.begun) else {
            return false;
        };
        let same = self.going.iter().filter(|(index, _)| {
            let other = self.choices.get(*index);
            other.is_some_and(|other| other.prompt == choice.prompt)
        });
        let mut reading = same.map(|(_, place)| self.engine.answers.reads(place.id()));
        // Nobody has begun with this prompt, or somebody has read it.
        let is_known = match reading.next() {
            None => true,
            Some(reads) => !reads || reading.any(|reads| !reads),
        };
        self.going.is_empty() || is_known && self.engine.has_room()
    }

    /// Begins the next one.
    async fn begin(&mut self) -> Result<()> {
        let (engine, index) = (self.engine, self.begun);
        let Some(choice) = self.choices.get(index) else {
            return Ok(());
        };
        self.begun = index.saturating_add(1);
        let tokenizer = engine.tokenizer();
        let prompt = &choice.generate.prompt;
        let generation = match choice.without_tokens() {
            Some(_) => None,
            None => {
                let request = choice.generate.clone();
                Some(Generation::new(request, tokenizer, self.context_length)?)
            }
        };
        let mut turn = engine.model.turn().await?;
        let model = turn.get()?;
        engine.answers.give_back(model);
        model.adapt(self.scales)?;
        let guide = match &choice.generate.grammar {
            Some(grammar) => Some(model.grammars.guide(grammar, tokenizer).await?),
            None => None,
        };
        let conversations = &mut model.conversations;
        let mut session = conversations
            .take(&mut model.executor, prompt, choice.generate.retention)
            .await?;
        let scored = match choice.scores() {
            Some(top) => {
                let mut scoring = Scoring::new(prompt.clone(), 0, &mut session).telling(top);
                let (scales, signal) = (self.scales, self.signal);
                let scored = score(&mut scoring, &mut turn, scales, tokenizer, signal).await;
                scored.map(|()| self.responder.scored(index, &scoring.finish(), tokenizer))
            }
            None => Ok(()),
        };
        let begun = scored.and_then(|()| {
            let bodies = self.responder.begin(index, choice);
            self.send(bodies)
        });
        match (begun, generation) {
            (Ok(()), Some(generation)) => {
                let generation = generation.on(session).guided(guide);
                let place = engine.answers.join(generation, self.scales, self.signal);
                self.going.push((index, place));
                Ok(())
            }
            (begun, _) => {
                turn.get()?.conversations.put_back(session);
                begun?;
                let events = choice.without_tokens();
                events.iter().try_for_each(|event| self.event(index, event))
            }
        }
    }

    /// Tells what came of all of them; those that have ended are let go.
    fn tell(&mut self) -> Result<()> {
        let news: Vec<_> = (self.going.iter())
            .map(|(index, place)| (*index, place.take()))
            .collect();
        for (index, (events, end)) in news {
            events
                .iter()
                .try_for_each(|event| self.event(index, event))?;
            if let Some(end) = end {
                end?;
                self.going.retain(|(going, _)| *going != index);
            }
        }
        Ok(())
    }

    fn event(&mut self, index: usize, event: &Event) -> Result<()> {
        let choice = self.choices.get(index);
        let choice = choice.ok_or_else(|| Error::internal("an answer that nobody asked for"))?;
        let bodies = self.responder.event(index, choice, event);
        self.send(bodies)
    }

    fn send(&mut self, bodies: Vec<Value>) -> Result<()> {
        bodies.into_iter().try_for_each(&mut self.send)
    }
}
