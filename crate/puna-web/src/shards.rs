//! A model in shards on a server: each is fetched whole, and verified before anybody sees it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Uint8Array;
use puna_core::weights::manifest::{MAX_MANIFEST_BYTES, Manifest, resolve};
use puna_core::{Error, ErrorCode, Result};
use web_sys::RequestCache;

use crate::digest::sha256;
use crate::fetch::{Context, Remote};
use crate::lanes::Turn;
use crate::ranged::Ranged;
use crate::web_file::WebFile;

/// A manifest and its shards on a server.
pub(crate) struct Shards<'a> {
    pub(crate) remote: Remote<'a>,
    /// Read when the first shard is wanted.
    manifest: Turn<Option<Rc<Manifest>>>,
    /// What the cache holds shards of: the checksum in a validator.
    cached: Option<String>,
    outdated: Cell<bool>,
    /// The header's shard, verified; read once, and wanted again as the first chunk.
    header: RefCell<Option<Uint8Array>>,
}

impl<'a> Shards<'a> {
    /// Shards of a manifest that was read.
    pub(crate) fn new(remote: Remote<'a>, manifest: Manifest) -> Self {
        Self {
            remote,
            manifest: Turn::new(Some(Rc::new(manifest))),
            cached: None,
            outdated: Cell::new(false),
            header: RefCell::new(None),
        }
    }

    /// Shards of which the cache holds some: the manifest is read only if one is missing.
    pub(crate) fn cached(context: Context<'a>, url: &str, validator: Option<String>) -> Self {
        let remote = Remote::new(context, url);
        Self {
            remote,
            manifest: Turn::new(None),
            cached: validator,
            outdated: Cell::new(false),
            header: RefCell::new(None),
        }
    }

    /// The validator of what a manifest describes: the file's checksum.
    pub(crate) fn validator(manifest: &Manifest) -> String {
        format!("sha256 {}", manifest.sha256)
    }

    /// Whether the manifest is of another file than the one that is in the cache.
    pub(crate) fn is_outdated(&self) -> bool {
        self.outdated.get()
    }

    /// Asks the server whether the manifest is of another file than the one that is in the cache. No answer, no news.
    pub(crate) async fn is_changed(&self) -> bool {
        let _ = self.manifest().await;
        self.is_outdated()
    }

    /// Keeps the header's shard for when it is wanted as a chunk.
    pub(crate) fn keep_header(&self, bytes: Uint8Array) {
        *self.header.borrow_mut() = Some(bytes);
    }

    /// Lets go of shard `ix` if it is kept, and says whether it was.
    pub(crate) fn let_go(&self, ix: usize) -> bool {
        ix == 0 && self.header.borrow_mut().take().is_some()
    }

    /// Reads shard `ix`, the header's being the first, and verifies it.
    pub(crate) async fn read(&self, ix: usize, offset: u64, buffer: &Uint8Array) -> Result<()> {
        let manifest = self.manifest().await?;
        let part = manifest.parts().nth(ix);
        let Some(part) = part.filter(|part| part.offset == offset && part.bytes == buffer.length())
        else {
            return Err(Error::internal(format!("no shard {ix} at byte {offset}")));
        };
        if let Some(header) = self.header.borrow_mut().take_if(|_| ix == 0) {
            buffer.set(&header, 0);
            return Ok(());
        }
        let url = resolve(&self.remote.url, &part.url);
        let context = self.remote.context;
        let mut got = String::new();
        // Named by content, a shard may come from the browser's cache; a second attempt passes that by.
        for cache in [RequestCache::Default, RequestCache::Reload] {
            let remote = Remote::new(context, &url);
            if remote.read_whole(buffer, cache).await? {
                let sum = sha256(buffer).await?;
                if sum == part.sha256 {
                    return Ok(());
                }
                got = sum.to_string();
                context.progress.lost(part.bytes.into());
            } else {
                got = "another size".to_owned();
            }
        }
        Err(Error::new(
            ErrorCode::Integrity,
            format!(
                "shard {url}: its {} bytes should have the SHA-256 {}; got {got}",
                part.bytes, part.sha256
            ),
        )
        .detail("url", url)
        .detail("expected", part.sha256.to_string())
        .detail("got", got))
    }

    async fn manifest(&self) -> Result<Rc<Manifest>> {
        let mut slot = self.manifest.take().await;
        if let Some(manifest) = &*slot {
            return Ok(manifest.clone());
        }
        let file = WebFile::new(Remote::new(self.remote.context, &self.remote.url));
        let manifest = read_manifest(&file).await?;
        if self.cached.is_some() && self.cached != Some(Self::validator(&manifest)) {
            self.outdated.set(true);
            return Err(Error::new(
                ErrorCode::Network,
                format!(
                    "{}: the manifest was changed on the server",
                    self.remote.url
                ),
            ));
        }
        Ok(slot.insert(Rc::new(manifest)).clone())
    }
}

/// The whole of a small file, as a manifest. Its bytes are none of the model's, and don't count as progress.
pub(crate) async fn read_manifest(file: &WebFile<'_>) -> Result<Manifest> {
    // One byte more tells a file that is too large.
    let limit = u32::try_from(MAX_MANIFEST_BYTES.saturating_add(1)).unwrap_or(u32::MAX);
    let mut wanted = 64 << 10;
    loop {
        let head = file.head(wanted).await?;
        if head.length() < wanted || wanted == limit {
            file.remote.context.progress.lost(head.length().into());
            let manifest = Manifest::parse(&head.to_vec());
            return manifest.map_err(|error| error.context(file.remote.url.clone()));
        }
        wanted = wanted.saturating_mul(4).min(limit);
    }
}
