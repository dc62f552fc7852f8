//! Files of which parts are read, wherever they are.

use js_sys::Uint8Array;
use puna_core::Result;

/// A file.
#[allow(
    async_fn_in_trait,
    reason = "one thread: nobody needs these futures to be Send"
)]
pub(crate) trait Ranged {
    /// Its first bytes: as many as asked for, or all there are.
    async fn head(&self, bytes: u32) -> Result<Uint8Array>;

    /// Reads from `start` into all of `buffer`, or up to the file's end; returns how many bytes.
    async fn read(&self, start: u64, buffer: &Uint8Array) -> Result<u32>;

    /// Its size, where known.
    fn total(&self) -> Option<u64>;

    /// What messages call it: its address, or its name.
    fn label(&self) -> &str;

    /// Its size, once all of it was read.
    fn learn_size(&self, _bytes: u64) {}

    /// Whether bytes that nobody needs should be left where they are.
    fn is_thrifty(&self) -> bool {
        false
    }

    /// Bytes behind its end were asked for, that nobody has: those up to where the next file begins.
    fn padded(&self, _bytes: u32) {}
}
