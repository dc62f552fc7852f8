//! The header of a GGUF file: its metadata and its table of tensors, from the first bytes alone.
//!
//! Nobody's bytes are trusted: counts are compared with the bytes that could hold them, arithmetic is
//! checked, and no allocation has a size that the file names. Refuses to know what a model is.

use super::foreign;
use super::ggml_type::{ggml_type, type_name};
use super::header::{Header, Origin, TensorInfo, refuse_duplicates};
use super::metadata::Metadata;
use super::reader::{Read, Reader, Stop};
use crate::{Error, Result};

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

/// Reads the header.
pub(super) fn read(prefix: &[u8]) -> Read<Header> {
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
    Ok(Header {
        origin: Origin::Gguf { version },
        metadata,
        tensors,
        data_offset,
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
