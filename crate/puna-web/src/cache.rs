//! The cache as a load sees it: it may be missing, busy, full or broken, and loading goes on.

use std::cell::Cell;

use js_sys::Uint8Array;
use puna_core::weights::plan::Chunk;
use puna_core::{Error, ErrorCode, Result};

use crate::address::is_lasting;
use crate::digest::sha256;
use crate::loader::{CacheMode, LoadOptions};
use crate::progress::Progress;
use crate::store::{Entry, Store};

/// The cache's entry of this model, if there may be one, and what to do when it fails.
pub(crate) struct Cache<'a> {
    progress: &'a Progress,
    pub(crate) entry: Option<Entry>,
    required: bool,
    /// It has failed, and is left alone; what it holds can still be read.
    failed: Cell<bool>,
}

impl<'a> Cache<'a> {
    pub(crate) async fn open(
        progress: &'a Progress,
        url: &str,
        options: LoadOptions,
    ) -> Result<Self> {
        let required = options.cache == CacheMode::Required;
        let cache = |entry| Self {
            progress,
            entry,
            required,
            failed: Cell::new(false),
        };
        if !is_lasting(url) && required {
            return Err(not_cacheable("an address that is not of the web"));
        }
        if options.cache == CacheMode::Off || !is_lasting(url) {
            return Ok(cache(None));
        }
        let none = cache(None);
        match Self::find(url).await {
            Ok(Some(entry)) => return Ok(cache(Some(entry))),
            Ok(None) => none.give_up(
                Error::new(
                    ErrorCode::UnsupportedDevice,
                    "this browser offers no private file system here",
                )
                .detail("reason", "no_private_file_system"),
            )?,
            Err(error) => none.give_up(error)?,
        }
        Ok(none)
    }

    async fn find(url: &str) -> Result<Option<Entry>> {
        match Store::open().await? {
            Some(store) => store.entry(url).await.map(Some),
            None => Ok(None),
        }
    }

    /// Opens the entry for writing if something is missing in it.
    pub(crate) async fn make_ready(&self) -> Result<()> {
        match self.entry.as_ref().and_then(Entry::index) {
            Some(index) if !index.is_complete() => self.is_open().await.map(drop),
            _ => Ok(()),
        }
    }

    /// Whether chunks can be stored.
    pub(crate) async fn is_open(&self) -> Result<bool> {
        let Some(entry) = self.entry.as_ref().filter(|_| !self.failed.get()) else {
            return Ok(false);
        };
        if let Err(error) = entry.open_for_writing().await {
            self.give_up(error)?;
        }
        Ok(!self.failed.get())
    }

    pub(crate) async fn put(&self, ix: usize, chunk: &Chunk, bytes: &Uint8Array) -> Result<()> {
        let sum = sha256(bytes).await?;
        let Some(entry) = self.entry.as_ref().filter(|_| !self.failed.get()) else {
            return Ok(());
        };
        entry
            .put(ix, chunk.offset, bytes, sum)
            .or_else(|error| self.give_up(error))
    }

    pub(crate) fn save(&self) {
        if let Some(entry) = &self.entry {
            // A failure costs a second download and nothing else.
            let _ = entry.save();
        }
    }

    /// The model can't be stored. That is an error only for who insists.
    fn give_up(&self, error: Error) -> Result<()> {
        if self.required {
            return Err(error);
        }
        if !self.failed.replace(true) {
            self.progress.warn(format!(
                "the model is not kept for the next time: {}",
                error.message()
            ));
        }
        Ok(())
    }
}

/// The error for who insists on keeping what can't be kept.
pub(crate) fn not_cacheable(source: &str) -> Error {
    Error::invalid_request(
        "cache",
        format!(
            "{source} can't be kept in the cache; leave the option away, or load the model from an http or https address"
        ),
    )
}
