//! Bytes in JavaScript's memory. A tab that has no more of it gets an error and no exception.

use js_sys::{ArrayBuffer, Function, Uint8Array};
use puna_core::{Error, ErrorCode, Result};
use wasm_bindgen::prelude::*;

use crate::js_error::{from_js, get, text};

#[wasm_bindgen]
extern "C" {
    // js-sys takes it for granted that there is memory.
    #[wasm_bindgen(js_name = Uint8Array)]
    type Bytes;
    #[wasm_bindgen(constructor, catch, js_class = "Uint8Array")]
    fn new(bytes: u32) -> std::result::Result<Bytes, JsValue>;
}

/// So many zeros.
pub(crate) fn allocate(bytes: u32) -> Result<Uint8Array> {
    match Bytes::new(bytes) {
        Ok(buffer) => Ok(buffer.unchecked_into()),
        Err(thrown) => Err(from_allocation(
            &thrown,
            bytes.into(),
            "allocating a buffer",
        )),
    }
}

/// Gives a buffer's memory back at once, where the browser can: else it lies about until the garbage is collected, which
/// a worker that allocates nothing more may never do.
pub(crate) fn release(buffer: &ArrayBuffer) {
    if let Ok(transfer) = get(buffer, "transfer").dyn_into::<Function>() {
        // What it is moved to has no bytes. One that was given away already can't be moved, and need not be.
        let _ = transfer.call1(buffer, &0.into());
    }
}

/// A copy of bytes that are in wasm's memory.
pub(crate) fn copy(bytes: &[u8]) -> Result<Uint8Array> {
    let length = u32::try_from(bytes.len())
        .map_err(|_| Error::internal(format!("{} bytes for one buffer", bytes.len())))?;
    let buffer = allocate(length)?;
    buffer.copy_from(bytes);
    Ok(buffer)
}

/// The error for what was thrown by something that takes so many bytes of memory.
pub(crate) fn from_allocation(thrown: &JsValue, bytes: u64, doing: &str) -> Error {
    let name = text(thrown, "name").unwrap_or_default();
    if !is_out_of_memory(&name) {
        return from_js(thrown, doing);
    }
    let said = text(thrown, "message").unwrap_or_default();
    Error::new(
        ErrorCode::OutOfMemory,
        format!("{doing}: the tab has no memory left for {bytes} bytes ({said}); close other tabs, or take a smaller model"),
    )
    .detail("bytes", bytes)
}

/// A size within the limits is never out of range: that is what all browsers call memory that is not there.
fn is_out_of_memory(name: &str) -> bool {
    name == "RangeError"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_not_there_is_told_from_other_errors() {
        assert!(is_out_of_memory("RangeError"), "no memory");
        assert!(!is_out_of_memory("TypeError"), "a defect");
        assert!(!is_out_of_memory("NotReadableError"), "a file that is gone");
    }
}
