//! The same numbers on every machine, for tests and for models made on the spot.

/// splitmix64 (Steele, Lea and Flood 2014), from a seed.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// 64 bits.
    pub const fn long(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 32 bits.
    #[allow(clippy::cast_possible_truncation, reason = "the low bits are meant")]
    pub const fn word(&mut self) -> u32 {
        self.long() as u32
    }
}
