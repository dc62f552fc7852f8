//! What a model's files say of it in front of its weights: metadata by the keys that GGUF has for it, and a table of tensors by
//! its names, wherever both come from.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::gguf;
use super::reader::Stop;
use super::split::Part;
use crate::checkpoint::Companions;
use crate::sorted::sorted;
use crate::{Error, Result};

pub use super::ggml_type::type_name;
pub use super::metadata::Metadata;
pub use super::parsed::Parsed;
pub use super::reader::MAX_HEADER_BYTES;
pub use super::value::{StrArray, StrIter};

/// The header of a model.
#[derive(Clone, Debug)]
pub struct Header {
    /// What files they are.
    pub origin: Origin,
    /// Sizes, the tokenizer, and all else that is no weight.
    pub metadata: Metadata,
    /// The tensors in the header's order.
    pub tensors: Vec<TensorInfo>,
    /// Where the first tensor's bytes begin, from the start of the file.
    pub data_offset: u64,
    /// Where each file begins that the model is in, if they are put end to end: 0, and the starts of the others.
    pub starts: Vec<u64>,
}

/// What files a header is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A GGUF, or the parts of one.
    Gguf {
        /// Version of the format, 2 or 3.
        version: u32,
    },
    /// Safetensors, and what stands beside them.
    Checkpoint(Arc<Companions>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gguf { version } => write!(f, "GGUF v{version}"),
            Self::Checkpoint(_) => f.write_str("safetensors"),
        }
    }
}

/// One tensor of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name in the file, `"blk.0.attn_q.weight"`.
    pub name: String,
    /// Sizes, innermost first: `dims[0]` = columns K, `dims[1]` = rows R. One to four, none is 0.
    pub dims: Vec<u64>,
    /// Number of the type, see [`ggml_type`].
    pub ggml_type: u32,
    /// Where its bytes begin, from the start of the file.
    pub offset: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

impl Header {
    /// Reads the header from the first bytes of a GGUF. Of a header that is not all there, only the
    /// table of its places is kept for the time of the call; cost is linear in `prefix`.
    pub fn from_gguf(prefix: &[u8]) -> Result<Parsed<Self>> {
        match gguf::read(prefix) {
            Ok(header) => Ok(Parsed::Done(header)),
            Err(Stop::Short { at_least }) => Ok(Parsed::NeedMore { at_least }),
            Err(Stop::Bad(error)) => Err(error),
        }
    }

    /// Fails unless every tensor lies inside a file of `file_bytes` and none overlaps another, or if the
    /// file is one part of a model that was split into several, whose others are not there.
    pub fn check(&self, file_bytes: u64) -> Result<()> {
        if let (Some(Part { no, count }), [_]) = (Part::of(self)?, self.starts.as_slice()) {
            return Err(Error::unsupported_model(format!(
                "the file is part {} of {count} of a split model; name the first part, NAME-00001-of-{count:05}.gguf, with \
                 the others beside it, or join them (`llama-gguf-split --merge`)",
                no.saturating_add(1)
            )));
        }
        self.check_tensors(file_bytes)
    }

    /// Fails unless every tensor lies inside a file of `file_bytes` and none overlaps another.
    pub(super) fn check_tensors(&self, file_bytes: u64) -> Result<()> {
        let mut end = self.data_offset;
        let mut before = "the header";
        for (_, tensor) in self.by_offset() {
            if tensor.offset < end {
                return Err(Error::bad_model_file(format!(
                    "tensor {}: begins at byte {}, but {before} ends at byte {end}",
                    tensor.name, tensor.offset
                )));
            }
            // Can't be out of range: `parse` has checked the sum.
            end = tensor.offset.saturating_add(tensor.bytes);
            before = &tensor.name;
            if end > file_bytes {
                return Err(Error::bad_model_file(format!(
                    "tensor {}: its {} bytes at byte {} end at {end}, but the file has {file_bytes} bytes; it is cut short or damaged",
                    tensor.name, tensor.bytes, tensor.offset
                ))
                .detail("file_bytes", file_bytes)
                .detail("needed_bytes", end));
            }
        }
        Ok(())
    }

    /// The tensor called `name`. Cost is linear.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// The tensors and their indices, in the order of their bytes in the file.
    #[must_use]
    pub fn by_offset(&self) -> Vec<(usize, &TensorInfo)> {
        let tensors = self.tensors.iter().enumerate().collect();
        sorted(tensors, &|(_, a), (_, b)| a.offset.cmp(&b.offset))
    }
}

/// Fails if two tensors share a name.
pub(crate) fn refuse_duplicates(tensors: &[TensorInfo]) -> Result<()> {
    let mut names = HashSet::new();
    let mut all = tensors.iter().map(|tensor| tensor.name.as_str());
    match all.find(|name| !names.insert(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::bad_model_file(format!(
            "tensor {name}: is there twice"
        ))),
    }
}
