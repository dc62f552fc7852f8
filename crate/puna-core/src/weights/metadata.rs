//! The key-value section of a GGUF, as ranges into its own bytes.
//!
//! A vocabulary is an array of 49 thousand strings and more: it stays one block of bytes, and is walked
//! when somebody asks for it. Knows no key by name.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::reader::{Read, Reader, Stop};
use super::value::{Kind, StrArray, boolean, float, integer, utf8};
use crate::sorted::sorted;
use crate::{Error, Result};

/// Keys are short; the format allows 65,535 bytes.
const MAX_KEY_BYTES: u64 = 65_535;
/// Arrays of arrays exist in the format and in no known model.
const MAX_DEPTH: u32 = 4;
/// Longer arrays are shown by their type and length.
const MOST_SHOWN: usize = 64;

#[derive(Clone)]
struct Entry {
    key: Range<usize>,
    /// Kind of the value, or of the elements of an array.
    kind: Kind,
    /// Elements of an array; `None` for a single value.
    count: Option<u64>,
    /// The value's bytes; of a string without its length; of an array, its elements.
    value: Range<usize>,
}

/// The key-value section. Cheap to clone: the bytes are shared.
#[derive(Clone, Default)]
pub struct Metadata {
    bytes: Arc<[u8]>,
    /// Sorted by key.
    entries: Arc<[Entry]>,
}

impl Metadata {
    /// Reads `count` pairs. The strings are checked to be UTF-8 here, once.
    pub(super) fn read(reader: &mut Reader<'_>, prefix: &[u8], count: u64) -> Read<Self> {
        let mut entries = Vec::new();
        for _ in 0..count {
            let (name, key) = reader.string(MAX_KEY_BYTES, "a metadata key")?;
            let mut kind = read_kind(reader, name)?;
            let mut length = None;
            let value = match kind {
                Kind::Array => {
                    kind = read_kind(reader, name)?;
                    let elements = reader.u64(name)?;
                    length = Some(elements);
                    let start = reader.at();
                    skip_elements(reader, name, kind, elements, MAX_DEPTH)?;
                    start..reader.at()
                }
                Kind::String => reader.string(u64::MAX, name)?.1,
                _ => reader.skip(kind.bytes(), name)?,
            };
            entries.push(Entry {
                key,
                kind,
                count: length,
                value,
            });
        }
        let section = prefix.get(..reader.at()).unwrap_or_default();
        let key = |entry: &Entry| section.get(entry.key.clone()).unwrap_or_default();
        let entries = sorted(entries, &|a, b| key(a).cmp(key(b)));
        for pair in entries.windows(2) {
            if let [a, b] = pair
                && key(a) == key(b)
            {
                return Err(Stop::Bad(Error::bad_model_file(format!(
                    "the metadata key {:?} is there twice",
                    String::from_utf8_lossy(key(a))
                ))));
            }
        }
        Ok(Self {
            bytes: Arc::from(section),
            entries: Arc::from(entries),
        })
    }

    /// All keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .map(|entry| self.text(entry.key.clone()))
    }

    /// Whether the key is there, whatever its type.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The string under `key`.
    #[must_use]
    pub fn str(&self, key: &str) -> Option<&str> {
        let entry = self.single(key)?;
        (entry.kind == Kind::String).then(|| self.text(entry.value.clone()))
    }

    /// The integer under `key`, of whatever width, if it fits.
    #[must_use]
    pub fn u64(&self, key: &str) -> Option<u64> {
        let entry = self.single(key)?;
        u64::try_from(integer(entry.kind, self.raw(entry))?).ok()
    }

    /// The integer under `key`, of whatever width, if it fits.
    #[must_use]
    pub fn u32(&self, key: &str) -> Option<u32> {
        self.u64(key)?.try_into().ok()
    }

    /// The floating-point number under `key`; an f64 is rounded.
    #[must_use]
    pub fn f32(&self, key: &str) -> Option<f32> {
        let entry = self.single(key)?;
        float(entry.kind, self.raw(entry))
    }

    /// The truth value under `key`.
    #[must_use]
    pub fn bool(&self, key: &str) -> Option<bool> {
        let entry = self.single(key)?;
        boolean(entry.kind, self.raw(entry))
    }

    /// The array of strings under `key`.
    #[must_use]
    pub fn strs(&self, key: &str) -> Option<StrArray<'_>> {
        let entry = self.entry(key)?;
        if entry.kind != Kind::String {
            return None;
        }
        let length = usize::try_from(entry.count?).ok()?;
        Some(StrArray {
            rest: self.raw(entry),
            length,
        })
    }

    /// The array of integers under `key`, of whatever width, if all fit.
    #[must_use]
    pub fn i32s(&self, key: &str) -> Option<Vec<i32>> {
        self.array(key, |kind, bytes| i32::try_from(integer(kind, bytes)?).ok())
    }

    /// The array of integers under `key`, of whatever width, if all fit.
    #[must_use]
    pub fn u32s(&self, key: &str) -> Option<Vec<u32>> {
        self.array(key, |kind, bytes| u32::try_from(integer(kind, bytes)?).ok())
    }

    /// The array of floating-point numbers under `key`; f64 are rounded.
    #[must_use]
    pub fn f32s(&self, key: &str) -> Option<Vec<f32>> {
        self.array(key, float)
    }

    /// The array of truth values under `key`.
    #[must_use]
    pub fn bools(&self, key: &str) -> Option<Vec<bool>> {
        self.array(key, boolean)
    }

    /// [`Self::str`], or an error that names the key.
    pub fn required_str(&self, key: &str) -> Result<&str> {
        self.str(key).ok_or_else(|| self.missing(key, "a string"))
    }

    /// [`Self::u32`], or an error that names the key.
    pub fn required_u32(&self, key: &str) -> Result<u32> {
        self.u32(key)
            .ok_or_else(|| self.missing(key, "an integer from 0 to 4294967295"))
    }

    /// [`Self::u64`], or an error that names the key.
    pub fn required_u64(&self, key: &str) -> Result<u64> {
        self.u64(key)
            .ok_or_else(|| self.missing(key, "an integer that is not negative"))
    }

    /// [`Self::f32`], or an error that names the key.
    pub fn required_f32(&self, key: &str) -> Result<f32> {
        self.f32(key)
            .ok_or_else(|| self.missing(key, "a floating-point number"))
    }

    /// [`Self::bool`], or an error that names the key.
    pub fn required_bool(&self, key: &str) -> Result<bool> {
        self.bool(key).ok_or_else(|| self.missing(key, "a bool"))
    }

    /// [`Self::strs`], or an error that names the key.
    pub fn required_strs(&self, key: &str) -> Result<StrArray<'_>> {
        self.strs(key)
            .ok_or_else(|| self.missing(key, "an array of strings"))
    }

    /// [`Self::i32s`], or an error that names the key.
    pub fn required_i32s(&self, key: &str) -> Result<Vec<i32>> {
        self.i32s(key)
            .ok_or_else(|| self.missing(key, "an array of 32-bit integers"))
    }

    /// [`Self::u32s`], or an error that names the key.
    pub fn required_u32s(&self, key: &str) -> Result<Vec<u32>> {
        self.u32s(key)
            .ok_or_else(|| self.missing(key, "an array of unsigned 32-bit integers"))
    }

    /// [`Self::f32s`], or an error that names the key.
    pub fn required_f32s(&self, key: &str) -> Result<Vec<f32>> {
        self.f32s(key)
            .ok_or_else(|| self.missing(key, "an array of floating-point numbers"))
    }

    /// The value under `key` for people: arrays by type and length, long strings cut.
    #[must_use]
    pub fn describe(&self, key: &str) -> Option<String> {
        let entry = self.entry(key)?;
        if let Some(count) = entry.count {
            return Some(format!("{}[{count}]", entry.kind.name()));
        }
        let raw = self.raw(entry);
        Some(match entry.kind {
            Kind::String => {
                let text = self.text(entry.value.clone());
                let shown: String = text.chars().take(72).collect();
                if shown.len() < text.len() {
                    format!("{shown:?}… ({} bytes)", text.len())
                } else {
                    format!("{shown:?}")
                }
            }
            Kind::Bool => boolean(entry.kind, raw)?.to_string(),
            Kind::F32 => float(entry.kind, raw)?.to_string(),
            Kind::F64 => f64::from_le_bytes(raw.try_into().ok()?).to_string(),
            _ => integer(entry.kind, raw)?.to_string(),
        })
    }

    /// The value under `key` for programs: as it is, and long arrays, and such of arrays, as [`Self::describe`] has them.
    #[must_use]
    pub fn json(&self, key: &str) -> Option<Value> {
        let entry = self.entry(key)?;
        let raw = self.raw(entry);
        let short = entry.count.is_none_or(|it| it <= MOST_SHOWN as u64);
        let one = |kind: Kind, bytes: &[u8]| {
            let whole = || integer(kind, bytes).and_then(|it| i64::try_from(it).ok());
            // As short as it can be said, not as f64 would say it.
            let float = || {
                float(kind, bytes)?
                    .to_string()
                    .parse::<f64>()
                    .ok()
                    .map(Value::from)
            };
            let switch = || boolean(kind, bytes).map(Value::from);
            whole().map(Value::from).or_else(float).or_else(switch)
        };
        let shown = match (entry.kind, entry.count) {
            (Kind::Array, _) => None,
            (Kind::String, None) => Some(Value::from(self.text(entry.value.clone()))),
            (Kind::String, Some(_)) if short => {
                Some(self.strs(key)?.iter().map(Value::from).collect())
            }
            (kind, None) => one(kind, raw),
            (kind, Some(_)) if short => {
                let all = raw.chunks_exact(usize::try_from(kind.bytes()).ok()?);
                Some(all.filter_map(|bytes| one(kind, bytes)).collect())
            }
            _ => None,
        };
        shown.or_else(|| self.describe(key).map(Value::from))
    }

    #[cold]
    fn missing(&self, key: &str, expected: &str) -> Error {
        let message = match self.entry(key) {
            None => format!("the metadata has no {key:?}; expected {expected}"),
            Some(entry) => {
                let array = if entry.count.is_some() {
                    "an array of "
                } else {
                    ""
                };
                let got = self.describe(key).unwrap_or_default();
                format!(
                    "the metadata key {key:?} should be {expected}; it is {array}{} ({got})",
                    entry.kind.name()
                )
            }
        };
        Error::bad_model_file(message).detail("key", key)
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        let ix = self
            .entries
            .binary_search_by(|entry| self.text(entry.key.clone()).cmp(key))
            .ok()?;
        self.entries.get(ix)
    }

    fn single(&self, key: &str) -> Option<&Entry> {
        self.entry(key).filter(|entry| entry.count.is_none())
    }

    fn raw(&self, entry: &Entry) -> &[u8] {
        self.bytes.get(entry.value.clone()).unwrap_or_default()
    }

    fn text(&self, range: Range<usize>) -> &str {
        utf8(self.bytes.get(range).unwrap_or_default())
    }

    fn array<T>(&self, key: &str, convert: impl Fn(Kind, &[u8]) -> Option<T>) -> Option<Vec<T>> {
        let entry = self.entry(key)?;
        entry.count?;
        if matches!(entry.kind, Kind::String | Kind::Array) {
            return None;
        }
        let width = usize::try_from(entry.kind.bytes()).ok()?;
        self.raw(entry)
            .chunks_exact(width)
            .map(|bytes| convert(entry.kind, bytes))
            .collect()
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |key| (key, self.describe(key).unwrap_or_default());
        f.debug_map().entries(self.keys().map(show)).finish()
    }
}

fn read_kind(reader: &mut Reader<'_>, key: &str) -> Read<Kind> {
    let number = reader.u32(key)?;
    Kind::from_number(number).ok_or_else(|| {
        Stop::Bad(Error::bad_model_file(format!(
            "the metadata key {key:?} has the value type {number}; 0 to 12 exist"
        )))
    })
}

fn skip_elements(
    reader: &mut Reader<'_>,
    key: &str,
    kind: Kind,
    count: u64,
    depth: u32,
) -> Read<()> {
    reader.expect_room(count, kind.bytes(), key)?;
    match kind {
        Kind::String => {
            for _ in 0..count {
                reader.string(u64::MAX, key)?;
            }
        }
        Kind::Array => {
            let Some(depth) = depth.checked_sub(1) else {
                return Err(Stop::Bad(Error::bad_model_file(format!(
                    "the metadata key {key:?} nests arrays more than {MAX_DEPTH} deep"
                ))));
            };
            for _ in 0..count {
                let inner = read_kind(reader, key)?;
                let inner_count = reader.u64(key)?;
                skip_elements(reader, key, inner, inner_count, depth)?;
            }
        }
        _ => {
            // `expect_room` has seen that the product is small.
            reader.skip(count.saturating_mul(kind.bytes()), key)?;
        }
    }
    Ok(())
}
