//! Frames of layers I and II.
//!
//! The decoder below takes frames one by one: it accepts a slice that is exactly one frame, and then the next of the
//! same kind. Its state is the memory of the filter bank, which one or two frames restore.

use nanomp3_core::{Decoder, MAX_SAMPLES_PER_FRAME};

use super::header::Header;
use super::sync::MAX_FREE_BYTES;

/// Room for two frames of free bitrate and the header of a third.
const SCRATCH_BYTES: usize = 2 * (MAX_FREE_BYTES + 4) + 8;

/// A decoder of layers I and II.
pub(super) struct LowerDecoder {
    decoder: Decoder,
    samples: [f32; MAX_SAMPLES_PER_FRAME],
}

impl LowerDecoder {
    /// A decoder in its initial state.
    pub(super) fn new() -> Self {
        Self { decoder: Decoder::new(), samples: [0.0; MAX_SAMPLES_PER_FRAME] }
    }

    /// Returns to the initial state, and learns the size of frames, `free_bytes`, if the bitrate is free.
    pub(super) fn start(&mut self, header: Header, free_bytes: usize) {
        self.decoder = Decoder::new();
        if header.is_free_format() {
            // From two silent frames and a third header.
            let plain = header.plain();
            let num_bytes = plain.num_bytes(free_bytes);
            let mut scratch = [0; SCRATCH_BYTES];
            for at in [0, num_bytes, 2 * num_bytes] {
                let place = scratch.get_mut(at..).unwrap_or_default();
                place.iter_mut().zip(plain.to_bytes()).for_each(|(to, from)| *to = from);
            }
            let scratch = scratch.get(..2 * num_bytes + 8).unwrap_or_default();
            let _silence = self.decoder.decode(scratch, &mut self.samples);
        }
    }

    /// Decodes a frame and returns its samples, interleaved; `None` when it is damaged.
    pub(super) fn decode(&mut self, frame: &[u8], header: Header) -> Option<&[f32]> {
        let decoded = self.decoder.decode(frame, &mut self.samples).1.ok()?;
        let (num_frames, num_channels) = (usize::from(header.num_frames()), header.num_channels());
        let is_whole = decoded.samples_produced == num_frames && decoded.channels.num() == num_channels;
        self.samples.get(..num_frames * usize::from(num_channels)).filter(|_| is_whole)
    }
}
