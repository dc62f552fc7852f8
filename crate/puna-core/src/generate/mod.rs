//! The one loop: prefill, then step, sample, stop, as a state machine that is asked and answers.
//!
//! [`Generation::ask`] says what to forward, the caller forwards it on whatever it has and hands the
//! logits, or the token that the device drew from them, to [`Generation::answer`], which says what came
//! of it. No `async`, no device, no clock: waiting and cancelling are the caller's, who cancels by
//! dropping the generation.

mod stop;
#[cfg(test)]
mod tests;

use crate::grammar::Grammar;
use crate::guide::Guide;
use crate::sampler::{Draw, LogProbs, Sampler, SamplingParams};
use crate::session::{Retention, Session};
use crate::tokenizer::{DecodeStream, Tokenizer};
use crate::{Error, ErrorCode, Result, sampler};

pub use stop::StopStrings;

/// What to answer, and how.
#[derive(Clone, Debug)]
pub struct GenerateRequest {
    /// The prompt's token ids, special ones included.
    pub prompt: Vec<u32>,
    /// How tokens are chosen.
    pub sampling: SamplingParams,
    /// Texts at which the answer ends; they are not part of it.
    pub stop: Vec<String>,
    /// Most tokens of the answer; `None`: as many as the context has room for.
    pub max_tokens: Option<u32>,
    /// Whether to tell what the model thought of each token, and of so many of the likeliest ones besides.
    pub logprobs: Option<usize>,
    /// Control tokens that are text in the answer.
    pub shown: Vec<u32>,
    /// What the answer may be, if not anything. Whoever asks for it has it compiled, and gives what follows it to
    /// [`Generation::guided`].
    pub grammar: Option<Grammar>,
    /// What becomes of the conversation when it is answered.
    pub retention: Retention,
    /// What users call that which the prompt is made of.
    pub param: &'static str,
}

impl Default for GenerateRequest {
    fn default() -> Self {
        Self {
            prompt: Vec::new(),
            sampling: SamplingParams::default(),
            stop: Vec::new(),
            max_tokens: None,
            logprobs: None,
            shown: Vec::new(),
            grammar: None,
            retention: Retention::Usual,
            param: "messages",
        }
    }
}

impl GenerateRequest {
    /// How many tokens its answer may have in a context of `context_length`.
    ///
    /// # Errors
    ///
    /// `context_length_exceeded` with `prompt_tokens` and `context_length` if the prompt leaves no room for an answer;
    /// `invalid_request` naming the field if there is nothing to answer, or no answer wanted.
    pub fn check(&self, context_length: u32) -> Result<u32> {
        if self.prompt.is_empty() {
            return Err(Error::invalid_request(
                self.param,
                "the prompt has no tokens",
            ));
        }
        if self.max_tokens == Some(0) {
            return Err(Error::invalid_request(
                "max_tokens",
                "'max_tokens' is 0; an answer has at least 1 token",
            ));
        }
        let prompt_tokens = self.prompt.len();
        let room = u32::try_from(prompt_tokens)
            .ok()
            .and_then(|prompt_tokens| context_length.checked_sub(prompt_tokens))
            .filter(|room| *room > 0);
        room.ok_or_else(|| {
            let param = self.param;
            Error::new(
                ErrorCode::ContextLengthExceeded,
                format!(
                    "This model's maximum context length is {context_length} tokens, and at least 1 of them is the answer's. However, your {param} resulted in {prompt_tokens} tokens. Please reduce the length of the {param}."
                ),
            )
            .detail("param", param)
            .detail("prompt_tokens", prompt_tokens)
            .detail("context_length", context_length)
        })
    }
}

/// What a generation wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Forward these tokens, then call [`Generation::answer`].
    Forward {
        /// Position of the first of `ids` in the KV cache.
        position: u32,
        /// (T,) token ids, 1 to as many as it was asked for.
        ids: Vec<u32>,
        /// Whether the next token, or the logits (V,) of the last of `ids`, is wanted.
        logits: bool,
        /// Tokens that may be asked for after the next one, if the answer does not end before.
        ahead: u32,
    },
    /// Nothing: the answer is complete.
    Done,
}

/// What a forward gave.
#[derive(Debug)]
pub enum Forwarded<'a> {
    /// Nothing; nothing was wanted.
    Nothing,
    /// Logits (V,) of the last token; they are changed.
    Logits(&'a mut [f32]),
    /// What a device that goes by [`Generation::sampler`] drew.
    Draw(Draw),
}

/// What the model thought of a token of the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenLogProb {
    /// It.
    pub token: LogProb,
    /// The likeliest tokens in its place, in this order; it need not be among them.
    pub top: Vec<LogProb>,
}

/// A token and the logarithm of its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct LogProb {
    /// What it stands for; not always whole characters.
    pub bytes: Vec<u8>,
    /// Natural; 0 is certain.
    pub logprob: f32,
}

impl LogProb {
    /// Of a token of this model's.
    #[must_use]
    pub fn of(id: u32, logprob: f32, tokenizer: &Tokenizer) -> Self {
        Self {
            bytes: tokenizer.piece(id).unwrap_or_default().to_vec(),
            logprob,
        }
    }
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The tokens of the text that comes next, where that was asked for.
    Tokens(Vec<TokenLogProb>),
    /// More of the answer.
    Text {
        /// Whole characters, never empty.
        text: String,
        /// Tokens that the answer has up to here.
        tokens: u32,
    },
    /// The end; the last event.
    Finish {
        /// Why.
        reason: FinishReason,
        /// The stop string at which it ended, if it did.
        stop: Option<String>,
        /// What it took.
        usage: Usage,
    },
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The model ended it, or a stop string did.
    Stop,
    /// `max_tokens` were generated, or the context is full.
    Length,
}

impl FinishReason {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

/// Tokens that an answer took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the prompt that were in the KV cache already.
    pub cached_tokens: u32,
    /// Tokens generated, the one that ended the answer included.
    pub completion_tokens: u32,
}

impl Usage {
    /// Prompt and answer together.
    #[must_use]
    pub const fn total_tokens(&self) -> u32 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}

/// An answer in the making. In its session it writes down only what really was forwarded: it can be given up at any point.
#[derive(Debug)]
pub struct Generation {
    session: Session,
    tokenizer: Tokenizer,
    /// Of the prompt, and of the answer so far.
    tokens: Vec<u32>,
    sampler: Sampler,
    /// What holds the answer to a grammar.
    guide: Option<Box<dyn Guide>>,
    text: DecodeStream,
    /// Control tokens that are text in it.
    shown: Vec<u32>,
    stop: StopStrings,
    /// Tokens that the answer may have.
    max_tokens: u32,
    usage: Usage,
    /// Whether the answer is complete, or failed.
    is_done: bool,
    /// What was asked for and not answered yet.
    asked: Option<Asked>,
    logprobs: Option<usize>,
    /// Tokens whose text was not shown yet.
    unshown: Vec<TokenLogProb>,
}

#[derive(Clone, Debug)]
struct Asked {
    ids: Vec<u32>,
    logits: bool,
}

impl Generation {
    /// Begins an answer in a context of so many tokens, of which none was forwarded yet.
    ///
    /// # Errors
    ///
    /// Those of [`GenerateRequest::check`]; `invalid_request` naming the field if the request can't be followed.
    pub fn new(
        request: GenerateRequest,
        tokenizer: &Tokenizer,
        context_length: u32,
    ) -> Result<Self> {
        let room = request.check(context_length)?;
        let GenerateRequest {
            prompt,
            sampling,
            stop,
            max_tokens,
            logprobs,
            shown,
            grammar: _,
            param: _,
            retention: _,
        } = request;
        let mut sampler = Sampler::new(sampling, tokenizer.vocab_size())?;
        sampler.accept_prompt(&prompt);
        let usage = Usage {
            prompt_tokens: context_length.saturating_sub(room),
            ..Usage::default()
        };
        Ok(Self {
            session: Session::new(context_length),
            tokenizer: tokenizer.clone(),
            tokens: prompt,
            sampler,
            guide: None,
            text: tokenizer.decode_stream().showing(shown.clone()),
            shown,
            stop: StopStrings::new(stop),
            max_tokens: max_tokens.unwrap_or(room).min(room),
            usage,
            is_done: false,
            asked: None,
            logprobs,
            unshown: Vec::new(),
        })
    }

    /// The same on what a conversation holds: what that has in common with the prompt is not forwarded again.
    #[must_use]
    pub fn on(mut self, mut session: Session) -> Self {
        self.usage.cached_tokens = session.reuse(&self.tokens);
        self.session = session;
        self
    }

    /// Gives the answer up: the conversation that it went on with.
    #[must_use]
    pub fn into_session(self) -> Session {
        self.session
    }

    /// The same, held to a grammar.
    #[must_use]
    pub fn guided(mut self, guide: Option<Box<dyn Guide>>) -> Self {
        self.guide = guide;
        self
    }

    /// What to do next, at most `max_chunk` tokens. Asking again before answering gives the same.
    pub fn ask(&mut self, max_chunk: usize) -> Ask {
        if self.asked.is_none() {
            self.asked = self.next(max_chunk.max(1));
        }
        match &self.asked {
            None => Ask::Done,
            Some(Asked { ids, logits }) => Ask::Forward {
                position: self.session.len(),
                ids: ids.clone(),
                logits: *logits,
                ahead: self
                    .max_tokens
                    .saturating_sub(self.usage.completion_tokens)
                    .saturating_sub(1),
            },
        }
    }

    /// The conversation that it goes on with.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Whether [`Self::answer`] needs the logits themselves, and no token that was drawn from them.
    #[must_use]
    pub const fn needs_logits(&self) -> bool {
        self.logprobs.is_some()
    }

    /// The tokens that may come next, as [`Guide::allowed`] has them, where not all may: for a device that draws them itself.
    /// It takes a while, in which the device may well forward what was asked for.
    ///
    /// # Errors
    ///
    /// Those of [`Guide::allowed`]. The answer is over then.
    pub fn allowed(&mut self) -> Result<Option<&[u32]>> {
        match &mut self.guide {
            Some(guide) => guide.allowed().map(Some),
            None => Ok(None),
        }
    }

    /// Whether tokens are held to a grammar.
    #[must_use]
    pub const fn is_guided(&self) -> bool {
        self.guide.is_some()
    }

    /// How tokens are chosen, for a device that does it itself.
    #[must_use]
    pub const fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// Says that what was asked for has been forwarded, and what it gave. Returns what came of it.
    ///
    /// # Errors
    ///
    /// `internal` if nothing was asked for, or the logits are missing or broken. The answer is over then.
    pub fn answer(&mut self, forwarded: Forwarded<'_>) -> Result<Vec<Event>> {
        let result = self.forwarded(forwarded);
        self.is_done |= result.is_err();
        result
    }

    /// Tokens so far.
    #[must_use]
    pub const fn usage(&self) -> Usage {
        self.usage
    }

    fn next(&self, max_chunk: usize) -> Option<Asked> {
        if self.is_done {
            return None;
        }
        let rest = self.tokens.get(self.session.tokens().len()..);
        let rest = rest.unwrap_or_default();
        let chunk = rest.get(..max_chunk).unwrap_or(rest);
        Some(Asked {
            ids: chunk.to_vec(),
            logits: chunk.len() == rest.len(),
        })
    }

    fn forwarded(&mut self, forwarded: Forwarded<'_>) -> Result<Vec<Event>> {
        let Some(asked) = self.asked.take() else {
            return Err(Error::internal(
                "generation: an answer to what was not asked",
            ));
        };
        self.session.record(&asked.ids)?;
        if !asked.logits {
            return Ok(Vec::new());
        }
        let drawn = match forwarded {
            Forwarded::Nothing => {
                return Err(Error::internal(
                    "generation: no logits, though they were asked for",
                ));
            }
            Forwarded::Logits(logits) => {
                // Rows of a padded embedding are no tokens.
                let known = logits.len().min(self.tokenizer.vocab_size());
                let logits = logits.get_mut(..known).unwrap_or_default();
                // Drawing changes them.
                let before = self.logprobs.map(|_| LogProbs::of(logits));
                let allowed = match &mut self.guide {
                    Some(guide) => Some(guide.allowed()?),
                    None => None,
                };
                let drawn = self.sampler.sample(logits, allowed);
                if let (Some(before), Ok(id)) = (before, &drawn) {
                    self.note(&before, *id);
                }
                drawn
            }
            Forwarded::Draw(_) if self.needs_logits() => {
                return Err(Error::internal(
                    "generation: a token was drawn where the logits were asked for",
                ));
            }
            Forwarded::Draw(Draw::Token(id)) => Ok(id),
            Forwarded::Draw(Draw::Unusable(id)) => Err(sampler::unusable(id)),
        };
        match drawn {
            Ok(id) => {
                let mut events = self.accept(id)?;
                for id in self.forced()? {
                    events.extend(self.accept(id)?);
                }
                Ok(events)
            }
            Err(error) => {
                // What made these logits is in the cache, too.
                self.session.clear();
                Err(error)
            }
        }
    }

    /// Keeps what the model thought of a token until its text is shown.
    fn note(&mut self, before: &LogProbs, id: u32) {
        if self.tokenizer.is_end_of_generation(id) {
            return;
        }
        let of = |id: u32, logprob: f32| LogProb::of(id, logprob, &self.tokenizer);
        let top = before.top(self.logprobs.unwrap_or(0)).into_iter();
        let noted = TokenLogProb {
            token: of(id, before.of_token(id)),
            top: top.map(|(id, logprob)| of(id, logprob)).collect(),
        };
        self.unshown.push(noted);
    }

    /// Tokens that must come next, as far as there is only one text: they need not be drawn, and are forwarded together. None
    /// where it is to be told what the model thought of them.
    fn forced(&mut self) -> Result<Vec<u32>> {
        let Some(guide) = &mut self.guide else {
            return Ok(Vec::new());
        };
        if self.is_done || self.logprobs.is_some() {
            return Ok(Vec::new());
        }
        let text = guide.forced()?;
        let mut ids = self.tokenizer.encode_inside(&text, &self.shown)?;
        // What follows may be one token with the end of it.
        ids.pop();
        let room = self.max_tokens.saturating_sub(self.usage.completion_tokens);
        ids.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        Ok(ids)
    }

    /// Takes `id` as the answer's next token, whoever chose it: what it adds to the text, and whether it
    /// is the last.
    fn accept(&mut self, id: u32) -> Result<Vec<Event>> {
        if self.is_done {
            return Ok(Vec::new());
        }
        self.sampler.accept(id);
        self.usage.completion_tokens = self.usage.completion_tokens.saturating_add(1);
        self.tokens.push(id);
        if self.tokenizer.is_end_of_generation(id) {
            return Ok(self.finish(String::new(), FinishReason::Stop));
        }
        let is_complete = match &mut self.guide {
            Some(guide) => guide.accept(id)?,
            None => false,
        };
        let (shown, stopped) = match self.text.push(id) {
            Some(text) => self.stop.push(&text),
            None => (String::new(), false),
        };
        Ok(if stopped {
            self.end(shown, FinishReason::Stop)
        } else if is_complete {
            self.finish(shown, FinishReason::Stop)
        } else if self.usage.completion_tokens >= self.max_tokens {
            self.finish(shown, FinishReason::Length)
        } else {
            self.show(shown)
        })
    }

    /// The events of a text, if there is any.
    fn show(&mut self, text: String) -> Vec<Event> {
        if text.is_empty() {
            return Vec::new();
        }
        let unshown = std::mem::take(&mut self.unshown);
        let told = self.logprobs.map(|_| Event::Tokens(unshown));
        let tokens = self.usage.completion_tokens;
        told.into_iter()
            .chain([Event::Text { text, tokens }])
            .collect()
    }

    /// Ends the answer and shows what was held back.
    fn finish(&mut self, mut shown: String, mut reason: FinishReason) -> Vec<Event> {
        if let Some(text) = self.text.finish() {
            let (text, stopped) = self.stop.push(&text);
            shown.push_str(&text);
            if stopped {
                reason = FinishReason::Stop;
            }
        }
        shown.push_str(&self.stop.finish());
        self.end(shown, reason)
    }

    fn end(&mut self, shown: String, reason: FinishReason) -> Vec<Event> {
        self.is_done = true;
        let finish = Event::Finish {
            reason,
            stop: self.stop.found().map(str::to_owned),
            usage: self.usage,
        };
        let mut events = self.show(shown);
        events.push(finish);
        events
    }
}
