//! Llama (Touvron et al. 2023, arXiv 2302.13971; grouped queries: arXiv 2307.09288) and the models
//! that share its block: `SmolLM2`, OpenLLaMA, `TinyLlama`, Mistral (window: arXiv 2310.06825), Mixtral (experts: arXiv
//! 2401.04088).
//!
//! GGUF files hold the rows of Q and K permuted so that a rotation pair is two adjacent rows.

use super::blocks::{Attend, Model, span};
use super::experts::Experts;
use super::{Architecture, SCALED_ROPE};
use crate::Result;
use crate::checkpoint::Hub;
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate};

pub(super) static LLAMA: Architecture = Architecture {
    keys: &[SCALED_ROPE, &["attention.sliding_window", "expert_count"]],
    hubs: &[
        Hub::new("llama"),
        Hub::new("mistral"),
        Hub {
            names: &[("block_sparse_moe.gate", "ffn_gate_inp")],
            ..Hub::new("mixtral")
        },
    ],
    ..Architecture::new(
        "llama",
        "Llama 1 to 3.2, SmolLM2, OpenLLaMA, Mistral, Mixtral",
        build,
    )
};

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, 1.0)?;
    for layer in 0..model.layers() {
        let norm = model.norm(layer, "attn_norm")?;
        let attend = Attend {
            span: span(config.sliding_window),
            ..model.attend()
        };
        model.qkv(layer, Some(norm), attend)?;
        model.attention(layer, attend);
        model.output(layer)?;

        let norm = model.norm(layer, "ffn_norm")?;
        if config.num_experts > 0 {
            let experts = Experts {
                routing: model.softmax_routing(),
                gate: Gate::Silu,
                scores_input: false,
                biased_choice: false,
                biased: false,
                shared: 0,
            };
            model.experts(layer, Some(norm), &experts)?;
        } else {
            model.glu(layer, Some(norm), Gate::Silu)?;
            model.down(layer)?;
        }
    }
    model.head()
}
