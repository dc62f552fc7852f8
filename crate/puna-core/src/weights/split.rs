//! A model in several GGUF files, as llama.cpp's `gguf-split` writes them: to everybody else they are one, put end to end.
//!
//! Each file has a header with its own tensors; the first one has the metadata of all.

use super::gguf::Gguf;
use crate::{Error, Result};

/// Files of the largest split models known: some 200.
const MAX_PARTS: u32 = 1 << 10;
/// What every part begins at a multiple of: bytes are moved to the GPU in words.
const ALIGNMENT: u64 = 4;

/// Which file of a split model one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From 0.
    pub no: u32,
    /// How many there are, at least 2.
    pub count: u32,
}

impl Part {
    /// Reads it from a file's metadata; `None` where the model is in one file.
    ///
    /// # Errors
    /// `bad_model_file` for numbers that make no sense.
    pub fn of(gguf: &Gguf) -> Result<Option<Self>> {
        if !gguf.metadata.contains("split.count") {
            return Ok(None);
        }
        let count = gguf.metadata.required_u32("split.count")?;
        let no = gguf.metadata.u32("split.no").unwrap_or(0);
        if count > MAX_PARTS || no >= count.max(1) {
            return Err(Error::bad_model_file(format!(
                "the file is part {} of {count}; expected at most {MAX_PARTS} parts",
                no.saturating_add(1)
            )));
        }
        Ok((count > 1).then_some(Self { no, count }))
    }

    /// The address, or the path, of part `no` beside that of this one. A query stays; a name that is not of the form
    /// `NAME-00001-of-00003.gguf` has no others.
    #[must_use]
    pub fn sibling(self, address: &str, no: u32) -> Option<String> {
        let path_end = address.find(['?', '#']).unwrap_or(address.len());
        let (path, query) = address.split_at_checked(path_end)?;
        let name = |no: u32| format!("-{:05}-of-{:05}.gguf", no.saturating_add(1), self.count);
        let stem = path.strip_suffix(&name(self.no))?;
        Some(format!("{stem}{}{query}", name(no)))
    }
}

/// The header of all parts together, given each one's and its size; and the size of them put end to end.
///
/// # Errors
/// `bad_model_file` when they are not all the parts of one model in their order, or what is wrong with one of them.
pub fn join(parts: Vec<(Gguf, u64)>) -> Result<(Gguf, u64)> {
    let count = parts.len();
    let mut whole: Option<Gguf> = None;
    let mut end = 0_u64;
    for (ix, (gguf, bytes)) in parts.into_iter().enumerate() {
        let name = format!("part {} of {count}", ix.saturating_add(1));
        let got = Part::of(&gguf).map_err(|error| error.context(name.as_str()))?;
        let fits = got.is_some_and(|got| got.no as usize == ix && got.count as usize == count);
        if !fits {
            let got = got.map_or("a whole model".to_owned(), |got| {
                format!("part {} of {}", got.no.saturating_add(1), got.count)
            });
            return Err(Error::bad_model_file(format!(
                "expected {name} of a split model; the file is {got}"
            )));
        }
        gguf.check_tensors(bytes)
            .map_err(|error| error.context(name.as_str()))?;
        let start = end
            .checked_next_multiple_of(ALIGNMENT)
            .and_then(|start| Some((start, start.checked_add(bytes)?)));
        let Some((start, stop)) = start else {
            return Err(Error::bad_model_file("the parts are larger than any file"));
        };
        end = stop;
        let Some(whole) = &mut whole else {
            whole = Some(gguf);
            continue;
        };
        whole.starts.push(start);
        for mut tensor in gguf.tensors {
            // It is inside its part, which is inside the whole.
            tensor.offset = tensor.offset.saturating_add(start);
            whole.tensors.push(tensor);
        }
    }
    let whole = whole.ok_or_else(|| Error::internal("a split model without parts"))?;
    whole.refuse_duplicates()?;
    let expected = whole.metadata.u64("split.tensors.count");
    if let Some(expected) = expected.filter(|it| *it != whole.tensors.len() as u64) {
        return Err(Error::bad_model_file(format!(
            "the parts have {} tensors together; the first one says {expected}",
            whole.tensors.len()
        )));
    }
    Ok((whole, end))
}
