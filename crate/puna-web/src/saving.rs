//! Conversations that are read ahead of a question, saved as bytes, and restored from them. Layer by layer: the engine's heap
//! never holds all of one.

use js_sys::{Array, Function, Reflect, Uint8Array};
use puna_core::graph::Wanted;
use puna_core::saved::{self, Element, Saved};
use puna_core::session::{Retention, Session};
use puna_core::{Error, ErrorCode, Result};
use wasm_bindgen::JsCast;

use crate::conversations::Conversations;
use crate::executor::Executor;

/// A model's half of it.
#[derive(Debug)]
pub(crate) struct Saving<'m> {
    pub(crate) executor: &'m mut Executor,
    pub(crate) conversations: &'m mut Conversations,
}

impl Saving<'_> {
    /// Sees that tokens are in the KV cache, as the beginning of a conversation. How many were there before.
    ///
    /// # Errors
    /// Those of the executor, and of `go_on`, which is asked in between.
    pub(crate) async fn read(
        &mut self,
        ids: &[u32],
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<usize> {
        self.hold(ids, go_on).await.map(|(_, known)| known)
    }

    /// The same, and all of it as bytes.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(crate) async fn save(
        &mut self,
        ids: &[u32],
        element: Element,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Uint8Array> {
        let (first_row, _) = self.hold(ids, go_on).await?;
        self.gather(first_row, ids, element, go_on).await
    }

    /// What [`Self::save`] gave as the beginning of a conversation again; its tokens.
    ///
    /// # Errors
    /// `invalid_request` for bytes that are none, or of another model; `integrity` for such as have changed; and those of the
    /// executor.
    pub(crate) async fn restore(
        &mut self,
        bytes: &Uint8Array,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Vec<u32>> {
        let capacity = self.executor.context_length();
        let total = usize::try_from(bytes.length()).unwrap_or(usize::MAX);
        let front = total.min(Saved::front_bytes(capacity));
        let front = slice(bytes, 0..front).to_vec();
        let saved = Saved::parse(&front, total, self.executor.kv(), capacity)?;
        self.executor.check_ids(&saved.ids)?;
        let mut session = self.conversations.open();
        let restored = self.fill(&mut session, &saved, bytes, go_on).await;
        match restored {
            Ok(()) => self.conversations.put_back(session),
            Err(_) => self.conversations.forget(&session),
        }
        restored.map(|()| saved.ids)
    }

    /// Where a conversation is that begins with these tokens, and how many of them were known. It stays there as long as
    /// nobody else has a turn.
    async fn hold(
        &mut self,
        ids: &[u32],
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<(usize, usize)> {
        if let Some(first_row) = self.conversations.beginning(ids) {
            return Ok((first_row, ids.len()));
        }
        let mut session = self
            .conversations
            .take(self.executor, ids, Retention::Usual)
            .await?;
        let known = session.tokens().len();
        let read = self.forward(&mut session, ids, go_on).await;
        let first_row = self.conversations.first_row(&session);
        self.conversations.put_back(session);
        read.map(|()| (first_row, known))
    }

    async fn forward(
        &mut self,
        session: &mut Session,
        ids: &[u32],
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        while session.tokens().len() < ids.len() {
            go_on()?;
            let position = session.tokens().len();
            let end = position.saturating_add(self.executor.chunk_tokens());
            let chunk = ids.get(position..end.min(ids.len())).unwrap_or_default();
            self.conversations
                .make_room(self.executor, session, position + chunk.len(), 0)
                .await?;
            let place = self.conversations.place(session, position);
            self.executor.forward(place, chunk, Wanted::None).await?;
            session.record(chunk)?;
        }
        Ok(())
    }

    async fn gather(
        &mut self,
        first_row: usize,
        ids: &[u32],
        element: Element,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Uint8Array> {
        let saved = Saved {
            ids: ids.to_vec(),
            shape: self.executor.kv(),
            element,
        };
        let total = saved.layer(saved.shape.layers).start;
        let bytes = array(total)?;
        bytes.set(&Uint8Array::from(saved.to_bytes().as_slice()), 0);
        for layer in 0..saved.shape.layers {
            go_on()?;
            let rows = first_row..first_row + ids.len();
            let elements = self.executor.read_rows(layer, rows).await?;
            let packed = saved.pack(&elements);
            let at = u32::try_from(saved.layer(layer).start).unwrap_or(u32::MAX);
            bytes.set(&Uint8Array::from(packed.as_slice()), at);
        }
        Ok(bytes)
    }

    async fn fill(
        &mut self,
        session: &mut Session,
        saved: &Saved,
        bytes: &Uint8Array,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        let tokens = saved.ids.len();
        self.conversations
            .make_room(self.executor, session, tokens, 0)
            .await?;
        let first = self.conversations.first_row(session);
        for layer in 0..saved.shape.layers {
            go_on()?;
            let elements = saved.unpack(&slice(bytes, saved.layer(layer)).to_vec())?;
            self.executor.write_rows(layer, first, &elements)?;
        }
        let (before, last) = saved.ids.split_at(tokens.saturating_sub(1));
        let row = first + before.len();
        let mut rows = Vec::new();
        for layer in 0..saved.shape.layers {
            rows.push(self.executor.read_rows(layer, row..row + 1).await?);
        }
        let place = self.conversations.place(session, before.len());
        self.executor.forward(place, last, Wanted::None).await?;
        for (layer, kept) in rows.iter().enumerate() {
            let anew = self.executor.read_rows(layer, row..row + 1).await?;
            if !Saved::agrees(kept, &anew) {
                return Err(saved::of_other_weights());
            }
        }
        session.record(&saved.ids)
    }
}

/// An empty array; browsers refuse large ones by an exception.
fn array(bytes: usize) -> Result<Uint8Array> {
    let refused = || {
        let message = format!(
            "there is no memory for {bytes} bytes of a conversation; save a shorter one, or with \"q8\""
        );
        Error::new(ErrorCode::OutOfMemory, message).detail("bytes", bytes)
    };
    let length = u32::try_from(bytes).map_err(|_| refused())?;
    let global = js_sys::global();
    let made = Reflect::get(&global, &"Uint8Array".into())
        .and_then(|kind| kind.dyn_into::<Function>())
        .and_then(|kind| Reflect::construct(&kind, &Array::of1(&length.into())));
    made.map(JsCast::unchecked_into).map_err(|_| refused())
}

fn slice(bytes: &Uint8Array, range: std::ops::Range<usize>) -> Uint8Array {
    let at = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    bytes.subarray(at(range.start), at(range.end))
}
