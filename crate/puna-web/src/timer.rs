//! The platform's clock, and its timer as a future, in a window and in a worker alike.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use js_sys::Function;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    // web-sys has one for a window and one for a worker.
    #[wasm_bindgen(js_name = setTimeout)]
    pub(crate) fn set_timeout(handler: &Function, ms: u32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
    /// Milliseconds since the worker began.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(crate) fn now() -> f64;
}

/// Ready after so long. Dropped earlier, it leaves nothing behind.
pub(crate) struct Timer {
    id: JsValue,
    state: Rc<State>,
    /// What the platform calls; it lives as long as it may be called.
    _fire: Closure<dyn FnMut()>,
}

#[derive(Default)]
struct State {
    fired: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Timer {
    pub(crate) fn new(ms: u32) -> Self {
        let state = Rc::new(State::default());
        let fired = Rc::clone(&state);
        let fire = Closure::<dyn FnMut()>::new(move || {
            fired.fired.set(true);
            let waiting = fired.waiting.borrow_mut().take();
            if let Some(waiting) = waiting {
                waiting.wake();
            }
        });
        Self {
            id: set_timeout(fire.as_ref().unchecked_ref(), ms),
            state,
            _fire: fire,
        }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.state.fired.get() {
            return Poll::Ready(());
        }
        *self.state.waiting.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}
