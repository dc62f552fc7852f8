//! Requests that are answered with texts, whatever they go on with.

use serde_json::{Map, Value};

use super::field::refused;
use super::input::{Input, check_ids};
use super::tools::ToolChoice;
use super::{ChatRequest, CompletionRequest, Options};
use crate::Result;
use crate::chat::{ChatTemplate, OutputParser, Prompt, Saying, marks};
use crate::generate::{Event, FinishReason, GenerateRequest, Usage};
use crate::grammar::Grammar;
use crate::session::check_context;
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
    /// What it begins with, beside what is generated: its prompt, if that is wanted.
    pub echo: Option<String>,
    /// What takes it apart, if it is of a chat.
    pub parser: Option<OutputParser>,
    /// Whether at most one tool is to be called.
    pub is_single: bool,
}

impl Choice {
    /// How many of the likeliest tokens are to be told in the place of each of the prompt's, if those are told of.
    #[must_use]
    pub fn scores(&self) -> Option<usize> {
        self.echo.as_ref().and(self.generate.logprobs)
    }

    /// All that comes of it where no token is to be generated.
    #[must_use]
    pub fn without_tokens(&self) -> Option<Event> {
        let prompt_tokens = u32::try_from(self.generate.prompt.len()).unwrap_or(u32::MAX);
        (self.generate.max_tokens == Some(0)).then_some(Event::Finish {
            reason: FinishReason::Length,
            stop: None,
            usage: Usage {
                prompt_tokens,
                ..Usage::default()
            },
        })
    }

    fn check(&self, context_length: u32) -> Result<()> {
        let tokens = self.generate.prompt.len();
        if self.without_tokens().is_some() && tokens > 0 {
            return check_context(tokens, context_length as usize);
        }
        self.generate.check(context_length).map(|_| ())
    }
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
        let prompts = self.prompts(template, tokenizer, context_length)?;
        for (ix, prompt) in prompts.into_iter().enumerate() {
            let shown = match prompt.parser.is_some() || prompt.grammar.is_some() {
                true => shown_marks(tokenizer),
                false => Vec::new(),
            };
            // The last one takes it, the others copies.
            let prompts = std::iter::repeat_n((prompt, shown), options.n as usize);
            for (choice, (prompt, shown)) in (0..).zip(prompts) {
                let choice = Choice {
                    generate: GenerateRequest {
                        prompt: prompt.ids,
                        sampling: options.sampling_of(choice, random_seed),
                        stop: options.stop.clone(),
                        max_tokens: options.max_tokens,
                        logprobs: options.logprobs,
                        shown,
                        grammar: prompt.grammar,
                        retention: options.retention,
                        param: self.param(),
                    },
                    prompt: ix,
                    echo: prompt.echo,
                    parser: prompt.parser,
                    is_single: self.is_single(),
                };
                choice.check(context_length)?;
                choices.push(choice);
            }
        }
        Ok(choices)
    }

    fn prompts(
        &self,
        template: &ChatTemplate,
        tokenizer: &Tokenizer,
        context_length: u32,
    ) -> Result<Vec<Ready>> {
        let request = match self {
            Self::Chat(request) => {
                return Ok(vec![chat(request, template, tokenizer, context_length)?]);
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
                (false, _) => None,
                (true, Input::Text(text)) => Some(text.clone()),
                (true, Input::Ids(ids)) => Some(tokenizer.decode(ids)),
            };
            Ok(Ready {
                ids,
                echo,
                parser: None,
                grammar: request.options.grammar.clone(),
            })
        });
        prompts.collect()
    }

    fn is_single(&self) -> bool {
        match self {
            Self::Chat(request) => request.tools.wants_one(),
            Self::Completion(_) => false,
        }
    }

    /// The field that prompts are made of.
    const fn param(&self) -> &'static str {
        match self {
            Self::Chat(_) => "messages",
            Self::Completion(_) => "prompt",
        }
    }
}

/// A prompt.
#[derive(Clone)]
struct Ready {
    ids: Vec<u32>,
    /// What answers to it begin with.
    echo: Option<String>,
    /// What takes them apart.
    parser: Option<OutputParser>,
    /// What they are held to.
    grammar: Option<Grammar>,
}

/// Control tokens that are text in an answer which is taken apart, or held to a grammar.
pub fn shown_marks(tokenizer: &Tokenizer) -> Vec<u32> {
    marks().filter_map(|it| tokenizer.control(it)).collect()
}

/// The prompt of a chat as text; `answer`: up to where the model is to speak.
pub(super) fn chat_prompt(
    request: &ChatRequest,
    template: &ChatTemplate,
    answer: bool,
) -> Result<String> {
    let tools = request.tools.offered();
    if !tools.is_empty() && !template.style().calls() {
        let message = "Unsupported parameter: 'tools' is not supported with this model: its chat template knows none.";
        return Err(refused("tools", "unsupported_parameter", message));
    }
    let thinks = request
        .thinks
        .map(|thinks| ("enable_thinking", thinks.into()));
    let effort = request
        .effort
        .map(|effort| ("reasoning_effort", effort.into()));
    let variables = [thinks, effort].into_iter().flatten();
    let variables: Map<String, Value> = variables
        .map(|(name, value): (_, Value)| (name.to_owned(), value))
        .collect();
    let messages = template.style().messages(&request.messages, tools);
    template.render(&Prompt {
        tools,
        variables: Some(&variables),
        add_generation_prompt: answer,
        ..Prompt::answer(&messages)
    })
}

fn chat(
    request: &ChatRequest,
    template: &ChatTemplate,
    tokenizer: &Tokenizer,
    context_length: u32,
) -> Result<Ready> {
    let mut text = chat_prompt(request, template, true)?;
    let mut ids = tokenizer.encode(&text, Special::Parse)?;
    if request.truncates {
        let mut shorter = request.clone();
        let room = room(request.options.max_tokens, context_length);
        while shorter.shorten(ids.len(), room) {
            text = chat_prompt(&shorter, template, true)?;
            ids = tokenizer.encode(&text, Special::Parse)?;
        }
    }
    // What is not offered can't be called.
    let (style, callable) = match request.tools.offered() {
        [] => (template.style().without_calls(), Vec::new()),
        _ => (template.style(), request.tools.callable()),
    };
    let answer = request.options.grammar.clone().map(Saying::Text);
    let is_single = request.tools.wants_one();
    let calls = || Saying::Calls(callable.clone(), is_single);
    let saying = match (request.tools.choice, answer) {
        (ToolChoice::Required | ToolChoice::Once, _) => Some(calls()),
        (_, Some(answer)) if !callable.is_empty() => {
            Some(Saying::Either(Box::new(calls()), Box::new(answer)))
        }
        (_, None) if callable.iter().any(|tool| tool.is_strict) => {
            Some(Saying::Anything(callable.clone(), is_single))
        }
        (_, answer) => answer,
    };
    let grammar = saying.as_ref().map(|saying| style.grammar(&text, saying));
    Ok(Ready {
        ids,
        echo: None,
        grammar: grammar.transpose()?,
        parser: Some(OutputParser::new(style, callable, &text, saying.as_ref())),
    })
}

/// Tokens that a prompt may have where it is cut so that there is room for an answer: what is wanted of it, but no more than
/// half of the context, or a quarter where nothing is said.
fn room(max_tokens: Option<u32>, context_length: u32) -> usize {
    let answer = max_tokens.map_or(context_length / 4, |most| most.min(context_length / 2));
    context_length.saturating_sub(answer) as usize
}
