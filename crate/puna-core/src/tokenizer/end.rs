//! Which tokens end an answer.
//!
//! A model's files name one or some; models use several (the end of a text, of a turn, of a call). As
//! llama.cpp does, the others are recognised by what they are written as.

use crate::sorted::sorted;
use crate::weights::header::Metadata;
use crate::{Error, Result};

use super::vocab::TokenKind;

/// Tokens that end an answer wherever they are.
const ENDS: &[&str] = &[
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<start_function_response>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
];

/// Tokens that end an answer by their role when code is filled in: a key of the metadata, or else the
/// first token written in one of these ways.
const ROLES: &[(&str, &[&str])] = &[
    (
        "tokenizer.ggml.fim_pad_token_id",
        &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"],
    ),
    (
        "tokenizer.ggml.fim_rep_token_id",
        &[
            "<|fim_repo|>",
            "<|repo_name|>",
            "<fim-repo>",
            "<REPO>",
            "<reponame>",
        ],
    ),
    ("tokenizer.ggml.fim_sep_token_id", &["<|file_sep|>"]),
];

/// Keys that name a token that ends an answer.
const KEYS: &[&str] = &[
    "tokenizer.ggml.eos_token_id",
    "tokenizer.ggml.eot_token_id",
    "tokenizer.ggml.eom_token_id",
];

/// What a model's files say about it.
#[derive(Default)]
pub(super) struct Named {
    /// Ids that end an answer.
    pub(super) ends: Vec<u32>,
    /// Ids of [`ROLES`], as far as they are named.
    roles: Vec<Option<u32>>,
}

impl Named {
    pub(super) fn from_gguf(metadata: &Metadata, n_tokens: usize) -> Result<Self> {
        let mut named = Self::default();
        for key in KEYS {
            named.ends.extend(id_of(metadata, key, n_tokens)?);
        }
        for (key, _) in ROLES {
            named.roles.push(id_of(metadata, key, n_tokens)?);
        }
        Ok(named)
    }
}

/// The ids that end an answer, ascending, of a vocabulary of `kinds`. Of `tokens`, those found by how
/// they are written become control tokens: files exist that forget to say so.
pub(super) fn find<'t>(
    named: Named,
    tokens: impl Iterator<Item = (u32, &'t str)>,
    kinds: &mut [TokenKind],
) -> Vec<u32> {
    let Named { mut ends, roles } = named;
    let named = roles.into_iter().chain(std::iter::repeat(None));
    let mut roles: Vec<_> = ROLES
        .iter()
        .zip(named)
        .map(|((_, written), found)| (found, *written))
        .collect();
    // Parts of a protocol in which "<|end|>" closes a message, not the answer.
    let (mut returns, mut calls, mut flushes, mut end) = (false, false, false, None);
    // Where turns end with "<|tool_response>", "</s>" is ordinary text.
    let (mut responds, mut slash_s) = (false, None);
    for (id, token) in tokens {
        let kind = usize::try_from(id).ok().and_then(|ix| kinds.get_mut(ix));
        let Some(kind) = kind else {
            continue;
        };
        let role = roles
            .iter_mut()
            .find(|(found, written)| found.is_none() && written.contains(&token));
        if let Some((found, _)) = role {
            *found = Some(id);
            *kind = TokenKind::Control;
        } else if ENDS.contains(&token) {
            ends.push(id);
            *kind = TokenKind::Control;
            match token {
                "<|return|>" => returns = true,
                "<|call|>" | "<|calls|>" => calls = true,
                "<|flush|>" => flushes = true,
                "<|end|>" => end = Some(id),
                "<|tool_response>" => responds = true,
                "</s>" => slash_s = Some(id),
                _ => {}
            }
        }
    }
    ends.extend(roles.iter().filter_map(|(found, _)| *found));
    if calls && (returns || flushes) {
        ends.retain(|id| Some(*id) != end);
    }
    if responds {
        ends.retain(|id| Some(*id) != slash_s);
    }
    let mut ends = sorted(ends, &Ord::cmp);
    ends.dedup();
    ends
}

/// The token id under `key`, if the key is there; it must be a token's.
pub(super) fn id_of(metadata: &Metadata, key: &str, n_tokens: usize) -> Result<Option<u32>> {
    if !metadata.contains(key) {
        return Ok(None);
    }
    let id = metadata.required_u32(key)?;
    if usize::try_from(id).is_ok_and(|ix| ix < n_tokens) {
        Ok(Some(id))
    } else {
        Err(Error::bad_model_file(format!(
            "{key} is {id}; the vocabulary has {n_tokens} tokens"
        )))
    }
}
