//! A model's shape, from the file's metadata. Names are those of Hugging Face's `config.json`.

use serde::{Deserialize, Serialize};

use crate::weights::gguf::{Gguf, Metadata};
use crate::{Error, Result};

/// Sizes that no known model exceeds; they keep every product of two of them inside 64 bits.
const MAX_WIDTH: u32 = 1 << 20;
const MAX_LAYERS: u32 = 1 << 10;
const MAX_HEAD_DIM: u32 = 1 << 10;
const MAX_CONTEXT: u32 = 1 << 24;

/// The shape of a decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// `general.architecture`: which file of [`crate::model`] builds the graph.
    pub architecture: String,
    /// `general.name`, for people.
    pub name: Option<String>,
    /// `D`, the width of the residual stream.
    pub hidden_size: u32,
    /// `F`, the width of the feed-forward layer.
    pub intermediate_size: u32,
    /// Number of layers.
    pub num_hidden_layers: u32,
    /// `H`, query heads.
    pub num_attention_heads: u32,
    /// `Hkv`, key and value heads; divides `H`.
    pub num_key_value_heads: u32,
    /// `Dh`, the size of a head; even.
    pub head_dim: u32,
    /// `V`, the number of token ids.
    pub vocab_size: u32,
    /// Tokens of context that the model was trained for.
    pub context_length: u32,
    /// Added to the mean square inside RMSNorm.
    pub rms_norm_eps: f32,
    /// Rotary position embedding.
    pub rope: Rope,
}

/// Rotary position embedding (Su et al. 2021, arXiv 2104.09864).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rope {
    /// Base of the frequencies.
    pub theta: f64,
    /// How many of a head's dimensions rotate; the rest pass through. Even.
    pub dims: u32,
}

impl Rope {
    /// `(cos, sin)` of one position's angles, (dims / 2, 2), computed in f64: the shader's own
    /// functions are accurate to 2^-11 only, and only near 0.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "f64 → f32 is the rounding that is wanted"
    )]
    pub fn row(&self, position: u32) -> Vec<[f32; 2]> {
        (0..self.dims / 2)
            .map(|pair| {
                let frequency = self
                    .theta
                    .powf(-2.0 * f64::from(pair) / f64::from(self.dims));
                let (sin, cos) = (f64::from(position) * frequency).sin_cos();
                [cos as f32, sin as f32]
            })
            .collect()
    }
}

impl ModelConfig {
    /// Reads the shape from a GGUF's metadata.
    ///
    /// # Errors
    /// `bad_model_file` for a missing or absurd size, `unsupported_model` for a feature that would
    /// change the arithmetic and is not implemented.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self> {
        let meta = &gguf.metadata;
        let architecture = meta.required_str("general.architecture")?.to_owned();
        let keys = Keys {
            meta,
            architecture: &architecture,
        };
        keys.refuse_unsupported()?;
        let hidden_size = keys.size("embedding_length", MAX_WIDTH)?;
        let num_attention_heads = keys.size("attention.head_count", MAX_WIDTH)?;
        let num_key_value_heads =
            keys.size_or("attention.head_count_kv", MAX_WIDTH, num_attention_heads)?;
        let head_dim = keys.size_or(
            "attention.key_length",
            MAX_HEAD_DIM,
            hidden_size / num_attention_heads,
        )?;
        let value_dim = keys.size_or("attention.value_length", MAX_HEAD_DIM, head_dim)?;
        if value_dim != head_dim {
            return Err(Error::unsupported_model(format!(
                "attention.value_length is {value_dim} and attention.key_length is {head_dim}; only equal lengths are supported"
            )));
        }
        if !num_attention_heads.is_multiple_of(num_key_value_heads) || !head_dim.is_multiple_of(2) {
            return Err(Error::bad_model_file(format!(
                "{num_attention_heads} query heads of size {head_dim} do not divide into {num_key_value_heads} groups of even-sized heads"
            )));
        }
        let width = u64::from(num_attention_heads) * u64::from(head_dim);
        if width > u64::from(MAX_WIDTH) {
            return Err(Error::bad_model_file(format!(
                "{num_attention_heads} query heads of size {head_dim} are {width} values wide, expected at most {MAX_WIDTH}"
            )));
        }
        let dims = keys.size_or("rope.dimension_count", MAX_WIDTH, head_dim)?;
        if dims > head_dim || !dims.is_multiple_of(2) {
            return Err(Error::bad_model_file(format!(
                "rope.dimension_count is {dims}, expected an even number up to the head's size {head_dim}"
            )));
        }
        let tokens = meta
            .strs("tokenizer.ggml.tokens")
            .map_or(0, |tokens| tokens.len());
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        let vocab_size = keys.size_or("vocab_size", MAX_CONTEXT, tokens)?;
        if tokens > vocab_size {
            return Err(Error::bad_model_file(format!(
                "the tokenizer has {tokens} tokens, and the model's vocabulary {vocab_size}"
            )));
        }
        let config = Self {
            name: meta.str("general.name").map(str::to_owned),
            hidden_size,
            intermediate_size: keys.size("feed_forward_length", MAX_WIDTH)?,
            num_hidden_layers: keys.size("block_count", MAX_LAYERS)?,
            num_attention_heads,
            num_key_value_heads,
            head_dim,
            vocab_size,
            context_length: keys.size("context_length", MAX_CONTEXT)?,
            rms_norm_eps: keys.positive("attention.layer_norm_rms_epsilon", None)?,
            rope: Rope {
                theta: f64::from(keys.positive("rope.freq_base", Some(10_000.0))?),
                dims,
            },
            architecture,
        };
        Ok(config)
    }
}

struct Keys<'a> {
    meta: &'a Metadata,
    architecture: &'a str,
}

impl Keys<'_> {
    fn key(&self, suffix: &str) -> String {
        format!("{}.{suffix}", self.architecture)
    }

    fn size(&self, suffix: &str, max: u32) -> Result<u32> {
        let key = self.key(suffix);
        let value = self.meta.required_u32(&key)?;
        check_size(&key, value, max)
    }

    fn size_or(&self, suffix: &str, max: u32, default: u32) -> Result<u32> {
        let key = self.key(suffix);
        let value = if self.meta.contains(&key) {
            self.meta.required_u32(&key)?
        } else {
            default
        };
        check_size(&key, value, max)
    }

    fn positive(&self, suffix: &str, default: Option<f32>) -> Result<f32> {
        let key = self.key(suffix);
        let value = match default {
            Some(default) if !self.meta.contains(&key) => default,
            _ => self.meta.required_f32(&key)?,
        };
        if value.is_finite() && value > 0.0 {
            Ok(value)
        } else {
            Err(Error::bad_model_file(format!(
                "{key} is {value}, expected a positive number"
            )))
        }
    }

    /// Features that change the arithmetic: running on without them would give wrong words.
    fn refuse_unsupported(&self) -> Result<()> {
        let kind = self.key("rope.scaling.type");
        if self.meta.contains(&kind) && self.meta.required_str(&kind)? != "none" {
            return Err(Error::unsupported_model(format!(
                "{kind} = {:?} is not supported",
                self.meta.str(&kind).unwrap_or_default()
            )));
        }
        // Without a type the scaling is linear; the second is the older name.
        for suffix in ["rope.scaling.factor", "rope.scale_linear"] {
            let key = self.key(suffix);
            if self.meta.contains(&key) && !self.meta.contains(&kind) {
                let factor = self.meta.required_f32(&key)?;
                if factor != 0.0 && factor != 1.0 {
                    return Err(Error::unsupported_model(format!(
                        "{key} = {factor} is not supported"
                    )));
                }
            }
        }
        for suffix in ["expert_count", "attention.sliding_window"] {
            let key = self.key(suffix);
            if let Some(value) = self.meta.u64(&key)
                && value != 0
            {
                return Err(Error::unsupported_model(format!(
                    "{key} = {value} is not supported"
                )));
            }
        }
        Ok(())
    }
}

fn check_size(key: &str, value: u32, max: u32) -> Result<u32> {
    if (1..=max).contains(&value) {
        Ok(value)
    } else {
        Err(Error::bad_model_file(format!(
            "{key} is {value}, expected 1 to {max}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;
    use crate::weights::gguf::Parsed;
    use crate::weights::tests::Writer;

    /// The header of a small Llama.
    fn llama() -> Writer {
        llama_with_heads(4)
    }

    fn llama_with_heads(heads: u32) -> Writer {
        let mut builder = Writer::new()
            .str("general.architecture", "llama")
            .strs("tokenizer.ggml.tokens", &["a", "b", "c"])
            .pair(
                "llama.attention.layer_norm_rms_epsilon",
                6,
                1e-5f32.to_le_bytes(),
            );
        for (key, value) in [
            ("embedding_length", 64_u32),
            ("feed_forward_length", 96),
            ("block_count", 2),
            ("context_length", 512),
            ("attention.head_count", heads),
        ] {
            builder = u32(builder, key, value);
        }
        builder
    }

    fn u32(builder: Writer, key: &str, value: u32) -> Writer {
        builder.pair(&format!("llama.{key}"), 4, value.to_le_bytes())
    }

    fn f32(builder: Writer, key: &str, value: f32) -> Writer {
        builder.pair(&format!("llama.{key}"), 6, value.to_le_bytes())
    }

    fn read(builder: &Writer) -> Result<ModelConfig> {
        match Gguf::parse(&builder.build())? {
            Parsed::Done(gguf) => ModelConfig::from_gguf(&gguf),
            Parsed::NeedMore { .. } => Err(Error::internal("the header is whole")),
        }
    }

    #[track_caller]
    fn refused(builder: &Writer, code: ErrorCode, names: &str) {
        let error = read(builder).expect_err("it must be refused");
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(names), "{error}");
    }

    #[test]
    fn what_is_absent_follows_from_what_is_there() {
        let config = read(&llama()).expect("a good header");
        assert_eq!(
            (
                config.head_dim,
                config.num_key_value_heads,
                config.vocab_size,
                config.rope.dims
            ),
            (16, 4, 3, 16),
            "{config:?}"
        );
    }

    #[test]
    fn positions_that_are_scaled_are_refused_however_they_say_it() {
        let unsupported = ErrorCode::UnsupportedModel;
        refused(
            &llama().str("llama.rope.scaling.type", "yarn"),
            unsupported,
            "yarn",
        );
        refused(
            &f32(llama(), "rope.scaling.factor", 4.0),
            unsupported,
            "rope.scaling.factor",
        );
        refused(
            &f32(llama(), "rope.scale_linear", 2.0),
            unsupported,
            "rope.scale_linear",
        );
        refused(
            &u32(llama(), "rope.scaling.type", 1),
            ErrorCode::BadModelFile,
            "rope.scaling.type",
        );
        let unscaled = llama().str("llama.rope.scaling.type", "none");
        read(&f32(unscaled, "rope.scaling.factor", 4.0)).expect("none is none");
        read(&f32(llama(), "rope.scale_linear", 1.0)).expect("a factor of 1 scales nothing");
    }

    #[test]
    fn absurd_sizes_are_refused_by_name() {
        let bad = ErrorCode::BadModelFile;
        refused(
            &u32(llama(), "attention.key_length", 1 << 20),
            bad,
            "attention.key_length",
        );
        refused(&u32(llama(), "vocab_size", 2), bad, "3 tokens");
        let wide = u32(llama_with_heads(2048), "attention.key_length", 1024);
        refused(&wide, bad, "2097152 values wide");
    }

    #[test]
    fn rope_rows_turn_by_position() {
        let rope = Rope {
            theta: 10_000.0,
            dims: 4,
        };
        assert_eq!(
            rope.row(0),
            [[1.0, 0.0], [1.0, 0.0]],
            "position 0 does not rotate"
        );
        let row = rope.row(1);
        assert!(
            (row[0][1] - 1f32.sin()).abs() < 1e-7,
            "the first pair turns by one radian a position"
        );
        assert!(
            (row[1][1] - 0.01f32.sin()).abs() < 1e-7,
            "the second by theta^(-1/2)"
        );
    }
}
