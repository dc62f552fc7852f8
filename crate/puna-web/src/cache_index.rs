//! The index of one cached model: which chunks of its file are stored, and their checksums.
//!
//! Two files hold it in turn. Each ends in a checksum, so that one that was torn while it was written is dropped and the
//! other, one step older, is used: chunks may be forgotten, and are never misread.

use puna_core::weights::manifest::Sha256;
use puna_core::weights::plan::{MAX_CHUNK_BYTES, Plan};
use serde::{Deserialize, Serialize};

/// Changes when older readers would misread.
const VERSION: u32 = 1;
/// No index is larger: a chunk takes some 80 bytes of it.
pub(crate) const MAX_INDEX_BYTES: usize = 64 << 20;

/// What is known about a cached model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Index {
    version: u32,
    /// Grows with every writing; the larger of two is the newer.
    pub(crate) sequence: u64,
    /// Where the model comes from.
    pub(crate) url: String,
    /// Whether the address is that of a manifest of shards.
    pub(crate) sharded: bool,
    /// What tells this version of the file from another, if the server says.
    pub(crate) validator: Option<String>,
    /// The name in the manifest, if it is sharded.
    pub(crate) name: Option<String>,
    /// Size of the file.
    pub(crate) file_bytes: u64,
    /// The files that it is put together of, if there are several.
    #[serde(default)]
    pub(crate) parts: Vec<PartFile>,
    /// Every chunk of the file in order: its size, and its checksum once it is stored.
    pub(crate) chunks: Vec<(u32, Option<Sha256>)>,
}

/// A file that a model is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartFile {
    /// What it is called, where that does not follow from the first one's name.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Its size.
    pub(crate) bytes: u64,
    /// What tells this version of it from another, if the server says.
    pub(crate) validator: Option<String>,
}

impl Index {
    /// The index of a model of which nothing is stored yet.
    pub(crate) fn new(
        url: &str,
        sharded: bool,
        validator: Option<String>,
        name: Option<String>,
        plan: &Plan,
    ) -> Self {
        let chunks = plan
            .chunks
            .iter()
            .map(|chunk| (chunk.bytes, None))
            .collect();
        Self {
            version: VERSION,
            sequence: 0,
            url: url.to_owned(),
            sharded,
            validator,
            name,
            file_bytes: plan.file_bytes,
            parts: Vec::new(),
            chunks,
        }
    }

    /// The bytes of an index file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        let sum = checksum(&bytes);
        bytes.extend_from_slice(format!("\n{sum:016x}\n").as_bytes());
        bytes
    }

    /// The index in a file, unless it is torn, of another version, or does not add up.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let body = bytes.strip_suffix(b"\n")?;
        let (json, sum) = body.split_at_checked(body.len().checked_sub(17)?)?;
        if sum != format!("\n{:016x}", checksum(json)).as_bytes() {
            return None;
        }
        let index: Self = serde_json::from_slice(json).ok()?;
        let fits = |(bytes, _): &(u32, _)| (1..=MAX_CHUNK_BYTES).contains(bytes);
        let sum = index
            .chunks
            .iter()
            .try_fold(0_u64, |sum, (bytes, _)| sum.checked_add(u64::from(*bytes)));
        let sound = index.version == VERSION
            && index.chunks.iter().all(fits)
            && sum == Some(index.file_bytes);
        (sound && index.file_bytes > 0).then_some(index)
    }

    /// The newest sound index of several files.
    pub(crate) fn newest(files: &[Vec<u8>]) -> Option<Self> {
        files
            .iter()
            .filter_map(|bytes| Self::decode(bytes))
            .max_by_key(|index| index.sequence)
    }

    /// `(offset, bytes)` of every chunk, for [`Plan::from_cuts`].
    pub(crate) fn cuts(&self) -> Vec<(u64, u32)> {
        let mut offset = 0_u64;
        let place = |(bytes, _): &(u32, _)| {
            let start = offset;
            offset = offset.saturating_add(u64::from(*bytes));
            (start, *bytes)
        };
        self.chunks.iter().map(place).collect()
    }

    /// The files that it is in, in their order: mostly one.
    pub(crate) fn files(&self) -> Vec<PartFile> {
        if self.parts.is_empty() {
            return vec![PartFile {
                name: None,
                bytes: self.file_bytes,
                validator: self.validator.clone(),
            }];
        }
        self.parts.clone()
    }

    /// The checksum of a chunk, if it is stored.
    pub(crate) fn stored(&self, chunk: usize) -> Option<Sha256> {
        self.chunks.get(chunk).and_then(|(_, sha256)| *sha256)
    }

    /// Notes that a chunk is stored, or no longer.
    pub(crate) fn note(&mut self, chunk: usize, sha256: Option<Sha256>) {
        if let Some((_, slot)) = self.chunks.get_mut(chunk) {
            *slot = sha256;
        }
    }

    /// Bytes of the file that are stored.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let stored = self.chunks.iter().filter(|(_, sha256)| sha256.is_some());
        stored
            .map(|(bytes, _)| u64::from(*bytes))
            .fold(0, u64::saturating_add)
    }

    /// Whether the whole file is stored.
    pub(crate) fn is_complete(&self) -> bool {
        self.chunks.iter().all(|(_, sha256)| sha256.is_some())
    }

    /// Whether both speak of the same version of the same file, cut alike.
    pub(crate) fn same_file(&self, other: &Self) -> bool {
        let cuts = |index: &Self| {
            index
                .chunks
                .iter()
                .map(|(bytes, _)| *bytes)
                .collect::<Vec<_>>()
        };
        self.url == other.url
            && self.sharded == other.sharded
            && self.validator == other.validator
            && self.parts == other.parts
            && self.file_bytes == other.file_bytes
            && cuts(self) == cuts(other)
    }

    /// Takes over the chunks that another tab has stored since.
    pub(crate) fn merge(&mut self, newer: &Self) {
        self.sequence = self.sequence.max(newer.sequence);
        for ((_, mine), (_, theirs)) in self.chunks.iter_mut().zip(&newer.chunks) {
            *mine = mine.or(*theirs);
        }
    }
}

/// FNV-1a. Against torn writes, not against enemies: whoever can write here can write anything.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
mod tests {
    use puna_core::weights::plan::Chunk;

    use super::*;

    fn index() -> Index {
        let chunk = |offset, bytes| Chunk {
            offset,
            bytes,
            pieces: Vec::new(),
        };
        let plan = Plan {
            file_bytes: 1002,
            chunks: vec![chunk(0, 400), chunk(400, 400), chunk(800, 202)],
        };
        Index::new(
            "https://a.b/m.gguf",
            false,
            Some("etag \"é\"".to_owned()),
            Some("m".to_owned()),
            &plan,
        )
    }

    fn sum(byte: u8) -> Sha256 {
        Sha256([byte; 32])
    }

    #[test]
    fn what_is_written_is_read() {
        let mut index = index();
        index.note(1, Some(sum(7)));
        index.note(9, Some(sum(7)));
        let read = Index::decode(&index.encode()).unwrap();
        assert_eq!(read, index, "round trip");
        assert_eq!(
            read.cuts(),
            [(0, 400), (400, 400), (800, 202)],
            "chunks follow each other"
        );
        assert_eq!(
            (read.stored(1), read.stored(0), read.stored(9)),
            (Some(sum(7)), None, None),
            "checksums"
        );
        assert_eq!(
            (read.stored_bytes(), read.is_complete()),
            (400, false),
            "one of three"
        );
        index.note(0, Some(sum(1)));
        index.note(2, Some(sum(2)));
        assert!(index.is_complete(), "all of three");
    }

    #[test]
    fn a_torn_or_changed_index_is_dropped() {
        let bytes = index().encode();
        for end in 0..bytes.len() {
            assert_eq!(Index::decode(&bytes[..end]), None, "cut at {end}");
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 4;
            assert_eq!(Index::decode(&bytes), None, "changed at {at}");
        }
        let longer = [bytes.clone(), b"rest of an older index\n".to_vec()].concat();
        assert_eq!(Index::decode(&longer), None, "old bytes behind it");
    }

    #[test]
    fn an_index_that_does_not_add_up_is_dropped() {
        let change = |change: fn(&mut Index)| {
            let mut index = index();
            change(&mut index);
            Index::decode(&index.encode())
        };
        assert!(change(|_| ()).is_some(), "as it is");
        assert_eq!(change(|index| index.version = 2), None, "another version");
        assert_eq!(
            change(|index| index.file_bytes = 1003),
            None,
            "another size"
        );
        assert_eq!(
            change(|index| index.chunks[0].0 = 0),
            None,
            "an empty chunk"
        );
        assert_eq!(
            change(|index| index.chunks[0].0 = u32::MAX),
            None,
            "a huge chunk"
        );
        assert_eq!(
            change(|index| {
                index.chunks.clear();
                index.file_bytes = 0;
            }),
            None,
            "nothing"
        );
    }

    #[test]
    fn the_newest_sound_file_counts() {
        let mut newer = index();
        newer.sequence = 5;
        let mut torn = newer.clone();
        torn.sequence = 6;
        let torn = torn.encode();
        let files = [
            index().encode(),
            newer.encode(),
            torn[..90].to_vec(),
            Vec::new(),
        ];
        assert_eq!(
            Index::newest(&files),
            Some(newer),
            "the torn one is not the newest"
        );
        assert_eq!(Index::newest(&[Vec::new(), vec![0; 99]]), None, "none");
    }

    #[test]
    fn chunks_of_another_tab_are_taken_over() {
        let (mut mine, mut theirs) = (index(), index());
        mine.note(0, Some(sum(1)));
        theirs.note(2, Some(sum(3)));
        theirs.sequence = 8;
        assert!(mine.same_file(&theirs), "the same file");
        mine.merge(&theirs);
        assert_eq!(
            (mine.stored(0), mine.stored(1), mine.stored(2)),
            (Some(sum(1)), None, Some(sum(3))),
            "both"
        );
        assert_eq!(mine.sequence, 8, "the next one is newer than theirs");
        theirs.validator = None;
        assert!(!mine.same_file(&theirs), "another version");
    }
}
