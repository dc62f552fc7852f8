//! JSON texts, read by one reader.

use serde::Deserialize;

/// What a JSON text says.
///
/// The library has a reader of texts beside that of bytes, and compiles what it reads for both: this leaves one of them,
/// which is some kilobytes of wasm.
///
/// # Errors
/// The library's, with line and column.
pub fn read<'t, T: Deserialize<'t>>(text: &'t str) -> serde_json::Result<T> {
    serde_json::from_slice(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn errors_say_where() {
        assert_eq!(read::<Value>("[\"é\"]").unwrap(), serde_json::json!(["é"]));
        let error = read::<Value>("[\n  1,\n}").unwrap_err();
        assert_eq!((error.line(), error.column()), (3, 1), "{error}");
    }
}
