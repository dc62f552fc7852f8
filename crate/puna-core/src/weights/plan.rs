//! One plan for three uses: what to download in which order, what to cache, what to upload.
//!
//! A file is cut into chunks. No row of a tensor lies in two of them, so that each chunk can be
//! uploaded on its own and forgotten. Knows bytes alone: no URL, no device.

use serde::{Deserialize, Serialize};

use super::ggml_type::ggml_type;
use super::header::{Header, TensorInfo};
use crate::{Error, Result};

/// Largest chunk of a file that is loaded by ranges.
pub const CHUNK_BYTES: u32 = 4 << 20;
/// Chunks in flight at once. Lanes × chunk is what loading holds in memory, whatever the model.
pub const LANES: usize = 4;
/// Nothing is cut into smaller chunks than this.
pub const MIN_CHUNK_BYTES: u32 = 4096;
/// Nothing is cut into larger chunks than this: a chunk is held in memory.
pub const MAX_CHUNK_BYTES: u32 = 64 << 20;
/// 4 TiB in chunks of 4 MiB.
const MAX_CHUNKS: u64 = 1 << 20;

/// A file cut into chunks, which cover it exactly and in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Size of the file.
    pub file_bytes: u64,
    /// In the order of the file; the first ones hold the header.
    pub chunks: Vec<Chunk>,
}

/// A range of the file that is fetched, stored and uploaded as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// From the start of the file.
    pub offset: u64,
    /// Never 0.
    pub bytes: u32,
    /// The parts of tensors inside, in the order of their bytes; none in the header's chunks.
    pub pieces: Vec<Piece>,
}

impl Chunk {
    /// Where the chunk ends, from the start of the file.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes as u64)
    }
}

/// A part of one tensor inside a chunk: whole rows, or whole blocks of a tensor with one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Index in [`Header::tensors`].
    pub tensor: usize,
    /// Where the part begins in the chunk.
    pub chunk_offset: u32,
    /// Where the part begins in the tensor; a multiple of 4 and of the row.
    pub tensor_offset: u64,
    /// Size of the part; a multiple of 4 unless it is the tensor's end.
    pub bytes: u32,
}

impl Plan {
    /// Cuts a file of `file_bytes` into chunks of at most `chunk_bytes`.
    pub fn new(header: &Header, file_bytes: u64, chunk_bytes: u32) -> Result<Self> {
        if !(MIN_CHUNK_BYTES..=MAX_CHUNK_BYTES).contains(&chunk_bytes)
            || !chunk_bytes.is_multiple_of(4)
        {
            return Err(Error::invalid_request(
                "chunk_bytes",
                format!(
                    "a chunk of {chunk_bytes} bytes; expected a multiple of 4 from {MIN_CHUNK_BYTES} to {MAX_CHUNK_BYTES}"
                ),
            ));
        }
        bound(file_bytes, u64::from(chunk_bytes))?;
        let tensors = spans(header, file_bytes)?;
        let mut cuts = Vec::new();
        let mut at = 0;
        let mut rest = tensors.as_slice();
        while at < file_bytes {
            // The header is cut apart from the data: it is wanted first and on its own.
            let data = (at < header.data_offset).then_some(header.data_offset);
            // A chunk is of one file, where there are several.
            let later = header.starts.iter().find(|start| **start > at);
            let limit = data.into_iter().chain(later.copied());
            let limit = limit.fold(file_bytes, u64::min);
            let full = at.saturating_add(u64::from(chunk_bytes));
            while let Some((first, later)) = rest.split_first()
                && first.end() <= full
            {
                rest = later;
            }
            let end = if full >= limit {
                limit
            } else {
                cut_at_or_before(full, at, rest.first())?
            };
            cuts.push((at, bytes_between(at, end)?));
            at = end;
        }
        Self::assemble(tensors, file_bytes, cuts)
    }

    /// The plan for chunks that were cut before, as a manifest or an index of the cache records them:
    /// `(offset, bytes)` each. Fails unless they cover the file exactly and cut no row.
    pub fn from_cuts(header: &Header, file_bytes: u64, cuts: Vec<(u64, u32)>) -> Result<Self> {
        let mut at = 0;
        for (offset, bytes) in &cuts {
            if *offset != at || *bytes == 0 || *bytes > MAX_CHUNK_BYTES {
                return Err(Error::bad_model_file(format!(
                    "a chunk of {bytes} bytes at byte {offset}; expected 1 to {MAX_CHUNK_BYTES} bytes at byte {at}"
                )));
            }
            at = at.saturating_add(u64::from(*bytes));
        }
        if at != file_bytes {
            return Err(Error::bad_model_file(format!(
                "the chunks cover {at} bytes of a file of {file_bytes}"
            )));
        }
        bound(cuts.len() as u64, 1)?;
        let is_cut = |start: &&u64| cuts.iter().all(|(offset, _)| offset != *start);
        if let Some(start) = header.starts.iter().find(is_cut) {
            return Err(Error::bad_model_file(format!(
                "no chunk begins at byte {start}, where one of the model's files does"
            )));
        }
        Self::assemble(spans(header, file_bytes)?, file_bytes, cuts)
    }

    /// The chunks that hold the header, which no tensor is part of.
    #[must_use]
    pub fn header_chunks(&self, header: &Header) -> usize {
        self.chunks
            .iter()
            .take_while(|chunk| chunk.offset < header.data_offset)
            .count()
    }

    /// The size of the largest chunk.
    #[must_use]
    pub fn largest_chunk_bytes(&self) -> u32 {
        self.chunks
            .iter()
            .map(|chunk| chunk.bytes)
            .max()
            .unwrap_or(0)
    }

    /// `cuts` cover the file in order.
    fn assemble(tensors: Vec<Span<'_>>, file_bytes: u64, cuts: Vec<(u64, u32)>) -> Result<Self> {
        let mut chunks = Vec::new();
        let mut rest = tensors.as_slice();
        for (offset, bytes) in cuts {
            let end = offset.saturating_add(u64::from(bytes));
            let mut pieces = Vec::new();
            while let Some((span, later)) = rest.split_first()
                && span.start() < end
            {
                pieces.push(span.piece(offset, end)?);
                if span.end() > end {
                    break;
                }
                rest = later;
            }
            chunks.push(Chunk {
                offset,
                bytes,
                pieces,
            });
        }
        Ok(Self { file_bytes, chunks })
    }
}

/// A tensor's place in the file, and where it may be cut.
struct Span<'a> {
    tensor: &'a TensorInfo,
    ix: usize,
    /// A tensor may be cut at its start plus a multiple of this.
    unit: u64,
}

impl Span<'_> {
    const fn start(&self) -> u64 {
        self.tensor.offset
    }

    const fn end(&self) -> u64 {
        self.tensor.offset.saturating_add(self.tensor.bytes)
    }

    /// The part between `from` and `to`, both in the file.
    fn piece(&self, from: u64, to: u64) -> Result<Piece> {
        let start = self.start().max(from);
        let tensor_offset = start.saturating_sub(self.start());
        let end = self.end().min(to);
        let stop = end.saturating_sub(self.start());
        if !tensor_offset.is_multiple_of(self.unit)
            || (end < self.end() && !stop.is_multiple_of(self.unit))
        {
            return Err(Error::bad_model_file(format!(
                "a chunk from byte {from} to {to} cuts tensor {} inside a row: it may be cut every {} bytes from byte {}",
                self.tensor.name,
                self.unit,
                self.start()
            )));
        }
        Ok(Piece {
            tensor: self.ix,
            chunk_offset: bytes_between(from, start)?,
            tensor_offset,
            bytes: bytes_between(start, end)?,
        })
    }
}

/// The tensors by their place, checked to be inside the file.
fn spans(header: &Header, file_bytes: u64) -> Result<Vec<Span<'_>>> {
    if file_bytes < header.data_offset && !header.tensors.is_empty() || file_bytes == 0 {
        return Err(Error::bad_model_file(format!(
            "the file has {file_bytes} bytes, its header alone {}; it is cut short",
            header.data_offset
        )));
    }
    header.check(file_bytes)?;
    let mut spans = Vec::new();
    for (ix, tensor) in header.by_offset() {
        let unit = unit(tensor).ok_or_else(|| {
            Error::unsupported_model(format!(
                "tensor {}: type number {} has no known layout",
                tensor.name, tensor.ggml_type
            ))
        })?;
        spans.push(Span { tensor, ix, unit });
    }
    Ok(spans)
}

/// The least multiple of 4 bytes that is whole rows, so that each chunk can be scattered by rows; whole
/// blocks where there is but one row.
fn unit(tensor: &TensorInfo) -> Option<u64> {
    let layout = ggml_type(tensor.ggml_type)?;
    let whole = if tensor.dims.len() == 1 && layout.row_extra_bytes == 0 {
        u64::from(layout.block_bytes)
    } else {
        layout
            .row_bytes(*tensor.dims.first()?)?
            .checked_mul(u64::from(layout.rows_together))?
    };
    match whole.checked_rem(4)? {
        0 => Some(whole),
        2 => whole.checked_mul(2),
        _ => whole.checked_mul(4),
    }
}

/// The last place where a chunk that began at `from` may end, not after `full`. `span` is the first tensor
/// that ends after `full`.
fn cut_at_or_before(full: u64, from: u64, span: Option<&Span<'_>>) -> Result<u64> {
    let Some(span) = span.filter(|span| span.start() < full) else {
        // Between tensors; `from` and the size of a chunk are multiples of 4.
        return Ok(full);
    };
    let inside = full.saturating_sub(span.start());
    let remainder = inside.checked_rem(span.unit).unwrap_or(0);
    let cut = full.saturating_sub(remainder);
    if cut > from {
        return Ok(cut);
    }
    Err(Error::unsupported_model(format!(
        "tensor {}: can only be cut every {} bytes, which is more than a chunk holds",
        span.tensor.name, span.unit
    )))
}

fn bytes_between(from: u64, to: u64) -> Result<u32> {
    to.checked_sub(from)
        .and_then(|bytes| u32::try_from(bytes).ok())
        .ok_or_else(|| Error::internal(format!("a chunk from byte {from} to byte {to}")))
}

fn bound(amount: u64, each: u64) -> Result<()> {
    if amount.div_ceil(each.max(1)) > MAX_CHUNKS {
        return Err(Error::unsupported_model(format!(
            "a file of {amount} bytes would be more than {MAX_CHUNKS} chunks"
        )));
    }
    Ok(())
}
