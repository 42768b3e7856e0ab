//! The scalar conversions against exact arithmetic, and every other kernel against the scalar ones.

#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]

use half::{bf16, f16};
use proptest::prelude::*;

use super::*;
use crate::pcm::ByteOrder;
use ByteOrder::{Big, Little};
use OutputFormat::{Bf16, F16, I16, I32};
use SampleFormat::{Alaw, F32, F64, Mulaw, S8, S16, S24, S32, S64, U8};

const FORMATS: [SampleFormat; 16] = [
    U8,
    S8,
    S16(Little),
    S16(Big),
    S24(Little),
    S24(Big),
    S32(Little),
    S32(Big),
    S64(Little),
    S64(Big),
    F32(Little),
    F32(Big),
    F64(Little),
    F64(Big),
    Alaw,
    Mulaw,
];

/// A sample as an exact number.
#[derive(Clone, Copy, Debug)]
enum Exact {
    /// (-1)^is_negative * magnitude * 2^exponent
    Number {
        is_negative: bool,
        magnitude: u128,
        exponent: i32,
    },
    Infinity {
        is_negative: bool,
    },
    Nan,
}

/// Reads a sample by the definition of its format.
fn exact(format: SampleFormat, bytes: &[u8]) -> Exact {
    let is_big = matches!(format, S16(Big) | S24(Big) | S32(Big) | S64(Big) | F32(Big) | F64(Big));
    let add = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
    let word = if is_big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) };
    let bits = 8 * bytes.len() as i32;
    let integer = |value: i128, bits: i32| Exact::Number {
        is_negative: value < 0,
        magnitude: value.unsigned_abs(),
        exponent: 1 - bits,
    };
    let float = |exponent_bits: i32, mantissa_bits: i32| {
        let is_negative = word >> (bits - 1) == 1;
        let mantissa = u128::from(word & ((1 << mantissa_bits) - 1));
        let biased = (word >> mantissa_bits) as i32 & ((1 << exponent_bits) - 1);
        let least = 2 - (1 << (exponent_bits - 1)) - mantissa_bits;
        match biased {
            0 => Exact::Number { is_negative, magnitude: mantissa, exponent: least },
            _ if biased < (1 << exponent_bits) - 1 => {
                let magnitude = mantissa + (1 << mantissa_bits);
                Exact::Number { is_negative, magnitude, exponent: least + biased - 1 }
            }
            _ if mantissa == 0 => Exact::Infinity { is_negative },
            _ => Exact::Nan,
        }
    };
    match format {
        U8 => integer(i128::from(word) - 128, 8),
        Alaw => integer(i128::from(super::super::companding::ALAW[word as usize]), 16),
        Mulaw => integer(i128::from(super::super::companding::MULAW[word as usize]), 16),
        F32(_) => float(8, 23),
        F64(_) => float(11, 52),
        _ => {
            let sign = word >> (bits - 1);
            integer(i128::from(word) - (i128::from(sign) << bits), bits)
        }
    }
}

/// magnitude * 2^exponent as an integer, rounded half to even; huge values become some number beyond 2^64.
fn round(magnitude: u128, exponent: i32) -> u128 {
    match exponent {
        _ if magnitude == 0 => 0,
        1.. => magnitude.saturating_mul(1_u128.checked_shl(exponent as u32).unwrap_or(u128::MAX)),
        -126..=0 => {
            let (whole, half) = (magnitude >> -exponent, (1_u128 << -exponent) / 2);
            let rest = magnitude - (whole << -exponent);
            whole + u128::from(exponent < 0 && (rest > half || (rest == half && whole & 1 == 1)))
        }
        _ => 0,
    }
}

/// The output bits that the definition demands; `None` for any quiet NaN.
fn expected(value: Exact, to: OutputFormat) -> Option<u64> {
    let to_integer = |bits: u32| {
        let max = (1_i128 << (bits - 1)) - 1;
        let rounded = match value {
            Exact::Nan => 0,
            Exact::Infinity { is_negative } => {
                if is_negative {
                    -max - 1
                } else {
                    max
                }
            }
            Exact::Number { is_negative, magnitude, exponent } => {
                let rounded = round(magnitude, exponent + bits as i32 - 1).min(1 << 64) as i128;
                if is_negative { -rounded } else { rounded }.clamp(-max - 1, max)
            }
        };
        Some(rounded as u64 & (u64::MAX >> (64 - bits)))
    };
    let to_float = |exponent_bits: i32, mantissa_bits: i32| {
        let sign = |is_negative| u64::from(is_negative) << (exponent_bits + mantissa_bits);
        let infinity = ((1 << exponent_bits) - 1) << mantissa_bits;
        match value {
            Exact::Nan => None,
            Exact::Infinity { is_negative } => Some(sign(is_negative) | infinity),
            Exact::Number { is_negative, magnitude, exponent } => {
                let least = 2 - (1 << (exponent_bits - 1)) - mantissa_bits;
                let top = exponent + 127 - magnitude.leading_zeros() as i32;
                let unit = if magnitude == 0 { least } else { (top - mantissa_bits).max(least) };
                // A carry into the next power of two is the next exponent's first number, up to infinity.
                let mantissa = round(magnitude, exponent - unit) as u64;
                let bits =
                    ((unit - least) as u64).saturating_mul(1 << mantissa_bits).saturating_add(mantissa);
                Some(sign(is_negative) | bits.min(infinity))
            }
        }
    };
    match to {
        I16 => to_integer(16),
        I32 => to_integer(32),
        OutputFormat::F32 => to_float(8, 23),
        OutputFormat::F64 => to_float(11, 52),
        F16 => to_float(5, 10),
        Bf16 => to_float(8, 7),
    }
}

fn is_quiet_nan(bits: u64, to: OutputFormat) -> bool {
    match to {
        OutputFormat::F32 => bits & 0x7fc0_0000 == 0x7fc0_0000,
        OutputFormat::F64 => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        F16 => bits & 0x7e00 == 0x7e00,
        Bf16 => bits & 0x7fc0 == 0x7fc0,
        I16 | I32 => false,
    }
}

const CANARY: u8 = 0xa5;
const MARGIN: usize = 64;

/// Converts into the middle of a larger buffer and checks that nothing else was written.
fn convert(kernel: Kernel, input: &[u8]) -> Vec<u8> {
    let num_bytes = input.len() / kernel.from.num_bytes() * kernel.to.num_bytes();
    let mut words = vec![u64::from_ne_bytes([CANARY; 8]); (num_bytes + 2 * MARGIN).div_ceil(8)];
    let buffer: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    let room = &mut buffer[MARGIN..MARGIN + num_bytes];
    // SAFETY: a MaybeUninit<u8> is laid out like a u8, and kernels write whole samples.
    let (_, room, _) = unsafe { room.align_to_mut() };
    kernel.convert(input, room);
    let (before, rest) = buffer.split_at(MARGIN);
    let (output, after) = rest.split_at(num_bytes);
    assert!(before.iter().chain(after).all(|byte| *byte == CANARY), "{kernel:?} wrote outside of its output");
    output.to_vec()
}

fn assert_exact(from: SampleFormat, input: &[u8]) {
    for to in OutputFormat::ALL {
        let output = convert(Kernel::scalar(from, to), input);
        for (stored, got) in input.chunks_exact(from.num_bytes()).zip(output.chunks_exact(to.num_bytes())) {
            let value = exact(from, stored);
            let mut word = [0; 8];
            word[..got.len()].copy_from_slice(got);
            let got =
                u64::from_ne_bytes(word) >> if cfg!(target_endian = "big") { 64 - 8 * got.len() } else { 0 };
            match expected(value, to) {
                Some(bits) => assert_eq!(
                    got,
                    bits,
                    "{} {stored:02x?} {value:?} to {to}: {got:#x}, not {bits:#x}",
                    from.name()
                ),
                // A float that is only copied, not computed with, keeps even a signalling NaN.
                None if from.num_bytes() == to.num_bytes() => {}
                None => assert!(
                    is_quiet_nan(got, to),
                    "{} {stored:02x?} to {to}: {got:#x} is no quiet NaN",
                    from.name()
                ),
            }
        }
    }
}

fn assert_same(from: SampleFormat, input: &[u8]) {
    for to in OutputFormat::ALL {
        let expected = convert(Kernel::scalar(from, to), input);
        let vectorised =
            simd::available(from, to).map(|(name, function)| Kernel { from, to, name, function });
        for kernel in vectorised.chain([Kernel::new(from, to)]) {
            let got = convert(kernel, input);
            let outputs = got.chunks_exact(to.num_bytes()).zip(expected.chunks_exact(to.num_bytes()));
            for (stored, (got, expected)) in input.chunks_exact(from.num_bytes()).zip(outputs) {
                assert_eq!(got, expected, "{kernel:?} of {stored:02x?}");
            }
        }
    }
}

/// Critical words. For integers: the limits, powers of two and ties of every width, each with its neighbours. For floats: every
/// exponent with ties at every bit of the mantissa.
fn interesting_words(from: SampleFormat) -> Vec<u64> {
    let bits = 8 * from.num_bytes() as u32;
    let mut words = vec![0, 1, u64::MAX];
    match from {
        F32(_) | F64(_) => {
            let mantissa_bits = if bits == 32 { 23 } else { 52 };
            let exponents = if bits == 32 { (0..=255).collect() } else { float_exponents() };
            for exponent in exponents {
                for place in 0..=mantissa_bits {
                    for mantissa in
                        [1 << place, (1 << mantissa_bits) - (1 << place), 0b11 << place, 0b101 << place]
                    {
                        for near in [-1, 0, 1] {
                            let word = (exponent << mantissa_bits
                                | mantissa & ((1 << mantissa_bits) - 1_u64))
                                .wrapping_add_signed(near);
                            words.extend([word, word ^ 1 << (bits - 1)]);
                        }
                    }
                }
            }
        }
        _ => {
            for high in 0..bits {
                for low in 0..=high {
                    for near in -2..=2 {
                        let word = (1_u64 << high | 1 << low).wrapping_add_signed(near);
                        words.extend([
                            word,
                            word.wrapping_neg(),
                            (1_u64 << high).wrapping_sub(1 << low).wrapping_add_signed(near),
                        ]);
                    }
                }
            }
        }
    }
    words
}

/// Exponents of double precision where an output format starts, ends or rounds, and a few others.
fn float_exponents() -> Vec<u64> {
    (0..=2047)
        .filter(|&exponent: &u64| {
            let unbiased = exponent as i64 - 1023;
            (-152..=-120).contains(&unbiased)
                || (-50..=34).contains(&unbiased)
                || (125..=130).contains(&unbiased)
                || !(3..=2044).contains(&exponent)
                || exponent % 101 == 0
        })
        .collect()
}

fn stored(from: SampleFormat, words: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let num_bytes = from.num_bytes();
    let is_big = matches!(from, S16(Big) | S24(Big) | S32(Big) | S64(Big) | F32(Big) | F64(Big));
    words
        .into_iter()
        .flat_map(|word| {
            let mut bytes = word.to_le_bytes();
            if is_big {
                bytes[..num_bytes].reverse();
            }
            bytes.into_iter().take(num_bytes)
        })
        .collect()
}

/// Pseudo-random words (splitmix64).
fn random_words(count: usize) -> impl Iterator<Item = u64> {
    let mut state = 0_u64;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    })
    .take(count)
}

/// Miri checks the memory, not the numbers, and is a thousand times slower.
fn scaled(count: usize) -> usize {
    if cfg!(miri) { count / 4096 + 16 } else { count }
}

fn every(stop: u64) -> impl Iterator<Item = u64> {
    (0..stop).step_by(if cfg!(miri) { stop as usize / 64 } else { 1 })
}

#[test]
fn short_formats_are_exact_on_every_value() {
    for from in [U8, S8, Alaw, Mulaw] {
        let input = stored(from, every(1 << 8));
        assert_exact(from, &input);
        assert_same(from, &input);
    }
    for from in [S16(Little), S16(Big)] {
        let input = stored(from, every(1 << 16));
        assert_exact(from, &input);
        assert_same(from, &input);
    }
}

#[test]
fn every_24_bit_value_is_exact() {
    for from in [S24(Little), S24(Big)] {
        let input = stored(from, every(1 << 24));
        assert_same(from, &input);
    }
    let input = stored(S24(Little), every(1 << 24).step_by(5).chain(interesting_words(S24(Little))));
    assert_exact(S24(Little), &input);
    assert_exact(S24(Big), &stored(S24(Big), interesting_words(S24(Big))));
}

#[test]
fn long_formats_are_exact_at_their_edges_and_ties() {
    for from in [S32(Little), S32(Big), S64(Little), S64(Big), F32(Little), F32(Big), F64(Little), F64(Big)] {
        let words = interesting_words(from);
        let input = stored(from, words.into_iter().step_by(if cfg!(miri) { 997 } else { 1 }));
        assert_exact(from, &input);
        assert_same(from, &input);
    }
}

#[test]
fn long_formats_are_exact_on_random_values() {
    for from in [S32(Little), S64(Little), F32(Little), F64(Little)] {
        let words = random_words(scaled(300_000));
        // Full-range words, and for floats also words with exponents typical of audio.
        let words = words.flat_map(|word| match from {
            F64(_) => [word, word & 0x800f_ffff_ffff_ffff | (0x3d0 + (word >> 52 & 0x3f)) << 52],
            F32(_) => [word, word & 0x807f_ffff | (0x50 + (word >> 23 & 0x3f)) << 23],
            _ => [word, word.cast_signed().wrapping_shr(word as u32 & 63).cast_unsigned()],
        });
        let input = stored(from, words);
        assert_exact(from, &input);
        assert_same(from, &input);
    }
}

#[test]
fn values_that_two_roundings_get_wrong() {
    let to_f16 = |value: f64| {
        let bytes = convert(Kernel::scalar(F64(Little), F16), &value.to_le_bytes());
        f16::from_ne_bytes(bytes.try_into().expect("one sample"))
    };
    let tie = 1.0 + 2_f64.powi(-11);
    assert_eq!(to_f16(tie), f16::from_f32(1.0));
    assert_eq!(to_f16(tie + f64::EPSILON), f16::from_f32(1.0 + 2_f32.powi(-10)));
    assert_eq!(to_f16(-tie - f64::EPSILON), f16::from_f32(-1.0 - 2_f32.powi(-10)));

    let to_bf16 = |value: i64| {
        let bytes = convert(Kernel::scalar(S64(Little), Bf16), &value.to_le_bytes());
        bf16::from_ne_bytes(bytes.try_into().expect("one sample"))
    };
    let tie = (1 << 62) + (1 << 54);
    assert_eq!(to_bf16(tie), bf16::from_f32(0.5));
    assert_eq!(to_bf16(tie + 1), bf16::from_f32(0.5 + 2_f32.powi(-8)));
}

#[test]
fn identities_copy_every_bit() {
    for (from, to) in [
        (S16(Little), I16),
        (S32(Little), I32),
        (F32(Little), OutputFormat::F32),
        (F64(Little), OutputFormat::F64),
    ] {
        let from = if cfg!(target_endian = "big") { swapped(from) } else { from };
        let input = stored(S8, random_words(64 * 8).chain([0xff; 64]));
        assert_eq!(Kernel::new(from, to).name(), "copy");
        assert_eq!(convert(Kernel::new(from, to), &input), input);
        assert_eq!(convert(Kernel::scalar(from, to), &input), input);
    }
}

fn swapped(format: SampleFormat) -> SampleFormat {
    match format {
        S16(_) => S16(Big),
        S32(_) => S32(Big),
        F32(_) => F32(Big),
        F64(_) => F64(Big),
        other => other,
    }
}

#[test]
fn every_kernel_agrees_with_the_scalar_one_at_any_length_and_alignment() {
    let bytes = stored(S64(Little), random_words(8 * 1024));
    for from in FORMATS {
        let lengths =
            (0..=67).chain([255, 256, 257, 1023, 4095, 5000]).step_by(if cfg!(miri) { 13 } else { 1 });
        for num_samples in lengths {
            for offset in (0..8).step_by(if cfg!(miri) { 3 } else { 1 }) {
                assert_same(from, &bytes[offset..offset + num_samples * from.num_bytes()]);
            }
        }
    }
}

#[test]
fn a_contract_that_is_broken_panics() {
    let kernel = Kernel::new(S16(Little), OutputFormat::F32);
    let mut words = [MaybeUninit::<u64>::uninit(); 4];
    let room = samples_of_u64(&mut words);
    let mut panics = |input: &[u8], output: std::ops::Range<usize>| {
        let call = std::panic::AssertUnwindSafe(|| kernel.convert(input, &mut room[output]));
        std::panic::catch_unwind(call).is_err()
    };
    assert!(!panics(&[0; 8], 0..16));
    assert!(panics(&[0; 7], 0..16), "input in pieces");
    assert!(panics(&[0; 8], 0..15), "output in pieces");
    assert!(panics(&[0; 8], 0..12), "output too short");
    assert!(panics(&[0; 8], 0..20), "output too long");
    assert!(panics(&[0; 8], 2..18), "output not aligned");
}

fn samples_of_u64(words: &mut [MaybeUninit<u64>]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: bytes that need not be initialised have no alignment and no invalid value.
    unsafe { words.align_to_mut().1 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_convert_alike(index in 0..FORMATS.len(), bytes in proptest::collection::vec(any::<u8>(), 0..2000), offset in 0..8_usize) {
        let from = FORMATS[index];
        let input = bytes.get(offset..).unwrap_or(&[]);
        let whole = input.len() / from.num_bytes() * from.num_bytes();
        assert_exact(from, &input[..whole]);
        assert_same(from, &input[..whole]);
    }
}
