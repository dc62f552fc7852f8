//! A tokenizer from a GGUF's metadata, as llama.cpp reads it.

use super::bert::{self, Bert};
use super::bpe::{self, Bpe, Merges};
use super::charsmap::Charsmap;
use super::end::{self, Named, id_of};
use super::ids::Ids;
use super::lookup::Lookup;
use super::normalizer::{Normalizer, SPACE, Sentencepiece};
use super::pipeline::{Model, Pipeline};
use super::pre::{self, PreTokenizer};
use super::regex::Pattern;
use super::special::{self, Order, SpecialTokens};
use super::spm::Spm;
use super::strings::Strings;
use super::unigram::Unigram;
use super::vocab::{MAX_TOKENS, TokenKind, Vocab};
use super::wordpiece::WordPiece;
use super::{Inner, bytes};
use crate::weights::header::{Metadata, StrArray};
use crate::{Error, Result};

/// What the kinds of vocabularies differ in where the file does not say.
struct Defaults {
    bos: Option<u32>,
    eos: Option<u32>,
    unknown: Option<u32>,
    add_bos: bool,
    add_eos: bool,
    /// How pieces are written.
    spelling: Spelling,
}

/// How the text of a token is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// In the alphabet of bytes.
    Bytes,
    /// With another character for the space; bytes as `<0x0A>`.
    Spaces,
}

/// The metadata's tokenizer.
pub(super) fn read(metadata: &Metadata) -> Result<Inner> {
    let model = metadata.required_str("tokenizer.ggml.model")?;
    match model {
        "gpt2" => byte_pairs(metadata),
        "llama" => sentencepiece(metadata),
        "t5" => unigram(metadata),
        "bert" => wordpiece(metadata),
        other => Err(Error::unsupported_model(format!(
            "the tokenizer {other:?} (tokenizer.ggml.model) is not supported; supported are \"gpt2\" (byte-level BPE), \"llama\" (sentencepiece), \"t5\" (unigram) and \"bert\" (WordPiece)"
        ))
        .detail("tokenizer", other)),
    }
}

/// The vocabulary and what belongs to it.
struct Tokens<'m> {
    metadata: &'m Metadata,
    texts: StrArray<'m>,
    kinds: Vec<TokenKind>,
    ends: Vec<u32>,
}

impl<'m> Tokens<'m> {
    fn read(metadata: &'m Metadata) -> Result<Self> {
        let texts = metadata.required_strs("tokenizer.ggml.tokens")?;
        if texts.is_empty() || texts.len() > MAX_TOKENS {
            return Err(Error::bad_model_file(format!(
                "tokenizer.ggml.tokens has {} entries; 1 to {MAX_TOKENS} are possible",
                texts.len()
            )));
        }
        let mut kinds = read_kinds(metadata, texts.len())?;
        let named = Named::from_gguf(metadata, texts.len())?;
        let ends = end::find(named, (0..).zip(texts), &mut kinds);
        Ok(Self {
            metadata,
            texts,
            kinds,
            ends,
        })
    }

    /// Number of tokens.
    fn count(&self) -> u32 {
        u32::try_from(self.texts.len()).unwrap_or(u32::MAX)
    }

    fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.metadata.contains(key) {
            true => self.metadata.required_bool(key),
            false => Ok(default),
        }
    }

    /// The id under `key`, or the default if that is a token's.
    fn id(&self, key: &str, default: Option<u32>) -> Result<Option<u32>> {
        let default = default.filter(|id| *id < self.count());
        Ok(id_of(self.metadata, key, self.texts.len())?.or(default))
    }

    /// Numbers that belong to the tokens, one each; all 0 where the file has none.
    fn scores(&self) -> Result<Vec<f32>> {
        const KEY: &str = "tokenizer.ggml.scores";
        if !self.metadata.contains(KEY) {
            return Ok(vec![0.0; self.texts.len()]);
        }
        let scores = match self.metadata.i32s(KEY) {
            #[expect(clippy::cast_precision_loss, reason = "as llama.cpp reads them")]
            Some(whole) => whole.into_iter().map(|score| score as f32).collect(),
            None => self.metadata.required_f32s(KEY)?,
        };
        one_each(KEY, scores.len(), self.texts.len())?;
        Ok(scores)
    }

    /// The texts by id, to be looked up.
    fn lookup(&self) -> Result<Lookup> {
        let mut texts = Strings::with_capacity(self.texts.len(), 0);
        for text in self.texts {
            texts.push(text.as_bytes())?;
        }
        Lookup::new(texts)
    }

    /// Puts everything together.
    fn finish(self, defaults: &Defaults, pipeline: Pipeline, own_spaces: usize) -> Result<Inner> {
        let bos = self.id("tokenizer.ggml.bos_token_id", defaults.bos)?;
        let eos = self.id("tokenizer.ggml.eos_token_id", defaults.eos)?;
        let add_bos = self.flag("tokenizer.ggml.add_bos_token", defaults.add_bos)?;
        let add_eos = self.flag("tokenizer.ggml.add_eos_token", defaults.add_eos)?;
        let pieces = pieces(self.texts, &self.kinds, defaults.spelling)?;
        let special = special_tokens(&self);
        Ok(Inner {
            vocab: Vocab::new(pieces, self.kinds, self.ends),
            special,
            pipeline,
            bos,
            eos,
            prefix: bos.filter(|_| add_bos).into_iter().collect(),
            suffix: eos.filter(|_| add_eos).into_iter().collect(),
            own_spaces,
        })
    }
}

fn one_each(key: &str, count: usize, n_tokens: usize) -> Result<()> {
    if count == n_tokens {
        return Ok(());
    }
    Err(Error::bad_model_file(format!(
        "{key} has {count} entries for {n_tokens} tokens"
    )))
}

fn read_kinds(metadata: &Metadata, n_tokens: usize) -> Result<Vec<TokenKind>> {
    const KEY: &str = "tokenizer.ggml.token_type";
    if !metadata.contains(KEY) {
        return Ok(vec![TokenKind::Normal; n_tokens]);
    }
    let numbers = metadata.required_i32s(KEY)?;
    one_each(KEY, numbers.len(), n_tokens)?;
    Ok(numbers.into_iter().map(TokenKind::from_number).collect())
}

fn pieces(texts: StrArray<'_>, kinds: &[TokenKind], spelling: Spelling) -> Result<Strings> {
    // A piece is never longer than what it is written as.
    let mut pieces = Strings::with_capacity(texts.len(), texts.iter().map(str::len).sum());
    for (text, kind) in texts.iter().zip(kinds) {
        pieces.push_with(|out| match (kind, spelling) {
            // Never produced.
            (TokenKind::Unused, _) => {}
            (TokenKind::Normal | TokenKind::Byte, Spelling::Bytes) => {
                if bytes::read(text, out).is_none() {
                    out.extend(text.as_bytes());
                }
            }
            (TokenKind::Byte, Spelling::Spaces) => match bytes::from_hex(text) {
                Some(byte) => out.push(byte),
                None => out.extend(text.as_bytes()),
            },
            (TokenKind::Normal, Spelling::Spaces) => {
                out.extend(text.replace(SPACE, " ").as_bytes());
            }
            _ => out.extend(text.as_bytes()),
        })?;
    }
    Ok(pieces)
}

/// The tokens that are found as a whole. Which of them take white space is not in the file: llama.cpp
/// knows it of some models, by their names.
fn special_tokens(tokens: &Tokens<'_>) -> SpecialTokens {
    let text = |key| tokens.metadata.str(key).unwrap_or_default();
    let contains = |text: &str, any: &[&str]| any.iter().any(|part| text.contains(part));
    let name = text("general.name").to_lowercase();
    let masks = contains(
        text("tokenizer.ggml.pre"),
        &["jina-v2-de", "jina-v2-es", "jina-v2-code"],
    ) || contains(
        text("general.architecture"),
        &["nomic-bert-moe", "jina-bert-v3"],
    );
    let is_phi3 = !masks && contains(&name, &["phi-3", "phi3"]);
    let is_modern_bert = !masks && !is_phi3 && name.contains("modern-bert");
    let patterns = (0..)
        .zip(tokens.texts)
        .zip(&tokens.kinds)
        .filter(|(_, kind)| kind.is_special());
    let patterns = patterns.map(|((id, text), kind)| {
        let always = *kind == TokenKind::UserDefined;
        let mut pattern = special::Pattern::new(text.as_bytes(), id, always);
        pattern.strip_left = masks && text == "<mask>" || is_modern_bert && text == "[MASK]";
        pattern.strip_right = is_phi3 && !["<unk>", "<s>", "<|endoftext|>"].contains(&text);
        pattern
    });
    SpecialTokens::new(patterns.collect(), Order::LongestFirst)
}

/// `gpt2`.
fn byte_pairs(metadata: &Metadata) -> Result<Inner> {
    let pre = match metadata.contains("tokenizer.ggml.pre") {
        true => metadata.required_str("tokenizer.ggml.pre")?,
        false => "default",
    };
    let pre = pre::find(pre)?;
    let tokens = Tokens::read(metadata)?;
    let pipeline = Pipeline {
        normalizers: Vec::new(),
        special: None,
        splitters: pre.splitters()?,
        model: Model::Bpe(Box::new(read_bpe(&tokens, pre)?)),
    };
    let defaults = Defaults {
        bos: None,
        eos: None,
        unknown: None,
        add_bos: pre.add_bos,
        add_eos: false,
        spelling: Spelling::Bytes,
    };
    tokens.finish(&defaults, pipeline, 0)
}

fn read_bpe(tokens: &Tokens<'_>, pre: &PreTokenizer) -> Result<Bpe> {
    let n_tokens = tokens.count();
    let mut vocab = Ids::default();
    for (id, token) in (0..n_tokens).zip(tokens.texts) {
        // Empty entries can't be found in a text; several are no contradiction.
        if token.is_empty() {
            continue;
        }
        if let Some(first) = vocab.insert(token.as_bytes(), id)? {
            return Err(Error::bad_model_file(format!(
                "the token {token:?} is in the vocabulary twice, as {first} and {id}"
            )));
        }
    }
    bpe::add_stand_ins(&mut vocab, n_tokens)?;
    let mut merges = Merges::new(true);
    let lines = tokens.metadata.required_strs("tokenizer.ggml.merges")?;
    for (rank, merge) in lines.iter().enumerate() {
        let pushed = match merge.split_once(' ') {
            Some((left, right)) => merges.push(&vocab, left, right),
            None => Err("two tokens and a space between them expected".to_owned()),
        };
        pushed.map_err(|what| {
            Error::bad_model_file(format!(
                "tokenizer.ggml.merges[{rank}] is {merge:?}: {what}"
            ))
        })?;
    }
    let options = bpe::Options {
        ignore_merges: pre.ignore_merges,
        ..bpe::Options::default()
    };
    Ok(Bpe::new(vocab, merges, n_tokens, options))
}

/// `llama`.
fn sentencepiece(metadata: &Metadata) -> Result<Inner> {
    let defaults = Defaults {
        bos: Some(1),
        eos: Some(2),
        unknown: Some(0),
        add_bos: true,
        add_eos: false,
        spelling: Spelling::Spaces,
    };
    let tokens = Tokens::read(metadata)?;
    let unknown = tokens.id("tokenizer.ggml.unknown_token_id", defaults.unknown)?;
    let model = Spm::new(tokens.lookup()?, tokens.scores()?, unknown);
    let prefix = tokens.flag("tokenizer.ggml.add_space_prefix", true)?;
    let mut normalizers = Vec::new();
    if prefix {
        normalizers.push(Normalizer::Prepend(SPACE.to_owned()));
    }
    let space = Pattern::Text(" ".to_owned());
    normalizers.push(Normalizer::Replace(space, SPACE.to_owned()));
    let pipeline = Pipeline {
        normalizers,
        special: None,
        splitters: Vec::new(),
        model: Model::Spm(model),
    };
    tokens.finish(&defaults, pipeline, usize::from(prefix))
}

/// `t5`.
fn unigram(metadata: &Metadata) -> Result<Inner> {
    const CHARSMAP: &str = "tokenizer.ggml.precompiled_charsmap";
    let defaults = Defaults {
        bos: None,
        eos: Some(1),
        unknown: Some(2),
        add_bos: false,
        add_eos: true,
        spelling: Spelling::Spaces,
    };
    let tokens = Tokens::read(metadata)?;
    let charsmap = match metadata.contains(CHARSMAP) {
        true => {
            let bytes = metadata.required_i32s(CHARSMAP)?;
            // Files exist that count them from -128.
            let bytes = bytes.into_iter().map(|byte| byte.to_le_bytes()[0]);
            Some(Charsmap::parse(&bytes.collect::<Vec<u8>>())?)
        }
        false => None,
    };
    let unknown_id = tokens.id("tokenizer.ggml.unknown_token_id", defaults.unknown)?;
    let mut pieces = Vec::with_capacity(tokens.texts.len());
    let mut unknown = None;
    let scores = tokens.scores()?;
    for (((id, text), kind), score) in (0..).zip(tokens.texts).zip(&tokens.kinds).zip(scores) {
        let score = match kind {
            _ if Some(id) == unknown_id => {
                unknown = Some(pieces.len());
                f64::from(score)
            }
            // More likely than any other.
            TokenKind::UserDefined => 0.0,
            TokenKind::Normal | TokenKind::Unused if !text.is_empty() => f64::from(score),
            _ => continue,
        };
        if score.is_nan() {
            return Err(Error::bad_model_file(format!(
                "tokenizer.ggml.scores[{id}] is not a number"
            )));
        }
        pieces.push((text.to_owned(), score, id));
    }
    // Unknown itself is never found by its text, and its score is not the least.
    let lowest = pieces.iter().map(|(_, score, _)| *score);
    let lowest = lowest.fold(f64::INFINITY, f64::min);
    if let Some((text, score, _)) = unknown.and_then(|ix| pieces.get_mut(ix)) {
        *score = lowest;
        "\u{10ffff}".clone_into(text);
    }
    let prefix = tokens.flag("tokenizer.ggml.add_space_prefix", true)?;
    let normalizer = Normalizer::Sentencepiece(Sentencepiece {
        charsmap,
        prefix,
        merge: tokens.flag("tokenizer.ggml.remove_extra_whitespaces", false)?,
    });
    let pipeline = Pipeline {
        normalizers: vec![normalizer],
        special: None,
        splitters: Vec::new(),
        model: Model::Unigram(Box::new(Unigram::new(pieces, unknown, false)?)),
    };
    tokens.finish(&defaults, pipeline, usize::from(prefix))
}

/// `bert`. The normalizer is the one that such models are trained with; llama.cpp's own keeps the first
/// letter alone of each Hangul syllable, and drops marks that enclose.
fn wordpiece(metadata: &Metadata) -> Result<Inner> {
    let defaults = Defaults {
        bos: Some(101),
        eos: None,
        unknown: Some(100),
        // Both are written whatever the file says.
        add_bos: true,
        add_eos: false,
        spelling: Spelling::Spaces,
    };
    let tokens = Tokens::read(metadata)?;
    let separator = tokens.id("tokenizer.ggml.seperator_token_id", Some(102))?;
    let unknown = tokens.id("tokenizer.ggml.unknown_token_id", defaults.unknown)?;
    let bos = tokens.id("tokenizer.ggml.bos_token_id", defaults.bos)?;
    let (Some(separator), Some(unknown), Some(bos)) = (separator, unknown, bos) else {
        return Err(Error::bad_model_file(format!(
            "a WordPiece vocabulary needs the tokens bos (CLS), seperator (SEP) and unknown; its {} tokens do not have all of them",
            tokens.count()
        )));
    };
    let lowercase = tokens.flag("tokenizer.ggml.normalizer.lowercase", true)?;
    let strip_accents = tokens.flag("tokenizer.ggml.normalizer.strip_accents", lowercase)?;
    let bert = Bert {
        clean: true,
        chinese: true,
        strip_accents,
        lowercase,
    };
    let pipeline = Pipeline {
        normalizers: vec![Normalizer::Bert(bert)],
        special: None,
        splitters: bert::splitters().into(),
        model: Model::WordPiece(WordPiece {
            lookup: tokens.lookup()?,
            first: SPACE,
            next: String::new(),
            unknown,
            max_chars: usize::MAX,
        }),
    };
    let mut inner = tokens.finish(&defaults, pipeline, 1)?;
    inner.prefix = vec![bos];
    inner.suffix = vec![separator];
    Ok(inner)
}
