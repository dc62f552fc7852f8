//! What encoders have that decoders have not: positions in a table, norms behind what is added, vectors of texts.

use super::blocks::{Model, bias, weight};
use crate::Result;
use crate::graph::{Activate, LayerNorm, Linear, Op, Part, Positions, VectorIx, too_many};

impl Model<'_, '_, '_> {
    /// Rows of the table of positions, added to tokens, and that of the first kind of segments.
    pub(super) fn positions(&mut self) -> Result<()> {
        let width = self.width();
        let count = self.config.context_length as usize;
        let name = "position_embd.weight";
        too_many(name, width, count)?;
        let table = Part::experts(name, width, count);
        let table = self.b.biases(&[table])?;
        self.add_rows(Some(table))
    }

    /// The row of the first kind of segments, added to tokens; for positions that are seen by rotation.
    pub(super) fn segments(&mut self) -> Result<()> {
        self.add_rows(None)
    }

    fn add_rows(&mut self, table: Option<VectorIx>) -> Result<()> {
        let width = self.width();
        let shift = self.b.first_row("token_types.weight", width)?;
        self.b.op(Op::Positions(Positions {
            table,
            shift,
            residual: self.hidden,
        }));
        Ok(())
    }

    /// The norm `NAME.weight` and `NAME.bias` of the residual stream, which it takes the place of; or which the graph gives.
    pub(super) fn layer_norm(&mut self, name: &str, gives: bool) -> Result<()> {
        let width = self.width();
        let gain = self.b.gains(&format!("{name}.weight"), width)?;
        let part = Part::whole(format!("{name}.bias"), width);
        let bias = self.b.biases(&[part])?;
        if gives {
            self.b.gives(width);
        }
        let x = self.hidden;
        let out = match (gives, self.other_hidden) {
            (true, _) => None,
            (false, Some(other)) => Some(other),
            (false, None) => Some(self.b.activation("hidden, behind a norm", width)),
        };
        if let Some(out) = out {
            self.other_hidden = Some(std::mem::replace(&mut self.hidden, out));
        }
        self.b.op(Op::LayerNorm(LayerNorm {
            x,
            gain,
            bias,
            eps: self.config.rms_norm_eps,
            out,
        }));
        Ok(())
    }

    /// Two projections with biases and an activation between them, added to the residual stream.
    pub(super) fn mlp(&mut self, layer: usize, activate: Activate) -> Result<()> {
        let (width, inner) = (self.width(), self.config.intermediate_size as usize);
        let matrix = self.b.matrix(&weight(layer, "ffn_up"), inner, width)?;
        let part = Part::whole(bias(layer, "ffn_up"), inner);
        let own = self.b.biases(&[part])?;
        let out = self.gated;
        self.b.op(Op::Linear(Linear {
            weight: matrix,
            bias: Some(own),
            activate: Some(activate),
            x: self.hidden,
            norm: None,
            out,
        }));
        self.add_with_bias(layer, "ffn_down", out, inner)
    }
}
