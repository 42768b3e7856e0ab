//! ADTS: AAC in frames with a header each (ISO/IEC 14496-3, 1.A.2.2).

#![forbid(unsafe_code)]

use std::ffi::CStr;
use std::sync::Arc;

use mapwave_plugin::{Decoder, DecoderOptions, Error, Head, Input, Level, Result, Sweep, log};
use memchr::memchr;

use crate::codec::aac::{AacSetup, PACKETS_LOOKED_AT, sample_rate_of};
use crate::codec::packet_setup::AudioSetup;
use crate::engine::packet_table::{Added, PacketTable};
use crate::engine::packets::{PacketDecoder, decode_with};
use crate::engine::playlist::Playlist;
use crate::engine::saved::{Saved, Saver};
use crate::format::mpeg::tags;
use crate::format::other;
use crate::format::table_stream::TableStream;
use crate::tags::id3v2;

/// The bytes of other data behind which frames are found, and the frames that confirm them.
const PROBE_BYTES: u32 = (256 << 10) + (32 << 10);

/// The tag of a saved index.
const TAG: &[u8; 8] = b"adts   1";

/// How many frames of a saved index are looked at before it is believed.
const NUM_SAMPLES: u32 = 32;

/// The frames in a row that tell a stream from other data: random bytes have such a chain once in 10^18 places.
const ENOUGH: usize = 3;

/// Decodes AAC in ADTS frames.
pub struct AdtsDecoder {
    decoder: PacketDecoder<TableStream>,
}

impl Decoder for AdtsDecoder {
    const NAME: &'static CStr = c"adts";
    const CODECS: &'static CStr = c"aac";
    const EXTENSIONS: &'static CStr = c"aac,adts";

    const PROBE_BYTES: u32 = PROBE_BYTES;
    const HAS_INDEX: bool = true;

    fn probe(head: &Head<'_>) -> u8 {
        let bytes = head.bytes;
        let start = id3v2::leading_bytes(bytes);
        let rest = bytes.get(start..).unwrap_or_default();
        if head.track.is_some() || [bytes, rest].iter().any(|bytes| other::begins(bytes)) {
            return 0;
        }
        let has_all = bytes.len() as u64 == head.total_bytes;
        if rest.is_empty() {
            return if start > 0 && !has_all { 30 } else { 0 }; // the head holds only a tag
        }
        let sound = if has_all { sound(bytes, start) } else { bytes };
        let chain = Chain::at(sound, start, 4);
        let is_all = chain.is_to_end && has_all;
        let score = match chain.num_frames {
            0 => 0,
            // The chain of frames breaks within the head.
            1 if chain.is_broken && !is_all => 0,
            2 if chain.is_broken && !is_all => 30,
            1 if is_all => 60,
            1 => 10,
            2 => 60,
            3 => 85,
            _ => 95,
        };
        if score < 55 && first_frame(sound, start, has_all).is_some_and(|found| found > start) {
            return 55;
        }
        score
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let memory = input.into_memory(options.max_alloc)?;
        other::refuse_behind(&memory, id3v2::leading_bytes(&memory))?;
        let mut sweep = Sweep::new(memory.clone(), 0);
        let (found, table) = read_frames(&memory, &mut sweep, options.index, options.max_alloc)?;
        if let Some((position, other)) = found.other {
            let other = other.describe();
            let message = format!("the stream ends at byte {position}, where one of {other} begins");
            log(Level::Warning, &message);
        }
        let all = Playlist::trimmed(0, None, table.num_frames());
        let is_truncated = !found.is_whole || found.other.is_some();
        let setup = AudioSetup::Aac(found.setup);
        let stream = TableStream::new(memory, table, setup, all, is_truncated, c"aac", Vec::new())?;
        Ok(Self { decoder: PacketDecoder::new(Arc::new(stream)) })
    }

    decode_with!(decoder);

    fn save_index(&self) -> Option<Vec<u8>> {
        let mut saver = Saver::new(TAG);
        self.decoder.stream().table().save(&mut saver);
        Some(saver.finish())
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    /// What all frames of a stream share: the profile, the index of the rate, the channel configuration.
    stream: Stream,
    header_bytes: usize,
    /// The size of the whole frame.
    frame_bytes: usize,
    /// The packets of the frame beyond the first.
    more_packets: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stream {
    profile: u8,
    rate_index: u8,
    channel_configuration: u8,
}

impl Stream {
    fn setup(self) -> Result<AacSetup> {
        let rate = sample_rate_of(self.rate_index.into()).unwrap_or(0);
        AacSetup::new(u32::from(self.profile) + 1, rate, self.channel_configuration.into())
    }

    /// The stream for messages.
    fn describe(self) -> String {
        let rate = sample_rate_of(self.rate_index.into()).unwrap_or(0);
        let (profile, channels) = (u32::from(self.profile) + 1, self.channel_configuration);
        format!("AAC of object type {profile} at {rate} Hz in channel configuration {channels}")
    }
}

impl Header {
    /// The size of a header without its checksum.
    const MIN_BYTES: usize = 7;

    fn read(bytes: &[u8], position: usize) -> Option<Self> {
        let [0xff, b, c, d, e, f, g] = *bytes.get(position..)?.first_chunk::<7>()? else { return None };
        if b & 0xf6 != 0xf0 {
            return None; // the rest of the sync word; layer 0, which MPEG audio never has
        }
        let header_bytes = if b & 1 == 1 { 7 } else { 9 };
        let frame_bytes = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
        let stream =
            Stream { profile: c >> 6, rate_index: c >> 2 & 15, channel_configuration: (c & 1) << 2 | d >> 6 };
        let is_sane = frame_bytes > header_bytes && sample_rate_of(stream.rate_index.into()).is_some();
        is_sane.then_some(Self { stream, header_bytes, frame_bytes, more_packets: g & 3 })
    }
}

/// Consecutive frames of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chain {
    /// Their number, up to the requested limit.
    num_frames: usize,
    /// Whether the bytes end with the last frame.
    is_to_end: bool,
    /// Whether other bytes follow the last frame, enough for a header.
    is_broken: bool,
}

impl Chain {
    /// The frames from a position on, at most `max_frames`.
    fn at(bytes: &[u8], mut position: usize, max_frames: usize) -> Self {
        let mut chain = Self { num_frames: 0, is_to_end: false, is_broken: false };
        let Some(first) = Header::read(bytes, position) else { return chain };
        while chain.num_frames < max_frames {
            match Header::read(bytes, position).filter(|next| next.stream == first.stream) {
                Some(header) => position = position.saturating_add(header.frame_bytes),
                None => {
                    chain.is_broken = bytes.len().saturating_sub(position) >= Header::MIN_BYTES;
                    break;
                }
            }
            chain.num_frames += 1;
            chain.is_to_end = position == bytes.len();
        }
        chain
    }
}

/// The bytes without the tags at the end.
fn sound(bytes: &[u8], start: usize) -> &[u8] {
    bytes.get(..tags::skip_trailing(bytes, start.min(bytes.len()))).unwrap_or(bytes)
}

/// The first frame of a stream, from `start` on. Where it is expected, one that follows confirms it; further on it takes more, or
/// two up to the end of the file.
fn first_frame(sound: &[u8], start: usize, has_all: bool) -> Option<usize> {
    let mut position = start;
    loop {
        position += memchr(0xff, sound.get(position..)?)?;
        let chain = Chain::at(sound, position, ENOUGH);
        let is_to_end = chain.is_to_end && has_all;
        let is_confirmed = match chain.num_frames {
            0 => false,
            1 => position == start && is_to_end,
            2 => position == start || is_to_end,
            _ => true,
        };
        if is_confirmed {
            return Some(position);
        }
        position += 1;
    }
}

/// What a scan of all frames found.
struct Found {
    setup: AacSetup,
    /// Whether the last frame is complete.
    is_whole: bool,
    /// Where a stream of another rate, profile or number of channels begins and this one ends.
    other: Option<(usize, Stream)>,
}

/// The frames of a saved index, if they are there as far as a look at some shows.
fn load(
    saved: &[u8],
    table: PacketTable,
    bytes: &[u8],
    position: usize,
    stream: Stream,
) -> Option<PacketTable> {
    let table = table.load(&mut Saved::new(saved, TAG)?)?;
    let is_there = |packet: u32| {
        let place = table.get(packet)?;
        let end = usize::try_from(place.offset).ok()?;
        let found = [7, 9].iter().find_map(|size| {
            let position = end.checked_sub(*size)?;
            let header = Header::read(bytes, position).filter(|header| header.header_bytes == *size)?;
            let num_bytes = header.frame_bytes - header.header_bytes;
            (header.stream == stream && num_bytes == place.num_bytes as usize).then_some(position)
        });
        found.filter(|found| packet > 0 || *found == position)
    };
    let last = table.num_packets().checked_sub(1)?;
    let step = (last / NUM_SAMPLES).max(1) as usize;
    let is_all_there = (0..last).step_by(step).chain([last]).all(|packet| is_there(packet).is_some());
    is_all_there.then_some(table)
}

/// Finds all frames, from the last of a saved index on if there is one.
fn read_frames(
    bytes: &[u8],
    sweep: &mut Sweep,
    saved: &[u8],
    max_alloc: u64,
) -> Result<(Found, PacketTable)> {
    let file_bytes = bytes.len() as u64;
    let start = id3v2::leading_bytes(bytes);
    let bytes = sound(bytes, start);
    let Some(mut position) = first_frame(bytes, start, true) else {
        return Err(Error::bad_data(start as u64, "there are no consecutive ADTS frames"));
    };
    let first = Header::read(bytes, position);
    let first = first.ok_or_else(|| Error::bad_data(position as u64, "there is no ADTS frame"))?;
    let setup = first.stream.setup()?.refined(first_packets(bytes, position))?;
    let mut found = Found { setup, is_whole: true, other: None };
    let empty = || {
        let header_bytes = u32::try_from(first.header_bytes).unwrap_or(0);
        let mut table = PacketTable::framed(file_bytes, max_alloc, header_bytes);
        // Every packet has as many; its place needs a number.
        table.set_frames_from(0, setup.frames_per_packet()).map(|()| table)
    };
    let mut table = match load(saved, empty()?, bytes, position, first.stream) {
        Some(loaded) => {
            position = usize::try_from(loaded.end()).unwrap_or(usize::MAX);
            loaded
        }
        None => empty()?,
    };
    loop {
        sweep.pass(position);
        let header = Header::read(bytes, position).filter(|header| header.stream == first.stream);
        let Some(header) = header else {
            match next_frame(bytes, position, first.stream) {
                Some((next, stream)) if stream == first.stream => position = next,
                other => {
                    found.other = other;
                    return Ok((found, table));
                }
            }
            continue;
        };
        if header.more_packets > 0 {
            let message = "ADTS frames with several packets need another plugin, such as libav";
            return Err(Error::unsupported(message).at(position as u64));
        }
        let offset = position.saturating_add(header.header_bytes) as u64;
        let num_bytes = u32::try_from(header.frame_bytes - header.header_bytes).unwrap_or(u32::MAX);
        if table.push(offset, num_bytes)? == Added::BeyondEnd {
            found.is_whole = false;
            return Ok((found, table));
        }
        position = position.saturating_add(header.frame_bytes);
    }
}

/// The packets of the first consecutive frames.
fn first_packets(bytes: &[u8], mut position: usize) -> impl Iterator<Item = &[u8]> + Clone {
    let packets = std::iter::from_fn(move || {
        let header = Header::read(bytes, position)?;
        let packet = bytes.get(position + header.header_bytes..position.checked_add(header.frame_bytes)?);
        position = position.saturating_add(header.frame_bytes);
        packet
    });
    packets.take(PACKETS_LOOKED_AT)
}

/// The next frame of a stream behind damage, which another one or the end follows; or the first of another stream, which takes
/// more.
fn next_frame(bytes: &[u8], mut position: usize, stream: Stream) -> Option<(usize, Stream)> {
    loop {
        position += memchr(0xff, bytes.get(position..)?)?;
        if let Some(header) = Header::read(bytes, position) {
            let chain = Chain::at(bytes, position, ENOUGH);
            let enough = if header.stream == stream { 2 } else { ENOUGH };
            let is_to_end = chain.is_to_end && (header.stream == stream || chain.num_frames > 1);
            if chain.num_frames >= enough || is_to_end {
                return Some((position, header.stream));
            }
        }
        position += 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use mapwave_plugin::Status;

    use super::*;

    /// A frame of AAC-LC at 44.1 kHz in stereo with a payload of that many zeros, without a checksum.
    fn frame(payload_bytes: usize) -> Vec<u8> {
        let size = payload_bytes + 7;
        let mut bytes = vec![
            0xff,
            0xf1,
            0x50,
            0x80 | (size >> 11) as u8,
            (size >> 3) as u8,
            (size << 5) as u8 | 0x1f,
            0xfc,
        ];
        bytes.resize(size, 0);
        bytes
    }

    fn scan(bytes: &[u8]) -> Result<(Vec<(u64, u32)>, bool)> {
        let memory = Input::from(bytes.to_vec()).into_memory(u64::MAX)?;
        let (found, table) = read_frames(&memory, &mut Sweep::new(memory.clone(), 0), &[], 1 << 20)?;
        let places = (0..).map_while(|n| table.get(n)).map(|place| (place.offset, place.num_bytes));
        Ok((places.collect(), found.is_whole && found.other.is_none()))
    }

    fn probe(bytes: &[u8], extension: Option<&str>) -> u8 {
        AdtsDecoder::probe(&Head { bytes, total_bytes: bytes.len() as u64, extension, track: None })
    }

    #[test]
    fn frames_are_found_behind_tags_and_damage() {
        let mut bytes = b"ID3\x04\0\0\0\0\0\x05hello".to_vec();
        bytes.extend([frame(20), frame(30)].concat());
        bytes.extend(b"\xff\xf1damage");
        bytes.extend([frame(40), frame(50)].concat());
        bytes.extend(b"TAG and so on");
        let expected = [(22, 20), (49, 30), (94, 40), (141, 50)];
        assert_eq!(scan(&bytes).unwrap(), (expected.to_vec(), true));
    }

    #[test]
    fn a_frame_that_is_cut_off_is_left_out() {
        let bytes = [frame(20), frame(30), frame(40)].concat();
        assert_eq!(scan(&bytes).unwrap().0.len(), 3);
        assert_eq!(scan(&bytes[..bytes.len() - 1]).unwrap(), (vec![(7, 20), (34, 30)], false));
        assert_eq!(scan(&[0; 100]).unwrap_err().status(), Status::BadData);
        assert_eq!(scan(&[]).unwrap_err().status(), Status::BadData);
    }

    #[test]
    fn the_length_of_the_chain_is_the_score() {
        let chain = |count: usize| probe(&frame(20).repeat(count), None);
        assert_eq!([chain(1), chain(2), chain(3), chain(4)], [60, 60, 85, 95]);
        let mut broken = frame(20).repeat(2);
        broken.extend([0; 50]);
        assert_eq!((probe(&broken, None), probe(&broken, Some("aac"))), (30, 30));
        // MPEG-1 layer III, 128 kbit/s at 44.1 kHz.
        let mut mp3 = vec![0xff, 0xfb, 0x90, 0x64];
        mp3.resize(417, 0);
        assert_eq!(probe(&mp3.repeat(5), Some("aac")), 0);
        assert_eq!((probe(&[], None), probe(b"RIFF", Some("aac"))), (0, 0));
    }

    #[test]
    fn a_stream_is_found_behind_other_bytes() {
        let tag = b"ID3\x04\0\0\0\0\0\x05hello".to_vec();
        let v1 = [b"TAG".as_slice(), &[b' '; 125]].concat();
        let junk = [0xff_u8, 0xf1, 0x4c, 0x80, 0x55].repeat(50_000);
        for before in [&b"    "[..], &frame(90)[13..], &junk] {
            // Two frames count up to the end, three anywhere.
            for (count, behind) in [(2, &b""[..]), (2, &v1), (3, &v1), (3, b"and more"), (40, b"")] {
                let bytes = [&tag, before, &frame(20).repeat(count), behind].concat();
                let what = format!("{count} frames behind {} bytes", before.len());
                assert_eq!(probe(&bytes, None), 55, "{what}");
                let (places, is_whole) = scan(&bytes).unwrap();
                assert_eq!((places.len(), is_whole), (count, true), "{what}");
                assert_eq!(places[0].0, (tag.len() + before.len() + 7) as u64, "{what}");
            }
            let bytes = [&tag, before, &frame(20).repeat(2), b"and more bytes"].concat();
            assert_eq!((probe(&bytes, None), scan(&bytes).unwrap_err().status()), (0, Status::BadData));
        }
    }

    #[test]
    fn a_stream_ends_where_another_begins() {
        let other = |mut frame: Vec<u8>, byte: usize, value: u8| {
            frame[byte] = value;
            frame
        };
        let mono = other(frame(20), 3, 0x40);
        let faster = other(frame(20), 2, 0x4c);
        for other in [mono, faster] {
            for count in [2, 3, 30] {
                let bytes = [frame(20).repeat(5), other.repeat(count)].concat();
                let (places, is_whole) = scan(&bytes).unwrap();
                assert_eq!((places.len(), is_whole), (5, false), "{count} frames");
            }
            // One or two frames of another kind are damage.
            let bytes = [frame(20).repeat(5), other.repeat(2), frame(20).repeat(3)].concat();
            assert_eq!(scan(&bytes).unwrap().0.len(), 8);
        }
    }
}
