//! From a text without special tokens to ids: normalize, cut, look up.

use std::borrow::Cow;

use super::Special;
use super::bpe::Bpe;
use super::normalizer::Normalizer;
use super::regex::Work;
use super::special::SpecialTokens;
use super::splitter::{self, Splitter};
use super::spm::Spm;
use super::unigram::Unigram;
use super::wordpiece::WordPiece;
use crate::Result;

/// What turns a word into ids.
pub(super) enum Model {
    Bpe(Box<Bpe>),
    Spm(Spm),
    Unigram(Box<Unigram>),
    WordPiece(WordPiece),
}

/// The way of a text.
pub(super) struct Pipeline {
    pub(super) normalizers: Vec<Normalizer>,
    /// Tokens that are found as a whole in the normalized text.
    pub(super) special: Option<SpecialTokens>,
    pub(super) splitters: Vec<Splitter>,
    pub(super) model: Model,
}

impl Pipeline {
    /// Adds the ids of `text`. `begins`: nothing is in front of it.
    pub(super) fn encode(
        &self,
        text: &str,
        begins: bool,
        special: Special,
        ids: &mut Vec<u32>,
    ) -> Result<()> {
        let mut text = Cow::Borrowed(text);
        for normalizer in &self.normalizers {
            normalizer.apply(text.to_mut())?;
        }
        let work = Work::of(text.len());
        let mut end = 0;
        let found = self
            .special
            .as_ref()
            .map(|tokens| tokens.find(&text, special));
        for found in found.into_iter().flatten() {
            let before = text.get(end..found.range.start).unwrap_or_default();
            self.words(before, begins && end == 0, &work, ids)?;
            ids.push(found.id);
            end = found.range.end;
        }
        let rest = text.get(end..).unwrap_or_default();
        self.words(rest, begins && end == 0, &work, ids)
    }

    fn words(&self, text: &str, begins: bool, work: &Work, ids: &mut Vec<u32>) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        splitter::split(&self.splitters, text, begins, work, &mut |word| {
            match &self.model {
                Model::Bpe(model) => model.encode(word, ids),
                Model::Spm(model) => model.encode(word, ids),
                Model::Unigram(model) => return model.encode(word, ids),
                Model::WordPiece(model) => model.encode(word, ids),
            }
            Ok(())
        })
    }
}
