//! Multi-head latent attention (`DeepSeek-AI` 2024, arXiv 2405.04434).

use super::blocks::{Attend, Model, weight};
use crate::Result;
use crate::config::MlaConfig;
use crate::graph::{HeadLinear, Latent, Norm, Op, Part, Transposed};

impl Model<'_, '_, '_> {
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
}
