//! Finding frames without an index.
//!
//! A frame's header tells the place of its sound in the stream, so that the frame of any moment is found by bisection over
//! the bytes. A place is believed to begin a frame when a sound header stands there that fits the stream and has the number
//! expected, and the checksum over the bytes between two such places is that of one whole frame. Where that leaves a doubt,
//! the frame's own bits say where it ends.

#![forbid(unsafe_code)]

use std::ops::Range;

use memchr::memmem::Finder;

use crate::codec::flac::FrameHeader;
use crate::codec::flac::StreamInfoBlock;
use crate::codec::flac::crc16;
use crate::codec::flac::frame_length::{FrameLength, frame_length};

/// How much of the end is searched for the last frame at a time, in bytes.
const TAIL_BYTES: usize = 64 << 10;
/// How many places that look like frames but are none are looked into at the end, before that is given up.
const MAX_TAIL_DOUBTS: usize = 256;
/// Frames are walked rather than bisected when they are at most so many bytes away.
const WALK_BYTES: usize = 32 << 10;
/// The most steps of a bisection.
const MAX_STEPS: u32 = 64;

/// What all frames of a stream have in common, which the first of them says.
#[derive(Debug)]
pub(crate) struct Format {
    /// The stream, with what STREAMINFO says put right.
    pub(crate) stream_info: StreamInfoBlock,
    is_variable: bool,
    /// The size of all blocks but the last, unless they vary.
    block_size: u32,
    /// The number that the first frame has.
    first_number: u64,
    sync: Finder<'static>,
}

/// A frame that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Where it begins, in bytes.
    pub(crate) offset: usize,
    /// The first of its frames of sound.
    pub(crate) first: u64,
    /// How many there are.
    pub(crate) num_frames: u32,
}

impl Frame {
    /// The frame of sound that comes after it.
    pub(crate) fn end(&self) -> u64 {
        self.first.saturating_add(self.num_frames.into())
    }
}

/// All frames of a stream.
#[derive(Debug)]
pub(crate) struct Frames {
    /// What they have in common.
    pub(crate) format: Format,
    /// The first and the last one.
    pub(crate) ends: Option<(Frame, Frame)>,
    /// Where they end, in bytes.
    pub(crate) end_offset: usize,
    /// Whether more was begun than is there.
    pub(crate) is_cut: bool,
}

impl Format {
    /// What the frames of a stream have in common whose first frame has that header; `None` when it does not fit STREAMINFO.
    ///
    /// Where the two differ in rate, channels and depth, the frame counts (RFC 9639, section 9.1).
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

    /// The header at a place, if one is there that fits the stream, and the frame it stands for.
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

    /// The first place within a range that looks like a frame and is accepted.
    fn find(&self, bytes: &[u8], range: Range<usize>, accept: impl Fn(&Frame) -> bool) -> Option<Frame> {
        // A sync code that begins in the range may end behind it.
        let within = bytes.get(range.start..range.end.saturating_add(1).min(bytes.len()))?;
        self.sync
            .find_iter(within)
            .filter_map(|place| self.frame_at(bytes, range.start + place))
            .map(|(_, frame)| frame)
            .find(|frame| accept(frame))
    }

    /// How long the frame at a place is by its own bits.
    fn length_at(&self, bytes: &[u8], offset: usize) -> FrameLength {
        match (self.frame_at(bytes, offset), bytes.get(offset..)) {
            (Some((header, _)), Some(rest)) => frame_length(rest, &header, self.stream_info.bits_per_sample),
            _ => FrameLength::Malformed,
        }
    }

    /// Where the frame at a place ends, when it is whole and its checksum right.
    fn whole_end(&self, bytes: &[u8], offset: usize) -> Option<usize> {
        let FrameLength::Bytes(num_bytes) = self.length_at(bytes, offset) else { return None };
        let end = offset.checked_add(num_bytes)?;
        (crc16(0, bytes.get(offset..end)?) == 0).then_some(end)
    }

    /// The most bytes that an encoder makes of a frame, and some more.
    fn usual_bytes(&self, frame: &Frame) -> usize {
        let samples = u64::from(frame.num_frames) * u64::from(self.stream_info.num_channels);
        let num_bytes = samples * u64::from(self.stream_info.bits_per_sample + 1) / 8 + 1024;
        usize::try_from(num_bytes).unwrap_or(usize::MAX)
    }
}

impl Frames {
    /// Finds where the frames of a stream end, of which the first begins at `offset`.
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
        // Nobody vouches for that frame, so see whether the chain of frames leads there.
        let walked = frames.last_of_the_chain(bytes, first);
        if last.is_none_or(|last| walked.first > last.first) || walked.end() == promised.unwrap_or(0) {
            frames.settle_on(bytes, first, walked);
        }
        frames
    }

    /// The last whole frame, searched from the end; where it ends, and whether something was begun after it.
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

    /// Looks at what comes after the last whole frame: a frame that is cut does not count; one that is damaged does, so that
    /// decoding it fails rather than leaving it out.
    fn with_what_follows(&self, bytes: &[u8], last: Frame, end: usize) -> (Option<Frame>, usize, bool) {
        match self.format.frame_at(bytes, end) {
            Some((_, next)) if next.first == last.end() => match self.format.length_at(bytes, end) {
                FrameLength::Cut => (Some(last), end, true),
                FrameLength::Bytes(num_bytes) => (Some(next), end.saturating_add(num_bytes), false),
                FrameLength::Malformed => (Some(next), bytes.len(), false),
            },
            // Too little of a header is left to tell; anything else is not the stream's.
            _ => {
                (Some(last), end, bytes.len() - end < FrameHeader::MAX_BYTES && bytes.get(end) == Some(&0xFF))
            }
        }
    }

    /// The last frame that a walk from one header to the next comes to.
    fn last_of_the_chain(&self, bytes: &[u8], first: Frame) -> Frame {
        let mut frame = first;
        while let Some(next) = self.following(bytes, &frame, bytes.len()) {
            frame = next;
        }
        frame
    }

    /// Makes `last` the last frame, or the one before it when it is cut.
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

    /// Where a frame ends; `None` when it is not whole or its checksum is wrong.
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
        // The odds that something else looks like a frame are one in a million seeks. The checksum tells, and then every
        // step is checked.
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
        // Frames that hold `target` begin at `low` or between it and `end`; what begins at or after `high` comes later.
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

/// Where between two places a moment is likely to be found, a little early.
fn interpolate(span: usize, distance: u64, duration: u64) -> usize {
    let share = u128::from(distance).saturating_mul(span as u128) / u128::from(duration.max(1));
    usize::try_from(share).unwrap_or(span).saturating_sub(WALK_BYTES / 2)
}
