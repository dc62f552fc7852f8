//! What architectures have in common: functions that emit ops over the names that GGUF gives to tensors.

use crate::Result;
use crate::config::{MlaConfig, ModelConfig};
use crate::graph::{
    ActivationIx, Attention, Builder, Embed, Gate, Glu, Head, HeadLinear, Latent, Linear,
    LinearAdd, MatrixIx, MoeDown, MoeGlu, Norm, NormAdd, Op, Part, QkNorm, Qkv, RopeIx, Route,
    Routing, Scoring, Span, Temperature, Transposed, VectorIx,
};

/// A decoder that is being built.
pub(super) struct Decoder<'c, 'b, 'f> {
    pub(super) config: &'c ModelConfig,
    pub(super) b: &'b mut Builder<'f>,
    /// (V, D): rows of tokens.
    table: MatrixIx,
    /// (T, D): the residual stream.
    hidden: ActivationIx,
    /// (T, H·Dh).
    query: ActivationIx,
    /// (T, H·Dh).
    attended: ActivationIx,
    /// (T, F).
    gated: ActivationIx,
}

/// What a layer's attention is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attend {
    /// What scores are multiplied by.
    pub(super) scale: f32,
    /// Which positions a token sees.
    pub(super) span: Span,
    /// What scores of late positions are multiplied by.
    pub(super) temperature: Temperature,
    /// The rotation, if there is one.
    pub(super) rope: Option<RopeIx>,
}

/// Norms of queries and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QkNorms {
    /// Of each head, its elements multiplied by gains that all heads share.
    Heads,
    /// Of each head, and that is all.
    Plain,
    /// Of all heads together.
    Together,
}

/// What a layer's experts are like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Experts {
    /// How they are chosen.
    pub(super) routing: Routing,
    /// What is done to their gates.
    pub(super) gate: Gate,
    /// Whether scores multiply what experts are given, and not what they give.
    pub(super) scores_input: bool,
    /// Whether something is added to scores where they are compared.
    pub(super) biased: bool,
    /// `F` of the experts that are always used, together.
    pub(super) shared: usize,
}

impl<'c, 'b, 'f> Decoder<'c, 'b, 'f> {
    /// Its first op is there: rows of the table, multiplied by `scale`.
    pub(super) fn new(config: &'c ModelConfig, b: &'b mut Builder<'f>, scale: f32) -> Result<Self> {
        let (vocab, width) = (config.vocab_size as usize, config.hidden_size as usize);
        let q_rows = (config.num_attention_heads * config.head_dim) as usize;
        let table = b.matrix("token_embd.weight", vocab, width)?;
        let hidden = b.activation("hidden", width);
        b.op(Op::Embed(Embed {
            table,
            scale,
            out: hidden,
        }));
        Ok(Self {
            table,
            hidden,
            query: b.activation("query", q_rows),
            attended: b.activation(
                "attended",
                (config.num_attention_heads * config.value_dim) as usize,
            ),
            gated: b.activation("gated", config.intermediate_size as usize),
            config,
            b,
        })
    }

    pub(super) const fn layers(&self) -> usize {
        self.config.num_hidden_layers as usize
    }

    const fn width(&self) -> usize {
        self.config.hidden_size as usize
    }

    const fn heads(&self) -> usize {
        self.config.num_attention_heads as usize
    }

    /// H·Dh.
    const fn q_rows(&self) -> usize {
        self.heads() * self.config.head_dim as usize
    }

    /// Hkv·Dh.
    const fn kv_rows(&self) -> usize {
        (self.config.num_key_value_heads * self.config.head_dim) as usize
    }

    /// Attention that sees all positions, rotated by the first rotation, with scores divided by √Dh.
    pub(super) fn attend(&self) -> Attend {
        Attend {
            scale: self.score_scale(false),
            span: Span::All,
            temperature: Temperature::NONE,
            rope: Some(0),
        }
    }

    /// What scores are multiplied by: 1 / √Dh, or 1 / √(D / H).
    pub(super) fn score_scale(&self, by_width: bool) -> f32 {
        let of = match by_width {
            true => self.config.hidden_size / self.config.num_attention_heads,
            false => self.config.head_dim,
        };
        1.0 / (of as f32).sqrt()
    }

    /// The norm `blk.LAYER.NAME.weight` of the residual stream.
    pub(super) fn norm(&mut self, layer: usize, name: &str) -> Result<Norm> {
        let width = self.width();
        Ok(Norm {
            gain: self.b.gains(&weight(layer, name), width)?,
            eps: self.config.rms_norm_eps,
        })
    }

    /// Queries, keys and values from tensors of their own, which become queries in place and keys and values in the cache.
    pub(super) fn qkv(&mut self, layer: usize, norm: Option<Norm>, attend: Attend) -> Result<()> {
        let parts = self.own_parts(layer, "weight");
        let query = self.query;
        self.qkv_of(layer, norm, attend.rope, &parts, false, query)
    }

    /// The same with biases.
    pub(super) fn qkv_with_bias(
        &mut self,
        layer: usize,
        norm: Option<Norm>,
        attend: Attend,
    ) -> Result<()> {
        let parts = self.own_parts(layer, "weight");
        let query = self.query;
        self.qkv_of(layer, norm, attend.rope, &parts, true, query)
    }

    /// The same from one tensor of all three.
    pub(super) fn qkv_fused(
        &mut self,
        layer: usize,
        norm: Option<Norm>,
        attend: Attend,
    ) -> Result<()> {
        let (q, kv) = (self.q_rows(), self.kv_rows());
        let name = weight(layer, "attn_qkv");
        let of = q + 2 * kv;
        let halves = self.config.halves;
        let parts = [
            Part::range(name.as_str(), 0..q, of).with_halves(halves),
            Part::range(name.as_str(), q..q + kv, of).with_halves(halves),
            Part::range(name.as_str(), q + kv..of, of),
        ];
        let query = self.query;
        self.qkv_of(layer, norm, attend.rope, &parts, false, query)
    }

    /// The same with norms of queries and keys.
    pub(super) fn qkv_normed(
        &mut self,
        layer: usize,
        norm: Option<Norm>,
        attend: Attend,
        norms: QkNorms,
    ) -> Result<()> {
        let width = self.q_rows() + self.kv_rows();
        let x = self.b.activation_once("queries and keys", width);
        let parts = self.own_parts(layer, "weight");
        self.qkv_of(layer, norm, attend.rope, &parts, false, x)?;
        let dh = self.config.head_dim as usize;
        let gains = match norms {
            QkNorms::Plain => self.b.ones(2 * dh),
            QkNorms::Heads => self.qk_gains(layer, dh, dh)?,
            QkNorms::Together => self.qk_gains(layer, self.q_rows(), self.kv_rows())?,
        };
        self.b.op(Op::QkNorm(QkNorm {
            layer,
            x,
            gains,
            eps: self.config.rms_norm_eps,
            together: norms == QkNorms::Together,
            heads: self.heads(),
            rope: attend.rope,
            query: self.query,
        }));
        Ok(())
    }

    /// Gains of so many elements of queries, and of keys.
    fn qk_gains(&mut self, layer: usize, q: usize, k: usize) -> Result<VectorIx> {
        let halves = self.config.halves;
        let part = |name, len| Part::whole(weight(layer, name), len).with_halves(halves);
        let parts = [part("attn_q_norm", q), part("attn_k_norm", k)];
        self.b.stacked_gains(&parts)
    }

    /// Tensors of queries, keys and values.
    fn own_parts(&self, layer: usize, what: &str) -> [Part; 3] {
        let name = |part: &str| format!("blk.{layer}.{part}.{what}");
        let halves = self.config.halves;
        [
            Part::whole(name("attn_q"), self.q_rows()).with_halves(halves),
            Part::whole(name("attn_k"), self.kv_rows()).with_halves(halves),
            Part::whole(name("attn_v"), self.kv_rows()),
        ]
    }

    fn qkv_of(
        &mut self,
        layer: usize,
        norm: Option<Norm>,
        rope: Option<RopeIx>,
        parts: &[Part; 3],
        biased: bool,
        query: ActivationIx,
    ) -> Result<()> {
        let weights = self.b.stacked(parts, self.width())?;
        let bias = match biased {
            true => {
                let parts = self.own_parts(layer, "bias");
                Some(self.b.biases(&parts)?)
            }
            false => None,
        };
        self.b.op(Op::Qkv(Qkv {
            layer,
            x: self.hidden,
            norm,
            weights,
            bias,
            heads: self.heads(),
            rope,
            query,
            normed_later: query != self.query,
        }));
        Ok(())
    }

    /// Queries, and keys and values that are compressed to the same few dimensions for all heads (arXiv 2405.04434). What
    /// would bring keys back is done to queries, so that nothing but the compressed ones is kept.
    pub(super) fn latent(
        &mut self,
        layer: usize,
        norm: Norm,
        mla: &MlaConfig,
        attend: Attend,
    ) -> Result<()> {
        let (heads, width) = (self.heads(), self.width());
        let rank = mla.kv_lora_rank as usize;
        let rotated = self.config.head_dim as usize - rank;
        let nope = mla.qk_nope_head_dim as usize;
        let q_rows = heads * (nope + rotated);
        let eps = self.config.rms_norm_eps;
        let q = self.b.activation_once("heads' queries", q_rows);
        let compressed = self.b.activation_once("compressed keys", rank + rotated);

        let (x, norm_of_q, cols, name) = match mla.q_lora_rank {
            Some(q_rank) => {
                let q_rank = q_rank as usize;
                let x = self.b.activation_once("compressed queries", q_rank);
                let matrix = self.b.matrix(&weight(layer, "attn_q_a"), q_rank, width)?;
                self.linear(matrix, self.hidden, Some(norm), x);
                let gain = self.b.gains(&weight(layer, "attn_q_a_norm"), q_rank)?;
                (x, Norm { gain, eps }, q_rank, "attn_q_b")
            }
            None => (self.hidden, norm, width, "attn_q"),
        };
        let matrix = self.b.matrix(&weight(layer, name), q_rows, cols)?;
        self.linear(matrix, x, Some(norm_of_q), q);
        let matrix = self
            .b
            .matrix(&weight(layer, "attn_kv_a_mqa"), rank + rotated, width)?;
        self.linear(matrix, self.hidden, Some(norm), compressed);
        let gain = self.b.gains(&weight(layer, "attn_kv_a_norm"), rank)?;
        self.b.op(Op::Latent(Latent {
            layer,
            x: compressed,
            norm: Norm { gain, eps },
            q,
            heads,
            rope: attend.rope.unwrap_or(0),
            query: self.query,
        }));
        let part = match self.latent_both(layer, mla) {
            // Rows of each head's keys, then those of its values, over what is compressed.
            Some((name, each)) => {
                let keys = Transposed {
                    group_rows: each,
                    cols: nope,
                    width: rank,
                    first: 0,
                    rows: rank,
                };
                Part::transposed(name, heads, keys)
            }
            None => Part::experts(weight(layer, "attn_k_b"), rank, heads),
        };
        let matrix = self.b.matrix_of(part, nope)?;
        self.b.op(Op::HeadLinear(HeadLinear {
            weight: matrix,
            heads,
            x: q,
            out: self.query,
        }));
        Ok(())
    }

    /// The tensor that brings keys and values back, if one does both, and its rows for each head.
    fn latent_both(&self, layer: usize, mla: &MlaConfig) -> Option<(String, usize)> {
        let name = weight(layer, "attn_kv_b");
        let each = (mla.qk_nope_head_dim + mla.v_head_dim) as usize;
        self.b.has(&name).then_some((name, each))
    }

    /// The output of attention over what [`Self::latent`] left, added to the residual stream.
    pub(super) fn latent_output(&mut self, layer: usize, mla: &MlaConfig) -> Result<()> {
        let heads = self.heads();
        let (rank, dv) = (mla.kv_lora_rank as usize, mla.v_head_dim as usize);
        let values = self.b.activation_once("heads' values", heads * dv);
        let matrix = match self.latent_both(layer, mla) {
            Some((name, each)) => {
                let of_head = |head: usize| {
                    let end = (head + 1) * each;
                    Part::range(name.as_str(), end - dv..end, heads * each)
                };
                let parts: Vec<_> = (0..heads).map(of_head).collect();
                self.b.matrix_of_heads(&parts, rank)?
            }
            None => {
                let part = Part::experts(weight(layer, "attn_v_b"), dv, heads);
                self.b.matrix_of(part, rank)?
            }
        };
        self.b.op(Op::HeadLinear(HeadLinear {
            weight: matrix,
            heads,
            x: self.attended,
            out: values,
        }));
        self.add(layer, "attn_output", values, heads * dv)
    }

    fn linear(&mut self, weight: MatrixIx, x: ActivationIx, norm: Option<Norm>, out: ActivationIx) {
        self.b.op(Op::Linear(Linear {
            weight,
            x,
            norm,
            out,
        }));
    }

    /// Attention over what [`Self::qkv`] left.
    pub(super) fn attention(&mut self, layer: usize, attend: Attend) {
        self.b.op(Op::Attention(Attention {
            layer,
            heads: self.heads(),
            scale: attend.scale,
            span: attend.span,
            temperature: attend.temperature,
            cap: self.config.attn_logit_softcapping,
            query: self.query,
            out: self.attended,
        }));
    }

    /// Its output, added to the residual stream.
    pub(super) fn output(&mut self, layer: usize) -> Result<()> {
        let x = self.attended;
        let cols = self.q_rows();
        self.add(layer, "attn_output", x, cols)
    }

    /// Its output, added to the residual stream behind the norm of that name.
    pub(super) fn output_normed(&mut self, layer: usize, norm: &str) -> Result<()> {
        let x = self.attended;
        let cols = self.q_rows();
        self.add_normed(layer, "attn_output", x, cols, norm)
    }

    /// Gate and up projections from tensors of their own.
    pub(super) fn glu(&mut self, layer: usize, norm: Option<Norm>, gate: Gate) -> Result<()> {
        let rows = self.config.intermediate_size as usize;
        let part = |name: &str| Part::whole(weight(layer, name), rows);
        let out = self.gated;
        self.glu_of(part("ffn_gate"), part("ffn_up"), norm, gate, out)
    }

    /// The same from one tensor of both, the gate's rows first.
    pub(super) fn glu_fused(&mut self, layer: usize, norm: Option<Norm>, gate: Gate) -> Result<()> {
        let rows = self.config.intermediate_size as usize;
        let name = weight(layer, "ffn_up");
        let part = |from: usize| Part::range(name.as_str(), from..from + rows, 2 * rows);
        let out = self.gated;
        self.glu_of(part(0), part(rows), norm, gate, out)
    }

    fn glu_of(
        &mut self,
        gate: Part,
        up: Part,
        norm: Option<Norm>,
        kind: Gate,
        out: ActivationIx,
    ) -> Result<()> {
        let cols = self.width();
        let weight = self.b.interleaved(gate, up, cols)?;
        self.b.op(Op::Glu(Glu {
            x: self.hidden,
            norm,
            weight,
            gate: kind,
            out,
        }));
        Ok(())
    }

    /// Experts, chosen by `routing`, in place of a gated layer: their output, each times its score, is added to the residual
    /// stream.
    pub(super) fn experts(
        &mut self,
        layer: usize,
        norm: Option<Norm>,
        moe: &Experts,
    ) -> Result<()> {
        let width = self.width();
        let Routing { experts, used, .. } = moe.routing;
        let f = self.config.moe_intermediate_size as usize;
        let logits = self.b.activation_once("experts' logits", experts);
        let chosen = self.b.activation_once("chosen experts", 2 * used);
        let gated = self.b.activation_once("gated by experts", used * f);
        let router = self
            .b
            .matrix(&weight(layer, "ffn_gate_inp"), experts, width)?;
        self.linear(router, self.hidden, norm, logits);
        let bias = match moe.biased {
            true => {
                let name = format!("blk.{layer}.exp_probs_b.bias");
                Some(self.b.biases(&[Part::whole(name, experts)])?)
            }
            false => None,
        };
        self.b.op(Op::Route(Route {
            routing: moe.routing,
            logits,
            bias,
            chosen,
        }));
        let part = |name: &str, rows| Part::experts(weight(layer, name), rows, experts);
        let (mut gate, mut up) = (part("ffn_gate_exps", f), part("ffn_up_exps", f));
        let mut down = part("ffn_down_exps", width);
        // Llama 4's checkpoints have columns as rows.
        let both = weight(layer, "ffn_gate_up_exps_t");
        if self.b.has(&both) {
            let half = Transposed {
                group_rows: width,
                cols: width,
                width: 2 * f,
                first: 0,
                rows: f,
            };
            gate = Part::transposed(both.as_str(), experts, half);
            up = Part::transposed(both, experts, Transposed { first: f, ..half });
            let whole = Transposed {
                group_rows: f,
                cols: f,
                width,
                first: 0,
                rows: width,
            };
            down = Part::transposed(weight(layer, "ffn_down_exps_t"), experts, whole);
        }
        let gate_up = self.b.interleaved(gate, up, width)?;
        self.b.op(Op::MoeGlu(MoeGlu {
            x: self.hidden,
            norm,
            weight: gate_up,
            chosen,
            routing: moe.routing,
            gate: moe.gate,
            scores_input: moe.scores_input,
            out: gated,
        }));
        // All that reads what they read comes before anything is added to it.
        let shared = match moe.shared {
            0 => None,
            rows => {
                let out = self.b.activation_once("gated by the shared expert", rows);
                let part = |name: &str| Part::whole(weight(layer, name), rows);
                let (gate, up) = (part("ffn_gate_shexp"), part("ffn_up_shexp"));
                self.glu_of(gate, up, norm, moe.gate, out)?;
                Some((out, rows))
            }
        };
        let down = self.b.matrix_of(down, f)?;
        self.b.op(Op::MoeDown(MoeDown {
            weight: down,
            x: gated,
            chosen,
            routing: moe.routing,
            residual: self.hidden,
        }));
        match shared {
            Some((x, cols)) => self.add(layer, "ffn_down_shexp", x, cols),
            None => Ok(()),
        }
    }

    /// Softmax over all experts, the best of which have their scores divided by their sum.
    pub(super) const fn softmax_routing(&self) -> Routing {
        Routing {
            experts: self.config.num_experts as usize,
            used: self.config.num_experts_per_tok as usize,
            scoring: Scoring::Softmax,
            groups: None,
            normalized: true,
            scale: 1.0,
        }
    }

    /// The down projection, added to the residual stream.
    pub(super) fn down(&mut self, layer: usize) -> Result<()> {
        let x = self.gated;
        let cols = self.config.intermediate_size as usize;
        self.add(layer, "ffn_down", x, cols)
    }

    /// The down projection, added to the residual stream behind the norm of that name.
    pub(super) fn down_normed(&mut self, layer: usize, norm: &str) -> Result<()> {
        let x = self.gated;
        let cols = self.config.intermediate_size as usize;
        self.add_normed(layer, "ffn_down", x, cols, norm)
    }

    fn add(&mut self, layer: usize, name: &str, x: ActivationIx, cols: usize) -> Result<()> {
        let width = self.width();
        let weight = self.b.matrix(&weight(layer, name), width, cols)?;
        self.b.op(Op::LinearAdd(LinearAdd {
            weight,
            x,
            residual: self.hidden,
        }));
        Ok(())
    }

    fn add_normed(
        &mut self,
        layer: usize,
        name: &str,
        x: ActivationIx,
        cols: usize,
        norm: &str,
    ) -> Result<()> {
        let width = self.width();
        let out = self.b.activation_once("projected", width);
        let weight = self.b.matrix(&weight(layer, name), width, cols)?;
        self.linear(weight, x, None, out);
        let norm = self.norm(layer, norm)?;
        self.b.op(Op::NormAdd(NormAdd {
            x: out,
            norm,
            residual: self.hidden,
        }));
        Ok(())
    }

    /// The model's last op. Without a matrix of its own the head is the embedding's.
    pub(super) fn head(&mut self) -> Result<()> {
        let (vocab, width) = (self.config.vocab_size as usize, self.width());
        let gain = self.b.gains("output_norm.weight", width)?;
        let weight = match self.b.has("output.weight") {
            true => self.b.matrix("output.weight", vocab, width)?,
            false => self.table,
        };
        self.b.op(Op::Head(Head {
            x: self.hidden,
            norm: Norm {
                gain,
                eps: self.config.rms_norm_eps,
            },
            weight,
            cap: self.config.final_logit_softcapping,
        }));
        Ok(())
    }
}

/// A window, if there is one.
pub(super) fn span(window: Option<u32>) -> Span {
    window.map_or(Span::All, Span::Window)
}

fn weight(layer: usize, name: &str) -> String {
    format!("blk.{layer}.{name}.weight")
}
