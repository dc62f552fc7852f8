//! Experts (Shazeer et al. 2017, arXiv 1701.06538).

use super::blocks::{Model, bias, weight};
use crate::Result;
use crate::graph::{
    Gate, Linear, MatrixIx, MoeDown, MoeGlu, Norm, Op, Part, Route, Routing, Scoring, Transposed,
    VectorIx, too_many,
};

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
    pub(super) biased_choice: bool,
    /// Whether all of their projections have biases, and so has that to their scores.
    pub(super) biased: bool,
    /// `F` of the experts that are always used, together.
    pub(super) shared: usize,
}

impl Model<'_, '_, '_> {
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
        let router = weight(layer, "ffn_gate_inp");
        let router = self.b.matrix(&router, experts, width)?;
        let bias = self.bias_of(moe.biased, layer, "ffn_gate_inp", experts, 1)?;
        self.b.op(Op::Linear(Linear {
            weight: router,
            bias,
            activate: None,
            x: self.hidden,
            norm,
            out: logits,
        }));
        let bias = self.bias_of(moe.biased_choice, layer, "exp_probs_b", experts, 1)?;
        self.b.op(Op::Route(Route {
            routing: moe.routing,
            logits,
            bias,
            chosen,
        }));
        let (gate_up, bias) = self.gate_up_of_experts(layer, experts, moe.biased)?;
        self.b.op(Op::MoeGlu(MoeGlu {
            x: self.hidden,
            norm,
            weight: gate_up,
            bias,
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
        let transposed = weight(layer, "ffn_down_exps_t");
        let down = if self.b.has(&transposed) {
            let all = Transposed {
                group_rows: f,
                cols: f,
                width,
                first: 0,
                rows: width,
            };
            Part::transposed(transposed, experts, all)
        } else {
            Part::experts(weight(layer, "ffn_down_exps"), width, experts)
        };
        let down = self.b.matrix_of(down, f)?;
        let bias = self.bias_of(moe.biased, layer, "ffn_down_exps", width, experts)?;
        self.b.op(Op::MoeDown(MoeDown {
            weight: down,
            bias,
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

    /// Gate and up projections of all experts, row by row, and their biases. Some checkpoints have them in one tensor with
    /// columns as rows: Llama 4's one behind the other, gpt-oss's row by row.
    fn gate_up_of_experts(
        &mut self,
        layer: usize,
        experts: usize,
        biased: bool,
    ) -> Result<(MatrixIx, Option<VectorIx>)> {
        let (width, f) = (self.width(), self.config.moe_intermediate_size as usize);
        let all = Transposed {
            group_rows: width,
            cols: width,
            width: 2 * f,
            first: 0,
            rows: 2 * f,
        };
        let pairs = weight(layer, "ffn_gate_up_pairs_exps_t");
        if self.b.has(&pairs) {
            let matrix = self
                .b
                .matrix_of(Part::transposed(pairs, experts, all), width)?;
            let bias = self.bias_of(biased, layer, "ffn_gate_up_pairs_exps", 2 * f, experts)?;
            return Ok((matrix, bias));
        }
        let halves = weight(layer, "ffn_gate_up_exps_t");
        let part = |name: &str| Part::experts(weight(layer, name), f, experts);
        let (mut gate, mut up) = (part("ffn_gate_exps"), part("ffn_up_exps"));
        if self.b.has(&halves) {
            let half = |first| Transposed {
                first,
                rows: f,
                ..all
            };
            gate = Part::transposed(halves.as_str(), experts, half(0));
            up = Part::transposed(halves, experts, half(f));
        }
        let matrix = self.b.interleaved(gate, up, width)?;
        let bias = match biased {
            true => {
                let part = |name| Part::experts(bias(layer, name), f, experts);
                let parts = [part("ffn_gate_exps"), part("ffn_up_exps")];
                Some(self.b.interleaved_biases(&parts)?)
            }
            false => None,
        };
        Ok((matrix, bias))
    }

    /// The bias of that name, of so many rows for each of so many experts, if there is one.
    fn bias_of(
        &mut self,
        biased: bool,
        layer: usize,
        name: &str,
        rows: usize,
        experts: usize,
    ) -> Result<Option<VectorIx>> {
        if !biased {
            return Ok(None);
        }
        let name = bias(layer, name);
        too_many(&name, rows, experts)?;
        let part = Part::experts(name, rows, experts);
        self.b.biases(&[part]).map(Some)
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
}
