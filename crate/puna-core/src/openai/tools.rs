//! Tools that a request offers, and whether they may be called.

use serde_json::{Map, Value, json};

use super::field::{Body, Field, refused};
use crate::chat::Callable;
use crate::grammar::Grammar;
use crate::{Error, Result};

/// Most tools of a request, as OpenAI has it.
const MAX_TOOLS: usize = 128;

/// Fields that [`Tools::set`] reads.
pub(super) const READ: &[&str] = &["tools", "tool_choice", "parallel_tool_calls"];

/// What may be called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tools {
    /// As the request has them: that is how templates expect them.
    all: Vec<Value>,
    /// The same, as answers may call them.
    callable: Vec<Callable>,
    /// Whether they are to be called.
    pub(crate) choice: ToolChoice,
    /// The only ones that may be called, if not all.
    pub(crate) only: Option<Vec<String>>,
    /// Whether no two are to be called at once.
    pub(crate) is_single: bool,
}

/// Whether tools are to be called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    /// If the model wants to.
    #[default]
    Auto,
    /// Never: they are as good as not offered.
    None,
    /// At least one.
    Required,
    /// Once, and then the answer is complete.
    Once,
}

impl Tools {
    /// What templates are told of; nothing if nothing is to be called.
    pub(super) fn offered(&self) -> &[Value] {
        if self.choice == ToolChoice::None {
            &[]
        } else {
            &self.all
        }
    }

    /// Those that may be called.
    pub(super) fn callable(&self) -> Vec<Callable> {
        let may_be = |tool: &&Callable| match &self.only {
            Some(names) => names.contains(&tool.name),
            None => true,
        };
        self.callable.iter().filter(may_be).cloned().collect()
    }

    /// Whether at most one call is wanted.
    pub(super) fn wants_one(&self) -> bool {
        self.is_single || self.choice == ToolChoice::Once
    }

    /// Adds a tool of a list, as OpenAI's requests have it. `arguments` is what the request calls the schema of its arguments.
    pub(crate) fn add(
        &mut self,
        tool: Field<'_, '_>,
        list: Field<'_, '_>,
        arguments: &str,
    ) -> Result<()> {
        if self.all.len() == MAX_TOOLS {
            return Err(list.too_long(MAX_TOOLS, list.array()?.len()));
        }
        tool.member("type", |kind| kind.one_of(&[("function", ())]))?;
        let callable = tool.member("function", |function| {
            let is_strict = function.optional("strict", |it| it.bool())?;
            Ok(Callable {
                is_strict: is_strict.unwrap_or(false),
                name: function.member("name", |it| it.name())?,
                arguments: match function.object()?.get("parameters") {
                    None | Some(Value::Null) => nothing(),
                    Some(value) => object(Field {
                        path: arguments,
                        value,
                    })?,
                },
            })
        })?;
        self.callable.push(callable);
        self.all.push(tool.value.clone());
        Ok(())
    }

    /// Takes a field that is among [`READ`]; whether it is.
    pub(super) fn set(&mut self, field: Field<'_, '_>) -> Result<bool> {
        match field.path {
            "tools" => {
                for (ix, value) in field.array()?.iter().enumerate() {
                    let path = format!("tools[{ix}]");
                    let arguments = format!("{path}.function.parameters");
                    self.add(Field { path: &path, value }, field, &arguments)?;
                }
            }
            "tool_choice" => self.choose(field)?,
            "parallel_tool_calls" => self.is_single = !field.bool()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes the field `tool_choice`.
    pub(super) fn choose(&mut self, field: Field<'_, '_>) -> Result<()> {
        const MODES: [(&str, ToolChoice); 3] = [
            ("none", ToolChoice::None),
            ("auto", ToolChoice::Auto),
            ("required", ToolChoice::Required),
        ];
        if !field.value.is_object() {
            self.choice = field.one_of(&MODES)?;
            return Ok(());
        }
        let kinds = [("function", true), ("allowed_tools", false)];
        if field.member("type", |kind| kind.one_of(&kinds))? {
            self.choice = ToolChoice::Once;
            self.only = Some(vec![named(field)?]);
            return Ok(());
        }
        field.member("allowed_tools", |field| {
            let [_, auto, required] = MODES;
            self.choice = field.member("mode", |mode| mode.one_of(&[auto, required]))?;
            self.only = Some(field.member("tools", |list| {
                let tools = list.array()?.iter().enumerate().map(|(ix, value)| {
                    let path = format!("{}[{ix}]", list.path);
                    named(Field { path: &path, value })
                });
                tools.collect()
            })?);
            Ok(())
        })
    }

    /// What no field alone can tell.
    pub(super) fn check(&self, body: &Body) -> Result<()> {
        for key in ["tool_choice", "parallel_tool_calls"] {
            if self.all.is_empty() && body.gives(key) && self.choice != ToolChoice::None {
                return Err(without_tools(key));
            }
        }
        self.check_choice("tool_choice", "tool_choice")
    }

    /// Whether what is to be called is there; what says that it is, and by which name.
    pub(crate) fn check_choice(&self, choice: &str, param: &str) -> Result<()> {
        let Some(names) = &self.only else {
            return match self.choice {
                ToolChoice::Required if self.all.is_empty() => Err(without_tools(choice)),
                _ => Ok(()),
            };
        };
        let is_there = |name: &&String| self.callable.iter().any(|tool| tool.name == **name);
        match names.iter().find(|name| !is_there(name)) {
            None if !names.is_empty() => Ok(()),
            missing => {
                let name = missing.map_or("", String::as_str);
                let message = format!(
                    "Invalid value for '{param}': the function '{name}' was not found in the 'tools' parameter."
                );
                Err(refused(param, "invalid_value", message))
            }
        }
    }
}

fn without_tools(param: &str) -> Error {
    let message = format!(
        "Invalid value for '{param}': '{param}' is only allowed when 'tools' are specified."
    );
    refused(param, "invalid_value", message)
}

/// The name in `{"type": "function", "function": {"name": …}}`.
fn named(field: Field<'_, '_>) -> Result<String> {
    field.member("type", |kind| kind.one_of(&[("function", ())]))?;
    field.member("function", |it| it.member("name", |it| it.name()))
}

/// What a tool is called with: an object, whatever else its schema says.
fn object(field: Field<'_, '_>) -> Result<Grammar> {
    let kind = json!("object");
    let mut schema = match field.value {
        Value::Bool(true) => Map::new(),
        _ => field.object()?.clone(),
    };
    match schema.get("type") {
        None | Some(Value::Null) => {
            schema.insert("type".to_owned(), kind);
        }
        Some(given) if *given == kind => {}
        Some(given) => {
            let path = field.path;
            return Err(field.invalid(format!(
                "Invalid schema for '{path}': schema must be a JSON Schema of 'type: \"object\"', got 'type: {given}'."
            )));
        }
    }
    Ok(Grammar::json(&Value::Object(schema), field.path))
}

/// What a tool is called with that takes nothing.
fn nothing() -> Grammar {
    let schema = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    Grammar::json(&schema, "tools")
}
