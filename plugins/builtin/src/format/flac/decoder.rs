//! FLAC files, and FLAC in WAV files.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};
use std::ops::Range;
use std::sync::Arc;

use mapwave_plugin::{
    Decoder, DecoderOptions, Error, Head, Input, Memory, Output, Result, SeekClass, StreamInfo, Track,
};

use super::frames::{Format, Frames};
use crate::codec::flac::FrameCodec;
use crate::codec::flac::FrameHeader;
use crate::codec::flac::StreamInfoBlock;
use crate::codec::flac::metadata::{MARKER, Metadata, channel_mask};
use crate::engine::packets::{Broken, Packet, PacketCodec, PacketDecoder, PacketStream, decode_with};
use crate::host_track;
use crate::tags::id3v2;
use crate::tags::vorbis_comment::Comments;

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

    fn probe(head: &Head<'_>) -> u8 {
        let marker = |offset: usize| head.bytes.get(offset..).and_then(|rest| rest.first_chunk());
        if let Some(track) = &head.track {
            return u8::from(is_flac(track)) * 95;
        }
        match id3v2::leading_bytes(head.bytes) {
            0 if marker(0) == Some(MARKER) => 100,
            0 => 0,
            num_bytes if marker(num_bytes) == Some(MARKER) => 95,
            // The tag is longer than the head.
            num_bytes if num_bytes >= head.bytes.len() && matches!(head.extension, Some("flac" | "fla")) => {
                40
            }
            _ => 0,
        }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        if options.stream != 0 {
            return Err(Error::unsupported(format!(
                "a FLAC file has only stream 0, not stream {}",
                options.stream
            )));
        }
        let memory = input.into_memory(options.max_alloc)?;
        let stream = match &options.track {
            None => FlacStream::open(memory, options.max_alloc)?,
            Some(track) if is_flac(track) => FlacStream::of_track(memory, track, options.max_alloc)?,
            Some(_) => {
                return Err(Error::unsupported("this decoder supports FLAC only in FLAC and WAV files"));
            }
        };
        Ok(Self { decoder: PacketDecoder::new(Arc::new(stream)) })
    }

    decode_with!(decoder);
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
    frames: Frames,
}

impl FlacStream {
    fn open(memory: Memory, max_alloc: u64) -> Result<Self> {
        let metadata = Metadata::parse(&memory)?;
        let end = memory.len();
        Self::new(memory, end, metadata, c"flac", max_alloc)
    }

    fn of_track(memory: Memory, track: &Track<'_>, max_alloc: u64) -> Result<Self> {
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(memory.len());
        let setup = memory.get(place(track.config.start)..place(track.config.end));
        let stream_info = setup.and_then(StreamInfoBlock::parse).ok_or_else(|| {
            Error::bad_data(track.config.start, "the 'fmt ' chunk does not contain a STREAMINFO of 34 bytes")
        })?;
        let (start, end) = (place(track.data.start), place(track.data.end));
        let container = host_track::container_name(track).unwrap_or(c"wav");
        let metadata = Metadata::without_comments(stream_info, start);
        let mut stream = Self::new(memory, end, metadata, container, max_alloc)?;
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
        max_alloc: u64,
    ) -> Result<Self> {
        let Metadata { stream_info, comments, frames_offset, .. } = metadata;
        let bytes = memory.get(..end).unwrap_or_default();
        let header = bytes.get(frames_offset..).and_then(FrameHeader::parse);
        let frames = match header {
            Some(header) => {
                let format = Format::new(&header, &stream_info).ok_or_else(|| {
                    let (found, max) = (header.block_size, stream_info.max_block_size);
                    let message = format!("a block has {found} frames, but STREAMINFO allows {max}");
                    Error::bad_data(frames_offset as u64, message)
                })?;
                Frames::find(bytes, frames_offset, format)
            }
            None if is_without_frames(bytes, frames_offset, &stream_info) => {
                let header = empty_header(&stream_info);
                let format = Format::new(&header, &stream_info).ok_or_else(|| {
                    Error::bad_data(frames_offset as u64, "STREAMINFO allows blocks of 0 frames")
                })?;
                let is_cut = frames_offset < bytes.len();
                Frames { is_cut, ..Frames::find(&[], 0, format) }
            }
            None => {
                let message = "no frame follows the metadata blocks";
                return Err(Error::bad_data(frames_offset as u64, message));
            }
        };
        let format = &frames.format.stream_info;
        if format.sample_rate == 0 || format.bits_per_sample < 4 {
            let message =
                format!("{} Hz with {} bits is not valid", format.sample_rate, format.bits_per_sample);
            return Err(Error::bad_data(frames_offset as u64, message));
        }
        format.check_room(max_alloc)?;
        if frames.changes_format(bytes) {
            let message = "the stream changes its rate, depth or number of channels";
            return Err(Error::unsupported(message).at(frames.end_offset as u64));
        }
        let num_frames = frames.num_frames();
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
            is_truncated: stream_info.num_frames.map_or(frames.is_cut, |promised| num_frames < promised),
            priming_frames: 0,
            padding_frames: 0,
            // A frame is found in a few steps and decoded from its start.
            seek_cost_frames: u64::from(format.max_block_size.min(4608)),
            codec: c"flac",
            container,
        };
        Ok(Self { memory, end, info, comments, frames })
    }
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
        side_channel: None,
        bits_per_sample: None,
        num_bytes: 0,
    }
}

/// A position between frames.
pub(crate) struct Cursor {
    offset: usize,
    /// The frame of sound that must come next.
    first_frame: u64,
    /// Where the next frame ends, if known.
    end: Option<usize>,
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
        let num_frames = self.frames.num_frames();
        if frame >= num_frames {
            return Ok(Cursor { offset: self.frames.end_offset, first_frame: num_frames, end: None });
        }
        if frame == 0 {
            let offset = self.frames.ends.map_or(0, |(first, _)| first.offset);
            return Ok(Cursor { offset, first_frame: 0, end: None });
        }
        match self.frames.holding(self.bytes(), frame) {
            Some((found, end)) => {
                Ok(Cursor { offset: found.offset, first_frame: found.first, end: Some(end) })
            }
            None => {
                let message = format!("the FLAC frame with frame {frame} of the sound is damaged or missing");
                Err(Error::new(mapwave_plugin::Status::BadData, message))
            }
        }
    }

    fn next<'a>(&'a self, cursor: &mut Cursor) -> Result<Option<Packet<&'a [u8]>>> {
        if cursor.offset >= self.frames.end_offset {
            return Ok(None);
        }
        let place = cursor.offset as u64;
        let Some((_, frame)) = self.frames.format.frame_at(self.bytes(), cursor.offset) else {
            return Err(Error::bad_data(place, "expected a FLAC frame here"));
        };
        if frame.first != cursor.first_frame {
            let (found, expected) = (frame.first, cursor.first_frame);
            let message =
                format!("the FLAC frame here begins with frame {found} of the sound, expected {expected}");
            return Err(Error::bad_data(place, message));
        }
        let end = match cursor.end.take() {
            Some(end) => end,
            None => self.frames.end_of(self.bytes(), &frame).ok_or_else(|| {
                Error::bad_data(place, "the FLAC frame is damaged: its checksum is wrong or it does not end")
            })?,
        };
        cursor.offset = end;
        cursor.first_frame = frame.end();
        let bytes = self.bytes().get(frame.offset..end).unwrap_or_default();
        Ok(Some(Packet {
            bytes,
            offset: place,
            first_frame: frame.first,
            num_frames: frame.num_frames.into(),
        }))
    }

    fn codec(&self) -> Result<FrameCodec> {
        FrameCodec::new(&self.frames.format.stream_info)
    }

    fn renew(&self, codec: FrameCodec) -> Result<FrameCodec> {
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
}
