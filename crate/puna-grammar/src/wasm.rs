//! The module's face to JavaScript: plain numbers and addresses, so that it needs no glue.
//!
//! ```text
//! request_room(n), write the request there; call() is where its response is, response_bytes() long
//! ```
//!
//! It does not unwind: after a panic it is thrown away, and the next request begins with a new one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::panic;
use std::sync::Once;

use puna_core::guide::Guide;
use puna_core::message::{decode, encode, room};
use puna_core::{Error, Result};

use crate::wire::{Request, Response};
use crate::{Compiler, Following};

/// What JavaScript does for the module.
mod import {
    #[link(wasm_import_module = "puna")]
    unsafe extern "C" {
        #[link_name = "panicked"]
        fn raw_panicked(message: *const u8, bytes: usize);
    }

    /// Throws; does not return.
    pub(super) fn panicked(message: &str) {
        // SAFETY: a string of this memory.
        unsafe { raw_panicked(message.as_ptr(), message.len()) }
    }
}

/// What is kept between calls.
#[derive(Default)]
struct State {
    compiler: Option<Compiler>,
    /// Answers, by number.
    answers: BTreeMap<u32, Following>,
    next: u32,
    request: Vec<u8>,
    response: Vec<u8>,
    allowed: Vec<u32>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State::default());
}

/// Room for the next request; 0 when there is no memory for it.
#[unsafe(no_mangle)]
extern "C" fn request_room(bytes: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| room(&mut state.request, bytes))
}

/// Answers the request that was written; where the response is.
#[unsafe(no_mangle)]
extern "C" fn call() -> *const u8 {
    tell_of_panics();
    STATE.with_borrow_mut(|state| {
        let response = state
            .answer()
            .unwrap_or_else(|error| Response::Failed(error.to_json().to_string()));
        state.response = encode(&response).unwrap_or_default();
        state.response.as_ptr()
    })
}

/// Bytes of the response.
#[unsafe(no_mangle)]
extern "C" fn response_bytes() -> usize {
    STATE.with_borrow(|state| state.response.len())
}

/// Once: every token asks.
fn tell_of_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let mut message = String::new();
            let _ = write!(message, "{info}");
            import::panicked(&message);
        }));
    });
}

impl State {
    fn answer(&mut self) -> Result<Response> {
        let unopened = || Error::internal("the grammar module is asked before it knows the model");
        let unbegun =
            || Error::internal("the grammar module is asked of an answer that has not begun");
        Ok(match decode(&self.request)? {
            Request::Open(vocabulary) => {
                self.answers.clear();
                self.compiler = Some(Compiler::new(&vocabulary)?);
                Response::Done
            }
            Request::Begin(grammar) => {
                let compiler = self.compiler.as_mut().ok_or_else(unopened)?;
                let following = compiler.guide(&grammar)?;
                self.next = self.next.wrapping_add(1);
                self.answers.insert(self.next, following);
                Response::Begun(self.next)
            }
            Request::Allowed(number) => {
                let answer = self.answers.get_mut(&number).ok_or_else(unbegun)?;
                let allowed = answer.allowed()?;
                allowed.clone_into(&mut self.allowed);
                Response::Allowed {
                    at: self.allowed.as_ptr() as u32,
                    len: u32::try_from(self.allowed.len()).unwrap_or(u32::MAX),
                }
            }
            Request::Forced(number) => {
                let answer = self.answers.get_mut(&number).ok_or_else(unbegun)?;
                Response::Forced(answer.forced()?)
            }
            Request::Accept(number, id) => {
                let answer = self.answers.get_mut(&number).ok_or_else(unbegun)?;
                Response::Accepted {
                    is_complete: answer.accept(id)?,
                }
            }
            Request::End(number) => {
                self.answers.remove(&number);
                Response::Done
            }
        })
    }
}
