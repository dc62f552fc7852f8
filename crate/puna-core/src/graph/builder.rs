//! Shape-checked construction of a [`Graph`]: finds each tensor in the file, checks its shape and
//! type, fuses rows, and reports what does not fit before anything is downloaded.

use std::collections::HashMap;

use super::{
    Activation, ActivationIx, Graph, KvShape, Matrix, MatrixIx, Op, Projection, Source, Vector,
    VectorIx,
};
use crate::config::ModelConfig;
use crate::quant::Format;
use crate::weights::gguf::{Gguf, TensorInfo};
use crate::{Error, Result};

/// Builds a [`Graph`] against one file's tensor table.
#[derive(Debug)]
pub struct Builder<'a> {
    tensors: HashMap<&'a str, (usize, &'a TensorInfo)>,
    graph: Graph,
}

impl<'a> Builder<'a> {
    /// An empty graph of `config`'s shape over `gguf`'s tensors.
    #[must_use]
    pub fn new(config: &ModelConfig, gguf: &'a Gguf) -> Self {
        let tensors = gguf
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
            },
            rope: config.rope.clone(),
            vocab_size: config.vocab_size as usize,
            context_length: config.context_length,
        };
        Self { tensors, graph }
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

    /// Declares an f32 vector (len,).
    ///
    /// # Errors
    /// `bad_model_file` when it is missing or has another shape, `unsupported_model` when it isn't f32.
    pub fn vector(&mut self, name: &str, len: usize) -> Result<VectorIx> {
        let (ix, tensor) = self.find(name)?;
        check_shape(tensor, &[len])?;
        if tensor.ggml_type != 0 {
            return Err(Error::unsupported_model(format!(
                "tensor {name} has type number {}, expected 0 (F32)",
                tensor.ggml_type
            )));
        }
        self.graph.vectors.push(Vector {
            name: name.to_owned(),
            len,
            tensor: ix,
        });
        Ok(self.graph.vectors.len() - 1)
    }

    /// Declares a matrix (rows, cols).
    ///
    /// # Errors
    /// `bad_model_file` when it is missing or has another shape, `unsupported_model` for its type.
    pub fn matrix(&mut self, name: &str, rows: usize, cols: usize) -> Result<MatrixIx> {
        let found = self.find_matrix(name, rows, cols)?;
        Ok(self.push(&[found], 1))
    }

    /// Declares matrices stacked in one output, fused as long as neighbours share a format.
    ///
    /// # Errors
    /// As [`Self::matrix`].
    pub fn stacked(&mut self, parts: &[(&str, usize)], cols: usize) -> Result<Vec<Projection>> {
        let found: Vec<_> = parts
            .iter()
            .map(|(name, rows)| self.find_matrix(name, *rows, cols))
            .collect::<Result<_>>()?;
        let mut projections = Vec::new();
        let mut first_row = 0;
        for group in found.chunk_by(|a, b| a.format == b.format) {
            projections.push(Projection {
                matrix: self.push(group, 1),
                first_row,
            });
            first_row += group.iter().map(|part| part.rows).sum::<usize>();
        }
        Ok(projections)
    }

    /// Declares two matrices of one shape interleaved row by row: row 2i of `a`, row 2i + 1 of `b`.
    ///
    /// # Errors
    /// As [`Self::matrix`]; `unsupported_model` when the two have different formats.
    pub fn interleaved(&mut self, a: &str, b: &str, rows: usize, cols: usize) -> Result<MatrixIx> {
        let pair = [
            self.find_matrix(a, rows, cols)?,
            self.find_matrix(b, rows, cols)?,
        ];
        if pair[0].format != pair[1].format {
            return Err(Error::unsupported_model(format!(
                "tensors {a} and {b} have types {:?} and {:?}; they are read together and must share one",
                pair[0].format, pair[1].format
            )));
        }
        Ok(self.push(&pair, 2))
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
        let vectors = self.graph.vectors.iter().map(|vector| vector.tensor);
        for ix in rows.chain(vectors) {
            used[ix] = true;
        }
        let unused = |(ix, _): &&(usize, &TensorInfo)| !used[*ix];
        let mut left: Vec<_> = self.tensors.values().filter(unused).collect();
        left.sort_unstable_by_key(|(ix, _)| *ix);
        match left.first() {
            None => Ok(self.graph),
            Some((_, tensor)) => Err(Error::unsupported_model(format!(
                "tensor {} has no place in this architecture as it is supported ({} such tensors): without it the model \
                 would answer wrongly",
                tensor.name,
                left.len()
            ))
            .detail("tensor", tensor.name.as_str())),
        }
    }

    fn push(&mut self, parts: &[Found], row_step: usize) -> MatrixIx {
        let names: Vec<_> = parts.iter().map(|part| part.name.as_str()).collect();
        let mut rows = 0;
        let sources = parts.iter().enumerate().map(|(i, part)| {
            let first_row = if row_step == 1 { rows } else { i };
            rows += part.rows;
            Source {
                tensor: part.tensor,
                rows: part.rows,
                first_row,
                row_step,
            }
        });
        let sources = sources.collect();
        let matrix = Matrix {
            name: names.join("+"),
            rows,
            cols: parts[0].cols,
            format: parts[0].format,
            sources,
        };
        self.graph.matrices.push(matrix);
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

    fn find_matrix(&self, name: &str, rows: usize, cols: usize) -> Result<Found> {
        let (ix, tensor) = self.find(name)?;
        check_shape(tensor, &[cols, rows])?;
        let format = Format::of(name, tensor.ggml_type)?;
        if !cols.is_multiple_of(format.block_len) {
            return Err(Error::unsupported_model(format!(
                "tensor {name} has {cols} columns, expected a multiple of {}, a block of {format:?}",
                format.block_len
            ))
            .detail("tensor", name));
        }
        if !rows.is_multiple_of(format.rows_together()) {
            return Err(Error::unsupported_model(format!(
                "tensor {name} has {rows} rows, expected a multiple of {}, which {format:?} stores together",
                format.rows_together()
            ))
            .detail("tensor", name));
        }
        let expected = (rows as u64).checked_mul(format.row_bytes(cols) as u64);
        if expected != Some(tensor.bytes) {
            return Err(Error::bad_model_file(format!(
                "tensor {name} has {} bytes, expected {expected:?}",
                tensor.bytes
            )));
        }
        Ok(Found {
            name: name.to_owned(),
            tensor: ix,
            rows,
            cols,
            format,
        })
    }
}

struct Found {
    name: String,
    tensor: usize,
    rows: usize,
    cols: usize,
    format: &'static Format,
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
