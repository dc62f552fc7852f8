//! Requests that are answered with texts, whatever they go on with.

use super::input::{Input, check_ids};
use super::{ChatRequest, CompletionRequest, Options};
use crate::Result;
use crate::chat::{ChatTemplate, Prompt};
use crate::generate::GenerateRequest;
use crate::tokenizer::{Special, Tokenizer};

/// A request for texts.
#[derive(Clone, Debug)]
pub enum TextRequest {
    /// Of a chat.
    Chat(ChatRequest),
    /// Of texts as they are.
    Completion(CompletionRequest),
}

/// One of the answers that a request wants.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What to do for it.
    pub generate: GenerateRequest,
    /// Which of the request's prompts it answers.
    pub prompt: usize,
    /// What it begins with, beside what is generated.
    pub echo: String,
}

impl TextRequest {
    /// How to answer.
    #[must_use]
    pub const fn options(&self) -> &Options {
        match self {
            Self::Chat(request) => &request.options,
            Self::Completion(request) => &request.options,
        }
    }

    /// All answers that are wanted, in their order. `random_seed` is for requests that give none.
    ///
    /// # Errors
    ///
    /// Those of [`ChatTemplate::render`] and of [`GenerateRequest::check`] for any of them.
    pub fn choices(
        &self,
        template: &ChatTemplate,
        tokenizer: &Tokenizer,
        context_length: u32,
        random_seed: u64,
    ) -> Result<Vec<Choice>> {
        let options = self.options();
        let mut choices = Vec::new();
        let prompts = self.prompts(template, tokenizer)?;
        for (ix, (prompt, echo)) in prompts.into_iter().enumerate() {
            for choice in 0..options.n {
                let generate = GenerateRequest {
                    prompt: prompt.clone(),
                    sampling: options.sampling_of(choice, random_seed),
                    stop: options.stop.clone(),
                    max_tokens: options.max_tokens,
                    logprobs: options.logprobs,
                    param: self.param(),
                };
                generate.check(context_length)?;
                choices.push(Choice {
                    generate,
                    prompt: ix,
                    echo: echo.clone(),
                });
            }
        }
        Ok(choices)
    }

    /// Token ids of the prompts, and what answers to them begin with.
    fn prompts(
        &self,
        template: &ChatTemplate,
        tokenizer: &Tokenizer,
    ) -> Result<Vec<(Vec<u32>, String)>> {
        let request = match self {
            Self::Chat(request) => {
                let text = template.render(&Prompt::answer(&request.messages))?;
                let ids = tokenizer.encode(&text, Special::Parse)?;
                return Ok(vec![(ids, String::new())]);
            }
            Self::Completion(request) => request,
        };
        let prompts = request.prompts.iter().enumerate().map(|(ix, prompt)| {
            let ids = match prompt {
                Input::Text(text) => tokenizer.encode_start(text, Special::Parse)?,
                Input::Ids(ids) => ids.clone(),
            };
            check_ids(&ids, tokenizer.vocab_size(), &format!("prompt[{ix}]"))?;
            let echo = match (request.echo, prompt) {
                (false, _) => String::new(),
                (true, Input::Text(text)) => text.clone(),
                (true, Input::Ids(ids)) => tokenizer.decode(ids),
            };
            Ok((ids, echo))
        });
        prompts.collect()
    }

    /// The field that prompts are made of.
    const fn param(&self) -> &'static str {
        match self {
            Self::Chat(_) => "messages",
            Self::Completion(_) => "prompt",
        }
    }
}
