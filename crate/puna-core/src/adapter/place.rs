//! Where rows of a model's tensors are in memory, of tensors that can be changed.

use crate::graph::{
    Embed, Glu, Graph, Head, Linear, LinearAdd, Matrix, MatrixIx, Op, Qkv, RowGroups, Source,
};
use crate::weights::header::Header;
use crate::{Error, Result, model};

/// The rows of a tensor.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) matrix: MatrixIx,
    /// Of the matrix's groups.
    pub(super) group: usize,
    /// Rows and columns of the tensor.
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// Where its rows go.
    pub(super) sources: Vec<Source>,
}

/// Those of all tensors of a model; none of one that can't be changed.
pub(super) struct Places<'m>(Vec<(&'m str, Option<Place>)>);

impl Places<'_> {
    pub(super) fn get(&self, target: &str) -> Result<&Place> {
        let found = self.0.iter().find(|(name, _)| *name == target);
        match found.map(|(_, place)| place) {
            Some(Some(place)) => Ok(place),
            Some(None) => Err(Error::unsupported_model(format!(
                "the adapter changes {target}; adapters of embeddings, experts and compressed heads are not supported"
            ))
            .detail("tensor", target)),
            None => Err(Error::unsupported_model(format!(
                "the adapter changes {target}, which the model has not: it is of another model"
            ))
            .detail("tensor", target)),
        }
    }
}

/// Where the rows of a model's tensors would be that have their rotation pairs in halves, or have not.
pub(super) fn all(model: &Header, halves: bool) -> Result<Places<'_>> {
    let graph = model::with_halves(model, halves)?;
    let names = model
        .tensors
        .iter()
        .map(|tensor| (tensor.name.as_str(), None));
    // In the order of the model's tensors.
    let mut places: Vec<_> = names.collect();
    let plain = plain(&graph);
    for (ix, matrix) in graph.matrices.iter().enumerate() {
        if matrix.experts != 1 || !plain.contains(&ix) || groups(matrix).is_err() {
            continue;
        }
        for (group, tensor) in tensors(matrix).into_iter().enumerate() {
            let of = matrix
                .sources
                .iter()
                .filter(|source| source.tensor == tensor);
            let sources: Vec<_> = of.copied().collect();
            let place = places.get_mut(tensor).map(|(_, place)| place);
            let Some(place) = place.filter(|_| sources.iter().all(|it| it.transposed.is_none()))
            else {
                continue;
            };
            *place = Some(Place {
                matrix: ix,
                group,
                rows: sources.iter().map(|source| source.rows).sum(),
                cols: matrix.cols,
                sources,
            });
        }
    }
    Ok(Places(places))
}

/// The groups of a matrix's rows.
///
/// # Errors
/// `unsupported_model` where there are more than anybody makes.
pub(super) fn groups(matrix: &Matrix) -> Result<RowGroups> {
    let tensors = tensors(matrix);
    let steps = |tensor: &usize| {
        let of = matrix
            .sources
            .iter()
            .filter(|source| source.tensor == *tensor);
        of.map(|source| source.row_step).max().unwrap_or(1)
    };
    let interleaved = tensors.iter().map(steps).max().unwrap_or(1) > 1;
    match tensors.as_slice() {
        [_] => Ok(RowGroups::Stacked(Vec::new())),
        [_, _] if interleaved => Ok(RowGroups::Interleaved),
        [_, later @ ..] if !interleaved && later.len() <= 2 => {
            let first = |tensor: &usize| {
                let of = matrix
                    .sources
                    .iter()
                    .filter(|source| source.tensor == *tensor);
                of.map(|source| source.first_row).min().unwrap_or(0)
            };
            Ok(RowGroups::Stacked(later.iter().map(first).collect()))
        }
        _ => Err(Error::unsupported_model(format!(
            "{} is of {} tensors",
            matrix.name,
            tensors.len()
        ))),
    }
}

/// The tensors that a matrix is made of, each once, in the order of their rows.
fn tensors(matrix: &Matrix) -> Vec<usize> {
    let mut tensors = Vec::new();
    for source in &matrix.sources {
        if !tensors.contains(&source.tensor) {
            tensors.push(source.tensor);
        }
    }
    tensors
}

/// Matrices that tokens are multiplied with, and nothing else is done with.
fn plain(graph: &Graph) -> Vec<MatrixIx> {
    let mut plain = Vec::new();
    let mut other = Vec::new();
    for op in &graph.ops {
        match op {
            Op::Qkv(Qkv { weights, .. }) => plain.extend(weights.iter().map(|it| it.matrix)),
            Op::Linear(Linear { weight, .. })
            | Op::LinearAdd(LinearAdd { weight, .. })
            | Op::Glu(Glu { weight, .. })
            | Op::Head(Head { weight, .. }) => plain.push(*weight),
            Op::Embed(Embed { table, .. }) => other.push(*table),
            _ => {}
        }
    }
    plain.retain(|matrix| !other.contains(matrix));
    plain
}
