//! How a model marks reasoning and calls.

use std::borrow::Cow;

use serde_json::Value;

use super::block::{Block, Offer};
use super::{calls, harmony, offer};
use crate::chat::Message;

/// How a model marks what is no text. By its chat template: what it writes for the turns before is how the model goes on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Whether it may reason before it answers, between `<think>` and `</think>`.
    pub reasons: bool,
    /// Whether its answers are messages with headers.
    pub(super) is_harmony: bool,
    /// How it calls tools, if it can.
    pub(super) block: Option<&'static Block>,
    /// Whether its template shows calls of turns before.
    pub(super) shows_calls: bool,
}

/// Marks that may be control tokens, which are no text elsewhere.
const MARKS: &[&str] = &[
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
    "<arg_key>",
    "</arg_key>",
    "<arg_value>",
    "</arg_value>",
    "[TOOL_CALLS]",
    "[CALL_ID]",
    "[ARGS]",
    "<|python_tag|>",
    "<|tool_call|>",
    "<|/tool_call|>",
    "<|tool_call_start|>",
    "<|tool_call_end|>",
    "<start_function_call>",
    "<end_function_call>",
    "<escape>",
    "<|tool_call>",
    "<tool_call|>",
    "<|\"|>",
    calls::DEEPSEEK_BEGIN,
    calls::DEEPSEEK_END,
    calls::DEEPSEEK_CALL_BEGIN,
    calls::DEEPSEEK_CALL_END,
    calls::DEEPSEEK_SEPARATOR,
];

/// All marks that may be control tokens.
pub fn marks() -> impl Iterator<Item = &'static str> {
    MARKS.iter().chain(harmony::MARKS).copied()
}

impl Style {
    /// Of a model with this chat template; calls by that for tools, if it has one of its own.
    #[must_use]
    pub fn of(template: &str, for_tools: Option<&str>) -> Self {
        let shows = for_tools.unwrap_or(template);
        Self {
            reasons: template.contains("</think>"),
            is_harmony: template.contains("<|channel|>"),
            block: Block::told_by(shows),
            shows_calls: shows.contains("tool_calls"),
        }
    }

    /// Messages as its template looks at them, where `tools` are offered. Harmony's knows thoughts by another name, and wants
    /// them where tools were called and nothing was said; others know nothing of tools, or of calls.
    #[must_use]
    pub fn messages<'m>(&self, messages: &'m [Message], tools: &[Value]) -> Cow<'m, [Message]> {
        if self.is_harmony {
            return Cow::Owned(messages.iter().cloned().map(harmony::renamed).collect());
        }
        match self.block {
            Some(block) if !self.shows_calls || block.offer != Offer::Template => {
                Cow::Owned(offer::messages(block, self.shows_calls, messages, tools))
            }
            _ => Cow::Borrowed(messages),
        }
    }

    /// Whether it can call tools.
    #[must_use]
    pub const fn calls(&self) -> bool {
        self.is_harmony || self.block.is_some()
    }

    /// The same for an answer to a request without tools.
    #[must_use]
    pub const fn without_calls(self) -> Self {
        Self {
            block: None,
            ..self
        }
    }
}
