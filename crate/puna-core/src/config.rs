//! A model's shape, from the file's metadata. Names are those of Hugging Face's `config.json`.

use crate::graph::{Halves, Temperature};
use crate::model::Architecture;
use crate::rope::{Factors, Longer, Rope, Scaling, Yarn};
use crate::weights::header::{Header, Metadata};
use crate::{Error, Result};

/// Sizes that no known model exceeds; they keep every product of two of them inside 64 bits.
const MAX_WIDTH: u32 = 1 << 20;
const MAX_LAYERS: u32 = 1 << 10;
const MAX_HEAD_DIM: u32 = 1 << 10;
const MAX_CONTEXT: u32 = 1 << 24;
const MAX_EXPERTS: u32 = 512;
const MAX_EXPERTS_PER_TOK: u32 = 32;

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
    /// `Dh`, the size of a head's query and key; even.
    pub head_dim: u32,
    /// `Dv`, the size of its value.
    pub value_dim: u32,
    /// `V`, the number of token ids.
    pub vocab_size: u32,
    /// Tokens of context that the model was trained for.
    pub context_length: u32,
    /// Added to the mean square inside RMSNorm.
    pub rms_norm_eps: f32,
    /// Rotary position embedding; where layers differ in it, that of the layers that see all positions first, then that of
    /// the layers that see a window.
    pub ropes: Vec<Rope>,
    /// Where rotation pairs lie in two halves of each head's rows in the file.
    pub halves: Option<Halves>,
    /// How many positions a token sees in layers that do not see all, its own among them.
    pub sliding_window: Option<u32>,
    /// Positions that layers which do not see all see together, from a multiple of it on.
    pub attention_chunk_size: Option<u32>,
    /// What scores of late positions are multiplied by, if the file says so.
    pub temperature: Option<Temperature>,
    /// Experts of the layers that have such; 0 if there are none.
    pub num_experts: u32,
    /// Of those, how many a token uses.
    pub num_experts_per_tok: u32,
    /// `F` of an expert.
    pub moe_intermediate_size: u32,
    /// What there is besides of experts.
    pub moe: MoeConfig,
    /// Multi-head latent attention, in place of keys and values of each head.
    pub mla: Option<MlaConfig>,
    /// What scores are multiplied by besides, where the rotation is stretched.
    pub score_scale: f32,
    /// What bounds attention's scores.
    pub attn_logit_softcapping: Option<f32>,
    /// What bounds logits.
    pub final_logit_softcapping: Option<f32>,
}

/// Multi-head latent attention (arXiv 2405.04434).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MlaConfig {
    /// Dimensions that queries are compressed to, if they are.
    pub q_lora_rank: Option<u32>,
    /// Dimensions that keys and values are compressed to.
    pub kv_lora_rank: u32,
    /// Dimensions of a head's query that do not rotate.
    pub qk_nope_head_dim: u32,
    /// `Dv` of a head's value once it is no more compressed.
    pub v_head_dim: u32,
}

/// Experts that are chosen otherwise than by softmax alone, and those that are not chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MoeConfig {
    /// Layers in front that have none.
    pub first_k_dense_replace: u32,
    /// Of so many layers the last one has experts; 1 if all have.
    pub interleave_step: u32,
    /// How many are always used.
    pub n_shared_experts: u32,
    /// Whether scores are sigmoids.
    pub sigmoid: bool,
    /// Groups of them; 0 or 1 where there are none.
    pub n_group: u32,
    /// Of those, how many are looked at.
    pub topk_group: u32,
    /// Whether scores of those that are used are divided by their sum.
    pub norm_topk_prob: bool,
    /// What they are multiplied by.
    pub routed_scaling_factor: f32,
}

impl ModelConfig {
    /// Reads the shape from a GGUF's metadata.
    ///
    /// # Errors
    /// `bad_model_file` for a missing or absurd size, `unsupported_model` for a feature that would
    /// change the arithmetic and that the architecture does not have here.
    pub fn from_gguf(header: &Header, architecture: &Architecture) -> Result<Self> {
        let meta = &header.metadata;
        let keys = Keys { meta, architecture };
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
        let mla = keys.mla()?;
        if let Some(mla) = mla {
            // All that is computed of compressed keys relies on it.
            if value_dim != mla.kv_lora_rank || head_dim <= value_dim || num_key_value_heads != 1 {
                return Err(Error::unsupported_model(format!(
                    "{num_key_value_heads} key heads of size {head_dim} with values of size {value_dim} are no compressed ones \
                     (attention.kv_lora_rank is {}); expected one head, with values of that size and longer keys: it was \
                     converted by a version of llama.cpp that kept all keys",
                    mla.kv_lora_rank
                )));
            }
        } else if value_dim != head_dim {
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
        if dims > head_dim
            || !dims.is_multiple_of(2)
            || mla.is_some() && dims != head_dim.saturating_sub(value_dim)
        {
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
        let scaling = keys.scaling()?;
        let num_experts = keys.count("expert_count")?.unwrap_or(0);
        let num_experts_per_tok = match num_experts {
            0 => 0,
            _ => keys.size("expert_used_count", MAX_EXPERTS_PER_TOK)?,
        };
        if num_experts > MAX_EXPERTS || num_experts_per_tok > num_experts {
            return Err(Error::bad_model_file(format!(
                "{num_experts_per_tok} of {num_experts} experts are used, expected at most {MAX_EXPERTS_PER_TOK} of {MAX_EXPERTS}"
            )));
        }
        let intermediate_size = keys.size("feed_forward_length", MAX_WIDTH)?;
        let config = Self {
            name: meta.str("general.name").map(str::to_owned),
            hidden_size,
            intermediate_size,
            num_experts,
            num_experts_per_tok,
            moe_intermediate_size: keys.size_or(
                "expert_feed_forward_length",
                MAX_WIDTH,
                intermediate_size,
            )?,
            num_hidden_layers: keys.size("block_count", MAX_LAYERS)?,
            num_attention_heads,
            num_key_value_heads,
            head_dim,
            value_dim,
            vocab_size,
            context_length: keys.size("context_length", MAX_CONTEXT)?,
            rms_norm_eps: keys.positive("attention.layer_norm_rms_epsilon", None)?,
            ropes: keys.ropes(header, dims, scaling)?,
            halves: architecture.halves.then_some(Halves {
                head_dim: head_dim as usize,
                rotated: dims as usize,
            }),
            mla,
            moe: keys.moe()?,
            score_scale: keys.score_scale(scaling),
            sliding_window: keys.count("attention.sliding_window")?,
            attention_chunk_size: keys.count("attention.chunk_size")?,
            temperature: keys.temperature()?,
            attn_logit_softcapping: keys.cap("attn_logit_softcapping")?,
            final_logit_softcapping: keys.cap("final_logit_softcapping")?,
            architecture: architecture.name.to_owned(),
        };
        Ok(config)
    }
}

struct Keys<'a> {
    meta: &'a Metadata,
    architecture: &'a Architecture,
}

/// What the logarithm of a stretch is multiplied by in the factor of scores.
const YARN_LOG_MULTIPLIER: &str = "rope.scaling.yarn_log_multiplier";

/// Keys that change the arithmetic, and the values of which that is not so: none, or numbers.
const ARITHMETIC: &[(&str, &[f32])] = &[
    ("rope.scaling.type", &[]),
    ("rope.scaling.factor", &[0.0, 1.0]),
    ("rope.scaling.attn_factor", &[0.0, 1.0]),
    ("rope.scale_linear", &[0.0, 1.0]),
    ("rope.freq_base_swa", &[]),
    ("attention.sliding_window_pattern", &[]),
    ("attention.sliding_window", &[0.0]),
    ("attn_logit_softcapping", &[0.0]),
    ("final_logit_softcapping", &[0.0]),
    ("attention.scale", &[0.0]),
    ("attention.clamp_kqv", &[0.0]),
    ("attention.max_alibi_bias", &[0.0]),
    ("attention.temperature_scale", &[0.0]),
    ("attention.temperature_length", &[]),
    ("attention.chunk_size", &[0.0]),
    ("interleave_moe_layer_step", &[0.0, 1.0]),
    ("logit_scale", &[0.0, 1.0]),
    ("residual_scale", &[0.0, 1.0]),
    ("embedding_scale", &[0.0, 1.0]),
    ("expert_count", &[0.0]),
    ("attention.kv_lora_rank", &[0.0]),
];

impl Keys<'_> {
    fn key(&self, suffix: &str) -> String {
        format!("{}.{suffix}", self.architecture.name)
    }

    /// A number of whatever type.
    fn number(&self, key: &str) -> Option<f64> {
        let float = self.meta.f32(key).map(f64::from);
        float.or_else(|| self.meta.u32(key).map(f64::from))
    }

    /// A number of things, if there are any.
    fn count(&self, suffix: &str) -> Result<Option<u32>> {
        let key = self.key(suffix);
        if !self.meta.contains(&key) {
            return Ok(None);
        }
        Ok(Some(self.meta.required_u32(&key)?).filter(|&count| count != 0))
    }

    /// A bound, if there is one.
    fn cap(&self, suffix: &str) -> Result<Option<f32>> {
        let key = self.key(suffix);
        if !self.meta.contains(&key) || self.meta.required_f32(&key)? == 0.0 {
            return Ok(None);
        }
        self.positive(suffix, None).map(Some)
    }

    /// What scores are multiplied by where rotations are stretched: `mscale²` of the authors.
    #[expect(clippy::cast_possible_truncation, reason = "f32 is what scores are")]
    fn score_scale(&self, scaling: Scaling) -> f32 {
        let multiplier = self.meta.f32(&self.key(YARN_LOG_MULTIPLIER));
        match (scaling, multiplier) {
            (Scaling::Yarn(yarn), Some(multiplier)) => {
                (1.0 + f64::from(multiplier) * yarn.factor.ln()).powi(2) as f32
            }
            _ => 1.0,
        }
    }

    fn temperature(&self) -> Result<Option<Temperature>> {
        let Some(every) = self.count("attention.temperature_length")? else {
            return Ok(None);
        };
        let scale = self.positive("attention.temperature_scale", None)?;
        Ok(Some(Temperature { scale, every }))
    }

    fn mla(&self) -> Result<Option<MlaConfig>> {
        if self.count("attention.kv_lora_rank")?.is_none() {
            return Ok(None);
        }
        let kv_lora_rank = self.size("attention.kv_lora_rank", MAX_HEAD_DIM)?;
        let key = self.size("attention.key_length_mla", MAX_HEAD_DIM)?;
        let rotated = self.size("rope.dimension_count", MAX_HEAD_DIM)?;
        if rotated >= key {
            return Err(Error::bad_model_file(format!(
                "{rotated} of {key} dimensions rotate, expected fewer"
            )));
        }
        Ok(Some(MlaConfig {
            q_lora_rank: match self.count("attention.q_lora_rank")? {
                Some(_) => Some(self.size("attention.q_lora_rank", MAX_WIDTH)?),
                None => None,
            },
            kv_lora_rank,
            qk_nope_head_dim: key.saturating_sub(rotated),
            v_head_dim: self.size("attention.value_length_mla", MAX_HEAD_DIM)?,
        }))
    }

    fn moe(&self) -> Result<MoeConfig> {
        let count = |suffix| self.count(suffix).map(Option::unwrap_or_default);
        let flag = self.key("expert_weights_norm");
        let (experts, n_group) = (count("expert_count")?, count("expert_group_count")?);
        let topk_group = count("expert_group_used_count")?;
        if n_group > 1
            && (experts.checked_rem(n_group) != Some(0) || !(1..=n_group).contains(&topk_group))
        {
            return Err(Error::bad_model_file(format!(
                "{topk_group} of {n_group} groups of {experts} experts are used: they do not divide"
            )));
        }
        Ok(MoeConfig {
            first_k_dense_replace: count("leading_dense_block_count")?,
            interleave_step: count("interleave_moe_layer_step")?.max(1),
            n_shared_experts: match count("expert_shared_count")? {
                0 => 0,
                _ => self.size("expert_shared_count", MAX_EXPERTS)?,
            },
            sigmoid: count("expert_gating_func")? == 2,
            n_group,
            topk_group,
            norm_topk_prob: self.meta.contains(&flag) && self.meta.required_bool(&flag)?,
            routed_scaling_factor: self.positive("expert_weights_scale", Some(1.0))?,
        })
    }

    /// The rotations: one, or a second one for layers that see a window.
    fn ropes(&self, header: &Header, dims: u32, scaling: Scaling) -> Result<Vec<Rope>> {
        let theta = f64::from(self.positive("rope.freq_base", Some(self.architecture.rope_theta))?);
        let factors = |name: &str| {
            let tensor = header
                .tensors
                .iter()
                .position(|tensor| tensor.name == name)?;
            Some(Factors {
                tensor,
                values: Vec::new(),
            })
        };
        let by_scaling = match scaling {
            // What stands here is that of the scores.
            Scaling::Yarn(_) if self.meta.contains(&self.key(YARN_LOG_MULTIPLIER)) => 1.0,
            Scaling::Yarn(yarn) => yarn.magnitude(),
            Scaling::None | Scaling::Linear(_) => 1.0,
        };
        let magnitude = self.positive("rope.scaling.attn_factor", Some(1.0))?;
        let rope = Rope {
            theta,
            dims,
            scaling,
            factors: factors("rope_freqs.weight").or_else(|| factors("rope_factors_short.weight")),
            longer: match factors("rope_factors_long.weight") {
                Some(Factors { tensor, .. }) => Some(Longer {
                    beyond: self.size("rope.scaling.original_context_length", MAX_CONTEXT)?,
                    tensor,
                }),
                None => None,
            },
            magnitude: f64::from(magnitude) * by_scaling,
        };
        let mut ropes = vec![rope];
        if let Some(local) = self.architecture.local_rope_theta {
            let theta = self.positive("rope.freq_base_swa", Some(local))?;
            ropes.push(Rope::plain(f64::from(theta), dims));
        }
        Ok(ropes)
    }

    fn scaling(&self) -> Result<Scaling> {
        let kind = self.key("rope.scaling.type");
        let kind = match self.meta.contains(&kind) {
            true => self.meta.required_str(&kind)?,
            // Without a type the scaling is linear.
            false => "linear",
        };
        // The second is the older name.
        let named = |suffix: &&str| {
            let value = self.number(&self.key(suffix));
            value.is_some_and(|value| value != 0.0)
        };
        let mut given = ["rope.scaling.factor", "rope.scale_linear"].into_iter();
        let factor = match given.find(named) {
            Some(suffix) => f64::from(self.positive(suffix, None)?),
            None => 1.0,
        };
        match kind {
            "none" => Ok(Scaling::None),
            "linear" if factor == 1.0 => Ok(Scaling::None),
            "linear" => Ok(Scaling::Linear(factor)),
            "yarn" => {
                let number = |suffix, default| self.positive(suffix, Some(default)).map(f64::from);
                let original = "rope.scaling.original_context_length";
                Ok(Scaling::Yarn(Yarn {
                    factor,
                    original_context: f64::from(self.size(original, MAX_CONTEXT)?),
                    beta_fast: number("rope.scaling.yarn_beta_fast", 32.0)?,
                    beta_slow: number("rope.scaling.yarn_beta_slow", 1.0)?,
                }))
            }
            _ => Err(Error::unsupported_model(format!(
                "{} = {kind:?} is not supported",
                self.key("rope.scaling.type")
            ))),
        }
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
        for (suffix, neutral) in ARITHMETIC {
            let key = self.key(suffix);
            if !self.meta.contains(&key) || self.architecture.knows(suffix) {
                continue;
            }
            let number = self.number(&key);
            let changes = match number {
                Some(number) => !neutral.iter().any(|&it| f64::from(it) == number),
                None => self.meta.str(&key) != Some("none"),
            };
            if changes {
                let value = self.meta.describe(&key).unwrap_or_default();
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
    use crate::weights::header::Parsed;
    use crate::weights::tests::Writer;
    use crate::{ErrorCode, model};

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
        read_as(builder, "llama")
    }

    fn read_as(builder: &Writer, architecture: &str) -> Result<ModelConfig> {
        match Header::from_gguf(&builder.build())? {
            Parsed::Done(header) => ModelConfig::from_gguf(&header, model::find(architecture)?),
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
                config.ropes[0].dims
            ),
            (16, 4, 3, 16),
            "{config:?}"
        );
    }

    #[test]
    fn positions_are_scaled_however_the_file_says_it() {
        let scaling = |builder: &Writer| read(builder).expect("a good header").ropes[0].scaling;
        let linear = Scaling::Linear(4.0);
        let named = llama().str("llama.rope.scaling.type", "linear");
        assert_eq!(scaling(&f32(named, "rope.scaling.factor", 4.0)), linear);
        assert_eq!(scaling(&f32(llama(), "rope.scaling.factor", 4.0)), linear);
        assert_eq!(scaling(&f32(llama(), "rope.scale_linear", 4.0)), linear);
        let unscaled = llama().str("llama.rope.scaling.type", "none");
        for none in [
            llama(),
            f32(unscaled, "rope.scaling.factor", 4.0),
            f32(llama(), "rope.scale_linear", 1.0),
        ] {
            assert_eq!(scaling(&none), Scaling::None);
        }
        let yarn = f32(
            llama().str("llama.rope.scaling.type", "yarn"),
            "rope.scaling.factor",
            4.0,
        );
        let bad = ErrorCode::BadModelFile;
        refused(&yarn, bad, "original_context_length");
        let yarn = u32(yarn, "rope.scaling.original_context_length", 128);
        assert!(matches!(scaling(&yarn), Scaling::Yarn(yarn) if yarn.beta_fast == 32.0));
        refused(
            &llama().str("llama.rope.scaling.type", "spiral"),
            ErrorCode::UnsupportedModel,
            "spiral",
        );
        refused(
            &u32(llama(), "rope.scaling.type", 1),
            bad,
            "rope.scaling.type",
        );
        refused(&f32(llama(), "rope.scaling.factor", -1.0), bad, "-1");
    }

    #[test]
    fn what_the_architecture_does_not_have_is_refused_by_name() {
        for (key, value) in [("attn_logit_softcapping", 50.0), ("logit_scale", 0.5)] {
            refused(&f32(llama(), key, value), ErrorCode::UnsupportedModel, key);
        }
        read(&f32(llama(), "attn_logit_softcapping", 0.0)).expect("a bound of 0 is none");
    }

    #[test]
    fn keys_that_are_compressed_otherwise_are_refused() {
        let header = |key: u32, value: u32, kv_heads: u32, shared: u32| {
            let mut builder = Writer::new()
                .str("general.architecture", "deepseek2")
                .strs("tokenizer.ggml.tokens", &["a"])
                .pair(
                    "deepseek2.attention.layer_norm_rms_epsilon",
                    6,
                    1e-5f32.to_le_bytes(),
                );
            for (suffix, value) in [
                ("embedding_length", 64),
                ("feed_forward_length", 96),
                ("block_count", 1),
                ("context_length", 64),
                ("attention.head_count", 4),
                ("attention.head_count_kv", kv_heads),
                ("attention.key_length", key),
                ("attention.value_length", value),
                ("attention.key_length_mla", 32),
                ("attention.value_length_mla", 16),
                ("attention.kv_lora_rank", 32),
                ("rope.dimension_count", 16),
                ("expert_shared_count", shared),
            ] {
                builder = builder.pair(&format!("deepseek2.{suffix}"), 4, value.to_le_bytes());
            }
            builder
        };
        read_as(&header(48, 32, 1, 1), "deepseek2").expect("one compressed head");
        for (key, value, kv_heads) in [(16, 16, 1), (32, 32, 1), (48, 48, 1), (48, 32, 4)] {
            let error = read_as(&header(key, value, kv_heads, 1), "deepseek2")
                .expect_err("not compressed to one head");
            assert_eq!(error.code(), ErrorCode::UnsupportedModel, "{error}");
        }
        let error = read_as(&header(48, 32, 1, u32::MAX), "deepseek2").expect_err("absurd");
        assert!(error.message().contains("expert_shared_count"), "{error}");
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
}
