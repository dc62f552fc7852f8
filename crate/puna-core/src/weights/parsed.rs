//! What became of reading a header from the first bytes of a file.

/// A header, or that there is more of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<T> {
    /// The whole header was there.
    Done(T),
    /// So far it is a good header. Of a GGUF the least that is known to be missing is often far too little (of an array of
    /// strings only the lengths count): ask for at least twice as much as before. Of safetensors it is all.
    NeedMore {
        /// Bytes in total, from the start of the file, that can't be enough if they are fewer.
        at_least: u64,
    },
}
