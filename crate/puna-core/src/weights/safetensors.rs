//! The header of a safetensors file (<https://github.com/huggingface/safetensors>): 8 bytes of a length, and so many of JSON,
//! a table of tensors.

use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::parsed::Parsed;
use super::reader::MAX_HEADER_BYTES;
use crate::sorted::sorted;
use crate::{Error, Result};

/// Tensors of the largest file known: some thousand.
const MAX_TENSORS: usize = 1 << 16;
const MAX_NAME_BYTES: usize = 1024;
/// The longest known has five dimensions.
const MAX_DIMS: usize = 8;
/// Bytes of the length in front.
const LENGTH_BYTES: u64 = 8;

/// The header of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Safetensors {
    /// The tensors, in the order of their bytes.
    pub tensors: Vec<Entry>,
    /// Where their bytes begin.
    pub data_offset: u64,
}

/// One tensor of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, `"model.layers.0.self_attn.q_proj.weight"`.
    pub name: String,
    /// Its type, `"BF16"`.
    pub dtype: String,
    /// Sizes, outermost first: (R, K) of a matrix.
    pub shape: Vec<u64>,
    /// Where its bytes begin, from the start of the file.
    pub offset: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Reads the header from the first bytes of a file.
///
/// # Errors
/// `bad_model_file` for what is no such header.
pub fn parse(prefix: &[u8]) -> Result<Parsed<Safetensors>> {
    let Some((length, rest)) = prefix.split_first_chunk() else {
        return Ok(Parsed::NeedMore {
            at_least: LENGTH_BYTES,
        });
    };
    let length = u64::from_le_bytes(*length);
    if length.saturating_add(LENGTH_BYTES) > MAX_HEADER_BYTES {
        return Err(Error::bad_model_file(format!(
            "a header of {length} bytes, expected at most {MAX_HEADER_BYTES}: it is no safetensors file, or damaged"
        )));
    }
    let data_offset = length.saturating_add(LENGTH_BYTES);
    let json = usize::try_from(length).ok().and_then(|it| rest.get(..it));
    let Some(json) = json else {
        return Ok(Parsed::NeedMore {
            at_least: data_offset,
        });
    };
    let table: Table = serde_json::from_slice(json)
        .map_err(|error| Error::bad_model_file(format!("the header's JSON: {error}")))?;
    let mut tensors = Vec::new();
    for (name, info) in table.0 {
        tensors.push(entry(name, info, data_offset)?);
    }
    Ok(Parsed::Done(Safetensors {
        tensors: sorted(tensors, &|a, b| a.offset.cmp(&b.offset)),
        data_offset,
    }))
}

fn entry(name: String, info: Info, data_offset: u64) -> Result<Entry> {
    let bad = |what: String| Error::bad_model_file(format!("tensor {name}: {what}"));
    if info.shape.len() > MAX_DIMS || info.shape.contains(&0) {
        return Err(bad(format!(
            "has shape {:?}; up to {MAX_DIMS} sizes that are not 0 are possible",
            info.shape
        )));
    }
    let [start, end] = info.data_offsets;
    let bits = dtype_bits(&info.dtype);
    let values = info
        .shape
        .iter()
        .try_fold(1_u64, |n, dim| n.checked_mul(*dim));
    let expected = values.zip(bits).and_then(|(n, bits)| n.checked_mul(bits));
    let expected = expected.map(|bits| bits.div_ceil(8));
    let bytes = end.checked_sub(start);
    let offset = start.checked_add(data_offset);
    let (Some(bytes), Some(offset), true) = (bytes, offset, bits.is_none() || bytes == expected)
    else {
        return Err(bad(format!(
            "bytes {start} to {end} for {} of shape {:?}, expected {expected:?}",
            info.dtype, info.shape
        )));
    };
    if offset.checked_add(bytes).is_none() {
        return Err(bad("its place is beyond any file".to_owned()));
    }
    Ok(Entry {
        name,
        dtype: info.dtype,
        shape: info.shape,
        offset,
        bytes,
    })
}

/// Bits of a value; `None` of an unknown type.
fn dtype_bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F64" | "I64" | "U64" | "C64" => 64,
        "F32" | "I32" | "U32" => 32,
        "F16" | "BF16" | "I16" | "U16" => 16,
        "F8_E4M3" | "F8_E5M2" | "F8_E8M0" | "I8" | "U8" | "BOOL" => 8,
        "F4" => 4,
        _ => return None,
    })
}

#[derive(Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// Names and what is said of them; a name that is there twice is found later.
struct Table(Vec<(String, Info)>);

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TableVisitor)
    }
}

struct TableVisitor;

impl<'de> Visitor<'de> for TableVisitor {
    type Value = Table;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
        let mut tensors = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if tensors.len() == MAX_TENSORS || name.len() > MAX_NAME_BYTES {
                return Err(A::Error::custom(format!(
                    "more than {MAX_TENSORS} tensors, or a name of more than {MAX_NAME_BYTES} bytes"
                )));
            }
            let info = map.next_value()?;
            tensors.push((name, info));
        }
        Ok(Table(tensors))
    }
}
