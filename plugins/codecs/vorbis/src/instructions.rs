//! Decoding, compiled a second time for processors with wider registers, and the choice between both.
//!
//! Both versions are the same source but for the [vectors](crate::simd) of the transform, and have the same results. Unsafe
//! code is allowed in this file to call functions compiled for instructions that not every processor has.

#![allow(unsafe_code, reason = "calls of functions for instructions that not every processor has")]

#[cfg(target_arch = "x86_64")]
use crate::avx2::Avx2;
use crate::error::DecodeError;
#[cfg(target_arch = "aarch64")]
use crate::neon::Neon;
use crate::packet::State;
use crate::setup::Tables;
use crate::simd::Plain;

/// Which instructions are used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instructions {
    /// Those that every processor has.
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
}

impl Instructions {
    /// The best of this processor.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(proof) = Avx2::detect() {
            return Self::Avx2(proof);
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(proof) = Neon::detect() {
            return Self::Neon(proof);
        }
        Self::Plain
    }

    /// As [`State::decode`].
    pub(crate) fn decode(
        self,
        state: &mut State,
        tables: &Tables,
        packet: &[u8],
        planes: &mut [f32],
        places: &[usize],
    ) -> Result<usize, DecodeError> {
        match self {
            Self::Plain => state.decode(Plain, tables, packet, planes, places),
            // Every processor of aarch64 has what the rest of it is compiled for.
            #[cfg(target_arch = "aarch64")]
            Self::Neon(proof) => state.decode(proof, tables, packet, planes, places),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this processor has the instructions.
            Self::Avx2(proof) => unsafe { decode_avx2(proof, state, tables, packet, planes, places) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn decode_avx2(
    proof: Avx2,
    state: &mut State,
    tables: &Tables,
    packet: &[u8],
    planes: &mut [f32],
    places: &[usize],
) -> Result<usize, DecodeError> {
    state.decode(proof, tables, packet, planes, places)
}
