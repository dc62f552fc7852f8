//! What `tokenizer.json` holds, read in one pass: a vocabulary goes where it is wanted without a tree of
//! JSON values in between, which would take ten times the file.

use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::super::bpe::MAX_MERGES;
use super::super::ids;
use super::super::vocab::MAX_TOKENS;

/// The file.
#[derive(Deserialize)]
pub(super) struct File<'f> {
    #[serde(default)]
    pub(super) added_tokens: AddedTokens,
    #[serde(borrow, default)]
    pub(super) normalizer: Option<&'f RawValue>,
    #[serde(borrow, default)]
    pub(super) pre_tokenizer: Option<&'f RawValue>,
    #[serde(borrow, default)]
    pub(super) post_processor: Option<&'f RawValue>,
    #[serde(borrow, default)]
    pub(super) decoder: Option<&'f RawValue>,
    pub(super) model: RawModel,
}

/// A token that is found as a whole.
#[derive(Deserialize)]
pub(super) struct AddedToken {
    pub(super) id: u32,
    pub(super) content: String,
    #[serde(default)]
    pub(super) single_word: bool,
    #[serde(default)]
    pub(super) lstrip: bool,
    #[serde(default)]
    pub(super) rstrip: bool,
    #[serde(default)]
    pub(super) normalized: bool,
    #[serde(default)]
    pub(super) special: bool,
}

/// All of them, in their order.
#[derive(Default)]
pub(super) struct AddedTokens(pub(super) Vec<AddedToken>);

/// What is common to the models; which fields a model has follows from its type.
#[derive(Deserialize)]
pub(super) struct RawModel {
    #[serde(rename = "type", default)]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) unk_token: Option<String>,
    #[serde(default)]
    pub(super) unk_id: Option<usize>,
    #[serde(default)]
    pub(super) continuing_subword_prefix: Option<String>,
    #[serde(default)]
    pub(super) end_of_word_suffix: Option<String>,
    #[serde(default)]
    pub(super) max_input_chars_per_word: Option<usize>,
    #[serde(default)]
    pub(super) fuse_unk: Option<bool>,
    #[serde(default)]
    pub(super) byte_fallback: Option<bool>,
    #[serde(default)]
    pub(super) ignore_merges: Option<bool>,
    pub(super) vocab: Vocab,
    #[serde(default)]
    pub(super) merges: Option<Merges>,
}

/// A vocabulary: text to id, or texts with log probabilities in the order of their ids.
pub(super) enum Vocab {
    Ids(ids::Ids),
    Scores(Vec<(String, f64)>),
}

/// Pairs of texts, in order of rank.
pub(super) struct Merges(pub(super) Vec<(String, String)>);

/// Reads a sequence of at most `max`, which are called `what`.
fn bounded<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
    mut seq: A,
    max: usize,
    what: &str,
) -> Result<Vec<T>, A::Error> {
    let mut all = Vec::new();
    while let Some(one) = seq.next_element()? {
        if all.len() >= max {
            return Err(A::Error::custom(format_args!("more than {max} {what}")));
        }
        all.push(one);
    }
    Ok(all)
}

impl<'de> Deserialize<'de> for AddedTokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = AddedTokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of added tokens")
            }

            fn visit_unit<E>(self) -> Result<AddedTokens, E> {
                Ok(AddedTokens::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<AddedTokens, A::Error> {
                bounded(seq, MAX_TOKENS, "added tokens").map(AddedTokens)
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Vocab;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a vocabulary: an object of ids, or an array of pairs of text and score",
                )
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocab, A::Error> {
                let mut ids = ids::Ids::default();
                while let Some((text, id)) = map.next_entry::<String, u32>()? {
                    if ids.len() >= MAX_TOKENS {
                        return Err(A::Error::custom(format_args!(
                            "more than {MAX_TOKENS} tokens"
                        )));
                    }
                    let inserted = ids.insert(text.as_bytes(), id);
                    inserted.map_err(|error| A::Error::custom(error.message()))?;
                }
                Ok(Vocab::Ids(ids))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Vocab, A::Error> {
                bounded(seq, MAX_TOKENS, "tokens").map(Vocab::Scores)
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

impl<'de> Deserialize<'de> for Merges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Merges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of merges")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Merges, A::Error> {
                let merges = bounded(seq, MAX_MERGES, "merges")?;
                let pairs = merges.into_iter().filter_map(|Merge(pair)| pair);
                Ok(Merges(pairs.collect()))
            }
        }
        deserializer.deserialize_seq(Visit)
    }
}

/// A merge, written as a pair or as `left right`; `None` is a comment.
struct Merge(Option<(String, String)>);

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Merge;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a merge: two tokens in an array, or with a space between them")
            }

            fn visit_str<E: serde::de::Error>(self, line: &str) -> Result<Merge, E> {
                if line.starts_with("#version") {
                    return Ok(Merge(None));
                }
                let pair = line.split_once(' ');
                let pair = pair.filter(|(_, right)| !right.contains(' '));
                let (left, right) = pair.ok_or_else(|| {
                    E::custom(format_args!(
                        "{line:?} is no merge: two tokens and a space between them expected"
                    ))
                })?;
                Ok(Merge(Some((left.to_owned(), right.to_owned()))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Merge, A::Error> {
                let left = seq.next_element()?;
                let right = seq.next_element()?;
                let more = seq.next_element::<IgnoredAny>()?;
                match (left, right, more) {
                    (Some(left), Some(right), None) => Ok(Merge(Some((left, right)))),
                    _ => Err(A::Error::custom("a merge has two tokens")),
                }
            }
        }
        deserializer.deserialize_any(Visit)
    }
}
