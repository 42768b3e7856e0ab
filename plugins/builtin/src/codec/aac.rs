//! AAC Low Complexity (ISO/IEC 14496-3, subpart 4): its setup and its packets.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use mapwave_plugin::fork::hold_off;
use mapwave_plugin::{Error, Output, Result};
use symphonia_codec_aac::AacDecoder;
use symphonia_core::audio::{Audio, Channels, GenericAudioBufferRef, layouts};
use symphonia_core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use crate::bits::{Bits, MsbFirst};
use crate::engine::packets::Broken;

/// The frames of a packet.
pub(crate) const FRAMES_PER_PACKET: u32 = 1024;

/// The packets that are inspected before decoding starts.
pub(crate) const PACKETS_LOOKED_AT: usize = 16;

/// Packets of stereo between two points at which decoding restarts.
///
/// Noise substitution draws from a generator whose initial state only a new decoder has, and a new decoder costs as
/// much as sixteen packets of stereo, because its windows and twiddle factors are computed again. Together with the
/// packet of pre-roll it takes 127 us, a packet 15 us at 160 kbit/s. So a whole file takes a tenth longer, and a window
/// of one second, which on average starts half a grid after a point, stays below 2 ms. Packets of mono cost half as
/// much, so their grid has twice as many.
const GRID_PACKETS: u32 = 80;

/// The cost of a new decoder, in packets of stereo that decode in the same time.
const PACKETS_PER_CREATION: u64 = 16;

/// Audio object types whose setup states the rate of spectral band replication (ISO/IEC 14496-3, table 1.17): with one core channel,
/// the second decodes to two.
const HE_AAC: u32 = 5;
const HE_AAC_V2: u32 = 29;

/// Frames per second by index (ISO/IEC 14496-3, table 1.18).
const SAMPLE_RATES: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

/// The parameters for decoding packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AacSetup {
    pub(crate) sample_rate: u32,
    /// 1 or 2.
    pub(crate) num_channels: u32,
}

impl AacSetup {
    /// Checks the numbers of a header: the audio object type and the channel configuration (ISO/IEC 14496-3, tables
    /// 1.17 and 1.19).
    ///
    /// # Errors
    /// [`Status::Unsupported`](mapwave_plugin::Status::Unsupported) for what is not Low Complexity in one or two channels.
    pub(crate) fn new(object_type: u32, sample_rate: u32, channel_configuration: u32) -> Result<Self> {
        let name = match object_type {
            2 if matches!(channel_configuration, 1 | 2) => {
                return Ok(Self { sample_rate, num_channels: channel_configuration });
            }
            2 => {
                let channels = match channel_configuration {
                    0 => "channels defined by its packets".to_owned(),
                    7 => "8 channels".to_owned(),
                    other => format!("{other} channels"),
                };
                return Err(needs_libav(&format!("AAC with {channels}")));
            }
            1 => "AAC Main",
            3 => "AAC SSR",
            4 => "AAC LTP",
            HE_AAC | HE_AAC_V2 => "HE-AAC",
            6 | 20 => "AAC Scalable",
            23 => "AAC-LD",
            39 => "AAC-ELD",
            42 => "xHE-AAC",
            _ => return Err(needs_libav(&format!("MPEG-4 audio of object type {object_type}"))),
        };
        Err(needs_libav(name))
    }

    /// Reads an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
    ///
    /// # Errors
    /// As [`new`](Self::new), and when it is truncated or has a reserved value.
    pub(crate) fn from_config(config: &[u8], offset: u64) -> Result<Self> {
        let mut bits = Bits::new(config);
        Self::from_bits(&mut bits).unwrap_or_else(|| {
            let found = config.len();
            Err(Error::bad_data(
                offset,
                format!("the AAC setup of {found} bytes is truncated or has a reserved sample rate"),
            ))
        })
    }

    fn from_bits(bits: &mut Bits<'_, MsbFirst>) -> Option<Result<Self>> {
        let object_type = object_type(bits)?;
        let sample_rate = sample_rate(bits)?;
        let channel_configuration = bits.read(4).ok()?;
        let setup = match Self::new(object_type, sample_rate, channel_configuration) {
            Ok(setup) => setup,
            error => return Some(error),
        };
        // GASpecificConfig (4.4.1)
        if bits.read(1).ok()? == 1 {
            return Some(Err(needs_libav("AAC with 960 frames per packet")));
        }
        if bits.read(1).ok()? == 1 {
            bits.read(14).ok()?; // coreCoderDelay
        }
        bits.read(1).ok()?; // extensionFlag: Low Complexity has no extension
        Some(if has_sbr_extension(bits) == Some(true) { Err(needs_libav("HE-AAC")) } else { Ok(setup) })
    }

    /// The sample rate and the number of channels that an AudioSpecificConfig states, of any profile; 0 channels if its packets define
    /// them.
    pub(crate) fn stated(config: &[u8]) -> Option<(u32, u32)> {
        let mut bits = Bits::new(config);
        let object_type = object_type(&mut bits)?;
        let sample_rate_of_core = sample_rate(&mut bits)?;
        let num_channels = match (bits.read(4).ok()?, object_type) {
            (1, HE_AAC_V2) => 2,
            (7 | 12 | 14, _) => 8,
            (11, _) => 7,
            (configuration @ 1..=6, _) => configuration,
            _ => 0,
        };
        let is_extended = matches!(object_type, HE_AAC | HE_AAC_V2);
        let sample_rate = if is_extended { sample_rate(&mut bits)? } else { sample_rate_of_core };
        Some((sample_rate, num_channels))
    }

    /// Checks the first packets for tools that the setup does not mention.
    ///
    /// Nine of ten packets must have band replication, because the first may lack it. By chance one packet in fifty
    /// looks like that: one in a hundred thousand streams of three packets, and one in 10^24 of sixteen.
    ///
    /// # Errors
    /// When packets carry unannounced spectral band replication, or begin with an element that is not
    /// supported.
    pub(crate) fn check_packets<'a>(&self, packets: impl Iterator<Item = &'a [u8]>) -> Result<()> {
        let (mut num_packets, mut num_with_sbr) = (0u32, 0u32);
        for packet in packets {
            // Elements 2 and 5 are coupling channels and program configurations (4.4.2.1).
            if matches!(packet.first().map(|byte| byte >> 5), Some(2 | 5)) {
                return Err(needs_libav("AAC whose packets define their channels"));
            }
            num_packets += 1;
            num_with_sbr += u32::from(self.sample_rate <= 24000 && ends_with_sbr(packet));
        }
        if num_packets >= 3 && num_with_sbr * 10 >= num_packets * 9 {
            Err(needs_libav("HE-AAC"))
        } else {
            Ok(())
        }
    }

    /// Whether at least one packet can be decoded. The first packets of nearly every stream begin and end as they must, and
    /// differ; only where they do not is anything decoded: random bytes look like eight such packets once in 10^8 streams.
    ///
    /// # Errors
    /// As [`codec`](Self::codec).
    pub(crate) fn any_decodes<P>(&self, mut packets: impl Iterator<Item = P> + Clone) -> Result<bool>
    where
        P: AsRef<[u8]> + PartialEq,
    {
        let (mut num_packets, mut previous, mut are_alike) = (0, None, true);
        let are_plausible = packets.clone().take(PACKETS_LOOKED_AT).all(|packet| {
            num_packets += 1;
            let is_plausible = self.is_plausible(packet.as_ref());
            are_alike &= previous.as_ref().is_none_or(|previous| *previous == packet);
            previous = Some(packet);
            is_plausible
        });
        if are_plausible && num_packets >= PACKETS_LOOKED_AT / 2 && !are_alike {
            return Ok(true);
        }
        let mut codec = self.codec()?;
        let mut plausible = packets.clone().filter(|packet| self.is_plausible(packet.as_ref()));
        if plausible.any(|packet| codec.decode(packet.as_ref()).is_ok()) {
            return Ok(true);
        }
        // A packet that begins with the end element is valid and holds nothing.
        let is_empty = |packet: &[u8]| packet.first().is_none_or(|byte| byte >> 5 == 7);
        let mut codec = self.codec()?;
        Ok(packets.any(|packet| !is_empty(packet.as_ref()) && codec.decode(packet.as_ref()).is_ok()))
    }

    /// The element of one or of two channels (4.4.2.1).
    fn channel_element(&self) -> u8 {
        u8::from(self.num_channels == 2)
    }

    /// Whether a packet begins with an element that the stream may have first, and ends with the end element and zeros up to
    /// the byte (4.4.2.1).
    fn is_plausible(&self, packet: &[u8]) -> bool {
        // Element 4 is data, 6 fills.
        let begins = packet.first().is_some_and(|byte| [self.channel_element(), 4, 6].contains(&(byte >> 5)));
        let num_zeros = packet.last().map_or(8, |byte| byte.trailing_zeros());
        let end = (packet.len() * 8).checked_sub(num_zeros as usize + 3);
        begins && num_zeros < 8 && end.is_some_and(|end| bits_at(packet, end, 3) == Some(7))
    }

    /// The distance between points at which decoding restarts, in frames.
    pub(crate) fn grid_frames(&self) -> u64 {
        u64::from(GRID_PACKETS) * u64::from(FRAMES_PER_PACKET) * 2 / u64::from(self.num_channels.max(1))
    }

    /// The cost of a seek in frames: a new decoder and a packet of pre-roll.
    pub(crate) fn seek_cost_frames(&self) -> u64 {
        let creation = PACKETS_PER_CREATION * 2 / u64::from(self.num_channels.max(1));
        (creation + 1) * u64::from(FRAMES_PER_PACKET)
    }

    /// A decoder in its initial state.
    pub(crate) fn codec(&self) -> Result<AacCodec> {
        AacCodec::new(self)
    }
}

/// The error for variants that only FFmpeg decodes.
fn needs_libav(what: &str) -> Error {
    Error::unsupported(format!("{what} needs the libav plugin; only AAC-LC in mono and stereo is built in"))
}

/// An audio object type (ISO/IEC 14496-3, 1.6.2.1, GetAudioObjectType).
fn object_type(bits: &mut Bits<'_, MsbFirst>) -> Option<u32> {
    match bits.read(5).ok()? {
        31 => Some(32 + bits.read(6).ok()?),
        short => Some(short),
    }
}

fn sample_rate(bits: &mut Bits<'_, MsbFirst>) -> Option<u32> {
    match bits.read(4).ok()? {
        15 => bits.read(24).ok().filter(|rate| *rate > 0),
        index => sample_rate_of(index),
    }
}

/// The sample rate of an index; `None` for reserved indices and the escape.
pub(crate) fn sample_rate_of(index: u32) -> Option<u32> {
    SAMPLE_RATES.get(usize::try_from(index).ok()?).copied()
}

/// Whether the setup continues with an extension that announces spectral band replication (1.6.5).
fn has_sbr_extension(bits: &mut Bits<'_, MsbFirst>) -> Option<bool> {
    let is_extension = bits.read(11).ok()? == 0x2b7;
    Some(is_extension && matches!(object_type(bits)?, 5 | 22) && bits.read(1).ok()? == 1)
}

/// Whether a packet ends with a fill element that holds spectral band replication. The search goes backwards: up to
/// seven bits of padding follow the end element, and fill elements, each of which begins with its length, precede it
/// (4.4.2.7).
///
/// By chance one packet in fifty looks like that; in HE-AAC every packet does.
pub(crate) fn ends_with_sbr(packet: &[u8]) -> bool {
    let num_bits = packet.len() * 8;
    let ends = (0..8usize).filter_map(|filling| num_bits.checked_sub(filling + 3));
    ends.filter(|end| bits_at(packet, *end, 3) == Some(7)).any(|end| {
        fills_before(packet, end).any(|(start, is_sbr)| {
            // An element of padding may follow it.
            is_sbr || fills_before(packet, start).any(|(_, is_sbr)| is_sbr)
        })
    })
}

/// The possible fill elements that end at a bit: where they begin, and whether they hold spectral band replication.
fn fills_before(packet: &[u8], end: usize) -> impl Iterator<Item = (usize, bool)> + '_ {
    (0..=269u32).filter_map(move |count| {
        let (header_bits, header) =
            if count < 15 { (7, 6 << 4 | count) } else { (15, (6 << 4 | 15) << 8 | (count - 14)) };
        let start = end.checked_sub(count as usize * 8 + header_bits as usize)?;
        let is_fill = bits_at(packet, start, header_bits) == Some(header);
        // EXT_SBR_DATA and EXT_SBR_DATA_CRC
        let is_sbr = matches!(bits_at(packet, start + header_bits as usize, 4), Some(13 | 14));
        is_fill.then_some((start, is_sbr && count > 0))
    })
}

fn bits_at(bytes: &[u8], position: usize, count: u32) -> Option<u32> {
    Bits::<MsbFirst>::at(bytes, position as u64).read(count).ok()
}

/// Turns packets into samples.
pub(crate) struct AacCodec {
    setup: AacSetup,
    decoder: AacDecoder,
    has_decoded: bool,
    num_renewals: u32,
}

/// How often a codec replaces its decoder at most, which takes as long as decoding sixteen packets.
const MAX_RENEWALS: u32 = 4096;

/// A packet of silence in mono (ISO/IEC 14496-3, 4.4.2.1) whose first three bands are of Huffman codebooks 1, 5 and 11, so that
/// all tables are needed to decode it.
const SILENCE: [u8; 10] = [0x00, 0xc8, 0x01, 0x84, 0x2a, 0x1b, 0x08, 0x00, 0x03, 0x80];

/// Fills the tables that all decoders share. symphonia fills each when it is first needed, behind a lock, which would stay locked
/// in a child that is forked meanwhile.
fn fill_tables() {
    static ARE_FULL: AtomicBool = AtomicBool::new(false);
    if !ARE_FULL.load(Ordering::Acquire) {
        hold_off(|| {
            let setup = AacSetup { sample_rate: 44_100, num_channels: 1 };
            // The decoder of another file fails in the same way, and says so.
            drop(AacCodec::create(&setup).map(|mut codec| codec.decode(&SILENCE).is_ok()));
        });
        ARE_FULL.store(true, Ordering::Release);
    }
}

impl AacCodec {
    fn new(setup: &AacSetup) -> Result<Self> {
        fill_tables();
        Self::create(setup)
    }

    fn create(setup: &AacSetup) -> Result<Self> {
        let decoder = Self::decoder(setup)?;
        Ok(Self { setup: *setup, decoder, has_decoded: false, num_renewals: 0 })
    }

    fn decoder(setup: &AacSetup) -> Result<AacDecoder> {
        let channels: Channels = match setup.num_channels {
            1 => layouts::CHANNEL_LAYOUT_MONO,
            _ => layouts::CHANNEL_LAYOUT_STEREO,
        };
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(CODEC_ID_AAC).with_sample_rate(setup.sample_rate).with_channels(channels);
        let decoder = AacDecoder::try_new(&parameters, &AudioDecoderOptions::default());
        decoder.map_err(|error| Error::unsupported(error.to_string()))
    }

    /// Decodes a packet and returns the number of frames. A damaged packet becomes silence, as in other decoders.
    pub(crate) fn decode(&mut self, packet: &[u8]) -> Result<usize, Broken> {
        if packet.is_empty() {
            return Err(Broken::Silence); // the decoder would return the last packet again
        }
        let input = PacketRef::new(0, Timestamp::new(0), Duration::new(FRAMES_PER_PACKET.into()), packet);
        match self.decoder.decode_ref(&input).map(|samples| samples.frames()) {
            Ok(num_frames) => {
                self.has_decoded = true;
                Ok(num_frames)
            }
            Err(_) => {
                self.forget(packet);
                Err(Broken::Silence)
            }
        }
    }

    /// Replaces a decoder that has only seen damage: it expects all packets to have the elements of the first one.
    fn forget(&mut self, packet: &[u8]) {
        let is_usual = packet.first().is_some_and(|byte| byte >> 5 == self.setup.channel_element());
        if !self.has_decoded
            && !is_usual
            && self.num_renewals < MAX_RENEWALS
            && let Ok(decoder) = Self::decoder(&self.setup)
        {
            self.decoder = decoder;
            self.num_renewals += 1;
        }
    }

    /// Writes frames of the last decoded packet.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        let GenericAudioBufferRef::F32(samples) = self.decoder.last_decoded() else { return 0 };
        let channel = |index| samples.plane(index).and_then(|plane| plane.get(frames.clone())).unwrap_or(&[]);
        match output.num_channels() {
            1 => output.write_planar(&[channel(0)], |sample: f32| sample),
            2 => output.write_planar(&[channel(0), channel(1)], |sample: f32| sample),
            _ => 0,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mapwave_plugin::Status;

    use super::*;

    fn refusal(config: &[u8]) -> Error {
        AacSetup::from_config(config, 7).unwrap_err()
    }

    #[test]
    fn silence_that_needs_all_tables_is_decoded() {
        let mut codec = AacCodec::create(&AacSetup { sample_rate: 44_100, num_channels: 1 }).unwrap();
        assert!(matches!(codec.decode(&SILENCE), Ok(1024)));
        let codebooks = [26, 35, 44].map(|position| bits_at(&SILENCE, position, 4));
        assert_eq!(codebooks, [Some(1), Some(5), Some(11)]);
    }

    #[test]
    fn a_setup_is_read() {
        let stereo = AacSetup { sample_rate: 44100, num_channels: 2 };
        assert_eq!(AacSetup::from_config(&[0x12, 0x10], 0).unwrap(), stereo);
        // An extension that denies band replication, as FFmpeg writes it.
        assert_eq!(AacSetup::from_config(&[0x12, 0x10, 0x56, 0xe5, 0], 0).unwrap(), stereo);
        // A sample rate of 44056 by value.
        let escaped = [0x17, 0x80, 0x56, 0x0c, 0x08];
        let mono = AacSetup { sample_rate: 44056, num_channels: 1 };
        assert_eq!(AacSetup::from_config(&escaped, 0).unwrap(), mono);
    }

    #[test]
    fn other_profiles_and_channels_are_rejected_by_name() {
        for config in [&[0x13, 0x88, 0x56, 0xe5, 0xa0][..], &[0x2b, 0x8a, 0x08, 0], &[0xeb, 0x8a, 0x08, 0]] {
            let error = refusal(config);
            assert_eq!(error.status(), Status::Unsupported);
            assert!(error.message().contains("HE-AAC needs the libav plugin"), "{error}");
        }
        assert!(refusal(&[0x12, 0x30]).message().contains("6 channels"));
        assert!(refusal(&[0x12, 0x14]).message().contains("960"));
        assert!(refusal(&[0x0a, 0x10]).message().contains("AAC Main"));
        assert!(refusal(&[0xf9, 0x46, 0x20]).message().contains("xHE-AAC"));
    }

    #[test]
    fn any_profile_states_its_rate_and_channels() {
        assert_eq!(AacSetup::stated(&[0x12, 0x10]), Some((44100, 2)));
        // 5.1, and HE-AAC v2 of 24 kHz in one channel, which decodes to 48 kHz in two.
        assert_eq!(AacSetup::stated(&[0x11, 0xb0]), Some((48000, 6)));
        assert_eq!(AacSetup::stated(&[0xeb, 0x09, 0x88, 0x00]), Some((48000, 2)));
        assert_eq!(AacSetup::stated(&[0x12]), None);
    }

    #[test]
    fn a_truncated_setup_is_bad_data() {
        for config in [&[][..], &[0x12], &[0x17, 0x80, 0x56], &[0x16, 0x90]] {
            let error = refusal(config);
            assert_eq!((error.status(), error.offset()), (Status::BadData, Some(7)));
        }
    }

    #[test]
    fn packets_that_cannot_be_decoded_are_told_from_audio() {
        let mono = AacSetup { sample_rate: 44100, num_channels: 1 };
        // A channel without lines: gain 0, a long window, no bands, no tools; then the end element.
        let silent = &[0, 0, 0, 0, 0x70][..];
        assert!(!mono.is_plausible(&[0; 9]) && !mono.is_plausible(&[]) && !mono.is_plausible(&[0xff; 9]));
        assert!(mono.is_plausible(silent) && !mono.is_plausible(&[0x74; 9]));
        let any = |packets: &[&[u8]]| mono.any_decodes(packets.iter().copied()).unwrap();
        for broken in [&[0_u8; 30][..], &[0x74; 30], &[0xff; 30], &[0x07; 30], &[]] {
            assert!(!any(&vec![broken; 40]), "{broken:?}");
        }
        assert!(!any(&[]));
        // One of many that decodes is enough, wherever it is.
        let fill = [0xc0, 0x0e].as_slice(); // a fill element without bytes, then the end
        let mut packets = vec![&[0_u8; 30][..]; 40];
        packets.push(fill);
        assert_eq!(any(&packets), mono.codec().unwrap().decode(fill).is_ok());
    }

    #[test]
    fn a_damaged_beginning_does_not_silence_the_rest() {
        let stereo = AacSetup { sample_rate: 44100, num_channels: 2 };
        let packet = &[0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80][..]; // two silent channels
        let mut codec = stereo.codec().unwrap();
        assert_eq!(codec.decode(packet).ok(), Some(1024));
        let mut codec = stereo.codec().unwrap();
        // One channel, in a stream that always has two.
        assert!(codec.decode(&[0; 30]).is_err());
        assert_eq!(codec.decode(packet).ok(), Some(1024));
        assert!(codec.decode(&[0; 30]).is_err());
        assert_eq!(codec.decode(packet).ok(), Some(1024));
    }

    #[test]
    fn band_replication_is_found_from_the_end() {
        // 5 bits of a pair; a fill element of 2 bytes that begins with 13; the end element and a bit to fill the byte.
        let with_sbr = [0b0010_0110, 0b0010_1101, 0b0000_1111, 0b0000_1110];
        assert!(ends_with_sbr(&with_sbr));
        assert!(!ends_with_sbr(&[0b0010_0110, 0b0010_0001, 0b0000_1111, 0b0000_1110]));
        assert!(!ends_with_sbr(&[]) && !ends_with_sbr(&[0; 40]) && !ends_with_sbr(&[7]));
        let setup = AacSetup { sample_rate: 22050, num_channels: 2 };
        assert!(setup.check_packets([&with_sbr[..]; 4].into_iter()).is_err());
        assert!(setup.check_packets([&with_sbr[..], &[0x21, 0], &with_sbr].into_iter()).is_ok());
    }
}
