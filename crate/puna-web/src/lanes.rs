//! Several futures at once on one thread, and taking turns among them.

use std::cell::{RefCell, RefMut};
use std::future::{Future, poll_fn};
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Poll, Waker};

use puna_core::Result;

/// Runs all to their ends. After the first error `stop` is called, so that the others end early; that error is the result.
pub(crate) async fn all<'a>(
    lanes: Vec<Pin<Box<dyn Future<Output = Result<()>> + 'a>>>,
    stop: impl Fn(),
) -> Result<()> {
    let mut lanes: Vec<_> = lanes.into_iter().map(Some).collect();
    let mut first = Ok(());
    poll_fn(move |context| {
        for slot in &mut lanes {
            if let Some(lane) = slot
                && let Poll::Ready(result) = lane.as_mut().poll(context)
            {
                *slot = None;
                if result.is_err() && first.is_ok() {
                    first = result;
                    stop();
                }
            }
        }
        if lanes.iter().all(Option::is_none) {
            return Poll::Ready(std::mem::replace(&mut first, Ok(())));
        }
        Poll::Pending
    })
    .await
}

/// A value that one lane at a time works with, also while it waits for something.
pub(crate) struct Turn<T> {
    value: RefCell<T>,
    waiting: RefCell<Vec<Waker>>,
}

impl<T> Turn<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            value: RefCell::new(value),
            waiting: RefCell::new(Vec::new()),
        }
    }

    /// Waits for the value to be free.
    pub(crate) async fn take(&self) -> Taken<'_, T> {
        self.take_if(|| true).await
    }

    /// Waits for the value to be free and `mine` to be true; it is asked again whenever a turn ends.
    pub(crate) async fn take_if(&self, mine: impl Fn() -> bool) -> Taken<'_, T> {
        poll_fn(|context| match self.value.try_borrow_mut() {
            Ok(value) if mine() => Poll::Ready(Taken {
                value: Some(value),
                waiting: &self.waiting,
            }),
            _ => {
                self.waiting.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        })
        .await
    }
}

/// A turn; it ends when this is dropped.
pub(crate) struct Taken<'a, T> {
    /// Only `None` while dropping.
    value: Option<RefMut<'a, T>>,
    waiting: &'a RefCell<Vec<Waker>>,
}

impl<T> Deref for Taken<'_, T> {
    type Target = T;

    #[allow(clippy::expect_used, reason = "the option is emptied by drop alone")]
    fn deref(&self) -> &T {
        self.value
            .as_deref()
            .expect("invariant: held until dropped")
    }
}

impl<T> DerefMut for Taken<'_, T> {
    #[allow(clippy::expect_used, reason = "the option is emptied by drop alone")]
    fn deref_mut(&mut self) -> &mut T {
        self.value
            .as_deref_mut()
            .expect("invariant: held until dropped")
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        // The value first: who is woken finds it free.
        self.value = None;
        let waiting = self.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
mod tests {
    use std::cell::Cell;

    use puna_core::{Error, ErrorCode};

    use super::*;

    /// Ready when polled the second time; wakes itself.
    async fn pause() {
        let mut paused = false;
        poll_fn(move |context| {
            if std::mem::replace(&mut paused, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn run(future: impl Future<Output = Result<()>>) -> Result<()> {
        pollster::block_on(future)
    }

    #[test]
    fn turns_do_not_overlap() {
        let turn = Turn::new(Vec::new());
        let lanes = (0..4).map(|lane| {
            let turn = &turn;
            Box::pin(async move {
                for _ in 0..3 {
                    let mut log = turn.take().await;
                    log.push((lane, "in"));
                    pause().await;
                    log.push((lane, "out"));
                }
                Ok(())
            }) as Pin<Box<dyn Future<Output = _>>>
        });
        run(all(lanes.collect(), || ())).unwrap();
        let log = turn.value.into_inner();
        assert_eq!(log.len(), 24, "three turns each");
        for pair in log.chunks(2) {
            assert_eq!(
                (pair[0].0, pair[0].1, pair[1].1),
                (pair[1].0, "in", "out"),
                "{log:?}"
            );
        }
    }

    #[test]
    fn a_turn_may_wait_for_its_condition() {
        let turn = Turn::new(());
        let next = Cell::new(3);
        let lanes = (0..4).map(|lane| {
            let (turn, next) = (&turn, &next);
            Box::pin(async move {
                let taken = turn.take_if(|| next.get() == lane).await;
                pause().await;
                next.set(lane - 1);
                drop(taken);
                Ok(())
            }) as Pin<Box<dyn Future<Output = _>>>
        });
        run(all(lanes.collect(), || ())).unwrap();
        assert_eq!(next.get(), -1, "3, 2, 1, 0");
    }

    #[test]
    fn the_first_error_stops_the_others_and_is_the_result() {
        let stopped = Cell::new(false);
        let stopped = &stopped;
        let failing: Pin<Box<dyn Future<Output = Result<()>>>> = Box::pin(async {
            pause().await;
            Err(Error::new(ErrorCode::Network, "first"))
        });
        let other: Pin<Box<dyn Future<Output = Result<()>>>> = Box::pin(async {
            while !stopped.get() {
                pause().await;
            }
            Err(Error::new(ErrorCode::Aborted, "second"))
        });
        let error = run(all(vec![other, failing], || stopped.set(true))).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Network, "{error}");
    }
}
