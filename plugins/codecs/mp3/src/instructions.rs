//! The inner loops, compiled a second time for CPUs with wider registers, and the choice between both.
//!
//! Both versions are the same source, and have the same results. Unsafe code is allowed in this file to call functions compiled
//! for instructions that not every CPU has.

#![allow(unsafe_code)]

use crate::bands::{Layout, MAX_BANDS};
use crate::huffman::{self, Codes, Lines};
use crate::hybrid::{self, Overlap, Spectrum};
use crate::lanes::Scalar;
use crate::side_info::ChannelInfo;
use crate::sizes::{NUM_SUBBANDS, SUBBAND};
use crate::stereo;
use crate::synthesis::{self, Slots};

#[cfg(target_arch = "x86_64")]
use crate::avx2::{Avx2, Avx2Lanes};
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
use crate::four::Fours;

/// Which instructions are used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instructions {
    /// None of vectors.
    Scalar,
    /// Those that every CPU of the architecture has.
    #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
    Fours,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

impl Instructions {
    /// The best of all CPUs of this architecture.
    #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
    pub(crate) const PLAIN: Self = Self::Fours;
    #[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
    pub(crate) const PLAIN: Self = Self::Scalar;

    /// The best of this CPU.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(proof) = Avx2::detect() {
            return Self::Avx2(proof);
        }
        Self::PLAIN
    }

    /// As [`huffman::read`].
    pub(crate) fn read(self, first: &mut Codes<'_, '_>, second: Option<&mut Codes<'_, '_>>) -> [usize; 2] {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(_) => unsafe { read_avx2(first, second) },
            _ => huffman::read(first, second),
        }
    }

    /// As [`hybrid::place`].
    pub(crate) fn place(
        self,
        lines: &Lines,
        num_lines: usize,
        gains: &[f32; MAX_BANDS],
        layout: &Layout,
        has_long_places: bool,
        spectrum: &mut Spectrum,
    ) {
        match self {
            Self::Scalar => {
                hybrid::place::<Scalar>((), lines, num_lines, gains, layout, has_long_places, spectrum);
            }
            #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
            Self::Fours => {
                hybrid::place::<Fours>((), lines, num_lines, gains, layout, has_long_places, spectrum);
            }
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(proof) => unsafe {
                place_avx2(proof, lines, num_lines, gains, layout, has_long_places, spectrum);
            },
        }
    }

    /// As [`stereo::unmix`].
    pub(crate) fn unmix(self, spectra: &mut [Spectrum; 2]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(_) => unsafe { unmix_avx2(spectra) },
            _ => stereo::unmix(spectra),
        }
    }

    /// As [`hybrid::restore`].
    pub(crate) fn restore(
        self,
        info: &ChannelInfo,
        rate_row: usize,
        spectrum: &mut Spectrum,
        overlap: &mut Overlap,
        slots: &mut [[f32; NUM_SUBBANDS]; SUBBAND],
    ) {
        match self {
            Self::Scalar => hybrid::restore::<Scalar>((), info, rate_row, spectrum, overlap, slots),
            #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
            Self::Fours => hybrid::restore::<Fours>((), info, rate_row, spectrum, overlap, slots),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(proof) => unsafe { restore_avx2(proof, info, rate_row, spectrum, overlap, slots) },
        }
    }

    /// As [`synthesis::synthesize`].
    pub(crate) fn synthesize(
        self,
        subbands: &[[f32; NUM_SUBBANDS]],
        slots: &mut Slots,
        samples: &mut [[f32; NUM_SUBBANDS]],
    ) {
        match self {
            Self::Scalar => synthesis::synthesize::<Scalar>((), subbands, slots, samples),
            #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
            Self::Fours => synthesis::synthesize::<Fours>((), subbands, slots, samples),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(proof) => unsafe { synthesize_avx2(proof, subbands, slots, samples) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn read_avx2(first: &mut Codes<'_, '_>, second: Option<&mut Codes<'_, '_>>) -> [usize; 2] {
    huffman::read(first, second)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn place_avx2(
    proof: Avx2,
    lines: &Lines,
    num_lines: usize,
    gains: &[f32; MAX_BANDS],
    layout: &Layout,
    has_long_places: bool,
    spectrum: &mut Spectrum,
) {
    hybrid::place::<Avx2Lanes>(proof, lines, num_lines, gains, layout, has_long_places, spectrum);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn unmix_avx2(spectra: &mut [Spectrum; 2]) {
    stereo::unmix(spectra);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn restore_avx2(
    proof: Avx2,
    info: &ChannelInfo,
    rate_row: usize,
    spectrum: &mut Spectrum,
    overlap: &mut Overlap,
    slots: &mut [[f32; NUM_SUBBANDS]; SUBBAND],
) {
    hybrid::restore::<Avx2Lanes>(proof, info, rate_row, spectrum, overlap, slots);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn synthesize_avx2(
    proof: Avx2,
    subbands: &[[f32; NUM_SUBBANDS]],
    slots: &mut Slots,
    samples: &mut [[f32; NUM_SUBBANDS]],
) {
    synthesis::synthesize::<Avx2Lanes>(proof, subbands, slots, samples);
}
