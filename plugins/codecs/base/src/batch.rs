//! Batches of packets.

#![forbid(unsafe_code)]

use std::fmt;
use std::mem::MaybeUninit;
use std::ops::Range;

use crate::sample::DecodedSample;

/// A packet to decode, and which of its frames are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The bytes of the packet.
    pub bytes: &'a [u8],
    /// The wanted frames, from 0 to at most the packet's number of frames.
    pub frames: Range<usize>,
}

/// Which packet of a batch is rejected, and why. Those before it are intact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchError<E> {
    /// The number of the packet in the batch, from 0.
    pub index: usize,
    /// The reason.
    pub reason: E,
}

impl<E: fmt::Display> fmt::Display for BatchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packet {} of the batch: {}", self.index, self.reason)
    }
}

impl<E: std::error::Error + 'static> std::error::Error for BatchError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.reason)
    }
}

/// Decodes packets in batches, and keeps the last ones; as the methods of the same names of the decoders that implement it.
pub trait BatchDecoder {
    /// Why a packet is rejected.
    type Error;

    /// The most packets that are kept at a time.
    const MAX_KEPT: usize;

    /// Writes the wanted frames of all parts, one after the other and interleaved, to the beginning of `output`.
    ///
    /// # Errors
    /// Which packet cannot be decoded, and why.
    fn decode<'o, S: DecodedSample>(
        &mut self,
        parts: &[Part<'_>],
        output: &'o mut [MaybeUninit<S>],
    ) -> Result<&'o mut [S], BatchError<Self::Error>>;

    /// Decodes the first packets of a batch, keeps their samples, and returns their number.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    fn read(&mut self, packets: &[&[u8]]) -> Result<usize, BatchError<Self::Error>>;

    /// The number of packets that are kept.
    fn num_kept(&self) -> usize;

    /// The frames of a packet that is kept.
    fn kept_frames(&self, index: usize) -> usize;

    /// Writes frames of a packet that is kept, interleaved.
    ///
    /// # Errors
    /// When there are no such frames, or no room.
    fn write<'o, S: DecodedSample>(
        &self,
        index: usize,
        frames: Range<usize>,
        output: &'o mut [MaybeUninit<S>],
    ) -> Result<&'o mut [S], Self::Error>;

    /// Writes frames of one channel of a packet that is kept.
    ///
    /// # Errors
    /// When there are no such frames, no such channel, or no room.
    fn write_channel<'o, S: DecodedSample>(
        &self,
        index: usize,
        channel: usize,
        frames: Range<usize>,
        output: &'o mut [MaybeUninit<S>],
    ) -> Result<&'o mut [S], Self::Error>;
}
