//! Calls whose arguments stand between tags, each as it is.
//!
//! ```text
//! <function=NAME>⏎<parameter=KEY>⏎VALUE⏎</parameter>⏎</function>
//! NAME⏎<arg_key>KEY</arg_key>⏎<arg_value>VALUE</arg_value>
//! ```

use serde_json::{Map, Value};

use super::Callable;
use super::call::Call;
use super::kind::typed;

/// One call: Qwen3-Coder's, or GLM's.
pub(super) fn calls(text: &str, tools: &[Callable]) -> Option<Vec<Call>> {
    let text = text.trim();
    let (name, mut rest, key_tags, value_tags, end) = match text.strip_prefix("<function=") {
        Some(behind) => {
            let (name, rest) = behind.split_once('>')?;
            let key_tags = ["<parameter=", ">"];
            (name, rest, key_tags, ["", "</parameter>"], "</function>")
        }
        None => {
            let at = text.find("<arg_key>").unwrap_or(text.len());
            let (name, rest) = text.split_at_checked(at)?;
            let key_tags = ["<arg_key>", "</arg_key>"];
            (name, rest, key_tags, ["<arg_value>", "</arg_value>"], "")
        }
    };
    let name = name.trim();
    let tool = tools.iter().find(|tool| tool.name == name)?;
    let root = tool.schema().unwrap_or_default();
    let mut arguments = Map::new();
    while let Some(behind) = rest.trim_start().strip_prefix(key_tags[0]) {
        let (key, behind) = behind.split_once(key_tags[1])?;
        let is_alone = value_tags[0].is_empty();
        let behind = match is_alone {
            true => behind,
            false => behind.trim_start().strip_prefix(value_tags[0])?,
        };
        let (mut value, behind) = behind.split_once(value_tags[1])?;
        if is_alone {
            // Lines of its own are the tags', not the value's.
            value = value.strip_prefix('\n').unwrap_or(value);
            value = value.strip_suffix('\n').unwrap_or(value);
        }
        let key = key.trim();
        let schema = root.pointer("/properties").and_then(|all| all.get(key));
        let value = typed(schema.unwrap_or(&Value::Bool(true)), &root, value);
        arguments.insert(key.to_owned(), value);
        rest = behind;
    }
    let rest = rest.trim();
    let is_whole = rest.is_empty() || rest == end;
    let call = is_whole.then(|| Call::new(name, &Value::Object(arguments)));
    call.flatten().map(|call| vec![call])
}
