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

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
mod tests {
    use super::super::gguf::Parsed;
    use super::super::plan::Plan;
    use super::super::writer::Writer;
    use super::*;

    /// Part `no` of `count`, with a tensor of that name; and its size, which is no multiple of 4.
    fn part(no: u16, count: u16, tensor: &str, all: u64) -> (Gguf, u64) {
        let bytes = Writer::new()
            .pair("split.no", 2, no.to_le_bytes())
            .pair("split.count", 2, count.to_le_bytes())
            .pair("split.tensors.count", 10, all.to_le_bytes())
            .tensor(tensor, &[16], 0, 0)
            .build();
        let Parsed::Done(gguf) = Gguf::parse(&bytes).unwrap() else {
            panic!("cut off")
        };
        let bytes = gguf.data_offset + 64 + 5;
        (gguf, bytes)
    }

    #[test]
    fn parts_are_put_end_to_end_and_cut_apart() {
        let (first, bytes) = part(0, 3, "a", 3);
        let step = bytes.next_multiple_of(4);
        let parts = ["a", "b", "c"].into_iter().enumerate();
        let parts = parts.map(|(no, name)| part(no.try_into().unwrap(), 3, name, 3));
        let (whole, end) = join(parts.collect()).unwrap();
        assert_eq!(whole.starts, [0, step, 2 * step]);
        assert_eq!(end, 2 * step + bytes);
        let at = first.tensors[0].offset;
        let offsets: Vec<_> = whole.tensors.iter().map(|it| it.offset).collect();
        assert_eq!(offsets, [at, at + step, at + 2 * step]);
        let plan = Plan::new(&whole, end, 4 << 20).unwrap();
        let begins: Vec<_> = plan.chunks.iter().map(|chunk| chunk.offset).collect();
        assert_eq!(begins, [0, at, step, 2 * step], "a chunk is of one file");
        assert_eq!(plan.chunks[2].pieces[0].tensor, 1, "its tensor is there");
        let mut cuts: Vec<_> = plan.chunks.iter().map(|it| (it.offset, it.bytes)).collect();
        Plan::from_cuts(&whole, end, cuts.clone()).unwrap();
        let last = cuts.pop().unwrap();
        cuts[2].1 += last.1;
        let error = Plan::from_cuts(&whole, end, cuts).unwrap_err();
        assert!(error.message().contains("no chunk begins at"), "{error}");
    }

    #[test]
    fn what_is_no_split_model_is_refused_by_part() {
        let mut short = part(1, 2, "b", 2);
        short.1 -= 6;
        for (parts, says) in [
            (
                vec![part(1, 2, "b", 2), part(0, 2, "a", 2)],
                "expected part 1 of 2 of a split model; the file is part 2 of 2",
            ),
            (
                vec![part(0, 3, "a", 3), part(1, 3, "b", 3)],
                "the file is part 1 of 3",
            ),
            (
                vec![part(0, 2, "a", 2), part(1, 2, "a", 2)],
                "tensor a: is there twice",
            ),
            (
                vec![part(0, 2, "a", 4), part(1, 2, "b", 4)],
                "2 tensors together; the first one says 4",
            ),
            (vec![part(0, 2, "a", 2), short], "part 2 of 2: tensor b"),
        ] {
            let error = join(parts).unwrap_err();
            assert!(error.message().contains(says), "{error}");
        }
        let (gguf, bytes) = part(1, 2, "a", 1);
        let error = gguf.check(bytes).unwrap_err();
        assert!(
            error.message().contains("NAME-00001-of-00002.gguf"),
            "{error}"
        );
        let (gguf, _) = part(2, 2, "a", 1);
        Part::of(&gguf).unwrap_err();
    }

    #[test]
    fn others_lie_beside_a_part() {
        let part = Part { no: 0, count: 3 };
        let sibling = |address| part.sibling(address, 2);
        let expected = "https://a/b/m-00003-of-00003.gguf?download=true#x";
        assert_eq!(
            sibling("https://a/b/m-00001-of-00003.gguf?download=true#x").as_deref(),
            Some(expected)
        );
        for other in [
            "m.gguf",
            "m-00002-of-00003.gguf",
            "m-00001-of-00002.gguf",
            "?-00001-of-00003.gguf",
        ] {
            assert_eq!(sibling(other), None, "{other}");
        }
    }
}
