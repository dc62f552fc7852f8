//! How a model marks reasoning and calls.

use std::borrow::Cow;

use super::calls::{self, Call};
use super::harmony;
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
}

/// How calls of tools are marked.
#[derive(Debug)]
pub(super) struct Block {
    /// What begins them.
    pub(super) open: &'static str,
    /// What ends them; else the end of the answer does.
    pub(super) close: Option<&'static str>,
    /// Whether a bare JSON object, if an answer begins with it, is one as well.
    pub(super) bare: bool,
    /// What is between the marks → calls.
    pub(super) parse: fn(&str) -> Option<Vec<Call>>,
    /// Calls as the model was taught to write them.
    pub(super) writing: Writing,
    /// What of a template tells it: all of these.
    told_by: &'static [&'static str],
}

/// How calls are written.
#[derive(Debug)]
pub(super) struct Writing {
    /// In front of the first.
    pub(super) begin: &'static str,
    /// In front of the name, between the name and the arguments, and behind those.
    pub(super) call: [&'static str; 3],
    /// Between two calls.
    pub(super) between: &'static str,
    /// Behind the last.
    pub(super) end: &'static str,
}

/// Every way to mark calls; the first that a template tells counts.
static BLOCKS: &[Block] = &[
    // Hermes, Qwen2.5, Qwen3, SmolLM3.
    Block {
        open: "<tool_call>",
        close: Some("</tool_call>"),
        bare: false,
        parse: calls::json_objects,
        writing: Writing {
            begin: "",
            call: [
                "<tool_call>\n{\"name\": \"",
                "\", \"arguments\": ",
                "}\n</tool_call>",
            ],
            between: "\n",
            end: "",
        },
        told_by: &["<tool_call>"],
    },
    // Mistral, since its third version of them.
    Block {
        open: "[TOOL_CALLS]",
        close: None,
        bare: false,
        parse: calls::mistral,
        writing: Writing {
            begin: "",
            call: ["[TOOL_CALLS]", "[ARGS]", ""],
            between: "",
            end: "",
        },
        told_by: &["[TOOL_CALLS]", "[ARGS]"],
    },
    Block {
        open: "[TOOL_CALLS]",
        close: None,
        bare: false,
        parse: calls::mistral,
        writing: Writing {
            begin: "[TOOL_CALLS][",
            call: ["{\"name\": \"", "\", \"arguments\": ", "}"],
            between: ", ",
            end: "]",
        },
        told_by: &["[TOOL_CALLS]"],
    },
    // DeepSeek V3 and R1.
    Block {
        open: calls::DEEPSEEK_BEGIN,
        close: Some(calls::DEEPSEEK_END),
        bare: false,
        parse: calls::deepseek,
        writing: Writing {
            begin: calls::DEEPSEEK_BEGIN,
            call: [
                "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
                "\n```json\n",
                "\n```<｜tool▁call▁end｜>",
            ],
            between: "\n",
            end: calls::DEEPSEEK_END,
        },
        told_by: &[calls::DEEPSEEK_BEGIN, "```json"],
    },
    // DeepSeek V3.1.
    Block {
        open: calls::DEEPSEEK_BEGIN,
        close: Some(calls::DEEPSEEK_END),
        bare: false,
        parse: calls::deepseek,
        writing: Writing {
            begin: calls::DEEPSEEK_BEGIN,
            call: [
                calls::DEEPSEEK_CALL_BEGIN,
                calls::DEEPSEEK_SEPARATOR,
                calls::DEEPSEEK_CALL_END,
            ],
            between: "",
            end: calls::DEEPSEEK_END,
        },
        told_by: &[calls::DEEPSEEK_BEGIN],
    },
    // Llama 3.1 to 3.3.
    Block {
        open: "<|python_tag|>",
        close: None,
        bare: true,
        parse: calls::json_objects,
        writing: Writing {
            begin: "",
            call: ["{\"name\": \"", "\", \"parameters\": ", "}"],
            between: "; ",
            end: "",
        },
        told_by: &["\"parameters\":"],
    },
];

/// Marks that may be control tokens, which are no text elsewhere.
const MARKS: &[&str] = &[
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
    "[TOOL_CALLS]",
    "[CALL_ID]",
    "[ARGS]",
    "<|python_tag|>",
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
        let tells = |block: &&Block| block.told_by.iter().all(|it| shows.contains(it));
        let block = BLOCKS.iter().find(tells);
        Self {
            reasons: template.contains("</think>"),
            is_harmony: template.contains("<|channel|>"),
            // Qwen3-Coder has marks of its own inside of these.
            block: block.filter(|_| !shows.contains("<function=")),
        }
    }

    /// Messages as its template looks at them: harmony's knows thoughts by another name, and wants them where tools were
    /// called and nothing was said.
    #[must_use]
    pub fn messages<'m>(&self, messages: &'m [Message]) -> Cow<'m, [Message]> {
        if !self.is_harmony {
            return Cow::Borrowed(messages);
        }
        let renamed = messages.iter().cloned().map(|mut message| {
            let calls = message.fields.contains_key("tool_calls") && message.content.is_empty();
            if let (true, Some(thoughts)) = (calls, message.fields.remove("reasoning_content")) {
                message.fields.insert("thinking".to_owned(), thoughts);
            }
            message
        });
        Cow::Owned(renamed.collect())
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
