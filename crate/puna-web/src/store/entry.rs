//! One cached model: chunks out, chunks in, and the index kept in step.

use std::cell::{Cell, RefCell};

use js_sys::{Date, Uint8Array};
use puna_core::weights::manifest::Sha256;
use puna_core::{Error, ErrorCode, Result};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, FileSystemDirectoryHandle, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
};

use super::{DATA, INDEXES, chunk_error, handle, has_sync_handles};
use crate::buffer::{allocate, copy};
use crate::cache_index::Index;
use crate::js_error::{from_js, text};
use crate::lanes::Turn;
use crate::local_file::read_blob;
use crate::progress::number;

/// While chunks come in, the index is written after so long or so many bytes: a crash loses what came since.
const SAVE_INTERVAL_MS: f64 = 1000.0;
const SAVE_INTERVAL_BYTES: u64 = 16 << 20;

/// One model's folder. Whatever happens, what was stored is in the index when this is dropped.
pub(crate) struct Entry {
    folder: FileSystemDirectoryHandle,
    index: RefCell<Option<Index>>,
    /// The data as it was when the entry was opened; of no use once it is written to.
    data: Option<Blob>,
    writer: RefCell<Option<Writer>>,
    opening: Turn<()>,
    saved_ms: Cell<f64>,
    /// Bytes stored since then.
    unsaved_bytes: Cell<u64>,
    dirty: Cell<bool>,
}

/// The model's files, held open. Another tab can't do the same.
struct Writer {
    data: FileSystemSyncAccessHandle,
    indexes: Vec<FileSystemSyncAccessHandle>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.data.close();
        self.indexes
            .iter()
            .for_each(FileSystemSyncAccessHandle::close);
    }
}

impl Entry {
    pub(super) fn new(
        folder: FileSystemDirectoryHandle,
        index: Option<Index>,
        data: Option<Blob>,
    ) -> Self {
        Self {
            folder,
            index: RefCell::new(index),
            data,
            writer: RefCell::new(None),
            opening: Turn::new(()),
            saved_ms: Cell::new(0.0),
            unsaved_bytes: Cell::new(0),
            dirty: Cell::new(false),
        }
    }

    /// What is stored.
    pub(crate) fn index(&self) -> Option<Index> {
        self.index.borrow().clone()
    }

    /// The checksum of a chunk that is stored.
    pub(crate) fn stored(&self, chunk: usize) -> Option<Sha256> {
        self.index.borrow().as_ref()?.stored(chunk)
    }

    /// Starts over: nothing of what is on the disk counts.
    pub(crate) fn replace(&self, index: Index) {
        self.writer.replace(None);
        *self.index.borrow_mut() = Some(index);
    }

    /// A chunk turned out to be damaged.
    pub(crate) fn forget(&self, chunk: usize) {
        if let Some(index) = &mut *self.index.borrow_mut() {
            index.note(chunk, None);
        }
        self.dirty.set(true);
    }

    /// Makes ready for [`Self::put`]. Fails with `busy` if another tab is at it.
    pub(crate) async fn open_for_writing(&self) -> Result<()> {
        let _turn = self.opening.take().await;
        if self.writer.borrow().is_some() {
            return Ok(());
        }
        let data = self.open_file(DATA).await?;
        let mut writer = Writer {
            data,
            indexes: Vec::new(),
        };
        for name in INDEXES {
            let handle = self.open_file(name).await?;
            writer.indexes.push(handle);
        }
        let files: Vec<_> = writer.indexes.iter().map(read_all).collect();
        let on_disk = Index::newest(&files);
        let mut index = self.index.borrow_mut();
        let Some(index) = &mut *index else {
            return Err(Error::internal(
                "a cache entry without an index is opened for writing",
            ));
        };
        match on_disk {
            // Another tab may have stored more since this one looked.
            Some(theirs) if theirs.same_file(index) && self.dirty.get() => {
                index.sequence = theirs.sequence;
            }
            Some(theirs) if theirs.same_file(index) => index.merge(&theirs),
            other => {
                // The old index goes before the data it speaks of does.
                index.sequence = other.map_or(0, |other| other.sequence);
                writer.save(index)?;
                writer
                    .data
                    .truncate_with_f64(0.0)
                    .map_err(|thrown| from_js(&thrown, "emptying a cached model"))?;
            }
        }
        *self.writer.borrow_mut() = Some(writer);
        self.saved_ms.set(Date::now());
        Ok(())
    }

    /// Reads a chunk into `buffer`; `false` if it can't be had, for whatever reason.
    pub(crate) async fn read(&self, offset: u64, buffer: &Uint8Array) -> bool {
        if let Some(writer) = &*self.writer.borrow() {
            let read = writer
                .data
                .read_with_js_u8_array_and_options(buffer, &at(offset));
            return read.is_ok_and(|bytes| bytes == f64::from(buffer.length()));
        }
        match &self.data {
            Some(data) => read_blob(data, offset, buffer)
                .await
                .is_ok_and(|bytes| bytes == buffer.length()),
            None => false,
        }
    }

    /// Stores a chunk. After a failure nothing more is stored, and what was stored before is kept.
    pub(crate) fn put(
        &self,
        chunk: usize,
        offset: u64,
        bytes: &Uint8Array,
        sha256: Sha256,
    ) -> Result<()> {
        let result = self.write(offset, bytes, sha256);
        if result.is_err() {
            let _ = self.save();
            self.writer.replace(None);
            return result;
        }
        if let Some(index) = &mut *self.index.borrow_mut() {
            index.note(chunk, Some(sha256));
        }
        self.dirty.set(true);
        let unsaved_bytes = self
            .unsaved_bytes
            .get()
            .saturating_add(bytes.length().into());
        self.unsaved_bytes.set(unsaved_bytes);
        if unsaved_bytes >= SAVE_INTERVAL_BYTES
            || Date::now() - self.saved_ms.get() >= SAVE_INTERVAL_MS
        {
            return self.save();
        }
        Ok(())
    }

    /// Writes the index if there is news.
    pub(crate) fn save(&self) -> Result<()> {
        let mut index = self.index.borrow_mut();
        if let (Some(writer), Some(index), true) =
            (&*self.writer.borrow(), &mut *index, self.dirty.get())
        {
            writer
                .data
                .flush()
                .map_err(|thrown| from_js(&thrown, "writing to the cache"))?;
            writer.save(index)?;
            self.dirty.set(false);
            self.unsaved_bytes.set(0);
            self.saved_ms.set(Date::now());
        }
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &Uint8Array, sha256: Sha256) -> Result<()> {
        let writer = self.writer.borrow();
        let Some(writer) = &*writer else {
            return Err(Error::internal("a chunk is stored and nothing is open"));
        };
        let written = writer
            .data
            .write_with_js_u8_array_and_options(bytes, &at(offset));
        let written = written.map_err(|thrown| chunk_error(&thrown, "writing", sha256))?;
        if written != f64::from(bytes.length()) {
            let message = format!(
                "only {written} of {} bytes of a chunk could be written to the cache",
                bytes.length()
            );
            return Err(Error::new(ErrorCode::StorageFull, message));
        }
        Ok(())
    }

    async fn open_file(&self, name: &str) -> Result<FileSystemSyncAccessHandle> {
        let failed = |thrown: JsValue| match text(&thrown, "name").as_deref() {
            Some("NoModificationAllowedError" | "InvalidStateError") => {
                Error::new(ErrorCode::Busy, "another tab is storing this model")
            }
            _ => from_js(&thrown, "opening a cached model"),
        };
        let handle = handle(&self.folder, name).await.map_err(failed)?;
        if !has_sync_handles(&handle) {
            return Err(Error::new(
                ErrorCode::UnsupportedDevice,
                "this browser can't write to its private file system from here; it can from a dedicated worker",
            )
            .detail("reason", "no_private_file_system"));
        }
        let opened = JsFuture::from(handle.create_sync_access_handle())
            .await
            .map_err(failed)?;
        Ok(opened.unchecked_into())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // A failure here costs a second download and nothing else.
        let _ = self.save();
    }
}

impl Writer {
    /// Writes the index as the next one. The one before stays as it is until the one after.
    fn save(&self, index: &mut Index) -> Result<()> {
        index.sequence = index.sequence.saturating_add(1);
        let slot = if index.sequence.is_multiple_of(2) {
            self.indexes.first()
        } else {
            self.indexes.last()
        };
        let Some(file) = slot else {
            return Err(Error::internal("no index file is open"));
        };
        let bytes = index.encode();
        let failed = |thrown: JsValue| from_js(&thrown, "writing the index of the cache");
        let written = file
            .write_with_js_u8_array_and_options(&copy(&bytes)?, &at(0))
            .map_err(failed)?;
        #[allow(clippy::cast_precision_loss, reason = "an index is small")]
        let length = bytes.len() as f64;
        if written != length {
            return Err(Error::new(
                ErrorCode::StorageFull,
                "the index of the cache could not be written whole",
            ));
        }
        file.truncate_with_f64(length).map_err(failed)?;
        file.flush().map_err(failed)
    }
}

fn at(offset: u64) -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at_f64(number(offset));
    options
}

/// A small file's bytes; none if it can't be read.
fn read_all(handle: &FileSystemSyncAccessHandle) -> Vec<u8> {
    let size = handle.get_size().unwrap_or(0.0);
    #[allow(clippy::cast_precision_loss, reason = "a limit")]
    if !(0.0..=crate::cache_index::MAX_INDEX_BYTES as f64).contains(&size) {
        return Vec::new();
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked above"
    )]
    let Ok(buffer) = allocate(size as u32) else {
        return Vec::new();
    };
    match handle.read_with_js_u8_array_and_options(&buffer, &at(0)) {
        Ok(read) if read == size => buffer.to_vec(),
        _ => Vec::new(),
    }
}
