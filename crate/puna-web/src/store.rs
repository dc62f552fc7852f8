//! The cache: each model's file in the browser's private file system (OPFS), with an index of what is stored.
//!
//! `puna-cache-v1/<hash of the URL>/`: `data`, the file's bytes at their places, and `index-0`, `index-1` (see
//! `cache_index`). Chunks reach the disk before an index claims them. Who writes holds `data` open, which the browser
//! allows once; reading needs no such thing, so that any number of tabs can load a model that is complete.

use js_sys::{AsyncIterator, Reflect, Uint8Array};
use puna_core::weights::manifest::Sha256;
use puna_core::{Error, ErrorCode, Result};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemRemoveOptions, StorageManager,
};

use crate::buffer::copy;
use crate::cache_index::{Index, MAX_INDEX_BYTES};
use crate::digest::{self, sha256};
use crate::js_error::{from_js, get, global, text};

pub(crate) use entry::Entry;

mod entry;

/// Another layout gets another name.
const FOLDER: &str = "puna-cache-v1";
const DATA: &str = "data";
const INDEXES: [&str; 2] = ["index-0", "index-1"];

/// All cached models of this origin.
#[derive(Debug)]
pub struct Store {
    folder: FileSystemDirectoryHandle,
}

/// A model in the cache.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Where it came from.
    pub url: String,
    /// Size of its file.
    pub file_bytes: u64,
    /// Bytes of the file that are here.
    pub stored_bytes: u64,
    /// Whether it can be loaded without a network.
    pub is_complete: bool,
}

impl Store {
    /// The cache, or `None` where the browser has none to offer.
    pub async fn open() -> Result<Option<Self>> {
        let Some(root) = root().await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            folder: folder(&root, FOLDER).await?,
        }))
    }

    /// The models that are here, whole or in part.
    pub async fn list(&self) -> Result<Vec<Stored>> {
        let mut models = Vec::new();
        for name in self.names().await? {
            let folder = folder(&self.folder, &name).await?;
            if let Some(index) = read_index(&folder).await {
                models.push(Stored {
                    stored_bytes: index.stored_bytes(),
                    is_complete: index.is_complete(),
                    file_bytes: index.file_bytes,
                    url: index.url,
                });
            }
        }
        Ok(models)
    }

    /// Removes the model of this address; returns whether it was there. Fails with `busy` while a tab is loading it.
    pub async fn remove(&self, url: &str) -> Result<bool> {
        let options = FileSystemRemoveOptions::new();
        options.set_recursive(true);
        let promise = self
            .folder
            .remove_entry_with_options(&key(url).await?, &options);
        match JsFuture::from(promise).await {
            Ok(_) => Ok(true),
            Err(thrown) => match text(&thrown, "name").as_deref() {
                Some("NotFoundError") => Ok(false),
                Some("NoModificationAllowedError") => Err(Error::new(
                    ErrorCode::Busy,
                    format!("{url} is being loaded; it can be removed afterwards"),
                )),
                _ => Err(from_js(&thrown, "removing a model from the cache")),
            },
        }
    }

    /// What is here of the model of this address.
    pub(crate) async fn entry(&self, url: &str) -> Result<Entry> {
        let folder = folder(&self.folder, &key(url).await?).await?;
        Ok(entry_in(folder, url).await)
    }

    /// What is here of the model of this address, for reading; `None` if nothing is. Nothing is made for it.
    pub(crate) async fn existing(url: &str) -> Option<Entry> {
        let root = root().await.ok()??;
        let folder = existing_folder(&root, FOLDER).await?;
        let folder = existing_folder(&folder, &key(url).await.ok()?).await?;
        Some(entry_in(folder, url).await)
    }

    async fn names(&self) -> Result<Vec<String>> {
        let failed = |thrown: JsValue| from_js(&thrown, "listing the cache");
        let keys: AsyncIterator = self.folder.keys();
        let mut names = Vec::new();
        loop {
            let step = JsFuture::from(keys.next().map_err(failed)?)
                .await
                .map_err(failed)?;
            if get(&step, "done").is_truthy() {
                return Ok(names);
            }
            names.extend(text(&step, "value"));
        }
    }
}

/// The browser's private file system, or `None` where there is none, or nothing to make names and checks with.
pub(crate) async fn root() -> Result<Option<FileSystemDirectoryHandle>> {
    let storage = global::<JsValue>("navigator").map(|navigator| get(&navigator, "storage"));
    let Some(storage) = storage
        .filter(|storage| get(storage, "getDirectory").is_function() && digest::is_available())
    else {
        return Ok(None);
    };
    match JsFuture::from(storage.unchecked_ref::<StorageManager>().get_directory()).await {
        Ok(root) => Ok(Some(root.unchecked_into())),
        // Private windows of some browsers have the function and refuse to run it.
        Err(thrown) if text(&thrown, "name").as_deref() == Some("SecurityError") => Ok(None),
        Err(thrown) => Err(from_js(&thrown, "opening the cache")),
    }
}

/// The name for an address: 32 hexadecimal digits.
pub(crate) async fn key(url: &str) -> Result<String> {
    let sum = sha256(&copy(url.as_bytes())?).await?;
    Ok(sum.to_string().chars().take(32).collect())
}

pub(crate) async fn folder(
    parent: &FileSystemDirectoryHandle,
    name: &str,
) -> Result<FileSystemDirectoryHandle> {
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(true);
    let promise = parent.get_directory_handle_with_options(name, &options);
    let handle = JsFuture::from(promise)
        .await
        .map_err(|thrown| from_js(&thrown, "opening the cache"))?;
    Ok(handle.unchecked_into())
}

/// What this folder holds of the model of this address.
async fn entry_in(folder: FileSystemDirectoryHandle, url: &str) -> Entry {
    let index = read_index(&folder).await.filter(|index| index.url == url);
    let data = match &index {
        Some(_) => file(&folder, DATA).await,
        None => None,
    };
    Entry::new(folder, index, data)
}

async fn existing_folder(
    parent: &FileSystemDirectoryHandle,
    name: &str,
) -> Option<FileSystemDirectoryHandle> {
    let handle = JsFuture::from(parent.get_directory_handle(name)).await;
    Some(handle.ok()?.unchecked_into())
}

/// A handle to a file, made if it isn't there.
pub(crate) async fn handle(
    folder: &FileSystemDirectoryHandle,
    name: &str,
) -> Result<FileSystemFileHandle, JsValue> {
    let options = FileSystemGetFileOptions::new();
    options.set_create(true);
    let handle = JsFuture::from(folder.get_file_handle_with_options(name, &options)).await?;
    Ok(handle.unchecked_into())
}

/// A file as it is now, for reading; `None` if it isn't there.
pub(crate) async fn file(folder: &FileSystemDirectoryHandle, name: &str) -> Option<Blob> {
    let handle: FileSystemFileHandle = JsFuture::from(folder.get_file_handle(name))
        .await
        .ok()?
        .unchecked_into();
    let file = JsFuture::from(handle.get_file()).await.ok()?;
    Some(file.unchecked_into())
}

/// The newest sound index of a model. One that can't be read is as good as none.
async fn read_index(folder: &FileSystemDirectoryHandle) -> Option<Index> {
    let mut files = Vec::new();
    for name in INDEXES {
        let Some(blob) = file(folder, name).await else {
            continue;
        };
        #[allow(clippy::cast_precision_loss, reason = "a limit")]
        if blob.size() <= MAX_INDEX_BYTES as f64
            && let Ok(buffer) = JsFuture::from(blob.array_buffer()).await
        {
            files.push(Uint8Array::new(&buffer).to_vec());
        }
    }
    Index::newest(&files)
}

/// Whether synchronous file handles can be had: in dedicated workers only.
pub(crate) fn has_sync_handles(handle: &FileSystemFileHandle) -> bool {
    Reflect::has(handle, &JsValue::from_str("createSyncAccessHandle")).unwrap_or(false)
}

/// What one chunk's place in the cache is called in an error.
fn chunk_error(thrown: &JsValue, doing: &str, sha256: Sha256) -> Error {
    from_js(thrown, &format!("{doing} a chunk of the cache ({sha256})"))
}
