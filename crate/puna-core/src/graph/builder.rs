//! Shape-checked construction of a [`Graph`]: finds each tensor in the file, checks its shape and
//! type, fuses rows, and reports what does not fit before anything is downloaded.

use std::collections::HashMap;
use std::ops::Range;

use super::{
    Activation, ActivationIx, Graph, Halves, KvShape, Matrix, MatrixIx, Op, Projection, Source,
    Transposed, Vector, VectorIx,
};
use crate::config::ModelConfig;
use crate::quant::{BLOCK_LEN, Format};
use crate::weights::header::{Header, TensorInfo};
use crate::{Error, Result};

/// Elements of a vector: those of the largest table of positions, or biases of experts, have a tenth.
const MAX_ELEMENTS: usize = 1 << 28;

/// Rows of a tensor, or elements of a vector, as a model names them.
#[derive(Clone, Debug)]
pub struct Part {
    name: String,
    from: usize,
    rows: usize,
    of: usize,
    experts: usize,
    halves: Option<Halves>,
    transposed: Option<Transposed>,
}

impl Part {
    /// The tensor `name`, all of its `rows` rows.
    #[must_use]
    pub fn whole(name: impl Into<String>, rows: usize) -> Self {
        Self {
            name: name.into(),
            from: 0,
            rows,
            of: rows,
            experts: 1,
            halves: None,
            transposed: None,
        }
    }

    /// Rows that it has.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Rows for each of so many experts or heads, which the tensor `name` has as columns.
    #[must_use]
    pub fn transposed(name: impl Into<String>, experts: usize, transposed: Transposed) -> Self {
        Self {
            transposed: Some(transposed),
            ..Self::experts(name, transposed.rows, experts)
        }
    }

    /// The tensor `name` of three dimensions, `rows` rows for each of so many experts.
    #[must_use]
    pub fn experts(name: impl Into<String>, rows: usize, experts: usize) -> Self {
        Self {
            experts,
            ..Self::whole(name, rows * experts)
        }
    }

    /// Rows `range` of the tensor `name`, which has `of` rows.
    #[must_use]
    pub fn range(name: impl Into<String>, range: Range<usize>, of: usize) -> Self {
        Self {
            from: range.start,
            rows: range.len(),
            ..Self::whole(name, of)
        }
    }

    /// The same, with rotation pairs in halves, or not.
    #[must_use]
    pub fn with_halves(self, halves: Option<Halves>) -> Self {
        Self { halves, ..self }
    }
}

/// Builds a [`Graph`] against one file's tensor table.
#[derive(Debug)]
pub struct Builder<'a> {
    tensors: HashMap<&'a str, (usize, &'a TensorInfo)>,
    graph: Graph,
    /// What is added to elements of vectors that are no biases.
    gain_offset: f32,
}

impl<'a> Builder<'a> {
    /// An empty graph of `config`'s shape over `header`'s tensors.
    #[must_use]
    pub fn new(config: &ModelConfig, header: &'a Header) -> Self {
        let tensors = header
            .tensors
            .iter()
            .enumerate()
            .map(|(ix, tensor)| (tensor.name.as_str(), (ix, tensor)))
            .collect();
        let graph = Graph {
            ops: Vec::new(),
            matrices: Vec::new(),
            vectors: Vec::new(),
            activations: Vec::new(),
            kv: KvShape {
                layers: config.num_hidden_layers as usize,
                heads: config.num_key_value_heads as usize,
                head_dim: config.head_dim as usize,
                value_dim: config.value_dim as usize,
            },
            low_ranks: Vec::new(),
            ropes: config.ropes.clone(),
            vocab_size: config.vocab_size as usize,
            out_width: config.vocab_size as usize,
            context_length: config.context_length,
            longest_context: config.context_length,
        };
        Self {
            tensors,
            graph,
            gain_offset: config.gain_offset,
        }
    }

    /// Is there a tensor of that name?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Declares an activation (T, width).
    pub fn activation(&mut self, name: &str, width: usize) -> ActivationIx {
        self.graph.activations.push(Activation {
            name: name.to_owned(),
            width,
        });
        self.graph.activations.len() - 1
    }

    /// The activation of that name, declared the first time.
    pub fn activation_once(&mut self, name: &str, width: usize) -> ActivationIx {
        let mut known = self.graph.activations.iter();
        match known.position(|it| it.name == name && it.width == width) {
            Some(ix) => ix,
            None => self.activation(name, width),
        }
    }

    /// Declares gains (len,).
    ///
    /// # Errors
    /// `bad_model_file` when they are missing or have another shape, `unsupported_model` when they aren't floats.
    pub fn gains(&mut self, name: &str, len: usize) -> Result<VectorIx> {
        self.stacked_gains(&[Part::whole(name, len)])
    }

    /// Declares gains that stand in several tensors.
    ///
    /// # Errors
    /// As [`Self::gains`].
    pub fn stacked_gains(&mut self, parts: &[Part]) -> Result<VectorIx> {
        self.vector(parts, self.gain_offset)
    }

    /// Declares biases that stand in one tensor or in several.
    ///
    /// # Errors
    /// As [`Self::gains`].
    pub fn biases(&mut self, parts: &[Part]) -> Result<VectorIx> {
        self.vector(parts, 0.0)
    }

    /// Declares the first row of a tensor that has rows (len,).
    ///
    /// # Errors
    /// As [`Self::gains`].
    pub fn first_row(&mut self, name: &str, len: usize) -> Result<VectorIx> {
        let (_, info) = self.find(name)?;
        let rows = match info.dims.as_slice() {
            [_, rows] => usize::try_from(*rows).unwrap_or(usize::MAX),
            _ => 1,
        };
        too_many(name, len, rows)?;
        let part = Part {
            rows: len,
            ..Part::experts(name, len, rows)
        };
        self.biases(&[part])
    }

    /// What the graph gives for each token, where that is no logits.
    pub fn gives(&mut self, width: usize) {
        self.graph.out_width = width;
    }

    /// Declares a vector of ones, where an architecture has no gains.
    pub fn ones(&mut self, len: usize) -> VectorIx {
        self.graph.vectors.push(Vector::ones(len));
        self.graph.vectors.len() - 1
    }

    /// Declares biases of the rows of [`Self::interleaved`].
    ///
    /// # Errors
    /// As [`Self::gains`].
    pub fn interleaved_biases(&mut self, parts: &[Part; 2]) -> Result<VectorIx> {
        self.vector_of(parts, 0.0, 2)
    }

    fn vector(&mut self, parts: &[Part], offset: f32) -> Result<VectorIx> {
        self.vector_of(parts, offset, 1)
    }

    /// `step` 1: one part behind the other; else so many parts element by element.
    fn vector_of(&mut self, parts: &[Part], offset: f32, step: usize) -> Result<VectorIx> {
        let mut sources = Vec::new();
        let mut len = 0;
        let mut common = None;
        for (ix, part) in parts.iter().enumerate() {
            let (tensor, info) = self.find(&part.name)?;
            match part.experts {
                // Rows of which there is one may be one dimension.
                1 if info.dims.len() == 2 => check_shape(info, &[part.of, 1])?,
                1 => check_shape(info, &[part.of])?,
                experts => check_shape(info, &[part.of / experts, experts])?,
            }
            let format = Format::of(&part.name, info.ggml_type)?;
            let is_same = *common.get_or_insert(format) == format;
            if format.value_bytes == 0 || !is_same {
                return Err(Error::unsupported_model(format!(
                    "tensor {} has type {format:?}, expected f32, f16 or bf16, and the same as those read with it",
                    part.name
                )));
            }
            let first = if step == 1 { len } else { ix };
            sources.push(part.source(tensor, part.from, part.rows, first, step));
            len += part.rows;
        }
        self.graph.vectors.push(Vector {
            name: names(parts.iter()),
            len,
            format: common.unwrap_or(Format::f32()),
            sources,
            offset,
        });
        Ok(self.graph.vectors.len() - 1)
    }

    /// Declares a matrix (rows, cols).
    ///
    /// # Errors
    /// `bad_model_file` when it is missing or has another shape, `unsupported_model` for its type.
    pub fn matrix(&mut self, name: &str, rows: usize, cols: usize) -> Result<MatrixIx> {
        self.matrix_of(Part::whole(name, rows), cols)
    }

    /// The same of rows that are named otherwise.
    ///
    /// # Errors
    /// As [`Self::matrix`].
    pub fn matrix_of(&mut self, part: Part, cols: usize) -> Result<MatrixIx> {
        let found = self.find_matrix(&part, cols)?;
        Ok(self.push(&[(part, found)], cols, 1))
    }

    /// Whether rows of two can be read together: whether they have one format.
    ///
    /// # Errors
    /// As [`Self::matrix`].
    pub fn is_one_format(&self, a: &Part, b: &Part, cols: usize) -> Result<bool> {
        let [a, b] = [self.find_matrix(a, cols)?, self.find_matrix(b, cols)?];
        Ok(a.format == b.format)
    }

    /// Declares a matrix of rows of so many heads.
    ///
    /// # Errors
    /// As [`Self::matrix`].
    pub fn matrix_of_heads(&mut self, heads: &[Part], cols: usize) -> Result<MatrixIx> {
        let mut found = Vec::new();
        for part in heads {
            found.push((part.clone(), self.find_matrix(part, cols)?));
        }
        let matrix = self.push(&found, cols, 1);
        self.graph.matrices[matrix].experts = heads.len();
        Ok(matrix)
    }

    /// Declares matrices stacked in one output, fused as long as neighbours share a format.
    ///
    /// # Errors
    /// As [`Self::matrix`].
    pub fn stacked(&mut self, parts: &[Part], cols: usize) -> Result<Vec<Projection>> {
        let mut found = Vec::new();
        for part in parts {
            found.push((part.clone(), self.find_matrix(part, cols)?));
        }
        let mut projections = Vec::new();
        let mut first_row = 0;
        for group in found.chunk_by(|(_, a), (_, b)| a.format == b.format) {
            projections.push(Projection {
                matrix: self.push(group, cols, 1),
                first_row,
            });
            first_row += group.iter().map(|(part, _)| part.rows).sum::<usize>();
        }
        Ok(projections)
    }

    /// Declares two matrices of one shape interleaved row by row: row 2i of `a`, row 2i + 1 of `b`.
    ///
    /// # Errors
    /// As [`Self::matrix`]; `unsupported_model` when the two have different formats.
    pub fn interleaved(&mut self, a: Part, b: Part, cols: usize) -> Result<MatrixIx> {
        let formats = [self.find_matrix(&a, cols)?, self.find_matrix(&b, cols)?];
        if formats[0].format != formats[1].format {
            return Err(Error::unsupported_model(format!(
                "tensors {} and {} have types {:?} and {:?}; they are read together and must share one",
                a.name, b.name, formats[0].format, formats[1].format
            )));
        }
        let [first, second] = formats;
        Ok(self.push(&[(a, first), (b, second)], cols, 2))
    }

    /// Appends an op.
    pub fn op(&mut self, op: Op) {
        self.graph.ops.push(op);
    }

    /// The finished graph, which must use every tensor of the file: what is left over would have changed
    /// the arithmetic (a bias, scaled frequencies), and running on without it would give wrong words.
    ///
    /// # Errors
    /// `unsupported_model` naming the first tensor that is left over.
    pub fn finish(self) -> Result<Graph> {
        let mut used = vec![false; self.tensors.len()];
        let matrices = self.graph.matrices.iter();
        let rows = matrices.flat_map(|matrix| matrix.sources.iter().map(|source| source.tensor));
        let vectors = self.graph.vectors.iter();
        let elements = vectors.flat_map(|vector| vector.sources.iter().map(|source| source.tensor));
        let ropes = self.graph.ropes.iter();
        let factors = ropes.flat_map(|rope| {
            let longer = rope.longer.as_ref().map(|it| &it.factors);
            let all = rope.factors.iter().chain(longer);
            all.filter_map(|factors| factors.tensor)
        });
        for ix in rows.chain(elements).chain(factors) {
            used[ix] = true;
        }
        let unused = |(ix, _): &&(usize, &TensorInfo)| !used[*ix];
        let left: Vec<_> = self.tensors.values().filter(unused).collect();
        match left.iter().min_by_key(|(ix, _)| *ix) {
            None => Ok(self.graph.within(None)),
            Some((_, tensor)) => Err(Error::unsupported_model(format!(
                "tensor {} has no place in this architecture as it is supported ({} such tensors): without it the model \
                 would answer wrongly",
                tensor.name,
                left.len()
            ))
            .detail("tensor", tensor.name.as_str())),
        }
    }

    fn push(&mut self, parts: &[(Part, Found)], cols: usize, row_step: usize) -> MatrixIx {
        let mut rows = 0;
        let mut sources = Vec::new();
        for (i, (part, found)) in parts.iter().enumerate() {
            let first_row = if row_step == 1 { rows } else { i };
            rows += part.rows;
            if let [tensor] = found.tensors.as_slice() {
                sources.push(part.source(*tensor, part.from, part.rows, first_row, row_step));
                continue;
            }
            let each = part.rows / part.experts;
            for (expert, tensor) in found.tensors.iter().enumerate() {
                let first_row = first_row + expert * each * row_step;
                sources.push(part.source(*tensor, 0, each, first_row, row_step));
            }
        }
        self.graph.matrices.push(Matrix {
            name: names(parts.iter().map(|(part, _)| part)),
            rows,
            experts: parts[0].0.experts,
            cols,
            format: parts[0].1.format,
            stored: parts[0].1.format,
            sources,
        });
        self.graph.matrices.len() - 1
    }

    fn find(&self, name: &str) -> Result<(usize, &'a TensorInfo)> {
        self.tensors.get(name).copied().ok_or_else(|| {
            Error::bad_model_file(format!(
                "tensor {name} is missing among the file's {}",
                self.tensors.len()
            ))
        })
    }

    fn find_matrix(&self, part: &Part, cols: usize) -> Result<Found> {
        if part.experts > 1 && !self.has(&part.name) && self.has(&part.of_expert(0)) {
            return self.find_experts(part, cols);
        }
        let (tensor, info) = self.find(&part.name)?;
        if let Some(transposed) = part.transposed {
            let format = Self::transposed(part, transposed, info, cols)?;
            return Ok(Found {
                tensors: vec![tensor],
                format,
            });
        }
        match part.experts {
            1 => check_shape(info, &[cols, part.of])?,
            experts => check_shape(info, &[cols, part.of / experts, experts])?,
        }
        let format = Self::format(part, info, cols)?;
        Ok(Found {
            tensors: vec![tensor],
            format,
        })
    }

    /// The format of a tensor that has a matrix's columns as rows.
    fn transposed(
        part: &Part,
        transposed: Transposed,
        info: &TensorInfo,
        cols: usize,
    ) -> Result<&'static Format> {
        let Transposed {
            width, group_rows, ..
        } = transposed;
        match info.dims.len() {
            2 => check_shape(info, &[width, group_rows * part.experts])?,
            _ => check_shape(info, &[width, group_rows, part.experts])?,
        }
        let format = Format::of(&part.name, info.ggml_type)?;
        if format.value_bytes == 0 || !cols.is_multiple_of(BLOCK_LEN) {
            return Err(Error::unsupported_model(format!(
                "tensor {} has type {format:?} and {cols} rows, expected f32, f16 or bf16 and a multiple of {BLOCK_LEN}",
                part.name
            )));
        }
        Ok(format)
    }

    /// A matrix of experts, each of which has a tensor of its own.
    fn find_experts(&self, part: &Part, cols: usize) -> Result<Found> {
        let mut tensors = Vec::new();
        let mut formats = Vec::new();
        for expert in 0..part.experts {
            let own = Part {
                name: part.of_expert(expert),
                rows: part.rows / part.experts,
                of: part.of / part.experts,
                ..part.clone()
            };
            let (tensor, info) = self.find(&own.name)?;
            check_shape(info, &[cols, own.of])?;
            tensors.push(tensor);
            formats.push(Self::format(&own, info, cols)?);
        }
        match formats.first() {
            Some(format) if formats.iter().all(|it| it == format) => Ok(Found { tensors, format }),
            _ => Err(Error::unsupported_model(format!(
                "tensors {} and those of the other experts have types {formats:?}; they are read together and must share one",
                part.of_expert(0)
            ))),
        }
    }

    /// The format of a tensor, which has whole rows of so many columns.
    fn format(part: &Part, info: &TensorInfo, cols: usize) -> Result<&'static Format> {
        let name = &part.name;
        let format = Format::of(name, info.ggml_type)?;
        let is_cut = part.experts > 1 && !cols.is_multiple_of(BLOCK_LEN);
        if !format.has_rows_of(cols) || is_cut {
            return Err(Error::unsupported_model(format!(
                "tensor {name} has {cols} columns, expected a multiple of {}, a block of {format:?}",
                format.block_len
            ))
            .detail("tensor", name.as_str()));
        }
        if !part.of.is_multiple_of(format.rows_together()) {
            return Err(Error::unsupported_model(format!(
                "tensor {name} has {} rows, expected a multiple of {}, which {format:?} stores together",
                part.of,
                format.rows_together()
            ))
            .detail("tensor", name.as_str()));
        }
        let expected = (part.of as u64).checked_mul(format.row_bytes(cols) as u64);
        if expected != Some(info.bytes) {
            return Err(Error::bad_model_file(format!(
                "tensor {name} has {} bytes, expected {expected:?}",
                info.bytes
            )));
        }
        Ok(format)
    }
}

#[derive(Clone)]
struct Found {
    /// One, or one an expert.
    tensors: Vec<usize>,
    format: &'static Format,
}

impl Part {
    /// The name of an expert's own tensor, where experts have such: `blk.0.ffn_up.7.weight` of `blk.0.ffn_up_exps.weight`.
    fn of_expert(&self, expert: usize) -> String {
        self.name.replace("_exps.", &format!(".{expert}."))
    }

    const fn source(
        &self,
        tensor: usize,
        from: usize,
        rows: usize,
        first_row: usize,
        row_step: usize,
    ) -> Source {
        Source {
            tensor,
            from,
            rows,
            first_row,
            row_step,
            halves: self.halves,
            transposed: self.transposed,
        }
    }
}

/// The names of their tensors, each once.
fn names<'p>(parts: impl Iterator<Item = &'p Part>) -> String {
    let mut names: Vec<_> = parts.map(|part| part.name.as_str()).collect();
    names.dedup();
    names.join("+")
}

/// Fails for more elements than any vector has.
///
/// # Errors
/// `bad_model_file` naming it.
pub(crate) fn too_many(name: &str, rows: usize, count: usize) -> Result<()> {
    match rows.checked_mul(count) {
        Some(elements) if elements <= MAX_ELEMENTS => Ok(()),
        _ => Err(Error::bad_model_file(format!(
            "{name} would have {rows} elements {count} times, expected at most {MAX_ELEMENTS} together"
        ))),
    }
}

fn check_shape(tensor: &TensorInfo, expected: &[usize]) -> Result<()> {
    let same = tensor.dims.len() == expected.len()
        && tensor
            .dims
            .iter()
            .zip(expected)
            .all(|(&got, &want)| got == want as u64);
    if same {
        Ok(())
    } else {
        Err(Error::bad_model_file(format!(
            "tensor {} has shape {:?}, expected {expected:?} (columns first)",
            tensor.name, tensor.dims
        )))
    }
}
