//! A model in several GGUF files, as llama.cpp's `gguf-split` writes them: to everybody else they are one, put end to end.
//!
//! Each file has a header with its own tensors; the first one has the metadata of all.

use super::header::{Header, refuse_duplicates};
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
    pub fn of(header: &Header) -> Result<Option<Self>> {
        if !header.metadata.contains("split.count") {
            return Ok(None);
        }
        let count = header.metadata.required_u32("split.count")?;
        let no = header.metadata.u32("split.no").unwrap_or(0);
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
    fn sibling(self, address: &str, no: u32) -> Option<String> {
        let path_end = address.find(['?', '#']).unwrap_or(address.len());
        let (path, query) = address.split_at_checked(path_end)?;
        let name = |no: u32| format!("-{:05}-of-{:05}.gguf", no.saturating_add(1), self.count);
        let stem = path.strip_suffix(&name(self.no))?;
        Some(format!("{stem}{}{query}", name(no)))
    }
}

/// Addresses, or paths, of the files behind a model's first one, given its header and its own: none where the model is in
/// one file, and where that is not its first part or is not named as such.
///
/// # Errors
/// As [`Part::of`].
pub fn later_files(header: &Header, address: &str) -> Result<Vec<String>> {
    let first = Part::of(header)?.filter(|part| part.no == 0);
    let files = first.and_then(|part| {
        let later = 1..part.count;
        later.map(|no| part.sibling(address, no)).collect()
    });
    Ok(files.unwrap_or_default())
}

/// Where each of some files of these sizes begins, if they are put end to end, and where the last one ends; `None` beyond
/// any size.
#[must_use]
pub fn places(sizes: impl IntoIterator<Item = u64>) -> Option<(Vec<u64>, u64)> {
    let mut end = 0_u64;
    let place = |bytes| {
        let start = end.checked_next_multiple_of(ALIGNMENT)?;
        end = start.checked_add(bytes)?;
        Some(start)
    };
    let starts = sizes.into_iter().map(place).collect::<Option<_>>()?;
    Some((starts, end))
}

/// The header of all files together, given each one's and its size; and the size of them put end to end. One file is itself.
///
/// # Errors
/// `bad_model_file` when several are not all the parts of one model in their order, or what is wrong with one of them.
pub fn join(mut files: Vec<(Header, u64)>) -> Result<(Header, u64)> {
    if files.len() == 1
        && let Some(only) = files.pop()
    {
        return Ok(only);
    }
    let count = files.len();
    let (starts, end) = places(files.iter().map(|(_, bytes)| *bytes))
        .ok_or_else(|| Error::bad_model_file("the parts are larger than any file"))?;
    let mut whole: Option<Header> = None;
    for (ix, ((header, bytes), start)) in files.into_iter().zip(&starts).enumerate() {
        let name = format!("part {} of {count}", ix.saturating_add(1));
        let got = Part::of(&header).map_err(|error| error.context(name.as_str()))?;
        let fits = got.is_some_and(|got| got.no as usize == ix && got.count as usize == count);
        if !fits {
            let got = got.map_or("a whole model".to_owned(), |got| {
                format!("part {} of {}", got.no.saturating_add(1), got.count)
            });
            return Err(Error::bad_model_file(format!(
                "expected {name} of a split model; the file is {got}"
            )));
        }
        header
            .check_tensors(bytes)
            .map_err(|error| error.context(name.as_str()))?;
        let Some(whole) = &mut whole else {
            whole = Some(header);
            continue;
        };
        for mut tensor in header.tensors {
            // It is inside its part, which is inside the whole.
            tensor.offset = tensor.offset.saturating_add(*start);
            whole.tensors.push(tensor);
        }
    }
    let mut whole = whole.ok_or_else(|| Error::internal("a model without files"))?;
    whole.starts = starts;
    refuse_duplicates(&whole.tensors)?;
    let expected = whole.metadata.u64("split.tensors.count");
    if let Some(expected) = expected.filter(|it| *it != whole.tensors.len() as u64) {
        return Err(Error::bad_model_file(format!(
            "the parts have {} tensors together; the first one says {expected}",
            whole.tensors.len()
        )));
    }
    Ok((whole, end))
}
