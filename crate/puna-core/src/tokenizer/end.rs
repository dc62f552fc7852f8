//! Which tokens end an answer.
//!
//! The metadata names one; models use several (the end of a text, of a turn, of a call). As
//! llama.cpp does, the others are recognised by what they are written as.

use crate::weights::gguf::{Metadata, StrArray};
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

/// The ids that end an answer, ascending. Tokens found by how they are written become control tokens:
/// files exist that forget to say so.
pub(super) fn find(
    metadata: &Metadata,
    tokens: StrArray<'_>,
    kinds: &mut [TokenKind],
) -> Result<Vec<u32>> {
    let mut ends = Vec::new();
    for key in KEYS {
        ends.extend(id_of(metadata, key, kinds.len())?);
    }
    let mut roles = Vec::new();
    for (key, written) in ROLES {
        roles.push((id_of(metadata, key, kinds.len())?, *written));
    }
    // Parts of a protocol in which "<|end|>" closes a message, not the answer.
    let (mut returns, mut calls, mut flushes, mut end) = (false, false, false, None);
    for ((id, token), kind) in (0_u32..).zip(tokens).zip(kinds.iter_mut()) {
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
                _ => {}
            }
        }
    }
    ends.extend(roles.iter().filter_map(|(found, _)| *found));
    if let Some(end) = end
        && calls
        && (returns || flushes)
    {
        ends.retain(|id| *id != end);
    }
    ends.sort_unstable();
    ends.dedup();
    Ok(ends)
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
