//! The headers of a Vorbis stream (Vorbis I specification, section 4.2): the length of packets, and whether a decoder
//! can be made.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, Status};
use mapwave_vorbis::{DecodeError, Decoder, Setup};

/// The most channels, for whose order there is a WAVE channel mask (section 4.3.9).
const MAX_CHANNELS: u8 = 8;

/// The contents of the identification and setup headers. All decoders of a stream share the tables.
#[derive(Debug)]
pub(crate) struct VorbisSetup {
    pub(crate) sample_rate: u32,
    pub(crate) num_channels: u32,
    pub(super) setup: Setup,
}

/// The most memory that a setup may take: a few bytes of it can describe millions of words. Those of real files take less than a
/// megabyte.
pub(crate) const MAX_BYTES: u64 = 16 << 20;

impl VorbisSetup {
    /// Reads the identification and the setup header of a stream at `offset`.
    ///
    /// # Errors
    /// When they violate the specification, or a decoder would take more than `max_alloc` bytes or [`MAX_BYTES`].
    pub(crate) fn parse(identification: &[u8], setup: &[u8], max_alloc: u64, offset: u64) -> Result<Self> {
        let max_alloc = max_alloc.min(MAX_BYTES);
        let limit = |needed: u64| {
            let message =
                format!("the Vorbis codebooks need {needed} bytes, but only {max_alloc} may be allocated");
            Error::new(Status::Limit, message).at(offset)
        };
        if let Some(num_channels) = identification.get(11).filter(|number| **number > MAX_CHANNELS) {
            let message = format!("Vorbis with {num_channels} channels has no defined channel order");
            return Err(Error::unsupported(message).at(offset));
        }
        let setup = Setup::parse(identification, setup, max_alloc).map_err(|error| match error {
            DecodeError::Version(_) => Error::unsupported(error.to_string()).at(offset),
            DecodeError::Limit { needed, .. } => limit(needed),
            DecodeError::Memory => Error::new(Status::NoMemory, error.to_string()).at(offset),
            _ => Error::bad_data(offset, error.to_string()),
        })?;
        let needed = Decoder::num_bytes_for(&setup);
        if needed > max_alloc {
            return Err(limit(needed));
        }
        let num_channels = u32::try_from(setup.num_channels()).unwrap_or(u32::MAX);
        Ok(Self { sample_rate: setup.sample_rate(), num_channels, setup })
    }

    /// The binary logarithm of the size of a packet's block; `None` if it is not an audio packet.
    pub(crate) fn exponent(&self, packet: &[u8]) -> Option<u8> {
        let size = self.setup.block_size(packet)?;
        u8::try_from(size.trailing_zeros()).ok()
    }
}

/// The frames that two consecutive blocks give: those from the middle of one to the middle of the next (section 4.3.8).
pub(crate) fn frames_between(previous: u8, exponent: u8) -> u64 {
    (1 << previous) / 4 + (1 << exponent) / 4
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        let mut identification = b"\x01vorbis\0\0\0\0\x02\x44\xac\0\0".to_vec();
        identification.extend([0; 12]);
        identification.extend([0xB8, 1]);
        let refusal = |place: usize, value: u8| {
            let mut identification = identification.clone();
            if let Some(byte) = identification.get_mut(place) {
                *byte = value;
            }
            let error = VorbisSetup::parse(&identification, b"\x05vorbis", 1 << 20, 77).unwrap_err();
            assert_eq!(error.offset(), Some(77), "{error}");
            (error.status(), error.message().to_owned())
        };
        let expected = "Vorbis with 9 channels has no defined channel order";
        assert_eq!(refusal(11, 9), (Status::Unsupported, expected.to_owned()));
        let expected = "version 1 of Vorbis, expected version 0";
        assert_eq!(refusal(7, 1), (Status::Unsupported, expected.to_owned()));
        let expected = "the Vorbis stream's block sizes are not between 64 and 8192";
        assert_eq!(refusal(28, 0x8B), (Status::BadData, expected.to_owned()));
        let expected = "the Vorbis stream's codebook has no sync pattern";
        assert_eq!(refusal(29, 1), (Status::BadData, expected.to_owned()));
    }
}
