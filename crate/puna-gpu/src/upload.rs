//! Raw ranges of the file → planes on the GPU, in bounded slices.
//!
//! A chunk's bytes go into a buffer as they are; one dispatch for each plane of each piece scatters
//! them; the buffer is used again for the next chunk. Nothing is kept.

use std::ops::Range;

use puna_core::Result;
use puna_core::graph::{Graph, Matrix, MatrixIx, Source, Target, Transposed, Vector};
use puna_core::quant::{Format, Interleaving};
use puna_core::weights::plan::Chunk;

use crate::arena::Part;
use crate::device::{Counters, Gpu};
use crate::kernel::deinterleave::{self, DeinterleaveParams};
use crate::kernel::place::{self, PlaceParams};
use crate::kernel::quantize::{self, QuantizeParams};
use crate::kernel::repack::{self, RepackParams};
use crate::kernel::transpose::{self, TransposeParams};
use crate::kernel::{lines, to_u32};
use crate::pipeline::Pipelines;
use crate::shader::binding;
use crate::shader::variant::Variant;
use crate::split::WORKGROUP;

/// Buffers of raw bytes in use at a time.
const SLOTS: usize = 4;

/// The state of an upload.
#[derive(Debug, Default)]
pub struct Uploader {
    slots: Vec<wgpu::Buffer>,
    next: usize,
    slot_bytes: u64,
    /// A piece's rows, taken apart or rounded, as a file would have them.
    plain: Option<wgpu::Buffer>,
    /// What bits they are made of, by the number of the format.
    sources: Vec<(u32, wgpu::Buffer)>,
}

impl Uploader {
    /// The buffer for the next chunk's raw bytes, at offset 0; `bytes` of it at most [`u32::MAX`].
    pub(crate) fn slot(&mut self, gpu: &Gpu, bytes: u64) -> wgpu::Buffer {
        let bytes = bytes.next_multiple_of(4);
        if bytes > self.slot_bytes {
            // Whatever was written to them has been submitted.
            self.slots.drain(..).for_each(|slot| slot.destroy());
            self.next = 0;
            self.slot_bytes = bytes;
        }
        let ix = self.next % SLOTS;
        self.next += 1;
        if ix == self.slots.len() {
            let usage = wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_DST
                | wgpu::BufferUsages::COPY_SRC;
            self.slots
                .push(gpu.buffer("raw chunk", self.slot_bytes, usage));
        }
        self.slots[ix].clone()
    }

    /// Room for as many bytes as a slot has, and a few more.
    fn plain(&mut self, gpu: &Gpu) -> wgpu::Buffer {
        // Blocks are made in pairs, of which the second may be none.
        let bytes = self.slot_bytes + 64;
        let room = |plain: &wgpu::Buffer| plain.size() >= bytes;
        let plain = match self.plain.take_if(|plain| room(plain)) {
            Some(plain) => plain,
            None => {
                let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
                gpu.buffer("rows that stand alone", bytes, usage)
            }
        };
        // One that was too small is destroyed when nothing refers to it any more.
        self.plain = Some(plain.clone());
        plain
    }

    /// The sources of a format's bits.
    fn sources(&mut self, gpu: &Gpu, format: &Format, interleaving: &Interleaving) -> wgpu::Buffer {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let known = self.sources.iter().find(|(of, _)| *of == format.ggml_type);
        if let Some((_, buffer)) = known {
            return buffer.clone();
        }
        let words = interleaving.sources();
        let buffer = gpu.buffer("sources of bits", words.len() as u64 * 4, usage);
        gpu.queue
            .write_buffer(&buffer, 0, bytemuck::cast_slice(&words));
        self.sources.push((format.ggml_type, buffer.clone()));
        buffer
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        let others = self
            .plain
            .iter()
            .chain(self.sources.iter().map(|(_, buffer)| buffer));
        self.slots
            .iter()
            .chain(others)
            .for_each(wgpu::Buffer::destroy);
    }
}

/// What an upload writes to.
pub(crate) struct Destination<'a> {
    pub(crate) graph: &'a Graph,
    /// By tensor of the file: where it goes; several where a matrix is used twice.
    pub(crate) targets: &'a [Vec<Target>],
    pub(crate) matrices: &'a [Vec<Part>],
    pub(crate) vectors: &'a wgpu::Buffer,
    /// Offset of each vector, in vec4s.
    pub(crate) gains: &'a [u32],
}

/// Encodes the scattering of a chunk whose raw bytes stand in `slot`.
pub(crate) fn scatter(
    gpu: &Gpu,
    pipelines: &mut Pipelines,
    uploader: &mut Uploader,
    to: &Destination<'_>,
    chunk: &Chunk,
    slot: &wgpu::Buffer,
) -> Result<wgpu::CommandBuffer> {
    let mut encoder = gpu
        .device
        .create_command_encoder(&wgpu::CommandEncoderDescriptor {
            label: Some("upload"),
        });
    for piece in &chunk.pieces {
        let place = Place {
            at: piece.chunk_offset,
            tensor_offset: piece.tensor_offset,
            bytes: piece.bytes,
        };
        for target in to.targets.get(piece.tensor).into_iter().flatten() {
            match *target {
                Target::Vector { vector, source } => {
                    let table = &to.graph.vectors[vector];
                    let source = &table.sources[source];
                    if let Some(params) = elements(to.gains[vector], table, source, place) {
                        let [x, y] = PlaceParams::grid(params.count);
                        let work = Work {
                            variant: &place::variant(),
                            params: bytemuck::bytes_of(&params),
                            workgroups: [x, y, 1],
                        };
                        let buffers = vec![
                            (binding::OUT, to.vectors.as_entire_binding()),
                            (binding::RAW, slot.as_entire_binding()),
                        ];
                        dispatch(gpu, pipelines, &mut encoder, &work, buffers);
                    }
                }
                // The table of rotations is made of them without the GPU.
                Target::Factors(_) => {}
                Target::Rows { matrix, source } => {
                    let table = &to.graph.matrices[matrix];
                    let source = &table.sources[source];
                    if let Some(transposed) = source.transposed {
                        let parts = transposed_parts(to, matrix, source, transposed, place)?;
                        for (part, params) in parts {
                            let [x, y] = lines((params.rows * params.out_rows).div_ceil(WORKGROUP));
                            let work = Work {
                                variant: &transpose::variant(),
                                params: bytemuck::bytes_of(&params),
                                workgroups: [x, y, 1],
                            };
                            let buffers = vec![
                                (binding::OUT, to.matrices[matrix][part].plane(0)),
                                (binding::RAW, slot.as_entire_binding()),
                            ];
                            dispatch(gpu, pipelines, &mut encoder, &work, buffers);
                        }
                        continue;
                    }
                    // As a file would have them, the piece's rows stand in the chunk, or, once they are rounded, in front of
                    // another buffer.
                    let mut raw_at = place.at;
                    let plain = if let Some(interleaving) = table.format.interleaving {
                        let sources = uploader.sources(gpu, table.format, &interleaving);
                        let buffers = (uploader.plain(gpu), sources);
                        deinterleave(gpu, pipelines, &mut encoder, table, slot, place, &buffers);
                        Some(buffers.0)
                    } else if table.stored != table.format {
                        raw_at = 0;
                        let plain = uploader.plain(gpu);
                        quantize(gpu, pipelines, &mut encoder, table, slot, place, &plain);
                        Some(plain)
                    } else {
                        None
                    };
                    let parts = rows_to_parts(to, matrix, source, place, raw_at)?;
                    let raw = plain.as_ref().unwrap_or(slot);
                    for (part, params) in parts {
                        let out = to.matrices[matrix][part].plane(params.plane as usize);
                        let [x, y] = lines((params.rows * params.used_words).div_ceil(WORKGROUP));
                        let work = Work {
                            variant: &repack::variant(table.format, table.cols),
                            params: bytemuck::bytes_of(&params),
                            workgroups: [x, y, 1],
                        };
                        let buffers =
                            vec![(binding::OUT, out), (binding::RAW, raw.as_entire_binding())];
                        dispatch(gpu, pipelines, &mut encoder, &work, buffers);
                    }
                }
            }
        }
    }
    Ok(encoder.finish())
}

/// Where a piece's bytes stand: in the chunk, and in its tensor.
#[derive(Clone, Copy)]
struct Place {
    at: u32,
    tensor_offset: u64,
    bytes: u32,
}

/// Where the elements of a piece go, if any of them is the source's.
fn elements(first: u32, table: &Vector, source: &Source, place: Place) -> Option<PlaceParams> {
    let size = table.format.value_bytes;
    let start = usize::try_from(place.tensor_offset).unwrap_or(usize::MAX) / size;
    let own = source.among(start..start.saturating_add(place.bytes as usize / size));
    let (head_dim, rotated) = halves(source);
    (!own.is_empty()).then(|| PlaceParams {
        raw_at: place.at + to_u32((own.start - start) * size),
        count: to_u32(own.len()),
        skipped: to_u32(own.start - source.from),
        first: first + to_u32(source.first_row),
        head_dim,
        rotated,
        type_number: table.format.ggml_type,
        offset: table.offset,
        row_step: to_u32(source.row_step),
        grid_x: PlaceParams::grid(to_u32(own.len()))[0],
        padding: [0; 2],
    })
}

fn halves(source: &Source) -> (u32, u32) {
    let halves = source
        .halves
        .map(|it| (to_u32(it.head_dim), to_u32(it.rotated)));
    halves.unwrap_or_default()
}

/// The matrix rows among which rows `own` of a source land.
fn span(source: &Source, own: &Range<usize>) -> Range<usize> {
    // A row whose pair is in the other half stays within its head.
    let head = source.halves.map_or(1, |halves| halves.head_dim);
    let (start, end) = (own.start - source.from, own.end - source.from);
    let (start, end) = (start / head * head, end.next_multiple_of(head));
    source.first_row + start * source.row_step..source.first_row + (end - 1) * source.row_step + 1
}

/// Cuts a piece, whose rows stand at `raw_at` in the form of its format, at the borders of parts.
fn rows_to_parts(
    to: &Destination<'_>,
    matrix: MatrixIx,
    source: &Source,
    place: Place,
    raw_at: u32,
) -> Result<Vec<(usize, RepackParams)>> {
    let table = &to.graph.matrices[matrix];
    let row_bytes = table.format.row_bytes(table.cols);
    let rows = table.rows_at(source, place.tensor_offset, place.bytes.into())?;
    let own = source.among(rows.clone());
    if own.is_empty() {
        return Ok(Vec::new());
    }
    let span = span(source, &own);
    let raw_at = raw_at + to_u32((own.start - rows.start) * row_bytes);
    let (head_dim, rotated) = halves(source);
    let mut dispatches = Vec::new();
    for (part, range) in to.matrices[matrix].iter().enumerate() {
        if range.first_row >= span.end || range.first_row + range.rows <= span.start {
            continue;
        }
        for (ix, plane) in table.format.planes.iter().enumerate() {
            let used_words = table.format.used_words(plane, table.cols);
            let groups = to_u32(own.len() * used_words).div_ceil(WORKGROUP);
            let params = RepackParams {
                raw_at,
                row_bytes: to_u32(row_bytes),
                rows: to_u32(own.len()),
                skipped: to_u32(own.start - source.from),
                first_row: to_u32(source.first_row),
                row_step: to_u32(source.row_step),
                head_dim,
                rotated,
                part_row: to_u32(range.first_row),
                part_rows: to_u32(range.rows),
                plane: to_u32(ix),
                row_words: to_u32(table.format.row_words(plane, table.cols)),
                used_words: to_u32(used_words),
                grid_x: lines(groups)[0],
                padding: [0; 2],
            };
            dispatches.push((part, params));
        }
    }
    Ok(dispatches)
}

/// The same of a tensor that has the matrix's columns as rows; floats are one plane.
fn transposed_parts(
    to: &Destination<'_>,
    matrix: MatrixIx,
    source: &Source,
    transposed: Transposed,
    place: Place,
) -> Result<Vec<(usize, TransposeParams)>> {
    let table = &to.graph.matrices[matrix];
    let rows = table.rows_at(source, place.tensor_offset, place.bytes.into())?;
    let groups = rows.start / transposed.group_rows..rows.end.div_ceil(transposed.group_rows);
    let first = source.first_row + groups.start * transposed.rows * source.row_step;
    let end = source.first_row + groups.end * transposed.rows * source.row_step;
    let row_words = table.format.row_words(&table.format.planes[0], table.cols);
    let mut dispatches = Vec::new();
    for (part, range) in to.matrices[matrix].iter().enumerate() {
        if range.first_row >= end || range.first_row + range.rows <= first {
            continue;
        }
        let groups = to_u32(rows.len() * transposed.rows).div_ceil(WORKGROUP);
        let params = TransposeParams {
            raw_at: place.at,
            there: to_u32(rows.start),
            rows: to_u32(rows.len()),
            width: to_u32(transposed.width),
            first: to_u32(transposed.first),
            group_rows: to_u32(transposed.group_rows),
            cols: to_u32(transposed.cols),
            out_rows: to_u32(transposed.rows),
            first_row: to_u32(source.first_row),
            row_step: to_u32(source.row_step),
            part_row: to_u32(range.first_row),
            part_rows: to_u32(range.rows),
            row_words: to_u32(row_words),
            value_bytes: to_u32(table.stored.value_bytes),
            grid_x: lines(groups)[0],
            padding: 0,
        };
        dispatches.push((part, params));
    }
    Ok(dispatches)
}

/// Makes rows that stand alone of a piece's rows, at the same place of another buffer.
fn deinterleave(
    gpu: &Gpu,
    pipelines: &mut Pipelines,
    encoder: &mut wgpu::CommandEncoder,
    table: &Matrix,
    slot: &wgpu::Buffer,
    place: Place,
    (plain, sources): &(wgpu::Buffer, wgpu::Buffer),
) {
    let params = DeinterleaveParams::new(table.format, table.cols, place.at, place.bytes);
    let [x, y] = params.workgroups();
    let buffers = [
        (binding::X, sources.as_entire_binding()),
        (binding::OUT, plain.as_entire_binding()),
        (binding::RAW, slot.as_entire_binding()),
    ];
    let work = Work {
        variant: &deinterleave::variant(),
        params: bytemuck::bytes_of(&params),
        workgroups: [x, y, 1],
    };
    dispatch(gpu, pipelines, encoder, &work, buffers.into());
}

/// Rounds a piece's rows of floats to blocks, at the front of another buffer.
fn quantize(
    gpu: &Gpu,
    pipelines: &mut Pipelines,
    encoder: &mut wgpu::CommandEncoder,
    table: &Matrix,
    slot: &wgpu::Buffer,
    place: Place,
    plain: &wgpu::Buffer,
) {
    let params = QuantizeParams::new(table.stored, place.at, place.bytes);
    let [x, y] = params.workgroups();
    let work = Work {
        variant: &quantize::variant(table.format),
        params: bytemuck::bytes_of(&params),
        workgroups: [x, y, 1],
    };
    let buffers = vec![
        (binding::OUT, plain.as_entire_binding()),
        (binding::RAW, slot.as_entire_binding()),
    ];
    dispatch(gpu, pipelines, encoder, &work, buffers);
}

/// What a dispatch does that is made for once.
pub(crate) struct Work<'a> {
    pub(crate) variant: &'a Variant,
    pub(crate) params: &'a [u8],
    pub(crate) workgroups: [u32; 3],
}

pub(crate) fn dispatch(
    gpu: &Gpu,
    pipelines: &mut Pipelines,
    encoder: &mut wgpu::CommandEncoder,
    work: &Work<'_>,
    buffers: Vec<(u32, wgpu::BindingResource<'_>)>,
) {
    let label = Some(work.variant.kernel);
    let pipeline = pipelines.get(gpu, work.variant);
    let uniform = gpu.buffer(
        "upload params",
        work.params.len() as u64,
        wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
    );
    gpu.queue.write_buffer(&uniform, 0, work.params);
    let entry = |(binding, resource)| wgpu::BindGroupEntry { binding, resource };
    let mut entries = vec![entry((binding::PARAMS, uniform.as_entire_binding()))];
    entries.extend(buffers.into_iter().map(entry));
    Counters::tick(&gpu.counters.bind_groups);
    let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &entries,
    });
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
        label,
        timestamp_writes: None,
    });
    pass.set_pipeline(&pipeline);
    pass.set_bind_group(0, &group, &[]);
    let [x, y, z] = work.workgroups;
    pass.dispatch_workgroups(x, y, z);
}
