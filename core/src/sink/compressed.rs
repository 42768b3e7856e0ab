//! Writes a compressed file with the encoder of a codec plugin.

#![forbid(unsafe_code)]

use super::interrupt::Interrupt;
use super::options::SaveOptions;
use super::quantise::Quantiser;
use crate::array::Audio;
use crate::error::{Error, Parameter, Result};
use crate::host::{self, ByteSink, Encoder, EncoderRequest};
use crate::pcm::{ByteOrder, Kernel, OutputFormat, SampleFormat, Stage};

/// The frames passed to an encoder at a time: enough for several threads of its own.
const BLOCK_FRAMES: usize = 1 << 17;

/// A compressed file being written.
#[derive(Debug)]
pub(crate) struct CompressedWriter {
    encoder: Encoder,
    way: Way,
    num_frames: u64,
    gathered: Vec<u8>,
    converted: Vec<u8>,
}

/// The form in which an encoder receives samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// In the format to which they are quantised.
    Direct(OutputFormat),
    /// Rounded to fewer than 32 bits, in the most significant bits of a 32-bit integer.
    Raised(SampleFormat),
}

impl CompressedWriter {
    /// Opens the encoder.
    ///
    /// # Errors
    /// Why no plugin writes such a file.
    pub(crate) fn new(
        output: Box<dyn ByteSink>,
        options: &SaveOptions,
        request: &EncoderRequest,
        bits_per_sample: Option<u16>,
    ) -> Result<Self> {
        let encoder = host::open_encoder(request, options.plugin.as_deref(), output)?;
        let way = Way::new(encoder.formats(), bits_per_sample)?;
        Ok(Self { encoder, way, num_frames: 0, gathered: Vec::new(), converted: Vec::new() })
    }

    /// The quantiser for samples of type `from` that go to the encoder.
    pub(crate) fn quantiser(&self, options: &SaveOptions, from: OutputFormat) -> Result<Quantiser> {
        Quantiser::new(from, self.way.samples(), options.overflow, options.dither, true)
    }

    /// Encodes frames.
    pub(crate) fn write(
        &mut self,
        audio: &Audio<'_>,
        quantiser: &mut Quantiser,
        stop: Interrupt<'_>,
    ) -> Result<()> {
        for start in (0..audio.num_frames()).step_by(BLOCK_FRAMES) {
            if stop() {
                return Err(Error::Interrupted);
            }
            let frames = start..audio.num_frames().min(start + BLOCK_FRAMES);
            let num_frames = (frames.end - frames.start) as u64;
            let samples = audio.interleaved(frames, &mut self.gathered);
            let first_sample = self.num_frames * u64::from(audio.num_channels());
            let bytes = quantiser.convert(samples, first_sample, &mut self.converted);
            match self.way {
                Way::Direct(format) => self.encoder.push(format, bytes, stop)?,
                Way::Raised(samples) => {
                    let num_samples = bytes.len() / samples.num_bytes();
                    let mut stage = Stage::<i32>::new(num_samples);
                    let raised = stage.convert(Kernel::new(samples, OutputFormat::I32), bytes, num_samples);
                    self.encoder.push(OutputFormat::I32, bytemuck::cast_slice(raised), stop)?;
                }
            }
            self.num_frames += num_frames;
        }
        Ok(())
    }

    /// Completes the file.
    pub(crate) fn finish(mut self, stop: Interrupt<'_>) -> Result<u64> {
        self.encoder.finish(stop)
    }

    /// The plugin that encodes, unless it comes with mapwave.
    pub(crate) fn untrusted_plugin(&self) -> Option<&'static str> {
        (!self.encoder.is_trusted()).then(|| self.encoder.plugin())
    }

    /// The number of frames that were encoded.
    pub(crate) fn num_frames(&self) -> u64 {
        self.num_frames
    }
}

impl Way {
    /// The form that preserves `bits_per_sample` or, for a lossy codec, as many bits as possible.
    fn new(formats: &[OutputFormat], bits_per_sample: Option<u16>) -> Result<Self> {
        use OutputFormat::{F32, I16, I32};
        let takes = |format| formats.contains(&format);
        let way = match bits_per_sample {
            Some(8) if takes(I32) => Self::Raised(SampleFormat::S8),
            Some(16) if takes(I16) => Self::Direct(I16),
            Some(16) if takes(I32) => Self::Raised(SampleFormat::S16(ByteOrder::NATIVE)),
            Some(24) if takes(I32) => Self::Raised(SampleFormat::S24(ByteOrder::NATIVE)),
            Some(32) if takes(I32) => Self::Direct(I32),
            Some(bits) => {
                let expected = "one of 8, 16, 24 and 32 that the encoder supports";
                return Err(Error::argument(Parameter::BitsPerSample, expected, bits));
            }
            None if takes(F32) => Self::Direct(F32),
            None if takes(I16) => Self::Direct(I16),
            None => Self::Direct(I32),
        };
        Ok(way)
    }

    /// The format that samples are rounded to.
    fn samples(self) -> SampleFormat {
        match self {
            Self::Direct(OutputFormat::I16) => SampleFormat::S16(ByteOrder::NATIVE),
            Self::Direct(OutputFormat::I32) => SampleFormat::S32(ByteOrder::NATIVE),
            Self::Direct(_) => SampleFormat::F32(ByteOrder::NATIVE),
            Self::Raised(samples) => samples,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use OutputFormat::{F32, I16, I32};

    #[test]
    fn an_encoder_gets_what_loses_least() {
        let all = [F32, I16, I32];
        assert_eq!(Way::new(&all, None).unwrap().samples(), SampleFormat::F32(ByteOrder::NATIVE));
        assert_eq!(Way::new(&[I16], None).unwrap(), Way::Direct(I16));
        assert_eq!(Way::new(&all, Some(16)).unwrap(), Way::Direct(I16));
        assert_eq!(Way::new(&[I32], Some(16)).unwrap().samples(), SampleFormat::S16(ByteOrder::NATIVE));
        assert_eq!(Way::new(&all, Some(24)).unwrap().samples(), SampleFormat::S24(ByteOrder::NATIVE));
        assert_eq!(Way::new(&all, Some(32)).unwrap(), Way::Direct(I32));
        assert!(Way::new(&[I16], Some(24)).unwrap_err().to_string().contains("bits_per_sample"));
    }
}
