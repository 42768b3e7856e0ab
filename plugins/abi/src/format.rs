//! Sample formats.

/// A sample is a 32-bit float, full scale at 1.0.
pub const MW_F32: u32 = 1;
/// A sample is a signed 16-bit integer; a shallower one is shifted up to fill it.
pub const MW_I16: u32 = 2;
/// A sample is a signed 32-bit integer; a shallower one is shifted up to fill it.
pub const MW_I32: u32 = 3;
