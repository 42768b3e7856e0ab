//! FLAC files, and FLAC in WAV files.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};
use std::ops::Range;
use std::sync::Arc;

use mapwave_codec_base::Part;
use mapwave_flac::Decorrelation;
use mapwave_plugin::fork::SetOnce;
use mapwave_plugin::{
    Decoder, DecoderOptions, Error, Head, Input, Memory, Output, Result, SeekClass, StreamInfo, Track,
};

use super::chain::{Chain, Place, damaged};
use super::frames::{Format, Frame};
use super::index::{Index, IndexKind, SavedIndex};
use super::survey;
use crate::codec::flac::FrameCodec;
use crate::codec::flac::FrameHeader;
use crate::codec::flac::StreamInfoBlock;
use crate::codec::flac::crc16;
use crate::codec::flac::metadata::{MARKER, Metadata, channel_mask};
use crate::engine::packets::{Broken, Packet, PacketCodec, PacketDecoder, PacketStream, Wanted, decode_with};
use crate::host_track;
use crate::tags::id3v2;
use crate::tags::vorbis_comment::Comments;

/// Streams of at most this many bytes are followed from the first frame to the last when they are opened, so that damage
/// anywhere is found then.
const SHORT_BYTES: usize = 2 << 20;

/// The same where bytes cost much.
const SHORT_COSTLY_BYTES: usize = 64 << 10;

/// Decodes FLAC files, and the FLAC streams of WAV files that the host has parsed.
pub struct FlacDecoder {
    decoder: PacketDecoder<FlacStream>,
}

impl std::fmt::Debug for FlacDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlacDecoder").field("info", self.info()).finish_non_exhaustive()
    }
}

impl Decoder for FlacDecoder {
    const NAME: &'static CStr = c"flac";
    const CODECS: &'static CStr = c"flac";
    const EXTENSIONS: &'static CStr = c"flac,fla";
    const HAS_INDEX: bool = true;

    fn probe(head: &Head<'_>) -> u8 {
        let marker = |offset: usize| head.bytes.get(offset..).and_then(|rest| rest.first_chunk());
        if let Some(track) = &head.track {
            return u8::from(is_flac(track)) * 95;
        }
        match id3v2::leading_bytes(head.bytes) {
            0 if marker(0) == Some(MARKER) => 100,
            0 => 0,
            num_bytes if marker(num_bytes) == Some(MARKER) => 100,
            // The tag is longer than the head: an MP3 mostly, which is tried first.
            num_bytes if num_bytes >= head.bytes.len() => 40,
            _ => 0,
        }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let memory = input.into_memory(options.max_alloc)?;
        let stream = match &options.track {
            None => FlacStream::open(memory, options)?,
            Some(track) if is_flac(track) => FlacStream::of_track(memory, track, options)?,
            Some(_) => {
                return Err(Error::unsupported("this decoder supports FLAC only in FLAC and WAV files"));
            }
        };
        Ok(Self { decoder: PacketDecoder::new(Arc::new(stream)) })
    }

    decode_with!(decoder);

    fn save_index(&self) -> Option<Vec<u8>> {
        self.decoder.stream().save_index()
    }
}

/// Whether a track consists of consecutive FLAC frames, with STREAMINFO in the "fmt " chunk.
fn is_flac(track: &Track<'_>) -> bool {
    track.codec == "flac" && host_track::is_wave(track)
}

/// The one stream of a FLAC file.
struct FlacStream {
    memory: Memory,
    /// Where the stream ends in memory.
    end: usize,
    info: StreamInfo,
    comments: Comments,
    format: Format,
    /// Where the first frame begins, in bytes.
    frames_offset: usize,
    /// Where the last one ends.
    frames_end: Place,
    /// Whether the last frame is truncated.
    is_cut: bool,
    /// Whether the numbers of frames may begin again; not in a stream whose last number confirms STREAMINFO.
    may_restart: bool,
    /// Known from the beginning, or after the first seek. It is set, not initialised, so that a process that forks
    /// meanwhile leaves no lock to its child.
    index: SetOnce<Result<Index>>,
}

impl FlacStream {
    fn open(memory: Memory, options: &DecoderOptions<'_>) -> Result<Self> {
        let metadata = Metadata::parse(&memory)?;
        let end = memory.len();
        Self::new(memory, end, metadata, c"flac", options)
    }

    fn of_track(memory: Memory, track: &Track<'_>, options: &DecoderOptions<'_>) -> Result<Self> {
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(memory.len());
        let setup = memory.get(place(track.config.start)..place(track.config.end));
        let stream_info = setup.and_then(StreamInfoBlock::parse).ok_or_else(|| {
            Error::bad_data(track.config.start, "the 'fmt ' chunk does not contain a STREAMINFO of 34 bytes")
        })?;
        let (start, end) = (place(track.data.start), place(track.data.end));
        let container = host_track::container_name(track).unwrap_or(c"wav");
        let metadata = Metadata::without_comments(stream_info, start);
        let mut stream = Self::new(memory, end, metadata, container, options)?;
        if track.channel_mask.count_ones() == stream.info.num_channels {
            stream.info.channel_mask = track.channel_mask;
        }
        Ok(stream)
    }

    fn bytes(&self) -> &[u8] {
        self.memory.get(..self.end).unwrap_or_default()
    }

    /// The stream with this metadata, whose frames end with the first `end` bytes.
    fn new(
        memory: Memory,
        end: usize,
        metadata: Metadata,
        container: &'static CStr,
        options: &DecoderOptions<'_>,
    ) -> Result<Self> {
        let Metadata { stream_info, comments, frames_offset, .. } = metadata;
        let bytes = memory.get(..end).unwrap_or_default();
        let header = bytes.get(frames_offset..).and_then(FrameHeader::parse);
        let has_frames = header.is_some();
        let header = header.or_else(|| {
            is_without_frames(bytes, frames_offset, &stream_info).then(|| empty_header(&stream_info))
        });
        let header = header
            .ok_or_else(|| Error::bad_data(frames_offset as u64, "no frame follows the metadata blocks"))?;
        let frame_format = Format::new(&header, &stream_info).ok_or_else(|| {
            let (found, max) = (header.block_size, stream_info.max_block_size);
            let message = format!("a block has {found} frames, but STREAMINFO allows {max}");
            Error::bad_data(frames_offset as u64, message)
        })?;
        let format = &frame_format.stream_info;
        if format.sample_rate == 0 || format.bits_per_sample < 4 {
            let message =
                format!("{} Hz with {} bits is not valid", format.sample_rate, format.bits_per_sample);
            return Err(Error::bad_data(frames_offset as u64, message));
        }
        format.check_room(options.max_alloc)?;
        let index = SetOnce::new();
        let saved = SavedIndex::parse(options.index);
        let surveyed = surveyed_end(&frame_format, bytes, frames_offset, memory.is_costly());
        let may_restart = surveyed.is_none();
        let (frames_end, is_cut) = match surveyed {
            Some(end) if has_frames => {
                if let Some(saved) =
                    saved.filter(|saved| saved.fits(&frame_format, bytes, frames_offset, Some(&end)))
                {
                    index.get_or_init(|| Ok(saved.index));
                }
                (end, false)
            }
            _ if has_frames => {
                let saved = saved.filter(|saved| saved.fits(&frame_format, bytes, frames_offset, None));
                let (found, end, is_cut) = match saved {
                    Some(saved) => (saved.index, saved.end, saved.is_cut),
                    None => {
                        let chain = Chain::walk(&frame_format, &memory, end, frames_offset, true)?;
                        let (end, is_cut) = (chain.end, chain.is_cut);
                        (chain.into(), end, is_cut)
                    }
                };
                index.get_or_init(|| Ok(found));
                (end, is_cut)
            }
            _ => (Place::start(frames_offset), frames_offset < bytes.len()),
        };
        let num_frames = frames_end.first;
        let formats = FrameCodec::formats(format.bits_per_sample);
        let info = StreamInfo {
            sample_rate: format.sample_rate,
            num_channels: format.num_channels,
            channel_mask: channel_mask(&comments, format.num_channels),
            num_frames: Some(num_frames),
            bits_per_sample: format.bits_per_sample,
            native_format: formats.first().copied().unwrap_or(mapwave_plugin::SampleFormat::I32),
            formats,
            seek_class: SeekClass::Exact,
            is_lossless: true,
            is_truncated: stream_info.num_frames.map_or(is_cut, |promised| num_frames < promised),
            priming_frames: 0,
            padding_frames: 0,
            // A frame is found in a few steps and decoded from its start.
            seek_cost_frames: u64::from(format.max_block_size.min(4608)),
            codec: c"flac",
            container,
        };
        Ok(Self {
            memory,
            end,
            info,
            comments,
            format: frame_format,
            frames_offset,
            frames_end,
            is_cut,
            may_restart,
            index,
        })
    }

    /// The index; of a long stream it is made when it is needed first.
    fn index(&self) -> Result<&Index> {
        let made = match self.index.get() {
            Some(made) => made,
            None => {
                let made = self.make_index();
                self.index.get_or_init(|| made)
            }
        };
        made.as_ref().map_err(Clone::clone)
    }

    /// The places of frames as bytes; `None` of a stream without frames, or of one that is damaged.
    fn save_index(&self) -> Option<Vec<u8>> {
        let index = self.index().ok()?;
        (self.frames_end.first > 0).then(|| index.save(&self.frames_end, self.is_cut))
    }

    fn make_index(&self) -> Result<Index> {
        let marks = survey::marks(&self.format, self.bytes(), self.frames_offset, &self.frames_end);
        if let Some(places) = marks {
            let end_offset = self.frames_end.offset;
            return Ok(Index { places, end_offset, kind: IndexKind::Surveyed });
        }
        let chain = Chain::walk(&self.format, &self.memory, self.end, self.frames_offset, self.may_restart)?;
        if chain.end.first < self.frames_end.first {
            let (found, expected) = (chain.end.first, self.frames_end.first);
            let message = format!("the frames end here, after {found} of {expected} frames of sound");
            return Err(Error::bad_data(chain.end.offset as u64, message));
        }
        Ok(chain.into())
    }

    /// The frame at a place, and the place after it.
    fn step(&self, place: &Place, known_end: Option<usize>) -> Result<(Frame, Place)> {
        let (bytes, offset) = (self.bytes(), place.offset);
        let Some((_, frame)) = self.format.frame_at(bytes, offset) else {
            return Err(Error::bad_data(offset as u64, "expected a FLAC frame here"));
        };
        let origin = place.origin_of(&frame, self.may_restart).ok_or_else(|| place.wrong_number(&frame))?;
        let end = match known_end {
            Some(end) => {
                let whole = bytes.get(offset..end);
                whole.filter(|whole| crc16(0, whole) == 0).map(|_| end)
            }
            None => self.format.end_of(bytes, &frame),
        };
        let end = end.ok_or_else(|| damaged(offset))?;
        Ok((frame, place.after(&frame, origin, end)))
    }

    /// The place of the frame that holds a frame of sound, found with few bytes; `None` if the frames are not in order.
    fn place_near(&self, target: u64) -> Option<Place> {
        let bytes = self.bytes();
        let near = survey::near(&self.format, bytes, self.frames_offset, &self.frames_end, target)?;
        let frame = survey::reach(&self.format, bytes, near, target)?;
        self.format.end_of(bytes, &frame)?;
        Some(Place { offset: frame.offset, first: frame.first, origin: 0 })
    }

    /// The place of the frame that holds a frame of sound, from a place before it.
    fn approach(&self, from: Place, target: u64, kind: IndexKind) -> Result<Place> {
        let bytes = self.bytes();
        let first = self.format.frame_at(bytes, from.offset).filter(|_| kind == IndexKind::Surveyed);
        let found = first.and_then(|(_, first)| survey::reach(&self.format, bytes, first, target));
        // Once in a million seeks something else looks like a frame. The checksum detects it, and then every step is
        // checked.
        if let Some(frame) = found.filter(|frame| self.format.end_of(bytes, frame).is_some()) {
            return Ok(Place { offset: frame.offset, first: frame.first, origin: 0 });
        }
        let mut place = from;
        loop {
            let (_, next) = self.step(&place, None)?;
            if next.first > target {
                return Ok(place);
            }
            place = next;
        }
    }
}

/// The end of a stream that need not be followed to its end now: a long one whose last frame is the one that STREAMINFO
/// promises.
fn surveyed_end(format: &Format, bytes: &[u8], frames_offset: usize, is_costly: bool) -> Option<Place> {
    let promised = format.stream_info.num_frames?;
    let short = if is_costly { SHORT_COSTLY_BYTES } else { SHORT_BYTES };
    if bytes.len().saturating_sub(frames_offset) <= short {
        return None;
    }
    survey::end_of_stream(format, bytes, frames_offset, is_costly).filter(|end| end.first == promised)
}

/// Whether a stream ends where its frames should begin, because it is empty or truncated.
fn is_without_frames(bytes: &[u8], frames_offset: usize, stream_info: &StreamInfoBlock) -> bool {
    let rest = bytes.get(frames_offset..).unwrap_or_default();
    rest.is_empty()
        || rest.len() < FrameHeader::MAX_BYTES
            && stream_info.num_frames.is_some()
            && rest.starts_with(b"\xFF")
}

/// The header that a first frame would have.
fn empty_header(stream_info: &StreamInfoBlock) -> FrameHeader {
    FrameHeader {
        is_variable: false,
        number: 0,
        block_size: 0,
        sample_rate: None,
        num_channels: stream_info.num_channels,
        decorrelation: Decorrelation::Independent,
        bits_per_sample: None,
        num_bytes: 0,
    }
}

/// A position between frames.
pub(crate) struct Cursor {
    place: Place,
    /// The number of the next frame in a complete index.
    number: Option<usize>,
}

impl PacketStream for FlacStream {
    type Cursor = Cursor;
    type Bytes<'a> = &'a [u8];
    type Codec = FrameCodec;

    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn tags(&self) -> &[(CString, CString)] {
        &self.comments
    }

    fn entry(&self, frame: u64) -> Result<Cursor> {
        if frame >= self.frames_end.first {
            return Ok(Cursor { place: self.frames_end, number: None });
        }
        if frame == 0 {
            let is_complete = matches!(self.index.get(), Some(Ok(Index { kind: IndexKind::Complete, .. })));
            let number = is_complete.then_some(0);
            return Ok(Cursor { place: Place::start(self.frames_offset), number });
        }
        if self.memory.is_costly()
            && !self.may_restart
            && self.index.get().is_none()
            && let Some(place) = self.place_near(frame)
        {
            return Ok(Cursor { place, number: None });
        }
        let index = self.index()?;
        let number = index.places.partition_point(|place| place.first <= frame).saturating_sub(1);
        let place = index.places.get(number).copied().unwrap_or(Place::start(self.frames_offset));
        match index.kind {
            IndexKind::Complete => Ok(Cursor { place, number: Some(number) }),
            kind => Ok(Cursor { place: self.approach(place, frame, kind)?, number: None }),
        }
    }

    fn next<'a>(&'a self, cursor: &mut Cursor) -> Result<Option<Packet<&'a [u8]>>> {
        let place = cursor.place;
        if place.first >= self.frames_end.first {
            return Ok(None);
        }
        let number = cursor.number.map(|number| number.saturating_add(1));
        let known_end = match (number, self.index.get()) {
            (Some(number), Some(Ok(index))) => {
                Some(index.places.get(number).map_or(index.end_offset, |place| place.offset))
            }
            _ => None,
        };
        let (frame, next) = self.step(&place, known_end)?;
        *cursor = Cursor { place: next, number };
        let bytes = self.bytes().get(place.offset..next.offset).unwrap_or_default();
        Ok(Some(Packet {
            bytes,
            offset: place.offset as u64,
            first_frame: place.first,
            num_frames: frame.num_frames.into(),
        }))
    }

    fn codec(&self, _: u64) -> Result<FrameCodec> {
        FrameCodec::new(&self.format.stream_info)
    }

    fn renew(&self, codec: FrameCodec, _: u64) -> Result<FrameCodec> {
        Ok(codec)
    }
}

impl PacketCodec<FlacStream> for FrameCodec {
    fn decode(&mut self, _: &FlacStream, packet: &Packet<&[u8]>) -> Result<usize, Broken> {
        self.decode(packet.bytes).map_err(Broken::Fatal)
    }

    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        self.write(frames, output)
    }

    fn is_batched(&self, _: &Packet<&[u8]>) -> bool {
        true
    }

    fn decode_batch(
        &mut self,
        _: &FlacStream,
        batch: &[Wanted<&[u8]>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        let parts =
            batch.iter().map(|wanted| Part { bytes: wanted.packet.bytes, frames: wanted.frames.clone() });
        self.decode_batch(&parts.collect::<Vec<_>>(), output)
    }
}
