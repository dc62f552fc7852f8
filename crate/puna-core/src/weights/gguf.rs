//! The header of a GGUF file: its metadata and its table of tensors, from the first bytes alone.
//!
//! Nobody's bytes are trusted: counts are compared with the bytes that could hold them, arithmetic is
//! checked, and no allocation has a size that the file names. Refuses to know what a model is.

use std::collections::HashSet;

use super::foreign;
use super::ggml_type::ggml_type;
use super::reader::{Read, Reader, Stop};
use super::split::Part;
use crate::{Error, Result};

pub use super::ggml_type::type_name;
pub use super::metadata::Metadata;
pub use super::reader::MAX_HEADER_BYTES;
pub use super::value::{StrArray, StrIter};

/// Tensors of the largest models known: some 20 thousand.
const MAX_TENSORS: u64 = 1 << 16;
/// Metadata pairs of any known model: fewer than a hundred.
const MAX_PAIRS: u64 = 1 << 16;
/// ggml holds 64 bytes of a name.
const MAX_NAME_BYTES: u64 = 1024;
const MAX_DIMS: u32 = 4;
const DEFAULT_ALIGNMENT: u64 = 32;
/// The format demands a multiple of 8; larger than a page makes no sense.
const ALIGNMENTS: std::ops::RangeInclusive<u64> = 8..=65536;

/// The header of a GGUF file.
#[derive(Clone, Debug)]
pub struct Gguf {
    /// Version of the format, 2 or 3.
    pub version: u32,
    /// The key-value section.
    pub metadata: Metadata,
    /// The tensors in the header's order.
    pub tensors: Vec<TensorInfo>,
    /// Where the tensors' bytes begin, from the start of the file; a multiple of [`Self::alignment`].
    pub data_offset: u64,
    /// Bytes that every tensor's offset is a multiple of; a power of two, at least 8.
    pub alignment: u64,
    /// Where each file begins that the model is in, if they are put end to end: 0, and the starts of the others if it was
    /// split.
    pub starts: Vec<u64>,
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

/// What became of [`Gguf::parse`].
#[derive(Clone, Debug)]
pub enum Parsed {
    /// The whole header was there.
    Done(Gguf),
    /// So far it is a good header. The least that is known to be missing is often far too little (of an
    /// array of strings only the lengths count): ask for at least twice as much as before.
    NeedMore {
        /// Bytes in total, from the start of the file, that can't be enough if they are fewer.
        at_least: u64,
    },
}

impl Gguf {
    /// Reads the header from the first bytes of a file. Of a header that is not all there, only the
    /// table of its places is kept for the time of the call; cost is linear in `prefix`.
    pub fn parse(prefix: &[u8]) -> Result<Parsed> {
        match read(prefix) {
            Ok(gguf) => Ok(Parsed::Done(gguf)),
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
        let mut tensors: Vec<_> = self.tensors.iter().enumerate().collect();
        tensors.sort_by_key(|(_, tensor)| tensor.offset);
        tensors
    }
}

fn read(prefix: &[u8]) -> Read<Gguf> {
    foreign::check_magic(prefix)?;
    let mut reader = Reader::new(prefix);
    reader.skip(4, "the magic")?;
    let version = reader.u32("the version")?;
    foreign::check_version(version)?;
    let n_tensors = count(&mut reader, "the number of tensors", MAX_TENSORS)?;
    let n_pairs = count(&mut reader, "the number of metadata pairs", MAX_PAIRS)?;
    // A pair: key length, value type, value. A tensor: name length, dimensions, type, offset.
    reader.expect_room(n_pairs, 8 + 4 + 1, "metadata")?;
    let metadata = Metadata::read(&mut reader, prefix, n_pairs)?;
    let alignment = alignment(&metadata)?;
    reader.expect_room(n_tensors, 8 + 4 + 8 + 4 + 8, "the table of tensors")?;
    let mut tensors = Vec::new();
    for _ in 0..n_tensors {
        tensors.push(read_tensor(&mut reader, alignment)?);
    }
    refuse_duplicates(&tensors)?;
    let too_far = || Error::bad_model_file("a tensor's place is beyond any file");
    let data_offset = (reader.at() as u64)
        .checked_next_multiple_of(alignment)
        .ok_or_else(too_far)?;
    for tensor in &mut tensors {
        // Offsets in the file count from the start of the data.
        let place = || too_far().context(format!("tensor {}", tensor.name));
        tensor.offset = tensor.offset.checked_add(data_offset).ok_or_else(place)?;
        tensor.offset.checked_add(tensor.bytes).ok_or_else(place)?;
    }
    Ok(Gguf {
        version,
        metadata,
        tensors,
        data_offset,
        alignment,
        starts: vec![0],
    })
}

fn count(reader: &mut Reader<'_>, what: &str, most: u64) -> Read<u64> {
    let count = reader.u64(what)?;
    if count > most {
        return Err(Stop::Bad(Error::bad_model_file(format!(
            "{what} is {count}; at most {most} are possible, the header is damaged"
        ))));
    }
    Ok(count)
}

fn alignment(metadata: &Metadata) -> Result<u64> {
    const KEY: &str = "general.alignment";
    if !metadata.contains(KEY) {
        return Ok(DEFAULT_ALIGNMENT);
    }
    let alignment = metadata.required_u64(KEY)?;
    if !ALIGNMENTS.contains(&alignment) || !alignment.is_power_of_two() {
        return Err(Error::bad_model_file(format!(
            "{KEY} is {alignment}; it must be a power of two from {} to {}",
            ALIGNMENTS.start(),
            ALIGNMENTS.end()
        )));
    }
    Ok(alignment)
}

fn read_tensor(reader: &mut Reader<'_>, alignment: u64) -> Read<TensorInfo> {
    let (name, _) = reader.string(MAX_NAME_BYTES, "a tensor's name")?;
    let bad =
        |message: String| Stop::Bad(Error::bad_model_file(format!("tensor {name}: {message}")));
    let n_dims = reader.u32(name)?;
    if n_dims == 0 || n_dims > MAX_DIMS {
        return Err(bad(format!(
            "has {n_dims} dimensions; 1 to {MAX_DIMS} are possible"
        )));
    }
    let mut dims = Vec::new();
    for _ in 0..n_dims {
        dims.push(reader.u64(name)?);
    }
    let type_number = reader.u32(name)?;
    let offset = reader.u64(name)?;
    let Some(layout) = ggml_type(type_number) else {
        let called = type_name(type_number)
            .map(|name| format!(" ({name})"))
            .unwrap_or_default();
        return Err(Stop::Bad(
            Error::unsupported_model(format!(
                "tensor {name}: its type number {type_number}{called} is not known here; use a file in another quantisation"
            ))
            .detail("tensor", name)
            .detail("ggml_type", type_number),
        ));
    };
    if dims.contains(&0) {
        return Err(bad(format!("its shape {dims:?} has a 0")));
    }
    let columns = dims.first().copied().unwrap_or_default();
    if columns.checked_rem(u64::from(layout.block_len)) != Some(0) {
        return Err(bad(format!(
            "a row of {columns} values is not whole blocks of {} ({})",
            layout.block_len, layout.name
        )));
    }
    let rows = dims
        .iter()
        .skip(1)
        .try_fold(1_u64, |rows, dim| rows.checked_mul(*dim));
    let bytes = layout
        .row_bytes(columns)
        .zip(rows)
        .and_then(|(row, rows)| row.checked_mul(rows));
    let Some(bytes) = bytes else {
        return Err(bad(format!("its shape {dims:?} is too large for any file")));
    };
    if offset.checked_rem(alignment) != Some(0) {
        return Err(bad(format!(
            "its offset {offset} is not a multiple of the alignment {alignment}"
        )));
    }
    Ok(TensorInfo {
        name: name.to_owned(),
        dims,
        ggml_type: type_number,
        offset,
        bytes,
    })
}

/// Fails if two tensors share a name.
pub(super) fn refuse_duplicates(tensors: &[TensorInfo]) -> Result<()> {
    let mut names = HashSet::new();
    let mut all = tensors.iter().map(|tensor| tensor.name.as_str());
    match all.find(|name| !names.insert(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::bad_model_file(format!(
            "tensor {name}: is there twice"
        ))),
    }
}
