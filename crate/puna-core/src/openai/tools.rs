//! Tools that a request offers, and whether they may be called.

use serde_json::{Map, Value};

use super::field::{Body, Field, missing};
use crate::Result;

/// Most tools of a request, as OpenAI has it.
const MAX_TOOLS: usize = 128;
/// Characters of a tool's name, as OpenAI has it.
const MAX_NAME: usize = 64;

/// Fields that [`Tools::set`] reads.
pub(super) const READ: &[&str] = &["tools", "tool_choice", "parallel_tool_calls"];

/// What may be called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tools {
    /// As the request has them: that is how templates expect them.
    all: Vec<Value>,
    names: Vec<String>,
    /// Whether they are not to be called.
    pub(crate) is_off: bool,
    /// Whether at most one is to be called.
    pub(crate) is_single: bool,
}

impl Tools {
    /// What templates are told of; nothing if nothing is to be called.
    pub(super) fn offered(&self) -> &[Value] {
        if self.is_off { &[] } else { &self.all }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Adds a tool of a list, as OpenAI's requests have it.
    pub(crate) fn add(&mut self, tool: Field<'_, '_>, list: Field<'_, '_>) -> Result<()> {
        if self.all.len() == MAX_TOOLS {
            return Err(list.too_long(MAX_TOOLS, list.array()?.len()));
        }
        let name = parse(tool)?;
        self.names.push(name);
        self.all.push(tool.value.clone());
        Ok(())
    }

    /// Takes a field that is among [`READ`]; whether it is.
    pub(super) fn set(&mut self, field: Field<'_, '_>) -> Result<bool> {
        match field.path {
            "tools" => {
                for (ix, value) in field.array()?.iter().enumerate() {
                    let path = format!("tools[{ix}]");
                    self.add(Field { path: &path, value }, field)?;
                }
            }
            "tool_choice" => match field.value.as_str() {
                Some("auto") => self.is_off = false,
                Some("none") => self.is_off = true,
                Some("required") | None if field.value.is_object() || field.value == "required" => {
                    return Err(field.unsupported_value(
                        "'tool_choice' must be 'auto' or 'none' with this model: it can't be made to call a tool.",
                    ));
                }
                _ => {
                    return Err(field.invalid(format!(
                        "Invalid value: {}. Supported values are: 'none' and 'auto'.",
                        field.value
                    )));
                }
            },
            "parallel_tool_calls" => self.is_single = !field.bool()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What no field alone can tell.
    pub(super) fn check(&self, body: &Body) -> Result<()> {
        for key in ["tool_choice", "parallel_tool_calls"] {
            if self.all.is_empty() && body.gives(key) && !self.is_off {
                let message = format!(
                    "Invalid value for '{key}': '{key}' is only allowed when 'tools' are specified."
                );
                return Err(super::field::refused(key, "invalid_value", message));
            }
        }
        Ok(())
    }
}

/// The name of a tool.
fn parse(field: Field<'_, '_>) -> Result<String> {
    let tool = field.object()?;
    let at = |key: &str| format!("{}.{key}", field.path);
    let kind_path = at("type");
    let kind = tool.get("type").ok_or_else(|| missing(&kind_path))?;
    let kind = Field {
        path: &kind_path,
        value: kind,
    };
    if kind.str()? != "function" {
        return Err(kind.invalid(format!(
            "Invalid value for '{kind_path}': {}. Supported values are: 'function'.",
            kind.value
        )));
    }
    let path = at("function");
    let function = tool.get("function").ok_or_else(|| missing(&path))?;
    let function: &Map<String, Value> = Field {
        path: &path,
        value: function,
    }
    .object()?;
    let path = at("function.name");
    let name = function.get("name").ok_or_else(|| missing(&path))?;
    let field = Field {
        path: &path,
        value: name,
    };
    let name = field.str()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
        return Err(field.invalid(format!(
            "Invalid '{path}': expected 1 to {MAX_NAME} letters, digits, '_' and '-', got '{}'.",
            name.chars().take(MAX_NAME).collect::<String>()
        )));
    }
    Ok(name.to_owned())
}
