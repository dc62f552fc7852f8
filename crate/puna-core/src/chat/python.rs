//! What templates take from Python and Jinja that minijinja has otherwise or not at all.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

/// Longest text that padding makes.
const MAX_WIDTH: usize = 1 << 16;

/// Adds it.
pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.set_unknown_method_callback(method);
    environment.add_test("iterable", is_iterable);
    environment.add_test("sequence", is_sequence);
    environment.add_filter("int", int);
}

/// Python's: everything that has elements, texts and undefined values too; not none.
fn is_iterable(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Undefined | ValueKind::String)
        || !value.is_none() && value.try_iter().is_ok()
}

/// Python's: what has a length and elements by key or number, maps and texts too.
fn is_sequence(value: &Value) -> bool {
    let kind = value.kind();
    is_iterable(value)
        && (matches!(
            kind,
            ValueKind::Undefined | ValueKind::String | ValueKind::Seq | ValueKind::Map
        ) || value.len().is_some())
}

/// A whole number, towards zero; `default`, or 0, for what is none.
fn int(value: &Value, default: Option<Value>) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    let whole = |float: f64| float.is_finite().then(|| Value::from(float.trunc() as i64));
    let number = match value.as_str() {
        Some(text) => {
            let text = text.trim();
            let exact = text.parse::<i64>().ok().map(Value::from);
            exact.or_else(|| whole(text.parse().ok()?))
        }
        None => match value.kind() {
            ValueKind::Bool => Some(Value::from(i64::from(value.is_true()))),
            ValueKind::Number if value.is_integer() => Some(value.clone()),
            _ => f64::try_from(value.clone()).ok().and_then(whole),
        },
    };
    number.or(default).unwrap_or_else(|| Value::from(0))
}

/// Methods that the crate for them does not have.
fn method(
    state: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    let own = match value.as_str() {
        Some(text) => of_text(text, name, arguments)?,
        None => of_sequence(value, name, arguments)?,
    };
    match own {
        Some(result) => Ok(result),
        None => pycompat::unknown_method_callback(state, value, name, arguments),
    }
}

fn invalid(what: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

fn of_text(text: &str, name: &str, arguments: &[Value]) -> Result<Option<Value>, Error> {
    let string = |ix: usize| arguments.get(ix)?.as_str();
    let number = |ix: usize| arguments.get(ix).and_then(Value::as_usize);
    Ok(Some(match (name, string(0), number(0)) {
        ("rsplit", Some(separator), _) if !separator.is_empty() => {
            let limit = number(1).map_or(usize::MAX, |limit| limit.saturating_add(1));
            let parts = text.rsplitn(limit, separator).map(Value::from);
            let mut parts: Vec<Value> = parts.collect();
            parts.reverse();
            Value::from(parts)
        }
        ("partition", Some(separator), _) if !separator.is_empty() => {
            let (before, separator, behind) = match text.split_once(separator) {
                Some((before, behind)) => (before, separator, behind),
                None => (text, "", ""),
            };
            three(before, separator, behind)
        }
        ("rpartition", Some(separator), _) if !separator.is_empty() => {
            let (before, separator, behind) = match text.rsplit_once(separator) {
                Some((before, behind)) => (before, separator, behind),
                None => ("", "", text),
            };
            three(before, separator, behind)
        }
        ("removeprefix", Some(prefix), _) => Value::from(text.strip_prefix(prefix).unwrap_or(text)),
        ("removesuffix", Some(suffix), _) => Value::from(text.strip_suffix(suffix).unwrap_or(text)),
        ("index", Some(part), _) => {
            let at = text.find(part).and_then(|at| text.get(..at));
            let before = at.ok_or_else(|| invalid(format!("index: no {part:?} in the text")))?;
            Value::from(before.chars().count())
        }
        ("ljust" | "rjust" | "center" | "zfill", _, Some(width)) => {
            let fill = match name {
                "zfill" => '0',
                _ => string(1)
                    .and_then(|fill| fill.chars().next())
                    .unwrap_or(' '),
            };
            Value::from(pad(text, name, width, fill)?)
        }
        _ => return Ok(None),
    }))
}

fn three(before: &str, separator: &str, behind: &str) -> Value {
    [before, separator, behind]
        .into_iter()
        .map(Value::from)
        .collect()
}

fn pad(text: &str, name: &str, width: usize, fill: char) -> Result<String, Error> {
    if width > MAX_WIDTH {
        return Err(invalid(format!("{name}: the width is at most {MAX_WIDTH}")));
    }
    let missing = width.saturating_sub(text.chars().count());
    // Python puts the odd one in front where the width is odd.
    let front = match name {
        "ljust" => 0,
        "center" => missing / 2 + (missing & width & 1),
        _ => missing,
    };
    let times = |count: usize| std::iter::repeat_n(fill, count).collect::<String>();
    let (sign, digits) = match name {
        "zfill" => text.split_at(usize::from(text.starts_with(['+', '-']))),
        _ => ("", text),
    };
    Ok(format!(
        "{sign}{}{digits}{}",
        times(front),
        times(missing.saturating_sub(front))
    ))
}

fn of_sequence(value: &Value, name: &str, arguments: &[Value]) -> Result<Option<Value>, Error> {
    let (ValueKind::Seq, "index", [wanted]) = (value.kind(), name, arguments) else {
        return Ok(None);
    };
    let at = value.try_iter()?.position(|element| element == *wanted);
    let at = at.ok_or_else(|| invalid(format!("index: {wanted} is not in the list")))?;
    Ok(Some(Value::from(at)))
}
