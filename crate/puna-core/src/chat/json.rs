//! JSON as Python's `json.dumps` writes it, which templates were written against.

use std::io;

use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, Value};
use serde::Serialize;
use serde_json::ser::Formatter;

/// The widest indentation.
const MAX_INDENT: usize = 16;

/// `json.dumps` with its options.
struct Python {
    /// Spaces a level; all on one line if there are none given.
    indent: Option<usize>,
    /// Between elements.
    comma: String,
    /// Between key and value.
    colon: String,
    ensure_ascii: bool,
    depth: usize,
    /// Whether the innermost array or object has something in it.
    is_filled: bool,
}

impl Python {
    fn begin<W: ?Sized + io::Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_filled = false;
        out.write_all(bracket)
    }

    fn end<W: ?Sized + io::Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.is_filled {
            self.break_line(out)?;
        }
        self.is_filled = true;
        out.write_all(bracket)
    }

    fn element<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(self.comma.as_bytes())?;
        }
        self.break_line(out)
    }

    fn break_line<W: ?Sized + io::Write>(&self, out: &mut W) -> io::Result<()> {
        let Some(indent) = self.indent else {
            return Ok(());
        };
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| write!(out, "{:indent$}", ""))
    }
}

impl Formatter for Python {
    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.element(out, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_filled = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.element(out, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(self.colon.as_bytes())
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_filled = true;
        Ok(())
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        out.write_all(float(value).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if !self.ensure_ascii {
            return out.write_all(fragment.as_bytes());
        }
        let mut buffer = [0; 2];
        for character in fragment.chars() {
            if character <= '~' {
                write!(out, "{character}")?;
                continue;
            }
            for unit in character.encode_utf16(&mut buffer) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

/// A number as Python's `repr` writes it: with an exponent from 1e16 on and below 1e-4.
fn float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => format!("{value:?}"),
    }
}

/// The filter `tojson`. Unlike minijinja's own it leaves `<`, `>` and `&` as they are: a prompt is no
/// HTML. Its options are those of `json.dumps` that `transformers` passes on.
pub(super) fn tojson(value: &Value, options: Kwargs) -> Result<Value, Error> {
    let invalid = |what: &str| Error::new(ErrorKind::InvalidOperation, format!("tojson: {what}"));
    let indent: Option<usize> = options.get("indent")?;
    let ensure_ascii: Option<bool> = options.get("ensure_ascii")?;
    let sort_keys: Option<bool> = options.get("sort_keys")?;
    let separators: Option<Vec<String>> = options.get("separators")?;
    options.assert_all_used()?;
    if indent.is_some_and(|indent| indent > MAX_INDENT) {
        return Err(invalid(&format!("indent is at most {MAX_INDENT}")));
    }
    let (comma, colon) = match separators.as_deref() {
        None if indent.is_some() => (",".to_owned(), ": ".to_owned()),
        None => (", ".to_owned(), ": ".to_owned()),
        Some([comma, colon]) => (comma.clone(), colon.clone()),
        Some(_) => return Err(invalid("separators are two")),
    };
    let python = Python {
        indent,
        comma,
        colon,
        ensure_ascii: ensure_ascii == Some(true),
        depth: 0,
        is_filled: false,
    };
    if sort_keys == Some(true) {
        let mut sorted = serde_json::to_value(value)
            .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
        sorted.sort_all_objects();
        return write(&sorted, python);
    }
    write(value, python)
}

fn write(value: &impl Serialize, formatter: Python) -> Result<Value, Error> {
    let bad = |error: String| Error::new(ErrorKind::BadSerialization, error);
    let mut out = Vec::new();
    value
        .serialize(&mut serde_json::Serializer::with_formatter(
            &mut out, formatter,
        ))
        .map_err(|error| bad(error.to_string()))?;
    let text = String::from_utf8(out).map_err(|error| bad(error.to_string()))?;
    Ok(Value::from(text))
}
