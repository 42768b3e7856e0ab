//! The inner loops, compiled a second time for CPUs with wider registers, and the choice between both.
//!
//! Both versions of reading and writing are the same source; `avx2` and `neon` have another one of prediction, with the same
//! results. NEON is part of every CPU of aarch64, so that nothing else needs a second version there.
//! Unsafe code is allowed in this file to call functions compiled for instructions that not every CPU has.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use mapwave_codec_base::DecodedSample;

use super::cursor::Cursor;
use super::error::DecodeError;
use super::frame_header::Decorrelation;
use super::predictor::{self, NUM_LANES, Predictor};
use super::{rice, stereo};

/// Which instructions are used.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instructions {
    /// Those that every CPU has.
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
}

/// The proof that this CPU has AVX2, BMI1, BMI2 and LZCNT: only [`Instructions::best`] makes one.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(());

/// The proof that every CPU this is compiled for has NEON: only [`Instructions::best`] makes one.
#[cfg(target_arch = "aarch64")]
#[derive(Clone, Copy, Debug)]
pub(super) struct Neon(());

impl Instructions {
    /// The best of this CPU.
    pub(super) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
        {
            return Self::Avx2(Avx2(()));
        }
        #[cfg(target_arch = "aarch64")]
        if cfg!(target_feature = "neon") {
            return Self::Neon(Neon(()));
        }
        Self::Plain
    }

    /// As [`rice::read`].
    pub(super) fn read(
        self,
        first: &mut Cursor<'_>,
        second: Option<&mut Cursor<'_>>,
    ) -> Result<(), DecodeError> {
        match self {
            Self::Plain => rice::read(first, second),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => rice::read(first, second),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(_) => unsafe { read_avx2(first, second) },
        }
    }

    /// Restores planes that are `stride` values apart, of which the first `num_values` of each count; whatever the
    /// others hold afterwards. `predictors` has as many as there are planes.
    pub(super) fn restore(
        self,
        planes: &mut [i32],
        stride: usize,
        predictors: &[&Predictor; NUM_LANES],
        num_values: usize,
    ) {
        match self {
            Self::Plain => {
                for (plane, predictor) in planes.chunks_mut(stride).zip(predictors) {
                    predictor::restore(plane.get_mut(..num_values).unwrap_or_default(), predictor);
                }
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => {
                let mut planes = planes.chunks_mut(stride);
                let lanes = [(); NUM_LANES].map(|()| planes.next().unwrap_or_default());
                // SAFETY: the proof says that this CPU has the instructions.
                unsafe { super::avx2::restore(lanes, predictors, num_values) };
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => {
                let mut planes = planes.chunks_mut(stride);
                let lanes = [(); NUM_LANES].map(|()| planes.next().unwrap_or_default());
                // SAFETY: the proof says that this CPU has the instructions.
                unsafe { super::neon::restore(lanes, predictors, num_values) };
            }
        }
    }

    /// As [`stereo::write_interleaved`].
    pub(super) fn write<'o, S: DecodedSample>(
        self,
        planes: &[&[i32]],
        decorrelation: Decorrelation,
        scale: S::Scale,
        output: &'o mut [MaybeUninit<S>],
    ) -> &'o mut [S] {
        match self {
            Self::Plain => stereo::write_interleaved(planes, decorrelation, scale, output),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => stereo::write_interleaved(planes, decorrelation, scale, output),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(_) => unsafe { write_avx2(planes, decorrelation, scale, output) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn read_avx2(first: &mut Cursor<'_>, second: Option<&mut Cursor<'_>>) -> Result<(), DecodeError> {
    rice::read(first, second)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn write_avx2<'o, S: DecodedSample>(
    planes: &[&[i32]],
    decorrelation: Decorrelation,
    scale: S::Scale,
    output: &'o mut [MaybeUninit<S>],
) -> &'o mut [S] {
    stereo::write_interleaved(planes, decorrelation, scale, output)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::decode::predictor::tests::cases;

    #[test]
    fn samples_are_those_of_the_scalar_path() {
        let cases: Vec<_> = cases().collect();
        // Neighbours, and those of very different orders.
        for step in [1, 17] {
            for first in 0..cases.len() {
                let four: [_; NUM_LANES] =
                    std::array::from_fn(|lane| &cases[(first + lane * step) % cases.len()]);
                let num_values = four.map(|(_, folded, _)| folded.len()).into_iter().max().unwrap_or(0);
                let stride = num_values + 3;
                let mut planes = vec![-1; stride * NUM_LANES];
                for (plane, (_, folded, _)) in planes.chunks_mut(stride).zip(four) {
                    plane[..folded.len()].copy_from_slice(folded);
                }
                Instructions::best().restore(
                    &mut planes,
                    stride,
                    &four.map(|(predictor, ..)| predictor),
                    num_values,
                );
                for (plane, (predictor, _, samples)) in planes.chunks(stride).zip(four) {
                    assert!(&plane[..samples.len()] == samples, "{predictor:?}");
                }
            }
        }
    }

    #[test]
    fn sound_that_becomes_loud_is_that_of_the_scalar_path() {
        let mut noise = crate::noise::Noise(3);
        // A resonance, whose sums take more than 32 bits once samples take more than 17.
        let mut predictor = Predictor { order: 2, shift: 12, ..Predictor::NONE };
        predictor.coefficients[..2].copy_from_slice(&[7372, -3686]);
        let num_values = 700;
        for (loud_lane, loud_from) in [(0, 70), (1, 130), (2, 255), (3, 256), (0, 320), (3, 600)] {
            let mut planes: Vec<i32> = (0..num_values * NUM_LANES).map(|_| noise.sample(10) & 1023).collect();
            for value in &mut planes[loud_lane * num_values..][loud_from..num_values] {
                *value <<= 12;
            }
            let mut expected = planes.clone();
            Instructions::Plain.restore(&mut expected, num_values, &[&predictor; NUM_LANES], num_values);
            Instructions::best().restore(&mut planes, num_values, &[&predictor; NUM_LANES], num_values);
            assert!(planes == expected, "lane {loud_lane} from {loud_from} on");
            assert!(expected.iter().any(|sample| sample.unsigned_abs() > 1 << 20));
        }
    }
}
