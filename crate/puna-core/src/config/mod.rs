//! A model's shape, from its metadata. Names are those of Hugging Face's `config.json`.

mod keys;
mod ropes;
#[cfg(test)]
mod tests;

use crate::checkpoint::{GAINS_LESS_ONE, HALVES};
use crate::embedding::Pooling;
use crate::graph::{Halves, Temperature};
use crate::model::Architecture;
use crate::rope::Rope;
use crate::weights::header::Header;
use crate::{Error, Result};

use keys::{
    Keys, MAX_CONTEXT, MAX_EXPERTS, MAX_EXPERTS_PER_TOK, MAX_HEAD_DIM, MAX_LAYERS, MAX_WIDTH,
};

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
    /// What is added to all gains as the file has them.
    pub gain_offset: f32,
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
    /// How a text's vector is made of its tokens', if the model makes such.
    pub pooling: Option<Pooling>,
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
    /// Reads the shape from a model's header.
    ///
    /// # Errors
    /// `bad_model_file` for a missing or absurd size, `unsupported_model` for a feature that would
    /// change the arithmetic and that the architecture does not have here.
    pub fn from_header(header: &Header, architecture: &Architecture) -> Result<Self> {
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
            rms_norm_eps: keys.positive(architecture.norm_eps, None)?,
            ropes: keys.ropes(header, dims, scaling)?,
            gain_offset: match keys.flag(GAINS_LESS_ONE, false)? {
                true => 1.0,
                false => 0.0,
            },
            halves: keys.flag(HALVES, architecture.halves)?.then_some(Halves {
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
            pooling: match architecture.encodes {
                true => Some(keys.pooling()?),
                false => None,
            },
            architecture: architecture.name.to_owned(),
        };
        Ok(config)
    }
}

impl ModelConfig {
    /// The same of rows that have their rotation pairs in halves, or have not.
    pub(crate) fn with_halves(self, halves: bool) -> Self {
        let rotated = self.ropes.first().map_or(0, |rope| rope.dims as usize);
        let halves = halves.then_some(Halves {
            head_dim: self.head_dim as usize,
            rotated,
        });
        Self { halves, ..self }
    }
}

impl Keys<'_> {
    fn temperature(&self) -> Result<Option<Temperature>> {
        let Some(every) = self.count("attention.temperature_length")? else {
            return Ok(None);
        };
        let scale = self.positive("attention.temperature_scale", None)?;
        Ok(Some(Temperature { scale, every }))
    }

    fn pooling(&self) -> Result<Pooling> {
        let key = self.key("pooling_type");
        let number = match self.meta.contains(&key) {
            true => self.meta.required_u32(&key)?,
            false => 1,
        };
        match number {
            // Whoever asks for none gets the usual one: a text has one vector here.
            0 | 1 => Ok(Pooling::Mean),
            2 => Ok(Pooling::First),
            3 => Ok(Pooling::Last),
            _ => Err(Error::unsupported_model(format!(
                "{key} is {number}, expected 1 (mean), 2 (first token) or 3 (last token)"
            ))),
        }
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
            norm_topk_prob: self.flag("expert_weights_norm", false)?,
            routed_scaling_factor: self.positive("expert_weights_scale", Some(1.0))?,
        })
    }
}
