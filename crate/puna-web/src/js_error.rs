//! Errors on their way between Rust and JavaScript: `{code, message, details}` on both sides.

use js_sys::{JSON, Reflect};
use puna_core::{Error, ErrorCode};
use wasm_bindgen::{JsCast, JsValue};

/// The JavaScript `Error` to throw: `code`, `message` and `details` as its properties. The error of an abort is
/// called `AbortError`, as the platform's own are.
#[must_use]
pub fn to_js(error: &Error) -> JsValue {
    let object = js_sys::Error::new(&error.message());
    object.set_name(if error.code() == ErrorCode::Aborted {
        "AbortError"
    } else {
        "PunaError"
    });
    let details = serde_json::to_string(error.details()).unwrap_or_default();
    let details = JSON::parse(&details).unwrap_or_else(|_| js_sys::Object::new().into());
    set(&object, "code", &JsValue::from_str(error.code().as_str()));
    set(&object, "details", &details);
    object.into()
}

/// The error for whatever was thrown while `doing` something. An error that [`to_js`] made comes back as it was.
#[must_use]
pub fn from_js(thrown: &JsValue, doing: &str) -> Error {
    let name = text(thrown, "name").unwrap_or_default();
    let message = text(thrown, "message").unwrap_or_else(|| format!("{thrown:?}"));
    if let Some(code) = text(thrown, "code").as_deref().and_then(code) {
        return with_details(Error::new(code, message), thrown);
    }
    let said = if name.is_empty() {
        message
    } else {
        format!("{name}: {message}")
    };
    Error::new(code_of(&name), format!("{doing}: {said}"))
}

/// The error for what `fetch` threw. It says only `TypeError` for anything from a cable pulled out to a header
/// forgotten.
#[must_use]
pub fn from_fetch(thrown: &JsValue, url: &str) -> Error {
    let error = from_js(thrown, &format!("GET {url}"));
    if error.code() == ErrorCode::Aborted {
        return error;
    }
    Error::new(
        ErrorCode::Network,
        format!(
            "{}. Either there is no connection to the server, or its CORS headers (Access-Control-Allow-Origin) don't let this page read it",
            error.message().trim_end_matches('.')
        ),
    )
    .detail("url", url)
}

/// Makes a panic, which is always a defect, an `internal` error like any other: it is logged and thrown. The worker that
/// it was in is to be thrown away.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let error = Error::internal(panic.to_string());
        web_sys::console::error_1(&JsValue::from_str(&error.to_string()));
        #[cfg(target_arch = "wasm32")]
        wasm_bindgen::throw_val(to_js(&error));
    }));
}

/// What a platform's error name means here.
fn code_of(name: &str) -> ErrorCode {
    match name {
        "AbortError" => ErrorCode::Aborted,
        "QuotaExceededError" => ErrorCode::StorageFull,
        "NetworkError" | "TimeoutError" => ErrorCode::Network,
        _ => ErrorCode::Internal,
    }
}

fn code(text: &str) -> Option<ErrorCode> {
    ErrorCode::ALL
        .iter()
        .copied()
        .find(|code| code.as_str() == text)
}

fn with_details(mut error: Error, thrown: &JsValue) -> Error {
    let details = Reflect::get(thrown, &JsValue::from_str("details")).ok();
    let text = details
        .and_then(|details| JSON::stringify(&details).ok())
        .map(String::from);
    let parsed = text.and_then(|text| puna_core::json::read::<serde_json::Map<_, _>>(&text).ok());
    for (key, value) in parsed.unwrap_or_default() {
        error = error.detail(&key, value);
    }
    error
}

/// The property `key` of anything, if it is a string.
pub(crate) fn text(object: &JsValue, key: &str) -> Option<String> {
    get(object, key).as_string()
}

/// The property `key` of anything; `undefined` if there is none.
pub(crate) fn get(object: &JsValue, key: &str) -> JsValue {
    if object.is_object() || object.is_function() {
        Reflect::get(object, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
}

/// Sets the property `key` of an object of our own, which does not fail.
pub(crate) fn set(object: &JsValue, key: &str, value: &JsValue) {
    let _ = Reflect::set(object, &JsValue::from_str(key), value);
}

/// The global object's property `key`, as `T` without a check; `None` if it isn't there.
pub(crate) fn global<T: JsCast>(key: &str) -> Option<T> {
    let value = get(&js_sys::global(), key);
    (!value.is_undefined() && !value.is_null()).then(|| value.unchecked_into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_platform_become_codes() {
        assert_eq!(code_of("AbortError"), ErrorCode::Aborted, "an AbortSignal");
        assert_eq!(
            code_of("QuotaExceededError"),
            ErrorCode::StorageFull,
            "a full disk"
        );
        assert_eq!(
            code_of("RangeError"),
            ErrorCode::Internal,
            "anything else is a defect"
        );
        for known in ErrorCode::ALL {
            assert_eq!(
                code(known.as_str()),
                Some(*known),
                "every code is known by its name"
            );
        }
        assert_eq!(code("ABORT_ERR"), None, "others' codes are not ours");
    }
}
