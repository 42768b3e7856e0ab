//! Files of known samples, and the expected output, computed sample by sample in double precision.

use mapwave_plugin_check::host::Format;
use mapwave_tests::random::Random;

/// How samples are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Mulaw = 1,
    Pcm8,
    Pcm16,
    Pcm24,
    Pcm32,
    Float32,
    Float64,
    Alaw = 27,
}

impl Encoding {
    pub const ALL: [Self; 8] = [
        Self::Mulaw,
        Self::Pcm8,
        Self::Pcm16,
        Self::Pcm24,
        Self::Pcm32,
        Self::Float32,
        Self::Float64,
        Self::Alaw,
    ];

    pub fn native_format(self) -> Format {
        match self {
            Self::Mulaw | Self::Alaw | Self::Pcm8 | Self::Pcm16 => Format::I16,
            Self::Pcm24 | Self::Pcm32 => Format::I32,
            Self::Float32 | Self::Float64 => Format::F32,
        }
    }

    /// Stored samples, edge cases first, then random ones, and their values with full scale at 1.0.
    fn sample(self, number: usize, random: &mut Random) -> (Vec<u8>, f64) {
        let bits = random.bits();
        match self {
            Self::Mulaw => {
                let code = number as u8;
                // ITU-T G.711: segments whose steps double, around a bias of 33, in 14 bits.
                let (segment, step) = (!code >> 4 & 7, f64::from(!code & 15));
                let magnitude = (step * 2.0 + 33.0) * f64::from(segment).exp2() - 33.0;
                (vec![code], if code < 0x80 { -magnitude } else { magnitude } / 8192.0)
            }
            Self::Alaw => {
                let code = number as u8;
                // ITU-T G.711: two segments of steps of 2, then steps that double, in 13 bits.
                let (segment, step) = ((code ^ 0x55) >> 4 & 7, f64::from((code ^ 0x55) & 15));
                let magnitude = match segment {
                    0 => step * 2.0 + 1.0,
                    _ => (step * 2.0 + 33.0) * f64::from(segment - 1).exp2(),
                };
                (vec![code], if code < 0x80 { -magnitude } else { magnitude } / 4096.0)
            }
            Self::Pcm8 => {
                let sample = number as i8;
                (sample.to_be_bytes().to_vec(), f64::from(sample) / 128.0)
            }
            Self::Pcm16 => {
                let sample = [i16::MIN, i16::MAX, 0, -1].get(number).copied().unwrap_or(bits as i16);
                (sample.to_be_bytes().to_vec(), f64::from(sample) / 32_768.0)
            }
            Self::Pcm24 => {
                let corners = [-0x80_0000, 0x7f_ffff, 0x7f_ff80, 0x80, 0x180, -0x80, -0x180, 0x81, 0x7f];
                let sample = corners.get(number).copied().unwrap_or(bits as i32 >> 8);
                (sample.to_be_bytes()[1..].to_vec(), f64::from(sample) / 8_388_608.0)
            }
            Self::Pcm32 => {
                let corners =
                    [i32::MIN, i32::MAX, 0x8000, 0x1_8000, -0x8000, -0x1_8000, 0x8001, -0x8001, 0x0100_0001];
                let sample = corners.get(number).copied().unwrap_or(bits as i32);
                (sample.to_be_bytes().to_vec(), f64::from(sample) / 2_147_483_648.0)
            }
            Self::Float32 => {
                let corners =
                    [1.0, -1.0, 9.0, -9.0, 0.5 / 32_768.0, 1.5 / 32_768.0, -0.5 / 32_768.0, 1e-40, 0.999_99];
                let any = (bits as i32) as f32 / 2e9;
                let sample = corners.get(number).copied().unwrap_or(any);
                (sample.to_be_bytes().to_vec(), f64::from(sample))
            }
            Self::Float64 => {
                let corners = [1.0, -1.0, 1e300, -1e300, 2.5 / 32_768.0, -3.5 / 32_768.0, 0.1, 1e-320, 0.5];
                let any = (bits as i64) as f64 / 9e18;
                let sample = corners.get(number).copied().unwrap_or(any);
                (sample.to_be_bytes().to_vec(), sample)
            }
        }
    }
}

/// A file and the values of its samples.
pub struct File {
    pub bytes: Vec<u8>,
    values: Vec<f64>,
}

/// A file of `num_frames` frames with an annotation.
pub fn file(encoding: Encoding, num_channels: u32, num_frames: usize, text: &[u8]) -> File {
    let mut random = Random::new(encoding as u64);
    let samples: Vec<(Vec<u8>, f64)> =
        (0..num_frames * num_channels as usize).map(|number| encoding.sample(number, &mut random)).collect();
    let data: Vec<u8> = samples.iter().flat_map(|(bytes, _)| bytes).copied().collect();
    let mut bytes = b".snd".to_vec();
    for word in [24 + text.len() as u32, data.len() as u32, encoding as u32, 22_050, num_channels] {
        bytes.extend(word.to_be_bytes());
    }
    bytes.extend(text);
    bytes.extend(data);
    File { bytes, values: samples.into_iter().map(|(_, value)| value).collect() }
}

impl File {
    pub fn f32(&self) -> Vec<f32> {
        self.values.iter().map(|value| *value as f32).collect()
    }

    pub fn i16(&self) -> Vec<i16> {
        self.values.iter().map(|value| (value * 32_768.0).round_ties_even() as i16).collect()
    }

    pub fn i32(&self) -> Vec<i32> {
        self.values.iter().map(|value| (value * 2_147_483_648.0).round_ties_even() as i32).collect()
    }
}
