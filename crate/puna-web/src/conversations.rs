//! The conversations of a model, and the rows of its KV cache that they are in.

use puna_core::places::Place;
use puna_core::pool::Pool;
use puna_core::session::{Retention, Session};
use puna_core::{ErrorCode, Result};

use crate::executor::Executor;

/// Tokens that an answer has room for ahead of itself: steps are submitted before they are asked for.
const AHEAD: usize = 256;

/// Memory of conversations that nobody goes on with just now, together with the others', about.
const KEPT_BYTES: u64 = 256 << 20;
/// And no fewer rows than these.
const KEPT_ROWS: usize = 2048;

/// Who has which rows.
#[derive(Debug)]
pub(crate) struct Conversations {
    pool: Pool,
    context: usize,
}

impl Conversations {
    /// None, for an executor of these limits.
    pub(crate) fn new(executor: &Executor) -> Self {
        let context = executor.context_length();
        let row = executor.row_bytes().max(1);
        let kept = usize::try_from(KEPT_BYTES / row).unwrap_or(usize::MAX);
        Self {
            pool: Pool::new(context, executor.most_rows(), kept.max(KEPT_ROWS)),
            context,
        }
    }

    /// Those that are begun and found from now on are of these weights.
    pub(crate) fn set_weights(&mut self, weights: u64) {
        self.pool.set_weights(weights);
    }

    /// One that holds the beginning of `prompt`, as far as it is known, and what is to become of it.
    ///
    /// # Errors
    /// Those of [`Self::make_room`].
    pub(crate) async fn take(
        &mut self,
        executor: &mut Executor,
        prompt: &[u32],
        retention: Retention,
    ) -> Result<Session> {
        let (session, copies) = self.pool.take(prompt, retention)?;
        if copies.is_empty() {
            return Ok(session);
        }
        let copied = match executor.reserve(self.pool.rows()).await {
            Ok(()) => executor.copy_rows(&copies).await,
            refused => refused,
        };
        if let Err(error) = copied {
            self.pool.forget(&session);
            // To read the prompt again takes longer, and needs no room for two.
            if error.code() != ErrorCode::OutOfMemory {
                return Err(error);
            }
            let mut session = self.pool.open();
            session.retain(retention);
            return Ok(session);
        }
        Ok(session)
    }

    /// Sees that a conversation has room for so many tokens, and for some more if there are any to come. How many tokens it has
    /// room for.
    ///
    /// # Errors
    /// `context_length_exceeded`; `out_of_memory` and `busy` where others can't be given up for it.
    pub(crate) async fn make_room(
        &mut self,
        executor: &mut Executor,
        session: &Session,
        tokens: usize,
        ahead: usize,
    ) -> Result<usize> {
        if self.pool.room(session) < tokens {
            let wanted = tokens.saturating_add(ahead.min(AHEAD)).min(self.context);
            self.grow(executor, session, wanted.max(tokens)).await?;
        }
        Ok(self.pool.room(session))
    }

    async fn grow(
        &mut self,
        executor: &mut Executor,
        session: &Session,
        tokens: usize,
    ) -> Result<()> {
        let before = self.pool.clone();
        let copies = self.pool.reserve(session, tokens)?;
        match executor.reserve(self.pool.rows()).await {
            Ok(()) => {
                let copied = executor.copy_rows(&copies).await;
                if copied.is_err() {
                    // Nothing was: everybody is where they were.
                    self.pool = before;
                }
                copied
            }
            Err(error) if error.code() == ErrorCode::OutOfMemory => {
                // What there is has to do: others are given up for it.
                self.pool = before.clone();
                self.pool.limit(executor.rows());
                let copies = self.pool.reserve(session, tokens).map_err(|_| error)?;
                let copied = executor.copy_rows(&copies).await;
                if copied.is_err() {
                    self.pool = before;
                }
                copied
            }
            Err(error) => Err(error),
        }
    }

    /// One that holds nothing yet.
    pub(crate) fn open(&mut self) -> Session {
        self.pool.open()
    }

    /// Where one begins that nobody goes on with and that begins with all of `ids`, if there is such.
    pub(crate) fn beginning(&self, ids: &[u32]) -> Option<usize> {
        self.pool.beginning(ids)
    }

    /// Gives up one's rows.
    pub(crate) fn forget(&mut self, session: &Session) {
        self.pool.forget(session);
    }

    /// Where one begins in the KV cache.
    pub(crate) fn first_row(&self, session: &Session) -> usize {
        self.pool.first_row(session)
    }

    /// Where one's token at a position is.
    pub(crate) fn place(&self, session: &Session, position: usize) -> Place {
        Place {
            first_row: self.first_row(session),
            position,
        }
    }

    /// Others may begin with what one holds now.
    pub(crate) fn share(&mut self, session: &Session) {
        self.pool.share(session);
    }

    /// Keeps one until somebody goes on with it.
    pub(crate) fn put_back(&mut self, session: Session) {
        self.pool.put_back(session);
    }

    /// Rows that are somebody's.
    pub(crate) fn rows(&self) -> usize {
        self.pool.rows()
    }

    /// Forgets all: somebody else has used the cache.
    #[cfg(feature = "conformance")]
    pub(crate) fn clear(&mut self) {
        self.pool.forget_idle();
    }
}
