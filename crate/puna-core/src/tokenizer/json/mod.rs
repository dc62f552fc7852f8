//! A tokenizer from the files of Hugging Face's `tokenizers` and `transformers`.

mod config;
mod decoder;
mod file;
mod frame;
mod part;
mod steps;

use super::bpe::{self, Bpe, Merges};
use super::end::{self, Named};
use super::ids::Ids;
use super::lookup::Lookup;
use super::pipeline::{Model, Pipeline};
use super::special::{Order, Pattern, SpecialTokens};
use super::strings::Strings;
use super::unigram::Unigram;
use super::vocab::{MAX_TOKENS, TokenKind, Vocab};
use super::wordpiece::WordPiece;
use super::{Inner, bytes};
use crate::{Error, Result};

use config::{GenerationConfig, TokenizerConfig};
use decoder::Decoder;
use file::{AddedToken, File, RawModel};
use frame::Frame;
use part::Part;

/// The largest published file, Gemma 3's, has 33 MB.
const MAX_FILE_BYTES: usize = 64 << 20;

/// The contents of a model's files of those names, as far as it has them. Truncation, padding and dropout,
/// which a `tokenizer.json` may ask for, are for training and batches: they are not applied.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonFiles<'f> {
    /// `tokenizer.json`.
    pub tokenizer: &'f [u8],
    /// `tokenizer_config.json`: which tokens begin and end a text, whether they are added.
    pub tokenizer_config: Option<&'f [u8]>,
    /// `special_tokens_map.json`, for what the one before does not say.
    pub special_tokens_map: Option<&'f [u8]>,
    /// `generation_config.json`: which tokens end an answer.
    pub generation_config: Option<&'f [u8]>,
}

/// The tokenizer that the files describe.
pub(super) fn read(files: &JsonFiles<'_>) -> Result<Inner> {
    if files.tokenizer.len() > MAX_FILE_BYTES {
        return Err(Error::bad_model_file(format!(
            "tokenizer.json has {} bytes; at most {MAX_FILE_BYTES} are possible",
            files.tokenizer.len()
        )));
    }
    let file: File<'_> = serde_json::from_slice(files.tokenizer)
        .map_err(|error| Error::bad_model_file(format!("tokenizer.json: {error}")))?;
    let File {
        added_tokens,
        model,
        ..
    } = file;
    let added = added_tokens.0;
    let decoder = part::parse(file.decoder, "decoder")?;
    let decoder = Decoder::read(&Part::new(&decoder, "decoder"))?;
    let normalizer = part::parse(file.normalizer, "normalizer")?;
    let normalizers = steps::normalizers(&Part::new(&normalizer, "normalizer"))?;
    let pre_tokenizer = part::parse(file.pre_tokenizer, "pre_tokenizer")?;
    let splitters = steps::splitters(&Part::new(&pre_tokenizer, "pre_tokenizer"))?;
    let post_processor = part::parse(file.post_processor, "post_processor")?;
    let frame = Frame::read(&Part::new(&post_processor, "post_processor"))?;

    let mut tokens = Tokens::new(&model)?;
    let added_ids = tokens.add(&model, &added)?;
    let named = tokens.named(files, frame)?;
    let mut ends = Named::default();
    ends.ends.clone_from(&named.ends);
    let written = added_ids
        .iter()
        .zip(&added)
        // Gemma's vocabulary has HTML's tags.
        .filter(|(_, token)| token.special || token.content != "</s>")
        .map(|(id, token)| (*id, token.content.as_str()));
    let end_of_generation = end::find(ends, written, &mut tokens.kinds);

    let mut pieces = Strings::with_capacity(tokens.texts.len(), 0);
    for (text, kind) in tokens.texts.iter().zip(&tokens.kinds) {
        pieces.push_with(|out| match kind {
            // Structure stays as it is written.
            TokenKind::Control | TokenKind::Unknown => out.extend(text.as_bytes()),
            _ => decoder.piece(text, out),
        })?;
    }
    let mut pipeline = Pipeline {
        normalizers,
        special: None,
        splitters,
        model: tokens.model(model)?,
    };
    let (plain, normalized) = patterns(&added, &added_ids, &pipeline)?;
    pipeline.special = Some(normalized).filter(|tokens| !tokens.is_empty());
    Ok(Inner {
        vocab: Vocab::new(pieces, tokens.kinds, end_of_generation),
        special: plain,
        pipeline,
        bos: named.bos,
        eos: named.eos,
        prefix: named.prefix,
        suffix: named.suffix,
        own_spaces: decoder.own_spaces,
    })
}

/// Tokens that are found in the text as it is, and those that are found once it is normalized.
fn patterns(
    added: &[AddedToken],
    ids: &[u32],
    pipeline: &Pipeline,
) -> Result<(SpecialTokens, SpecialTokens)> {
    let (mut plain, mut normalized) = (Vec::new(), Vec::new());
    let mut bytes = 0_usize;
    for (token, id) in added.iter().zip(ids) {
        let mut text = token.content.clone();
        if token.normalized {
            for normalizer in &pipeline.normalizers {
                normalizer.apply(&mut text)?;
            }
        }
        bytes = bytes.saturating_add(text.len());
        if bytes > MAX_FILE_BYTES {
            return Err(bad(&format!(
                "the normalizer makes more than {MAX_FILE_BYTES} bytes of the added tokens"
            )));
        }
        let mut pattern = Pattern::new(text.as_bytes(), *id, !token.special);
        pattern.strip_left = token.lstrip;
        pattern.strip_right = token.rstrip;
        pattern.single_word = token.single_word;
        match token.normalized {
            true => normalized.push(pattern),
            false => plain.push(pattern),
        }
    }
    let order = Order::LeftToRight;
    Ok((
        SpecialTokens::new(plain, order),
        SpecialTokens::new(normalized, order),
    ))
}

/// What the files say about single tokens.
struct NamedTokens {
    bos: Option<u32>,
    eos: Option<u32>,
    prefix: Vec<u32>,
    suffix: Vec<u32>,
    ends: Vec<u32>,
}

/// The tokens by id.
struct Tokens {
    texts: Vec<String>,
    kinds: Vec<TokenKind>,
}

impl Tokens {
    /// Those of the model.
    fn new(model: &RawModel) -> Result<Self> {
        let mut tokens = Self {
            texts: Vec::new(),
            kinds: Vec::new(),
        };
        let has_bytes = model.byte_fallback == Some(true);
        let kind = |text: &str| match bytes::from_hex(text) {
            Some(_) if has_bytes => TokenKind::Byte,
            _ => TokenKind::Normal,
        };
        match &model.vocab {
            file::Vocab::Ids(ids) => {
                for (text, id) in ids.iter() {
                    let text = str::from_utf8(text).unwrap_or_default();
                    tokens.set(id, text, kind(text))?;
                }
            }
            file::Vocab::Scores(pieces) => {
                for (id, (text, _)) in (0..).zip(pieces) {
                    tokens.set(id, text, kind(text))?;
                }
            }
        }
        Ok(tokens)
    }

    fn set(&mut self, id: u32, text: &str, kind: TokenKind) -> Result<()> {
        let ix = usize::try_from(id).unwrap_or(usize::MAX);
        if ix >= MAX_TOKENS {
            return Err(Error::bad_model_file(format!(
                "tokenizer.json: the token {text:?} has the id {id}; ids below {MAX_TOKENS} are possible"
            )));
        }
        if ix >= self.texts.len() {
            self.texts.resize(ix + 1, String::new());
            // Ids that no token has.
            self.kinds.resize(ix + 1, TokenKind::Unused);
        }
        if let (Some(old), Some(old_kind)) = (self.texts.get_mut(ix), self.kinds.get_mut(ix)) {
            text.clone_into(old);
            *old_kind = kind;
        }
        Ok(())
    }

    /// Adds the added tokens; their ids. One that the model knows has the model's id.
    fn add(&mut self, model: &RawModel, added: &[AddedToken]) -> Result<Vec<u32>> {
        let mut scored = Ids::default();
        if let file::Vocab::Scores(pieces) = &model.vocab {
            for (id, (text, _)) in (0..).zip(pieces) {
                scored.insert(text.as_bytes(), id)?;
            }
        }
        let mut ids = Vec::with_capacity(added.len());
        for token in added {
            let known = match &model.vocab {
                file::Vocab::Ids(ids) => ids,
                file::Vocab::Scores(_) => &scored,
            };
            let id = known.get(token.content.as_bytes()).unwrap_or(token.id);
            let is_unknown = model.unk_token.as_deref() == Some(token.content.as_str());
            let kind = match token.special {
                true if is_unknown => TokenKind::Unknown,
                true => TokenKind::Control,
                false => TokenKind::UserDefined,
            };
            self.set(id, &token.content, kind)?;
            ids.push(id);
        }
        Ok(ids)
    }

    /// The id of a token that a file names.
    fn id(&self, text: Option<&str>) -> Option<u32> {
        let text = text.filter(|text| !text.is_empty())?;
        // Added tokens are at the end.
        let at = self.texts.iter().rposition(|known| known == text)?;
        u32::try_from(at).ok()
    }

    fn named(&self, files: &JsonFiles<'_>, frame: Frame) -> Result<NamedTokens> {
        let config: TokenizerConfig =
            config::read(files.tokenizer_config, "tokenizer_config.json")?;
        let map: TokenizerConfig =
            config::read(files.special_tokens_map, "special_tokens_map.json")?;
        let generation: GenerationConfig =
            config::read(files.generation_config, "generation_config.json")?;
        let Frame {
            mut prefix,
            mut suffix,
        } = frame;
        let exists = |id: &u32| usize::try_from(*id).is_ok_and(|ix| ix < self.texts.len());
        if let Some(id) = prefix.iter().chain(&suffix).find(|id| !exists(id)) {
            return Err(bad(&format!(
                "post_processor names the token {id}; the vocabulary has {} tokens",
                self.texts.len()
            )));
        }
        let text = config.bos_token.0.as_deref().or(map.bos_token.0.as_deref());
        let bos = self.id(text).or(generation.bos_token_id.0.first().copied());
        let text = config.eos_token.0.as_deref().or(map.eos_token.0.as_deref());
        let by_text = self.id(text);
        let eos = by_text.or(generation.eos_token_id.0.first().copied());
        // The flags say it for classes of `transformers` that do not go by the post-processor.
        match (config.add_bos_token, bos) {
            (Some(true), Some(bos)) if prefix.first() != Some(&bos) => prefix.insert(0, bos),
            (Some(false), Some(bos)) if prefix.first() == Some(&bos) => drop(prefix.remove(0)),
            _ => {}
        }
        match (config.add_eos_token, eos) {
            (Some(true), Some(eos)) if suffix.last() != Some(&eos) => suffix.push(eos),
            (Some(false), Some(eos)) if suffix.last() == Some(&eos) => drop(suffix.pop()),
            _ => {}
        }
        let mut ends = generation.eos_token_id.0;
        ends.extend(by_text);
        Ok(NamedTokens {
            bos,
            eos,
            prefix,
            suffix,
            ends,
        })
    }

    /// The model.
    fn model(&self, model: RawModel) -> Result<Model> {
        let kind = match (&model.kind, &model.vocab, &model.merges) {
            (Some(kind), _, _) => kind.as_str(),
            // Old files do not say.
            (None, file::Vocab::Scores(_), _) => "Unigram",
            (None, file::Vocab::Ids(_), Some(_)) => "BPE",
            (None, file::Vocab::Ids(_), None) => "WordPiece",
        };
        match (kind, model.vocab) {
            ("BPE", file::Vocab::Ids(vocab)) => {
                let affixes = [&model.continuing_subword_prefix, &model.end_of_word_suffix];
                if affixes
                    .iter()
                    .any(|affix| affix.as_ref().is_some_and(|affix| !affix.is_empty()))
                {
                    return Err(unsupported(
                        "BPE with affixes (continuing_subword_prefix or end_of_word_suffix)",
                    ));
                }
                let merges = model.merges.map_or_else(Vec::new, |merges| merges.0);
                let unknown = match &model.unk_token {
                    None => None,
                    Some(unknown) => Some(vocab.get(unknown.as_bytes()).ok_or_else(|| {
                        bad(&format!(
                            "model.unk_token is {unknown:?}, which is not in the vocabulary"
                        ))
                    })?),
                };
                let options = bpe::Options {
                    ignore_merges: model.ignore_merges.unwrap_or(false),
                    byte_fallback: model.byte_fallback.unwrap_or(false),
                    fuse_unknown: model.fuse_unk.unwrap_or(false),
                    unknown,
                };
                byte_pairs(vocab, &merges, options).map(|bpe| Model::Bpe(Box::new(bpe)))
            }
            ("WordPiece", file::Vocab::Ids(vocab)) => {
                let unknown = model.unk_token.as_deref().unwrap_or("[UNK]");
                let unknown_id = self.id(Some(unknown)).ok_or_else(|| {
                    bad(&format!(
                        "model.unk_token is {unknown:?}, which is no token"
                    ))
                })?;
                let mut texts = Strings::with_capacity(self.texts.len(), 0);
                // Added tokens are no parts of words.
                for text in &self.texts {
                    let is_part = vocab.get(text.as_bytes()).is_some();
                    texts.push(if is_part { text.as_bytes() } else { b"" })?;
                }
                Ok(Model::WordPiece(WordPiece {
                    lookup: Lookup::new(texts)?,
                    first: "",
                    next: model
                        .continuing_subword_prefix
                        .unwrap_or_else(|| "##".to_owned()),
                    unknown: unknown_id,
                    max_chars: model.max_input_chars_per_word.unwrap_or(100),
                }))
            }
            ("Unigram", file::Vocab::Scores(pieces)) => {
                let byte_fallback = model.byte_fallback.unwrap_or(false);
                if model.unk_id.is_some_and(|unknown| unknown >= pieces.len()) {
                    return Err(bad("model.unk_id is no token's"));
                }
                let pieces = pieces.into_iter().zip(0..);
                let pieces = pieces
                    .map(|((text, score), id)| (text, score, id))
                    .collect();
                let unigram = Unigram::new(pieces, model.unk_id, byte_fallback)?;
                Ok(Model::Unigram(Box::new(unigram)))
            }
            ("BPE" | "WordPiece" | "Unigram", _) => Err(bad(&format!(
                "model.vocab is not of the form that {kind} has"
            ))),
            _ => Err(unsupported(&format!("the model {kind:?}"))),
        }
    }
}

fn bad(what: &str) -> Error {
    Error::bad_model_file(format!("tokenizer.json: {what}"))
}

fn unsupported(what: &str) -> Error {
    let message = format!(
        "tokenizer.json: {what} is not supported; supported are BPE, WordPiece and Unigram"
    );
    Error::unsupported_model(message).detail("tokenizer", what)
}

fn byte_pairs(vocab: Ids, pairs: &[(String, String)], options: bpe::Options) -> Result<Bpe> {
    let mut merges = Merges::new(false);
    for (rank, (left, right)) in pairs.iter().enumerate() {
        merges.push(&vocab, left, right).map_err(|what| {
            let shown = [left, right];
            bad(&format!("model.merges[{rank}] is {shown:?}: {what}"))
        })?;
    }
    Ok(Bpe::new(vocab, merges, u32::MAX, options))
}
