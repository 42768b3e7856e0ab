//! Decodes frames from any position with the state that linear decoding would have there.
//!
//! The decoder below takes frames one by one: it accepts a slice that is exactly one frame, and then the next of the
//! same kind. Its state is the overlap of the filter banks, which one or two frames restore, and the bit reservoir of
//! layer III. The reservoir can be restored without decoding, because its main data is in the file: it is passed in
//! made-up frames that carry it, use none of it, and are silent.

use std::ops::Range;

use mapwave_plugin::Output;
use nanomp3_core::{Decoder, MAX_SAMPLES_PER_FRAME};

use super::header::Header;
use super::reservoir::{MAX_RESERVOIR_BYTES, SideInfo};
use super::stream::{Frame, MpegStream};
use super::sync::MAX_FREE_BYTES;
use crate::engine::packets::{Broken, Packet, PacketCodec};

/// Room for two frames of free bitrate and the header of a third.
const SCRATCH_BYTES: usize = 2 * (MAX_FREE_BYTES + 4) + 8;

/// A decoder of MPEG audio at some position of a stream.
pub(crate) struct MpegCodec {
    decoder: Box<Decoder>,
    /// The samples of the last frame, interleaved, in the stream's number of channels.
    samples: Box<[f32; MAX_SAMPLES_PER_FRAME]>,
    num_channels: usize,
    /// The last decoded frame, and its number of channels.
    last: Option<(u32, u8)>,
    /// The bytes of frames that are not in the file in this form.
    scratch: Box<[u8; SCRATCH_BYTES]>,
}

impl MpegCodec {
    /// A decoder in its initial state.
    pub(crate) fn new() -> Self {
        Self {
            decoder: Box::new(Decoder::new()),
            samples: Box::new([0.0; MAX_SAMPLES_PER_FRAME]),
            num_channels: 1,
            last: None,
            scratch: Box::new([0; SCRATCH_BYTES]),
        }
    }

    /// Returns to the initial state.
    pub(crate) fn reset(&mut self) {
        self.last = None; // the next frame then starts from the initial state
    }

    /// Decodes a frame that follows the last one, or starts over; `None` when it is damaged.
    fn decode_next(&mut self, stream: &MpegStream, frame: &Frame<'_>) -> Option<usize> {
        let last = self.last.take();
        let header = frame.header.filter(|_| !stream.is_silent(frame.number))?;
        // The decoder updates both channels only in frames that have both: otherwise the second channel would return
        // with the overlap of the last frame that had it.
        let follows = last.is_some_and(|(number, num_channels)| {
            number.checked_add(1) == Some(frame.number) && num_channels == header.num_channels()
        });
        if !follows || stream.is_break(frame.number) {
            self.start(stream, frame, header);
        }
        let num_frames = self.decode_frame(stream, frame, header)?;
        self.last = Some((frame.number, header.num_channels()));
        self.match_channels(num_frames, header.num_channels(), stream.num_channels());
        Some(num_frames)
    }

    /// Brings the decoder to the state of linear decoding before `frame`.
    fn start(&mut self, stream: &MpegStream, frame: &Frame<'_>, header: Header) {
        *self.decoder = Decoder::new();
        let plain = header.plain();
        let num_bytes = plain.num_bytes(stream.free_bytes());
        if header.is_free_format() {
            // The decoder must first learn the size of such frames, from two silent frames and a third header.
            self.scratch.fill(0);
            for at in [0, num_bytes, 2 * num_bytes] {
                copy(&plain.to_bytes(), self.scratch.get_mut(at..));
            }
            self.decode_scratch(2 * num_bytes + 8);
        }
        if header.layer() == 3 {
            let num_kept = SideInfo::parse(header, frame.bytes).main_data_begin;
            let mut kept = [0; MAX_RESERVOIR_BYTES];
            let kept = kept.get_mut(..num_kept).unwrap_or_default();
            stream.fill_reservoir(frame.number, kept);
            let room = num_bytes.saturating_sub(plain.main_data_start()).max(1);
            let (mut rest, mut num_given) = (&*kept, 0_u16);
            while !rest.is_empty() {
                // The part that does not fill a frame comes first, so that no gap remains between parts. Earlier parts
                // stay in the reservoir because this frame points back to them.
                let (part, behind) = rest.split_at((rest.len() - 1) % room + 1);
                let begin = num_given << if header.is_mpeg1() { 7 } else { 8 };
                self.scratch.fill(0);
                copy(&plain.to_bytes(), Some(&mut *self.scratch));
                copy(&begin.to_be_bytes(), self.scratch.get_mut(Header::NUM_BYTES..));
                copy(part, self.scratch.get_mut(num_bytes.saturating_sub(part.len())..num_bytes));
                self.decode_scratch(num_bytes);
                num_given += u16::try_from(part.len()).unwrap_or(0);
                rest = behind;
            }
        }
    }

    /// Decodes the made-up frame and drops its silence.
    fn decode_scratch(&mut self, num_bytes: usize) {
        let _silence =
            self.decoder.decode(self.scratch.get(..num_bytes).unwrap_or_default(), &mut *self.samples);
    }

    /// Decodes a frame and returns the number of frames of sound.
    fn decode_frame(&mut self, stream: &MpegStream, frame: &Frame<'_>, header: Header) -> Option<usize> {
        let num_bytes = header.num_bytes(stream.free_bytes());
        let result = if frame.bytes.len() == num_bytes {
            self.decoder.decode(frame.bytes, &mut *self.samples).1
        } else {
            // The last frame of a file that is truncated after its main data.
            self.scratch.fill(0);
            copy(frame.bytes, Some(&mut *self.scratch));
            self.decoder.decode(self.scratch.get(..num_bytes)?, &mut *self.samples).1
        };
        let decoded = result.ok()?;
        let is_whole = decoded.samples_produced == usize::from(header.num_frames())
            && decoded.channels.num() == header.num_channels();
        is_whole.then_some(decoded.samples_produced)
    }

    /// Converts decoded samples to the stream's number of channels: one channel is copied to both, and two are
    /// averaged.
    fn match_channels(&mut self, num_frames: usize, decoded: u8, wanted: usize) {
        match (decoded, wanted) {
            (1, 2) => {
                for frame in (0..num_frames).rev() {
                    let sample = self.samples.get(frame).copied().unwrap_or_default();
                    let places = self.samples.get_mut(2 * frame..2 * frame + 2).unwrap_or_default();
                    places.fill(sample);
                }
            }
            (2, 1) => {
                for frame in 0..num_frames {
                    let pair = self.samples.get(2 * frame..2 * frame + 2).unwrap_or_default();
                    let mean = pair.iter().sum::<f32>() / 2.0;
                    self.samples.iter_mut().skip(frame).take(1).for_each(|place| *place = mean);
                }
            }
            _ => {}
        }
        self.num_channels = wanted;
    }
}

/// Copies bytes to the beginning of a slice.
fn copy(bytes: &[u8], place: Option<&mut [u8]>) {
    place.unwrap_or_default().iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
}

impl PacketCodec<MpegStream> for MpegCodec {
    fn decode(&mut self, stream: &MpegStream, packet: &Packet<Frame<'_>>) -> Result<usize, Broken> {
        self.decode_next(stream, &packet.bytes).ok_or(Broken::Silence)
    }

    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        let samples = self.samples.get(frames.start * self.num_channels..frames.end * self.num_channels);
        output.write_interleaved(samples.unwrap_or_default(), |sample| sample)
    }
}
