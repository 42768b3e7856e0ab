//! Where frames begin and end.
//!
//! A frame does not contain its length. It is taken to reach up to the next valid header that fits the stream and has
//! the expected number if the checksum over the bytes between them is right. In doubt, the frame is parsed to find its
//! end.

#![forbid(unsafe_code)]

use std::ops::Range;

use memchr::memmem::Finder;

use crate::codec::flac::FrameHeader;
use crate::codec::flac::StreamInfoBlock;
use crate::codec::flac::crc16;
use crate::codec::flac::frame_length::{FrameLength, frame_length};

/// The most places that look like a frame but are not, before a search for one gives up.
const MAX_DOUBTS: usize = 256;
/// The bytes that a search may always look at.
const LEAST_WORK: usize = 4 << 20;
/// How often it may look at each byte of the file beyond that.
const MAX_LOOKS: usize = 4;

/// How far behind the end of a short frame another end is looked for.
const LOOK_AHEAD: usize = 256;

/// What a search may still look at. A file can be nothing but places that look like frames, each of which a frame could
/// be as long as the file behind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    num_bytes: usize,
}

impl Work {
    /// The work that a search through so many bytes may do.
    pub(crate) fn through(num_bytes: usize) -> Self {
        Self { num_bytes: num_bytes.saturating_mul(MAX_LOOKS).saturating_add(LEAST_WORK) }
    }

    /// Takes so many bytes of it; whether there were as many.
    pub(crate) fn take(&mut self, num_bytes: usize) -> bool {
        let is_enough = num_bytes <= self.num_bytes;
        self.num_bytes = self.num_bytes.saturating_sub(num_bytes);
        is_enough
    }

    /// Whether none is left.
    pub(crate) fn is_done(&self) -> bool {
        self.num_bytes == 0
    }
}

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
    /// Its first frame of sound, according to its number.
    pub(crate) first: u64,
    /// The number of its frames of sound.
    pub(crate) num_frames: u32,
}

impl Frame {
    /// The frame of sound after it, according to its number.
    pub(crate) fn end(&self) -> u64 {
        self.first.saturating_add(self.num_frames.into())
    }
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
        #[cfg(test)]
        tests::NUM_LOOKS.with(|looks| looks.set(looks.get() + 1));
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
        let num_frames = header.block_size;
        Some((header, Frame { offset, first, num_frames }))
    }

    /// The first place in a range that looks like a frame and is accepted.
    pub(crate) fn find(
        &self,
        bytes: &[u8],
        range: Range<usize>,
        mut accept: impl FnMut(&Frame) -> bool,
    ) -> Option<Frame> {
        // A sync code that begins in the range may end after it.
        let within = bytes.get(range.start..range.end.saturating_add(1).min(bytes.len()))?;
        self.sync
            .find_iter(within)
            .filter_map(|place| self.frame_at(bytes, range.start + place))
            .map(|(_, frame)| frame)
            .find(|frame| accept(frame))
    }

    /// The length of the frame at an offset, found by parsing it.
    pub(crate) fn length_at(&self, bytes: &[u8], offset: usize) -> FrameLength {
        self.measured_at(bytes, offset).0
    }

    /// The length of the frame at an offset, and how many bytes were read to find it.
    fn measured_at(&self, bytes: &[u8], offset: usize) -> (FrameLength, usize) {
        match (self.frame_at(bytes, offset), bytes.get(offset..)) {
            (Some((header, _)), Some(rest)) => frame_length(rest, &header, self.stream_info.bits_per_sample),
            _ => (FrameLength::Malformed, FrameHeader::MAX_BYTES),
        }
    }

    /// Where the frame at an offset ends, if it is complete and its checksum is right.
    pub(crate) fn whole_end(&self, bytes: &[u8], offset: usize) -> Option<usize> {
        let FrameLength::Bytes(num_bytes) = self.length_at(bytes, offset) else { return None };
        let end = offset.checked_add(num_bytes)?;
        (crc16(0, bytes.get(offset..end)?) == 0).then_some(end)
    }

    /// As [`whole_end`](Self::whole_end), of a place where a frame may not begin; `None` also if that is too much work.
    pub(crate) fn doubtful_end(&self, bytes: &[u8], frame: &Frame, work: &mut Work) -> Option<usize> {
        let limit = frame.offset.saturating_add(self.usual_bytes(frame)).min(bytes.len());
        let (length, num_read) = self.measured_at(bytes.get(..limit).unwrap_or_default(), frame.offset);
        if !work.take(num_read) {
            return None;
        }
        let FrameLength::Bytes(num_bytes) = length else { return None };
        let end = frame.offset.checked_add(num_bytes)?;
        let is_whole = work.take(num_bytes) && crc16(0, bytes.get(frame.offset..end)?) == 0;
        is_whole.then_some(end)
    }

    /// More bytes than any encoder uses for the frame.
    pub(crate) fn usual_bytes(&self, frame: &Frame) -> usize {
        let samples = u64::from(frame.num_frames) * u64::from(self.stream_info.num_channels);
        let num_bytes = samples * u64::from(self.stream_info.bits_per_sample + 1) / 8 + 1024;
        usize::try_from(num_bytes).unwrap_or(usize::MAX)
    }

    /// The next place that looks like the frame after `frame`. Its checksum is not checked.
    pub(crate) fn following(&self, bytes: &[u8], frame: &Frame) -> Option<Frame> {
        let expected = frame.end();
        self.find(bytes, frame.offset.saturating_add(6)..bytes.len(), |next| next.first == expected)
    }

    /// Where a frame ends; `None` if it is incomplete or its checksum is wrong.
    ///
    /// That is where a header follows up to which the checksum is right, if it has the next number and no other does that
    /// follows soon. Otherwise the frame is parsed: samples can contain what looks like the next frame, and the checksum over
    /// several frames is right as well.
    pub(crate) fn end_of(&self, bytes: &[u8], frame: &Frame) -> Option<usize> {
        let limit = frame.offset.saturating_add(self.usual_bytes(frame)).saturating_add(1);
        let mut enough = usize::MAX;
        let (mut crc, mut checked) = (0, frame.offset);
        let mut end = None;
        let mut is_doubtful = false;
        self.find(bytes, frame.offset.saturating_add(6)..limit, |next| {
            let is_next = next.first == frame.end();
            if end.is_none() || is_next {
                crc = crc16(crc, bytes.get(checked..next.offset).unwrap_or_default());
                checked = next.offset;
                if crc == 0 {
                    is_doubtful = end.is_some() || !is_next;
                    end = Some(next.offset);
                    // Twice as far as the frame is long: short frames would be looked at again and again.
                    let num_bytes = next.offset - frame.offset;
                    enough = enough.min(next.offset.saturating_add(num_bytes).saturating_add(LOOK_AHEAD));
                }
            }
            is_doubtful || next.offset >= enough
        });
        end.filter(|_| !is_doubtful).or_else(|| self.whole_end(bytes, frame.offset))
    }

    /// The next complete frame of the stream that begins in a range, whatever its number.
    pub(crate) fn next_whole(&self, bytes: &[u8], range: Range<usize>) -> Option<Frame> {
        let mut num_doubts = 0;
        let mut work = Work::through(range.len());
        let found = self.find(bytes, range, |frame| {
            num_doubts += 1;
            num_doubts > MAX_DOUBTS || work.is_done() || self.doubtful_end(bytes, frame, &mut work).is_some()
        });
        found.filter(|_| num_doubts <= MAX_DOUBTS && !work.is_done())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;

    use mapwave_plugin::{Decoder, DecoderOptions, Input};

    use super::super::FlacDecoder;
    use crate::codec::flac::crc16;

    thread_local! {
        /// How often a place was looked at as a frame.
        pub(super) static NUM_LOOKS: Cell<usize> = const { Cell::new(0) };
    }

    /// CRC-8 of the polynomial x^8 + x^2 + x + 1 (RFC 9639, section 9.1.8).
    fn crc8(bytes: &[u8]) -> u8 {
        let step = |crc: u8, _| (crc << 1) ^ if crc & 0x80 != 0 { 7 } else { 0 };
        bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ byte, step))
    }

    /// A header of 32,768 frames of eight channels of 8 bits.
    fn header(number: u8) -> Vec<u8> {
        let head = [0xFF, 0xF8, 0xF9, 0x72, number];
        [head.as_slice(), &[crc8(&head)]].concat()
    }

    fn silent_frame(number: u8) -> Vec<u8> {
        let frame = [header(number), vec![0; 16]].concat();
        let crc = crc16(0, &frame);
        [frame, crc.to_be_bytes().to_vec()].concat()
    }

    fn stream_info(num_frames: u64) -> Vec<u8> {
        let facts = 44_100_u64 << 44 | 7 << 41 | 7 << 36 | num_frames;
        let head = [b"fLaC\x80\0\0\x22".as_slice(), &[0x80, 0, 0x80, 0], &[0; 6]].concat();
        [head, facts.to_be_bytes().to_vec(), vec![0; 16]].concat()
    }

    /// How often places are looked at to open a file and to find a frame in it.
    fn num_looks(file: Vec<u8>, frame: u64) -> usize {
        let input = Input::from(file);
        NUM_LOOKS.set(0);
        if let Ok(mut decoder) = FlacDecoder::open(input, &DecoderOptions::default()) {
            let _ = decoder.seek(frame);
        }
        NUM_LOOKS.get()
    }

    #[test]
    fn what_looks_like_frames_is_looked_at_a_few_times() {
        for num_fake in [60_000, 400_000] {
            let fake = header(1).repeat(num_fake);
            let file = [stream_info(10 << 15), silent_frame(0), fake, silent_frame(9)].concat();
            let num_bytes = file.len();
            let looks = num_looks(file, 5 << 15);
            assert!(looks <= 4 * num_bytes, "{looks} of {num_bytes}");
        }
    }

    #[test]
    fn short_frames_are_looked_at_a_few_times() {
        let frames: Vec<u8> = (0..20_000).flat_map(|_| silent_frame(0)).collect();
        let file = [stream_info(20_000 << 15), frames].concat();
        let num_bytes = file.len();
        let looks = num_looks(file, 10_000 << 15);
        assert!(looks <= 4 * num_bytes, "{looks} of {num_bytes}");
    }
}
