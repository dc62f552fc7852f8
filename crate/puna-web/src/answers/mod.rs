//! The answers that are being made: whoever has the model goes on with all of them, and each takes what came of its own.

mod driving;

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use puna_core::Result;
use puna_core::generate::{Event, Forwarded, Generation};
use puna_core::schedule::Schedule;
use web_sys::AbortSignal;

pub(crate) use self::driving::Driving;
use crate::abort::throw_if_aborted;
use crate::engine::Model;
use crate::turns::Turns;

/// All that are being made.
#[derive(Debug, Default)]
pub(crate) struct Answers(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    answers: Vec<Answer>,
    schedule: Schedule,
    next: u32,
    /// Whether somebody goes on with them, or is about to.
    are_driven: bool,
}

/// One of them.
#[derive(Debug)]
struct Answer {
    id: u32,
    /// Nothing when it has ended.
    generation: Option<Generation>,
    /// What adapters are multiplied by.
    scales: Vec<f32>,
    signal: Option<AbortSignal>,
    /// What nobody was told yet.
    events: Vec<Event>,
    end: Option<Result<()>>,
    /// There are no rows for it until another ends.
    is_waiting: bool,
    /// Nobody asks about it any more: there is only its conversation to be put back.
    is_gone: bool,
    waker: Option<Waker>,
}

impl Answers {
    /// Another one is made.
    pub(crate) fn join(
        &self,
        generation: Generation,
        scales: &[f32],
        signal: Option<&AbortSignal>,
    ) -> InPlace<'_> {
        let mut state = self.0.borrow_mut();
        state.next = state.next.wrapping_add(1);
        let id = state.next;
        state.answers.push(Answer {
            id,
            generation: Some(generation),
            scales: scales.to_vec(),
            signal: signal.cloned(),
            events: Vec::new(),
            end: None,
            is_waiting: false,
            is_gone: false,
            waker: None,
        });
        InPlace { answers: self, id }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.borrow().answers.len()
    }

    /// Whether one still reads its prompt.
    pub(crate) fn reads(&self, id: u32) -> bool {
        let reads = |answer: &mut Answer| {
            let generation = answer.generation.as_ref();
            generation.is_some_and(|it| it.usage().completion_tokens == 0)
        };
        self.0.borrow_mut().with(id, reads) == Some(true)
    }

    /// The caller goes on with all of them from now on; nothing where another does.
    pub(crate) fn drive<'a>(&'a self, turns: &'a Turns<Box<Model>>) -> Option<Driving<'a>> {
        let mut state = self.0.borrow_mut();
        match std::mem::replace(&mut state.are_driven, true) {
            true => None,
            false => Some(Driving::new(self, turns)),
        }
    }

    /// Waits until something came of one of these, or nobody goes on with them.
    pub(crate) async fn news(&self, own: &[u32]) {
        poll_fn(|context| {
            let mut state = self.0.borrow_mut();
            if !state.are_driven {
                return Poll::Ready(());
            }
            for answer in &mut state.answers {
                if own.contains(&answer.id) {
                    if answer.has_news() {
                        return Poll::Ready(());
                    }
                    answer.waker = Some(context.waker().clone());
                }
            }
            Poll::Pending
        })
        .await;
    }

    /// Whether there is anything that somebody else was not told.
    fn others_have_news(&self, own: &[u32]) -> bool {
        let state = self.0.borrow();
        let mut others = state.answers.iter().filter(|it| !own.contains(&it.id));
        others.any(Answer::has_news)
    }

    /// Ends those that nobody wants any more.
    fn end_aborted(&self, model: &mut Model) {
        for answer in &mut self.0.borrow_mut().answers {
            if answer.end.is_none() {
                let wanted = throw_if_aborted(answer.signal.as_ref());
                if wanted.is_err() {
                    answer.cancel(wanted);
                }
            }
        }
        self.give_back(model);
    }

    /// Puts the conversations of those back that have ended.
    pub(crate) fn give_back(&self, model: &mut Model) {
        let mut state = self.0.borrow_mut();
        let mut are_free = false;
        for answer in &mut state.answers {
            if answer.end.is_some()
                && let Some(generation) = answer.generation.take()
            {
                model.conversations.put_back(generation.into_session());
                are_free = true;
            }
        }
        if are_free {
            let waiting = state.answers.iter_mut();
            waiting.for_each(|answer| answer.is_waiting = false);
        }
        state.answers.retain(|answer| !answer.is_gone);
    }

    /// Those who wait hear that nobody goes on with their answers.
    fn wake(&self) {
        let mut state = self.0.borrow_mut();
        let wakers = state.answers.iter_mut().filter_map(|it| it.waker.take());
        wakers.for_each(Waker::wake);
    }
}

impl State {
    /// One has to wait until another's rows are free; whether there is such another.
    fn wait(&mut self, id: u32) -> bool {
        let others = self.answers.iter().filter(|answer| answer.id != id);
        let goes_on = |answer: &Answer| answer.generation.is_some() && !answer.is_waiting;
        let is_other = others.into_iter().any(goes_on);
        self.with(id, |answer| answer.is_waiting = is_other);
        is_other
    }

    fn with<T>(&mut self, id: u32, act: impl FnOnce(&mut Answer) -> T) -> Option<T> {
        let answer = self.answers.iter_mut().find(|answer| answer.id == id)?;
        Some(act(answer))
    }
}

impl Answer {
    /// Goes on by what was forwarded.
    fn take(&mut self, forwarded: Forwarded<'_>) {
        let (None, Some(generation)) = (&self.end, &mut self.generation) else {
            return;
        };
        match generation.answer(forwarded) {
            Ok(events) => {
                if let Some(Event::Finish { .. }) = events.last() {
                    self.end = Some(Ok(()));
                }
                self.events.extend(events);
            }
            Err(error) => self.end = Some(Err(error)),
        }
        self.tell();
    }

    /// Whether there is anything that nobody was told.
    const fn has_news(&self) -> bool {
        !self.is_gone && (!self.events.is_empty() || self.end.is_some())
    }

    fn cancel(&mut self, why: Result<()>) {
        self.end = Some(why);
        self.tell();
    }

    fn tell(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// An answer's place among all: when this is dropped it is gone, but for what it has of the model.
#[derive(Debug)]
pub(crate) struct InPlace<'a> {
    answers: &'a Answers,
    id: u32,
}

impl InPlace<'_> {
    pub(crate) const fn id(&self) -> u32 {
        self.id
    }

    /// What came of it since; how it has ended, if it has.
    pub(crate) fn take(&self) -> (Vec<Event>, Option<Result<()>>) {
        let take = |answer: &mut Answer| (std::mem::take(&mut answer.events), answer.end.clone());
        let taken = self.answers.0.borrow_mut().with(self.id, take);
        taken.unwrap_or_default()
    }
}

impl Drop for InPlace<'_> {
    fn drop(&mut self) {
        let mut state = self.answers.0.borrow_mut();
        let stays = state.with(self.id, |answer| {
            answer.is_gone = true;
            answer.end.get_or_insert(Ok(()));
            answer.generation.is_some()
        });
        if stays == Some(false) {
            state.answers.retain(|answer| answer.id != self.id);
        }
    }
}
