//! The inner loops, compiled a second time for CPUs with wider registers, and the choice between both.
//!
//! Both versions of reading, unmixing and writing are the same source; `avx2` and `neon` have another one of prediction, with the
//! same results. NEON is part of every CPU of aarch64, so that nothing else needs a second version there. Unsafe code is allowed in
//! this file to call functions compiled for instructions that not every CPU has.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use mapwave_codec_base::{DecodedSample, write_interleaved};

use crate::error::DecodeError;
use crate::golomb;
use crate::mix;
use crate::packet::{Element, Packet};
#[cfg(target_arch = "x86_64")]
use crate::predictor::NUM_LANES;
use crate::predictor::{self, Predictor};

/// Which instructions are used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instructions {
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
pub(crate) struct Avx2(());

/// The proof that every CPU this is compiled for has NEON: only [`Instructions::best`] makes one.
#[cfg(target_arch = "aarch64")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon(());

impl Instructions {
    /// The best of this CPU.
    pub(crate) fn best() -> Self {
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

    /// Reads one packet or two.
    ///
    /// # Errors
    /// When one is malformed or truncated.
    pub(crate) fn read(
        self,
        first: &mut Packet<'_, '_>,
        second: Option<&mut Packet<'_, '_>>,
    ) -> Result<(), DecodeError> {
        match self {
            Self::Plain => read(first, second),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => read(first, second),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(_) => unsafe { read_avx2(first, second) },
        }
    }

    /// Restores planes that are `stride` values apart, of which the first of each count, as many as `lengths` says.
    pub(crate) fn restore(
        self,
        planes: &mut [i32],
        stride: usize,
        predictors: &mut [Predictor],
        lengths: &[usize],
    ) {
        match self {
            Self::Plain => {
                for ((plane, predictor), length) in planes.chunks_mut(stride).zip(predictors).zip(lengths) {
                    predictor::restore(plane.get_mut(..*length).unwrap_or_default(), predictor);
                }
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => {
                // SAFETY: the proof says that this CPU has the instructions.
                let restore = |planes: [&mut [i32]; NUM_LANES], predictors: &mut _, num_values| unsafe {
                    crate::avx2::restore(planes, predictors, num_values);
                };
                restore_by_vectors(planes, stride, predictors, lengths, restore);
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => {
                // SAFETY: the proof says that this CPU has the instructions.
                let restore =
                    |planes: [&mut [i32]; crate::neon::NUM_LANES], predictors: &mut _, num_values| unsafe {
                        crate::neon::restore(planes, predictors, num_values);
                    };
                restore_by_vectors(planes, stride, predictors, lengths, restore);
            }
        }
    }

    /// As [`mix::finish`].
    pub(crate) fn finish(self, element: &Element, first: &mut [i32], second: &mut [i32], lows: [&[u16]; 2]) {
        match self {
            Self::Plain => mix::finish(element, first, second, lows),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => mix::finish(element, first, second, lows),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(_) => unsafe { finish_avx2(element, first, second, lows) },
        }
    }

    /// As [`write_interleaved`].
    pub(crate) fn write<'o, S: DecodedSample>(
        self,
        planes: &[&[i32]],
        scale: S::Scale,
        output: &'o mut [MaybeUninit<S>],
    ) -> &'o mut [S] {
        match self {
            Self::Plain => write_interleaved(planes, scale, output),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => write_interleaved(planes, scale, output),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(_) => unsafe { write_avx2(planes, scale, output) },
        }
    }
}

#[inline(always)]
fn read(first: &mut Packet<'_, '_>, second: Option<&mut Packet<'_, '_>>) -> Result<(), DecodeError> {
    if let Some(second) = second {
        while first.advance()? && second.advance()? {
            let (mut one, mut two) = (first.channel(), second.channel());
            golomb::read_two(&mut one, &mut two)?;
            golomb::read(&mut one)?;
            golomb::read(&mut two)?;
            let (one, two) = (one.codes.bits, two.codes.bits);
            first.finish(one);
            second.finish(two);
        }
        read_rest(second)?;
    }
    read_rest(first)
}

#[inline(always)]
fn read_rest(packet: &mut Packet<'_, '_>) -> Result<(), DecodeError> {
    while packet.advance()? {
        let mut channel = packet.channel();
        golomb::read(&mut channel)?;
        let bits = channel.codes.bits;
        packet.finish(bits);
    }
    Ok(())
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn read_avx2(first: &mut Packet<'_, '_>, second: Option<&mut Packet<'_, '_>>) -> Result<(), DecodeError> {
    read(first, second)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn finish_avx2(element: &Element, first: &mut [i32], second: &mut [i32], lows: [&[u16]; 2]) {
    mix::finish(element, first, second, lows);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn write_avx2<'o, S: DecodedSample>(
    planes: &[&[i32]],
    scale: S::Scale,
    output: &'o mut [MaybeUninit<S>],
) -> &'o mut [S] {
    write_interleaved(planes, scale, output)
}

/// As [`Instructions::restore`], as many channels at a time as there are lanes, as far as vectors can.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn restore_by_vectors<const LANES: usize>(
    planes: &mut [i32],
    stride: usize,
    predictors: &mut [Predictor],
    lengths: &[usize],
    restore: impl Fn([&mut [i32]; LANES], &mut [Predictor; LANES], usize),
) {
    let groups = planes.chunks_mut(stride * LANES).zip(predictors.chunks_mut(LANES));
    for ((planes, predictors), lengths) in groups.zip(lengths.chunks(LANES)) {
        let num_values = lengths.iter().copied().max().unwrap_or(0);
        let suits = |predictor: &Predictor| predictor.suits_vectors(num_values);
        let is_worth_it = predictors.iter().filter(|predictor| suits(predictor)).count() > 1;
        let mut together = [Predictor::NONE; LANES];
        let mut lanes: [&mut [i32]; LANES] = std::array::from_fn(|_| Default::default());
        let mut num_lanes = 0;
        for ((plane, predictor), length) in planes.chunks_mut(stride).zip(&mut *predictors).zip(lengths) {
            if is_worth_it && suits(predictor) && num_values >= predictor::NUM_FIRST {
                if let (Some(lane), Some(to)) = (lanes.get_mut(num_lanes), together.get_mut(num_lanes)) {
                    (*lane, *to) = (plane, *predictor);
                    num_lanes += 1;
                }
            } else {
                predictor::restore(plane.get_mut(..*length).unwrap_or_default(), predictor);
            }
        }
        if num_lanes == 0 {
            continue;
        }
        // Lanes that are left over restore nothing.
        let mut idle = vec![0; stride * (LANES - num_lanes)];
        for (lane, plane) in lanes.iter_mut().skip(num_lanes).zip(idle.chunks_mut(stride)) {
            *lane = plane;
        }
        restore(lanes, &mut together, num_values);
    }
}
