//! The body of `POST /v1/responses`.

use serde_json::{Map, Value, json};

use super::items::{Turns, nested};
use crate::Result;
use crate::chat::{Message, Role};
use crate::grammar::Grammar;
use crate::openai::field::{Body, Field, missing, refused};
use crate::openai::tools::Tools;
use crate::openai::{ChatRequest, Options, chat, extension, schema};

/// Fields that are followed.
pub(crate) const READ: &[&str] = &[
    "input",
    "instructions",
    "previous_response_id",
    "store",
    "model",
    "stream",
    "max_output_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
    "text",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "include",
    "top_logprobs",
    "truncation",
    "background",
    extension::KEY,
];

/// Fields that change no answer: bookkeeping of the service, and limits of what only it has.
pub(crate) const IGNORED: &[&str] = &[
    "metadata",
    "user",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "max_tool_calls",
    "stream_options",
];

/// Fields that are not supported.
pub(crate) const UNSUPPORTED: &[&str] = &[
    "access_programs",
    "context_management",
    "conversation",
    "image",
    "moderation",
    "prompt",
];

/// What answers repeat of their request, where it says nothing of it.
fn repeated() -> Map<String, Value> {
    let Value::Object(fields) = json!({
        "background": false,
        "instructions": null,
        "max_output_tokens": null,
        "metadata": {},
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": { "effort": null, "summary": null },
        "store": true,
        "temperature": 1.0,
        "text": { "format": { "type": "text" } },
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "user": null,
    }) else {
        return Map::new();
    };
    fields
}

/// A checked request.
#[derive(Clone, Debug)]
pub struct ResponsesRequest {
    /// What it asks of a chat.
    pub chat: ChatRequest,
    /// What its answer repeats of it.
    pub(super) repeated: Map<String, Value>,
    /// Whether what was thought is to stand where summaries of it do.
    pub(super) wants_summary: bool,
}

/// What `reasoning` asks for.
#[derive(Debug, Default)]
struct Reasoning {
    effort: Option<Option<&'static str>>,
    wants_summary: bool,
}

impl ResponsesRequest {
    /// Reads and checks a body.
    ///
    /// # Errors
    ///
    /// `invalid_request`; the details `param` and `reason` are OpenAI's `param` and `code`.
    pub fn parse(body: &str) -> Result<Self> {
        let body = Body::parse(body)?;
        let mut options = Options::default();
        let mut tools = Tools::default();
        let mut turns = Turns::default();
        let mut instructions = None;
        let mut reasoning = Reasoning::default();
        let (mut format, mut tells, mut top) = (None, false, None);
        let mut truncates = false;
        let mut repeated = repeated();
        for field in body.fields() {
            if field.value.is_null() {
                field.is_among(&[READ, IGNORED, UNSUPPORTED])?;
                continue;
            }
            match field.path {
                "input" => turns.read(field)?,
                "instructions" => instructions = Some(field.str()?.to_owned()),
                "previous_response_id" => _ = field.str()?,
                "store" => _ = field.bool()?,
                "max_output_tokens" => options.max_tokens = Some(field.integer(1, u32::MAX)?),
                "text" => format = text(field)?,
                "tools" => offer(field, &mut tools)?,
                "tool_choice" => choose(field, &mut tools)?,
                "reasoning" => reasoning = reason(field)?,
                "include" => tells = include(field)?,
                "top_logprobs" => top = Some(field.integer(0, chat::MAX_TOP)? as usize),
                "truncation" => {
                    truncates = field.one_of(&[("auto", true), ("disabled", false)])?;
                }
                "background" => must_wait(field)?,
                key if IGNORED.contains(&key) => {}
                key if UNSUPPORTED.contains(&key) => return Err(field.unsupported()),
                "stop" | "stream_options" | "max_tokens" | "n" | "seed" | "presence_penalty"
                | "frequency_penalty" | "logit_bias" => return Err(field.unrecognized()),
                _ if tools.set(field)? || options.set(field)? => {}
                _ => return Err(field.unrecognized()),
            }
            if let Some(told) = repeated.get_mut(field.path) {
                told.clone_from(field.value);
            }
        }
        if !body.gives("input") {
            return Err(missing("input"));
        }
        tools.check(&body)?;
        if format.is_some() {
            if options.grammar.is_some() {
                let message = "Invalid 'text.format': an answer is held to it or to a grammar of the request's own, not to both.";
                return Err(refused(
                    "text.format",
                    "invalid_parameter_combination",
                    message,
                ));
            }
            options.grammar = format;
        }
        options.logprobs = tells.then(|| top.unwrap_or(0));
        let mut messages = turns.messages;
        if let Some(instructions) = instructions {
            messages.insert(0, Message::new(Role::Developer, instructions));
        }
        let mut chat = ChatRequest::new(messages, tools, options).truncating(truncates);
        if let Some(effort) = reasoning.effort {
            chat.think(effort);
        }
        Ok(Self {
            chat,
            repeated,
            wants_summary: reasoning.wants_summary,
        })
    }
}

/// The field `background`: nobody answers here while the page is closed.
fn must_wait(field: Field<'_, '_>) -> Result<()> {
    match field.bool()? {
        false => Ok(()),
        true => Err(field.unsupported_value(
            "'background' must be false with this model: it answers while it is waited for.",
        )),
    }
}

/// The field `text`: what the answer's text has to be.
fn text(field: Field<'_, '_>) -> Result<Option<Grammar>> {
    field.members(|key, field| match key {
        "format" => Ok(()),
        // As wordy as it is.
        "verbosity" if field.value.is_null() || field.value == "medium" => Ok(()),
        "verbosity" => Err(field.unsupported()),
        _ => Err(field.unrecognized()),
    })?;
    let kinds = [
        ("text", Kind::Text),
        ("json_object", Kind::Object),
        ("json_schema", Kind::Schema),
    ];
    let format = field.optional("format", |format| {
        Ok(match format.member("type", |kind| kind.one_of(&kinds))? {
            Kind::Text => None,
            Kind::Object => Some(Grammar::json(&json!({ "type": "object" }), format.path)),
            Kind::Schema => {
                format.member("name", |it| it.name())?;
                format.optional("strict", |it| it.bool())?;
                format.optional("description", |it| it.str())?;
                Some(format.member("schema", schema)?)
            }
        })
    })?;
    Ok(format.flatten())
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Object,
    Schema,
}

/// Functions of the client's own; tools that the service runs itself there are none of.
fn offer(field: Field<'_, '_>, tools: &mut Tools) -> Result<()> {
    for (ix, value) in field.array()?.iter().enumerate() {
        let path = format!("tools[{ix}]");
        let tool = Field { path: &path, value };
        let kind = tool.member("type", |it| it.str())?;
        if kind != "function" {
            return Err(tool.unsupported_value(&format!(
                "'{path}': tools of type '{kind}' are not supported with this model, which calls functions."
            )));
        }
        tool.member("name", |it| it.name())?;
        let function = nested(tool)?;
        let function = Field {
            path: &path,
            value: &function,
        };
        tools.add(function, field, &format!("{path}.parameters"))?;
    }
    Ok(())
}

fn choose(field: Field<'_, '_>, tools: &mut Tools) -> Result<()> {
    if !field.value.is_object() {
        return tools.choose(field);
    }
    let kind = field.member("type", |it| it.str())?;
    let choice = match kind {
        "function" => {
            field.member("name", |it| it.name())?;
            nested(field)?
        }
        "allowed_tools" => {
            let named = field.member("tools", |list| {
                let tools = list.array()?.iter().enumerate().map(|(ix, value)| {
                    let path = format!("{}[{ix}]", list.path);
                    nested(Field { path: &path, value })
                });
                tools.collect::<Result<Value>>()
            })?;
            let mode = field.member("mode", |it| it.str())?;
            json!({ "type": kind, "allowed_tools": { "mode": mode, "tools": named } })
        }
        _ => {
            return Err(field.unsupported_value(&format!(
                "'{}': a choice of type '{kind}' is not supported with this model, which calls functions.",
                field.path
            )));
        }
    };
    tools.choose(Field {
        path: field.path,
        value: &choice,
    })
}

fn reason(field: Field<'_, '_>) -> Result<Reasoning> {
    let effort = field.optional("effort", chat::effort)?;
    let levels = [("auto", ()), ("concise", ()), ("detailed", ())];
    let summary = field.optional("summary", |it| it.one_of(&levels))?;
    // Its older name.
    let older = field.optional("generate_summary", |it| it.one_of(&levels))?;
    field.members(|key, field| match key {
        "effort" | "summary" | "generate_summary" => Ok(()),
        _ if field.value.is_null() => Ok(()),
        _ => Err(field.unsupported()),
    })?;
    Ok(Reasoning {
        effort,
        wants_summary: summary.or(older).is_some(),
    })
}

/// Whether it is to be told what the model thought of its tokens.
fn include(field: Field<'_, '_>) -> Result<bool> {
    let mut tells = false;
    for (ix, value) in field.array()?.iter().enumerate() {
        let path = format!("{}[{ix}]", field.path);
        let what = Field { path: &path, value };
        match what.str()? {
            "message.output_text.logprobs" => tells = true,
            // Thoughts are told as they are.
            "reasoning.encrypted_content" => {}
            other => {
                return Err(what.unsupported_value(&format!(
                    "'{path}': '{other}' is not supported with this model."
                )));
            }
        }
    }
    Ok(tells)
}
