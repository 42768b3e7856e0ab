//! The setup of a stream: AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), or the numbers of an ADTS header.

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::error::DecodeError;
use crate::program::Program;
use crate::sbr::has_rate;

/// Frames per second by index (table 1.18).
const SAMPLE_RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// Audio object types (table 1.17).
const LOW_COMPLEXITY: u32 = 2;
const BAND_REPLICATION: u32 = 5;
const PARAMETRIC_STEREO: u32 = 29;

/// The parameters for decoding the packets of a stream.
///
/// ```
/// use mapwave_aac::Config;
///
/// let config = Config::parse(&[0x12, 0x10])?; // as MP4 files have it
/// assert_eq!((config.sample_rate(), config.num_channels(), config.frames_per_packet()), (44_100, 2, 1024));
/// assert_eq!(config, Config::new(44_100, 2)?);
/// # Ok::<(), mapwave_aac::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Of the core.
    sample_rate: u32,
    /// Of a packet of the core.
    num_frames: u16,
    pub(crate) program: Program,
    pub(crate) is_replicated: bool,
    /// Whether packets say how the two channels differ that one channel of the core becomes.
    pub(crate) is_parametric: bool,
}

impl Config {
    /// A stream of 1024 frames a packet whose channels are those of a configuration (table 1.19): 1 to 7, 11, 12 or 14.
    ///
    /// # Errors
    /// When the configuration is none of those, or the sample rate is 0.
    pub fn new(sample_rate: u32, channel_configuration: u32) -> Result<Self, DecodeError> {
        if sample_rate == 0 {
            return Err(DecodeError::Config("has a sample rate of 0"));
        }
        Ok(Self {
            sample_rate,
            num_frames: 1024,
            program: Program::of_configuration(channel_configuration)?,
            is_replicated: false,
            is_parametric: false,
        })
    }

    /// The same with 960 frames a packet.
    #[must_use]
    pub fn with_short_packets(mut self) -> Self {
        self.num_frames = 960;
        self
    }

    /// The same with spectral band replication (HE-AAC), which doubles the sample rate and the frames of a packet.
    ///
    /// # Errors
    /// When the bands of that rate are not defined, or there are 960 frames a packet.
    pub fn with_band_replication(mut self) -> Result<Self, DecodeError> {
        if !has_rate(2 * u64::from(self.sample_rate)) {
            return Err(DecodeError::Unsupported("spectral band replication at such a rate"));
        }
        if self.num_frames != 1024 {
            return Err(DecodeError::Unsupported("spectral band replication of packets of 960 frames"));
        }
        self.is_replicated = true;
        Ok(self)
    }

    /// The same with band replication and parametric stereo (HE-AAC v2), which makes two channels from one.
    ///
    /// # Errors
    /// As [`with_band_replication`](Self::with_band_replication), and when there is not one channel.
    pub fn with_parametric_stereo(self) -> Result<Self, DecodeError> {
        if self.program.num_channels() != 1 {
            return Err(DecodeError::Unsupported("parametric stereo of more than one channel"));
        }
        Ok(Self { is_parametric: true, ..self.with_band_replication()? })
    }

    /// A stream whose packets define its channels, as the first of them does (configuration 0 in ADTS).
    ///
    /// # Errors
    /// When the packet does not begin with a program, or that is not supported.
    pub fn from_packet(sample_rate: u32, packet: &[u8]) -> Result<Self, DecodeError> {
        let mut bits = BitReader::at(packet, 0);
        if bits.read(3) != 5 {
            return Err(DecodeError::Config("has no program, nor has the packet"));
        }
        let program = Program::read(&mut bits)?;
        Ok(Self { program, ..Self::new(sample_rate, 1)? })
    }

    /// Reads an AudioSpecificConfig.
    ///
    /// # Errors
    /// When it is truncated, has reserved values, or is not of AAC Low Complexity in at most 8 channels.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let config = Self::parse_with_extensions(bytes)?;
        if config.is_replicated {
            return Err(DecodeError::Unsupported("spectral band replication"));
        }
        Ok(config)
    }

    /// As [`parse`](Self::parse), but reads HE-AAC as well, if it is announced.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and as [`with_band_replication`](Self::with_band_replication).
    pub fn parse_with_extensions(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut bits = BitReader::at(bytes, 0);
        let mut object_type = object_type(&mut bits);
        let sample_rate = read_sample_rate(&mut bits);
        let channel_configuration = bits.read(4);
        if bits.is_past_end() {
            return Err(DecodeError::Config("is truncated"));
        }
        let (mut extension, mut is_parametric) = (None, false);
        if matches!(object_type, BAND_REPLICATION | PARAMETRIC_STEREO) {
            is_parametric = object_type == PARAMETRIC_STEREO;
            extension = Some(read_sample_rate(&mut bits));
            object_type = object_type_of_extension(&mut bits);
            if bits.is_past_end() {
                return Err(DecodeError::Config("is truncated"));
            }
        }
        match object_type {
            LOW_COMPLEXITY => {}
            _ => return Err(DecodeError::Unsupported("an audio object type other than Low Complexity")),
        }
        if sample_rate == 0 {
            return Err(DecodeError::Config("has a reserved sample rate"));
        }
        // GASpecificConfig (4.4.1)
        let has_short_packets = bits.read(1) != 0;
        if bits.read(1) != 0 {
            bits.read(14); // coreCoderDelay
        }
        bits.read(1); // extensionFlag: Low Complexity has no extension
        let program = match channel_configuration {
            0 => Program::read(&mut bits)?,
            number => Program::of_configuration(number)?,
        };
        if bits.is_past_end() {
            return Err(DecodeError::Config("is truncated"));
        }
        // An extension that announces spectral band replication (1.6.5)
        let has_extension = extension.is_none()
            && bits.read(11) == 0x2b7
            && object_type_of_extension(&mut bits) == BAND_REPLICATION;
        if has_extension && bits.read(1) == 1 && !bits.is_past_end() {
            let rate = read_sample_rate(&mut bits);
            // The rate of the core announces nothing, as in FFmpeg.
            extension = Some(rate).filter(|rate| *rate != sample_rate);
            is_parametric = bits.read(11) == 0x548 && bits.read(1) == 1 && !bits.is_past_end();
        }
        let num_frames = if has_short_packets { 960 } else { 1024 };
        let core = Self { sample_rate, num_frames, program, is_replicated: false, is_parametric: false };
        match extension {
            None => Ok(core),
            Some(rate) if u64::from(rate) == 2 * u64::from(sample_rate) => {
                // Two channels have no parameters, whatever the setup says.
                if is_parametric && core.program.num_channels() == 1 {
                    core.with_parametric_stereo()
                } else {
                    core.with_band_replication()
                }
            }
            Some(_) => {
                Err(DecodeError::Unsupported("spectral band replication to other than twice the rate"))
            }
        }
    }

    /// Frames per second.
    pub fn sample_rate(&self) -> u32 {
        if self.is_replicated { 2 * self.sample_rate } else { self.sample_rate }
    }

    /// The frames of every packet, 1024 or 960; twice as many with band replication.
    pub fn frames_per_packet(&self) -> usize {
        usize::from(self.num_frames) * if self.is_replicated { 2 } else { 1 }
    }

    /// Whether high frequencies are replicated (HE-AAC).
    pub fn has_band_replication(&self) -> bool {
        self.is_replicated
    }

    /// Frames per second of the core, to which band replication adds.
    pub(crate) fn core_rate(&self) -> u32 {
        self.sample_rate
    }

    /// The frames of every packet of the core.
    pub(crate) fn num_frames(&self) -> u16 {
        self.num_frames
    }

    /// The number of channels, 1 to 8.
    pub fn num_channels(&self) -> usize {
        if self.is_parametric { 2 } else { self.program.num_channels() }
    }

    /// The number of channels that packets have, without what parametric stereo makes of one.
    pub fn num_core_channels(&self) -> usize {
        self.program.num_channels()
    }

    /// The speakers of the channels as a WAVE channel mask, whose order the channels have; 0 if a program has others, whose
    /// channels come in the order of its elements.
    pub fn channel_mask(&self) -> u32 {
        if self.is_parametric { 3 } else { self.program.channel_mask() }
    }
}

/// A sample rate; 0 if it is reserved.
fn read_sample_rate(bits: &mut BitReader<'_>) -> u32 {
    match bits.read(4) {
        15 => bits.read(24),
        index => SAMPLE_RATES.get(index as usize).copied().unwrap_or(0),
    }
}

/// An audio object type (GetAudioObjectType).
fn object_type(bits: &mut BitReader<'_>) -> u32 {
    match bits.read(5) {
        31 => 32 + bits.read(6),
        short => short,
    }
}

fn object_type_of_extension(bits: &mut BitReader<'_>) -> u32 {
    object_type(bits)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_setup_is_read() {
        let stereo = Config::new(44_100, 2).unwrap();
        assert_eq!(Config::parse(&[0x12, 0x10]), Ok(stereo));
        assert_eq!(Config::parse(&[0x12, 0x14]), Ok(stereo.with_short_packets()));
        // An extension that denies band replication.
        assert_eq!(Config::parse(&[0x12, 0x10, 0x56, 0xe5, 0]), Ok(stereo));
        // A sample rate of 44056 by value.
        assert_eq!(Config::parse(&[0x17, 0x80, 0x56, 0x0c, 0x08]), Config::new(44_056, 1));
        let surround = Config::parse(&[0x11, 0xb0]).unwrap();
        assert_eq!((surround.num_channels(), surround.channel_mask()), (6, 0x3f));
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for sbr in [&[0x13, 0x90, 0x56, 0xe5, 0xa0][..], &[0x2b, 0x92, 0x08, 0]] {
            assert_eq!(Config::parse(sbr), Err(DecodeError::Unsupported("spectral band replication")));
            let config = Config::parse_with_extensions(sbr).unwrap();
            assert_eq!(config, Config::new(22_050, 2).unwrap().with_band_replication().unwrap());
            assert_eq!((config.sample_rate(), config.frames_per_packet()), (44_100, 2048));
        }
        // The rate of the core, which announces nothing; and rates that are not twice as high.
        let vague = Config::parse_with_extensions(&[0x13, 0x90, 0x56, 0xe5, 0xb8]);
        assert_eq!(vague, Config::new(22_050, 2));
        for other in [&[0x13, 0x90, 0x56, 0xe5, 0xa8][..], &[0x2b, 0x93, 0x88, 0]] {
            assert!(matches!(Config::parse_with_extensions(other), Err(DecodeError::Unsupported(_))));
        }
        for stereo in [&[0x13, 0x88, 0x56, 0xe5, 0xa5, 0x48, 0x80][..], &[0xeb, 0x8a, 0x08, 0]] {
            let config = Config::parse_with_extensions(stereo).unwrap();
            assert_eq!((config.num_channels(), config.channel_mask(), config.sample_rate()), (2, 3, 44_100));
        }
        assert!(Config::new(7350, 1).unwrap().with_band_replication().is_err());
        assert!(Config::new(22_050, 1).unwrap().with_short_packets().with_band_replication().is_err());
        assert!(matches!(Config::parse(&[0x0a, 0x10]), Err(DecodeError::Unsupported(_))));
        assert!(matches!(Config::parse(&[0xf9, 0x46, 0x20]), Err(DecodeError::Unsupported(_))));
        for broken in [&[][..], &[0x12], &[0x17, 0x80, 0x56], &[0x16, 0x90], &[0x12, 0x00], &[0x12, 0x48]] {
            assert!(matches!(Config::parse(broken), Err(DecodeError::Config(_))), "{broken:?}");
        }
    }
}
