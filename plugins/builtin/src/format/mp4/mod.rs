//! MP4, M4A and QuickTime files (ISO/IEC 14496-12 and -14, QuickTime File Format) with AAC, ALAC, FLAC, Opus or MPEG
//! audio.

#![forbid(unsafe_code)]

pub(crate) mod atoms;
mod brand;
pub(crate) mod description;
mod edit_list;
mod fragments;
pub(crate) mod sample_table;
mod tags;
mod tracks;
mod writer;
mod written_atoms;
mod written_tags;

pub(crate) use writer::{Mp4Writer, WrittenSound};

use std::ffi::{CStr, CString};
use std::sync::Arc;

use mapwave_edits::{Clocks, Durations, Itunes, sound_in_packets};
use mapwave_plugin::{
    Decoder, DecoderOptions, Error, Head, Input, Memory, Output, Result, StreamEntry, StreamInfo,
};

use self::atoms::{Atom, Kind};
use self::description::Description;
use self::fragments::Defaults;
use self::sample_table::Timeline;
use crate::bytes::Bytes;
use crate::codec::packet_setup::AudioSetup;
use crate::engine::packet_table::{PacketTable, Place};
use crate::engine::packets::{PacketDecoder, PacketStream};
use crate::engine::playlist::Playlist;
use crate::format::mpeg;
use crate::format::mpeg::track::{Container, MpegTrack, Packet};
use crate::format::table_stream::{TableStream, bytes_at};

/// Decodes AAC, ALAC, FLAC, Opus and MPEG audio in MP4 and QuickTime files.
pub struct Mp4Decoder {
    stream: Stream,
    brand: Option<Kind>,
    streams: Arc<[StreamEntry]>,
}

enum Stream {
    Compressed(PacketDecoder<TableStream>),
    Mpeg(Box<MpegTrack>),
}

/// The first letters of brands for audio and video.
const BRANDS: [&[u8]; 19] = [
    b"M4A", b"M4B", b"M4P", b"M4V", b"M4R", b"mp4", b"isom", b"iso", b"qt  ", b"3g", b"avc", b"dash",
    b"msdh", b"cmf", b"F4", b"f4v", b"MSNV", b"mmp4", b"NDS",
];

/// The first letters of brands for still images.
const PICTURE_BRANDS: [&[u8]; 6] = [b"hei", b"hev", b"mif1", b"msf1", b"avi", b"jp2"];

impl Decoder for Mp4Decoder {
    const NAME: &'static CStr = c"mp4";
    const CODECS: &'static CStr = c"aac,alac,flac,opus,mp3,mp2,mp1";
    const EXTENSIONS: &'static CStr = c"m4a,mp4,m4b,m4r,mov,3gp";

    fn probe(head: &Head<'_>) -> u8 {
        if head.track.is_some() {
            return 0;
        }
        let Some(first) = Bytes::new(head.bytes).boxes().next() else { return 0 };
        let begins_with = |letters: &[u8]| first.payload.rest().starts_with(letters);
        match &first.kind {
            b"ftyp" if PICTURE_BRANDS.iter().any(|brand| begins_with(brand)) => 0,
            b"ftyp" if BRANDS.iter().any(|brand| begins_with(brand)) => 95,
            b"ftyp" | b"styp" => 85,
            b"moov" if first.payload.boxes().next().is_some_and(|found| &found.kind == b"mvhd") => 95,
            b"moov" => 70,
            b"mdat" | b"wide" | b"skip" | b"free" | b"pnot" => 70,
            _ => 0,
        }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let memory = input.into_memory(options.max_alloc)?;
        let brand = brand::major_brand(Bytes::new(&memory));
        let moov = find_movie(Bytes::new(&memory))?;
        let (tracks, mut streams) = tracks::audio_tracks(&memory, moov.payload);
        let chosen = StreamEntry::choose(&mut streams, options.stream);
        let cut_in_moov = || Error::bad_data(moov.offset, "the file ends inside its 'moov' box");
        let number = chosen.map_err(|error| if moov.is_whole { error } else { cut_in_moov() })?;
        let trak = tracks.get(number).copied().unwrap_or(moov.payload);
        // What follows the track, such as tags, may be lost.
        if !moov.is_whole && trak.offset() + trak.rest().len() as u64 >= memory.len() as u64 {
            return Err(cut_in_moov());
        }
        let stream = read_stream(&memory, brand, moov, trak, options.max_alloc);
        let stream = stream.map_err(|error| StreamEntry::named(&streams, number, error))?;
        Ok(Self { stream, brand, streams: streams.into() })
    }

    fn info(&self) -> &StreamInfo {
        match &self.stream {
            Stream::Compressed(decoder) => decoder.stream().info(),
            Stream::Mpeg(track) => track.info(),
        }
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        match &mut self.stream {
            Stream::Compressed(decoder) => {
                decoder.seek(frame);
                Ok(())
            }
            Stream::Mpeg(track) => track.seek(frame),
        }
    }

    fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
        match &mut self.stream {
            Stream::Compressed(decoder) => decoder.decode(output),
            Stream::Mpeg(track) => track.decode(output),
        }
    }

    fn fork(&self) -> Result<Self> {
        let stream = match &self.stream {
            Stream::Compressed(decoder) => {
                Stream::Compressed(PacketDecoder::new(Arc::clone(decoder.stream())))
            }
            Stream::Mpeg(track) => Stream::Mpeg(Box::new(track.fork()?)),
        };
        Ok(Self { stream, brand: self.brand, streams: Arc::clone(&self.streams) })
    }

    fn streams(&self) -> &[StreamEntry] {
        &self.streams
    }

    fn container_variant(&self) -> Option<&str> {
        self.brand.as_ref().and_then(|brand| std::str::from_utf8(brand).ok())
    }

    fn tags(&self) -> &[(CString, CString)] {
        match &self.stream {
            Stream::Compressed(decoder) => decoder.stream().tags(),
            Stream::Mpeg(track) => track.tags(),
        }
    }
}

/// The box of the movie.
fn find_movie(bytes: Bytes<'_>) -> Result<Atom<'_>> {
    let Some(moov) = bytes.boxes().find(|found| &found.kind == b"moov") else {
        let message =
            "there is no 'moov' box: the file is truncated, was never finished, or is not an MP4 file";
        return Err(Error::bad_data(0, message));
    };
    if moov.payload.find(*b"cmov").is_some() {
        return Err(Error::unsupported("a compressed QuickTime header needs another plugin, such as libav"));
    }
    Ok(moov)
}

/// Finds the packets of a track.
fn read_stream(
    memory: &Memory,
    brand: Option<Kind>,
    movie: Atom<'_>,
    trak: Bytes<'_>,
    max_alloc: u64,
) -> Result<Stream> {
    let (bytes, moov) = (Bytes::new(memory), movie.payload);
    let container = brand::container(brand, moov);
    let mdia = need(trak, b"mdia")?;
    let stbl = need(need(mdia, b"minf")?, b"stbl")?;
    let mut setup = match description::read_setup(need(stbl, b"stsd")?, max_alloc)? {
        Description::Compressed(setup) => setup,
        Description::Mpeg => {
            let track = read_mpeg(memory, container, moov, trak, max_alloc)?;
            return Ok(Stream::Mpeg(Box::new(track)));
        }
    };
    let is_fragmented = moov.find(*b"mvex").is_some();
    let listed = match memory.is_costly() && !is_fragmented {
        true => sample_table::list_packets(memory, stbl, max_alloc),
        false => None,
    };
    let (mut table, mut is_whole) = match listed {
        Some(table) => (table, true),
        None => {
            let mut table = PacketTable::new(memory.len() as u64, max_alloc);
            let is_whole = sample_table::read_packets(stbl, &mut table)?;
            (table, is_whole)
        }
    };
    let first_table = match is_fragmented && table.num_packets() == 0 {
        true => first_fragments(bytes, moov, trak, &setup, max_alloc)?,
        false => None,
    };
    let places = first_table.as_ref().unwrap_or(&table).places();
    setup.refine(places.filter_map(|(offset, num_bytes)| bytes_at(memory, offset, num_bytes)))?;
    let clocks = Clocks {
        movie: ticks_per_second(need(moov, b"mvhd")?)?,
        track: ticks_per_second(need(mdia, b"mdhd")?)?,
        sample_rate: setup.sample_rate(),
    };
    let mut timeline = Timeline::new(&setup, clocks.track);
    sample_table::read_durations(stbl, |num_packets, ticks| timeline.add(&mut table, num_packets, ticks))?;
    if is_whole && is_fragmented {
        let track = track_number(need(trak, b"tkhd")?)?;
        let defaults = Defaults::read(moov, track)?;
        is_whole = read_fragments(bytes, track, defaults, &mut table, &mut timeline)?;
    }

    is_whole &= movie.is_whole && !is_cut(bytes);
    let metadata = tags::read(moov);
    let itunes = metadata.itunes_timing.as_deref().and_then(Itunes::parse);
    timeline.finish(&mut table, memory)?;
    let decoded_frames = table.num_frames();
    let playlist = edit_list::read_playlist(trak, itunes, clocks, decoded_frames, memory.len() as u64)?;
    let playlist = playlist.unwrap_or_else(|| Playlist::trimmed(0, None, decoded_frames));
    let stream =
        TableStream::new(memory.clone(), table, setup, playlist, !is_whole, container, metadata.tags)?;
    Ok(Stream::Compressed(PacketDecoder::new(Arc::new(stream))))
}

/// The packets of fragments, for a look at the first; `None` if the setup does not depend on them.
fn first_fragments(
    bytes: Bytes<'_>,
    moov: Bytes<'_>,
    trak: Bytes<'_>,
    setup: &AudioSetup,
    max_alloc: u64,
) -> Result<Option<PacketTable>> {
    if !matches!(setup, AudioSetup::Aac(_)) {
        return Ok(None);
    }
    let track = track_number(need(trak, b"tkhd")?)?;
    let mut table = PacketTable::new(bytes.rest().len() as u64, max_alloc);
    let defaults = Defaults::read(moov, track)?;
    read_fragments(bytes, track, defaults, &mut table, &mut Timeline::new(setup, 0))?;
    Ok(Some(table))
}

/// Opens a track of MPEG audio, whose frames hold what their description lacks.
fn read_mpeg(
    memory: &Memory,
    name: &'static CStr,
    moov: Bytes<'_>,
    trak: Bytes<'_>,
    max_alloc: u64,
) -> Result<MpegTrack> {
    if moov.find(*b"mvex").is_some() {
        return Err(Error::unsupported("MPEG audio in fragments of MP4 needs another plugin, such as libav"));
    }
    let mdia = need(trak, b"mdia")?;
    let stbl = need(need(mdia, b"minf")?, b"stbl")?;
    let mut table = PacketTable::new(memory.len() as u64, max_alloc);
    let is_whole = sample_table::read_packets(stbl, &mut table)? && !is_cut(Bytes::new(memory));
    table.set_frames_from(0, 0)?; // `get` needs a number of frames for every packet
    let packet = |place: Place| bytes_at(memory, place.offset, place.num_bytes).unwrap_or_default();
    let first = table.get(0).map(packet).unwrap_or_default();
    let Some((sample_rate, frames_per_packet)) = mpeg::rate_and_frames(first) else {
        return Err(Error::bad_data(stbl.offset(), "the first packet is not an MPEG audio frame"));
    };
    let clocks = Clocks {
        movie: ticks_per_second(need(moov, b"mvhd")?)?,
        track: ticks_per_second(need(mdia, b"mdhd")?)?,
        sample_rate,
    };
    table.set_frames_from(0, frames_per_packet)?;
    let mut durations = Durations::default();
    sample_table::read_durations(stbl, |num_packets, ticks| {
        durations.add(num_packets, ticks);
        Ok(())
    })?;
    // The durations say where the audio ends, as with AAC.
    let num_packets = table.num_packets();
    let num_frames =
        sound_in_packets(&durations, num_packets.into(), frames_per_packet, clocks.track, sample_rate);
    let padding = table.num_frames().saturating_sub(num_frames);
    if let (Some(last_packet), Ok(padding @ 1..)) = (num_packets.checked_sub(1), u32::try_from(padding)) {
        table.set_frames_from(last_packet, frames_per_packet.saturating_sub(padding))?;
    }
    let decoded_frames = table.num_frames();
    let metadata = tags::read(moov);
    let itunes = metadata.itunes_timing.as_deref().and_then(Itunes::parse);
    let playlist = edit_list::read_playlist(trak, itunes, clocks, decoded_frames, memory.len() as u64)?;
    // Without an edit list and iTunes' tag, the stream may state more than the durations do.
    let playlist = playlist.or_else(|| (padding > 0).then(|| Playlist::trimmed(0, None, decoded_frames)));
    let packets = || {
        let places = (0..table.num_packets()).filter_map(|number| table.get(number));
        places.map(|place| Packet { offset: Some(place.offset), bytes: packet(place).into() })
    };
    let container = Container { name, playlist, is_truncated: !is_whole };
    MpegTrack::open(memory, packets, container, metadata.tags, max_alloc)
}

/// Whether the file ends inside one of its boxes, or before what its segment indexes ("sidx", 8.16.3) refer to. Other bytes at the
/// end may look like any box.
fn is_cut(file: Bytes<'_>) -> bool {
    const KNOWN: [Kind; 10] =
        [*b"moov", *b"mdat", *b"moof", *b"mfra", *b"sidx", *b"styp", *b"free", *b"skip", *b"meta", *b"uuid"];
    let file_bytes = file.rest().len() as u64;
    file.boxes().any(|found| {
        let is_beyond = || referenced_end(found.payload).is_ok_and(|end| end > file_bytes);
        KNOWN.contains(&found.kind) && !found.is_whole || &found.kind == b"sidx" && is_beyond()
    })
}

/// The end of the bytes that a segment index refers to, which follow it.
fn referenced_end(mut sidx: Bytes<'_>) -> Result<u64> {
    let anchor = sidx.offset() + sidx.rest().len() as u64;
    let (version, _) = sidx.version_and_flags()?;
    sidx.take(8)?; // the number of the track, its clock
    let first_offset = if version == 0 {
        sidx.take(4)?;
        sidx.u32()?.into()
    } else {
        sidx.take(8)?;
        sidx.u64()?
    };
    sidx.take(2)?;
    let mut end = anchor.saturating_add(first_offset);
    for _ in 0..sidx.u16()? {
        end = end.saturating_add((sidx.u32()? & 0x7fff_ffff).into());
        sidx.take(8)?; // the duration, access points
    }
    Ok(end)
}

/// A required box.
fn need<'a>(parent: Bytes<'a>, kind: &[u8; 4]) -> Result<Bytes<'a>> {
    parent.find(*kind).ok_or_else(|| {
        let kind = kind.escape_ascii();
        Error::bad_data(parent.offset(), format!("the box '{kind}' is missing"))
    })
}

/// The ticks per second of a movie or a track, whose boxes ("mvhd", "mdhd") begin with the same fields.
fn ticks_per_second(mut header: Bytes<'_>) -> Result<u32> {
    let (version, _) = header.version_and_flags()?;
    header.take(if version == 0 { 8 } else { 16 })?; // creation and modification time
    let at = header.offset();
    match header.u32()? {
        0 => Err(Error::bad_data(at, "a clock has 0 ticks per second")),
        ticks => Ok(ticks),
    }
}

/// The number of a track in fragments ("tkhd").
fn track_number(mut tkhd: Bytes<'_>) -> Result<u32> {
    let (version, _) = tkhd.version_and_flags()?;
    tkhd.take(if version == 0 { 8 } else { 16 })?;
    tkhd.u32()
}

/// Adds the packets of all fragments; false if the file ends before the last.
fn read_fragments(
    file: Bytes<'_>,
    track: u32,
    defaults: Defaults,
    table: &mut PacketTable,
    timeline: &mut Timeline<'_>,
) -> Result<bool> {
    let is_fragment = |found: &Atom<'_>| &found.kind == b"moof";
    for moof in file.boxes().filter(is_fragment) {
        if !moof.is_whole || !fragments::read_packets(&moof, track, defaults, table, timeline)? {
            return Ok(false);
        }
    }
    Ok(true)
}
