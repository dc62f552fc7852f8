//! Adapters (`LoRA`, Hu et al. 2021, arXiv 2106.09685): two thin matrices for each matrix of a model that they change, from a GGUF
//! as llama.cpp's converter writes it or from a folder of PEFT's (`adapter_config.json`, `adapter_model.safetensors`).
//!
//! An [`Adapter`] is what its header says of it, checked against the model; a [`Gathering`] takes its bytes, in whatever
//! order they come, and gives what each matrix gets.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod gathering;
mod names;
pub(crate) mod peft;
mod place;
mod scales;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise"
)]
mod tests;

use crate::graph::{Graph, MOST_ADAPTERS, RANK_STEP, Rank};
use crate::quant::Format;
use crate::weights::header::{Header, TensorInfo};
use crate::{Error, Result};

pub use gathering::Gathering;
pub use peft::{ADAPTER_CONFIG, ADAPTER_WEIGHTS};
pub use scales::{Scales, weights};

use names::{Half, Named};
use place::Place;

/// `general.type` of an adapter's GGUF.
pub(crate) const TYPE: &str = "adapter";
/// Rows of A at most: ten times as many as anybody trains.
const MOST_RANK: usize = 1024;

/// An adapter, checked against the model that it is for.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// What requests call it.
    pub name: String,
    pairs: Vec<Pair>,
    /// By tensor of its header.
    tensors: Vec<TensorInfo>,
}

/// What it adds to the rows of one tensor.
#[derive(Clone, Debug)]
struct Pair {
    place: Place,
    /// Indices of A (r, K) and of B (R, r).
    down: usize,
    up: usize,
    rank: usize,
    /// What B·A is multiplied by.
    scale: f32,
}

impl Adapter {
    /// Checks a header against the model's.
    ///
    /// # Errors
    /// `bad_model_file` for one that contradicts itself, `unsupported_model` for what it changes that can't be changed, or of
    /// another model.
    pub fn new(name: &str, header: &Header, model: &Header) -> Result<Self> {
        let of_adapter = |error: Error| error.context(format!("adapter {name}"));
        Self::read(name, header, model).map_err(of_adapter)
    }

    fn read(name: &str, header: &Header, model: &Header) -> Result<Self> {
        let found = names::read(header, model)?;
        let places = place::all(model, found.halves)?;
        let mut pairs = Vec::new();
        for (target, both) in halves(&found.tensors)? {
            let [Some(down), Some(up)] = both else {
                return Err(Error::bad_model_file(format!(
                    "{target} has only one of its two tensors, A and B"
                )));
            };
            let place = places.get(target)?;
            let (a, b) = (tensor(header, down)?, tensor(header, up)?);
            let rank = rank(a, b, place)?;
            pairs.push(Pair {
                place: place.clone(),
                down,
                up,
                rank,
                scale: found.scaling.scale(target, rank)?,
            });
        }
        if pairs.is_empty() {
            return Err(Error::bad_model_file("the adapter changes nothing"));
        }
        Ok(Self {
            name: name.to_owned(),
            pairs,
            tensors: header.tensors.clone(),
        })
    }

    /// Whether it was read from such a header.
    #[must_use]
    pub fn is_of(&self, header: &Header) -> bool {
        self.tensors == header.tensors
    }

    /// How many tensors of the model it changes.
    #[must_use]
    pub const fn targets(&self) -> usize {
        self.pairs.len()
    }

    /// The largest rank of what it adds.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.pairs.iter().map(|pair| pair.rank).max().unwrap_or(0)
    }
}

/// The graph with room for what its adapters add.
///
/// # Errors
/// `invalid_request` for too many.
pub fn attach(graph: Graph, adapters: &[Adapter]) -> Result<Graph> {
    if adapters.len() > MOST_ADAPTERS {
        return Err(Error::invalid_request(
            "adapters",
            format!(
                "{} adapters, expected at most {MOST_ADAPTERS}",
                adapters.len()
            ),
        ));
    }
    let mut largest = vec![0; graph.matrices.len()];
    for pair in adapters.iter().flat_map(|adapter| &adapter.pairs) {
        let rank = largest.get_mut(pair.place.matrix);
        let rank = rank.ok_or_else(|| Error::internal("an adapter of another graph"))?;
        *rank = pair.rank.max(*rank);
    }
    let rank = |(matrix, rank): (usize, usize)| {
        let of = graph.matrices.get(matrix);
        let of = of.ok_or_else(|| Error::internal("an adapter of another graph"))?;
        Ok(Rank {
            matrix,
            groups: place::groups(of)?,
            rank: rank.next_multiple_of(RANK_STEP),
        })
    };
    let some = largest
        .into_iter()
        .enumerate()
        .filter(|(_, rank)| *rank > 0);
    let ranks = some.map(rank).collect::<Result<_>>()?;
    Ok(graph.with_adapters(adapters.len(), ranks))
}

/// Indices of an A and of a B, if they are there.
type Both = [Option<usize>; 2];

/// By target.
fn halves(tensors: &[Named]) -> Result<Vec<(&str, Both)>> {
    let mut all: Vec<(&str, Both)> = Vec::new();
    for Named {
        target,
        half,
        tensor,
    } in tensors
    {
        let found = all.iter().position(|(of, _)| of == target);
        let ix = found.unwrap_or(all.len());
        if found.is_none() {
            all.push((target, [None, None]));
        }
        let Some((_, [down, up])) = all.get_mut(ix) else {
            continue;
        };
        let own = match half {
            Half::Down => down,
            Half::Up => up,
        };
        if own.replace(*tensor).is_some() {
            return Err(Error::bad_model_file(format!(
                "{target} has two tensors of one half"
            )));
        }
    }
    Ok(all)
}

fn tensor(header: &Header, ix: usize) -> Result<&TensorInfo> {
    let tensor = header.tensors.get(ix);
    tensor.ok_or_else(|| Error::internal("a tensor that is not there"))
}

/// Checks A (r, K) and B (R, r), and that they are of rows that can be read; r.
fn rank(a: &TensorInfo, b: &TensorInfo, place: &Place) -> Result<usize> {
    let rank = a.dims.get(1).copied().unwrap_or(0);
    let rank = usize::try_from(rank).unwrap_or(usize::MAX);
    if rank == 0 || rank > MOST_RANK {
        return Err(Error::bad_model_file(format!(
            "tensor {} has shape {:?}, expected {} columns and 1 to {MOST_RANK} rows",
            a.name, a.dims, place.cols
        )));
    }
    for (tensor, expected) in [(a, [place.cols, rank]), (b, [rank, place.rows])] {
        if tensor.dims != expected.map(|size| size as u64) {
            return Err(Error::unsupported_model(format!(
                "tensor {} has shape {:?}, expected {expected:?} (columns first): it is an adapter of another model",
                tensor.name, tensor.dims
            ))
            .detail("tensor", tensor.name.as_str()));
        }
        let format = Format::of(&tensor.name, tensor.ggml_type)?;
        let [cols, rows] = expected;
        let fits =
            format.value_bytes > 0 || format.has_rows_of(cols) && format.rows_together() == 1;
        if !fits {
            return Err(Error::unsupported_model(format!(
                "tensor {} has {cols} columns of type {format:?}, which are no whole blocks",
                tensor.name
            ))
            .detail("tensor", tensor.name.as_str()));
        }
        if (rows as u64).checked_mul(format.row_bytes(cols) as u64) != Some(tensor.bytes) {
            return Err(Error::bad_model_file(format!(
                "tensor {} has {} bytes, expected {rows} rows of {}",
                tensor.name,
                tensor.bytes,
                format.row_bytes(cols)
            )));
        }
    }
    Ok(rank)
}
