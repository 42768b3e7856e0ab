//! Decoders that decode packets in batches, straight into the host's memory, and keep the last packets.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_codec_base::{BatchDecoder, BatchError, DecodedSample, Part};
use mapwave_plugin::{Output, Sample, SampleFormat};

/// Decodes packets and writes the wanted frames of each, which have room.
///
/// # Errors
/// Those of the decoder.
pub(crate) fn decode_parts<D: BatchDecoder>(
    decoder: &mut D,
    parts: &[Part<'_>],
    output: &mut Output<'_>,
) -> Result<(), BatchError<D::Error>> {
    match output.format() {
        SampleFormat::I16 => decode_parts_as::<D, i16>(decoder, parts, output),
        SampleFormat::I32 => decode_parts_as::<D, i32>(decoder, parts, output),
        SampleFormat::F32 => decode_parts_as::<D, f32>(decoder, parts, output),
    }
}

fn decode_parts_as<D: BatchDecoder, T: Sample + DecodedSample>(
    decoder: &mut D,
    mut parts: &[Part<'_>],
    output: &mut Output<'_>,
) -> Result<(), BatchError<D::Error>> {
    if let Some(written) = output.write_in_place::<T, _>(|room| decoder.decode(parts, room)) {
        return written.map(|_| ());
    }
    let mut number = 0;
    while !parts.is_empty() {
        let at = |index, reason| BatchError { index: number + index, reason };
        let packets: Vec<&[u8]> = parts.iter().take(D::MAX_KEPT).map(|part| part.bytes).collect();
        let num_read = decoder.read(&packets).map_err(|error| at(error.index, error.reason))?;
        let (now, later) = parts.split_at_checked(num_read.max(1)).unwrap_or((parts, &[]));
        for (index, part) in now.iter().enumerate() {
            let written = write_channels::<D, T>(decoder, index, part.frames.clone(), output);
            written.map_err(|reason| at(index, reason))?;
        }
        (parts, number) = (later, number + now.len());
    }
    Ok(())
}

/// Writes frames of the last packet that is kept, as many as fit, and returns their number.
pub(crate) fn write_last<D: BatchDecoder>(
    decoder: &D,
    frames: Range<usize>,
    output: &mut Output<'_>,
) -> usize {
    match output.format() {
        SampleFormat::I16 => write_last_as::<D, i16>(decoder, frames, output),
        SampleFormat::I32 => write_last_as::<D, i32>(decoder, frames, output),
        SampleFormat::F32 => write_last_as::<D, f32>(decoder, frames, output),
    }
}

fn write_last_as<D: BatchDecoder, T: Sample + DecodedSample>(
    decoder: &D,
    frames: Range<usize>,
    output: &mut Output<'_>,
) -> usize {
    let Some(last) = decoder.num_kept().checked_sub(1) else { return 0 };
    let end = frames.end.min(decoder.kept_frames(last)).min(frames.start.saturating_add(output.room()));
    let frames = frames.start..end;
    match output.write_in_place::<T, _>(|room| decoder.write(last, frames.clone(), room)) {
        Some(written) => written.unwrap_or(0),
        None => write_channels::<D, T>(decoder, last, frames.clone(), output).map_or(0, |()| frames.len()),
    }
}

/// Writes frames of a packet that is kept to an output whose channels are apart.
fn write_channels<D: BatchDecoder, T: Sample + DecodedSample>(
    decoder: &D,
    index: usize,
    frames: Range<usize>,
    output: &mut Output<'_>,
) -> Result<(), D::Error> {
    let num_frames = frames.len();
    let written = output.write_channels::<T, _>(num_frames, |channel, room| {
        decoder.write_channel(index, channel, frames.clone(), room)
    });
    written.unwrap_or(Ok(())) // channels that are not apart are written in place
}
