//! Who has the model now: requests take turns, first come, first served.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::task::{Poll, Waker};

/// Something that one at a time has.
#[derive(Debug)]
pub(crate) struct Turns<T>(RefCell<State<T>>);

#[derive(Debug)]
struct State<T> {
    /// Taken out while somebody has it.
    it: Option<T>,
    /// It is not to be had any more, once it is back.
    is_closed: bool,
    /// Who waits, the first one first.
    waiting: VecDeque<(u32, Waker)>,
    next: u32,
}

/// There is nothing to have a turn with any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

impl<T> Turns<T> {
    pub(crate) const fn new(it: T) -> Self {
        Self(RefCell::new(State {
            it: Some(it),
            is_closed: false,
            waiting: VecDeque::new(),
            next: 0,
        }))
    }

    /// The caller's turn, when it comes.
    pub(crate) async fn turn(&self) -> Result<Turn<'_, T>, Closed> {
        let it = self.take().await?;
        Ok(Turn {
            turns: self,
            it: Some(it),
        })
    }

    /// A turn without waiting; none where somebody else has it, or is about to.
    pub(crate) fn try_turn(&self) -> Option<Turn<'_, T>> {
        let it = self.try_take()?;
        Some(Turn {
            turns: self,
            it: Some(it),
        })
    }

    /// It, when it is the caller's turn; to be given back.
    async fn take(&self) -> Result<T, Closed> {
        let place = Place {
            turns: self,
            number: {
                let mut state = self.0.borrow_mut();
                state.next = state.next.wrapping_add(1);
                state.next
            },
        };
        poll_fn(|context| {
            let mut state = self.0.borrow_mut();
            if state.is_closed {
                return Poll::Ready(Err(Closed));
            }
            let number = place.number;
            let is_first = match state.waiting.front() {
                Some((first, _)) => *first == number,
                None => true,
            };
            if is_first && let Some(it) = state.it.take() {
                return Poll::Ready(Ok(it));
            }
            let waker = context.waker().clone();
            match state.waiting.iter_mut().find(|(it, _)| *it == number) {
                Some((_, old)) => *old = waker,
                None => state.waiting.push_back((number, waker)),
            }
            Poll::Pending
        })
        .await
    }

    /// The same without waiting.
    fn try_take(&self) -> Option<T> {
        let mut state = self.0.borrow_mut();
        match state.is_closed || !state.waiting.is_empty() {
            true => None,
            false => state.it.take(),
        }
    }

    /// Gives it back.
    fn give_back(&self, it: T) {
        let mut state = self.0.borrow_mut();
        if !state.is_closed {
            state.it = Some(it);
        }
        state.wake();
    }

    /// Whether somebody waits.
    fn are_wanted(&self) -> bool {
        !self.0.borrow().waiting.is_empty()
    }

    /// Drops it, now or when it is given back; there are no turns any more.
    pub(crate) fn close(&self) {
        let mut state = self.0.borrow_mut();
        state.is_closed = true;
        state.it = None;
        for (_, waker) in &state.waiting {
            waker.wake_by_ref();
        }
    }
}

/// A turn, which ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'t, T> {
    turns: &'t Turns<T>,
    /// Nothing when it could not be had again.
    it: Option<T>,
}

impl<T> Turn<'_, T> {
    /// What one has in one's turn.
    pub(crate) fn get(&mut self) -> Result<&mut T, Closed> {
        self.it.as_mut().ok_or(Closed)
    }

    /// Whether somebody waits for it to end.
    pub(crate) fn is_wanted(&self) -> bool {
        self.turns.are_wanted()
    }

    /// Lets those who wait have theirs.
    pub(crate) async fn pass(&mut self) -> Result<(), Closed> {
        if let Some(it) = self.it.take() {
            // One's own next turn comes behind theirs.
            let mut next = std::pin::pin!(self.turns.take());
            let first = poll_fn(|context| Poll::Ready(next.as_mut().poll(context))).await;
            self.turns.give_back(it);
            self.it = Some(match first {
                Poll::Ready(it) => it?,
                Poll::Pending => next.await?,
            });
        }
        Ok(())
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        if let Some(it) = self.it.take() {
            self.turns.give_back(it);
        }
    }
}

impl<T> State<T> {
    fn wake(&self) {
        if let Some((_, waker)) = self.waiting.front() {
            waker.wake_by_ref();
        }
    }
}

/// A place in the queue: left when it was one's turn, and when one does not wait any more.
struct Place<'t, T> {
    turns: &'t Turns<T>,
    number: u32,
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        let mut state = self.turns.0.borrow_mut();
        state.waiting.retain(|(number, _)| *number != self.number);
        if state.it.is_some() {
            state.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Context;

    use super::*;

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn those_who_wait_have_their_turn_in_the_order_they_came() {
        let turns = Turns::new(7);
        let it = turns.try_take().expect("it is free");
        assert!(turns.try_take().is_none(), "one at a time");
        let (mut a, mut b) = (pin!(turns.take()), pin!(turns.take()));
        assert!(poll(a.as_mut()).is_pending() && poll(b.as_mut()).is_pending());
        assert!(turns.are_wanted());
        turns.give_back(it);
        assert!(turns.try_take().is_none(), "others were there before");
        assert!(poll(b.as_mut()).is_pending(), "and one of them first");
        assert_eq!(poll(a.as_mut()), Poll::Ready(Ok(7)));
        assert!(poll(b.as_mut()).is_pending());
        turns.give_back(8);
        assert_eq!(poll(b.as_mut()), Poll::Ready(Ok(8)));
        assert!(!turns.are_wanted());
    }

    #[test]
    fn who_leaves_the_queue_holds_up_nobody() {
        let turns = Turns::new(());
        turns.try_take().expect("it is free");
        let mut second = pin!(turns.take());
        {
            let mut first = pin!(turns.take());
            assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
            turns.give_back(());
            assert!(
                poll(second.as_mut()).is_pending(),
                "it is the first one's turn"
            );
        }
        assert_eq!(poll(second.as_mut()), Poll::Ready(Ok(())));
    }

    #[test]
    fn a_turn_is_passed_to_those_who_wait_and_comes_back() {
        let turns = Turns::new(vec![1]);
        let mut a = turns.try_turn().expect("it is free");
        let mut b = pin!(turns.turn());
        assert!(poll(b.as_mut()).is_pending());
        assert!(a.is_wanted());
        {
            let mut passed = pin!(a.pass());
            assert!(poll(passed.as_mut()).is_pending(), "it is b's turn");
            let Poll::Ready(Ok(mut b)) = poll(b.as_mut()) else {
                panic!("b has waited");
            };
            b.get().expect("it is there").push(2);
            assert!(poll(passed.as_mut()).is_pending(), "b has it");
            drop(b);
            assert_eq!(poll(passed.as_mut()), Poll::Ready(Ok(())));
        }
        assert_eq!(*a.get().expect("it is there"), [1, 2]);
        assert!(!a.is_wanted());
        assert_eq!(poll(pin!(a.pass())), Poll::Ready(Ok(())), "nobody waits");
        drop(a);
        assert!(turns.try_turn().is_some(), "it was given back");
    }

    #[test]
    fn nobody_has_a_turn_when_it_is_closed() {
        let turns = Turns::new(1);
        let it = turns.try_take().expect("it is free");
        let mut waiting = pin!(turns.take());
        assert!(poll(waiting.as_mut()).is_pending());
        turns.close();
        assert_eq!(poll(waiting.as_mut()), Poll::Ready(Err(Closed)));
        turns.give_back(it);
        assert!(turns.try_take().is_none());
        assert_eq!(poll(pin!(turns.take())), Poll::Ready(Err(Closed)));
    }
}
