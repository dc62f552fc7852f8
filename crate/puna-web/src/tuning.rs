//! What a device turned out to be fast in, kept from visit to visit.
//!
//! `puna-tuning-v1/<hash of the device>` in the browser's private file system: a line a projection, of all models that
//! were measured on it. To lose it costs some seconds of measuring; what can't be read or written is passed over.

use puna_core::{Error, Result};
use puna_gpu::choices::Choices;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{FileSystemDirectoryHandle, FileSystemSyncAccessHandle};

use crate::buffer::copy;
use crate::js_error::from_js;
use crate::store;

/// Another layout gets another name.
const FOLDER: &str = "puna-tuning-v1";
/// A longer file is nothing of ours.
const MOST_BYTES: f64 = 65_536.0;

/// The file of a device.
#[derive(Debug)]
pub(crate) struct Tuning {
    folder: FileSystemDirectoryHandle,
    name: String,
}

impl Tuning {
    /// The file of a device that is described so; none where the browser has no private file system.
    pub(crate) async fn open(device: &str) -> Option<Self> {
        let root = store::root().await.ok()??;
        Some(Self {
            folder: store::folder(&root, FOLDER).await.ok()?,
            name: store::key(device).await.ok()?,
        })
    }

    /// What was kept.
    pub(crate) async fn read(&self) -> Choices {
        let Some(file) = store::file(&self.folder, &self.name).await else {
            return Choices::default();
        };
        if file.size() > MOST_BYTES {
            return Choices::default();
        }
        let text = JsFuture::from(file.text()).await;
        let text = text.ok().and_then(|text| text.as_string());
        Choices::parse(&text.unwrap_or_default())
    }

    /// Keeps choices, besides those of other models.
    ///
    /// # Errors
    /// What the browser throws: another tab is writing, the disk is full.
    pub(crate) async fn keep(&self, choices: &Choices) -> Result<()> {
        let mut all = choices.clone();
        all.merge(&self.read().await);
        let failed = |thrown: JsValue| from_js(&thrown, "keeping what the GPU is fast in");
        let file = store::handle(&self.folder, &self.name)
            .await
            .map_err(failed)?;
        if !store::has_sync_handles(&file) {
            return Err(Error::internal("no dedicated worker"));
        }
        let file: FileSystemSyncAccessHandle = JsFuture::from(file.create_sync_access_handle())
            .await
            .map_err(failed)?
            .unchecked_into();
        let written = (|| {
            let mut text = all.to_text();
            #[expect(clippy::cast_precision_loss, reason = "a limit")]
            if text.len() as f64 > MOST_BYTES {
                text = choices.to_text();
            }
            file.truncate_with_u32(0).map_err(failed)?;
            file.write_with_js_u8_array(&copy(text.as_bytes())?)
                .map_err(failed)?;
            file.flush().map_err(failed)
        })();
        file.close();
        written
    }
}
