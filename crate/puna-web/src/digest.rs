//! SHA-256 by the browser, of bytes that stay outside of wasm.

use js_sys::{Object, Uint8Array};
use puna_core::weights::manifest::Sha256;
use puna_core::{Error, Result};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::SubtleCrypto;

use crate::js_error::{from_js, get, global};

/// Whether there is anything to hash with; there isn't on pages served over plain HTTP.
pub(crate) fn is_available() -> bool {
    subtle().is_some()
}

/// The checksum of `bytes`.
pub(crate) async fn sha256(bytes: &Uint8Array) -> Result<Sha256> {
    let subtle = subtle().ok_or_else(|| {
        Error::internal(
            "there is no crypto.subtle: the page must be served over HTTPS, or from localhost",
        )
    })?;
    let failed = |thrown: JsValue| from_js(&thrown, "hashing");
    let promise = subtle
        .digest_with_str_and_js_u8_array("SHA-256", bytes)
        .map_err(failed)?;
    let digest = Uint8Array::new(&JsFuture::from(promise).await.map_err(failed)?);
    let mut sum = [0; 32];
    if digest.length() != 32 {
        return Err(Error::internal("a SHA-256 without 32 bytes"));
    }
    digest.copy_to(&mut sum);
    Ok(Sha256(sum))
}

fn subtle() -> Option<SubtleCrypto> {
    let crypto: Object = global("crypto")?;
    let subtle = get(&crypto, "subtle");
    subtle.is_object().then(|| subtle.unchecked_into())
}
