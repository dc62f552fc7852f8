//! Memory that may not be there: an error and no end of the program.

use puna_core::{Error, ErrorCode, Result};

/// `len` zeros.
///
/// # Errors
/// `out_of_memory` with the bytes that were asked for.
pub(crate) fn zeros<T: bytemuck::Zeroable + Clone>(len: usize, what: &str) -> Result<Vec<T>> {
    let mut values = Vec::new();
    if values.try_reserve_exact(len).is_err() {
        return Err(refused(len.saturating_mul(size_of::<T>()) as u64, what));
    }
    values.resize(len, T::zeroed());
    Ok(values)
}

/// The error for memory that is not there.
pub(crate) fn refused(bytes: u64, what: &str) -> Error {
    Error::new(
        ErrorCode::OutOfMemory,
        format!(
            "no memory for {what}: {bytes} bytes are needed and not there; close other programs or tabs, or take a smaller \
             model"
        ),
    )
    .detail("bytes", bytes)
}
