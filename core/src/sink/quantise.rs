//! Converts an array's samples to a file's: gain, clipping, dither, rounding.

#![forbid(unsafe_code)]

use super::dither::{self, Dither};
use super::options::Overflow;
use crate::error::{Error, Parameter, Result};
use crate::pcm::{ByteOrder, OutputFormat, SampleFormat, StoreKernel, peak};

const DOUBLE: SampleFormat = SampleFormat::F64(ByteOrder::NATIVE);

/// The conversion of samples for a file, chosen once.
#[derive(Debug)]
pub(super) struct Quantiser {
    from: OutputFormat,
    to: SampleFormat,
    direct: StoreKernel,
    to_double: StoreKernel,
    from_double: StoreKernel,
    /// Whether floats are clipped to full scale.
    clamps: bool,
    /// Whether a NaN becomes 0, as in every integer.
    silences_nan: bool,
    gain: f64,
    /// The seed of the noise, and the output step.
    dither: Option<(u64, f64)>,
    doubles: Vec<u8>,
}

impl Quantiser {
    /// The conversion for `overflow` and `dither`. `silences_nan` is for floats passed to an encoder, which cannot handle a NaN.
    pub(super) fn new(
        from: OutputFormat,
        to: SampleFormat,
        overflow: Overflow,
        dither: Dither,
        silences_nan: bool,
    ) -> Result<Self> {
        let kernel = |from, to: SampleFormat| {
            StoreKernel::new(from, to).ok_or_else(|| {
                Error::argument(Parameter::Encoding, "an encoding that can be written", to.name())
            })
        };
        let (is_float, bits) = (to.is_float(), to.bits());
        let is_rounded = from.integer_bits().is_none_or(|from_bits| from_bits > bits);
        let dither = match dither {
            Dither::Tpdf { seed } if is_rounded && !is_float => Some((seed, 2_f64.powi(1 - i32::from(bits)))),
            _ => None,
        };
        Ok(Self {
            from,
            to,
            direct: kernel(from, to)?,
            to_double: kernel(from, DOUBLE)?,
            from_double: kernel(OutputFormat::F64, to)?,
            clamps: is_float && overflow == Overflow::Clip,
            silences_nan: is_float && silences_nan,
            gain: 1.0,
            dither,
            doubles: Vec::new(),
        })
    }

    /// Sets a factor for all samples that follow.
    pub(super) fn set_gain(&mut self, gain: f64) {
        self.gain = gain;
    }

    /// Whether samples stay unchanged, as long as none is beyond full scale.
    pub(super) fn is_copy(&self) -> bool {
        self.direct.name() == "copy" && self.gain == 1.0
    }

    /// Converts samples, the first of which is number `first`, to bytes for a file; returns the input if nothing changes.
    pub(super) fn convert<'a>(&mut self, samples: &'a [u8], first: u64, out: &'a mut Vec<u8>) -> &'a [u8] {
        let is_plain = self.gain == 1.0 && self.dither.is_none() && !self.must_change(samples);
        if is_plain && self.direct.name() == "copy" {
            return samples;
        }
        let num_samples = samples.len() / self.from.num_bytes();
        // Existing bytes are overwritten: only growing has a cost.
        out.resize(num_samples * self.to.num_bytes(), 0);
        if is_plain {
            self.direct.store(samples, out);
            return out;
        }
        let mut doubles = std::mem::take(&mut self.doubles);
        doubles.resize(num_samples * size_of::<f64>(), 0);
        self.to_double.store(samples, &mut doubles);
        for (number, place) in (first..).zip(doubles.as_chunks_mut::<8>().0) {
            *place = self.shape(f64::from_ne_bytes(*place), number).to_ne_bytes();
        }
        self.from_double.store(&doubles, out);
        self.doubles = doubles;
        out
    }

    #[inline(always)]
    fn shape(&self, value: f64, number: u64) -> f64 {
        let mut value = value * self.gain;
        if let Some((seed, step)) = self.dither {
            value += dither::tpdf(seed, number) * step;
        }
        if self.silences_nan && value.is_nan() {
            value = 0.0;
        }
        // A NaN stays a NaN here.
        if self.clamps { value.clamp(-1.0, 1.0) } else { value }
    }

    /// Whether a sample is beyond full scale or NaN, if floats must not be.
    fn must_change(&self, samples: &[u8]) -> bool {
        if !self.clamps && !self.silences_nan {
            return false;
        }
        let peak = peak(self.from, samples);
        peak.is_nan() || (self.clamps && peak > 1.0)
    }
}

/// Checks that all samples fit when they are multiplied by `gain`, and names the first that does not.
///
/// # Errors
/// [`Error::Argument`] if a sample is beyond full scale or NaN. Full scale itself, 1.0, is stored as the largest integer.
pub(super) fn check_fits(
    format: OutputFormat,
    samples: &[u8],
    gain: f64,
    first_frame: u64,
    num_channels: u16,
) -> Result<()> {
    if peak(format, samples) * gain <= 1.0 {
        return Ok(());
    }
    let size = format.num_bytes();
    let values = samples.chunks_exact(size).map(|sample| peak(format, sample) * gain);
    let (index, _) = values.enumerate().find(|(_, peak)| peak.is_nan() || *peak > 1.0).unwrap_or((0, 0.0));
    let value = gain * value_of(format, samples.get(index * size..(index + 1) * size).unwrap_or_default());
    let (frame, channel) = (index / usize::from(num_channels), index % usize::from(num_channels));
    let frame = first_frame + frame as u64;
    let expected = "samples from -1.0 to 1.0 when clip=False and the encoding is not of floats; pass clip=True to hold \
                    them at full scale, or clip='rescale' to make all softer";
    Err(Error::argument(Parameter::Audio, expected, format!("{value} in frame {frame}, channel {channel}")))
}

/// A sample as a number.
fn value_of(format: OutputFormat, sample: &[u8]) -> f64 {
    let mut double = [0; 8];
    if let Some(kernel) = StoreKernel::scalar(format, DOUBLE)
        && sample.len() == format.num_bytes()
    {
        kernel.store(sample, &mut double);
    }
    f64::from_ne_bytes(double)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const S16: SampleFormat = SampleFormat::S16(ByteOrder::NATIVE);
    const F32: SampleFormat = SampleFormat::F32(ByteOrder::NATIVE);

    fn bytes_of(samples: &[f32]) -> Vec<u8> {
        samples.iter().flat_map(|sample| sample.to_ne_bytes()).collect()
    }

    fn quantiser(to: SampleFormat, overflow: Overflow, dither: Dither) -> Quantiser {
        Quantiser::new(OutputFormat::F32, to, overflow, dither, false).unwrap()
    }

    fn floats(quantiser: &mut Quantiser, samples: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        bytemuck::pod_collect_to_vec(quantiser.convert(&bytes_of(samples), 0, &mut out))
    }

    #[test]
    fn floats_are_held_at_full_scale_when_asked() {
        let samples = [0.1, -2.0, 1.5, f32::INFINITY, -0.25];
        let mut clip = quantiser(F32, Overflow::Clip, Dither::None);
        assert_eq!(floats(&mut clip, &samples), [0.1, -1.0, 1.0, 1.0, -0.25]);
        assert!(floats(&mut clip, &[f32::NAN])[0].is_nan(), "a NaN is not full scale");
        let mut keep = quantiser(F32, Overflow::Refuse, Dither::None);
        assert_eq!(floats(&mut keep, &samples), samples);
        let mut silent = Quantiser::new(OutputFormat::F32, F32, Overflow::Clip, Dither::None, true).unwrap();
        assert_eq!(floats(&mut silent, &[f32::NAN, 0.5]), [0.0, 0.5]);
    }

    #[test]
    fn what_is_the_same_is_not_copied() {
        let samples = bytes_of(&[0.5, -1.0]);
        let mut out = Vec::new();
        let same = quantiser(F32, Overflow::Clip, Dither::None).convert(&samples, 0, &mut out).as_ptr();
        assert_eq!(same, samples.as_ptr());
    }

    #[test]
    fn a_gain_is_applied_before_rounding() {
        let mut half = quantiser(S16, Overflow::Rescale, Dither::None);
        half.set_gain(0.5);
        let mut out = Vec::new();
        let samples: Vec<i16> =
            bytemuck::pod_collect_to_vec(half.convert(&bytes_of(&[2.0, -1.0, 3.0 / 32768.0]), 0, &mut out));
        assert_eq!(samples, [32767, -16384, 2]);
    }

    #[test]
    fn dither_keeps_what_rounding_would_lose() {
        // A third of a step: rounding alone gives silence, while dither preserves the mean.
        let samples = bytes_of(&[1.0 / 3.0 / 32768.0; 300_000]);
        let mean = |quantiser: &mut Quantiser, first: u64| {
            let mut out = Vec::new();
            let samples: Vec<i16> =
                bytemuck::pod_collect_to_vec(quantiser.convert(&samples, first, &mut out));
            assert!(samples.iter().all(|sample| sample.abs() <= 2));
            samples.iter().map(|&sample| f64::from(sample)).sum::<f64>() / samples.len() as f64
        };
        assert_eq!(mean(&mut quantiser(S16, Overflow::Clip, Dither::None), 0), 0.0);
        let dithered = mean(&mut quantiser(S16, Overflow::Clip, Dither::Tpdf { seed: 1 }), 0);
        // The variance of a dithered sample is a quarter of a step squared; six standard errors.
        assert!((dithered - 1.0 / 3.0).abs() < 6.0 * (0.25_f64 / 300_000.0).sqrt(), "{dithered}");
    }

    #[test]
    fn noise_goes_by_the_number_of_the_sample_however_audio_is_divided() {
        let samples = bytes_of(&(0..1000).map(|i| (i as f32 * 0.1).sin()).collect::<Vec<_>>());
        let mut quantiser = quantiser(S16, Overflow::Clip, Dither::Tpdf { seed: 3 });
        let (mut whole, mut first, mut second) = (Vec::new(), Vec::new(), Vec::new());
        let whole = quantiser.convert(&samples, 0, &mut whole).to_vec();
        let first = quantiser.convert(samples.get(..1200).unwrap(), 0, &mut first).to_vec();
        let second = quantiser.convert(samples.get(1200..).unwrap(), 300, &mut second).to_vec();
        assert_eq!(whole, [first, second].concat());
    }

    #[test]
    fn integers_that_fit_get_no_noise() {
        let samples: Vec<u8> = (0..100_i16).flat_map(|sample| sample.to_ne_bytes()).collect();
        let dither = Dither::Tpdf { seed: 1 };
        let mut exact = Quantiser::new(
            OutputFormat::I16,
            SampleFormat::S24(ByteOrder::Little),
            Overflow::Clip,
            dither,
            false,
        )
        .unwrap();
        let mut out = Vec::new();
        let stored = exact.convert(&samples, 0, &mut out);
        assert!(stored.chunks(3).zip(0..100).all(|(bytes, sample)| bytes == [0, sample, 0]));
    }

    #[test]
    fn the_first_sample_that_does_not_fit_is_named() {
        let samples = bytes_of(&[0.0, 1.0, -1.0, 0.5, 0.0, -1.25]);
        let message = check_fits(OutputFormat::F32, &samples, 1.0, 100, 2).unwrap_err().to_string();
        assert!(message.contains("got -1.25 in frame 102, channel 1"), "{message}");
        let message =
            check_fits(OutputFormat::F32, &bytes_of(&[f32::NAN]), 1.0, 0, 1).unwrap_err().to_string();
        assert!(message.contains("got NaN in frame 0"), "{message}");
        check_fits(OutputFormat::F32, samples.get(..16).unwrap(), 1.0, 0, 2).unwrap();
        check_fits(OutputFormat::F32, &samples, 0.8, 100, 2).unwrap();
        let message = check_fits(OutputFormat::F32, &samples, 2.0, 100, 2).unwrap_err().to_string();
        assert!(message.contains("got 2 in frame 100, channel 1"), "{message}");
    }
}
