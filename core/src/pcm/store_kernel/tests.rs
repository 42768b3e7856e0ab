//! Stored samples against exact arithmetic, and every kernel against the scalar one.

#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::pcm::{ByteOrder, Kernel};
use ByteOrder::{Big, Little};
use SampleFormat::{F32, F64, S16, S24, S32, S64};

const TARGETS: [SampleFormat; 14] = [
    SampleFormat::U8,
    SampleFormat::S8,
    S16(Little),
    S16(Big),
    S24(Little),
    S24(Big),
    S32(Little),
    S32(Big),
    F32(Little),
    F32(Big),
    F64(Little),
    F64(Big),
    SampleFormat::Alaw,
    SampleFormat::Mulaw,
];

fn stored(from: OutputFormat, to: SampleFormat, input: &[u8]) -> Vec<u8> {
    let mut output = vec![0xee; input.len() / from.num_bytes() * to.num_bytes()];
    StoreKernel::scalar(from, to).unwrap().store(input, &mut output);
    output
}

/// The `bits`-bit integer nearest to a value with full scale 1; ties go to even.
fn nearest(value: f64, bits: u32) -> i64 {
    if value.is_nan() {
        return 0;
    }
    // A product with a power of two is exact, and doubles hold every rounded value.
    let (scaled, limit) = (value * 2_f64.powi(bits as i32 - 1), 2_f64.powi(bits as i32 - 1));
    scaled.round_ties_even().clamp(-limit, limit - 1.0) as i64
}

fn integer(bytes: &[u8], order: ByteOrder) -> i64 {
    let fold = |word: i64, byte: &u8| word << 8 | i64::from(*byte);
    let word = match order {
        Big => bytes.iter().fold(0, fold),
        Little => bytes.iter().rev().fold(0, fold),
    };
    let unused = 64 - 8 * bytes.len();
    word << unused >> unused
}

/// Values around every critical rounding: half steps of all bit depths, full scale, beyond it, and NaN.
fn values() -> Vec<f64> {
    let mut values =
        vec![0.0, -0.0, 1.0, -1.0, 1.5, -7.0, 1e30, -1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    for bits in [8, 16, 24, 32] {
        let step = 2_f64.powi(1 - bits);
        for multiple in [0.49, 0.5, 0.51, 1.0, 1.5, 2.5, 3.5, 100.5, 127.5, 127.4] {
            values.extend([multiple * step, -multiple * step, 1.0 - multiple * step, multiple * step - 1.0]);
        }
    }
    values
}

#[test]
fn floats_become_the_nearest_integers() {
    let values = values();
    let wide: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    let narrow: Vec<u8> = values.iter().flat_map(|&value| (value as f32).to_ne_bytes()).collect();
    for (index, &value) in values.iter().enumerate() {
        for (bits, order) in [(16, Little), (16, Big), (24, Little), (24, Big), (32, Little), (32, Big)] {
            let format = match bits {
                16 => S16(order),
                24 => S24(order),
                _ => S32(order),
            };
            let size = format.num_bytes();
            let at = index * size..(index + 1) * size;
            let from_wide = integer(&stored(OutputFormat::F64, format, &wide)[at.clone()], order);
            assert_eq!(from_wide, nearest(value, bits), "{value:e} as {}", format.name());
            let from_narrow = integer(&stored(OutputFormat::F32, format, &narrow)[at], order);
            assert_eq!(from_narrow, nearest(f64::from(value as f32), bits), "{value:e} as {}", format.name());
        }
        let unsigned = i64::from(stored(OutputFormat::F64, SampleFormat::U8, &wide)[index]) - 128;
        assert_eq!(unsigned, nearest(value, 8), "{value:e} as 8 bits");
        let signed = integer(&stored(OutputFormat::F32, SampleFormat::S8, &narrow)[index..=index], Little);
        assert_eq!(signed, nearest(f64::from(value as f32), 8), "{value:e} as 8 bits");
    }
}

#[test]
fn integers_become_the_nearest_shallower_ones() {
    for sample in (i16::MIN..=i16::MAX).step_by(3).chain([i16::MAX, 127, 128, 129, -128, 384]) {
        let value = f64::from(sample) / 32768.0;
        let bytes = sample.to_ne_bytes();
        let as_8 = integer(&stored(OutputFormat::I16, SampleFormat::S8, &bytes), Little);
        assert_eq!(as_8, nearest(value, 8), "{sample} as 8 bits");
        assert_eq!(integer(&stored(OutputFormat::I16, S24(Big), &bytes), Big), i64::from(sample) << 8);
        assert_eq!(integer(&stored(OutputFormat::I16, S32(Little), &bytes), Little), i64::from(sample) << 16);
    }
    let edges = [0, 1, 0x7f, 0x80, 0x81, 0x180, 0x7fff, 0x8000, 0x1_8000, 0x7f_ffff, 0x80_0000, 0x180_0000];
    for sample in edges.into_iter().flat_map(|edge| [edge, -edge, i32::MAX - edge, i32::MIN + edge]) {
        let value = f64::from(sample) / 2_f64.powi(31);
        let bytes = sample.to_ne_bytes();
        for (bits, format) in [(8, SampleFormat::S8), (16, S16(Little)), (24, S24(Little)), (32, S32(Little))]
        {
            let got = integer(&stored(OutputFormat::I32, format, &bytes), Little);
            assert_eq!(got, nearest(value, bits), "{sample:#x} as {bits} bits");
        }
    }
}

#[test]
fn what_is_stored_exactly_reads_back_as_it_was() {
    let samples: Vec<u8> =
        (0..4096_u32).flat_map(|i| (i.wrapping_mul(0x9e37_79b9) as i16).to_ne_bytes()).collect();
    for to in TARGETS {
        if matches!(to, SampleFormat::U8 | SampleFormat::S8 | SampleFormat::Alaw | SampleFormat::Mulaw) {
            continue;
        }
        let bytes = stored(OutputFormat::I16, to, &samples);
        let mut back = vec![std::mem::MaybeUninit::<i16>::uninit(); samples.len() / 2];
        Kernel::new(to, OutputFormat::I16).convert(&bytes, bytemuck_uninit(&mut back));
        // SAFETY: `convert` initialises all of its output.
        let back: Vec<u8> =
            back.iter().flat_map(|sample| unsafe { sample.assume_init() }.to_ne_bytes()).collect();
        assert_eq!(back, samples, "through {}", to.name());
    }
}

fn bytemuck_uninit(samples: &mut [std::mem::MaybeUninit<i16>]) -> &mut [std::mem::MaybeUninit<u8>] {
    // SAFETY: the same memory, whose bytes may be uninitialised as well.
    unsafe { std::slice::from_raw_parts_mut(samples.as_mut_ptr().cast(), samples.len() * 2) }
}

#[test]
fn a_copy_is_one_and_64_bit_integers_are_not_written() {
    assert_eq!(StoreKernel::new(OutputFormat::F32, F32(ByteOrder::NATIVE)).unwrap().name(), "copy");
    assert!(StoreKernel::new(OutputFormat::F32, S64(Little)).is_none());
}

proptest! {
    #[test]
    fn every_kernel_gives_the_bits_of_the_scalar_one(words in prop::collection::vec(any::<u64>(), 0..600)) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        for from in OutputFormat::ALL {
            for to in TARGETS {
                let kernel = StoreKernel::new(from, to).unwrap();
                let mut output = vec![0; bytes.len() / from.num_bytes() * to.num_bytes()];
                kernel.store(&bytes, &mut output);
                let expected = stored(from, to, &bytes);
                // The payload of a NaN is unspecified.
                let same = match (to, to.num_bytes()) {
                    (F32(_) | F64(_), size) => output.chunks(size).zip(expected.chunks(size)).all(|(one, other)| {
                        one == other || (is_nan(one, to) && is_nan(other, to))
                    }),
                    _ => output == expected,
                };
                prop_assert!(same, "{kernel:?}");
            }
        }
    }
}

fn is_nan(bytes: &[u8], format: SampleFormat) -> bool {
    let mut bytes = bytes.to_vec();
    if matches!(format, F32(Big) | F64(Big)) {
        bytes.reverse();
    }
    match bytes.len() {
        4 => f32::from_le_bytes(bytes.try_into().unwrap()).is_nan(),
        _ => f64::from_le_bytes(bytes.try_into().unwrap()).is_nan(),
    }
}
