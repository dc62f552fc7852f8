//! What a token adds to a text. Decoders work token by token, so their work is done at load.

use super::super::bytes;
use super::part::Part;
use crate::Result;

/// The decoder of a `tokenizer.json`.
pub(super) struct Decoder {
    steps: Vec<Step>,
    /// Spaces that are left out at the beginning of a text.
    pub(super) own_spaces: usize,
}

enum Step {
    /// The alphabet of bytes.
    Bytes,
    /// `<0x0A>` is a byte.
    ByteFallback,
    /// One text in place of another.
    Replace(String, String),
    /// Words have a space in front; this marks what continues one.
    WordPiece { prefix: String, cleanup: bool },
    /// A space in front of every token.
    Space,
}

impl Decoder {
    pub(super) fn read(part: &Part<'_>) -> Result<Self> {
        let mut decoder = Self {
            steps: Vec::new(),
            own_spaces: 0,
        };
        let steps = part.steps("decoders")?;
        if steps.is_empty() {
            decoder.steps.push(Step::Space);
            decoder.own_spaces = 1;
        }
        for step in steps {
            match step.kind()? {
                "ByteLevel" => decoder.steps.push(Step::Bytes),
                "ByteFallback" => decoder.steps.push(Step::ByteFallback),
                "Replace" => decoder.steps.push(replace(&step)?),
                "Metaspace" => {
                    let replacement = step.get("replacement").char()?.to_string();
                    decoder
                        .steps
                        .push(Step::Replace(replacement, " ".to_owned()));
                    let never = step.get("prepend_scheme").value.as_str() == Some("never");
                    decoder.own_spaces = usize::from(!never);
                }
                "WordPiece" => {
                    decoder.steps.push(Step::WordPiece {
                        prefix: step.get("prefix").str()?.to_owned(),
                        cleanup: step.get("cleanup").bool(true)?,
                    });
                    decoder.own_spaces = 1;
                }
                // Tokens are put together anyway.
                "Fuse" => {}
                "Strip" => decoder.own_spaces = strip(&step)?,
                other => return Err(step.unsupported(&format!("the decoder {other:?}"))),
            }
        }
        Ok(decoder)
    }

    /// Appends what `token` adds to a text.
    pub(super) fn piece(&self, token: &str, out: &mut Vec<u8>) {
        let mut text = token.to_owned();
        for step in &self.steps {
            match step {
                Step::Bytes => {
                    if bytes::read(&text, out).is_none() {
                        out.extend(text.as_bytes());
                    }
                    return;
                }
                Step::ByteFallback => {
                    if let Some(byte) = bytes::from_hex(&text) {
                        return out.push(byte);
                    }
                }
                Step::Replace(from, to) => text = text.replace(from, to),
                Step::WordPiece { prefix, cleanup } => {
                    text = match text.strip_prefix(prefix.as_str()) {
                        Some(rest) => rest.to_owned(),
                        None => format!(" {text}"),
                    };
                    if *cleanup {
                        clean_up(&mut text);
                    }
                }
                Step::Space => text.insert(0, ' '),
            }
        }
        out.extend(text.as_bytes());
    }
}

fn replace(step: &Part<'_>) -> Result<Step> {
    let from = step.get("pattern").get("String");
    if from.is_null() {
        return Err(step.unsupported("a decoder that replaces other than a text"));
    }
    let (from, to) = (from.str()?, step.get("content").str()?);
    // So that no sequence of them makes more of a token than there is memory.
    if from.is_empty() || to.len() > from.len() {
        return Err(step.unsupported("a decoder that replaces nothing, or by something longer"));
    }
    Ok(Step::Replace(from.to_owned(), to.to_owned()))
}

fn strip(step: &Part<'_>) -> Result<usize> {
    let is_space = step.get("content").char()? == ' ';
    let (start, stop) = (step.get("start").count()?, step.get("stop").count()?);
    if !is_space || stop > 0 {
        return Err(step.unsupported("a decoder that drops other than spaces at the beginning"));
    }
    Ok(start)
}

/// What `tokenizers` does to single tokens of `WordPiece`, with the space in front of them.
fn clean_up(text: &mut String) {
    let with_space = [" .", " ?", " !", " ,", " n't", " 'm", " 's", " 've", " 're"];
    if with_space.iter().any(|token| text.starts_with(token)) {
        text.remove(0);
    }
}
