//! Decodes frames from any position with the state that linear decoding would have there.
//!
//! That is the overlap of the filter banks, which one or two frames restore, and in layer III the bit reservoir, which is
//! read from the frames before in the file.

use std::ops::Range;

use mapwave_mp3::{Decoder, Part};
use mapwave_plugin::Output;

use super::header::Header;
use super::lower::LowerDecoder;
use super::reservoir::{MAX_RESERVOIR_BYTES, SideInfo};
use super::stream::{Frame, MpegStream};
use crate::engine::packets::{Broken, Packet, PacketCodec, Wanted};

/// The most frames of layer III that are decoded at a time where channels are apart.
const MAX_TOGETHER: usize = 4;

/// A decoder of MPEG audio at some position of a stream.
pub(crate) struct MpegCodec {
    decoder: LayerDecoder,
    /// The samples of the last frame, interleaved, in the stream's number of channels, unless the decoder keeps them.
    samples: Vec<f32>,
    is_kept: bool,
    /// The channels of the stream.
    num_channels: u8,
    /// The last decoded frame, and its number of channels.
    last: Option<(u32, u8)>,
}

/// The decoder of a layer.
enum LayerDecoder {
    Third(Box<Decoder>),
    Lower(Box<LowerDecoder>),
}

impl MpegCodec {
    /// A decoder in its initial state, for a stream of a layer and a number of channels.
    pub(crate) fn new(layer: u8, num_channels: u8) -> Self {
        let decoder = match layer {
            3 => LayerDecoder::Third(Box::new(Decoder::new())),
            _ => LayerDecoder::Lower(Box::new(LowerDecoder::new())),
        };
        Self { decoder, samples: Vec::new(), is_kept: false, num_channels, last: None }
    }

    /// Returns to the initial state.
    pub(crate) fn reset(&mut self) {
        self.last = None; // the next frame then starts from the initial state
    }

    /// Decodes a frame that follows the last one, or starts over; `None` when it is damaged.
    fn decode_next(&mut self, stream: &MpegStream, frame: &Frame<'_>) -> Option<usize> {
        let header = self.begin(stream, frame)?;
        self.is_kept = false;
        self.samples.clear();
        let num_frames = usize::from(header.num_frames());
        match &mut self.decoder {
            LayerDecoder::Third(decoder) => {
                decoder.read(&[frame.bytes]).ok().filter(|_| decoder.kept_frames(0) == num_frames)?;
                if header.num_channels() == self.num_channels {
                    self.is_kept = true;
                } else {
                    self.samples.reserve(num_frames * usize::from(header.num_channels()));
                    let room = self.samples.spare_capacity_mut();
                    let samples = decoder.write(0, 0..num_frames, room).ok()?;
                    self.samples = match_channels(samples, header.num_channels());
                }
            }
            LayerDecoder::Lower(decoder) => {
                let samples = decoder.decode(frame.bytes, header)?;
                if header.num_channels() == self.num_channels {
                    self.samples.extend_from_slice(samples);
                } else {
                    self.samples = match_channels(samples, header.num_channels());
                }
            }
        }
        self.last = Some((frame.number, header.num_channels()));
        Some(num_frames)
    }

    /// Brings the decoder to the state of linear decoding before `frame`, and returns its header; `None` when it cannot be
    /// decoded.
    fn begin(&mut self, stream: &MpegStream, frame: &Frame<'_>) -> Option<Header> {
        let last = self.last.take();
        let header = frame.header.filter(|_| !frame.is_silent)?;
        // Where the number of channels changes, both channels begin again: otherwise the second one would return with the
        // overlap of the last frame that had it.
        let follows = last.is_some_and(|(number, num_channels)| {
            number.checked_add(1) == Some(frame.number) && num_channels == header.num_channels()
        });
        if !follows || stream.is_break(frame.number) {
            match &mut self.decoder {
                LayerDecoder::Third(decoder) => {
                    decoder.reset();
                    let mut main_data = [0; MAX_RESERVOIR_BYTES];
                    let num_bytes = SideInfo::parse(header, frame.bytes).main_data_begin;
                    let main_data = main_data.get_mut(..num_bytes).unwrap_or_default();
                    stream.fill_reservoir(frame.number, main_data);
                    decoder.fill_reservoir(main_data);
                }
                LayerDecoder::Lower(decoder) => decoder.start(header, stream.free_bytes()),
            }
        }
        Some(header)
    }
}

/// Converts samples to the other number of channels: one channel is copied to both, and two are averaged.
fn match_channels(samples: &[f32], num_channels: u8) -> Vec<f32> {
    match num_channels {
        1 => samples.iter().flat_map(|sample| [*sample; 2]).collect(),
        _ => samples.as_chunks::<2>().0.iter().map(|pair| pair.iter().sum::<f32>() / 2.0).collect(),
    }
}

impl PacketCodec<MpegStream> for MpegCodec {
    fn decode(&mut self, stream: &MpegStream, packet: &Packet<Frame<'_>>) -> Result<usize, Broken> {
        self.decode_next(stream, &packet.bytes).ok_or(Broken::Silence)
    }

    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        match &self.decoder {
            LayerDecoder::Third(decoder) if self.is_kept => {
                let Some(last) = decoder.num_kept().checked_sub(1) else { return 0 };
                write_kept(decoder, last, frames, output).unwrap_or(0)
            }
            _ => {
                let num_channels = usize::from(self.num_channels);
                let samples = self.samples.get(frames.start * num_channels..frames.end * num_channels);
                output.write_interleaved(samples.unwrap_or_default(), |sample| sample)
            }
        }
    }

    fn is_batched(&self, packet: &Packet<Frame<'_>>) -> bool {
        let frame = &packet.bytes;
        let is_usual = frame.header.is_some_and(|header| header.num_channels() == self.num_channels);
        is_usual && !frame.is_silent && matches!(self.decoder, LayerDecoder::Third(_))
    }

    fn decode_batch(
        &mut self,
        stream: &MpegStream,
        batch: &[Wanted<Frame<'_>>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        let mut index = 0;
        while let Some((first, later)) = batch.get(index..).and_then(<[_]>::split_first) {
            // The index knows what can be decoded, so what cannot has changed since.
            let damaged = (index, Broken::Silence);
            let Some(header) = self.begin(stream, &first.packet.bytes) else { return Err(damaged) };
            let follows = |(number, wanted): (usize, &Wanted<Frame<'_>>)| {
                let frame = &wanted.packet.bytes;
                let is_next =
                    number as u64 + 1 + u64::from(first.packet.bytes.number) == u64::from(frame.number);
                is_next && !stream.is_break(frame.number)
            };
            let num_later = later.iter().enumerate().position(|next| !follows(next)).unwrap_or(later.len());
            let run = batch.get(index..index + 1 + num_later).unwrap_or_default();
            let LayerDecoder::Third(decoder) = &mut self.decoder else { return Err(damaged) };
            let mut parts = Vec::with_capacity(run.len());
            for Wanted { packet, frames } in run {
                parts.push(Part { bytes: packet.bytes.bytes, frames: frames.clone() });
            }
            decode_parts(decoder, &parts, output).map_err(|number| (index + number, Broken::Silence))?;
            index += run.len();
            let last = run.last().map_or(0, |wanted| wanted.packet.bytes.number);
            (self.last, self.is_kept) = (Some((last, header.num_channels())), true);
        }
        Ok(())
    }
}

/// Decodes frames that follow one another and writes what is wanted of each.
///
/// # Errors
/// The number of one that cannot be decoded.
fn decode_parts(decoder: &mut Decoder, parts: &[Part<'_>], output: &mut Output<'_>) -> Result<(), usize> {
    if let Some(written) = output.write_in_place(|room| decoder.decode(parts, room)) {
        return written.map(|_| ()).map_err(|error| error.index);
    }
    let mut number = 0;
    while let Some(rest) = parts.get(number..).filter(|rest| !rest.is_empty()) {
        let packets: Vec<&[u8]> = rest.iter().take(MAX_TOGETHER).map(|part| part.bytes).collect();
        let num_read = decoder.read(&packets).map_err(|_| number)?;
        for (index, part) in rest.iter().take(num_read).enumerate() {
            write_kept(decoder, index, part.frames.clone(), output).ok_or(number + index)?;
        }
        number += num_read.max(1);
    }
    Ok(())
}

/// Writes frames that the decoder keeps, as many as fit, and returns their number; `None` if it does not keep them.
fn write_kept(
    decoder: &Decoder,
    index: usize,
    frames: Range<usize>,
    output: &mut Output<'_>,
) -> Option<usize> {
    let frames = frames.start..frames.end.min(frames.start.saturating_add(output.room()));
    if let Some(written) = output.write_in_place(|room| decoder.write(index, frames.clone(), room)) {
        return written.ok();
    }
    let num_frames = frames.len();
    let written = output.write_channels(num_frames, |channel, room| {
        decoder.write_channel(index, channel, frames.clone(), room)
    });
    written.is_none_or(|written| written.is_ok()).then_some(num_frames)
}
