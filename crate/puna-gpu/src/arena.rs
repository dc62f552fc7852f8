//! Buffers of weights. A matrix whose plane exceeds the device's largest binding is cut by rows
//! into parts: here and nowhere else.

use puna_core::graph::Matrix;
use puna_core::quant::Format;
use puna_core::{Error, ErrorCode, Result};

use crate::device::Gpu;
use crate::split::MOST_ROWS;

/// Offsets of bindings are multiples of this (WebGPU's default limit).
const ALIGN: u64 = 256;

/// Some rows of a matrix on the GPU.
#[derive(Debug)]
pub struct Part {
    /// Matrix row of its row 0; a multiple of [`MOST_ROWS`].
    pub first_row: usize,
    /// Rows.
    pub rows: usize,
    /// All planes, one after the other.
    pub buffer: wgpu::Buffer,
    /// Offset and size of each plane in the buffer, bytes.
    pub planes: Vec<(u64, u64)>,
}

impl Part {
    /// A plane as a binding.
    #[must_use]
    pub fn plane(&self, ix: usize) -> wgpu::BindingResource<'_> {
        let (offset, size) = self.planes[ix];
        wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.buffer,
            offset,
            size: wgpu::BufferSize::new(size),
        })
    }
}

/// Rows of a part and the bytes of each of its planes' rows.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// First row and number of rows of each part.
    pub parts: Vec<(usize, usize)>,
    /// Bytes of a row of each plane.
    pub row_bytes: Vec<u64>,
}

/// How a matrix (rows, cols) is cut so that no plane exceeds `max_binding` and no part `max_buffer` bytes; rows of
/// one of `experts` are never cut.
///
/// # Errors
/// `unsupported_device` when the rows of one unit of work exceed a limit.
pub fn layout(
    format: &Format,
    (rows, cols): (usize, usize),
    experts: usize,
    max_binding: u64,
    max_buffer: u64,
) -> Result<Layout> {
    let row_bytes: Vec<u64> = format
        .planes
        .iter()
        .map(|plane| format.row_words(plane, cols) as u64 * 4)
        .collect();
    let widest = row_bytes.iter().copied().max().unwrap_or(4);
    let total: u64 = row_bytes.iter().sum();
    let slack = ALIGN * row_bytes.len() as u64;
    let cut = match experts {
        1 => u64::from(MOST_ROWS),
        _ => (rows / experts) as u64,
    };
    let most = (max_binding / widest).min(max_buffer.saturating_sub(slack) / total) / cut * cut;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if most == 0 {
        return Err(Error::new(
            ErrorCode::UnsupportedDevice,
            format!(
                "{cut} rows of {cols} weights in {format:?} need {} bytes, this device binds at most {max_binding}",
                cut * widest
            ),
        ));
    }
    let parts = (0..rows)
        .step_by(most.min(rows.max(1)))
        .map(|first| (first, most.min(rows - first)))
        .collect();
    Ok(Layout { parts, row_bytes })
}

/// Makes the buffers of a matrix.
///
/// # Errors
/// As [`layout`].
pub fn allocate(gpu: &Gpu, matrix: &Matrix) -> Result<Vec<Part>> {
    let limits = &gpu.capabilities;
    let layout = layout(
        matrix.format,
        (matrix.rows, matrix.cols),
        matrix.experts,
        limits.max_binding_bytes,
        limits.max_buffer_bytes,
    )?;
    let part = |&(first_row, rows): &(usize, usize)| {
        let mut end = 0;
        let planes: Vec<_> = layout
            .row_bytes
            .iter()
            .map(|row| {
                let start = end;
                let size = row * rows as u64;
                end = (start + size).next_multiple_of(ALIGN);
                (start, size)
            })
            .collect();
        let mut usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
        if matrix.sources.is_empty() {
            // What is of no tensor of the file is written as it is.
            usage |= wgpu::BufferUsages::COPY_DST;
        }
        Part {
            first_row,
            rows,
            buffer: gpu.buffer(&matrix.name, end, usage),
            planes,
        }
    };
    Ok(layout.parts.iter().map(part).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use puna_core::quant::FORMATS;

    #[test]
    fn a_matrix_over_the_binding_limit_is_cut_by_whole_units() {
        for format in FORMATS {
            let whole = layout(format, (4001, 256), 1, u64::MAX, u64::MAX).expect("it fits");
            assert_eq!(whole.parts, [(0, 4001)], "{format:?}: no limit, no cut");
            let cut = layout(format, (4001, 256), 1, 65_536, 1 << 20).expect("rows fit");
            assert!(cut.parts.len() > 1, "{format:?}: it must be cut");
            let mut next = 0;
            for (first, rows) in cut.parts {
                assert!(
                    first == next && first % MOST_ROWS as usize == 0,
                    "{format:?}: parts follow each other at whole units"
                );
                assert!(
                    cut.row_bytes.iter().all(|row| row * rows as u64 <= 65_536),
                    "{format:?}: a plane is too big"
                );
                next = first + rows;
            }
            assert_eq!(next, 4001, "{format:?}: all rows are there");
        }
    }

    #[test]
    fn the_rows_of_an_expert_stay_together() {
        let cut = layout(FORMATS[0], (600, 64), 6, 65_536, u64::MAX).expect("an expert fits");
        assert_eq!(cut.parts, [(0, 200), (200, 200), (400, 200)]);
        layout(FORMATS[0], (600, 64), 2, 65_536, u64::MAX).expect_err("an expert is too large");
    }

    #[test]
    fn a_row_over_the_limit_is_refused() {
        let error = layout(FORMATS[0], (4, 4096), 1, 4096, 1 << 20).expect_err("a row of 16 KiB");
        assert_eq!(error.code(), ErrorCode::UnsupportedDevice, "{error}");
    }
}
