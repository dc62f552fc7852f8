//! The sharded form of a model: a manifest, and the file's bytes in pieces that any static host can serve.
//!
//! Shard boundaries are those of a [`Plan`], so that each shard is a chunk: fetched, verified and
//! uploaded on its own. A manifest comes from anywhere, and is believed only as far as it adds up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::plan::{MAX_CHUNK_BYTES, Plan};
use super::reader::MAX_HEADER_BYTES;
use crate::{Error, Result};

/// What a manifest's `format` says.
pub const FORMAT: &str = "puna-shards";
/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;
/// Size of a shard unless another is asked for.
pub const SHARD_BYTES: u32 = 8 << 20;
/// No manifest is larger; one of 4 TiB in shards of 8 MiB would be 100 MB, one of 100 GB is 2.5 MB.
pub const MAX_MANIFEST_BYTES: u64 = 16 << 20;
/// Whole numbers beyond this are not exact in JSON's readers.
const MAX_FILE_BYTES: u64 = 1 << 53;

/// A sharded model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// Name of the file that was sharded, without its extension.
    pub name: String,
    /// Size of that file.
    pub file_bytes: u64,
    /// SHA-256 of that file.
    pub sha256: Sha256,
    /// Its header: the bytes in front of the first tensor.
    pub header: Shard,
    /// The rest, in order.
    pub shards: Vec<Shard>,
}

/// A range of the file, under an address of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Where it is, relative to the manifest: plain segments, no scheme, no `..`.
    pub url: String,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its size.
    pub bytes: u32,
    /// Its SHA-256.
    pub sha256: Sha256,
}

impl Manifest {
    /// Whether `bytes` look like a manifest and not like a model file: JSON, that is.
    #[must_use]
    pub fn is_likely(bytes: &[u8]) -> bool {
        bytes.trim_ascii_start().first() == Some(&b'{')
    }

    /// Reads a manifest. Fails unless it is of this version, its shards cover the file in order, and its
    /// sizes are bearable.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() as u64 > MAX_MANIFEST_BYTES {
            return Err(bad(format!(
                "{} bytes; at most {MAX_MANIFEST_BYTES} are read",
                bytes.len()
            )));
        }
        #[derive(Deserialize)]
        struct Peek {
            format: Option<String>,
            version: Option<u64>,
        }
        let peek: Peek = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        if peek.format.as_deref() != Some(FORMAT) {
            let found = peek
                .format
                .map_or_else(|| "none".to_owned(), |format| format!("{format:?}"));
            return Err(bad(format!(
                "its \"format\" should be {FORMAT:?}; it is {found}"
            )));
        }
        if peek.version != Some(u64::from(VERSION)) {
            return Err(Error::unsupported_model(format!(
                "manifest: version {} is not supported ({VERSION} is): a newer release may read it",
                peek.version.unwrap_or(0)
            )));
        }
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The manifest as text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Header and shards, in the order of the file.
    pub fn parts(&self) -> impl Iterator<Item = &Shard> {
        std::iter::once(&self.header).chain(&self.shards)
    }

    /// `(offset, bytes)` of each part, for [`Plan::from_cuts`].
    #[must_use]
    pub fn cuts(&self) -> Vec<(u64, u32)> {
        self.parts().map(|part| (part.offset, part.bytes)).collect()
    }

    /// The ranges of the parts that a plan gives: the header's chunks as one, then every other chunk.
    pub fn cuts_of(plan: &Plan, header_bytes: u64) -> Result<Vec<(u64, u32)>> {
        let header = u32::try_from(header_bytes)
            .ok()
            .filter(|bytes| *bytes <= MAX_CHUNK_BYTES)
            .ok_or_else(|| {
                bad(format!(
                    "a header of {header_bytes} bytes; a shard holds {MAX_CHUNK_BYTES}"
                ))
            })?;
        let rest = plan
            .chunks
            .iter()
            .filter(|chunk| chunk.offset >= header_bytes);
        Ok(std::iter::once((0, header))
            .chain(rest.map(|chunk| (chunk.offset, chunk.bytes)))
            .collect())
    }

    fn check(&self) -> Result<()> {
        if self.file_bytes > MAX_FILE_BYTES {
            return Err(bad(format!(
                "a file of {} bytes; at most 2^53 are possible",
                self.file_bytes
            )));
        }
        if u64::from(self.header.bytes) > MAX_HEADER_BYTES {
            return Err(bad(format!(
                "a header of {} bytes; at most {MAX_HEADER_BYTES} are possible",
                self.header.bytes
            )));
        }
        let mut at = 0_u64;
        for (ix, part) in self.parts().enumerate() {
            let name = if ix == 0 {
                "the header".to_owned()
            } else {
                format!("shard {}", ix.saturating_sub(1))
            };
            if part.offset != at || !at.is_multiple_of(4) {
                return Err(bad(format!(
                    "{name} begins at byte {}; expected byte {at}, where the one before ends, and a multiple of 4",
                    part.offset
                )));
            }
            if part.bytes == 0 || part.bytes > MAX_CHUNK_BYTES {
                return Err(bad(format!(
                    "{name} has {} bytes; expected 1 to {MAX_CHUNK_BYTES}",
                    part.bytes
                )));
            }
            check_url(&part.url).map_err(|error| error.context(name))?;
            at = at.saturating_add(u64::from(part.bytes));
        }
        if at != self.file_bytes {
            return Err(bad(format!(
                "the shards hold {at} bytes; \"file_bytes\" says {}",
                self.file_bytes
            )));
        }
        Ok(())
    }
}

/// The address of a shard: `url` in the folder of the manifest's own. A query or fragment of the manifest's is
/// not inherited.
#[must_use]
pub fn resolve(manifest_url: &str, url: &str) -> String {
    let path = manifest_url.split(['?', '#']).next().unwrap_or_default();
    let folder = path
        .rfind('/')
        .and_then(|slash| path.get(..=slash))
        .unwrap_or_default();
    format!("{folder}{url}")
}

/// Plain segments of letters, digits, `.`, `_`, `-`: what needs no escaping and leads nowhere else.
fn check_url(url: &str) -> Result<()> {
    let plain = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    if url.len() <= 1024 && url.split('/').all(plain) {
        return Ok(());
    }
    Err(bad(format!(
        "the url {:?} is not a plain relative path",
        url.chars().take(80).collect::<String>()
    )))
}

#[cold]
fn bad(message: String) -> Error {
    Error::bad_model_file(format!("manifest: {message}"))
}

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Sha256 {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            || Error::bad_model_file("a SHA-256 should be 64 lower-case hexadecimal digits");
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte.wrapping_sub(b'0')),
            b'a'..=b'f' => Ok(byte.wrapping_sub(b'a').wrapping_add(10)),
            _ => Err(wrong()),
        };
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
            return Err(wrong());
        };
        let mut bytes = Vec::with_capacity(32);
        for [high, low] in pairs.iter().take(33) {
            bytes.push(digit(*high)? << 4 | digit(*low)?);
        }
        bytes.try_into().map(Self).map_err(|_| wrong())
    }
}

impl Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error: Error| serde::de::Error::custom(error.message()))
    }
}
