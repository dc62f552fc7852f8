//! JSON as Python's `json.dumps` writes it, which templates were written against.

use std::io;

use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, Value};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

/// `", "` and `": "`, all on one line.
struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

/// The filter `tojson`. Unlike minijinja's own it leaves `<`, `>` and `&` as they are: a prompt is no
/// HTML. `indent` is a number of spaces; `ensure_ascii` may only be false.
pub(super) fn tojson(value: &Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let ensure_ascii: Option<bool> = options.get("ensure_ascii")?;
    options.assert_all_used()?;
    if ensure_ascii == Some(true) {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "tojson: ensure_ascii=true is not supported",
        ));
    }
    let mut out = Vec::new();
    let written = match indent {
        None => write(value, OneLine, &mut out),
        Some(width @ 0..=16) => {
            let spaces = " ".repeat(width);
            write(
                value,
                PrettyFormatter::with_indent(spaces.as_bytes()),
                &mut out,
            )
        }
        Some(_) => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                "tojson: indent is at most 16",
            ));
        }
    };
    let bad = |error: String| Error::new(ErrorKind::BadSerialization, error);
    written.map_err(|error| bad(error.to_string()))?;
    let text = String::from_utf8(out).map_err(|error| bad(error.to_string()))?;
    Ok(Value::from(text))
}

fn write(value: &Value, formatter: impl Formatter, out: &mut Vec<u8>) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, formatter))
}
