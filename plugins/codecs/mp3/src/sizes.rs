//! The sizes of a granule (ISO/IEC 11172-3, 2.4.3.4).

#![forbid(unsafe_code)]

/// The lines of a granule.
pub(crate) const GRANULE: usize = 576;
/// The subbands of the filter bank.
pub(crate) const NUM_SUBBANDS: usize = 32;
/// The lines of a subband in a granule, and its samples.
pub(crate) const SUBBAND: usize = GRANULE / NUM_SUBBANDS;
