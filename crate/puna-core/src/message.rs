//! Messages between the engine and modules that have a memory of their own: bytes (`postcard`).

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A message as bytes.
///
/// # Errors
/// `internal`, which no message of the workspace's types should be.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>> {
    postcard::to_allocvec(message).map_err(|error| Error::internal(format!("a message: {error}")))
}

/// Bytes as a message.
///
/// # Errors
/// `internal` when they are none.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|error| Error::internal(format!("a message: {error}")))
}

/// Makes a buffer that long; where it is, or nowhere when there is no memory for it.
pub fn room(buffer: &mut Vec<u8>, bytes: usize) -> *mut u8 {
    buffer.clear();
    if buffer.try_reserve_exact(bytes).is_err() {
        return std::ptr::null_mut();
    }
    buffer.resize(bytes, 0);
    buffer.as_mut_ptr()
}
