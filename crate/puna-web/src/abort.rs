//! A switch that stops what listens to it: all requests of a load, when the caller says so or one of them has failed, or a single one.

use js_sys::{Function, Promise};
use puna_core::{Error, ErrorCode, Result};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal};

use crate::js_error::from_js;
use crate::timer::set_timeout;

/// An error where a signal says that its request is not wanted any more.
///
/// # Errors
/// `aborted`.
pub(crate) fn throw_if_aborted(signal: Option<&AbortSignal>) -> Result<()> {
    match signal.is_some_and(AbortSignal::aborted) {
        true => Err(Error::new(ErrorCode::Aborted, "the request was stopped")),
        false => Ok(()),
    }
}

/// Follows the caller's signal until dropped.
pub(crate) struct Abort {
    controller: AbortController,
    caller: Option<(AbortSignal, Closure<dyn FnMut()>)>,
}

impl Abort {
    pub(crate) fn new(caller: Option<&AbortSignal>) -> Result<Self> {
        let controller = AbortController::new()
            .map_err(|thrown| from_js(&thrown, "making an AbortController"))?;
        let Some(signal) = caller else {
            return Ok(Self {
                controller,
                caller: None,
            });
        };
        if signal.aborted() {
            controller.abort();
        }
        let follower = controller.clone();
        let closure = Closure::<dyn FnMut()>::new(move || follower.abort());
        signal
            .add_event_listener_with_callback("abort", closure.as_ref().unchecked_ref())
            .map_err(|thrown| from_js(&thrown, "listening to the AbortSignal"))?;
        Ok(Self {
            controller,
            caller: Some((signal.clone(), closure)),
        })
    }

    /// For `fetch`.
    pub(crate) fn signal(&self) -> AbortSignal {
        self.controller.signal()
    }

    /// Stops everything that listens.
    pub(crate) fn cancel(&self) {
        self.controller.abort();
    }

    /// Fails with `aborted` once it is stopped.
    pub(crate) fn check(&self) -> Result<()> {
        if self.signal().aborted() {
            return Err(Error::new(ErrorCode::Aborted, "loading was stopped"));
        }
        Ok(())
    }

    /// Waits so long, or until it is stopped, which is an error.
    pub(crate) async fn sleep(&self, ms: u32) -> Result<()> {
        let signal = self.signal();
        let promise = Promise::new(&mut |resolve: Function, _| {
            set_timeout(&resolve, ms);
            // Can't fail: both are the platform's own.
            let _ = signal.add_event_listener_with_callback("abort", &resolve);
        });
        JsFuture::from(promise)
            .await
            .map_err(|thrown| from_js(&thrown, "waiting"))?;
        self.check()
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some((signal, closure)) = &self.caller {
            let _ = signal
                .remove_event_listener_with_callback("abort", closure.as_ref().unchecked_ref());
        }
    }
}
