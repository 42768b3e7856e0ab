//! AAC Low Complexity (ISO/IEC 14496-3, subpart 4): its setup and its packets.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ops::Range;

use mapwave_aac::{BatchError, Config, DecodeError, Decoder, Noise};
use mapwave_plugin::{Error, Output, Result};

use crate::bits::{Bits, MsbFirst};
use crate::codec::checkpoints::SPACING;
use crate::engine::packets::{Broken, Numbered, NumberedPackets, Wanted};

/// The frames of a packet of ADTS, and of nearly all others.
pub(crate) const FRAMES_PER_PACKET: u32 = 1024;

/// The packets that are inspected before decoding starts.
pub(crate) const PACKETS_LOOKED_AT: usize = 16;

/// The packets at the beginning that show a stream to be one if each of them looks like a packet: few, since each must be fetched.
const PLAUSIBLE_PACKETS: usize = 8;

/// Packets of stereo in a cell, at whose beginning the generator of noise begins again; those of mono have twice as many.
///
/// Noise is drawn from one generator, packet after packet, as in FFmpeg. Where decoding begins within a cell, what was drawn before is
/// counted, once there is noise: that takes less time than to decode, and the longer the cells are, the longer it takes.
const CELL_PACKETS: u64 = 80;

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
    config: Config,
}

impl AacSetup {
    /// Checks the numbers of a header: the audio object type and the channel configuration (ISO/IEC 14496-3, tables
    /// 1.17 and 1.19).
    ///
    /// # Errors
    /// [`Status::Unsupported`](mapwave_plugin::Status::Unsupported) for what is not Low Complexity in a known order of at most eight
    /// channels.
    pub(crate) fn new(object_type: u32, sample_rate: u32, channel_configuration: u32) -> Result<Self> {
        check_profile(object_type)?;
        match Config::new(sample_rate, channel_configuration) {
            Ok(config) => Ok(Self { config }),
            Err(_) if channel_configuration == 0 => {
                Err(needs_libav("AAC with channels defined by its packets"))
            }
            Err(_) => Err(needs_libav(&format!("AAC in channel configuration {channel_configuration}"))),
        }
    }

    /// Reads an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
    ///
    /// # Errors
    /// As [`new`](Self::new), and when it is truncated or has a reserved value.
    pub(crate) fn from_config(config: &[u8], offset: u64) -> Result<Self> {
        let found = config.len();
        let bad = |what: &str| Err(Error::bad_data(offset, format!("the AAC setup of {found} bytes {what}")));
        match object_type(&mut Bits::new(config)) {
            Some(object_type) => check_profile(object_type)?,
            None => return bad("is truncated"),
        }
        match Config::parse_with_extensions(config) {
            Ok(config) => Ok(Self { config }),
            Err(DecodeError::Config(what)) => bad(what),
            Err(DecodeError::Unsupported(what)) => Err(needs_libav(&format!("AAC with {what}"))),
            Err(error) => bad(&error.to_string()),
        }
    }

    /// Frames per second.
    pub(crate) fn sample_rate(&self) -> u32 {
        self.config.sample_rate()
    }

    pub(crate) fn num_channels(&self) -> u32 {
        u32::try_from(self.config.num_channels()).unwrap_or(0)
    }

    /// Speaker positions as a WAVE channel mask, or 0.
    pub(crate) fn channel_mask(&self) -> u64 {
        self.config.channel_mask().into()
    }

    /// The frames of every packet: 1024 or 960; 2048 with band replication.
    pub(crate) fn frames_per_packet(&self) -> u32 {
        u32::try_from(self.config.frames_per_packet()).unwrap_or(FRAMES_PER_PACKET)
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

    /// The same with band replication.
    ///
    /// # Errors
    /// When it is not built in at that rate.
    pub(crate) fn replicated(self) -> Result<Self> {
        if self.is_replicated() {
            return Ok(self);
        }
        let config = self.config.with_band_replication().map_err(|_| needs_libav("HE-AAC at such a rate"))?;
        Ok(Self { config })
    }

    /// Whether high frequencies are replicated: each packet then depends on all before it.
    pub(crate) fn is_replicated(&self) -> bool {
        self.config.has_band_replication()
    }

    /// The same with the tools of the first packets that the setup does not mention. Nine of ten packets must have band replication,
    /// because the first may lack it.
    ///
    /// # Errors
    /// When the packets need another decoder.
    pub(crate) fn refined<'a>(self, packets: impl Iterator<Item = &'a [u8]> + Clone) -> Result<Self> {
        let mut refined = self;
        if !self.is_replicated() {
            let mut decoder = Decoder::new(&self.config);
            let (mut num_packets, mut num_replicated) = (0_u32, 0_u32);
            for packet in packets.clone() {
                num_packets += 1;
                num_replicated += u32::from(decoder.has_band_replication(packet));
                // Two without it are too many of those that are looked at: most streams end here.
                if num_packets - num_replicated > 1 {
                    break;
                }
            }
            if num_packets > 0 && num_replicated * 10 >= num_packets * 9 {
                refined = self.replicated()?;
            }
        }
        if refined.is_replicated() && refined.num_channels() == 1 {
            let mut decoder = Decoder::new(&refined.config);
            for packet in packets {
                let _ = decoder.read(&[packet]); // one that is damaged says nothing
            }
            if decoder.has_met_parametric_stereo()
                && let Ok(config) = refined.config.with_parametric_stereo()
            {
                refined = Self { config };
            }
        }
        Ok(refined)
    }

    /// Whether at least one packet can be decoded: one without channels cannot. The first packets of nearly every stream begin and end as they must, and
    /// differ; only where they do not is anything decoded: random bytes look like eight such packets once in 10^8 streams.
    ///
    /// # Errors
    /// As [`codec`](Self::codec).
    pub(crate) fn any_decodes<P>(&self, mut packets: impl Iterator<Item = P> + Clone) -> Result<bool>
    where
        P: AsRef<[u8]> + PartialEq,
    {
        let (mut num_packets, mut previous, mut are_alike) = (0, None, true);
        let are_plausible = packets.clone().take(PLAUSIBLE_PACKETS).all(|packet| {
            num_packets += 1;
            let is_plausible = self.is_plausible(packet.as_ref());
            are_alike &= previous.as_ref().is_none_or(|previous| *previous == packet);
            previous = Some(packet);
            is_plausible
        });
        if are_plausible && num_packets == PLAUSIBLE_PACKETS && !are_alike {
            return Ok(true);
        }
        let mut decoder = Decoder::new(&self.config);
        let mut plausible = packets.clone().filter(|packet| self.is_plausible(packet.as_ref()));
        Ok(plausible.any(|packet| decoder.read(&[packet.as_ref()]).is_ok())
            || packets.any(|packet| decoder.read(&[packet.as_ref()]).is_ok()))
    }

    /// Whether a packet begins with an element that the stream may have first, and ends with the end element and zeros up to
    /// the byte (4.4.2.1).
    fn is_plausible(&self, packet: &[u8]) -> bool {
        // Element 0 is a channel, 1 a pair; 4 is data, 6 fills, 5 is a program, which streams of a known order rarely have.
        let begins = packet.first().is_some_and(|byte| match (byte >> 5, self.config.num_core_channels()) {
            (4 | 6, _) => true,
            (0, 2) | (1, 1) => false,
            (0 | 1, _) => true,
            (element, num_channels) => element == 5 && num_channels > 2,
        });
        let num_zeros = packet.last().map_or(8, |byte| byte.trailing_zeros());
        let end = (packet.len() * 8).checked_sub(num_zeros as usize + 3);
        begins && num_zeros < 8 && end.is_some_and(|end| bits_at(packet, end, 3) == Some(7))
    }

    /// The cost of a seek in frames: the packet before, and on average half of the first.
    pub(crate) fn seek_cost_frames(&self) -> u64 {
        u64::from(self.frames_per_packet()) * 3 / 2
    }

    /// A decoder in its initial state.
    pub(crate) fn codec(&self) -> AacCodec {
        let cell_packets = if self.num_channels() == 1 { 2 * CELL_PACKETS } else { CELL_PACKETS };
        let is_replicated = self.is_replicated();
        AacCodec { decoder: Decoder::new(&self.config), is_replicated, cell_packets, next: 0, is_lost: false }
    }
}

/// Refuses all profiles but Low Complexity and HE-AAC, by name.
fn check_profile(object_type: u32) -> Result<()> {
    let name = match object_type {
        2 | HE_AAC | HE_AAC_V2 => return Ok(()),
        1 => "AAC Main",
        3 => "AAC SSR",
        4 => "AAC LTP",
        6 | 20 => "AAC Scalable",
        23 => "AAC-LD",
        39 => "AAC-ELD",
        42 => "xHE-AAC",
        _ => return Err(needs_libav(&format!("MPEG-4 audio of object type {object_type}"))),
    };
    Err(needs_libav(name))
}

/// The error for variants that only FFmpeg decodes.
fn needs_libav(what: &str) -> Error {
    Error::unsupported(format!(
        "{what} needs the libav plugin; only AAC-LC and HE-AAC of up to 8 channels are built in"
    ))
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

fn bits_at(bytes: &[u8], position: usize, count: u32) -> Option<u32> {
    Bits::<MsbFirst>::at(bytes, position as u64).read(count).ok()
}

/// Turns packets into samples. Each depends on the one before, and its noise on how much is drawn since the beginning of its cell.
pub(crate) struct AacCodec {
    decoder: Decoder,
    is_replicated: bool,
    cell_packets: u64,
    /// The number of the packet for which the decoder's generator of noise is right; with band replication, for which all is.
    next: u64,
    /// Whether silence replaces the last packet.
    is_lost: bool,
}

impl AacCodec {
    /// Goes back to the initial state; with band replication, only as far as necessary, once it is known what comes next.
    pub(crate) fn reset(&mut self) {
        if self.is_replicated {
            return;
        }
        self.decoder.reset();
        (self.next, self.is_lost) = (0, false);
    }

    /// Decodes a packet and returns the number of frames. A damaged packet becomes silence, as in other decoders.
    pub(crate) fn decode<B: AsRef<[u8]>>(
        &mut self,
        stream: &dyn NumberedPackets,
        packet: &Numbered<B>,
    ) -> Result<usize, Broken> {
        let read = self.read(stream, packet.number, &[packet.as_ref()]);
        if read.is_ok() { Ok(self.decoder.kept_frames(0)) } else { Err(Broken::Silence) }
    }

    /// Decodes packets and writes the wanted frames of each.
    ///
    /// # Errors
    /// The number of the first packet that is damaged. The frames of those before it are written.
    pub(crate) fn decode_batch<B: AsRef<[u8]>>(
        &mut self,
        stream: &dyn NumberedPackets,
        batch: &[Wanted<Numbered<B>>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        let packets: Vec<&[u8]> = batch.iter().map(|wanted| wanted.packet.bytes.as_ref()).collect();
        let mut num_done = 0;
        while let Some(rest) = batch.get(num_done..)
            && let Some(first) = rest.first()
        {
            let read =
                self.read(stream, first.packet.bytes.number, packets.get(num_done..).unwrap_or_default());
            for (index, wanted) in rest.iter().enumerate().take(self.decoder.num_kept()) {
                self.write_kept(index, wanted.frames.clone(), output);
            }
            num_done += read.map_err(|error| (num_done + error.index, Broken::Silence))?;
        }
        Ok(())
    }

    /// Reads packets that follow each other, the first of which has this number: as many as the decoder takes, but only those of one cell.
    fn read(
        &mut self,
        stream: &dyn NumberedPackets,
        number: u64,
        packets: &[&[u8]],
    ) -> Result<usize, BatchError> {
        if self.is_replicated {
            self.go_to(stream, number);
            return self.read_in_order(stream, packets);
        }
        let place = number % self.cell_packets;
        let num_left = usize::try_from(self.cell_packets - place).unwrap_or(usize::MAX);
        let packets = packets.get(..num_left).unwrap_or(packets);
        if place == 0 {
            self.decoder.set_noise(Some(Noise::default()));
        } else if self.next != number {
            self.decoder.set_noise(None);
        }
        let mut read = self.decoder.read(packets);
        if let Err(BatchError { index, reason: DecodeError::NoNoise }) = read {
            read = if index > 0 {
                Ok(index)
            } else {
                let noise = self.noise_before(stream, number);
                self.decoder.set_noise(Some(noise));
                self.decoder.read(packets)
            };
        }
        let num_done = read.as_ref().map_or_else(|error| error.index + 1, |num_read| *num_read);
        self.next = number.saturating_add(num_done as u64);
        self.is_lost = read.is_err();
        read
    }

    /// Decodes what is necessary so that the packet of this number comes next.
    fn go_to(&mut self, stream: &dyn NumberedPackets, number: u64) {
        if self.next == number {
            return;
        }
        match stream.checkpoints().and_then(|checkpoints| checkpoints.before(number)) {
            Some((place, snapshot)) if self.next > number || self.next < place => {
                self.decoder.restore(&snapshot);
                self.next = place;
            }
            None if self.next > number => {
                self.decoder.reset();
                self.next = 0;
            }
            _ => {}
        }
        while self.next < number {
            let end = number.min(self.next.saturating_add(2));
            let packets = (self.next..end).map(|number| stream.packet(number).unwrap_or_default());
            let packets: Vec<Cow<'_, [u8]>> = packets.collect();
            let packets: Vec<&[u8]> = packets.iter().map(|packet| &**packet).collect();
            let _ = self.read_in_order(stream, &packets); // one that is damaged was silence for those after it
        }
    }

    /// Reads the packets that come next: as many as the decoder takes, but none beyond a place for a checkpoint.
    fn read_in_order(
        &mut self,
        stream: &dyn NumberedPackets,
        packets: &[&[u8]],
    ) -> Result<usize, BatchError> {
        let num_left = usize::try_from(SPACING - self.next % SPACING).unwrap_or(usize::MAX);
        let read = self.decoder.read(packets.get(..num_left).unwrap_or(packets));
        let num_done = read.as_ref().map_or_else(|error| error.index + 1, |num_read| *num_read);
        self.next = self.next.saturating_add(num_done as u64);
        self.is_lost = read.is_err();
        if let Some(checkpoints) = stream.checkpoints() {
            checkpoints.offer(self.next, || self.decoder.snapshot());
        }
        read
    }

    /// The generator of noise behind the packets of a cell that come before one of this number.
    fn noise_before(&mut self, stream: &dyn NumberedPackets, number: u64) -> Noise {
        let cell = number - number % self.cell_packets;
        let packets = (cell..number).map(|number| stream.packet(number).unwrap_or_default());
        let packets: Vec<Cow<'_, [u8]>> = packets.collect();
        let packets: Vec<&[u8]> = packets.iter().map(|packet| &**packet).collect();
        Noise::default().after(self.decoder.num_noise_lines(&packets))
    }

    /// Writes frames of the last decoded packet, as many as fit, and returns their number.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        match self.decoder.num_kept().checked_sub(1) {
            _ if self.is_lost => output.write_silence(frames.len()),
            Some(last) => self.write_kept(last, frames, output),
            None => 0,
        }
    }

    fn write_kept(&self, index: usize, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        let frames = frames.start..frames.end.min(frames.start.saturating_add(output.room()));
        match output.write_in_place::<f32, _>(|room| self.decoder.write(index, frames.clone(), room)) {
            Some(written) => written.unwrap_or(0),
            None => {
                let written = output.write_channels::<f32, _>(frames.len(), |channel, room| {
                    self.decoder.write_channel(index, channel, frames.clone(), room)
                });
                written.map_or(0, |written| written.map_or(0, |()| frames.len()))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mapwave_plugin::Status;

    use super::*;

    /// Packets by their numbers.
    struct List<'a>(&'a [&'a [u8]]);

    impl NumberedPackets for List<'_> {
        fn packet(&self, number: u64) -> Option<Cow<'_, [u8]>> {
            self.0.get(usize::try_from(number).ok()?).map(|packet| Cow::Borrowed(*packet))
        }
    }

    fn refusal(config: &[u8]) -> Error {
        AacSetup::from_config(config, 7).unwrap_err()
    }

    #[test]
    fn a_setup_is_read() {
        let stereo = AacSetup::new(2, 44100, 2).unwrap();
        assert_eq!(AacSetup::from_config(&[0x12, 0x10], 0).unwrap(), stereo);
        // An extension that denies band replication, as FFmpeg writes it.
        assert_eq!(AacSetup::from_config(&[0x12, 0x10, 0x56, 0xe5, 0], 0).unwrap(), stereo);
        // A sample rate of 44056 by value.
        let escaped = [0x17, 0x80, 0x56, 0x0c, 0x08];
        let mono = AacSetup::new(2, 44056, 1).unwrap();
        assert_eq!(AacSetup::from_config(&escaped, 0).unwrap(), mono);
    }

    #[test]
    fn more_channels_and_shorter_packets_are_read() {
        let surround = AacSetup::from_config(&[0x12, 0x30], 0).unwrap();
        assert_eq!((surround.num_channels(), surround.channel_mask()), (6, 0x3f));
        assert_eq!((surround.sample_rate(), surround.frames_per_packet()), (44_100, 1024));
        assert_eq!(AacSetup::from_config(&[0x12, 0x14], 0).unwrap().frames_per_packet(), 960);
    }

    #[test]
    fn other_profiles_and_channels_are_rejected_by_name() {
        let error = refusal(&[0x2b, 0x8b, 0x88, 0]);
        assert_eq!(error.status(), Status::Unsupported);
        assert!(error.message().contains("other than twice the rate needs the libav plugin"), "{error}");
        assert!(refusal(&[0x12, 0x68]).message().contains("more than 8 channels"));
        let packets_say = AacSetup::new(2, 44100, 0).unwrap_err();
        assert!(packets_say.message().contains("channels defined by its packets"));
        assert!(refusal(&[0x0a, 0x10]).message().contains("AAC Main"));
        assert!(refusal(&[0xf9, 0x46, 0x20]).message().contains("xHE-AAC"));
    }

    #[test]
    fn band_replication_doubles_rate_and_frames() {
        for config in [&[0x13, 0x88, 0x56, 0xe5, 0xa0][..], &[0x2b, 0x8a, 0x08, 0]] {
            let setup = AacSetup::from_config(config, 0).unwrap();
            assert_eq!((setup.sample_rate(), setup.frames_per_packet()), (44_100, 2048));
            assert_eq!(setup, AacSetup::new(2, 22_050, 1).unwrap().replicated().unwrap());
        }
        let parametric = AacSetup::from_config(&[0xeb, 0x8a, 0x08, 0], 0).unwrap();
        assert_eq!((parametric.sample_rate(), parametric.num_channels()), (44_100, 2));
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
        let mono = AacSetup::new(2, 44100, 1).unwrap();
        // A channel without lines: gain 0, a long window, no bands, no tools; then the end element.
        let silent = &[0, 0, 0, 7][..];
        assert!(!mono.is_plausible(&[0; 9]) && !mono.is_plausible(&[]) && !mono.is_plausible(&[0xff; 9]));
        assert!(mono.is_plausible(silent) && !mono.is_plausible(&[0x74; 9]));
        let any = |packets: &[&[u8]]| mono.any_decodes(packets.iter().copied()).unwrap();
        for broken in [&[0_u8; 30][..], &[0x74; 30], &[0xff; 30], &[0x07; 30], &[]] {
            assert!(!any(&vec![broken; 40]), "{broken:?}");
        }
        assert!(!any(&[]));
        // One of many that decodes is enough, wherever it is; but it must hold a channel.
        let fill = [0xc0, 0x0e].as_slice(); // a fill element without bytes, then the end
        let mut packets = vec![&[0_u8; 30][..]; 40];
        packets.push(fill);
        assert!(!any(&packets));
        packets.push(silent);
        assert!(any(&packets));
    }

    #[test]
    fn a_damaged_beginning_does_not_silence_the_rest() {
        let stereo = AacSetup::new(2, 44100, 2).unwrap();
        let packet = &[0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80][..]; // two silent channels
        // One channel, in a stream that always has two.
        let packets = [&[0; 30][..], packet, &[0; 30], packet];
        let mut codec = stereo.codec();
        assert_eq!(codec.decode(&List(&packets), &Numbered { number: 1, bytes: packet }).ok(), Some(1024));
        codec.reset();
        for (number, bytes) in (0..).zip(packets) {
            let decoded = codec.decode(&List(&packets), &Numbered { number, bytes });
            assert_eq!(decoded.ok(), (number % 2 == 1).then_some(1024));
        }
    }
}
