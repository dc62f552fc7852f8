//! A model's header, wherever its files are.

use puna_core::checkpoint::{self, Companions, Shard, is_required};
use puna_core::weights::header::{Header, MAX_HEADER_BYTES};
use puna_core::weights::safetensors;
use puna_core::weights::split::{join, later_files};
use puna_core::{Error, ErrorCode, Result};

use crate::front::Front;
use crate::place::Place;

/// What servers answer about a file that is not there; stores of objects say the first.
const ABSENT: [u64; 3] = [403, 404, 410];

/// The header of a model in a file, and the size of its files: of all of them, if it was split and `front` is of the first.
pub(crate) fn read_header(place: &Place, front: Front) -> Result<(Header, u64)> {
    let own = place.to_string();
    let named = |error: Error| error.context(own.as_str());
    let first = read_gguf(front)?;
    let later = later_files(&first.0, &own).map_err(named)?;
    let mut files = vec![first];
    for other in later {
        files.push(read_gguf(Front::open(&place.like(&other))?)?);
    }
    let (header, bytes) = join(files).map_err(named)?;
    header.check(bytes).map_err(named)?;
    Ok((header, bytes))
}

/// The header of a GGUF, and its size.
fn read_gguf(mut front: Front) -> Result<(Header, u64)> {
    let header = front.parse(Header::from_gguf)?;
    let tensors = header.tensors.iter();
    let ends = tensors.map(|tensor| tensor.offset.saturating_add(tensor.bytes));
    // Of a server that hides it: where the last tensor ends.
    let end = ends.max().unwrap_or(header.data_offset);
    let bytes = front.file_bytes().unwrap_or(end);
    Ok((header, bytes))
}

/// The header of a checkpoint as Hugging Face's repositories hold it, and the size of its files.
pub(crate) fn read_checkpoint(folder: &Place) -> Result<(Header, u64)> {
    let named = |error: Error| error.context(folder.to_string());
    let mut companions = Companions::default();
    for name in checkpoint::companions(false) {
        let place = folder.join(name);
        match Front::open(&place).and_then(|front| front.whole(MAX_HEADER_BYTES)) {
            Ok(bytes) => companions.push(name, bytes).map_err(named)?,
            Err(error) if !is_required(name) && is_absent(&place, &error) => {}
            Err(error) => return Err(error),
        }
    }
    let mut shards = Vec::new();
    for name in companions.shards().map_err(named)? {
        let mut front = Front::open(&folder.join(&name))?;
        let header = front.parse(safetensors::parse)?;
        let last = header.tensors.last();
        let end = last.map_or(header.data_offset, |it| it.offset.saturating_add(it.bytes));
        let bytes = front.file_bytes().unwrap_or(end);
        shards.push(Shard { header, bytes });
    }
    let (header, bytes) = checkpoint::header(companions, shards).map_err(named)?;
    header.check(bytes).map_err(named)?;
    Ok((header, bytes))
}

/// Whether a file could not be opened because it is not there.
fn is_absent(place: &Place, error: &Error) -> bool {
    match place {
        Place::Path(path) => !path.exists(),
        Place::Url(_) => {
            let status = error.details().get("status").and_then(|it| it.as_u64());
            error.code() == ErrorCode::Network && status.is_some_and(|it| ABSENT.contains(&it))
        }
    }
}
