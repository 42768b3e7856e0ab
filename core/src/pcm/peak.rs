//! The largest magnitude among samples.

#![forbid(unsafe_code)]

use half::{bf16, f16};

use super::OutputFormat;

/// The largest magnitude of an array's samples, where full scale is 1.0; NaN if one of them is NaN.
///
/// Without the sign, the bits of floating-point numbers sort like the numbers, and those of a NaN sort above infinity.
pub(crate) fn peak(format: OutputFormat, samples: &[u8]) -> f64 {
    match format {
        OutputFormat::F32 => {
            f64::from(f32::from_bits(largest::<4>(samples, |bytes| u32::from_ne_bytes(bytes) & 0x7fff_ffff)))
        }
        OutputFormat::F16 => {
            f16::from_bits(largest::<2>(samples, |bytes| u16::from_ne_bytes(bytes) & 0x7fff)).to_f64()
        }
        OutputFormat::Bf16 => {
            bf16::from_bits(largest::<2>(samples, |bytes| u16::from_ne_bytes(bytes) & 0x7fff)).to_f64()
        }
        OutputFormat::F64 => {
            f64::from_bits(largest::<8>(samples, |bytes| u64::from_ne_bytes(bytes) & 0x7fff_ffff_ffff_ffff))
        }
        OutputFormat::I16 => {
            f64::from(largest::<2>(samples, |bytes| i16::from_ne_bytes(bytes).unsigned_abs()))
                / f64::from(1_u32 << 15)
        }
        OutputFormat::I32 => {
            f64::from(largest::<4>(samples, |bytes| i32::from_ne_bytes(bytes).unsigned_abs()))
                / f64::from(1_u32 << 31)
        }
    }
}

#[inline(always)]
fn largest<const N: usize>(samples: &[u8], magnitude: impl Fn([u8; N]) -> Word<N>) -> Word<N>
where
    [u8; N]: Bits,
{
    samples.as_chunks::<N>().0.iter().map(|&bytes| magnitude(bytes)).fold(Word::<N>::default(), Ord::max)
}

/// The unsigned integer of `N` bytes.
type Word<const N: usize> = <[u8; N] as Bits>::Word;

trait Bits {
    type Word: Ord + Copy + Default;
}

impl Bits for [u8; 2] {
    type Word = u16;
}

impl Bits for [u8; 4] {
    type Word = u32;
}

impl Bits for [u8; 8] {
    type Word = u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_magnitude_counts_whatever_its_sign() {
        let floats = |samples: &[f32]| {
            let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_ne_bytes()).collect();
            peak(OutputFormat::F32, &bytes)
        };
        assert_eq!(floats(&[]), 0.0);
        assert_eq!(floats(&[0.5, -0.75, 0.25]), 0.75);
        assert_eq!(floats(&[f32::NEG_INFINITY, 1.0]), f64::INFINITY);
        assert!(floats(&[1.0, -f32::NAN, f32::INFINITY]).is_nan());
        assert_eq!(peak(OutputFormat::F64, &(-1e300_f64).to_ne_bytes()), 1e300);
        assert_eq!(peak(OutputFormat::F16, &f16::from_f32_const(-1.5).to_bits().to_ne_bytes()), 1.5);
        assert_eq!(peak(OutputFormat::Bf16, &bf16::from_f32_const(2.5).to_bits().to_ne_bytes()), 2.5);
        assert_eq!(peak(OutputFormat::I16, &i16::MIN.to_ne_bytes()), 1.0);
        assert_eq!(peak(OutputFormat::I32, &(1_i32 << 30).to_ne_bytes()), 0.5);
    }
}
