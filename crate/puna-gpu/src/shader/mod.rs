//! The shaders' text: [`link`] puts modules together, [`variant`] says which.

pub mod link;
pub mod variant;

/// Numbers of the bindings, the same in every shader; all in group 0.
pub mod binding {
    /// Planes of a weight matrix: 0 to 3.
    pub const PLANES: u32 = 0;
    /// What differs from dispatch to dispatch; uniform.
    pub const PARAMS: u32 = 4;
    /// What differs from step to step; uniform.
    pub const STEP: u32 = 5;
    /// The input.
    pub const X: u32 = 6;
    /// The output; read and written.
    pub const OUT: u32 = 7;
    /// Gains of all norms.
    pub const VECTORS: u32 = 8;
    /// The KV cache of a layer; written.
    pub const KV: u32 = 9;
    /// Table of rotations.
    pub const ROPE: u32 = 10;
    /// Token ids.
    pub const IDS: u32 = 11;
    /// Bytes of the file.
    pub const RAW: u32 = 12;
    /// Which tokens were seen, and how often; read and written.
    pub const SEEN: u32 = 13;
    /// What is added to logits.
    pub const BIAS: u32 = 14;
    /// Which tokens may be chosen.
    pub const ALLOWED: u32 = 15;
    /// The best of each slice of the logits; read and written.
    pub const BEST: u32 = 16;
    /// What differs from step to step, to be moved on; read and written.
    pub const NEXT: u32 = 17;
    /// The token of the next step; read and written.
    pub const NEXT_ID: u32 = 18;
    /// Tokens of the last draws; read and written.
    pub const EMITTED: u32 = 19;
    /// The output once more, made ready for a norm; read and written.
    pub const NORMED: u32 = 20;
    /// The KV cache of a layer; read.
    pub const KV_X: u32 = 21;
    /// What parts of the keys leave for their merging; read and written.
    pub const SUMS_OF_PARTS: u32 = 22;
    /// What a weight format looks up; uniform: storage buffers are few.
    pub const TABLE: u32 = 23;
    /// A vector of the op's own; uniform.
    pub const OWN: u32 = 24;
    /// The experts that tokens use; uniform.
    pub const CHOSEN: u32 = 25;
    /// A second input.
    pub const X2: u32 = 26;
    /// What adapters add.
    pub const LOW_RANK: u32 = 27;
    /// What each adapter is multiplied by; uniform.
    pub const SCALES: u32 = 28;
}
