//! What holds answers to grammars: a wasm module of its own, which JavaScript fetches and starts when a request first asks for
//! it.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Uint8Array, Uint32Array};
use puna_core::grammar::Grammar;
use puna_core::guide::Guide;
use puna_core::message::{decode, encode};
use puna_core::openai::shown_marks;
use puna_core::tokenizer::Tokenizer;
use puna_core::{Error, ErrorCode, Result};
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
    module: Option<Rc<Module>>,
}

/// A module that runs, and knows the model's tokens.
#[derive(Debug)]
struct Module {
    js: GrammarModule,
    /// After a panic: its memory is anybody's guess.
    is_broken: Cell<bool>,
}

impl Grammars {
    pub(crate) const fn new(host: GrammarHost) -> Self {
        Self { host, module: None }
    }

    /// What holds an answer in a model's tokens to a grammar.
    ///
    /// # Errors
    /// `invalid_request` for a grammar that does not compile; `network` where the module can't be had.
    pub(crate) async fn guide(
        &mut self,
        grammar: &Grammar,
        tokenizer: &Tokenizer,
    ) -> Result<Box<dyn Guide>> {
        let module = match self.module.take().filter(|it| !it.is_broken.get()) {
            Some(module) => module,
            None => self.start(tokenizer).await?,
        };
        self.module = Some(Rc::clone(&module));
        let begin = Request::Begin(Box::new(grammar.clone()));
        let Response::Begun(number) = module.ask(&begin)? else {
            return Err(unexpected());
        };
        Ok(Box::new(ModuleGuide {
            number,
            module,
            allowed: Vec::new(),
        }))
    }

    async fn start(&self, tokenizer: &Tokenizer) -> Result<Rc<Module>> {
        let started = self.host.start().await;
        let js = started.map_err(|thrown| {
            let error = from_js(&thrown, "starting the grammar module");
            match error.code() {
                // The model itself is well, whatever this host serves in the module's place.
                ErrorCode::Internal => Error::new(ErrorCode::Network, error.message()),
                _ => error,
            }
        })?;
        let module = Module {
            js: js.unchecked_into(),
            is_broken: Cell::new(false),
        };
        let shown = shown_marks(tokenizer);
        let ids = 0..u32::try_from(tokenizer.vocab_size()).unwrap_or(u32::MAX);
        let tokens = ids.map(|id| tokenizer.text_of(id, &shown));
        let vocabulary = Vocabulary::new(tokens, tokenizer.end_of_generation());
        module.ask(&Request::Open(vocabulary))?;
        Ok(Rc::new(module))
    }
}

impl Module {
    fn ask(&self, request: &Request) -> Result<Response> {
        let broken = |why: &str| {
            Error::invalid_request("grammar", format!("the grammar can't be followed: {why}"))
        };
        if self.is_broken.get() {
            return Err(broken("its module has failed on another one; ask again"));
        }
        let bytes = encode(request)?;
        let answer = self.js.call(Uint8Array::from(bytes.as_slice()));
        let answer = answer.map_err(|thrown| {
            self.is_broken.set(true);
            broken(&from_js(&thrown, "the grammar module").message())
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
    module: Rc<Module>,
    allowed: Vec<u32>,
}

impl Guide for ModuleGuide {
    fn allowed(&mut self) -> Result<&[u32]> {
        let Response::Allowed { at, len } = self.module.ask(&Request::Allowed(self.number))? else {
            return Err(unexpected());
        };
        let words = self.module.js.words(at, len);
        self.allowed = words
            .map_err(|thrown| from_js(&thrown, "reading what may come next"))?
            .to_vec();
        Ok(&self.allowed)
    }

    fn accept(&mut self, id: u32) -> Result<bool> {
        match self.module.ask(&Request::Accept(self.number, id))? {
            Response::Accepted { is_complete } => Ok(is_complete),
            _ => Err(unexpected()),
        }
    }

    fn forced(&mut self) -> Result<Vec<u8>> {
        match self.module.ask(&Request::Forced(self.number))? {
            Response::Forced(text) => Ok(text),
            _ => Err(unexpected()),
        }
    }
}

impl Drop for ModuleGuide {
    fn drop(&mut self) {
        // Where the module has failed, there is nothing to end.
        let _ = self.module.ask(&Request::End(self.number));
    }
}

fn unexpected() -> Error {
    Error::internal("the grammar module gave another answer than it was asked for")
}
