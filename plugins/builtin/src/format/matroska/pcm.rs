//! Uncompressed samples (Matroska codec specifications, `A_PCM/...`).

#![forbid(unsafe_code)]

use std::ffi::CStr;
use std::ops::Range;

use mapwave_plugin::{Output, SampleFormat};

/// The encoding of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PcmFormat {
    U8,
    S16Le,
    S16Be,
    S24Le,
    S24Be,
    S32Le,
    S32Be,
    F32Le,
    F64Le,
}

impl PcmFormat {
    /// The encoding for a codec identifier and a depth.
    pub(crate) fn new(codec_id: &str, bit_depth: u64) -> Option<Self> {
        match (codec_id, bit_depth) {
            ("A_PCM/INT/LIT" | "A_PCM/INT/BIG", 8) => Some(Self::U8),
            ("A_PCM/INT/LIT", 16) => Some(Self::S16Le),
            ("A_PCM/INT/LIT", 24) => Some(Self::S24Le),
            ("A_PCM/INT/LIT", 32) => Some(Self::S32Le),
            ("A_PCM/INT/BIG", 16) => Some(Self::S16Be),
            ("A_PCM/INT/BIG", 24) => Some(Self::S24Be),
            ("A_PCM/INT/BIG", 32) => Some(Self::S32Be),
            ("A_PCM/FLOAT/IEEE", 32) => Some(Self::F32Le),
            ("A_PCM/FLOAT/IEEE", 64) => Some(Self::F64Le),
            _ => None,
        }
    }

    pub(crate) fn codec(self) -> &'static CStr {
        match self {
            Self::U8 => c"pcm_u8",
            Self::S16Le => c"pcm_s16le",
            Self::S16Be => c"pcm_s16be",
            Self::S24Le => c"pcm_s24le",
            Self::S24Be => c"pcm_s24be",
            Self::S32Le => c"pcm_s32le",
            Self::S32Be => c"pcm_s32be",
            Self::F32Le => c"pcm_f32le",
            Self::F64Le => c"pcm_f64le",
        }
    }

    pub(crate) fn num_bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::S16Le | Self::S16Be => 2,
            Self::S24Le | Self::S24Be => 3,
            Self::S32Le | Self::S32Be | Self::F32Le => 4,
            Self::F64Le => 8,
        }
    }

    /// The depth in bits.
    pub(crate) fn bits(self) -> u32 {
        u32::try_from(8 * self.num_bytes()).unwrap_or(0)
    }

    /// The formats that decoding can write, the native one first.
    pub(crate) fn formats(self) -> &'static [SampleFormat] {
        match self {
            Self::F32Le | Self::F64Le => &[SampleFormat::F32],
            Self::U8 | Self::S16Le | Self::S16Be => {
                &[SampleFormat::I16, SampleFormat::I32, SampleFormat::F32]
            }
            _ => &[SampleFormat::I32, SampleFormat::F32],
        }
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::F32Le | Self::F64Le)
    }

    /// A sample in the upper bits of an integer.
    fn integer(self, bytes: &[u8]) -> i32 {
        match (self, bytes) {
            (Self::U8, &[a]) => i32::from_le_bytes([0, 0, 0, a ^ 0x80]),
            (Self::S16Le, &[a, b]) => i32::from_le_bytes([0, 0, a, b]),
            (Self::S16Be, &[a, b]) => i32::from_be_bytes([a, b, 0, 0]),
            (Self::S24Le, &[a, b, c]) => i32::from_le_bytes([0, a, b, c]),
            (Self::S24Be, &[a, b, c]) => i32::from_be_bytes([a, b, c, 0]),
            (Self::S32Le, &[a, b, c, d]) => i32::from_le_bytes([a, b, c, d]),
            (Self::S32Be, &[a, b, c, d]) => i32::from_be_bytes([a, b, c, d]),
            _ => 0,
        }
    }

    #[allow(clippy::cast_possible_truncation)] // the nearest float is what is wanted
    fn float(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::F32Le, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            (Self::F64Le, bytes) => {
                bytes.first_chunk().map_or(0.0, |bytes| f64::from_le_bytes(*bytes) as f32)
            }
            _ => 0.0,
        }
    }
}

/// The samples of the last decoded packet.
#[derive(Debug)]
pub(crate) struct PcmCodec {
    format: PcmFormat,
    num_channels: usize,
    integers: Vec<i32>,
    floats: Vec<f32>,
}

impl PcmCodec {
    pub(crate) fn new(format: PcmFormat, num_channels: usize) -> Self {
        Self { format, num_channels, integers: Vec::new(), floats: Vec::new() }
    }

    /// Decodes a packet and returns the number of its frames.
    pub(crate) fn decode(&mut self, packet: &[u8]) -> usize {
        let samples = packet.chunks_exact(self.format.num_bytes());
        let num_frames = samples.len() / self.num_channels.max(1);
        if self.format.is_float() {
            self.floats.clear();
            self.floats.extend(samples.map(|bytes| self.format.float(bytes)));
        } else {
            self.integers.clear();
            self.integers.extend(samples.map(|bytes| self.format.integer(bytes)));
        }
        num_frames
    }

    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        let samples = frames.start * self.num_channels..frames.end * self.num_channels;
        if self.format.is_float() {
            return output
                .write_interleaved(self.floats.get(samples).unwrap_or_default(), |sample: f32| sample);
        }
        let samples = self.integers.get(samples).unwrap_or_default();
        match output.format() {
            SampleFormat::I16 => output.write_interleaved(samples, to_i16),
            SampleFormat::I32 => output.write_interleaved(samples, |sample: i32| sample),
            SampleFormat::F32 => output.write_interleaved(samples, to_f32),
        }
    }
}

/// The upper half, for samples of at most 16 bits.
pub(crate) fn to_i16(sample: i32) -> i16 {
    let [_, _, low, high] = sample.to_le_bytes();
    i16::from_le_bytes([low, high])
}

/// A float with a full scale of 1.
#[allow(clippy::cast_possible_truncation)] // the nearest float is what is wanted
pub(crate) fn to_f32(sample: i32) -> f32 {
    (f64::from(sample) / 2_147_483_648.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format() {
        let integer = |id, depth, bytes: &[u8]| {
            let format = PcmFormat::new(id, depth)?;
            assert_eq!((format.num_bytes(), format.is_float()), (bytes.len(), false));
            Some(format.integer(bytes))
        };
        assert_eq!(integer("A_PCM/INT/LIT", 8, &[0]), Some(i32::MIN));
        assert_eq!(integer("A_PCM/INT/LIT", 16, &[1, 0x80]), Some(-0x7fff_0000));
        assert_eq!(integer("A_PCM/INT/BIG", 16, &[0x80, 1]), Some(-0x7fff_0000));
        assert_eq!(integer("A_PCM/INT/LIT", 24, &[3, 2, 1]), Some(0x0102_0300));
        assert_eq!(integer("A_PCM/INT/BIG", 24, &[1, 2, 3]), Some(0x0102_0300));
        assert_eq!(integer("A_PCM/INT/LIT", 32, &[4, 3, 2, 1]), Some(0x0102_0304));
        assert_eq!(integer("A_PCM/INT/BIG", 32, &[1, 2, 3, 4]), Some(0x0102_0304));
        assert_eq!(PcmFormat::new("A_PCM/INT/LIT", 20), None);
        assert_eq!(PcmFormat::F32Le.float(&0.25_f32.to_le_bytes()).to_bits(), 0.25_f32.to_bits());
        assert_eq!(PcmFormat::F64Le.float(&0.25_f64.to_le_bytes()).to_bits(), 0.25_f32.to_bits());
    }

    #[test]
    fn halves_and_floats() {
        assert_eq!((to_i16(0x7fff_0000), to_i16(i32::MIN)), (i16::MAX, i16::MIN));
        assert_eq!(
            (to_f32(i32::MIN).to_bits(), to_f32(1 << 30).to_bits()),
            ((-1_f32).to_bits(), 0.5_f32.to_bits())
        );
    }
}
