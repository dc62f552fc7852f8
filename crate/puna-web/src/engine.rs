//! What the worker sees: load a model, chat with it, ask about it, let it go.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use js_sys::{Array, Function, Uint8Array};
use puna_core::adapter::{Scales, weights};
use puna_core::anthropic::{self, MessageResponder};
use puna_core::chat::ChatTemplate;
use puna_core::embedding::Pooling;
use puna_core::graph::Wanted;
use puna_core::openai::{
    Beginning, ChatRequest, CompletionRequest, EmbeddingsRequest, Respond, Responder,
    ResponsesRequest, ResponsesResponder, ScoreRequest, TextRequest, TokensRequest, read_adapters,
    text_of, told,
};
use puna_core::saved::Element;
use puna_core::score::Scoring;
use puna_core::session::{Retention, check_context};
use puna_core::tokenizer::Tokenizer;
use puna_core::{Error, Result};
use serde_json::json;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use crate::abort::throw_if_aborted;
use crate::adapters;
use crate::answers::Answers;
use crate::conversations::Conversations;
use crate::cpu::CpuHost;
use crate::executor::{Executor, Gauges};
use crate::grammar::{GrammarHost, Grammars};
use crate::js_error::{from_js, install_panic_hook, to_js};
use crate::loader::{self, LoadOptions, ModelSource};
use crate::making::Making;
use crate::options::Options;
use crate::progress::{Progress, Stage};
use crate::saving::Saving;
use crate::scoring;
use crate::sink::{Parts, Sink};
use crate::turns::{Closed, Turn, Turns};
use crate::unicode;

/// A loaded model. Several requests take turns.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    /// Whose turn it is; closed by `unload`.
    pub(crate) model: Turns<Box<Model>>,
    pub(crate) answers: Answers,
    info: String,
    id: String,
    gauges: RefCell<Gauges>,
    requests: AtomicU32,
    conversations: usize,
    texts: Texts,
    scales: RefCell<Scales>,
}

/// What makes tokens of texts: it waits for nobody's turn.
#[derive(Debug)]
struct Texts {
    tokenizer: Tokenizer,
    template: ChatTemplate,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) executor: Executor,
    pub(crate) conversations: Conversations,
    pub(crate) grammars: Grammars,
    /// The answers whose tokens the executor draws by now, in this order, with nothing else between their steps.
    pub(crate) chain: Vec<u32>,
    /// What adapters are multiplied by just now.
    scales: Vec<f32>,
    /// What vectors of texts are made by, where it makes such.
    encoder: Option<Encoder>,
}

impl Model {
    /// Goes on with weights to which adapters add so much, and with the conversations that were read by them.
    pub(crate) fn adapt(&mut self, scales: &[f32]) -> Result<()> {
        if self.scales != scales {
            self.executor.adapt(scales)?;
            self.scales = scales.to_vec();
        }
        self.conversations.set_weights(weights(scales));
        Ok(())
    }

    /// The same for something else than the answers that are being made.
    fn take_over(&mut self, scales: &[f32]) -> Result<()> {
        self.chain.clear();
        self.adapt(scales)
    }

    /// What saves its conversations.
    fn saving(&mut self) -> Result<Saving<'_>> {
        self.check_writes()?;
        Ok(Saving {
            executor: &mut self.executor,
            conversations: &mut self.conversations,
        })
    }

    /// An error if it writes no texts.
    fn check_writes(&self) -> Result<()> {
        match self.encoder {
            None => Ok(()),
            Some(_) => Err(Error::invalid_request(
                "model",
                "this model makes vectors of texts, and writes none: ask it by embeddings.create",
            )),
        }
    }
}

/// In whose words a request is answered.
#[derive(Debug)]
enum Wire {
    OpenAi,
    Anthropic,
    Responses(Box<ResponsesRequest>),
}

#[derive(Clone, Copy, Debug)]
struct Encoder {
    pooling: Pooling,
    /// Elements of a vector.
    width: usize,
}

#[wasm_bindgen]
impl Engine {
    /// Loads a model from a URL (of a GGUF, of a manifest of shards, of a checkpoint), a `Blob`, or an array of `File`s.
    ///
    /// `options` is JSON; its fields are those of [`Options`]. `cpu` starts the CPU's executor if that is asked for, `grammar`
    /// what holds answers to grammars. `adapters` are the sources of the options' adapters.
    /// `on_progress` gets `{stage, loaded_bytes, total_bytes, network_bytes, cached_bytes, warning?}`.
    /// Rejects with an error that has `code`, `message` and `details`.
    pub async fn load(
        options: String,
        source: JsValue,
        adapters: Array,
        on_progress: Option<Function>,
        signal: Option<AbortSignal>,
        cpu: CpuHost,
        grammar: GrammarHost,
    ) -> std::result::Result<Self, JsValue> {
        install_panic_hook();
        unicode::supply();
        let sources = (source, adapters);
        Self::load_inner(
            &options,
            sources,
            on_progress,
            signal.as_ref(),
            cpu,
            grammar,
        )
        .await
        .map_err(|error| to_js(&error))
    }

    /// JSON of what the model and the device are.
    #[must_use]
    pub fn info(&self) -> String {
        self.info.clone()
    }

    /// Answers a chat completion request (JSON). When it asks for a stream, `on_chunk` gets the JSON of each
    /// chunk and the promise resolves with ""; else it resolves with the JSON of the completion.
    ///
    /// Rejects with an error that has `code`, `message` and `details`; the engine then answers the next request.
    pub async fn chat(
        &self,
        request: String,
        on_chunk: Function,
        signal: Option<AbortSignal>,
    ) -> std::result::Result<String, JsValue> {
        let request = ChatRequest::parse(&request).map(TextRequest::Chat);
        self.texts(request, Wire::OpenAi, &on_chunk, signal.as_ref())
            .await
            .map_err(|error| to_js(&error))
    }

    /// Answers a request of OpenAI's newer wire: with the JSON of each event, or of a response.
    pub async fn respond(
        &self,
        request: String,
        on_chunk: Function,
        signal: Option<AbortSignal>,
    ) -> std::result::Result<String, JsValue> {
        let respond = async {
            let request = Box::new(ResponsesRequest::parse(&request)?);
            let chat = Ok(TextRequest::Chat(request.chat.clone()));
            let wire = Wire::Responses(request);
            self.texts(chat, wire, &on_chunk, signal.as_ref()).await
        };
        respond.await.map_err(|error: Error| to_js(&error))
    }

    /// Answers a request of Anthropic's wire: with the JSON of each event, or of a message.
    pub async fn message(
        &self,
        request: String,
        on_chunk: Function,
        signal: Option<AbortSignal>,
    ) -> std::result::Result<String, JsValue> {
        let request = anthropic::parse(&request).map(TextRequest::Chat);
        self.texts(request, Wire::Anthropic, &on_chunk, signal.as_ref())
            .await
            .map_err(|error| to_js(&error))
    }

    /// The same of a completion request: texts that are gone on with, without a chat.
    pub async fn complete(
        &self,
        request: String,
        on_chunk: Function,
        signal: Option<AbortSignal>,
    ) -> std::result::Result<String, JsValue> {
        let request = CompletionRequest::parse(&request).map(TextRequest::Completion);
        self.texts(request, Wire::OpenAi, &on_chunk, signal.as_ref())
            .await
            .map_err(|error| to_js(&error))
    }

    /// Makes vectors of texts: answers an embeddings request (JSON) with the JSON of the response.
    ///
    /// Rejects as `chat` does.
    pub async fn embed(
        &self,
        request: String,
        signal: Option<AbortSignal>,
    ) -> std::result::Result<String, JsValue> {
        let embed = async {
            let request = EmbeddingsRequest::parse(&request)?;
            let mut turn = self.model.turn().await?;
            let model = turn.get()?;
            model.take_over(self.scales.borrow().usual())?;
            self.vectors(model, &request, signal.as_ref()).await
        };
        embed.await.map_err(|error| to_js(&error))
    }

    /// How likely a text is. `request` is JSON: a `text`, and what stands in front of it, as `read` has it. Resolves with JSON of
    /// `{ids, texts, logprobs, logprob, perplexity}`.
    ///
    /// Rejects as `chat` does.
    pub async fn score(
        &self,
        request: String,
        signal: Option<AbortSignal>,
    ) -> std::result::Result<String, JsValue> {
        self.score_inner(&request, signal.as_ref())
            .await
            .map_err(|error| to_js(&error))
    }

    /// JSON of `{ids, texts}`: the tokens of a `text`, or of a prompt as `read` has it. `wire` tells whose request it is: `""`,
    /// `"message"` or `"respond"`. It waits for no answer.
    ///
    /// # Errors
    /// Throws as `chat` rejects.
    pub fn tokenize(&self, wire: &str, request: &str) -> std::result::Result<String, JsValue> {
        let tokenize = || -> Result<String> {
            let Texts {
                tokenizer,
                template,
            } = &self.texts;
            let request = match wire {
                "message" => TokensRequest::parse_message(request),
                "respond" => TokensRequest::parse_response(request),
                _ => TokensRequest::parse(request),
            };
            let ids = request?.ids(template, tokenizer)?;
            Ok(told(&ids, tokenizer).to_string())
        };
        tokenize().map_err(|error| to_js(&error))
    }

    /// The text of tokens; `special`: with control tokens as they are written. It waits for no answer.
    ///
    /// # Errors
    /// Throws as `chat` rejects.
    pub fn detokenize(&self, ids: &[u32], special: bool) -> std::result::Result<String, JsValue> {
        text_of(ids, special, &self.texts.tokenizer).map_err(|error| to_js(&error))
    }

    /// Reads the messages of a chat request (JSON), or the prompt of a completion request, ahead of a question. Resolves with
    /// JSON of `{ids, cached_tokens}`: its tokens, and how many of them were read before.
    ///
    /// Rejects as `chat` does.
    pub async fn read(
        &self,
        request: String,
        signal: Option<AbortSignal>,
    ) -> std::result::Result<String, JsValue> {
        let read = async {
            let request = Beginning::parse(&request)?;
            let mut turn = self.model.turn().await?;
            let model = turn.get()?;
            model.take_over(self.scales.borrow().usual())?;
            let Texts {
                tokenizer,
                template,
            } = &self.texts;
            let ids = request.ids(template, tokenizer)?;
            check_context(ids.len(), model.executor.context_length())?;
            let go_on = || throw_if_aborted(signal.as_ref());
            let cached = model.saving()?.read(&ids, &go_on).await?;
            Ok(json!({ "ids": ids, "cached_tokens": cached }).to_string())
        };
        read.await.map_err(|error: Error| to_js(&error))
    }

    /// What the model keeps of these tokens, as bytes; `precision` is `f16` or `q8`.
    ///
    /// Rejects as `chat` does.
    pub async fn save(
        &self,
        ids: Vec<u32>,
        precision: String,
        signal: Option<AbortSignal>,
    ) -> std::result::Result<Uint8Array, JsValue> {
        let save = async {
            let element = Element::named(&precision)?;
            let mut turn = self.model.turn().await?;
            let model = turn.get()?;
            model.take_over(self.scales.borrow().usual())?;
            check_context(ids.len(), model.executor.context_length())?;
            model.executor.check_ids(&ids)?;
            let go_on = || throw_if_aborted(signal.as_ref());
            model.saving()?.save(&ids, element, &go_on).await
        };
        save.await.map_err(|error: Error| to_js(&error))
    }

    /// Takes what `save` gave. Resolves with JSON of `{ids}`.
    ///
    /// Rejects as `chat` does.
    pub async fn restore(
        &self,
        bytes: Uint8Array,
        signal: Option<AbortSignal>,
    ) -> std::result::Result<String, JsValue> {
        let restore = async {
            let mut turn = self.model.turn().await?;
            let go_on = || throw_if_aborted(signal.as_ref());
            let model = turn.get()?;
            model.take_over(self.scales.borrow().usual())?;
            let ids = model.saving()?.restore(&bytes, &go_on).await?;
            Ok(json!({ "ids": ids }).to_string())
        };
        restore.await.map_err(|error: Error| to_js(&error))
    }

    /// Times the shaders of one more projection, to take the fastest from then on. Resolves with whether there was one;
    /// with `false` when all are known, or when `signal` said that there is something better to do.
    ///
    /// Rejects as `chat` does.
    pub async fn tune(&self, signal: Option<AbortSignal>) -> std::result::Result<bool, JsValue> {
        self.tune_inner(signal.as_ref())
            .await
            .map_err(|error| to_js(&error))
    }

    /// Multiplies adapters from now on where a request says nothing: `scales` is JSON, `{NAME: SCALE}`, and those that are not
    /// named are multiplied by 0.
    ///
    /// # Errors
    /// Throws as `chat` rejects.
    pub fn set_adapters(&self, scales: &str) -> std::result::Result<(), JsValue> {
        let set = || self.scales.borrow_mut().set(&read_adapters(scales)?);
        set().map_err(|error| to_js(&error))
    }

    /// How many conversations of any length it can go on with at a time.
    #[must_use]
    pub fn conversations(&self) -> usize {
        self.conversations
    }

    /// JSON of counts since the load.
    #[must_use]
    pub fn counters(&self) -> String {
        self.gauges.borrow().to_json().to_string()
    }

    /// Frees the memory of the device; the engine answers nothing from then on.
    pub fn unload(&self) {
        self.model.close();
        self.gauges.borrow_mut().module = None;
    }
}

impl Engine {
    pub(crate) const fn tokenizer(&self) -> &Tokenizer {
        &self.texts.tokenizer
    }

    /// Whether another answer can be made beside those that are.
    pub(crate) fn has_room(&self) -> bool {
        self.answers.count() < self.conversations
    }

    async fn load_inner(
        options: &str,
        (source, adapters): (JsValue, Array),
        on_progress: Option<Function>,
        signal: Option<&AbortSignal>,
        cpu: CpuHost,
        grammar: GrammarHost,
    ) -> Result<Self> {
        let options = Options::parse(options)?;
        let source = ModelSource::from_js(&source)?;
        let progress = Progress::new(on_progress);
        let load = LoadOptions {
            cache: options.cache(),
            revalidate: options.revalidate(),
            of_adapter: false,
        };
        let of_adapter = LoadOptions {
            of_adapter: true,
            ..load
        };
        let wanted = adapters::read(&options.adapters, &adapters, of_adapter, signal).await?;
        let mut sink = Sink::new(&options, cpu, &wanted);
        let loaded = loader::load(&source, load, &progress, signal, &mut sink).await?;
        let Parts {
            config,
            tokenizer,
            template,
            mut executor,
            adapters,
            low_ranks,
        } = sink.finish().await?;
        let of_graph = (adapters.as_slice(), low_ranks.as_slice());
        adapters::load(
            &wanted,
            of_graph,
            &mut executor,
            of_adapter,
            &progress,
            signal,
        )
        .await?;
        let context_length = u32::try_from(executor.context_length()).unwrap_or(u32::MAX);
        let info = json!({
            "id": loaded.name,
            "name": config.name.as_deref().unwrap_or(&loaded.name),
            "architecture": config.architecture,
            "context_length": context_length,
            "vocab_size": config.vocab_size,
            "embedding_dimensions": config.pooling.map(|_| config.hidden_size),
            "file_bytes": loaded.file_bytes,
            "device": executor.describe(),
            "adapters": adapters::about(&wanted, &adapters),
        });
        let gauges = RefCell::new(executor.gauges());
        let most_rows = executor.most_rows();
        let model = Model {
            conversations: Conversations::new(&executor),
            executor,
            grammars: Grammars::new(grammar),
            chain: Vec::new(),
            scales: vec![0.0; wanted.len()],
            encoder: config.pooling.map(|pooling| Encoder {
                pooling,
                width: config.hidden_size as usize,
            }),
        };
        progress.enter(Stage::Ready);
        Ok(Self {
            model: Turns::new(Box::new(model)),
            answers: Answers::default(),
            info: info.to_string(),
            id: loaded.name,
            gauges,
            requests: AtomicU32::new(0),
            conversations: (most_rows / (context_length as usize).max(1)).max(1),
            texts: Texts {
                tokenizer,
                template,
            },
            scales: RefCell::new(adapters::scales(&wanted)),
        })
    }

    async fn tune_inner(&self, signal: Option<&AbortSignal>) -> Result<bool> {
        let Some(mut turn) = self.model.try_turn() else {
            return Ok(false);
        };
        let model = turn.get()?;
        model.chain.clear();
        let held = model.conversations.rows();
        let is_wanted = || !signal.is_some_and(AbortSignal::aborted);
        model.executor.tune(held, &is_wanted).await
    }

    async fn vectors(
        &self,
        model: &mut Model,
        request: &EmbeddingsRequest,
        signal: Option<&AbortSignal>,
    ) -> Result<String> {
        let Some(Encoder { pooling, width }) = model.encoder else {
            return Err(Error::invalid_request(
                "model",
                "this model writes texts, and makes no vectors of them: embeddings take one such as BERT's",
            ));
        };
        let all = request.ids(
            &self.texts.tokenizer,
            model.executor.context_length(),
            width,
        )?;
        let mut vectors = Vec::with_capacity(all.len());
        for ids in &all {
            throw_if_aborted(signal)?;
            let tokens = model.executor.forward(0, ids, Wanted::All).await?;
            vectors.push(pooling.pool(tokens, width)?);
        }
        let tokens = all.iter().map(Vec::len).sum();
        let name = request.model.as_deref().unwrap_or(&self.id);
        request.response(vectors, name, tokens)
    }

    async fn score_inner(&self, request: &str, signal: Option<&AbortSignal>) -> Result<String> {
        let Texts {
            tokenizer,
            template,
        } = &self.texts;
        let (ids, given) = ScoreRequest::parse(request)?.ids(template, tokenizer)?;
        let mut turn = self.model.turn().await?;
        let model = turn.get()?;
        model.check_writes()?;
        check_context(ids.len(), model.executor.context_length())?;
        let scales = self.scales.borrow().usual().to_vec();
        model.take_over(&scales)?;
        let front = ids.get(..given.max(1)).unwrap_or(&ids);
        let taken = model
            .conversations
            .take(&mut model.executor, front, Retention::Usual);
        let mut session = taken.await?;
        let mut scoring = Scoring::new(ids, given, &mut session);
        let scored = score(&mut scoring, &mut turn, &scales, tokenizer, signal).await;
        let score = scoring.finish();
        turn.get()?.conversations.put_back(session);
        scored?;
        let mut body = told(&score.ids, tokenizer);
        if let Some(fields) = body.as_object_mut() {
            fields.insert("logprobs".to_owned(), json!(score.logprobs));
            fields.insert("logprob".to_owned(), json!(score.logprob()));
            fields.insert("perplexity".to_owned(), json!(score.perplexity()));
        }
        Ok(body.to_string())
    }

    async fn texts(
        &self,
        request: Result<TextRequest>,
        wire: Wire,
        on_chunk: &Function,
        signal: Option<&AbortSignal>,
    ) -> Result<String> {
        let request = request?;
        let scales = {
            let options = request.options();
            let named = options.adapters.as_deref();
            let scales = self.scales.borrow();
            scales.of_request(options.model.as_deref(), named)?
        };
        let mut turn = self.model.turn().await?;
        let model = turn.get()?;
        model.check_writes()?;
        let context_length = u32::try_from(model.executor.context_length()).unwrap_or(u32::MAX);
        let Texts {
            tokenizer,
            template,
        } = &self.texts;
        let choices = request.choices(template, tokenizer, context_length, random_seed())?;
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a time in seconds is small and positive"
        )]
        let created = (js_sys::Date::now() / 1000.0) as u64;
        let id = format!("{created:x}{number:04x}");
        let options = request.options();
        let name = options.model.as_deref().unwrap_or(&self.id);
        let mut responder: Box<dyn Respond> = match wire {
            Wire::OpenAi => Box::new(Responder::new(&request, &id, created, name)),
            Wire::Anthropic => Box::new(MessageResponder::new(options.stream, &id, name)),
            Wire::Responses(request) => {
                Box::new(ResponsesResponder::new(&request, &id, created, name))
            }
        };
        let mut completion = String::new();
        let mut send = |body: serde_json::Value| -> Result<()> {
            if options.stream {
                on_chunk
                    .call1(&JsValue::NULL, &body.to_string().into())
                    .map_err(|thrown| from_js(&thrown, "handing a chunk on"))?;
            } else {
                completion = body.to_string();
            }
            Ok(())
        };
        drop(turn);
        let making = Making {
            engine: self,
            choices: &choices,
            scales: &scales,
            context_length,
            signal,
            responder: &mut *responder,
            send: &mut send,
            going: Vec::new(),
            begun: 0,
        };
        making.make().await?;
        responder.end().into_iter().try_for_each(&mut send)?;
        Ok(completion)
    }
}

/// Scores a text to its end, by turns with others.
pub(crate) async fn score(
    scoring: &mut Scoring<'_>,
    turn: &mut Turn<'_, Box<Model>>,
    scales: &[f32],
    tokenizer: &Tokenizer,
    signal: Option<&AbortSignal>,
) -> Result<()> {
    loop {
        throw_if_aborted(signal)?;
        if turn.is_wanted() {
            turn.pass().await?;
        }
        let model = turn.get()?;
        model.take_over(scales)?;
        let Model {
            executor,
            conversations,
            ..
        } = &mut **model;
        if !scoring::step(scoring, executor, conversations, tokenizer.vocab_size()).await? {
            return Ok(());
        }
    }
}

impl From<Closed> for Error {
    fn from(Closed: Closed) -> Self {
        Self::invalid_request("model", "the model was unloaded; load it again")
    }
}

/// For requests that give no seed.
fn random_seed() -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 2^53 and positive"
    )]
    let seed = (js_sys::Math::random() * 9_007_199_254_740_992.0) as u64;
    seed
}

#[cfg(feature = "conformance")]
#[wasm_bindgen]
impl Engine {
    /// Runs tokens and gives their logits, (V,) of the last or (T, V) of all: for tests.
    pub async fn forward(
        &self,
        position: usize,
        ids: Vec<u32>,
        all: bool,
    ) -> std::result::Result<Vec<f32>, JsValue> {
        let wanted = if all { Wanted::All } else { Wanted::Last };
        let turn = self.model.turn().await.map_err(Error::from);
        let mut turn = turn.map_err(|error| to_js(&error))?;
        let model = turn.get().map_err(|error| to_js(&error.into()))?;
        model.chain.clear();
        let logits = model.executor.forward(position, &ids, wanted).await;
        let logits = logits.map(|logits| logits.to_vec());
        // Whatever was known of the cache is not so any more.
        model.conversations.clear();
        logits.map_err(|error| to_js(&error))
    }
}
