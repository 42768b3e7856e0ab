//! Pseudo-random numbers that a seed reproduces.

use std::ops::Range;

/// The seed unless the environment variable `MAPWAVE_SEED` gives another.
const SEED: u64 = 0x6d61_7077_6176_6501;

/// A xorshift64* generator (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016).
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The generator for a test; prints its seed, which the test harness shows when the test fails.
    pub fn announced() -> Self {
        let seed = std::env::var("MAPWAVE_SEED").ok();
        let seed = seed.map_or(SEED, |seed| seed.parse().expect("MAPWAVE_SEED must be a number"));
        println!("to reproduce: MAPWAVE_SEED={seed}");
        Self::new(seed)
    }

    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        // An odd multiplier keeps seeds apart; the state must not be 0.
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).max(1) }
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 11) as usize % end
    }

    /// A range inside `0..end`, empty ones among them.
    pub fn range_within(&mut self, end: u64) -> Range<u64> {
        let a = self.below(end as usize + 1) as u64;
        let b = self.below(end as usize + 1) as u64;
        a.min(b)..a.max(b)
    }

    /// `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.bits() >> 56) as u8).collect()
    }
}
