//! AAC, ALAC, FLAC and Opus in CAF files, whose packets are listed in a table (Apple Core Audio Format Specification, "Packet
//! Table Chunk").

#![forbid(unsafe_code)]

mod writer;

pub(crate) use writer::{CafWriter, WrittenStream};

use std::ffi::CStr;
use std::ops::Range;
use std::sync::Arc;

use mapwave_plugin::{Decoder, DecoderOptions, Error, Head, Input, Memory, Result, Track};

use crate::bytes::Bytes;
use crate::codec::alac::AlacSetup;
use crate::codec::flac::FlacSetup;
use crate::codec::opus::OpusSetup;
use crate::codec::packet_setup::AudioSetup;
use crate::engine::packet_table::{Added, PacketTable};
use crate::engine::packets::{PacketDecoder, decode_with};
use crate::engine::playlist::Playlist;
use crate::format::mp4::description::{Description, read_descriptors};
use crate::format::mp4::sample_table::Timeline;
use crate::format::table_stream::{TableStream, bytes_at};

/// Decodes AAC, ALAC, FLAC and Opus in CAF files that the host has parsed.
pub struct CafDecoder {
    decoder: PacketDecoder<TableStream>,
}

impl Decoder for CafDecoder {
    const NAME: &'static CStr = c"caf";
    const CODECS: &'static CStr = c"aac,alac,flac,opus";
    const EXTENSIONS: &'static CStr = c"caf";

    fn probe(head: &Head<'_>) -> u8 {
        if head.track.as_ref().is_some_and(is_ours) { 95 } else { 0 }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let Some(track) = options.track.as_ref().filter(|track| is_ours(track)) else {
            return Err(Error::unsupported("this decoder supports only AAC, ALAC, FLAC and Opus in CAF"));
        };
        let memory = input.into_memory(options.max_alloc)?;
        let stream = read_stream(&memory, track, options.max_alloc)?;
        Ok(Self { decoder: PacketDecoder::new(Arc::new(stream)) })
    }

    decode_with!(decoder);
}

fn is_ours(track: &Track<'_>) -> bool {
    track.container == "caf" && matches!(track.codec, "aac" | "alac" | "flac" | "opus")
}

/// The bytes of a range of the file, with their offset.
fn part<'a>(bytes: &'a [u8], range: &Range<u64>) -> Result<Bytes<'a>> {
    let fits = |place: u64| {
        usize::try_from(place).map_err(|_| Error::bad_data(place, "the offset is beyond the end of the file"))
    };
    let mut part = Bytes::new(bytes);
    part.take(fits(range.start)?)?;
    part.take(fits(range.end.saturating_sub(range.start))?)
}

fn read_stream(memory: &Memory, track: &Track<'_>, max_alloc: u64) -> Result<TableStream> {
    let cookie = part(memory, &track.config)?;
    let mut setup = match track.codec {
        "alac" => AudioSetup::Alac(AlacSetup::from_cookie(cookie, max_alloc)?),
        "flac" if cookie.rest().is_empty() => {
            let offset = usize::try_from(track.data.start).unwrap_or(usize::MAX);
            let frame = memory.get(offset..).unwrap_or_default();
            AudioSetup::Flac(FlacSetup::from_frame(frame, track.data.start, max_alloc)?)
        }
        "flac" => AudioSetup::Flac(FlacSetup::from_blocks(cookie, max_alloc)?),
        "opus" => {
            let setup = match cookie.rest().is_empty() {
                true => OpusSetup::without_head(track.num_channels)?,
                false => OpusSetup::from_head(cookie.rest(), cookie.offset())?,
            };
            setup.check_room(max_alloc)?;
            AudioSetup::Opus(setup)
        }
        _ => match read_descriptors(cookie)? {
            Description::Compressed(setup) => setup,
            Description::Mpeg => {
                return Err(Error::unsupported("CAF declares AAC, but its setup is that of MPEG audio"));
            }
        },
    };
    if matches!(setup, AudioSetup::Aac(_)) {
        let mut table = PacketTable::new(track.data.end.min(memory.len() as u64), max_alloc);
        read_packets(memory, track, &mut table, &mut Timeline::new(&setup, 0))?;
        setup.refine(table.places().filter_map(|(offset, num_bytes)| bytes_at(memory, offset, num_bytes)))?;
    }
    let mut table = PacketTable::new(track.data.end.min(memory.len() as u64), max_alloc);
    // Frames are counted at the track's rate. For FLAC, writers state an average if packets have no numbers of their
    // own.
    let is_mean = matches!(setup, AudioSetup::Flac(_))
        && track.frames_per_packet != 0
        && track.frames_per_packet != setup.frames_per_packet();
    let mut timeline = Timeline::new(&setup, if is_mean { 0 } else { setup.sample_rate() });
    let is_whole = read_packets(memory, track, &mut table, &mut timeline)?;
    timeline.finish(&mut table, memory)?;
    let decoded = match setup {
        AudioSetup::Flac(_) | AudioSetup::Opus(_) => table.num_frames(),
        AudioSetup::Aac(_) | AudioSetup::Alac(_) => {
            u64::from(table.num_packets()) * u64::from(setup.frames_per_packet())
        }
    };
    let without_padding =
        decoded.saturating_sub(u64::from(track.priming_frames) + u64::from(track.padding_frames));
    let stated = track.num_frames.filter(|num_frames| *num_frames > 0);
    let num_frames = is_whole.then(|| stated.unwrap_or(without_padding));
    let playlist = Playlist::trimmed(track.priming_frames.into(), num_frames, table.num_frames());
    TableStream::new(memory.clone(), table, setup, playlist, !is_whole, c"caf", Vec::new())
}

/// Adds the packets; false if the file ends before the last.
fn read_packets(
    memory: &Memory,
    track: &Track<'_>,
    table: &mut PacketTable,
    timeline: &mut Timeline<'_>,
) -> Result<bool> {
    let mut entries = part(memory, &track.table)?;
    let mut offset = track.data.start;
    // The last packets, which have the same duration.
    let (mut num_alike, mut last_ticks) = (0, 0);
    let mut is_whole = true;
    for _ in 0..track.num_packets {
        let num_bytes = match track.bytes_per_packet {
            0 => read_number(&mut entries)?,
            bytes_per_packet => bytes_per_packet,
        };
        let ticks = match track.frames_per_packet {
            0 => read_number(&mut entries)?,
            frames_per_packet => frames_per_packet,
        };
        if ticks != last_ticks {
            timeline.add(table, num_alike, last_ticks)?;
            (num_alike, last_ticks) = (0, ticks);
        }
        if table.push(offset, num_bytes)? == Added::BeyondEnd {
            is_whole = false;
            break;
        }
        num_alike += 1;
        offset = offset.saturating_add(num_bytes.into());
    }
    if offset == track.data.start && table.num_packets() > 0 {
        return Err(Error::bad_data(track.table.start, "all packets of the table are empty"));
    }
    timeline.add(table, num_alike, last_ticks)?;
    Ok(is_whole)
}

/// A number with 7 bits per byte, most significant first; all bytes but the last have bit 7 set.
fn read_number(bytes: &mut Bytes<'_>) -> Result<u32> {
    let at = bytes.offset();
    let mut number = 0u32;
    loop {
        let byte = bytes.u8()?;
        let room = number.leading_zeros() >= 7;
        number = number << 7 | u32::from(byte & 0x7f);
        if !room {
            return Err(Error::bad_data(at, "a number of more than 32 bits in the packet table"));
        }
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_seven_bits_a_byte() {
        let mut bytes = Bytes::new(&[0x05, 0x81, 0x00, 0x8f, 0xff, 0xff, 0xff, 0x7f]);
        assert_eq!(read_number(&mut bytes).unwrap(), 5);
        assert_eq!(read_number(&mut bytes).unwrap(), 128);
        assert_eq!(read_number(&mut bytes).unwrap(), u32::MAX);
        assert!(read_number(&mut bytes).is_err());
        assert!(read_number(&mut Bytes::new(&[0x90, 0x80, 0x80, 0x80, 0])).is_err());
    }
}
