//! Host half of `shaders/kernel/rounds.wgsl`: whether a driver bounds how often the loops of a shader go round. Mesa's llvmpipe
//! does (`LP_MAX_TGSI_LOOP_ITERATIONS`), and leaves a loop that goes on without a word.

use bytemuck::{Pod, Zeroable};
use puna_core::reference;

use crate::shader::binding;
use crate::shader::variant::{Precision, Variant};

/// `Params` of `shaders/kernel/rounds.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct RoundsParams {
    /// How often the loop is to go round.
    pub asked: u32,
    /// To a multiple of 16 bytes.
    pub padding: [u32; 3],
}

impl RoundsParams {
    /// More than drivers that bound it allow, and soon done.
    pub const MANY: Self = Self::new(1 << 17);

    /// So many.
    #[must_use]
    pub const fn new(asked: u32) -> Self {
        Self {
            asked,
            padding: [0; 3],
        }
    }

    /// How often loops go round at most, if the shader counted so far; `None` if it is not known that they are bounded.
    #[must_use]
    pub fn bound(self, counted: u32) -> Option<u32> {
        // What it counts besides is undone by counting again.
        let is_short = counted < reference::rounds::rounds(self.asked);
        is_short.then(|| reference::rounds::until(self.asked, counted))
    }
}

/// The one pipeline.
#[must_use]
pub fn variant() -> Variant {
    Variant {
        kernel: "rounds",
        modules: vec!["kernel/rounds".to_owned()],
        constants: Vec::new(),
        bindings: vec![binding::PARAMS, binding::OUT],
        precision: Precision::F32,
        subgroups: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_how_often_the_loop_went_round() {
        let asked = RoundsParams::MANY;
        let all = reference::rounds::rounds(asked.asked);
        assert_eq!(asked.bound(all), None, "it was not left");
        for rounds in [0, 1, 1000, 65_535] {
            let counted = reference::rounds::counted(asked.asked, rounds);
            assert_eq!(asked.bound(counted), Some(rounds), "left after {rounds}");
        }
    }
}
