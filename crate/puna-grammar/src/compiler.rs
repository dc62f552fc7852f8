//! Grammars to what follows answers.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use llguidance::api::ParserLimits;
use llguidance::earley::SlicedBiasComputer;
use llguidance::toktrie::{
    ApproximateTokEnv, INVALID_TOKEN, InferenceCapabilities, TokEnv, TokRxInfo, TokTrie,
};
use llguidance::{Matcher, ParserFactory};
use puna_core::grammar::Grammar;
use puna_core::{Error, ErrorCode, Result};

use crate::digits::{Digits, leading};
use crate::{Following, Vocabulary, blame, lark};

/// Grammars that are kept compiled: requests often bring the same again.
const KEPT: usize = 8;

/// Compiles grammars for a model's vocabulary.
pub struct Compiler {
    factory: ParserFactory,
    /// The last ones, the newest first.
    kept: VecDeque<(Grammar, Matcher)>,
    tokens: Rc<Tokens>,
}

/// What there is to know of a vocabulary besides.
pub(crate) struct Tokens {
    pub(crate) count: usize,
    /// Tokens that begin with digits, and with how many.
    pub(crate) digits: Vec<(u32, usize)>,
}

impl std::fmt::Debug for Compiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compiler({} tokens)", self.tokens.count)
    }
}

impl Compiler {
    /// For a model with these tokens.
    ///
    /// # Errors
    /// `unsupported_model` for a vocabulary that no grammar can be held in.
    pub fn new(vocabulary: &Vocabulary) -> Result<Self> {
        let unusable = |why: &str| {
            Error::new(
                ErrorCode::UnsupportedModel,
                format!("answers can't be held to a grammar: {why}"),
            )
        };
        let n_tokens = vocabulary.len();
        let end = vocabulary.end_of_generation();
        let is_known = |id: &u32| usize::try_from(*id).is_ok_and(|id| id < n_tokens);
        if n_tokens == 0 || !end.iter().all(is_known) {
            return Err(unusable("the model's tokens contradict each other"));
        }
        let vocab_size = u32::try_from(n_tokens).map_err(|_| unusable("it has too many tokens"))?;
        let tok_eos = end.first().copied().unwrap_or(INVALID_TOKEN);
        let info = TokRxInfo::new(vocab_size, tok_eos);
        let texts = vocabulary.tokens();
        let digits = (0..).zip(&texts).map(|(id, text)| (id, leading(text)));
        let digits = digits.filter(|(_, count)| *count > 0).collect();
        let mut trie = TokTrie::from(&info, &texts);
        if !end.is_empty() {
            trie = trie.with_eos_tokens(end);
        }
        let tokens: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let slices = SlicedBiasComputer::general_slices();
        let mut factory = ParserFactory::new(&tokens, InferenceCapabilities::default(), &slices)
            .map_err(|error| unusable(&error.to_string()))?;
        factory.quiet();
        *factory.limits_mut() = ParserLimits {
            verbose_errors: false,
            ..ParserLimits::default()
        };
        Ok(Self {
            factory,
            kept: VecDeque::new(),
            tokens: Rc::new(Tokens {
                count: n_tokens,
                digits,
            }),
        })
    }

    /// What follows an answer that the grammar holds.
    ///
    /// # Errors
    /// `invalid_request` with the field and, where it can be told, the place in it that does not compile.
    pub fn guide(&mut self, grammar: &Grammar) -> Result<Following> {
        let at = self.kept.iter().position(|(kept, _)| kept == grammar);
        let (grammar, matcher) = match at.and_then(|at| self.kept.remove(at)) {
            Some(kept) => kept,
            None => (grammar.clone(), self.compile(grammar)?),
        };
        let digits = Digits::of(&grammar);
        let following = Following::new(
            // One answer's lexer may give up: that is not to be the others'.
            matcher.deep_clone(),
            Rc::clone(&self.tokens),
            param_of(&grammar),
            digits,
        );
        self.kept.truncate(KEPT - 1);
        self.kept.push_front((grammar, matcher));
        Ok(following)
    }

    fn compile(&self, grammar: &Grammar) -> Result<Matcher> {
        self.try_compile(grammar)?.map_err(|message| {
            let fails = |part: &Grammar| self.try_compile(part).ok()?.err();
            blame::blame(grammar, &message, &fails)
        })
    }

    /// What llguidance says, if it does not compile.
    fn try_compile(&self, grammar: &Grammar) -> Result<Result<Matcher, String>> {
        let parser = self.factory.create_parser(lark::written(grammar)?);
        let matcher = Matcher::new(parser);
        Ok(match matcher.get_error() {
            Some(message) => Err(message),
            None => Ok(matcher),
        })
    }
}

/// The field of the request that a grammar is from, the first of several.
fn param_of(grammar: &Grammar) -> String {
    let mut param = "grammar".to_owned();
    let mut is_found = false;
    grammar.visit(&mut |part| match part {
        Grammar::Source(source) if !source.param.is_empty() && !is_found => {
            param.clone_from(&source.param);
            is_found = true;
        }
        _ => {}
    });
    param
}
