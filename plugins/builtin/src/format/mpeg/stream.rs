//! An MPEG audio stream: its frames as packets, and the trimming of delay and padding.

use std::ffi::CString;
use std::ops::Range;

use mapwave_plugin::{
    DecoderOptions, Error, Input, Level, Memory, Result, SampleFormat, SeekClass, StreamInfo, Sweep, Track,
    log,
};

use super::codec::MpegCodec;
use super::header::Header;
use super::id3::{self, ItunesGapless};
use super::index::Index;
use super::tags;
use super::xing::Gapless;
use crate::engine::packets::{Packet, PacketCodec, PacketStream};
use crate::engine::playlist::{Playlist, Run};
use crate::format::other;
use crate::host_track;

/// The delay of a layer III decoder: 528 frames of the filter banks and one more.
const DECODER_DELAY: u64 = 529;
/// The most frames from which main data is collected.
const MAX_FRAMES_BACK: u32 = 512;
/// Shorter files are scanned however much their bytes cost.
const SHORT_BYTES: usize = 256 << 10;
/// Files with fewer frames are decoded on opening, to find out whether any frame can be.
const FEW_FRAMES: u32 = 4;

/// A stream, shared by all handles.
#[derive(Debug)]
pub(crate) struct MpegStream {
    memory: Memory,
    /// The range of the stream in the input.
    range: Range<usize>,
    index: Index,
    info: StreamInfo,
    playlist: Playlist,
    tags: Vec<(CString, CString)>,
    frames_per_packet: u16,
}

/// A frame of the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// Its number.
    pub(crate) number: u32,
    /// Its header; `None` if the file was overwritten after it was opened.
    pub(crate) header: Option<Header>,
    /// Its bytes, which may be fewer than stated in the header of the last frame.
    pub(crate) bytes: &'a [u8],
    /// Whether it is known to be undecodable.
    pub(crate) is_silent: bool,
}

impl MpegStream {
    /// Finds the frames, the tags and the trimming, unless a container states which frames are returned.
    ///
    /// # Errors
    /// As [`Index::build`]; [`Status::BadData`] when no frame can be decoded.
    pub(crate) fn open(
        input: Input,
        options: &DecoderOptions<'_>,
        playlist: Option<Playlist>,
    ) -> Result<Self> {
        // The bytes of a file that is not mapped count towards the limit.
        let read_bytes = if input.bytes().is_some() { 0 } else { input.num_bytes() };
        let memory = input.into_memory(options.max_alloc)?;
        let range = options.track.as_ref().map_or(0..memory.len(), |track| in_memory(track, memory.len()));
        let bytes = memory.get(range.clone()).unwrap_or_default();
        let max_alloc = options.max_alloc - read_bytes;
        if options.track.is_none() {
            other::refuse_behind(bytes, tags::skip_leading(bytes, 0))?;
        }
        let index = match Index::load(options.index, bytes, max_alloc) {
            Some(index) => index,
            None if memory.is_costly() && bytes.len() > SHORT_BYTES && options.track.is_none() => {
                let trusted = Index::trust(bytes);
                let scan = || Index::build(bytes, &mut Sweep::new(memory.clone(), range.start), max_alloc);
                trusted.map_or_else(scan, Ok)?
            }
            None => {
                let index = Index::build(bytes, &mut Sweep::new(memory.clone(), range.start), max_alloc);
                index.map_err(|error| shift(error, range.start))?
            }
        };
        report(&index, range.start);
        let (tags, itunes) = if options.track.is_none() { id3::read(bytes) } else { Default::default() };
        let (info, playlist, frames_per_packet) =
            describe(bytes, &index, options.track.as_ref(), itunes, playlist).ok_or_else(|| {
                let message = "the file has only the MPEG audio frame that describes it";
                Error::bad_data((range.start + index.first.at) as u64, message)
            })?;
        let stream = Self { memory, range, index, info, playlist, tags, frames_per_packet };
        if stream.is_mute()? {
            let message = "no MPEG audio frame of the file can be decoded";
            return Err(Error::bad_data((stream.range.start + stream.index.first.at) as u64, message));
        }
        Ok(stream)
    }

    /// The size of an unpadded frame if the bitrate is free, or else 0.
    pub(crate) fn free_bytes(&self) -> usize {
        self.index.first.free_bytes
    }

    /// The index as bytes.
    pub(crate) fn save_index(&self) -> Option<Vec<u8>> {
        self.index.save()
    }

    /// Whether no state passes from the frame before into frame `number`.
    pub(crate) fn is_break(&self, number: u32) -> bool {
        self.index.is_break(number)
    }

    /// Frame `number`; `None` past the last.
    pub(crate) fn frame(&self, number: u32) -> Option<(usize, Frame<'_>)> {
        let near = self.index.offset(number)?;
        let bytes = self.memory.get(self.range.clone()).unwrap_or_default();
        let offset = self.index.exact_offset(bytes, number).unwrap_or(near);
        let rest = bytes.get(offset..).unwrap_or_default();
        let header = Header::parse(rest).filter(|header| self.index.first.header.is_consistent(*header));
        let num_bytes = header.map_or(0, |header| header.num_bytes(self.free_bytes())).min(rest.len());
        let bytes = rest.get(..num_bytes).unwrap_or_default();
        Some((
            self.range.start + offset,
            Frame { number, header, bytes, is_silent: self.index.is_silent(number) },
        ))
    }

    /// Fills `room` with the main data before frame `number`, as far as it is there.
    pub(crate) fn fill_reservoir(&self, number: u32, room: &mut [u8]) {
        let (mut end, mut before) = (room.len(), number);
        // This many frames fill any reservoir, unless they have no main data.
        let last = number.saturating_sub(MAX_FRAMES_BACK);
        while end > 0 && before > last && !self.is_break(before) {
            before -= 1; // there is a gap before frame 0
            let main_data =
                self.frame(before).and_then(|(_, frame)| frame.bytes.get(frame.header?.main_data_start()..));
            let main_data = main_data.unwrap_or_default();
            let start = end.saturating_sub(main_data.len());
            let places = room.get_mut(start..end).unwrap_or_default();
            places.iter_mut().rev().zip(main_data.iter().rev()).for_each(|(to, from)| *to = *from);
            end = start;
        }
    }

    /// Whether no frame can be decoded, as far as a quick check shows.
    fn is_mute(&self) -> Result<bool> {
        if self.index.is_all_silent() {
            return Ok(true);
        }
        if self.index.num_packets() >= FEW_FRAMES {
            return Ok(false);
        }
        let (mut codec, mut cursor) = (self.codec(0)?, 0);
        while let Some(packet) = self.next(&mut cursor)? {
            if codec.decode(self, &packet).is_ok() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl PacketStream for MpegStream {
    type Cursor = u32;
    type Bytes<'a> = Frame<'a>;
    type Codec = MpegCodec;

    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn tags(&self) -> &[(CString, CString)] {
        &self.tags
    }

    fn run(&self, position: u64) -> Option<Run> {
        self.playlist.run(position)
    }

    /// A frame depends on the half granule before it, whose own overlap needs another granule. The codec reads the
    /// contents of the reservoir from the file.
    fn entry(&self, frame: u64) -> Result<u32> {
        let number = frame / u64::from(self.frames_per_packet);
        let number = u32::try_from(number).unwrap_or(u32::MAX).min(self.index.num_packets());
        Ok(number.saturating_sub(pre_roll(self.index.first.header)))
    }

    fn next<'a>(&'a self, cursor: &mut u32) -> Result<Option<Packet<Frame<'a>>>> {
        let Some((offset, frame)) = self.frame(*cursor) else { return Ok(None) };
        if frame.header.is_none() && self.index.is_regular() {
            let message = "expected an MPEG audio frame here, as all before have one size: read a copy of the file on \
                           this machine";
            return Err(Error::bad_data(offset as u64, message));
        }
        *cursor += 1;
        let num_frames = u64::from(self.frames_per_packet);
        Ok(Some(Packet {
            bytes: frame,
            offset: offset as u64,
            first_frame: u64::from(frame.number) * num_frames,
            num_frames,
        }))
    }

    fn codec(&self, _: u64) -> Result<MpegCodec> {
        let header = self.index.first.header;
        Ok(MpegCodec::new(header.layer(), if self.info.num_channels == 1 { 1 } else { 2 }))
    }

    fn renew(&self, mut codec: MpegCodec, _: u64) -> Result<MpegCodec> {
        codec.reset();
        Ok(codec)
    }
}

/// The number of frames after which a new decoder has the state of linear decoding: those with two granules of layer
/// III, or with the 15 slots in the memory of the filter bank of all layers.
fn pre_roll(header: Header) -> u32 {
    match (header.layer(), header.is_mpeg1()) {
        (1, _) | (3, false) => 2,
        _ => 1,
    }
}

/// The stream info, the frames that are returned, and the frames per packet; `None` when there are no frames.
fn describe(
    bytes: &[u8],
    index: &Index,
    track: Option<&Track<'_>>,
    itunes: Option<ItunesGapless>,
    playlist: Option<Playlist>,
) -> Option<(StreamInfo, Playlist, u16)> {
    let header = index.offset(0).and_then(|at| bytes.get(at..)).and_then(Header::parse)?;
    let num_packets = index.num_packets();
    let total = u64::from(num_packets) * u64::from(header.num_frames());
    let mut is_lacking = false;
    let playlist = match playlist {
        Some(playlist) => playlist.within(total),
        None => {
            let stated = sound(index, header, total, track, itunes);
            is_lacking = stated.end > total;
            Playlist::trimmed(stated.start, Some(stated.end.saturating_sub(stated.start)), total)
        }
    };
    let is_mono = header.num_channels() == 1;
    let codec = match header.layer() {
        1 => c"mp1",
        2 => c"mp2",
        _ => c"mp3",
    };
    let info = StreamInfo {
        sample_rate: header.sample_rate(),
        num_channels: header.num_channels().into(),
        channel_mask: if is_mono { 4 } else { 3 },
        num_frames: Some(playlist.num_frames()),
        bits_per_sample: 0,
        native_format: SampleFormat::F32,
        formats: &[SampleFormat::F32],
        seek_class: SeekClass::Exact,
        is_lossless: false,
        is_truncated: is_lacking || is_truncated(bytes, index),
        priming_frames: u32::try_from(playlist.priming_frames()).ok()?,
        padding_frames: u32::try_from(total.saturating_sub(playlist.decoded_end())).unwrap_or(u32::MAX),
        // One more frame to fill the reservoir, half a frame because a seek ends within a packet.
        seek_cost_frames: u64::from(header.num_frames()) * u64::from(2 * pre_roll(header) + 3) / 2,
        codec,
        // Frames without a container are named after their layer.
        container: track.map_or(codec, |track| host_track::container_name(track).unwrap_or(c"wav")),
    };
    Some((info, playlist, header.num_frames()))
}

/// Which of the `total` frames are returned: those of the packet table, or else those that LAME states, or else iTunes,
/// or else all. What iTunes states may lie beyond the last frame.
fn sound(
    index: &Index,
    header: Header,
    total: u64,
    track: Option<&Track<'_>>,
    itunes: Option<ItunesGapless>,
) -> Range<u64> {
    let table = track.filter(|track| (track.priming_frames, track.padding_frames) != (0, 0));
    let description = index.description.map(|(_, description)| description).unwrap_or_default();
    let (start, end) = if let Some(track) = table {
        let start = u64::from(track.priming_frames);
        let end = match track.num_frames {
            Some(num_frames) => start.saturating_add(num_frames),
            None => total.saturating_sub(track.padding_frames.into()),
        };
        (start, end.min(total))
    } else if let Some(Gapless { delay, padding }) = description.gapless {
        let padding = u64::from(padding).saturating_sub(DECODER_DELAY);
        // The padding is at the end of the described part: a truncated file has no padding, and in a file with others
        // appended it is before them.
        let end = match description.num_frames.map(|count| u64::from(count) * u64::from(header.num_frames()))
        {
            Some(described) if described < total => total,
            Some(described) => described.saturating_sub(padding),
            None => total.saturating_sub(padding),
        };
        (u64::from(delay) + DECODER_DELAY, end.min(total))
    } else if let Some(itunes) = itunes.filter(|_| header.layer() == 3) {
        let start = u64::from(itunes.delay) + DECODER_DELAY;
        (start, start.saturating_add(itunes.num_frames))
    } else {
        (0, total)
    };
    start..end
}

/// Warns of a stream that changes: where another one begins, or another number of channels.
fn report(index: &Index, start: usize) {
    if let Some(other) = index.other {
        let (position, rate, layer) = (start + other.at, other.header.sample_rate(), other.header.layer());
        let message = format!(
            "the stream ends at byte {position}, where one of MPEG audio layer {layer} at {rate} Hz begins"
        );
        log(Level::Warning, &message);
    }
    if let Some((at, num_channels)) = index.mixed {
        let (position, first) = (start + at, index.first.header.num_channels());
        let message = format!(
            "frames of {num_channels} channels from byte {position} on are converted to {first}, the number at the beginning"
        );
        log(Level::Warning, &message);
    }
}

/// Whether the file promises more frames than it has.
fn is_truncated(bytes: &[u8], index: &Index) -> bool {
    let lacks = index.description.is_some_and(|(at, description)| {
        let has_bytes = description.num_bytes.map(|count| at as u64 + u64::from(count) <= bytes.len() as u64);
        match description.num_frames {
            // Some encoders also count the describing frame.
            Some(num_frames) if has_bytes == Some(true) => index.num_packets().saturating_add(1) < num_frames,
            Some(num_frames) => index.num_packets() < num_frames,
            None => has_bytes == Some(false),
        }
    });
    lacks || index.is_cut || index.is_short || index.other.is_some()
}

/// The packets of a track, as far as they are in memory.
fn in_memory(track: &Track<'_>, num_bytes: usize) -> Range<usize> {
    let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(num_bytes);
    let end = place(track.data.end);
    place(track.data.start).min(end)..end
}

/// The error with its offset counted from the start of the input.
fn shift(error: Error, start: usize) -> Error {
    match error.offset() {
        Some(offset) => error.at(offset.saturating_add(start as u64)),
        None => error,
    }
}
