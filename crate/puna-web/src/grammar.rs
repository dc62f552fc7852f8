//! What holds answers to grammars: a wasm module of its own, which JavaScript fetches and starts when a request first asks for
//! it.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Uint8Array, Uint32Array};
use puna_core::grammar::Grammar;
use puna_core::guide::Guide;
use puna_core::message::{decode, encode};
use puna_core::openai::shown_marks;
use puna_core::tokenizer::Tokenizer;
use puna_core::{Error, Result};
use puna_grammar::Vocabulary;
use puna_grammar::wire::{Request, Response};
use wasm_bindgen::prelude::*;

use crate::js_error::from_js;

#[wasm_bindgen]
extern "C" {
    /// `worker/grammar.ts`: starts modules.
    #[derive(Clone, Debug)]
    pub type GrammarHost;

    /// Starts a module, which the first time is fetched.
    #[wasm_bindgen(method, catch)]
    async fn start(this: &GrammarHost) -> std::result::Result<JsValue, JsValue>;

    /// `worker/message_module.ts`: a module that runs.
    #[derive(Clone, Debug)]
    type GrammarModule;

    #[wasm_bindgen(method, catch)]
    fn call(this: &GrammarModule, request: Uint8Array) -> std::result::Result<Vec<u8>, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn words(this: &GrammarModule, at: u32, len: u32) -> std::result::Result<Uint32Array, JsValue>;
}

/// The module, once it was needed. After a panic there is none, until it is needed again.
#[derive(Debug)]
pub(crate) struct Grammars {
    host: GrammarHost,
    module: Rc<RefCell<Option<GrammarModule>>>,
}

impl Grammars {
    pub(crate) fn new(host: GrammarHost) -> Self {
        Self {
            host,
            module: Rc::default(),
        }
    }

    /// What holds an answer in a model's tokens to a grammar.
    ///
    /// # Errors
    /// `invalid_request` for a grammar that does not compile; `internal` where the module can't be had.
    pub(crate) async fn guide(
        &self,
        grammar: &Grammar,
        tokenizer: &Tokenizer,
    ) -> Result<Box<dyn Guide>> {
        if self.module.borrow().is_none() {
            let started = self.host.start().await;
            let module =
                started.map_err(|thrown| from_js(&thrown, "starting the grammar module"))?;
            *self.module.borrow_mut() = Some(module.unchecked_into());
            let shown = shown_marks(tokenizer);
            let ids = 0..u32::try_from(tokenizer.vocab_size()).unwrap_or(u32::MAX);
            let tokens = ids.map(|id| tokenizer.text_of(id, &shown));
            let vocabulary = Vocabulary::new(tokens, tokenizer.end_of_generation());
            self.ask(&Request::Open(vocabulary))?;
        }
        let begin = Request::Begin(Box::new(grammar.clone()));
        let Response::Begun(number) = self.ask(&begin)? else {
            return Err(unexpected());
        };
        Ok(Box::new(ModuleGuide {
            number,
            grammars: Self {
                host: self.host.clone(),
                module: Rc::clone(&self.module),
            },
            allowed: Vec::new(),
        }))
    }

    fn ask(&self, request: &Request) -> Result<Response> {
        let bytes = encode(request)?;
        let module = self.module.borrow().clone();
        let module = module.ok_or_else(|| Error::internal("there is no grammar module"))?;
        let answer = module.call(Uint8Array::from(bytes.as_slice()));
        let answer = answer.map_err(|thrown| {
            // Its memory is anybody's guess.
            *self.module.borrow_mut() = None;
            let said = from_js(&thrown, "the grammar module");
            Error::invalid_request(
                "grammar",
                format!("the grammar can't be followed: {}", said.message()),
            )
        })?;
        match decode(&answer)? {
            Response::Failed(json) => Err(Error::from_json(&json)),
            response => Ok(response),
        }
    }
}

/// Follows an answer.
#[derive(Debug)]
struct ModuleGuide {
    /// By which the module knows it.
    number: u32,
    grammars: Grammars,
    allowed: Vec<u32>,
}

impl Guide for ModuleGuide {
    fn allowed(&mut self) -> Result<&[u32]> {
        let Response::Allowed { at, len } = self.grammars.ask(&Request::Allowed(self.number))?
        else {
            return Err(unexpected());
        };
        let module = self.grammars.module.borrow();
        let words = module.as_ref().ok_or_else(unexpected)?.words(at, len);
        self.allowed = words
            .map_err(|thrown| from_js(&thrown, "reading what may come next"))?
            .to_vec();
        Ok(&self.allowed)
    }

    fn accept(&mut self, id: u32) -> Result<bool> {
        match self.grammars.ask(&Request::Accept(self.number, id))? {
            Response::Accepted { is_complete } => Ok(is_complete),
            _ => Err(unexpected()),
        }
    }

    fn forced(&mut self) -> Result<Vec<u8>> {
        match self.grammars.ask(&Request::Forced(self.number))? {
            Response::Forced(text) => Ok(text),
            _ => Err(unexpected()),
        }
    }
}

impl Drop for ModuleGuide {
    fn drop(&mut self) {
        // Where there is no module any more, there is nothing to end.
        let _ = self.grammars.ask(&Request::End(self.number));
    }
}

fn unexpected() -> Error {
    Error::internal("the grammar module gave another answer than it was asked for")
}
