//! ADTS: AAC in frames with a header each (ISO/IEC 14496-3, 1.A.2.2).

#![forbid(unsafe_code)]

use std::ffi::CStr;
use std::sync::Arc;

use mapwave_plugin::{Decoder, DecoderOptions, Error, Head, Input, Result, Sweep};

use crate::codec::aac::{AacSetup, FRAMES_PER_PACKET, sample_rate_of};
use crate::codec::packet_setup::AudioSetup;
use crate::engine::packet_table::{Added, PacketTable};
use crate::engine::packets::{PacketDecoder, decode_with};
use crate::format::table_stream::{TableStream, Trim};
use crate::tags::id3v2;

/// Decodes AAC in ADTS frames.
pub struct AdtsDecoder {
    decoder: PacketDecoder<TableStream>,
}

impl Decoder for AdtsDecoder {
    const NAME: &'static CStr = c"adts";
    const CODECS: &'static CStr = c"aac";
    const EXTENSIONS: &'static CStr = c"aac,adts";

    fn probe(head: &Head<'_>) -> u8 {
        let hint = u8::from(matches!(head.extension, Some("aac" | "adts")));
        let start = id3v2::leading_bytes(head.bytes);
        if head.track.is_some() {
            return 0;
        }
        if start >= head.bytes.len() {
            return hint * 30; // the head holds only a tag
        }
        let Some(first) = Header::read(head.bytes, start) else { return 0 };
        let mut position = start;
        let mut num_frames = 0u8;
        while let Some(header) = Header::read(head.bytes, position).filter(|next| next.stream == first.stream)
        {
            num_frames = num_frames.saturating_add(1);
            position = position.saturating_add(header.frame_bytes);
            if position as u64 >= head.total_bytes {
                break;
            }
        }
        let is_all = position as u64 == head.total_bytes;
        let left = head.bytes.len().saturating_sub(position);
        match num_frames {
            0 => 0,
            // The chain of frames breaks within the head.
            1 | 2 if left >= Header::MIN_BYTES && !is_all => hint * 20,
            1 if is_all => 60,
            1 => 10 + hint * 40,
            2 => 60 + hint * 20,
            3 => 85,
            _ => 95,
        }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        if options.stream > 0 {
            let message = format!("there is no audio stream {}: ADTS has only stream 0", options.stream);
            return Err(Error::new(mapwave_plugin::Status::BadArgument, message));
        }
        let memory = input.into_memory(options.max_alloc)?;
        let mut table = PacketTable::new(memory.len() as u64, options.max_alloc);
        let (setup, is_whole) = read_frames(&memory, &mut Sweep::new(memory.clone(), 0), &mut table)?;
        table.set_frames_from(0, FRAMES_PER_PACKET)?;
        let all = Trim { priming_frames: 0, num_frames: None };
        let setup = AudioSetup::Aac(setup);
        let stream = TableStream::new(memory, table, setup, all, !is_whole, c"aac", Vec::new())?;
        Ok(Self { decoder: PacketDecoder::new(Arc::new(stream)) })
    }

    decode_with!(decoder);
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

/// Adds all frames; returns their setup, and whether the last one is complete.
fn read_frames(bytes: &[u8], sweep: &mut Sweep, table: &mut PacketTable) -> Result<(AacSetup, bool)> {
    let mut position = id3v2::leading_bytes(bytes);
    let Some(found) = next_frame(bytes, position, None) else {
        return Err(Error::bad_data(position as u64, "there are no two consecutive ADTS frames"));
    };
    position = found;
    let first = Header::read(bytes, position);
    let first = first.ok_or_else(|| Error::bad_data(position as u64, "there is no ADTS frame"))?;
    let Stream { profile, rate_index, channel_configuration } = first.stream;
    let rate = sample_rate_of(rate_index.into()).unwrap_or(0);
    let setup = AacSetup::new(u32::from(profile) + 1, rate, channel_configuration.into())?;
    loop {
        sweep.pass(position);
        let header = Header::read(bytes, position).filter(|header| header.stream == first.stream);
        let Some(header) = header else {
            // Damage, or a tag at the end.
            match next_frame(bytes, position, Some(first.stream)) {
                Some(found) => position = found,
                None => return Ok((setup, true)),
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
            return Ok((setup, false));
        }
        position = position.saturating_add(header.frame_bytes);
    }
}

/// The next frame that is followed by another of its stream, or by the end.
fn next_frame(bytes: &[u8], mut position: usize, stream: Option<Stream>) -> Option<usize> {
    loop {
        position += bytes.get(position..)?.iter().position(|byte| *byte == 0xff)?;
        if let Some(header) = Header::read(bytes, position) {
            let end = position.saturating_add(header.frame_bytes);
            let next = Header::read(bytes, end);
            let is_followed = end == bytes.len() || next.is_some_and(|next| next.stream == header.stream);
            if is_followed && stream.is_none_or(|stream| stream == header.stream) {
                return Some(position);
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
        let mut table = PacketTable::new(bytes.len() as u64, 1 << 20);
        let memory = Input::from(bytes.to_vec()).into_memory(u64::MAX)?;
        let (_, is_whole) = read_frames(&memory, &mut Sweep::new(memory.clone(), 0), &mut table)?;
        table.set_frames_from(0, 1024)?;
        let places = (0..).map_while(|n| table.get(n)).map(|place| (place.offset, place.num_bytes));
        Ok((places.collect(), is_whole))
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
        assert_eq!((probe(&broken, None), probe(&broken, Some("aac"))), (0, 20));
        // MPEG-1 layer III, 128 kbit/s at 44.1 kHz.
        let mut mp3 = vec![0xff, 0xfb, 0x90, 0x64];
        mp3.resize(417, 0);
        assert_eq!(probe(&mp3.repeat(5), Some("aac")), 0);
        assert_eq!((probe(&[], None), probe(b"RIFF", Some("aac"))), (0, 0));
    }
}
