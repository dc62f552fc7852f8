//! What architectures have in common: functions that emit ops over the names that GGUF gives to tensors.

use crate::Result;
use crate::config::ModelConfig;
use crate::graph::{
    ActivationIx, Attention, Builder, Embed, Gate, GateUp, Glu, Head, Linear, LinearAdd, MatrixIx,
    Norm, NormAdd, Op, Part, QkNorm, Qkv, RopeIx, Span, Temperature, VectorIx,
};

/// A model that is being built.
pub(super) struct Model<'c, 'b, 'f> {
    pub(super) config: &'c ModelConfig,
    pub(super) b: &'b mut Builder<'f>,
    /// (V, D): rows of tokens.
    table: MatrixIx,
    /// (T, D): the residual stream.
    pub(super) hidden: ActivationIx,
    /// (T, D): where the residual stream is behind a norm that takes its place.
    pub(super) other_hidden: Option<ActivationIx>,
    /// (T, H·Dh).
    pub(super) query: ActivationIx,
    /// (T, H·Dv).
    pub(super) attended: ActivationIx,
    /// (T, F).
    pub(super) gated: ActivationIx,
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
    /// Scores of sinks, if there are any.
    pub(super) sinks: Option<VectorIx>,
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

impl<'c, 'b, 'f> Model<'c, 'b, 'f> {
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
            other_hidden: None,
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

    pub(super) const fn width(&self) -> usize {
        self.config.hidden_size as usize
    }

    pub(super) const fn heads(&self) -> usize {
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
            sinks: None,
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

    /// Scores of sinks, one a head.
    pub(super) fn sinks(&mut self, layer: usize) -> Result<VectorIx> {
        let sinks = Part::whole(weight(layer, "attn_sinks"), self.heads());
        self.b.biases(&[sinks])
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

    pub(super) fn linear(
        &mut self,
        weight: MatrixIx,
        x: ActivationIx,
        norm: Option<Norm>,
        out: ActivationIx,
    ) {
        self.b.op(Op::Linear(Linear {
            weight,
            bias: None,
            activate: None,
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
            sinks: attend.sinks,
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

    /// The same with a bias.
    pub(super) fn output_with_bias(&mut self, layer: usize) -> Result<()> {
        let (x, cols) = (self.attended, self.q_rows());
        self.add_with_bias(layer, "attn_output", x, cols)
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

    pub(super) fn glu_of(
        &mut self,
        gate: Part,
        up: Part,
        norm: Option<Norm>,
        kind: Gate,
        out: ActivationIx,
    ) -> Result<()> {
        let cols = self.width();
        if !self.b.is_one_format(&gate, &up, cols)? {
            return self.gate_and_up(gate, up, norm, kind, out);
        }
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

    /// A gate and an up projection in two formats, one by one.
    fn gate_and_up(
        &mut self,
        gate: Part,
        up: Part,
        norm: Option<Norm>,
        kind: Gate,
        out: ActivationIx,
    ) -> Result<()> {
        let (cols, rows) = (self.width(), gate.rows());
        let x = self.b.activation_once("gates", rows);
        let hidden = self.hidden;
        for (part, out) in [(gate, x), (up, out)] {
            let weight = self.b.matrix_of(part, cols)?;
            self.linear(weight, hidden, norm, out);
        }
        self.b.op(Op::GateUp(GateUp {
            x,
            up: out,
            gate: kind,
        }));
        Ok(())
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

    /// The projection of that name with its bias, added to the residual stream.
    pub(super) fn add_with_bias(
        &mut self,
        layer: usize,
        name: &str,
        x: ActivationIx,
        cols: usize,
    ) -> Result<()> {
        let width = self.width();
        let part = Part::whole(bias(layer, name), width);
        let bias = self.b.biases(&[part])?;
        let weight = self.b.matrix(&weight(layer, name), width, cols)?;
        self.b.op(Op::LinearAdd(LinearAdd {
            weight,
            bias: Some(bias),
            x,
            residual: self.hidden,
        }));
        Ok(())
    }

    pub(super) fn add(
        &mut self,
        layer: usize,
        name: &str,
        x: ActivationIx,
        cols: usize,
    ) -> Result<()> {
        let width = self.width();
        let weight = self.b.matrix(&weight(layer, name), width, cols)?;
        self.b.op(Op::LinearAdd(LinearAdd {
            weight,
            bias: None,
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

pub(super) fn weight(layer: usize, name: &str) -> String {
    format!("blk.{layer}.{name}.weight")
}

pub(super) fn bias(layer: usize, name: &str) -> String {
    format!("blk.{layer}.{name}.bias")
}
