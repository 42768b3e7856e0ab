//! Finding frames without an index.
//!
//! A frame's header states the position of its sound in the stream, so the frame of any moment can be found by
//! bisection over the bytes. A frame is taken to begin where a valid header fits the stream and has the expected
//! number, and to reach up to the next such place if the checksum over the bytes between them is right. In doubt, the
//! frame is parsed to find its end.

#![forbid(unsafe_code)]

use std::ops::Range;

use memchr::memmem::Finder;

use crate::codec::flac::FrameHeader;
use crate::codec::flac::StreamInfoBlock;
use crate::codec::flac::crc16;
use crate::codec::flac::frame_length::{FrameLength, frame_length};

/// The bytes that are searched at a time, from the end, for the last frame.
const TAIL_BYTES: usize = 64 << 10;
/// The most places at the end that look like frames but fail, before the search gives up.
const MAX_TAIL_DOUBTS: usize = 256;
/// Frames at most this many bytes away are found by walking instead of bisection.
const WALK_BYTES: usize = 32 << 10;
/// The most steps of a bisection.
const MAX_STEPS: u32 = 64;

/// The common properties of all frames of a stream, from the first one.
#[derive(Debug)]
pub(crate) struct Format {
    /// STREAMINFO, corrected by the first frame.
    pub(crate) stream_info: StreamInfoBlock,
    is_variable: bool,
    /// The size of all blocks but the last, unless they vary.
    block_size: u32,
    /// The number of the first frame.
    first_number: u64,
    sync: Finder<'static>,
}

/// A frame that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Where it begins, in bytes.
    pub(crate) offset: usize,
    /// Its first frame of sound.
    pub(crate) first: u64,
    /// The number of its frames of sound.
    pub(crate) num_frames: u32,
}

impl Frame {
    /// The frame of sound after it.
    pub(crate) fn end(&self) -> u64 {
        self.first.saturating_add(self.num_frames.into())
    }
}

/// All frames of a stream.
#[derive(Debug)]
pub(crate) struct Frames {
    /// Their common properties.
    pub(crate) format: Format,
    /// The first and the last frame.
    pub(crate) ends: Option<(Frame, Frame)>,
    /// Where they end, in bytes.
    pub(crate) end_offset: usize,
    /// Whether the last frame is truncated.
    pub(crate) is_cut: bool,
}

impl Format {
    /// The common properties of a stream whose first frame has this header; `None` if the header does not fit
    /// STREAMINFO.
    ///
    /// Where they differ in rate, channels or depth, the frame is right (RFC 9639, section 9.1).
    pub(crate) fn new(header: &FrameHeader, stream_info: &StreamInfoBlock) -> Option<Self> {
        let max_block_size = stream_info.max_block_size;
        if max_block_size != 0 && header.block_size > max_block_size {
            return None;
        }
        Some(Self {
            stream_info: StreamInfoBlock {
                max_block_size: if max_block_size == 0 { u16::MAX.into() } else { max_block_size },
                sample_rate: header.sample_rate.unwrap_or(stream_info.sample_rate),
                num_channels: header.num_channels,
                bits_per_sample: header.bits_per_sample.unwrap_or(stream_info.bits_per_sample),
                num_frames: stream_info.num_frames,
            },
            is_variable: header.is_variable,
            block_size: header.block_size,
            first_number: header.number,
            sync: Finder::new(if header.is_variable { &[0xFF, 0xF9] } else { &[0xFF, 0xF8] }),
        })
    }

    /// The header at an offset, if it is valid and fits the stream, and its frame.
    pub(crate) fn frame_at(&self, bytes: &[u8], offset: usize) -> Option<(FrameHeader, Frame)> {
        let rest = bytes.get(offset..)?;
        let header = FrameHeader::parse(rest.get(..FrameHeader::MAX_BYTES).unwrap_or(rest))?;
        let info = &self.stream_info;
        let fits = header.is_variable == self.is_variable
            && header.num_channels == info.num_channels
            && header.sample_rate.is_none_or(|rate| rate == info.sample_rate)
            && header.bits_per_sample.is_none_or(|depth| depth == info.bits_per_sample)
            && header.block_size <= if self.is_variable { info.max_block_size } else { self.block_size };
        let number = header.number.checked_sub(self.first_number).filter(|_| fits)?;
        let scale = if self.is_variable { 1 } else { self.block_size.into() };
        let first = number.checked_mul(scale)?;
        Some((header.clone(), Frame { offset, first, num_frames: header.block_size }))
    }

    /// The first place in a range that looks like a frame and is accepted.
    fn find(&self, bytes: &[u8], range: Range<usize>, accept: impl Fn(&Frame) -> bool) -> Option<Frame> {
        // A sync code that begins in the range may end after it.
        let within = bytes.get(range.start..range.end.saturating_add(1).min(bytes.len()))?;
        self.sync
            .find_iter(within)
            .filter_map(|place| self.frame_at(bytes, range.start + place))
            .map(|(_, frame)| frame)
            .find(|frame| accept(frame))
    }

    /// The length of the frame at an offset, found by parsing it.
    fn length_at(&self, bytes: &[u8], offset: usize) -> FrameLength {
        match (self.frame_at(bytes, offset), bytes.get(offset..)) {
            (Some((header, _)), Some(rest)) => frame_length(rest, &header, self.stream_info.bits_per_sample),
            _ => FrameLength::Malformed,
        }
    }

    /// Where the frame at an offset ends, if it is complete and its checksum is right.
    fn whole_end(&self, bytes: &[u8], offset: usize) -> Option<usize> {
        let FrameLength::Bytes(num_bytes) = self.length_at(bytes, offset) else { return None };
        let end = offset.checked_add(num_bytes)?;
        (crc16(0, bytes.get(offset..end)?) == 0).then_some(end)
    }

    /// More bytes than any encoder uses for the frame.
    fn usual_bytes(&self, frame: &Frame) -> usize {
        let samples = u64::from(frame.num_frames) * u64::from(self.stream_info.num_channels);
        let num_bytes = samples * u64::from(self.stream_info.bits_per_sample + 1) / 8 + 1024;
        usize::try_from(num_bytes).unwrap_or(usize::MAX)
    }
}

impl Frames {
    /// Finds the end of a stream whose first frame begins at `offset`.
    pub(crate) fn find(bytes: &[u8], offset: usize, format: Format) -> Self {
        let first = format.frame_at(bytes, offset).map(|(_, frame)| frame);
        let mut frames = Self { format, ends: None, end_offset: offset, is_cut: true };
        let Some(first) = first else { return frames };
        let (last, end_offset, is_cut) = frames.last_from_the_end(bytes, &first);
        frames.is_cut = is_cut;
        if let Some(last) = last {
            frames.ends = Some((first, last));
            frames.end_offset = end_offset;
        }
        let promised = frames.format.stream_info.num_frames;
        if last.is_some_and(|last| promised == Some(last.end())) {
            return frames;
        }
        // STREAMINFO does not confirm that frame, so check that the chain of frames leads there.
        let walked = frames.last_of_the_chain(bytes, first);
        if last.is_none_or(|last| walked.first > last.first) || walked.end() == promised.unwrap_or(0) {
            frames.settle_on(bytes, first, walked);
        }
        frames
    }

    /// The last complete frame, searched from the end; its end, and whether a truncated frame follows.
    fn last_from_the_end(&self, bytes: &[u8], first: &Frame) -> (Option<Frame>, usize, bool) {
        let mut end = bytes.len();
        let mut is_cut = false;
        let mut num_doubts = 0;
        while end > first.offset {
            let start = end.saturating_sub(TAIL_BYTES).max(first.offset);
            let within = bytes.get(start..end.saturating_add(1).min(bytes.len())).unwrap_or_default();
            let places: Vec<usize> = self.format.sync.find_iter(within).map(|place| start + place).collect();
            for offset in places.into_iter().rev() {
                let Some((_, frame)) = self.format.frame_at(bytes, offset) else { continue };
                if let Some(frame_end) = self.format.whole_end(bytes, offset) {
                    return self.with_what_follows(bytes, frame, frame_end);
                }
                is_cut |= self.format.length_at(bytes, offset) == FrameLength::Cut;
                num_doubts += 1;
                if num_doubts == MAX_TAIL_DOUBTS {
                    return (None, bytes.len(), is_cut);
                }
            }
            end = start;
        }
        (None, first.offset, is_cut)
    }

    /// Inspects the bytes after the last complete frame. A truncated frame does not count. A damaged one does, so that
    /// decoding fails instead of skipping it.
    fn with_what_follows(&self, bytes: &[u8], last: Frame, end: usize) -> (Option<Frame>, usize, bool) {
        match self.format.frame_at(bytes, end) {
            Some((_, next)) if next.first == last.end() => match self.format.length_at(bytes, end) {
                FrameLength::Cut => (Some(last), end, true),
                FrameLength::Bytes(num_bytes) => (Some(next), end.saturating_add(num_bytes), false),
                FrameLength::Malformed => (Some(next), bytes.len(), false),
            },
            // Too few bytes are left for a header, or they do not belong to the stream.
            _ => {
                (Some(last), end, bytes.len() - end < FrameHeader::MAX_BYTES && bytes.get(end) == Some(&0xFF))
            }
        }
    }

    /// The last frame of a walk from header to header.
    fn last_of_the_chain(&self, bytes: &[u8], first: Frame) -> Frame {
        let mut frame = first;
        while let Some(next) = self.following(bytes, &frame, bytes.len()) {
            frame = next;
        }
        frame
    }

    /// Makes `last` the last frame, or the one before it if it is truncated.
    fn settle_on(&mut self, bytes: &[u8], first: Frame, last: Frame) {
        match self.format.length_at(bytes, last.offset) {
            FrameLength::Bytes(num_bytes) => {
                self.ends = Some((first, last));
                self.end_offset = last.offset.saturating_add(num_bytes);
                self.is_cut = false;
            }
            FrameLength::Malformed => {
                self.ends = Some((first, last));
                self.end_offset = bytes.len();
                self.is_cut = false;
            }
            FrameLength::Cut => {
                self.is_cut = true;
                let mut before = first;
                while before.offset < last.offset {
                    match self.following(bytes, &before, last.offset) {
                        Some(next) => before = next,
                        None => {
                            self.ends = Some((first, before));
                            self.end_offset = last.offset;
                            return;
                        }
                    }
                }
                self.ends = None;
                self.end_offset = first.offset;
            }
        }
    }

    /// The number of frames of sound.
    pub(crate) fn num_frames(&self) -> u64 {
        self.ends.map_or(0, |(_, last)| last.end())
    }

    /// Whether a frame of another rate, depth or number of channels follows the last one.
    pub(crate) fn changes_format(&self, bytes: &[u8]) -> bool {
        let next = bytes.get(self.end_offset..).and_then(FrameHeader::parse);
        next.is_some() && self.ends.is_some() && self.format.frame_at(bytes, self.end_offset).is_none()
    }

    /// The next place that looks like the frame after `frame`.
    fn following(&self, bytes: &[u8], frame: &Frame, end: usize) -> Option<Frame> {
        let expected = frame.end();
        self.format.find(bytes, frame.offset.saturating_add(6)..end, |next| next.first == expected)
    }

    /// Where a frame ends; `None` if it is incomplete or its checksum is wrong.
    pub(crate) fn end_of(&self, bytes: &[u8], frame: &Frame) -> Option<usize> {
        let (first, last) = self.ends?;
        if frame.offset == last.offset {
            let whole = bytes.get(frame.offset..self.end_offset)?;
            return (crc16(0, whole) == 0).then_some(self.end_offset);
        }
        let limit = frame.offset.saturating_add(self.format.usual_bytes(frame)).min(last.offset);
        let (mut crc, mut checked) = (0, frame.offset);
        let mut from = frame.offset.saturating_add(6);
        let is_fixed = !self.format.is_variable;
        if is_fixed && frame.num_frames != first.num_frames {
            return None; // only the last block may be shorter
        }
        while let Some(next) =
            self.format.find(bytes, from..limit.saturating_add(1), |next| next.first == frame.end())
        {
            crc = crc16(crc, bytes.get(checked..next.offset)?);
            if crc == 0 {
                return Some(next.offset);
            }
            checked = next.offset;
            from = next.offset + 1;
        }
        self.format.whole_end(bytes, frame.offset).filter(|end| *end <= self.end_offset)
    }

    /// Finds the frame that holds a frame of sound, and where it ends.
    pub(crate) fn holding(&self, bytes: &[u8], target: u64) -> Option<(Frame, usize)> {
        // Once in a million seeks something else looks like a frame. The checksum detects it, and then every step is
        // checked.
        [false, true].into_iter().find_map(|is_careful| {
            let frame = self.bisect(bytes, target, is_careful)?;
            Some((frame, self.end_of(bytes, &frame)?))
        })
    }

    fn bisect(&self, bytes: &[u8], target: u64, is_careful: bool) -> Option<Frame> {
        let (mut low, last) = self.ends?;
        if target >= last.first {
            return (target < last.end()).then_some(last);
        }
        // The frame with `target` begins between `low` and `end`; frames that begin at or after `high` come later.
        let (mut high, mut end) = (last.first, last.offset);
        let mut step = 0;
        while target >= low.end() {
            let span = end.saturating_sub(low.offset);
            if span <= WALK_BYTES || step >= MAX_STEPS {
                low = self.following(bytes, &low, last.offset.saturating_add(1))?;
                if low.first > target {
                    return None;
                }
                continue;
            }
            step += 1;
            let guess = if step % 3 == 0 {
                span / 2
            } else {
                interpolate(span, target - low.first, high - low.first)
            };
            let from = low.offset + guess.clamp(1, span - 1);
            let is_between = |frame: &Frame| {
                frame.first > low.first
                    && frame.first < high
                    && (!is_careful || self.end_of(bytes, frame).is_some())
            };
            match self.format.find(bytes, from..end, is_between) {
                Some(frame) if frame.first <= target => low = frame,
                Some(frame) => (high, end) = (frame.first, from.max(low.offset + 1)),
                None => end = from,
            }
        }
        Some(low)
    }
}

/// The likely distance of a moment between two places, a little short.
fn interpolate(span: usize, distance: u64, duration: u64) -> usize {
    let share = u128::from(distance).saturating_mul(span as u128) / u128::from(duration.max(1));
    usize::try_from(share).unwrap_or(span).saturating_sub(WALK_BYTES / 2)
}
