//! Letting the browser do what waits: messages, timers, answers of the network.

use js_sys::Promise;
use puna_core::Result;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::MessageChannel;

use crate::js_error::from_js;

/// A way round the event loop that no timer slows down.
#[derive(Clone, Debug)]
pub(crate) struct Macrotask(MessageChannel);

impl Macrotask {
    /// A channel to itself.
    pub(crate) fn new() -> Result<Self> {
        let channel = MessageChannel::new();
        let channel = channel.map_err(|thrown| from_js(&thrown, "making a MessageChannel"))?;
        Ok(Self(channel))
    }

    /// Ready when the browser has done what waited before.
    pub(crate) async fn pass(&self) {
        let channel = &self.0;
        let promise = Promise::new(&mut |resolve, _| {
            channel.port1().set_onmessage(Some(&resolve));
            // A port that can't post leaves the promise pending for good; then nothing else works either.
            let _ = channel.port2().post_message(&JsValue::NULL);
        });
        let _ = JsFuture::from(promise).await;
    }
}
