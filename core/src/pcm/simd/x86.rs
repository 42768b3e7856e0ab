//! AVX2 and AVX-512, on x86-64.
//!
//! The scalar loops compiled for wider registers are as fast as hand-written code, including byte swaps, with two exceptions:
//! three-byte integers and half precision. These two use intrinsics here.
//!
//! Unsafe code is allowed here to call functions that are compiled for instructions not every CPU has.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, __mmask64, _MM_FROUND_TO_NEAREST_INT, _mm256_cvtps_ph, _mm256_setr_epi8, _mm256_shuffle_epi8,
    _mm512_cvtps_ph, _mm512_maskz_permutexvar_epi8,
};
use std::mem::MaybeUninit;

use bytemuck::{Pod, Zeroable, cast};
use half::f16;

use super::super::convert::{Function, InstructionSet, samples_of, select};
use super::super::scalar::{self, BigEndian, Encoding, I24, Int24, LittleEndian, OddF32, Storage, To};
use super::super::store::{self, StoreSet};
use super::super::{ByteOrder, OutputFormat, SampleFormat};

/// The conversions for this CPU's instructions beyond the target's, with their names, fastest first.
pub(in super::super) fn available(
    from: SampleFormat,
    to: OutputFormat,
) -> impl Iterator<Item = (&'static str, Function)> {
    let avx512 = Avx512::is_detected().then(|| ("avx512", select::<Avx512>(from, to)));
    let avx2 = Avx2::is_detected().then(|| ("avx2", select::<Avx2>(from, to)));
    avx512.into_iter().chain(avx2)
}

/// The conversion to file samples for this CPU's instructions beyond the target's.
///
/// 256-bit vectors suffice: writing is limited by memory and the file system.
pub(in super::super) fn store(
    from: OutputFormat,
    to: SampleFormat,
) -> Option<(&'static str, store::Function)> {
    Avx2::is_detected().then(|| store::select::<Avx2>(from, to).map(|function| ("avx2", function)))?
}

/// The samples per block in a buffer that stays in the first-level cache.
const BLOCK: usize = 256;

/// The operations for which compilers do not generate the right instructions.
///
/// # Safety
/// The functions may only be called on a CPU that has the instructions of the set.
trait Vectors {
    /// Moves sixteen 24-bit integers to the upper three bytes of 32-bit integers.
    unsafe fn unpack_24(order: ByteOrder, packed: &[u8; 48]) -> [i32; 16];

    /// Rounds to half precision, half to even.
    unsafe fn round_to_half(values: &[f32; 16]) -> [f16; 16];
}

/// 256-bit vectors and the half-precision conversions (x86-64-v3 without FMA).
struct Avx2;

/// 512-bit vectors, with the byte permutations of VBMI (Ice Lake, Zen 4 and later).
struct Avx512;

impl Vectors for Avx2 {
    #[inline]
    #[target_feature(enable = "avx2,bmi2,f16c")]
    unsafe fn unpack_24(order: ByteOrder, packed: &[u8; 48]) -> [i32; 16] {
        // Each lane shuffles its own 16 bytes: the lower lane bytes 0..12, the upper lane bytes 12..24 of 24, which are its
        // last twelve if it is loaded from byte 8. -1 gives a zero.
        let lanes = match order {
            ByteOrder::Little => _mm256_setr_epi8(
                -1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, //
                -1, 4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15,
            ),
            ByteOrder::Big => _mm256_setr_epi8(
                -1, 2, 1, 0, -1, 5, 4, 3, -1, 8, 7, 6, -1, 11, 10, 9, //
                -1, 6, 5, 4, -1, 9, 8, 7, -1, 12, 11, 10, -1, 15, 14, 13,
            ),
        };
        let [a, b, c, d, e, f] = cast::<[u8; 48], [u64; 6]>(*packed);
        let first = _mm256_shuffle_epi8(cast([a, b, b, c]), lanes);
        let second = _mm256_shuffle_epi8(cast([d, e, e, f]), lanes);
        cast([first, second])
    }

    #[inline]
    #[target_feature(enable = "avx2,bmi2,f16c")]
    unsafe fn round_to_half(values: &[f32; 16]) -> [f16; 16] {
        let [first, second] = cast::<[f32; 16], [__m256; 2]>(*values);
        cast([
            _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(first),
            _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(second),
        ])
    }
}

impl Vectors for Avx512 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,bmi2,f16c")]
    unsafe fn unpack_24(order: ByteOrder, packed: &[u8; 48]) -> [i32; 16] {
        /// The lowest byte of every word is set to zero instead of permuted.
        const UPPER_THREE: __mmask64 = 0xeeee_eeee_eeee_eeee;
        let places: [u8; 64] = match order {
            ByteOrder::Little => const { places([0, 1, 2]) },
            ByteOrder::Big => const { places([2, 1, 0]) },
        };
        let [a, b, c, d, e, f] = cast::<[u8; 48], [u64; 6]>(*packed);
        let bytes = cast([a, b, c, d, e, f, 0, 0]);
        cast(_mm512_maskz_permutexvar_epi8(UPPER_THREE, cast(places), bytes))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,bmi2,f16c")]
    unsafe fn round_to_half(values: &[f32; 16]) -> [f16; 16] {
        cast(_mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(cast(*values)))
    }
}

/// The source of each byte of sixteen words, given the three bytes of the first word.
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler")]
const fn places(first: [u8; 3]) -> [u8; 64] {
    let mut places = [0; 64];
    let mut place = 0;
    while place < 64 {
        if place % 4 > 0 {
            places[place] = first[place % 4 - 1] + 3 * (place / 4) as u8;
        }
        place += 1;
    }
    places
}

/// Reads all stored samples, at most a block.
///
/// # Safety
/// The CPU must have the instructions of `V`.
#[inline(always)]
unsafe fn decode_block<V: Vectors, E: Encoding<N>, const N: usize>(
    stored: &[u8],
    values: &mut [E::Value; BLOCK],
) {
    let Some(order) = E::PACKED_24 else {
        for (&bytes, value) in stored.as_chunks::<N>().0.iter().zip(values) {
            *value = E::decode(bytes);
        }
        return;
    };
    let words: &mut [i32] = bytemuck::cast_slice_mut(values);
    let (packed, rest) = stored.as_chunks::<48>();
    let mut words = words.as_chunks_mut::<16>().0.iter_mut();
    for (packed, words) in packed.iter().zip(words.by_ref()) {
        // SAFETY: the caller vouches for the instructions.
        *words = unsafe { V::unpack_24(order, packed) };
    }
    for (&bytes, word) in rest.as_chunks::<3>().0.iter().zip(words.flatten()) {
        *word = match order {
            ByteOrder::Little => LittleEndian::<I24>::decode(bytes),
            ByteOrder::Big => BigEndian::<I24>::decode(bytes),
        };
    }
}

/// Converts samples until one of the slices ends.
///
/// # Safety
/// The CPU must have the instructions of `V`.
#[inline(always)]
unsafe fn convert<V: Vectors, E: Encoding<N>, T: Pod, const N: usize>(
    input: &[u8],
    output: &mut [MaybeUninit<T>],
) where
    E::Value: To<T>,
{
    if E::PACKED_24.is_none() {
        return scalar::convert::<E, T, N>(input, output);
    }
    let mut values = [E::Value::zeroed(); BLOCK];
    for (stored, samples) in input.chunks(BLOCK * N).zip(output.chunks_mut(BLOCK)) {
        // SAFETY: the caller vouches for the instructions.
        unsafe { decode_block::<V, E, N>(stored, &mut values) };
        for (value, sample) in values.iter().zip(samples) {
            sample.write(value.to());
        }
    }
}

/// Converts samples to half precision until one of the slices ends.
///
/// # Safety
/// The CPU must have the instructions of `V`.
#[inline(always)]
unsafe fn convert_to_half<V: Vectors, E: Encoding<N>, const N: usize>(
    input: &[u8],
    output: &mut [MaybeUninit<f16>],
) {
    let mut values = [E::Value::zeroed(); BLOCK];
    let mut odd = [0.0_f32; BLOCK];
    for (stored, samples) in input.chunks(BLOCK * N).zip(output.chunks_mut(BLOCK)) {
        if E::PACKED_24.is_some() {
            // SAFETY: the caller vouches for the instructions.
            unsafe { decode_block::<V, E, N>(stored, &mut values) };
            for (value, odd) in values.iter().zip(&mut odd) {
                OddF32(*odd) = value.to();
            }
        } else {
            for (&bytes, odd) in stored.as_chunks::<N>().0.iter().zip(&mut odd) {
                OddF32(*odd) = E::decode(bytes).to();
            }
        }
        let (vectors, rest) = samples.as_chunks_mut::<16>();
        let mut odd = odd.as_chunks::<16>().0.iter();
        for (samples, odd) in vectors.iter_mut().zip(odd.by_ref()) {
            // SAFETY: the caller vouches for the instructions.
            *samples = unsafe { V::round_to_half(odd) }.map(MaybeUninit::new);
        }
        for (sample, &odd) in rest.iter_mut().zip(odd.flatten()) {
            sample.write(odd.to());
        }
    }
}

macro_rules! instruction_set {
    ($set:ident, enable($enable:literal), detect($($feature:tt),*)) => {
        impl $set {
            fn is_detected() -> bool {
                $(is_x86_feature_detected!($feature))&&*
            }
        }

        impl InstructionSet for $set {
            fn function<E: Encoding<N>, T: Pod, const N: usize>() -> Function
            where
                E::Value: To<T>,
            {
                #[target_feature(enable = $enable)]
                fn function<E: Encoding<N>, T: Pod, const N: usize>(input: &[u8], output: &mut [MaybeUninit<u8>])
                where
                    E::Value: To<T>,
                {
                    // SAFETY: this function is compiled for the same instructions.
                    unsafe { convert::<$set, E, T, N>(input, samples_of(output)) }
                }
                function::<E, T, N>
            }

            fn half<E: Encoding<N>, const N: usize>() -> Function {
                #[target_feature(enable = $enable)]
                fn function<E: Encoding<N>, const N: usize>(input: &[u8], output: &mut [MaybeUninit<u8>]) {
                    // SAFETY: this function is compiled for the same instructions.
                    unsafe { convert_to_half::<$set, E, N>(input, samples_of(output)) }
                }
                function::<E, N>
            }
        }
    };
}

instruction_set!(Avx2, enable("avx2,bmi2,f16c"), detect("avx2", "bmi2", "f16c"));
instruction_set!(
    Avx512,
    enable("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,bmi2,f16c"),
    detect("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vbmi", "bmi2", "f16c")
);

impl StoreSet for Avx2 {
    fn function<E: Encoding<M>, S: Storage<N>, const M: usize, const N: usize>() -> store::Function
    where
        E::Value: To<S::Sample>,
    {
        #[target_feature(enable = "avx2,bmi2,f16c")]
        fn function<E: Encoding<M>, S: Storage<N>, const M: usize, const N: usize>(
            input: &[u8],
            output: &mut [u8],
        ) where
            E::Value: To<S::Sample>,
        {
            scalar::store::<E, S, M, N>(input, output);
        }
        function::<E, S, M, N>
    }

    fn function_24<E: Encoding<M>, const M: usize>(order: ByteOrder) -> store::Function
    where
        E::Value: To<Int24>,
    {
        #[target_feature(enable = "avx2,bmi2,f16c")]
        fn function<E: Encoding<M>, const M: usize>(order: ByteOrder, input: &[u8], output: &mut [u8])
        where
            E::Value: To<Int24>,
        {
            let (samples, packed) = (input.as_chunks::<M>().0, output.as_chunks_mut::<24>());
            let (eights, rest) = samples.as_chunks::<8>();
            for (samples, packed) in eights.iter().zip(packed.0) {
                let words = samples.map(|bytes| {
                    let Int24(word) = E::decode(bytes).to();
                    word
                });
                *packed = pack_24(order, words);
            }
            for (&bytes, place) in rest.iter().zip(packed.1.as_chunks_mut::<3>().0) {
                let sample = E::decode(bytes).to();
                *place = match order {
                    ByteOrder::Little => <LittleEndian<I24> as Storage<3>>::encode(sample),
                    ByteOrder::Big => <BigEndian<I24> as Storage<3>>::encode(sample),
                };
            }
        }
        match order {
            ByteOrder::Little => |input, output| {
                // SAFETY: whoever calls a function of this set vouches for its instructions.
                unsafe { function::<E, M>(ByteOrder::Little, input, output) }
            },
            ByteOrder::Big => |input, output| {
                // SAFETY: as above.
                unsafe { function::<E, M>(ByteOrder::Big, input, output) }
            },
        }
    }
}

/// Packs the lower three bytes of eight integers.
#[inline]
#[target_feature(enable = "avx2,bmi2,f16c")]
fn pack_24(order: ByteOrder, words: [i32; 8]) -> [u8; 24] {
    // Each lane packs its own four integers into its first twelve bytes.
    let lanes = match order {
        ByteOrder::Little => _mm256_setr_epi8(
            0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1, //
            0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1,
        ),
        ByteOrder::Big => _mm256_setr_epi8(
            2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, //
            2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1,
        ),
    };
    let [a, b, c, _, d, e, f, _] = cast::<_, [u32; 8]>(_mm256_shuffle_epi8(cast(words), lanes));
    cast([a, b, c, d, e, f])
}
