//! What a prompt is made of.

use serde_json::{Map, Value};

use super::Message;

/// The messages of a chat, and what goes with them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prompt<'p> {
    /// The turns so far.
    pub messages: &'p [Message],
    /// The prompt ends where the model is to speak.
    pub add_generation_prompt: bool,
    /// Tools that the model may call, each as OpenAI's API describes it; templates see none if empty.
    pub tools: &'p [Value],
    /// Texts that an answer is to be based on; templates see none if empty.
    pub documents: &'p [Value],
    /// Whatever else the template has a name for, such as `enable_thinking` or `reasoning_effort`.
    pub variables: Option<&'p Map<String, Value>>,
}

impl<'p> Prompt<'p> {
    /// Asks for an answer to `messages`.
    #[must_use]
    pub fn answer(messages: &'p [Message]) -> Self {
        Self {
            messages,
            add_generation_prompt: true,
            ..Self::default()
        }
    }
}
