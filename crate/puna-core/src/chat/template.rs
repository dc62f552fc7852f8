//! A chat template, ready to render.

use std::error::Error as _;
use std::fmt;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, Value};

use super::source::Sources;
use super::{Date, Message, Prompt, Style, json, python, syntax};
use crate::checkpoint;
use crate::tokenizer::Tokenizer;
use crate::weights::header::{Header, Origin};
use crate::{Error, ErrorCode, Result};

/// Steps and bytes (by 64) that a template may spend on one prompt: bounds time (about a second) and
/// memory. A template that builds a prompt of 250 kB by appending 500 messages to one string, copying
/// it each time, spends about half; the usual ones, which print as they go, a hundredth.
const FUEL: u64 = 8_000_000;
/// Nesting of calls; a page's stack is small.
const RECURSION: usize = 100;
const NAME: &str = "chat_template";
const TOOL_USE: &str = "chat_template.tool_use";

/// The chat template of a model.
pub struct ChatTemplate {
    /// Holds the compiled templates; `None` if the model has none.
    environment: Option<Environment<'static>>,
    bos: String,
    eos: String,
    style: Style,
}

impl ChatTemplate {
    /// The template of a model, or `source` in its place. A model that has none is no error until somebody
    /// wants to chat with it.
    ///
    /// # Errors
    ///
    /// With the line if it does not parse: `unsupported_model` for the model's own, `invalid_request` for `source`.
    pub fn for_model(header: &Header, tokenizer: &Tokenizer, source: Option<&str>) -> Result<Self> {
        let Some(source) = source else {
            return match &header.origin {
                Origin::Gguf { .. } => Self::new(&Sources::from_gguf(&header.metadata), tokenizer),
                Origin::Checkpoint(companions) => {
                    let config = companions
                        .get(checkpoint::TOKENIZER_CONFIG)
                        .unwrap_or(b"{}");
                    let jinja = companions.get(checkpoint::CHAT_TEMPLATE);
                    let jinja = jinja.map(str::from_utf8).transpose().map_err(|error| {
                        Error::bad_model_file(format!("{}: {error}", checkpoint::CHAT_TEMPLATE))
                    })?;
                    Self::from_json(config, jinja, tokenizer)
                }
            };
        };
        let (bos, eos) = (tokenizer.bos_text(), tokenizer.eos_text());
        Self::from_source(source, &bos, &eos).map_err(|error| {
            let line = error.details().get("line").cloned();
            let given = Error::invalid_request("chat_template", error.message());
            match line {
                Some(line) => given.detail("line", line),
                None => given,
            }
        })
    }

    /// The template in a `tokenizer_config.json`, or in the `chat_template.jinja` beside it.
    ///
    /// # Errors
    ///
    /// `bad_model_file` if the file is malformed; `unsupported_model` with the line if a template does not
    /// parse.
    pub fn from_json(
        tokenizer_config: &[u8],
        chat_template_jinja: Option<&str>,
        tokenizer: &Tokenizer,
    ) -> Result<Self> {
        let sources = Sources::from_json(tokenizer_config, chat_template_jinja)?;
        Self::new(&sources, tokenizer)
    }

    /// A template from its source; `bos` and `eos` are what it sees as `bos_token` and `eos_token`.
    ///
    /// # Errors
    ///
    /// `unsupported_model` with the line if it does not parse.
    pub fn from_source(source: &str, bos: &str, eos: &str) -> Result<Self> {
        let sources = Sources {
            default: Some(source.to_owned()),
            tool_use: None,
        };
        Self::compile(&sources, bos.to_owned(), eos.to_owned())
    }

    fn new(sources: &Sources, tokenizer: &Tokenizer) -> Result<Self> {
        Self::compile(sources, tokenizer.bos_text(), tokenizer.eos_text())
    }

    fn compile(sources: &Sources, bos: String, eos: String) -> Result<Self> {
        sources.check()?;
        let mut environment = None;
        for (name, source) in [(NAME, &sources.default), (TOOL_USE, &sources.tool_use)] {
            let Some(source) = source else {
                continue;
            };
            let environment = match &mut environment {
                Some(environment) => environment,
                none => none.insert(self::environment()?),
            };
            environment
                .add_template_owned(name, syntax::without_generation(source).into_owned())
                .map_err(|error| failed("does not parse", &error))?;
        }
        let default = sources.default.as_deref().unwrap_or_default();
        Ok(Self {
            environment,
            bos,
            eos,
            style: Style::of(default, sources.tool_use.as_deref()),
        })
    }

    /// How the model marks what is no text.
    #[must_use]
    pub const fn style(&self) -> Style {
        self.style
    }

    /// Gives the template a date to print; without one it finds no `strftime_now`, which most take as a
    /// sign to print a date of their own.
    pub fn set_date(&mut self, date: Date) {
        if let Some(environment) = &mut self.environment {
            environment.add_function("strftime_now", move |format: String| {
                date.format(&format).map_err(|directive| {
                    let detail = format!("strftime_now: {directive} is no part of a date");
                    minijinja::Error::new(ErrorKind::InvalidOperation, detail)
                })
            });
        }
    }

    /// The prompt as text. It holds every special token that the model wants: encode it with
    /// [`crate::tokenizer::Special::Parse`] and add nothing.
    ///
    /// # Errors
    ///
    /// `invalid_request` if the model has no template, or with the template's own words if it refuses the
    /// messages; `unsupported_model` with the line if it fails.
    pub fn render(&self, prompt: &Prompt<'_>) -> Result<String> {
        let Some(environment) = &self.environment else {
            return Err(no_template());
        };
        let with_tools = environment
            .get_template(TOOL_USE)
            .ok()
            .filter(|_| !prompt.tools.is_empty());
        let template = with_tools.or_else(|| environment.get_template(NAME).ok());
        let template = template.ok_or_else(no_template)?;
        let messages = prompt.messages.iter().map(Message::to_value);
        // Templates ask `tools is not none`: they expect the names to be there.
        let list = |values: &[serde_json::Value]| match values {
            [] => serde_json::Value::Null,
            values => values.into(),
        };
        let mut context = prompt.variables.cloned().unwrap_or_default();
        let mut set = |name: &str, value: serde_json::Value| context.insert(name.to_owned(), value);
        set("messages", messages.collect());
        set("add_generation_prompt", prompt.add_generation_prompt.into());
        set("bos_token", self.bos.as_str().into());
        set("eos_token", self.eos.as_str().into());
        set("tools", list(prompt.tools));
        set("documents", list(prompt.documents));
        template
            .render(Value::from(Serde(context)))
            .map_err(|error| match refusal(&error) {
                Some(refusal) => Error::invalid_request(
                    "messages",
                    format!("the model's chat template refuses these messages: {refusal}"),
                ),
                None => failed("fails", &error),
            })
    }
}

#[cold]
fn no_template() -> Error {
    Error::invalid_request(
        "chat_template",
        "this model has no chat template: load it with the option `chat_template`",
    )
}

impl fmt::Debug for ChatTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.environment.is_some() {
            "compiled"
        } else {
            "none"
        };
        write!(f, "ChatTemplate({state})")
    }
}

/// What Hugging Face's `apply_chat_template` gives a template: whitespace control, functions, filters.
fn environment() -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .map_err(|error| Error::internal(format!("chat template: {error}")))?;
    environment.set_syntax(syntax);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    python::add_to(&mut environment);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    environment.add_filter("tojson", json::tojson);
    environment.add_function(
        "raise_exception",
        |message: String| -> Result<Value, minijinja::Error> {
            let error = minijinja::Error::new(ErrorKind::InvalidOperation, "raise_exception");
            Err(error.with_source(Refusal(message)))
        },
    );
    Ok(environment)
}

/// What a template says by `raise_exception`.
#[derive(Debug)]
struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// The template's own words, if it refused rather than failed. Macros and blocks wrap the error.
fn refusal(error: &minijinja::Error) -> Option<&str> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(Refusal(message)) = error.downcast_ref() {
            return Some(message);
        }
        source = error.source();
    }
    None
}

fn failed(how: &str, error: &minijinja::Error) -> Error {
    // Where the innermost error is: a macro's line rather than its call's.
    let mut line = error.line();
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(inner) = inner.downcast_ref::<minijinja::Error>() {
            line = inner.line().or(line);
        }
        source = inner.source();
    }
    let place = line.map_or_else(String::new, |line| format!(" in line {line}"));
    let what = match error.kind() {
        ErrorKind::OutOfFuel => "it does too much work for one prompt".to_owned(),
        kind => match error.detail() {
            Some(detail) => format!("{kind}: {detail}"),
            None => kind.to_string(),
        },
    };
    let error = Error::new(
        ErrorCode::UnsupportedModel,
        format!(
            "the chat template {how}{place}: {what}; the option `chat_template` takes the place of a model's own"
        ),
    );
    match line {
        Some(line) => error.detail("line", line),
        None => error,
    }
}
