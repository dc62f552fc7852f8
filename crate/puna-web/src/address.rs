//! Where a model is on the web, and the name that this gives it.

use js_sys::decode_uri_component;
use puna_core::adapter::ADAPTER_CONFIG;
use puna_core::checkpoint::address;
use puna_core::{Error, Result};
use wasm_bindgen::JsValue;
use web_sys::Url;

use crate::js_error::{from_js, global, text};

/// A model's address.
pub(crate) struct Address {
    /// Absolute and without a fragment: what the cache knows the model by.
    pub(crate) url: String,
    /// The last part of the path, or what a checkpoint's folder is called, as a person would write it; empty if there is none.
    pub(crate) name: String,
}

impl Address {
    /// The address as seen from the page or worker. `param` is what it was given as.
    pub(crate) fn parse(address: &str, param: &str) -> Result<Self> {
        let base = global::<JsValue>("location").and_then(|location| text(&location, "href"));
        let parsed = Url::new(address).or_else(|thrown| match base {
            Some(base) => Url::new_with_base(address, &base),
            None => Err(thrown),
        });
        let parsed = parsed.map_err(|thrown| {
            Error::invalid_request(
                param,
                from_js(&thrown, &format!("{address:?} is not an address")).message(),
            )
        })?;
        if !parsed.username().is_empty() || !parsed.password().is_empty() {
            return Err(Error::invalid_request(
                param,
                format!(
                    "the address on {} has a user name or a password in it, which browsers do not fetch; leave them out",
                    parsed.host()
                ),
            ));
        }
        parsed.set_hash("");
        let segment = match address::folder(&parsed.href()) {
            Some(folder) => address::name(&folder).to_owned(),
            None => segment(&parsed.protocol(), &parsed.pathname()).to_owned(),
        };
        let name = decode_uri_component(&segment).map_or(segment, String::from);
        Ok(Self {
            url: parsed.href(),
            name,
        })
    }
}

impl Address {
    /// The same of an adapter: of one in a folder, that of its settings.
    pub(crate) fn of_adapter(address: &str) -> Result<Self> {
        let mut parsed = Self::parse(address, "adapters")?;
        if let Some(folder) = address::folder(&parsed.url) {
            parsed.url = format!("{folder}{ADAPTER_CONFIG}");
        }
        Ok(parsed)
    }
}

/// Whether an address is one whose file may be kept: the others are of this page alone, or hold the file themselves.
pub(crate) fn is_lasting(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// The last part of a path. What follows `data:` or `blob:` is nobody's name.
fn segment<'a>(protocol: &str, path: &'a str) -> &'a str {
    match protocol {
        "data:" | "blob:" => "",
        _ => path.rsplit('/').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_end_of_the_path() {
        for (protocol, path, expected) in [
            ("https:", "/org/model-q8_0.gguf", "model-q8_0.gguf"),
            ("https:", "/a%20b.gguf", "a%20b.gguf"),
            ("https:", "/models/", ""),
            ("https:", "/", ""),
            ("blob:", "https://a.b/0b6a2a3e", ""),
            ("data:", "application/octet-stream;base64,AA/BB", ""),
        ] {
            assert_eq!(segment(protocol, path), expected, "{protocol}{path}");
        }
    }

    #[test]
    fn only_what_is_on_the_web_lasts() {
        for (url, expected) in [
            ("http://127.0.0.1:8686/m.gguf", true),
            ("https://a.b/m.gguf", true),
            ("blob:https://a.b/0b6a2a3e", false),
            ("data:,GGUF", false),
            ("httpx://a.b/m.gguf", false),
        ] {
            assert_eq!(is_lasting(url), expected, "{url}");
        }
    }
}
