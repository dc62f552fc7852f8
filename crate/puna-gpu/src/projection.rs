//! Projections: the dispatches of a matrix, whatever kernel stores what comes out.

use puna_core::graph::{ActivationIx, LowRank, MatrixIx, Norm, VectorIx};
use puna_core::quant::BLOCK_LEN;

use crate::choices::Job;
use crate::kernel::{
    Grid, LINE, Params, Recipe, Setting, Slot, lines, low_rank, to_u32, weight_modules,
    weight_slots,
};
use crate::shader::variant::Variant;
use crate::split::{Split, Width};
use crate::way::RowsSplit;

/// What a projection adds to the common skeleton.
pub(crate) struct Rows<'a> {
    pub(crate) kernel: &'static str,
    pub(crate) matrix: MatrixIx,
    pub(crate) first_row: usize,
    pub(crate) x: ActivationIx,
    /// The norm in front.
    pub(crate) norm: Option<Norm>,
    /// The gain of the norm that reads the output.
    pub(crate) next: Option<VectorIx>,
    /// More modules, in front of the kernel.
    pub(crate) modules: &'a [&'static str],
    pub(crate) constants: &'a [(&'static str, u32)],
    /// The output and what else the kernel binds.
    pub(crate) slots: &'a [Slot],
    pub(crate) wanted_only: bool,
    /// What bounds the output, if anything does.
    pub(crate) cap: Option<f32>,
    /// What is added to rows of experts, if anything is.
    pub(crate) expert_bias: Option<VectorIx>,
    /// What is special about its rows.
    pub(crate) kind: Kind,
}

/// Whose rows those of a projection are.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// All tokens'.
    Plain,
    /// Heads', each with inputs of its own.
    Heads,
    /// Experts', of which a token uses some.
    Experts(ExpertRows),
}

/// Rows and columns of the experts that a token uses.
#[derive(Clone, Copy)]
pub(crate) struct ExpertRows {
    /// Rows that are computed for a token.
    pub(crate) rows: usize,
    /// Columns that are read for a token.
    pub(crate) cols: usize,
}

impl Setting<'_> {
    /// Recipes of a projection: one for each part of its matrix.
    pub(crate) fn rows(&self, rows: &Rows<'_>) -> Vec<Recipe> {
        let matrix = &self.graph.matrices[rows.matrix];
        let added = self.low_rank(rows);
        let mut recipes = Vec::new();
        if let Some((ix, low_rank)) = added {
            recipes.extend(low_rank::recipes(ix, low_rank, rows, self));
        }
        let parts = self.parts[rows.matrix].iter().enumerate();
        recipes.extend(parts.map(|(part, &(first, count))| {
            self.rows_part(rows, matrix, part, rows.first_row + first, count, added)
        }));
        recipes
    }

    /// What adapters add to a projection, if they do.
    fn low_rank(&self, rows: &Rows<'_>) -> Option<(usize, &LowRank)> {
        match rows.kind {
            Kind::Plain if self.adapted => self.graph.low_rank(rows.matrix),
            _ => None,
        }
    }

    fn rows_part(
        &self,
        rows: &Rows<'_>,
        matrix: &puna_core::graph::Matrix,
        part: usize,
        first_row: usize,
        count: usize,
        added: Option<(usize, &LowRank)>,
    ) -> Recipe {
        let (of_token, cols) = match rows.kind {
            Kind::Experts(experts) => (experts.rows, experts.cols),
            Kind::Plain | Kind::Heads => (count, matrix.cols),
        };
        let width = match (rows.kind, self.split, self.width) {
            // Tokens that use other experts have nothing in common.
            (Kind::Experts(_), ..) => Width::One,
            // Tiles have the same inputs for all rows.
            (Kind::Heads, Split::Shared | Split::Subgroup(..), Width::Many) => Width::Few,
            (_, _, width) => width,
        };
        let job = Job {
            kernel: rows.kernel,
            format: matrix.format,
            rows: of_token,
            cols,
            width,
        };
        let ways = job.ways(self.split, self.precision, self.rounds);
        let way = self.choices.way(&job, &ways);
        let tile = self.split.tile(width);
        let units = to_u32(of_token).div_ceil(tile.rows);
        let (grid_x, grid) = grid(way.rows, tile.tokens, units, rows.wanted_only);
        let mut modules = weight_modules(matrix.format, way.precision);
        modules.extend(["lib/params", "lib/step"].map(str::to_owned));
        modules.push(
            if rows.norm.is_some() {
                "lib/input_norm"
            } else {
                "lib/input_plain"
            }
            .to_owned(),
        );
        modules.extend(rows.modules.iter().map(|&module| module.to_owned()));
        modules.push(format!("kernel/{}", rows.kernel));
        modules.push(low_rank::module(added).to_owned());
        modules.push("lib/block".to_owned());
        let block = match rows.kind {
            Kind::Experts(_) => &["lib/dot32", "lib/experts_block"],
            Kind::Heads => &["lib/dot32", "lib/heads_block"],
            Kind::Plain => way.rows.block_modules(tile.tokens),
        };
        modules.extend(block.iter().map(|&module| module.to_owned()));
        modules.push(way.rows.module().to_owned());

        let mut constants = vec![
            ("COLS", to_u32(cols)),
            ("BLOCKS", to_u32(matrix.cols.div_ceil(BLOCK_LEN))),
            ("TOKENS", tile.tokens),
            ("UNIT", tile.rows),
        ];
        constants.extend(way.rows.constants());
        constants.extend(rows.constants);
        if let Some((_, low_rank)) = added {
            constants.extend(low_rank::constants(low_rank, rows.first_row, self));
        }

        let mut slots = weight_slots(matrix.format, rows.matrix, part);
        let x = if rows.norm.is_some() {
            Slot::NormedX(rows.x)
        } else {
            Slot::X(rows.x)
        };
        slots.extend([Slot::Params, Slot::Step, x]);
        slots.extend(rows.slots);
        slots.extend(added.map(|(ix, _)| Slot::LowRank(ix)));
        let offset = |vector: Option<VectorIx>| vector.map_or(0, |vector| self.gains[vector]);
        Recipe {
            label: format!("{} {}", rows.kernel, matrix.name),
            variant: Variant {
                kernel: rows.kernel,
                modules,
                constants,
                bindings: slots.iter().map(|slot| slot.binding()).collect(),
                precision: way.precision,
                subgroups: way.rows.subgroups(),
            },
            slots,
            params: Params {
                first_row: match rows.kind {
                    Kind::Experts(_) => 0,
                    Kind::Plain | Kind::Heads => to_u32(first_row),
                },
                rows: to_u32(of_token),
                part_row: to_u32(first_row),
                part_rows: to_u32(count),
                grid_x,
                gain: offset(rows.next),
                bias: offset(rows.expert_bias),
                eps: rows.norm.map_or(0.0, |norm| norm.eps),
                cap: rows.cap.unwrap_or(0.0),
                ..Params::default()
            },
            grid,
            job: Some(job),
        }
    }
}

/// Workgroups of so many units of rows and `tokens` tokens, and how many of them stand in a line.
fn grid(rows: RowsSplit, tokens: u32, units: u32, wanted_only: bool) -> (u32, Grid) {
    if let RowsSplit::Serial { workgroup } = rows {
        let grid = Grid::Units {
            units,
            tokens_each: tokens,
            wanted_only,
            workgroup,
            line: LINE,
        };
        return (LINE, grid);
    }
    let xy = lines(units.div_ceil(rows.units()));
    let grid = Grid::Rows {
        xy,
        tokens_each: tokens * rows.groups(),
        wanted_only,
    };
    (xy[0], grid)
}
