//! The header of a stream: `OpusHead` of Ogg and Matroska (RFC 7845, section 5.1) and `dOps` of MP4 (Encapsulation of Opus in
//! ISO Base Media File Format, section 4.3.2), which has the same fields in the other order of bytes.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, SampleFormat, SeekClass, Status, StreamInfo};

use super::cells::{CELL_FRAMES, CELL_PRE_ROLL, PRE_ROLL};
use super::packet::{Kind, MAX_PACKET_FRAMES, SAMPLE_RATE, split};
use crate::bytes::Bytes;
use crate::tags::vorbis_comment::default_channel_mask;

/// The first bytes of the header.
pub(crate) const SIGNATURE: &[u8; 8] = b"OpusHead";

/// The mapping of a channel that is silent.
const SILENT: u8 = 255;

/// The place of each of Vorbis' channels, in the order of WAVE (RFC 7845, section 5.1.1.2).
pub(super) const WAVE_ORDER: [&[usize]; 9] = [
    &[],
    &[0],
    &[0, 1],
    &[0, 2, 1],
    &[0, 1, 2, 3],
    &[0, 2, 1, 3, 4],
    &[0, 2, 1, 5, 3, 4],
    &[0, 2, 1, 6, 5, 3, 4],
    &[0, 2, 1, 7, 5, 6, 3, 4],
];

/// The parameters for decoding packets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OpusSetup {
    /// The frames to drop at the start.
    pub(crate) pre_skip: u16,
    /// The factor of all samples.
    pub(crate) gain: f32,
    pub(crate) num_streams: usize,
    /// How many of the streams, the first ones, have two channels.
    pub(crate) num_coupled: usize,
    /// The decoded channel of each channel of output, in WAVE order; `None` for silence.
    pub(crate) channels: Vec<Option<usize>>,
    pub(crate) channel_mask: u64,
}

impl OpusSetup {
    /// Reads the header of Ogg and Matroska.
    ///
    /// # Errors
    /// When it is malformed, or the mapping is not supported.
    pub(crate) fn from_head(header: &[u8], offset: u64) -> Result<Self> {
        let Some(rest) = header.strip_prefix(SIGNATURE) else {
            return Err(Error::bad_data(offset, "the Opus stream does not begin with 'OpusHead'"));
        };
        let mut fields = Bytes::at(rest, offset + SIGNATURE.len() as u64);
        let version = fields.u8()?;
        if version > 15 {
            return Err(
                Error::unsupported(format!("version {version} of the Opus header, expected 1")).at(offset)
            );
        }
        let num_channels = fields.u8()?;
        let pre_skip = u16::from_le_bytes(fields.array()?);
        fields.u32_le()?; // the rate of the encoder's input
        let gain = i16::from_le_bytes(fields.array()?);
        Self::read(num_channels, pre_skip, gain, fields)
    }

    /// Reads the box of MP4 after its size and kind.
    ///
    /// # Errors
    /// As [`from_head`](Self::from_head).
    pub(crate) fn from_box(mut fields: Bytes<'_>) -> Result<Self> {
        let offset = fields.offset();
        let version = fields.u8()?;
        if version != 0 {
            return Err(Error::unsupported(format!("version {version} of 'dOps', expected 0")).at(offset));
        }
        let num_channels = fields.u8()?;
        let pre_skip = fields.u16()?;
        fields.u32()?; // the rate of the encoder's input
        let gain = fields.u16()?.cast_signed();
        Self::read(num_channels, pre_skip, gain, fields)
    }

    /// The setup of a stream without a header.
    ///
    /// # Errors
    /// When there are more than two channels, whose mapping nothing tells.
    pub(crate) fn without_head(num_channels: u32) -> Result<Self> {
        match u8::try_from(num_channels) {
            Ok(num_channels @ 1..=2) => Self::read(num_channels, 0, 0, Bytes::new(&[0])),
            _ => Err(Error::unsupported(format!("Opus of {num_channels} channels without a header"))),
        }
    }

    /// Reads the mapping of channels, which ends the header.
    fn read(num_channels: u8, pre_skip: u16, gain: i16, mut fields: Bytes<'_>) -> Result<Self> {
        let offset = fields.offset();
        let family = fields.u8()?;
        let bad = |what: String| Error::bad_data(offset, format!("the Opus header has {what}"));
        let (num_streams, num_coupled, mapping) = match family {
            0 => (1, num_channels.saturating_sub(1), (0..num_channels).collect()),
            1 | 2 | 255 => {
                let (num_streams, num_coupled) = (fields.u8()?, fields.u8()?);
                (num_streams, num_coupled, fields.take(num_channels.into())?.rest().to_vec())
            }
            _ => return Err(Error::unsupported(format!("Opus with mapping family {family}")).at(offset)),
        };
        let most = match family {
            0 => 2,
            1 => 8,
            _ => 255,
        };
        if num_channels == 0 || num_channels > most {
            return Err(bad(format!(
                "{num_channels} channels in mapping family {family}, expected 1 to {most}"
            )));
        }
        let num_decoded = u32::from(num_streams) + u32::from(num_coupled);
        if num_streams == 0 || num_coupled > num_streams || num_decoded > 255 {
            return Err(bad(format!("{num_streams} streams, {num_coupled} of them coupled")));
        }
        if let Some(source) =
            mapping.iter().find(|source| **source != SILENT && u32::from(**source) >= num_decoded)
        {
            return Err(bad(format!("a mapping to channel {source} of {num_decoded}")));
        }
        let channels = mapping.iter().map(|source| (*source != SILENT).then_some(usize::from(*source)));
        let channels: Vec<_> = channels.collect();
        let is_ordered = family <= 1;
        let order = WAVE_ORDER.get(channels.len()).filter(|_| is_ordered);
        let channels = match order {
            Some(order) => order.iter().map(|place| channels.get(*place).copied().flatten()).collect(),
            None => channels,
        };
        Ok(Self {
            pre_skip,
            gain: if gain == 0 { 1.0 } else { 10_f32.powf(f32::from(gain) / (20.0 * 256.0)) },
            num_streams: num_streams.into(),
            num_coupled: num_coupled.into(),
            channels,
            channel_mask: if is_ordered { default_channel_mask(num_channels.into()) } else { 0 },
        })
    }

    /// Samples per frame.
    pub(crate) fn num_channels(&self) -> u32 {
        u32::try_from(self.channels.len()).unwrap_or(0)
    }

    /// What all streams of a packet are made of. One of CELT depends on nothing older than [`PRE_ROLL`].
    pub(crate) fn kind(&self, packet: &[u8]) -> Kind {
        let streams = split(packet, self.num_streams);
        Kind::of(streams.map(|found| found.map_or(Kind::Mixed, |(_, parsed)| parsed.kind)))
    }

    /// Whether one of the packets is valid.
    pub(crate) fn any_is_valid<P: AsRef<[u8]>>(&self, mut packets: impl Iterator<Item = P>) -> bool {
        packets.any(|packet| split(packet.as_ref(), self.num_streams).all(|found| found.is_some()))
    }

    /// Checks that decoders and their buffers fit into `max_alloc` bytes.
    ///
    /// # Errors
    /// [`Status::Limit`].
    pub(crate) fn check_room(&self, max_alloc: u64) -> Result<()> {
        // Measured: a decoder of two channels takes 190 kB.
        let num_channels = (self.num_streams + self.num_coupled + self.channels.len()) as u64;
        let needed = num_channels * (u64::from(MAX_PACKET_FRAMES) * 4 + (192 << 10));
        if needed <= max_alloc {
            return Ok(());
        }
        let streams = self.num_streams;
        let message = format!(
            "decoding {streams} streams of Opus needs {needed} bytes, but only {max_alloc} may be allocated"
        );
        Err(Error::new(Status::Limit, message))
    }

    /// The stream info of a stream whose first packet is of that kind, without the fields of the container.
    pub(crate) fn info(&self, first: Kind) -> StreamInfo {
        let is_plain = first == Kind::Celt;
        StreamInfo {
            sample_rate: SAMPLE_RATE,
            num_channels: self.num_channels(),
            channel_mask: self.channel_mask,
            num_frames: None,
            bits_per_sample: 0,
            native_format: SampleFormat::F32,
            formats: &[SampleFormat::F32],
            // Which seeks are exact depends on the packets near their places, see `Cells`. The grid tells the host where
            // seeks cost least.
            seek_class: if is_plain {
                SeekClass::Exact
            } else {
                SeekClass::Anchored { grid_frames: CELL_FRAMES }
            },
            is_lossless: false,
            is_truncated: false,
            priming_frames: self.pre_skip.into(),
            padding_frames: 0,
            seek_cost_frames: if is_plain { PRE_ROLL } else { CELL_PRE_ROLL },
            codec: c"opus",
            container: c"",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn head(num_channels: u8, gain: i16, mapping: &[u8]) -> Vec<u8> {
        let gain = gain.to_le_bytes();
        [&b"OpusHead\x01"[..], &[num_channels], &[0x38, 1, 0x80, 0xBB, 0, 0], &gain, mapping].concat()
    }

    fn read(num_channels: u8, gain: i16, mapping: &[u8]) -> Result<OpusSetup> {
        OpusSetup::from_head(&head(num_channels, gain, mapping), 0)
    }

    #[test]
    fn a_header_without_a_mapping_is_mono_or_stereo() {
        let setup = read(2, 0, &[0]).unwrap();
        assert_eq!(
            (setup.pre_skip, setup.num_streams, setup.num_coupled, setup.channel_mask),
            (312, 1, 1, 3)
        );
        assert_eq!(setup.channels, [Some(0), Some(1)]);
        assert_eq!(setup.gain.to_bits(), 1_f32.to_bits());
        let mono = read(1, -1536, &[0]).unwrap();
        assert_eq!(
            (mono.num_streams, mono.num_coupled, mono.channels.as_slice()),
            (1, 0, [Some(0)].as_slice())
        );
        assert!((mono.gain - 0.501_187).abs() < 1e-6, "-6 dB");
        assert!(read(3, 0, &[0]).is_err() && read(0, 0, &[0]).is_err());
    }

    #[test]
    fn surround_comes_in_the_order_of_wave() {
        // 5.1 of RFC 7845: left, center, right, back left, back right, LFE.
        let setup = read(6, 0, &[1, 4, 2, 0, 4, 1, 2, 3, 5]).unwrap();
        assert_eq!(setup.channels, [Some(0), Some(1), Some(4), Some(5), Some(2), Some(3)]);
        assert_eq!(setup.channel_mask, 0x3F);
        // Without positions the order is that of the file.
        let setup = read(3, 0, &[255, 3, 0, 2, 255, 0]).unwrap();
        assert_eq!((setup.channels.as_slice(), setup.channel_mask), ([Some(2), None, Some(0)].as_slice(), 0));
    }

    #[test]
    fn contradictions_are_malformed_and_other_mappings_unsupported() {
        for mapping in [
            &[1, 0, 0, 0, 0][..],
            &[1, 1, 2, 0, 1],
            &[1, 1, 0, 0, 1],
            &[1, 1, 1, 0],
            &[1, 200, 200, 0, 0],
            &[],
        ] {
            assert_eq!(read(2, 0, mapping).unwrap_err().status(), Status::BadData, "{mapping:?}");
        }
        assert_eq!(read(2, 0, &[3, 1, 1, 0, 1]).unwrap_err().status(), Status::Unsupported);
        assert_eq!(OpusSetup::from_head(b"OpusHead\x10", 0).unwrap_err().status(), Status::Unsupported);
        assert_eq!(OpusSetup::from_head(b"OpusTags", 0).unwrap_err().status(), Status::BadData);
    }

    #[test]
    fn the_box_of_mp4_says_the_same() {
        let bytes = [0, 2, 1, 0x38, 0, 0, 0xBB, 0x80, 0, 0, 0];
        assert_eq!(OpusSetup::from_box(Bytes::new(&bytes)).unwrap(), read(2, 0, &[0]).unwrap());
    }
}
