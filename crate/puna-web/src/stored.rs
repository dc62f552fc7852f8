//! What the worker sees of the cache: which models are kept, and their removal.

use puna_core::Result;
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::address::Address;
use crate::js_error::{install_panic_hook, to_js};
use crate::store::{Store, Stored};

/// JSON of the models that are kept, whole or in part: an array of `{url, file_bytes, stored_bytes, is_complete}`. Empty where the
/// browser can keep none.
///
/// Rejects with an error that has `code`, `message` and `details`.
#[wasm_bindgen]
pub async fn list_models() -> std::result::Result<String, JsValue> {
    install_panic_hook();
    list().await.map_err(|error| to_js(&error))
}

/// Removes the model of this address, absolute or relative to the page; resolves with whether it was there.
///
/// Rejects with an error that has `code`, `message` and `details`: `busy` while it is being loaded.
#[wasm_bindgen]
pub async fn remove_model(url: String) -> std::result::Result<bool, JsValue> {
    install_panic_hook();
    remove(&url).await.map_err(|error| to_js(&error))
}

async fn list() -> Result<String> {
    Ok(match Store::open().await? {
        Some(store) => to_json(&store.list().await?),
        None => to_json(&[]),
    })
}

async fn remove(url: &str) -> Result<bool> {
    let address = Address::parse(url, "url")?;
    match Store::open().await? {
        Some(store) => store.remove(&address.url).await,
        None => Ok(false),
    }
}

fn to_json(models: &[Stored]) -> String {
    let models: serde_json::Value = models
        .iter()
        .map(|model| {
            json!({
                "url": model.url,
                "file_bytes": model.file_bytes,
                "stored_bytes": model.stored_bytes,
                "is_complete": model.is_complete,
            })
        })
        .collect();
    models.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_listed_under_the_agreed_names() {
        let model = Stored {
            url: "https://a.b/m.gguf".to_owned(),
            file_bytes: 1002,
            stored_bytes: 400,
            is_complete: false,
        };
        assert_eq!(
            to_json(&[model]),
            r#"[{"url":"https://a.b/m.gguf","file_bytes":1002,"stored_bytes":400,"is_complete":false}]"#,
            "one model"
        );
        assert_eq!(to_json(&[]), "[]", "nothing is kept");
    }
}
