//! Matroska and WebM (RFC 9559) with FLAC, ALAC, Vorbis, Opus, MPEG audio, AAC or PCM.

#![forbid(unsafe_code)]

mod block;
mod coding;
mod ebml;
mod id;
mod listing;
mod pcm;
mod segment;
mod tags;
#[cfg(test)]
mod tests;
mod writer;

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use mapwave_aac::Snapshot;
use mapwave_codec_base::Part;
use mapwave_plugin::fork::Lock;
use mapwave_plugin::{
    Decoder, DecoderOptions, Error, Head, Input, Memory, Output, Result, Status, StreamEntry, StreamInfo,
    Sweep,
};

use crate::codec::aac::PACKETS_LOOKED_AT;
use crate::codec::checkpoints::Checkpoints;
use crate::codec::opus::{Cells, Kind};
use crate::engine::packets::{
    Broken, Numbered, NumberedPackets, Packet, PacketCodec, PacketDecoder, PacketStream, Wanted,
};
use crate::engine::playlist::{Playlist, Run};
use crate::format::mpeg;
use crate::format::mpeg::track;
use crate::format::mpeg::track::{Container, MpegTrack};
use crate::tags::vorbis_comment::Comments;
use coding::{Codec, Coding};
use segment::{DocType, Place, Segment};

pub(crate) use writer::{MatroskaWriter, WrittenTrack};

/// The probe score for a file whose header declares Matroska or WebM.
const MAGIC: u8 = 95;

/// Decodes an audio track of a Matroska or WebM file.
///
/// All packets are listed when the file is opened, from the headers of its blocks, so that the number of frames is
/// exact. Timestamps are ignored, because they are too coarse to place a sample.
pub struct MatroskaDecoder {
    frames: Frames,
    doc_type: DocType,
    streams: Arc<[StreamEntry]>,
}

enum Frames {
    Packets(PacketDecoder<Packets>),
    Mpeg(Box<MpegTrack>),
}

impl fmt::Debug for MatroskaDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MatroskaDecoder({:?})", self.info().codec)
    }
}

impl Decoder for MatroskaDecoder {
    const NAME: &'static CStr = c"matroska";
    const CODECS: &'static CStr =
        c"flac,alac,vorbis,opus,mp3,mp2,mp1,aac,pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,\
        pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f64le";
    const EXTENSIONS: &'static CStr = c"mka,mkv,webm";

    fn probe(head: &Head<'_>) -> u8 {
        if head.track.is_none() && DocType::read(head.bytes).is_some() { MAGIC } else { 0 }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let memory = input.into_memory(options.max_alloc)?;
        let mut segment = Segment::read(&memory, options.stream, listing::entry, options.max_alloc)?;
        let doc_type = segment.doc_type;
        let (streams, number) = std::mem::take(&mut segment.listed);
        let frames = Frames::open(memory, segment, options.max_alloc);
        let frames = frames.map_err(|error| StreamEntry::named(&streams, number, error))?;
        Ok(Self { frames, doc_type, streams: streams.into() })
    }

    fn info(&self) -> &StreamInfo {
        match &self.frames {
            Frames::Packets(decoder) => decoder.stream().info(),
            Frames::Mpeg(track) => track.info(),
        }
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        let num_frames = self.info().num_frames.unwrap_or(0);
        if frame > num_frames {
            let message = format!("cannot seek to frame {frame} of {num_frames}");
            return Err(Error::new(Status::BadArgument, message));
        }
        match &mut self.frames {
            Frames::Packets(decoder) => {
                decoder.seek(frame);
                Ok(())
            }
            Frames::Mpeg(track) => track.seek(frame),
        }
    }

    fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
        match &mut self.frames {
            Frames::Packets(decoder) => decoder.decode(output),
            Frames::Mpeg(track) => track.decode(output),
        }
    }

    fn fork(&self) -> Result<Self> {
        let frames = match &self.frames {
            Frames::Packets(decoder) => Frames::Packets(PacketDecoder::new(Arc::clone(decoder.stream()))),
            Frames::Mpeg(track) => Frames::Mpeg(Box::new(track.fork()?)),
        };
        Ok(Self { frames, doc_type: self.doc_type, streams: Arc::clone(&self.streams) })
    }

    fn streams(&self) -> &[StreamEntry] {
        &self.streams
    }

    fn tags(&self) -> &[(CString, CString)] {
        match &self.frames {
            Frames::Packets(decoder) => decoder.stream().tags(),
            Frames::Mpeg(track) => track.tags(),
        }
    }

    fn container_variant(&self) -> Option<&str> {
        Some(self.doc_type.name())
    }
}

impl Frames {
    fn open(memory: Memory, segment: Segment, max_alloc: u64) -> Result<Self> {
        let id = segment.track.codec_id.as_str();
        if let Some(how) = segment.track.is_encoded {
            return Err(Error::unsupported(format!("{how} packets of {id}")));
        }
        match id {
            "A_MPEG/L1" | "A_MPEG/L2" | "A_MPEG/L3" => {
                Ok(Self::Mpeg(Box::new(open_mpeg(&memory, &segment, max_alloc)?)))
            }
            _ => {
                let packets = Packets::open(memory, segment, max_alloc)?;
                Ok(Self::Packets(PacketDecoder::new(Arc::new(packets))))
            }
        }
    }
}

/// A packet in the file and on the decoded timeline.
#[derive(Clone, Copy, Debug)]
struct Indexed {
    place: Place,
    num_frames: u32,
    first_frame: u64,
}

/// The packets of a track.
struct Packets {
    memory: Memory,
    info: StreamInfo,
    tags: Comments,
    coding: Coding,
    index: Vec<Indexed>,
    /// Of Opus.
    cells: Option<Cells>,
    checkpoints: Checkpoints<Snapshot>,
    /// The bytes that precede those of every packet.
    stripped: Vec<u8>,
    /// The codec created by `open`, for the first use.
    codec: Lock<Option<Codec>>,
}

impl Packets {
    fn open(memory: Memory, segment: Segment, max_alloc: u64) -> Result<Self> {
        let track = &segment.track;
        let mut coding = Coding::new(track, max_alloc)?;
        let most_bytes = segment.packets.iter().map(|place| place.num_bytes).max().unwrap_or(0);
        if coding.needed(most_bytes.into()) > max_alloc {
            let message = format!("a packet of {most_bytes} bytes needs more memory than may be allocated");
            return Err(Error::new(Status::Limit, message));
        }
        let first = segment.packets.iter().take(PACKETS_LOOKED_AT);
        let first: Vec<_> = first.map(|place| packet_bytes(&memory, *place, &track.stripped)).collect();
        coding.refine(first.iter().map(|packet| &**packet))?;
        if let (Coding::Compressed(setup), Some(place)) = (&coding, segment.packets.first()) {
            let packets = segment.packets.iter().map(|place| packet_bytes(&memory, *place, &track.stripped));
            setup.check_any_decodes(packets, place.offset)?;
        }
        let codec = coding.codec()?;
        let (index, padding) = index(&memory, &segment, &coding)?;
        let decoded_frames = index.last().map_or(0, |last| last.first_frame + u64::from(last.num_frames));
        let info = match coding.opus() {
            Some(setup) => setup.info(first.first().map_or(Kind::Celt, |packet| setup.kind(packet))),
            None => coding.info(decoded_frames / (index.len() as u64).max(1)),
        };
        // A seek decodes from the beginning, or from a checkpoint that may not be there yet.
        let depends_on_all = matches!(&coding, Coding::Compressed(setup) if setup.depends_on_all());
        let seek_cost_frames = if depends_on_all { decoded_frames / 2 } else { info.seek_cost_frames };
        let priming = rescale(track.codec_delay.into(), info.sample_rate).min(decoded_frames);
        let info = StreamInfo {
            num_frames: Some(decoded_frames - priming),
            seek_cost_frames,
            is_truncated: segment.is_truncated,
            priming_frames: u32::try_from(priming).unwrap_or(u32::MAX),
            padding_frames: u32::try_from(padding).unwrap_or(u32::MAX),
            container: segment.container(),
            ..info
        };
        let stripped = segment.track.stripped;
        let tags = segment.tags.into_comments();
        let cells = coding.opus().map(|_| Cells::new(priming, decoded_frames));
        let codec = Lock::with(Some(codec));
        let checkpoints = Checkpoints::default();
        Ok(Self { memory, info, tags, coding, index, cells, checkpoints, stripped, codec })
    }

    /// The first packet that ends behind a frame.
    fn packet_at(&self, frame: u64) -> usize {
        let end = |packet: &Indexed| packet.first_frame + u64::from(packet.num_frames);
        self.index.partition_point(|packet| end(packet) <= frame)
    }

    /// What the packets of Opus with frames of a range are made of.
    fn kind_of(&self, frames: Range<u64>) -> Kind {
        let Some(setup) = self.coding.opus() else { return Kind::Mixed };
        let packets = self.index.get(self.packet_at(frames.start)..).unwrap_or_default();
        let packets = packets.iter().take_while(|packet| packet.first_frame < frames.end);
        Kind::of(packets.map(|packet| setup.kind(&packet_bytes(&self.memory, packet.place, &self.stripped))))
    }
}

/// Opens a track of MPEG audio, whose frames hold what the track's entry lacks.
fn open_mpeg(memory: &Memory, segment: &Segment, max_alloc: u64) -> Result<MpegTrack> {
    let stripped = &segment.track.stripped;
    let packets = || segment.packets.iter().map(|place| packet_bytes(memory, *place, stripped));
    let lengths = packets().filter_map(|packet| mpeg::rate_and_frames(&packet));
    let (sample_rate, decoded_frames) = lengths.fold((0, 0_u64), |(first_rate, sum), (rate, num_frames)| {
        (if first_rate == 0 { rate } else { first_rate }, sum.saturating_add(num_frames.into()))
    });
    if sample_rate == 0 {
        return Err(Error::new(Status::BadData, "no packet of the track is an MPEG audio frame"));
    }
    let discards = segment.discards.iter().map(|(_, nanoseconds)| (*nanoseconds).into());
    let padding = discards.map(|nanoseconds| rescale(nanoseconds, sample_rate)).sum::<u64>();
    let priming_frames = rescale(segment.track.codec_delay.into(), sample_rate);
    let num_frames = decoded_frames.saturating_sub(priming_frames).saturating_sub(padding);
    let container = Container {
        name: segment.container(),
        playlist: Some(Playlist::trimmed(priming_frames, Some(num_frames), decoded_frames)),
        is_truncated: segment.is_truncated,
    };
    let pieces = || {
        let is_whole = stripped.is_empty();
        let offsets = segment.packets.iter().map(move |place| is_whole.then_some(place.offset));
        offsets.zip(packets()).map(|(offset, bytes)| track::Packet { offset, bytes })
    };
    MpegTrack::open(memory, pieces, container, segment.tags.clone().into_comments(), max_alloc)
}

/// Places the packets on the decoded timeline, without the padding at their ends, and returns the padding.
fn index(memory: &Memory, segment: &Segment, coding: &Coding) -> Result<(Vec<Indexed>, u64)> {
    let mut index = Vec::new();
    let reserved = index.try_reserve_exact(segment.packets.len());
    reserved.map_err(|_| Error::new(Status::NoMemory, "not enough memory for the list of packets"))?;
    let mut discards = segment.discards.iter().peekable();
    let mut length = coding.lengths();
    let sample_rate = coding.info(0).sample_rate;
    let (mut first_frame, mut padding) = (0_u64, 0_u64);
    let mut sweep = Sweep::new(memory.clone(), 0);
    for (number, place) in segment.packets.iter().enumerate() {
        sweep.pass(usize::try_from(place.offset).unwrap_or(usize::MAX));
        let mut num_frames = length(&packet_bytes(memory, *place, &segment.track.stripped));
        while let Some((_, nanoseconds)) = discards.next_if(|(discarded, _)| *discarded == number) {
            let discard = rescale((*nanoseconds).into(), sample_rate).min(num_frames.into());
            padding += discard;
            num_frames -= u32::try_from(discard).unwrap_or(num_frames);
        }
        index.push(Indexed { place: *place, num_frames, first_frame });
        first_frame = first_frame.saturating_add(num_frames.into());
    }
    Ok((index, padding))
}

/// Nanoseconds in frames, rounded to the nearest; 0 if negative.
fn rescale(nanoseconds: i128, sample_rate: u32) -> u64 {
    let frames = nanoseconds.saturating_mul(sample_rate.into()).saturating_add(500_000_000) / 1_000_000_000;
    u64::try_from(frames).unwrap_or(if frames < 0 { 0 } else { u64::MAX })
}

/// A packet, with the bytes that its track strips from all of them.
fn packet_bytes<'a>(bytes: &'a [u8], place: Place, stripped: &[u8]) -> Cow<'a, [u8]> {
    let range = usize::try_from(place.offset).ok().zip(usize::try_from(place.num_bytes).ok());
    let packet = range.and_then(|(start, num_bytes)| bytes.get(start..start + num_bytes)).unwrap_or_default();
    if stripped.is_empty() { Cow::Borrowed(packet) } else { Cow::Owned([stripped, packet].concat()) }
}

impl PacketStream for Packets {
    /// The number of a packet.
    type Cursor = usize;
    type Bytes<'a> = Numbered<Cow<'a, [u8]>>;
    type Codec = Codec;

    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn tags(&self) -> &[(CString, CString)] {
        &self.tags
    }

    fn run(&self, position: u64) -> Option<Run> {
        let end = self.info.num_frames.unwrap_or(0);
        let num_frames = end.checked_sub(position).filter(|num_frames| *num_frames > 0)?;
        let frame = self.priming_frames().saturating_add(position);
        let cell_end = self.cells.as_ref().map_or(u64::MAX, |cells| cells.next(frame));
        Some(Run { source: Some(frame), num_frames: num_frames.min(cell_end - frame) })
    }

    fn continues(&self, position: u64) -> bool {
        let frame = self.priming_frames().saturating_add(position);
        self.cells
            .as_ref()
            .is_some_and(|cells| position > 0 && cells.continues(frame, |frames| self.kind_of(frames)))
    }

    fn entry(&self, frame: u64) -> Result<usize> {
        let frame =
            self.cells.as_ref().map_or(frame, |cells| cells.entry(frame, |frames| self.kind_of(frames)));
        Ok(self.packet_at(frame).saturating_sub(self.coding.pre_roll()))
    }

    fn next<'a>(&'a self, number: &mut usize) -> Result<Option<Packet<Numbered<Cow<'a, [u8]>>>>> {
        let Some(&Indexed { place, num_frames, first_frame }) = self.index.get(*number) else {
            return Ok(None);
        };
        let bytes = packet_bytes(&self.memory, place, &self.stripped);
        let bytes = Numbered { number: *number as u64, bytes };
        *number += 1;
        Ok(Some(Packet { bytes, offset: place.offset, first_frame, num_frames: num_frames.into() }))
    }

    fn codec(&self, frame: u64) -> Result<Codec> {
        if let (Some(setup), Some(cells)) = (self.coding.opus(), &self.cells) {
            return Coding::opus_codec(setup, cells.engine(frame, |frames| self.kind_of(frames)));
        }
        let spare = self.codec.lock().take();
        spare.map_or_else(|| self.coding.codec(), Ok)
    }

    fn renew(&self, codec: Codec, frame: u64) -> Result<Codec> {
        if self.cells.is_some() { self.codec(frame) } else { self.coding.renew(codec) }
    }
}

impl NumberedPackets for Packets {
    fn packet(&self, number: u64) -> Option<Cow<'_, [u8]>> {
        let packet = self.index.get(usize::try_from(number).ok()?)?;
        Some(packet_bytes(&self.memory, packet.place, &self.stripped))
    }

    fn checkpoints(&self) -> Option<&Checkpoints<Snapshot>> {
        Some(&self.checkpoints)
    }
}

impl PacketCodec<Packets> for Codec {
    fn decode(
        &mut self,
        stream: &Packets,
        packet: &Packet<Numbered<Cow<'_, [u8]>>>,
    ) -> Result<usize, Broken> {
        self.decode(stream, &packet.bytes, packet.num_frames)
    }

    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        self.write(frames, output)
    }

    fn is_batched(&self, _: &Packet<Numbered<Cow<'_, [u8]>>>) -> bool {
        match self {
            Self::Compressed(codec) => codec.is_batched(),
            Self::Vorbis(_) => true,
            Self::Pcm(_) => false,
        }
    }

    fn decode_batch(
        &mut self,
        stream: &Packets,
        batch: &[Wanted<Numbered<Cow<'_, [u8]>>>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        match self {
            Self::Compressed(codec) => codec.decode_batch(stream, batch, output),
            Self::Vorbis(codec) => {
                let parts = batch.iter().map(|wanted| Part {
                    bytes: wanted.packet.bytes.as_ref(),
                    frames: wanted.frames.clone(),
                });
                let parts: Vec<Part<'_>> = parts.collect();
                codec.decode_batch(&parts, output)
            }
            Self::Pcm(_) => Err((0, Broken::Silence)), // there are no batches of these
        }
    }
}
