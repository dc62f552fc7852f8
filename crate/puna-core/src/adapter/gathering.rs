//! Takes an adapter's tensors, piece by piece, and gives what a matrix gets when all of it is there.

use super::{Adapter, Pair};
use crate::graph::{Factors, LowRank};
use crate::quant::Format;
use crate::weights::header::TensorInfo;
use crate::{Error, Result};

/// The largest number of 16 bits, as which they are kept.
const MOST: f32 = 65_504.0;

/// An adapter on its way. It holds the bytes of matrices of which some are still to come.
#[derive(Debug)]
pub struct Gathering<'a> {
    adapter: &'a Adapter,
    /// Its number.
    ix: usize,
    low_ranks: &'a [LowRank],
    /// By tensor: its bytes, as long as they are held, and how many of them have come.
    tensors: Vec<(Vec<u8>, u64)>,
    given: usize,
}

impl<'a> Gathering<'a> {
    /// Of adapter `ix` of those that `low_ranks` was made of.
    #[must_use]
    pub fn new(adapter: &'a Adapter, ix: usize, low_ranks: &'a [LowRank]) -> Self {
        Self {
            adapter,
            ix,
            low_ranks,
            tensors: vec![(Vec::new(), 0); adapter.tensors.len()],
            given: 0,
        }
    }

    /// Takes bytes of a tensor from `offset` on, each once; what a matrix gets, if that was the last of it.
    ///
    /// # Errors
    /// `internal` for bytes that no plan has.
    pub fn take(&mut self, tensor: usize, offset: u64, bytes: &[u8]) -> Result<Option<Factors>> {
        let stray = || Error::internal("bytes of an adapter that are none of its tensors");
        let info = self.adapter.tensors.get(tensor).ok_or_else(stray)?;
        let size = usize::try_from(info.bytes).map_err(|_| stray())?;
        let (held, come) = self.tensors.get_mut(tensor).ok_or_else(stray)?;
        held.resize(size, 0);
        let start = usize::try_from(offset).map_err(|_| stray())?;
        let to = held.get_mut(start..start.saturating_add(bytes.len()));
        to.ok_or_else(stray)?.copy_from_slice(bytes);
        *come = come.saturating_add(bytes.len() as u64);
        if *come < info.bytes {
            return Ok(None);
        }
        let pairs = self.adapter.pairs.iter();
        let own = pairs
            .clone()
            .find(|it| it.down == tensor || it.up == tensor);
        let matrix = own.ok_or_else(stray)?.place.matrix;
        let of: Vec<_> = pairs.filter(|it| it.place.matrix == matrix).collect();
        let has = |tensor: usize| {
            let come = self.tensors.get(tensor).map(|(_, come)| *come);
            come == self.adapter.tensors.get(tensor).map(|info| info.bytes)
        };
        if !of.iter().all(|pair| has(pair.down) && has(pair.up)) {
            return Ok(None);
        }
        self.factors(matrix, &of).map(Some)
    }

    /// Fails if something is missing.
    ///
    /// # Errors
    /// `internal`.
    pub fn finish(self) -> Result<()> {
        match self.given == self.adapter.pairs.len() {
            true => Ok(()),
            false => Err(Error::internal("some of an adapter's tensors did not come")),
        }
    }

    fn factors(&mut self, matrix: usize, pairs: &[&Pair]) -> Result<Factors> {
        let other = || Error::internal("an adapter of another model");
        let mut low_ranks = self.low_ranks.iter().enumerate();
        let found = low_ranks.find(|(_, it)| it.matrix == matrix);
        let (ix, low_rank) = found.ok_or_else(other)?;
        let (rows, cols) = low_rank.shape;
        let rank = low_rank.rank;
        let groups = low_rank.groups.count();
        let elements = |rows: usize, cols: usize| vec![0.0; rows.saturating_mul(cols)];
        let mut down = elements(groups.saturating_mul(rank), cols);
        let mut up = elements(rows, rank);
        for pair in pairs {
            let a = self.values(pair.down, cols)?;
            let first = pair.place.group.saturating_mul(rank);
            let to = down.chunks_exact_mut(cols).skip(first);
            for (to, from) in to.zip(a.chunks_exact(cols)) {
                to.copy_from_slice(from);
            }
            let b = self.values(pair.up, pair.rank)?;
            for source in &pair.place.sources {
                let rows = b.chunks_exact(pair.rank.max(1)).skip(source.from);
                for (i, row) in rows.take(source.rows).enumerate() {
                    let at = source.landing(i).saturating_mul(rank);
                    let to = up.get_mut(at..at.saturating_add(row.len()));
                    let to = to.ok_or_else(other)?;
                    for (to, value) in to.iter_mut().zip(row) {
                        *to = (value * pair.scale).clamp(-MOST, MOST);
                    }
                }
            }
            self.given = self.given.saturating_add(1);
        }
        Ok(Factors {
            adapter: self.ix,
            low_rank: ix,
            down,
            up,
        })
    }

    /// The weights of a tensor of rows of so many columns, which is not needed any more then.
    fn values(&mut self, tensor: usize, cols: usize) -> Result<Vec<f32>> {
        let missing = || Error::internal("a tensor of an adapter is missing");
        let held = self.tensors.get_mut(tensor).ok_or_else(missing)?;
        let bytes = std::mem::take(&mut held.0);
        let info: &TensorInfo = self.adapter.tensors.get(tensor).ok_or_else(missing)?;
        let format = Format::of(&info.name, info.ggml_type)?;
        let values: Vec<_> = match format.value_bytes {
            0 => format.dequantize_rows(&bytes, cols),
            _ => format.values(&bytes).collect(),
        };
        let is_wrong = |value: &&f32| value.is_nan() || value.abs() > MOST;
        match values.iter().find(is_wrong) {
            None => Ok(values),
            Some(value) => Err(Error::bad_model_file(format!(
                "tensor {} has an element {}, expected numbers up to 65504",
                info.name,
                f64::from(*value)
            ))),
        }
    }
}
