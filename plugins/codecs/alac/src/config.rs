//! The setup of a stream, ALACSpecificConfig (ALACMagicCookieDescription, "Codec Specific Parameters").

#![forbid(unsafe_code)]

use crate::error::DecodeError;

/// The most frames of a packet that are accepted: sixteen times what every encoder writes.
pub const MAX_FRAMES_PER_PACKET: u32 = 1 << 16;

/// The parameters for decoding the packets of a stream.
///
/// ```
/// use mapwave_alac::Config;
///
/// let cookie = [0, 0, 0x10, 0, 0, 16, 40, 10, 14, 2, 0, 255, 0, 0, 0x40, 4, 0, 0x15, 0x88, 0x80, 0, 0, 0xac, 0x44];
/// let config = Config::parse(&cookie)?;
/// assert_eq!((config.frames_per_packet, config.bits_per_sample, config.num_channels), (4096, 16, 2));
/// # Ok::<(), mapwave_alac::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The frames of every packet but the last, 1 to [`MAX_FRAMES_PER_PACKET`].
    pub frames_per_packet: u32,
    /// The depth: 16, 20, 24 or 32.
    pub bits_per_sample: u32,
    /// How fast the mean of the residuals follows them, before a packet's own factor ("pb").
    pub history_factor: u32,
    /// The mean at the beginning of each channel ("mb").
    pub initial_history: u32,
    /// The most low bits of a code, 1 to 31 ("kb").
    pub max_parameter: u32,
    /// Samples in a frame, 1 to 8.
    pub num_channels: u32,
    /// Frames per second.
    pub sample_rate: u32,
}

impl Config {
    /// The bytes of the setup.
    pub const NUM_BYTES: usize = 24;

    /// The setup of a stream to be encoded, with the parameters that Apple's encoder has.
    ///
    /// # Errors
    /// When the format does not allow the values.
    pub fn new(sample_rate: u32, num_channels: u32, bits_per_sample: u32) -> Result<Self, DecodeError> {
        let config = Self {
            frames_per_packet: 4096,
            bits_per_sample,
            history_factor: 40,
            initial_history: 10,
            max_parameter: 14,
            num_channels,
            sample_rate,
        };
        config.check().map(|()| config)
    }

    /// The setup as containers have it, without atoms around it. The greatest packet and the bit rate are said to be unknown.
    ///
    /// ```
    /// # use mapwave_alac::Config;
    /// let config = Config::new(48_000, 1, 24)?;
    /// assert_eq!(Config::parse(&config.to_bytes()), Ok(config));
    /// # Ok::<(), mapwave_alac::DecodeError>(())
    /// ```
    pub fn to_bytes(&self) -> [u8; Self::NUM_BYTES] {
        let [a, b, c, d] = self.frames_per_packet.to_be_bytes();
        let [w, x, y, z] = self.sample_rate.to_be_bytes();
        let small = [
            self.bits_per_sample,
            self.history_factor,
            self.initial_history,
            self.max_parameter,
            self.num_channels,
        ];
        let [bits, factor, history, parameter, channels] =
            small.map(|value| u8::try_from(value).unwrap_or(u8::MAX));
        // The longest run of zeros is 255 by the description, and no decoder reads it.
        [
            a, b, c, d, 0, bits, factor, history, parameter, channels, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, w, x,
            y, z,
        ]
    }

    /// Reads the setup, without atoms around it.
    ///
    /// # Errors
    /// When it is truncated, of another version, or has values that the format does not allow.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let bytes: &[u8; Self::NUM_BYTES] = bytes.first_chunk().ok_or(DecodeError::Config("is truncated"))?;
        let [
            a,
            b,
            c,
            d,
            version,
            bits,
            history_factor,
            initial_history,
            max_parameter,
            channels,
            ..,
            w,
            x,
            y,
            z,
        ] = *bytes;
        let config = Self {
            frames_per_packet: u32::from_be_bytes([a, b, c, d]),
            bits_per_sample: bits.into(),
            history_factor: history_factor.into(),
            initial_history: initial_history.into(),
            max_parameter: max_parameter.into(),
            num_channels: channels.into(),
            sample_rate: u32::from_be_bytes([w, x, y, z]),
        };
        if version != 0 {
            return Err(DecodeError::Config("is of another version than 0"));
        }
        config.check().map(|()| config)
    }

    /// Checks the values.
    ///
    /// # Errors
    /// When the format does not allow them.
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        let complaint = if !(1..=MAX_FRAMES_PER_PACKET).contains(&self.frames_per_packet) {
            "has no frames in a packet, or too many"
        } else if !matches!(self.bits_per_sample, 16 | 20 | 24 | 32) {
            "has not 16, 20, 24 or 32 bits"
        } else if !(1..=8).contains(&self.num_channels) {
            "has not 1 to 8 channels"
        } else if !(1..=31).contains(&self.max_parameter) {
            "has codes without low bits, or with too many"
        } else {
            return Ok(());
        };
        Err(DecodeError::Config(complaint))
    }
}
