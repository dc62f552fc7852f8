//! Runs a graph: buffers, pipelines and bind groups are made once; a step replays them.

mod adapt;
pub mod measure;
mod sample;
pub mod tune;

use std::ops::Range;
use std::rc::Rc;

use puna_core::graph::{Graph, Target, Wanted};
use puna_core::places::{MOST_TOGETHER, Places};
use puna_core::pool::Copy as RowCopy;
use puna_core::session::grown_capacity;
use puna_core::weights::plan::Chunk;
use puna_core::{Error, ErrorCode, Result};

use crate::arena::Part;
use crate::choices::Choices;
use crate::chunks::Chunks;
use crate::device::{Counters, Gpu};
use crate::fit::{Fit, row_bytes};
use crate::kernel::rounds::{self, RoundsParams};
use crate::kernel::{self, Recipe, Seat, Setting, Step, place, repack, to_u32};
use crate::kv_cache::{KvCache, rows_bytes};
use crate::kv_rows;
use crate::memory::Memory;
use crate::pipeline::Pipelines;
use crate::program::{Dispatch, recipes};
use crate::readback::{Readback, Tick};
use crate::run_ahead::{Clock, RunAhead};
use crate::sampler::{GpuSampler, Shared};
use crate::shader::binding;
use crate::shader::variant::{KvType, Precision};
use crate::split::{Split, Width};
use crate::tape::{Tape, Work};
use crate::upload::{self, Destination, Uploader};

/// Which variants to use, and how large things are.
pub struct ExecutorOptions {
    /// The work split; the device's best where none is given.
    pub split: Option<Split>,
    /// Products in f16?
    pub precision: Precision,
    /// Element of the KV cache.
    pub kv: KvType,
    /// Most tokens of the context; the model's own where none is given.
    pub context_length: Option<u32>,
    /// Most tokens of a call of [`Executor::forward`].
    pub max_tokens: usize,
    /// Most tokens whose logits a call returns.
    pub max_logits: usize,
    /// Whether inputs of prompts may be rounded to 8 bits where that is faster.
    pub rounds: bool,
    /// Ways that were found to be fast on this device, by [`Executor::tune`].
    pub choices: Choices,
    /// Pokes pending maps; see [`crate::readback`].
    pub tick: Option<Tick>,
    /// Tells how long steps take; natively the system's where none is given. Without one there are always as few steps
    /// in flight as can be.
    pub clock: Option<Clock>,
}

impl Default for ExecutorOptions {
    fn default() -> Self {
        Self {
            split: None,
            precision: Precision::F32,
            kv: KvType::F16,
            context_length: None,
            max_tokens: 256,
            max_logits: 1,
            rounds: false,
            choices: Choices::default(),
            tick: None,
            clock: None,
        }
    }
}

impl std::fmt::Debug for ExecutorOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecutorOptions")
            .field("split", &self.split)
            .field("precision", &self.precision)
            .field("kv", &self.kv)
            .finish_non_exhaustive()
    }
}

/// By width of the split.
type Programs = Vec<(Width, Vec<Dispatch>)>;

/// A graph on the GPU, with its weights and its KV cache.
pub struct Executor {
    gpu: Gpu,
    graph: Graph,
    options: ExecutorOptions,
    split: Split,
    context_length: usize,
    /// Rows of the KV cache at most.
    most_rows: usize,
    /// Where the conversations of the last call begin.
    first_rows: Vec<usize>,
    memory: Memory,
    pipelines: Pipelines,
    uploader: Uploader,
    targets: Vec<Vec<Target>>,
    readback: Readback,
    sampler: GpuSampler,
    run_ahead: RunAhead,
    chunks: Chunks,
    choices: Choices,
    clock: Rc<Clock>,
    tick: Option<Tick>,
    /// A program for each of the split's widths.
    programs: Programs,
    /// The same with what adapters add; none if there are none.
    adapted_programs: Programs,
    /// Which of them run.
    adapted: bool,
    logits: Vec<f32>,
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor")
            .field("gpu", &self.gpu)
            .field("options", &self.options)
            .field("split", &self.split)
            .field("choices", &self.choices)
            .field("run_ahead", &self.run_ahead)
            .finish_non_exhaustive()
    }
}

impl Executor {
    /// Allocates everything and compiles the pipelines; the weights follow by [`Self::upload`].
    ///
    /// # Errors
    /// `out_of_memory`, `shader_failed`, `unsupported_model` (a head's size that is no multiple of 4) or
    /// `unsupported_device` (a row over the device's limits).
    pub async fn new(
        gpu: Gpu,
        graph: Graph,
        n_tensors: usize,
        mut options: ExecutorOptions,
    ) -> Result<Self> {
        let Fit {
            split,
            context_length,
            most_rows,
            max_tokens,
            max_logits,
        } = Fit::new(&gpu.capabilities, &graph, &options)?;
        options.max_tokens = max_tokens;
        options.max_logits = max_logits;
        let memory = gpu
            .scoped("the model's weights", ErrorCode::Internal, || {
                Memory::new(&gpu, &graph, &options, split)
            })
            .await??;
        let logits_bytes = (graph.out_width * options.max_logits * 4) as u64;
        let tick = options.tick.take();
        let clock = options.clock.take().unwrap_or_else(clock);
        let clock = Rc::new(clock);
        let run_ahead = RunAhead::new(&gpu, tick.as_ref(), Rc::clone(&clock));
        let chunks = Chunks::new(&gpu, tick.as_ref(), Rc::clone(&clock));
        let readback = Readback::new(&gpu, logits_bytes, tick.clone());
        let choices = std::mem::take(&mut options.choices);
        let mut pipelines = Pipelines::default();
        let sampler = gpu.scoped("the sampler", ErrorCode::ShaderFailed, || {
            let shared = Shared::of(&memory);
            GpuSampler::new(&gpu, &mut pipelines, shared, [1, graph.out_width])
        });
        let sampler = sampler.await?;
        let targets = graph.targets(n_tensors);
        let mut executor = Self {
            gpu,
            graph,
            options,
            split,
            context_length,
            most_rows,
            first_rows: Vec::new(),
            memory,
            pipelines,
            uploader: Uploader::default(),
            targets,
            readback,
            sampler,
            run_ahead,
            chunks,
            choices,
            clock,
            tick,
            programs: Vec::new(),
            adapted_programs: Vec::new(),
            adapted: false,
            logits: Vec::new(),
        };
        executor.reserve(1).await?;
        executor.program().await?;
        Ok(executor)
    }

    /// The device.
    #[must_use]
    pub const fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The graph.
    #[must_use]
    pub const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Dispatches of a step of one token at `position`, by layer: all but those in front of the first and behind the last.
    #[must_use]
    pub fn dispatches_per_layer(&self, position: usize) -> f64 {
        let step = Step::new(&position.into(), 1, 0, 1);
        let is_of_layer = |dispatch: &&Dispatch| {
            !matches!(dispatch.recipe.variant.kernel, "embed" | "head")
                && dispatch.work(&step).is_any()
        };
        let of_layers = self.decode().iter().filter(is_of_layer).count();
        of_layers as f64 / self.graph.kv.layers.max(1) as f64
    }

    /// The work split in use.
    #[must_use]
    pub const fn split(&self) -> Split {
        self.split
    }

    /// The arithmetic in use.
    #[must_use]
    pub const fn precision(&self) -> Precision {
        self.options.precision
    }

    /// Most tokens of the context.
    #[must_use]
    pub const fn context_length(&self) -> usize {
        self.context_length
    }

    /// Most tokens of a call of [`Self::forward`].
    #[must_use]
    pub const fn max_tokens(&self) -> usize {
        self.options.max_tokens
    }

    /// The ways that were chosen, to be given to the next executor on this device.
    #[must_use]
    pub const fn choices(&self) -> &Choices {
        &self.choices
    }

    /// Most tokens whose logits a call of [`Self::forward`] gives.
    #[must_use]
    pub const fn max_logits(&self) -> usize {
        self.options.max_logits
    }

    /// Tokens of the next chunk of a prompt: as many as take about a tenth of a second.
    #[must_use]
    pub fn chunk_tokens(&self) -> usize {
        self.chunks.tokens(self.options.max_tokens)
    }

    /// The buffer that the next chunk's raw bytes are to be written to, at offset 0. A write may be
    /// queued at once: the chunk that used the buffer before is ahead of it in the queue.
    pub fn upload_slot(&mut self, bytes: u64) -> wgpu::Buffer {
        self.uploader.slot(&self.gpu, bytes)
    }

    /// Scatters a chunk, whose raw bytes were written to `slot`, to the planes. `part` gives some of its bytes: of what
    /// is computed without the GPU, and small.
    ///
    /// # Errors
    /// `internal` when the chunk cuts a row, `bad_model_file` when values make no sense.
    pub fn upload(
        &mut self,
        chunk: &Chunk,
        slot: &wgpu::Buffer,
        part: &dyn Fn(Range<usize>) -> Vec<u8>,
    ) -> Result<()> {
        let factors = self.graph.factors();
        let pieces = chunk.pieces.iter();
        for piece in pieces.filter(|piece| factors.contains(&piece.tensor)) {
            let start = piece.chunk_offset as usize;
            let bytes = part(start..start.saturating_add(piece.bytes as usize));
            self.graph
                .supply(piece.tensor, piece.tensor_offset, &bytes)?;
            let cache = &self.memory.cache;
            cache.write_turns(&self.gpu, &self.graph, 0..cache.positions);
        }
        let to = Destination {
            graph: &self.graph,
            targets: &self.targets,
            matrices: &self.memory.matrices,
            vectors: &self.memory.vectors,
            gains: &self.memory.gains,
        };
        let commands = upload::scatter(
            &self.gpu,
            &mut self.pipelines,
            &mut self.uploader,
            &to,
            chunk,
            slot,
        )?;
        self.gpu.queue.submit([commands]);
        self.gpu.check()
    }

    /// Waits for the upload to end, and frees what only it needed.
    ///
    /// # Errors
    /// What the GPU refused on the way: `out_of_memory`, `device_lost` or `internal`.
    pub async fn finish_upload(&mut self) -> Result<()> {
        self.graph.check_factors()?;
        let mut encoder = self
            .gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        // While the last weights are waited for, a question to the driver, where there will be logits.
        let asked = RoundsParams::MANY;
        let work = upload::Work {
            variant: &rounds::variant(),
            params: bytemuck::bytes_of(&asked),
            workgroups: [1, 1, 1],
        };
        let out = vec![(binding::OUT, self.memory.logits.as_entire_binding())];
        upload::dispatch(&self.gpu, &mut self.pipelines, &mut encoder, &work, out);
        self.readback.copy(&mut encoder, &self.memory.logits, 4);
        self.gpu.queue.submit([encoder.finish()]);
        let mut counted = Vec::new();
        self.readback.read(&self.gpu, 4, &mut counted).await?;
        let counted = counted.first().map_or(0, |word: &f32| word.to_bits());
        let bound = self.gpu.capabilities.loop_bound;
        let bound = bound.unwrap_or_else(|| asked.bound(counted).unwrap_or(u32::MAX));
        if bound != u32::MAX {
            let keys = kernel::attention::most_keys(self.graph.kv, self.split, bound);
            self.context_length = self.context_length.min(keys);
        }
        self.uploader = Uploader::default();
        self.gpu.check()
    }

    /// Most conversations that a call goes on with: a token of each.
    #[must_use]
    pub fn most_together(&self) -> usize {
        let most = self.options.max_tokens.min(self.options.max_logits);
        most.min(MOST_TOGETHER)
    }

    /// Runs tokens `ids` at these places; their keys and values go to the cache. Returns the logits of
    /// the last token (V,), of all (T, V), or nothing; then it comes back when the call before it has ended, so that
    /// the GPU is busy while the next one is made ready.
    ///
    /// # Errors
    /// `context_length_exceeded`, `out_of_memory` when the cache can't grow, `device_lost`, `internal`.
    pub async fn forward(
        &mut self,
        places: impl Into<Places>,
        ids: &[u32],
        wanted: Wanted,
    ) -> Result<&mut [f32]> {
        let n_logits = match wanted {
            Wanted::None => 0,
            Wanted::Last => 1,
            Wanted::All => ids.len(),
        };
        self.run_ahead.start(&[0]);
        let step = self.begin(&places.into(), ids, n_logits).await?;
        let mut tape = self.tape(ids.len());
        tape.play(self.step(&step));
        if n_logits == 0 {
            let index = tape.end(self.chunks.slot(), &self.memory.logits, Chunks::BYTES);
            self.chunks.submitted(&self.gpu, ids.len(), index).await?;
            self.logits.clear();
            return Ok(&mut self.logits);
        }
        let bytes = self.logits_bytes(n_logits);
        tape.end(&self.readback, &self.memory.logits, bytes);
        self.chunks.finish(&self.gpu).await?;
        self.logits.clear();
        self.readback
            .read(&self.gpu, bytes, &mut self.logits)
            .await?;
        self.logits.truncate(n_logits * self.graph.out_width);
        Ok(&mut self.logits)
    }

    /// Makes ready for tokens `ids` at these places, the last `n_logits` of which have their logits computed.
    async fn begin(&mut self, places: &Places, ids: &[u32], n_logits: usize) -> Result<Step> {
        self.gpu.check()?;
        if ids.is_empty()
            || ids.len() > self.options.max_tokens
            || n_logits > self.options.max_logits
        {
            return Err(Error::internal(format!(
                "forward: {} tokens and {n_logits} logits are out of range",
                ids.len()
            )));
        }
        self.graph.check_ids(ids)?;
        places.check(ids.len(), self.context_length)?;
        self.reserve(places.rows(ids.len())).await?;
        self.first_rows = first_rows(places);
        let step = Step::new(places, ids.len(), self.memory.cache.capacity, n_logits)
            .drawn(self.run_ahead.drawn());
        let queue = &self.gpu.queue;
        queue.write_buffer(&self.memory.step, 0, bytemuck::bytes_of(&step));
        queue.write_buffer(&self.memory.ids, 0, bytemuck::cast_slice(ids));
        Counters::tick(&self.gpu.counters.steps);
        Ok(step)
    }

    /// Says where the conversations begin now that the last call went on with.
    fn follow(&mut self, places: &Places) {
        let first_rows = first_rows(places);
        if first_rows == self.first_rows {
            return;
        }
        // For the steps that come; those in flight are ahead of it in the queue.
        for (seat, first_row) in first_rows.iter().enumerate() {
            let at = std::mem::offset_of!(Step, seats)
                + seat * size_of::<Seat>()
                + std::mem::offset_of!(Seat, first_row);
            let first_row = to_u32(*first_row);
            let bytes = bytemuck::bytes_of(&first_row);
            let step = &self.memory.step;
            self.gpu.queue.write_buffer(step, at as u64, bytes);
        }
        self.first_rows = first_rows;
    }

    /// Most rows of the KV cache.
    #[must_use]
    pub const fn most_rows(&self) -> usize {
        self.most_rows
    }

    /// Bytes of a token in the KV cache, of all layers.
    #[must_use]
    pub fn row_bytes(&self) -> u64 {
        row_bytes(&self.graph, &self.options)
    }

    /// Rows of the KV cache that there are.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.memory.cache.capacity
    }

    /// Copies rows of the KV cache, one range after the other. After a failure none is copied.
    ///
    /// # Errors
    /// `out_of_memory`, `device_lost`, `internal` for rows that there are none of.
    pub async fn copy_rows(&mut self, copies: &[RowCopy]) -> Result<()> {
        let rows = self.rows();
        let is_inside = |copy: &RowCopy| copy.from.max(copy.to).saturating_add(copy.rows) <= rows;
        if !copies.iter().all(is_inside) {
            return Err(Error::internal(format!("copies {copies:?} of {rows} rows")));
        }
        let most = copies.iter().map(|copy| copy.rows).max().unwrap_or(0);
        if most == 0 {
            return Ok(());
        }
        let with = (&self.gpu, &self.graph, self.options.kv);
        let cache = &self.memory.cache;
        let what = "a copy of a conversation";
        let between = self
            .gpu
            .scoped(what, ErrorCode::Internal, || cache.between(most, with));
        let between = between.await?;
        for copy in copies.iter().filter(|copy| copy.rows > 0) {
            cache.copy(*copy, &between, with);
        }
        between.destroy();
        self.gpu.check()
    }

    /// What a layer of the KV cache holds in some rows: bits of f16, (planes, Hkv, rows, Dh).
    ///
    /// # Errors
    /// `out_of_memory`, `device_lost`, `internal` for rows or a layer that there are none of.
    pub async fn read_rows(&mut self, layer: usize, rows: Range<usize>) -> Result<Vec<u16>> {
        self.check_rows(layer, &rows)?;
        let Self {
            gpu,
            graph,
            memory,
            options,
            tick,
            ..
        } = self;
        let kv = options.kv;
        let bytes = rows_bytes(graph.kv, kv, rows.len());
        let gathered = gpu.scoped("a copy of a conversation", ErrorCode::Internal, || {
            let mut encoder = gpu
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let gathered = memory
                .cache
                .gather(layer, rows, &mut encoder, (gpu, graph, kv));
            let readback = Readback::new(gpu, bytes, tick.clone());
            readback.copy(&mut encoder, &gathered, bytes);
            gpu.queue.submit([encoder.finish()]);
            (gathered, readback)
        });
        let (gathered, readback) = gathered.await?;
        let request = readback.request(bytes, None);
        let mut read = Vec::new();
        let take =
            |words: &[[u8; 4]]| read = kv_rows::unpack(kv, graph.kv.head_dim, words.as_flattened());
        let received = readback.receive(gpu, request, take).await;
        gathered.destroy();
        received.map(|()| read)
    }

    /// Writes what [`Self::read_rows`] gave, from a row on.
    ///
    /// # Errors
    /// `internal` for rows or a layer that there are none of.
    pub fn write_rows(&mut self, layer: usize, first_row: usize, elements: &[u16]) -> Result<()> {
        let row = self.graph.kv.planes() * self.graph.kv.heads * self.graph.kv.head_dim;
        let rows = elements.len() / row.max(1);
        self.check_rows(layer, &(first_row..first_row.saturating_add(rows)))?;
        let with = (&self.gpu, &self.graph, self.options.kv);
        self.memory.cache.scatter(layer, first_row, elements, with);
        self.gpu.check()
    }

    fn check_rows(&self, layer: usize, rows: &Range<usize>) -> Result<()> {
        if rows.start < rows.end && rows.end <= self.rows() && layer < self.graph.kv.layers {
            return Ok(());
        }
        Err(Error::internal(format!(
            "rows {rows:?} of layer {layer} of the KV cache"
        )))
    }

    /// Makes room for so many rows in the KV cache: the capacity doubles, or grows to just that where there is no memory to
    /// double it; what is there is kept. After a failure all is as it was.
    ///
    /// # Errors
    /// `context_length_exceeded` with both numbers, `out_of_memory`.
    pub async fn reserve(&mut self, rows: usize) -> Result<()> {
        if rows <= self.memory.cache.capacity {
            return Ok(());
        }
        let doubled = grown_capacity(rows, self.most_rows)?;
        let (capacity, grown) = match self.cache_of(doubled).await {
            Ok(grown) => (doubled, grown),
            Err(error) if error.code() == ErrorCode::OutOfMemory && rows < doubled => {
                (rows, self.cache_of(rows).await?)
            }
            Err(error) => return Err(error),
        };
        let Self {
            gpu,
            graph,
            memory,
            options,
            ..
        } = self;
        let kv = options.kv;
        grown.fill(&memory.cache, gpu, graph, kv);
        memory.cache = grown;
        let programs = self.programs.iter_mut().chain(&mut self.adapted_programs);
        for dispatch in programs.flat_map(|(_, program)| program) {
            dispatch.rebind(&self.gpu, &self.memory);
        }
        // For the steps that come; those in flight are ahead of it in the queue.
        let at = std::mem::offset_of!(Step, capacity) as u64;
        let capacity = to_u32(capacity);
        self.gpu
            .queue
            .write_buffer(&self.memory.step, at, bytemuck::bytes_of(&capacity));
        Ok(())
    }

    /// An empty cache for so many tokens of all conversations.
    async fn cache_of(&self, capacity: usize) -> Result<KvCache> {
        let (gpu, graph) = (&self.gpu, &self.graph);
        let what = format!("a KV cache of {capacity} tokens");
        let positions = capacity.min(self.context_length);
        let cache = gpu.scoped(&what, ErrorCode::Internal, || {
            KvCache::new(gpu, graph, self.options.kv, capacity, positions)
        });
        cache.await
    }

    const fn logits_bytes(&self, tokens: usize) -> u64 {
        (self.graph.out_width * tokens * 4) as u64
    }

    /// Makes the static programs of decode and prefill.
    async fn program(&mut self) -> Result<()> {
        let recipes = |adapted: bool| -> Vec<_> {
            let widths = self.split.widths().iter();
            widths
                .map(|&width| (width, self.recipes(width, self.choices.clone(), adapted)))
                .collect()
        };
        let plain = recipes(false);
        let adapted = match self.graph.low_ranks.is_empty() {
            true => Vec::new(),
            false => recipes(true),
        };
        for (_, recipes) in &adapted {
            check_bindings(&self.gpu, recipes)?;
        }
        let Self {
            gpu,
            graph,
            memory,
            pipelines,
            ..
        } = self;
        let made = gpu.scoped(
            "compiling the model's shaders",
            ErrorCode::ShaderFailed,
            || {
                pipelines.get(gpu, &place::variant());
                for matrix in &graph.matrices {
                    pipelines.get(gpu, &repack::variant(matrix.format, matrix.cols));
                }
                let mut make = |recipes: Vec<Recipe>| {
                    let recipes = recipes.into_iter();
                    recipes
                        .map(|recipe| Dispatch::new(gpu, memory, pipelines, recipe))
                        .collect()
                };
                [plain, adapted].map(|programs| {
                    let programs = programs.into_iter();
                    programs
                        .map(|(width, recipes)| (width, make(recipes)))
                        .collect()
                })
            },
        );
        [self.programs, self.adapted_programs] = made.await?;
        self.count_untuned();
        Ok(())
    }

    fn recipes(&self, width: Width, choices: Choices, adapted: bool) -> Vec<Recipe> {
        let parts = |parts: &Vec<Part>| {
            parts
                .iter()
                .map(|part| (part.first_row, part.rows))
                .collect()
        };
        let setting = Setting {
            graph: &self.graph,
            parts: self.memory.matrices.iter().map(parts).collect(),
            gains: self.memory.gains.clone(),
            split: self.split,
            precision: self.options.precision,
            kv: self.options.kv,
            width,
            max_tokens: self.options.max_tokens,
            rounds: self.options.rounds,
            adapted,
            choices,
        };
        recipes(&setting)
    }

    fn tape(&self, tokens: usize) -> Tape<'_> {
        let limit = if tokens == 1 {
            usize::MAX
        } else {
            let dispatches = self.program_of(self.split.width(tokens)).len();
            self.chunks.limit(tokens, dispatches)
        };
        Tape::new(&self.gpu, limit)
    }

    /// What a step replays.
    fn step(&self, step: &Step) -> impl Iterator<Item = Work<'_>> {
        self.dispatches(step).map(|dispatch| dispatch.work(step))
    }

    /// The dispatches of a step. Logits of one token are computed as in decode, however many tokens there are.
    fn dispatches(&self, step: &Step) -> impl Iterator<Item = &Dispatch> {
        let width = self.split.width(step.tokens as usize);
        let head = if step.tokens - step.first_token == 1 {
            Width::One
        } else {
            width
        };
        let is_head = |dispatch: &&Dispatch| dispatch.recipe.variant.kernel == "head";
        let body = self.program_of(width).iter();
        let head = self.program_of(head).iter();
        body.filter(move |dispatch| !is_head(dispatch))
            .chain(head.filter(is_head))
    }

    /// The program of a width; empty before there is one.
    fn program_of(&self, width: Width) -> &[Dispatch] {
        let of_width = |program: &&(Width, Vec<Dispatch>)| program.0 == width;
        let programs = match self.adapted {
            true => &self.adapted_programs,
            false => &self.programs,
        };
        let program = programs.iter().find(of_width);
        program.map_or(&[], |(_, dispatches)| dispatches)
    }

    /// The program of single tokens.
    fn decode(&self) -> &[Dispatch] {
        self.program_of(Width::One)
    }
}

/// Whether a device can bind what dispatches take: what adapters add is a buffer more than every device has room for where a
/// format has many planes.
fn check_bindings(gpu: &Gpu, recipes: &[Recipe]) -> Result<()> {
    let most = gpu.device.limits().max_storage_buffers_per_shader_stage;
    let over = |recipe: &&Recipe| recipe.storage_buffers() > most as usize;
    let Some(recipe) = recipes.iter().find(over) else {
        return Ok(());
    };
    let (label, count) = (&recipe.label, recipe.storage_buffers());
    let message = format!(
        "{label}: with adapters it takes {count} buffers, and this device binds {most} at a time; load the model without, or on the CPU"
    );
    Err(Error::new(ErrorCode::UnsupportedDevice, message))
}

/// Where the conversations of a call begin.
fn first_rows(places: &Places) -> Vec<usize> {
    let conversations = places.conversations().iter();
    conversations.map(|place| place.first_row).collect()
}

/// The system's clock, where there is one that can be asked.
fn clock() -> Clock {
    if cfg!(target_arch = "wasm32") {
        return Box::new(|| 0.0);
    }
    let start = std::time::Instant::now();
    Box::new(move || start.elapsed().as_secs_f64() * 1000.0)
}
