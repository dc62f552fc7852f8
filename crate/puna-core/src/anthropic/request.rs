//! The body of `POST /v1/messages`.

use serde_json::{Value, json};

use super::content::{text, turns};
use crate::Result;
use crate::chat::{Message, Role};
use crate::grammar::Grammar;
use crate::openai::field::{Body, Field, missing};
use crate::openai::{ChatRequest, Options, ToolChoice, Tools, schema};
use crate::session::Retention;

/// Fields that are followed.
pub const READ: &[&str] = &[
    "messages",
    "max_tokens",
    "model",
    "system",
    "stream",
    "stop_sequences",
    "temperature",
    "top_p",
    "top_k",
    "tools",
    "tool_choice",
    "output_config",
    "thinking",
    "cache_control",
];

/// Fields that change no answer: bookkeeping of the service.
pub const IGNORED: &[&str] = &["metadata", "service_tier", "inference_geo"];

/// Fields that are not supported.
pub const UNSUPPORTED: &[&str] = &["container", "context_management", "mcp_servers"];

/// Most stop sequences.
const MAX_STOPS: usize = 64;

/// Reads and checks a body: what it asks of a chat.
///
/// # Errors
/// `invalid_request`; the detail `param` names the field.
pub fn parse(body: &str) -> Result<ChatRequest> {
    read(body, &["messages", "max_tokens"])
}

/// The same of a body of `POST /v1/messages/count_tokens`, which asks for no answer.
///
/// # Errors
/// Those of [`parse`].
pub fn parse_count(body: &str) -> Result<ChatRequest> {
    read(body, &["messages"])
}

fn read(body: &str, required: &[&str]) -> Result<ChatRequest> {
    let body = Body::parse(body)?;
    let mut options = Options::default();
    let mut tools = Tools::default();
    let (mut system, mut messages) = (None, Vec::new());
    let mut thinks = None;
    for field in body.fields() {
        let sampling = &mut options.sampling;
        match field.path {
            "messages" => {
                for (ix, value) in field.array()?.iter().enumerate() {
                    let path = format!("messages.{ix}");
                    turns(Field { path: &path, value }, &mut messages)?;
                }
                if messages.is_empty() {
                    return Err(field.empty_array());
                }
            }
            _ if field.value.is_null() => field.is_among(&[READ, IGNORED, UNSUPPORTED])?,
            "max_tokens" => options.max_tokens = Some(field.integer(1, u32::MAX)?),
            "model" => options.model = Some(field.str()?.to_owned()),
            "system" => system = Some(text(field)?),
            "stream" => options.stream = field.bool()?,
            "stop_sequences" => options.stop = stops(field)?,
            "temperature" => sampling.temperature = field.number(0.0, 1.0)?,
            "top_p" => sampling.top_p = field.number(0.0, 1.0)?,
            "top_k" => sampling.top_k = field.integer(0, u32::MAX)?,
            "tools" => offer(field, &mut tools)?,
            "tool_choice" => choose(field, &mut tools)?,
            "output_config" => options.grammar = output(field)?,
            "thinking" => thinks = Some(thinking(field)?),
            // Wherever one stands: see below.
            "cache_control" => field.object().map(|_| ())?,
            key if IGNORED.contains(&key) => {}
            key if UNSUPPORTED.contains(&key) => return Err(field.unsupported()),
            _ => return Err(field.unrecognized()),
        }
    }
    for key in required {
        if !body.gives(key) {
            return Err(missing(key));
        }
    }
    tools.check_choice("tool_choice", "tool_choice.name")?;
    if body
        .fields()
        .any(|field| is_marked(field.path, field.value))
    {
        options.retention = Retention::Keep;
    }
    if let Some(system) = system.filter(|it| !it.is_empty()) {
        messages.insert(0, Message::new(Role::System, system));
    }
    Ok(ChatRequest::new(messages, tools, options).thinking(thinks))
}

/// Whether something of a request is to be cached: what has been read is kept up to the answer's end, so that where a mark stands
/// makes no difference.
fn is_marked(key: &str, value: &Value) -> bool {
    match value {
        Value::Object(members) if key == "cache_control" => {
            members.get("type").and_then(Value::as_str) == Some("ephemeral")
        }
        Value::Object(members) => members.iter().any(|(key, value)| is_marked(key, value)),
        Value::Array(values) => values.iter().any(|value| is_marked("", value)),
        _ => false,
    }
}

fn stops(field: Field<'_, '_>) -> Result<Vec<String>> {
    let values = field.array()?;
    if values.len() > MAX_STOPS {
        return Err(field.too_long(MAX_STOPS, values.len()));
    }
    let texts = values.iter().enumerate().map(|(ix, value)| {
        let path = format!("stop_sequences.{ix}");
        let field = Field { path: &path, value };
        match field.str()? {
            "" => Err(field.invalid(format!("{path}: a stop sequence must not be empty"))),
            text => Ok(text.to_owned()),
        }
    });
    texts.collect()
}

/// Tools of the client's own; those that the service runs itself there are none of.
fn offer(field: Field<'_, '_>, tools: &mut Tools) -> Result<()> {
    for (ix, value) in field.array()?.iter().enumerate() {
        let path = format!("tools.{ix}");
        let tool = Field { path: &path, value };
        let fields = tool.object()?;
        if let Some(kind) = fields.get("type").filter(|kind| *kind != "custom") {
            return Err(tool.unsupported_value(&format!(
                "'{path}.type': {kind} is not supported with this model, expected 'custom'."
            )));
        }
        let of = |key: &str| fields.get(key).filter(|value| !value.is_null()).cloned();
        let schema_path = format!("{path}.input_schema");
        let schema = of("input_schema").ok_or_else(|| missing(&schema_path))?;
        let mut function = json!({ "name": of("name"), "parameters": schema });
        if let (Some(description), Some(function)) = (of("description"), function.as_object_mut()) {
            function.insert("description".to_owned(), description);
        }
        let strict = tool.optional("strict", |it| it.bool())?;
        if let (Some(strict), Some(function)) = (strict, function.as_object_mut()) {
            function.insert("strict".to_owned(), strict.into());
        }
        let tool = json!({ "type": "function", "function": function });
        let tool = Field {
            path: &path,
            value: &tool,
        };
        tools.add(tool, field, &schema_path)?;
    }
    Ok(())
}

fn choose(field: Field<'_, '_>, tools: &mut Tools) -> Result<()> {
    let choice = field.object()?;
    let path = format!("{}.type", field.path);
    let kind = choice.get("type").ok_or_else(|| missing(&path))?;
    let kind = Field {
        path: &path,
        value: kind,
    };
    match kind.str()? {
        "auto" => {}
        "none" => tools.choice = ToolChoice::None,
        "any" => tools.choice = ToolChoice::Required,
        "tool" => {
            tools.choice = ToolChoice::Once;
            tools.only = Some(vec![field.member("name", |it| it.name())?]);
        }
        other => {
            return Err(kind.invalid(format!(
                "{path}: Input should be 'auto', 'any', 'tool' or 'none', got '{other}'"
            )));
        }
    }
    let single = choice.get("disable_parallel_tool_use");
    tools.is_single = single.and_then(Value::as_bool).unwrap_or(false);
    Ok(())
}

/// What the answer's text has to be. How much effort is made is the model's own affair.
fn output(field: Field<'_, '_>) -> Result<Option<Grammar>> {
    let format = field.optional("format", |format| {
        format.member("type", |kind| kind.one_of(&[("json_schema", ())]))?;
        format.member("schema", schema)
    })?;
    field.members(|key, field| match key {
        "format" | "effort" => Ok(()),
        _ => Err(field.unrecognized()),
    })?;
    Ok(format)
}

/// Whether the model is to think before it answers, where its template knows that.
fn thinking(field: Field<'_, '_>) -> Result<bool> {
    let path = format!("{}.type", field.path);
    let kind = field.object()?.get("type").ok_or_else(|| missing(&path))?;
    let kind = Field {
        path: &path,
        value: kind,
    };
    match kind.str()? {
        "enabled" | "adaptive" => Ok(true),
        "disabled" => Ok(false),
        other => Err(kind.invalid(format!(
            "{path}: Input should be 'enabled', 'adaptive' or 'disabled', got '{other}'"
        ))),
    }
}
