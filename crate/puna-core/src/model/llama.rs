//! Llama (Touvron et al. 2023, arXiv 2302.13971; grouped queries: arXiv 2307.09288) and the models
//! that share its block: `SmolLM2`, OpenLLaMA, `TinyLlama`.
//!
//! GGUF files hold the rows of Q and K permuted so that a rotation pair is two adjacent rows.

use crate::Result;
use crate::config::ModelConfig;
use crate::graph::{Attention, Builder, Embed, Glu, Head, LinearAdd, Op, Qkv};

pub(super) fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let d = config.hidden_size as usize;
    let f = config.intermediate_size as usize;
    let v = config.vocab_size as usize;
    let heads = config.num_attention_heads as usize;
    let q_rows = heads * config.head_dim as usize;
    let kv_rows = config.num_key_value_heads as usize * config.head_dim as usize;
    let eps = config.rms_norm_eps;

    let hidden = b.activation("hidden", d);
    let query = b.activation("query", q_rows);
    let attended = b.activation("attended", q_rows);
    let gated = b.activation("gated", f);

    let table = b.matrix("token_embd.weight", v, d)?;
    b.op(Op::Embed(Embed { table, out: hidden }));

    for layer in 0..config.num_hidden_layers as usize {
        let name = |part: &str| format!("blk.{layer}.{part}.weight");

        let gain = b.vector(&name("attn_norm"), d)?;
        let (q, k, v) = (name("attn_q"), name("attn_k"), name("attn_v"));
        let weights = b.stacked(
            &[
                (q.as_str(), q_rows),
                (k.as_str(), kv_rows),
                (v.as_str(), kv_rows),
            ],
            d,
        )?;
        b.op(Op::Qkv(Qkv {
            layer,
            x: hidden,
            gain,
            eps,
            weights,
            heads,
            query,
        }));
        b.op(Op::Attention(Attention {
            layer,
            heads,
            query,
            out: attended,
        }));
        let weight = b.matrix(&name("attn_output"), d, q_rows)?;
        b.op(Op::LinearAdd(LinearAdd {
            weight,
            x: attended,
            residual: hidden,
        }));

        let gain = b.vector(&name("ffn_norm"), d)?;
        let weight = b.interleaved(&name("ffn_gate"), &name("ffn_up"), f, d)?;
        b.op(Op::Glu(Glu {
            x: hidden,
            gain,
            eps,
            weight,
            out: gated,
        }));
        let weight = b.matrix(&name("ffn_down"), d, f)?;
        b.op(Op::LinearAdd(LinearAdd {
            weight,
            x: gated,
            residual: hidden,
        }));
    }

    let gain = b.vector("output_norm.weight", d)?;
    // Without a matrix of its own the head is the embedding's.
    let weight = if b.has("output.weight") {
        b.matrix("output.weight", v, d)?
    } else {
        table
    };
    b.op(Op::Head(Head {
        x: hidden,
        gain,
        eps,
        weight,
    }));
    Ok(())
}
