//! The frames of a stream, one behind the other.
//!
//! A frame belongs to the stream if the frame before it ends where it begins. Its number must go on from the last one's,
//! or begin again with the first frame's: encoders exist that give every frame the same number, and streams of several
//! parts whose frames are counted part by part. Any other number means that frames are missing or out of order.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Memory, Result, Sweep};

use super::frames::{Format, Frame};
use crate::codec::flac::FrameHeader;
use crate::codec::flac::frame_length::FrameLength;
use crate::codec::flac::metadata::MARKER;

/// The most places that a chain keeps; then it keeps every other one.
const MAX_PLACES: usize = 1 << 16;

/// A place between frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The position in bytes.
    pub(crate) offset: usize,
    /// The frame of sound that comes next.
    pub(crate) first: u64,
    /// The frame of sound at which the numbers began last.
    pub(crate) origin: u64,
}

impl Place {
    /// The beginning of a stream.
    pub(crate) fn start(offset: usize) -> Self {
        Self { offset, first: 0, origin: 0 }
    }

    /// The place at which the numbers of the frame here began, which is here if they begin again; `None` if its number
    /// is wrong, also because they may not begin again.
    pub(crate) fn origin_of(&self, frame: &Frame, may_restart: bool) -> Option<u64> {
        match frame.first {
            first if self.origin.checked_add(first) == Some(self.first) => Some(self.origin),
            0 if may_restart => Some(self.first),
            _ => None,
        }
    }

    /// The place after the frame here, which ends at `end`.
    pub(crate) fn after(&self, frame: &Frame, origin: u64, end: usize) -> Self {
        Self { offset: end, first: self.first.saturating_add(frame.num_frames.into()), origin }
    }

    /// The error for a frame with a wrong number.
    pub(crate) fn wrong_number(&self, frame: &Frame) -> Error {
        let (found, expected) = (frame.first, self.first.saturating_sub(self.origin));
        let message = format!(
            "the FLAC frame here begins with frame {found} of the sound, expected {expected}: frames are missing or out \
             of order"
        );
        Error::bad_data(self.offset as u64, message)
    }
}

/// All frames of a stream.
#[derive(Debug)]
pub(crate) struct Chain {
    /// The places of frames in order, the first included.
    pub(crate) places: Vec<Place>,
    /// Whether those are all frames.
    pub(crate) is_complete: bool,
    /// Where the frames end.
    pub(crate) end: Place,
    /// Whether the last frame is truncated.
    pub(crate) is_cut: bool,
    /// Whether the stream ends where the bytes do, or where STREAMINFO or another stream says.
    is_clean: bool,
}

impl Chain {
    /// Follows the frames from `offset` on to their end.
    ///
    /// If STREAMINFO promises a number of frames of sound and there are as many, a stream ends there unless the numbers
    /// go on: what follows is of another stream.
    ///
    /// # Errors
    /// When a frame is damaged, missing or out of order, or if the stream changes its format.
    pub(crate) fn walk(
        format: &Format,
        memory: &Memory,
        end: usize,
        offset: usize,
        may_restart: bool,
    ) -> Result<Self> {
        let walk = |is_careful| Self::follow(format, memory, end, offset, may_restart, is_careful);
        match walk(false) {
            Ok(chain) if chain.is_clean => Ok(chain),
            // Something in the samples that looks like a frame may have led astray.
            _ => walk(true),
        }
    }

    /// As [`walk`](Self::walk), with every frame parsed or not.
    fn follow(
        format: &Format,
        memory: &Memory,
        end: usize,
        offset: usize,
        may_restart: bool,
        is_careful: bool,
    ) -> Result<Self> {
        let bytes = memory.get(..end).unwrap_or_default();
        let promised = format.stream_info.num_frames;
        let mut sweep = Sweep::new(memory.clone(), 0);
        let mut chain = Self {
            places: Vec::new(),
            is_complete: true,
            end: Place::start(offset),
            is_cut: false,
            is_clean: true,
        };
        let (mut number, mut stride) = (0_u64, 1_u64);
        loop {
            let place = chain.end;
            sweep.pass(place.offset);
            let Some((_, frame)) = format.frame_at(bytes, place.offset) else {
                let rest = bytes.get(place.offset..).unwrap_or_default();
                // A whole stream may follow, with or without a tag in front.
                let is_end = rest.is_empty() || rest.starts_with(MARKER) || rest.starts_with(b"ID3");
                chain.is_clean = is_end || promised == Some(place.first);
                chain.is_cut = !chain.is_clean
                    && promised.is_none_or(|promised| place.first < promised)
                    && is_beginning(format, bytes, place.offset)?;
                return Ok(chain);
            };
            let origin = place.origin_of(&frame, may_restart);
            if promised == Some(place.first) && origin != Some(place.origin) {
                return Ok(chain);
            }
            let origin = origin.ok_or_else(|| place.wrong_number(&frame))?;
            let end =
                if is_careful { format.whole_end(bytes, place.offset) } else { format.end_of(bytes, &frame) };
            let Some(end) = end else {
                if promised.is_some_and(|promised| place.first >= promised) {
                    chain.is_clean = promised == Some(place.first);
                    return Ok(chain);
                }
                let is_cut = format.length_at(bytes, place.offset) == FrameLength::Cut;
                if is_cut && format.next_whole(bytes, place.offset.saturating_add(1)..bytes.len()).is_none() {
                    (chain.is_cut, chain.is_clean) = (true, false);
                    return Ok(chain);
                }
                return Err(damaged(place.offset));
            };
            if number.is_multiple_of(stride) {
                if chain.places.len() >= MAX_PLACES {
                    let mut is_odd = true;
                    chain.places.retain(|_| {
                        is_odd = !is_odd;
                        !is_odd
                    });
                    chain.is_complete = false;
                    stride *= 2;
                }
                if number.is_multiple_of(stride) {
                    chain.places.push(place);
                }
            }
            number += 1;
            chain.end = place.after(&frame, origin, end);
        }
    }
}

/// The error for a frame that is damaged.
pub(crate) fn damaged(offset: usize) -> Error {
    let message = "the FLAC frame is damaged: its checksum is wrong or it does not end";
    Error::bad_data(offset as u64, message)
}

/// Whether the bytes at an offset, where no frame of the stream begins, are the beginning of one.
///
/// # Errors
/// When frames that belong to the stream follow.
fn is_beginning(format: &Format, bytes: &[u8], offset: usize) -> Result<bool> {
    let rest = bytes.get(offset..).unwrap_or_default();
    if rest.len() < FrameHeader::MAX_BYTES && rest.first() == Some(&0xFF) {
        return Ok(true);
    }
    // Not left to other decoders: they count such streams, but fail to decode them.
    if FrameHeader::parse(rest).is_some() {
        let message = "the stream changes its rate, depth, number of channels or size of blocks";
        return Err(Error::bad_data(offset as u64, message));
    }
    match format.next_whole(bytes, offset..bytes.len()) {
        Some(_) => Err(Error::bad_data(offset as u64, "expected a FLAC frame here")),
        None => Ok(false),
    }
}
