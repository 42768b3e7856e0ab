//! Noise for the tests.

/// A xorshift64 generator.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    /// All 64 bits; the upper ones are the most random.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// An integer of `num_bits` bits in two's complement.
    pub(crate) fn sample(&mut self, num_bits: u32) -> i32 {
        i32::try_from(self.bits().cast_signed() >> (64 - num_bits)).unwrap_or(0)
    }

    /// A number evenly distributed over -0.5..0.5.
    pub(crate) fn level(&mut self) -> f64 {
        f64::from(self.sample(32)) / 2.0_f64.powi(32)
    }
}
