//! A conversation as bytes: its tokens, and what the KV cache holds of them, to go on with it another time.
//!
//! ```text
//! "PUNAKV1\n"                        what it is
//! u32 × 6                            layers, heads Hkv, Dh, Dv, element (0 f16, 1 q8), tokens S
//! u32 × S                            the tokens
//! u64                                FNV-1a of all that is in front of it (Fowler, Noll, Vo)
//! layers ×  (planes, Hkv, S, Dh)     keys, then values if they stand apart
//!           u64                      FNV-1a of that layer's bytes
//! ```
//!
//! All little-endian. An f16 is 2 bytes; in q8 a row is an f16, the scale, and Dh signed bytes. Whoever restores it forwards
//! its last token anew and compares: bytes of another model, or of other weights, are not gone on with.

use half::f16;

use crate::graph::KvShape;
use crate::{Error, ErrorCode, Result};

const MAGIC: &[u8; 8] = b"PUNAKV1\n";
/// Numbers behind the magic.
const NUMBERS: usize = 6;
/// Behind each layer.
const CHECK_BYTES: usize = 8;

/// How elements are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// As most caches have them.
    F16,
    /// In 8 bits, with a scale a row.
    Q8,
}

impl Element {
    /// By its name.
    ///
    /// # Errors
    /// `invalid_request` for another.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "f16" => Ok(Self::F16),
            "q8" => Ok(Self::Q8),
            _ => Err(Error::invalid_request(
                "precision",
                format!("precision: expected \"f16\" or \"q8\", got {name:?}"),
            )),
        }
    }

    const fn number(self) -> u32 {
        match self {
            Self::F16 => 0,
            Self::Q8 => 1,
        }
    }

    /// Bytes of a row of `dims` elements.
    const fn row_bytes(self, dims: usize) -> usize {
        match self {
            Self::F16 => 2 * dims,
            Self::Q8 => 2 + dims,
        }
    }
}

/// What stands in front of the layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The tokens, by position.
    pub ids: Vec<u32>,
    /// Of the cache.
    pub shape: KvShape,
    /// How elements are kept.
    pub element: Element,
}

impl Saved {
    /// It as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let KvShape {
            layers,
            heads,
            head_dim,
            value_dim,
        } = self.shape;
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let numbers = [
            small(layers),
            small(heads),
            small(head_dim),
            small(value_dim),
            self.element.number(),
            small(self.ids.len()),
        ];
        let words = numbers.iter().chain(&self.ids);
        let words = words.flat_map(|word| word.to_le_bytes());
        let mut bytes: Vec<u8> = MAGIC.iter().copied().chain(words).collect();
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }

    /// Reads the beginning of `bytes`, of which there are `total`, for a cache of this shape with room for `capacity` tokens.
    ///
    /// # Errors
    /// `invalid_request` for what is no saved conversation, or one of another model.
    pub fn parse(bytes: &[u8], total: usize, shape: KvShape, capacity: usize) -> Result<Self> {
        let magic = bytes.get(..MAGIC.len());
        if magic != Some(MAGIC.as_slice()) {
            return Err(refused("these bytes are no saved conversation"));
        }
        let (words, _) = bytes
            .get(MAGIC.len()..)
            .unwrap_or_default()
            .as_chunks::<4>();
        let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
        let mut next = || words.next().and_then(|word| usize::try_from(word).ok());
        let numbers: Option<Vec<usize>> = (0..NUMBERS).map(|_| next()).collect();
        let Some([layers, heads, head_dim, value_dim, element, tokens]) = numbers.as_deref() else {
            return Err(cut_short());
        };
        let of_it = [*layers, *heads, *head_dim, *value_dim];
        let wanted = [shape.layers, shape.heads, shape.head_dim, shape.value_dim];
        if of_it != wanted {
            return Err(refused(&format!(
                "it is a conversation with another model: its cache is {of_it:?} (layers, heads, dimensions of keys and values), this one's {wanted:?}"
            )));
        }
        let element = match *element {
            0 => Element::F16,
            1 => Element::Q8,
            other => {
                return Err(refused(&format!(
                    "its elements are of an unknown kind, {other}"
                )));
            }
        };
        let tokens = *tokens;
        if tokens == 0 || tokens > capacity {
            return Err(refused(&format!(
                "it has {tokens} tokens, and the context has room for {capacity}"
            )));
        }
        let ids: Vec<u32> = words.take(tokens).collect();
        if ids.len() < tokens {
            return Err(cut_short());
        }
        let saved = Self {
            ids,
            shape,
            element,
        };
        let front = Self::front_bytes(tokens);
        let check = bytes.get(front.saturating_sub(CHECK_BYTES)..front);
        if saved.layer(shape.layers).start != total || check.is_none() {
            return Err(cut_short());
        }
        let own = checksum(
            bytes
                .get(..front.saturating_sub(CHECK_BYTES))
                .unwrap_or_default(),
        );
        match check == Some(own.to_le_bytes().as_slice()) {
            true => Ok(saved),
            false => Err(damaged("its tokens")),
        }
    }

    /// Bytes that [`Self::parse`] needs to see, if there are so many tokens.
    #[must_use]
    pub const fn front_bytes(tokens: usize) -> usize {
        MAGIC.len() + 4 * (NUMBERS + tokens) + CHECK_BYTES
    }

    /// Where a layer's bytes are.
    #[must_use]
    pub const fn layer(&self, layer: usize) -> std::ops::Range<usize> {
        let row = self.element.row_bytes(self.shape.head_dim);
        let rows = self.shape.planes() * self.shape.heads * self.ids.len();
        let bytes = rows.saturating_mul(row).saturating_add(CHECK_BYTES);
        let start = Self::front_bytes(self.ids.len()).saturating_add(bytes.saturating_mul(layer));
        start..start.saturating_add(bytes)
    }

    /// A layer's elements, bits of f16 (planes, Hkv, S, Dh), as bytes.
    #[must_use]
    pub fn pack(&self, elements: &[u16]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.layer(0).len());
        match self.element {
            Element::F16 => bytes.extend(elements.iter().flat_map(|bits| bits.to_le_bytes())),
            Element::Q8 => {
                for row in elements.chunks(self.shape.head_dim.max(1)) {
                    let floats = row.iter().map(|bits| f16::from_bits(*bits).to_f32());
                    let largest = floats.clone().fold(0.0_f32, |most, x| most.max(x.abs()));
                    let scale = f16::from_f32(largest / 127.0);
                    bytes.extend(scale.to_bits().to_le_bytes());
                    let scale = scale.to_f32();
                    #[expect(clippy::cast_possible_truncation, reason = "at most 127")]
                    let byte = |x: f32| match scale > 0.0 {
                        true => (x / scale).round().clamp(-127.0, 127.0) as i8,
                        false => 0,
                    };
                    bytes.extend(floats.map(|x| byte(x).cast_unsigned()));
                }
            }
        }
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }

    /// A layer's elements, as [`Self::pack`] took them but for what that rounds.
    ///
    /// # Errors
    /// `integrity` where bytes have changed.
    pub fn unpack(&self, bytes: &[u8]) -> Result<Vec<u16>> {
        let damaged = || damaged("a layer's bytes");
        let end = bytes.len().saturating_sub(CHECK_BYTES);
        let (bytes, check) = bytes.split_at_checked(end).ok_or_else(damaged)?;
        if checksum(bytes).to_le_bytes() != check {
            return Err(damaged());
        }
        let (words, _) = bytes.as_chunks::<2>();
        let elements: Vec<u16> = match self.element {
            Element::F16 => words.iter().map(|bits| u16::from_le_bytes(*bits)).collect(),
            Element::Q8 => {
                let row = self.element.row_bytes(self.shape.head_dim);
                let rows = bytes.chunks_exact(row.max(1));
                let unpack = |row: &[u8]| -> Vec<u16> {
                    let (scale, row) = row.split_first_chunk::<2>().unwrap_or((&[0; 2], &[]));
                    let scale = f16::from_le_bytes(*scale).to_f32();
                    let element = |byte: &u8| f32::from(byte.cast_signed()) * scale;
                    row.iter()
                        .map(|byte| f16::from_f32(element(byte)).to_bits())
                        .collect()
                };
                rows.flat_map(unpack).collect()
            }
        };
        match elements
            .iter()
            .all(|bits| f16::from_bits(*bits).is_finite())
        {
            true => Ok(elements),
            false => Err(refused("some of it is no number")),
        }
    }

    /// Whether a row that was forwarded anew is what was saved, bits of f16 (planes, Hkv, Dh) of one position: but for what
    /// devices and kernels round otherwise.
    #[must_use]
    pub fn agrees(saved: &[u16], anew: &[u16]) -> bool {
        let float = |bits: &u16| f64::from(f16::from_bits(*bits).to_f32());
        let product = |a: &[u16], b: &[u16]| -> f64 {
            a.iter().zip(b).map(|(a, b)| float(a) * float(b)).sum()
        };
        let (own, other) = (product(saved, saved), product(anew, anew));
        let cosine = product(saved, anew) / (own * other).sqrt();
        saved.len() == anew.len() && (cosine > 0.98 || own + other == 0.0)
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn refused(why: &str) -> Error {
    Error::invalid_request("session", format!("session: {why}"))
}

fn damaged(what: &str) -> Error {
    Error::new(
        ErrorCode::Integrity,
        format!(
            "the saved conversation is damaged: {what} do not have the checksum that they should have"
        ),
    )
}

fn cut_short() -> Error {
    refused("the saved conversation has another length than it says; it was cut short, or is none")
}

/// The error of a conversation that the model would have read otherwise.
#[must_use]
pub fn of_other_weights() -> Error {
    refused("it is a conversation with another model: this one reads its last token otherwise")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::random::Random;

    const SHAPE: KvShape = KvShape {
        layers: 2,
        heads: 3,
        head_dim: 4,
        value_dim: 4,
    };

    fn saved(element: Element) -> Saved {
        Saved {
            ids: vec![7, 8, 9, 10, 11],
            shape: SHAPE,
            element,
        }
    }

    fn layer(seed: u64) -> Vec<u16> {
        let mut random = Random(seed);
        let mut element = || random.word() as f32 / 4_294_967_296.0 - 0.5;
        (0..2 * 3 * 5 * 4)
            .map(|_| f16::from_f32(element()).to_bits())
            .collect()
    }

    fn whole(saved: &Saved) -> Vec<u8> {
        let mut bytes = saved.to_bytes();
        for ix in 0..2 {
            assert_eq!(saved.layer(ix).start, bytes.len());
            bytes.extend(saved.pack(&layer(ix as u64)));
            assert_eq!(saved.layer(ix).end, bytes.len());
        }
        bytes
    }

    #[test]
    fn what_was_saved_is_read_again() {
        for element in [Element::F16, Element::Q8] {
            let saved = saved(element);
            let bytes = whole(&saved);
            assert_eq!(Saved::parse(&bytes, bytes.len(), SHAPE, 5).unwrap(), saved);
            for ix in 0..2 {
                let got = saved.unpack(&bytes[saved.layer(ix)]).unwrap();
                for (got, want) in got.iter().zip(layer(ix as u64)) {
                    let [got, want] = [*got, want].map(|bits| f16::from_bits(bits).to_f32());
                    let off = if element == Element::F16 { 0.0 } else { 0.003 };
                    assert!((got - want).abs() <= off, "{got} for {want}");
                }
                assert!(Saved::agrees(&got, &layer(ix as u64)));
                assert!(!Saved::agrees(&got, &layer(7)), "of another model");
            }
        }
        let zeros = Saved {
            element: Element::Q8,
            ..saved(Element::Q8)
        };
        assert!(
            zeros
                .unpack(&zeros.pack(&[0; 120]))
                .unwrap()
                .iter()
                .all(|bits| *bits == 0)
        );
    }

    #[test]
    fn what_is_none_is_refused() {
        let saved = saved(Element::F16);
        let bytes = whole(&saved);
        let says = |bytes: &[u8], capacity: usize| {
            let error = Saved::parse(bytes, bytes.len(), SHAPE, capacity).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRequest, "{error}");
            error.message()
        };
        assert!(says(b"GGUF", 9).contains("no saved conversation"));
        assert!(says(&bytes, 4).contains("room for 4"));
        for length in [8, 12, 31, 40, bytes.len() - 1] {
            assert!(says(&bytes[..length], 9).contains("cut short"), "{length}");
        }
        let mut other = bytes.clone();
        other[8] = 3;
        assert!(says(&other, 9).contains("another model"));
        let mut endless = bytes.clone();
        endless[28..32].fill(0xff);
        assert!(says(&endless, 9).contains("4294967295 tokens"));
        let mut unknown = bytes.clone();
        unknown[24] = 9;
        assert!(says(&unknown, 9).contains("unknown kind"));
        let mut token = bytes.clone();
        token[33] ^= 1;
        let error = Saved::parse(&token, token.len(), SHAPE, 9).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Integrity, "{error}");
        let endless = saved.pack(&[0x7c00; 120]);
        assert!(
            saved
                .unpack(&endless)
                .unwrap_err()
                .message()
                .contains("no number")
        );
        let mut flipped = bytes[saved.layer(1)].to_vec();
        flipped[17] ^= 1;
        assert_eq!(
            saved.unpack(&flipped).unwrap_err().code(),
            ErrorCode::Integrity
        );
        assert_eq!(
            saved.unpack(&[1, 2]).unwrap_err().code(),
            ErrorCode::Integrity
        );
    }
}
