//! Trial decoding: what a codec outputs, and how many frames for each packet.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::Result;

use super::codec::{Codec, Received};
use super::parameters::Parameters;
use super::store::Store;
use crate::error::{is_no_memory, no_memory};
use crate::frame::{Frame, Shape};
use crate::packet::Packet;

/// The number of first packets in which a codec may still change the shape of its frames.
pub(super) const NUM_SETTLING: usize = 8;

/// The result of a trial.
#[derive(Clone, Debug, Default)]
pub(super) struct Trial {
    /// The frames of each packet.
    pub(super) counts: Vec<u32>,
    /// The shape of the last of them.
    pub(super) shape: Option<Shape>,
    /// The number of the packet, counted from the first one decoded, at which the shape of frames changes.
    pub(super) change: Option<usize>,
    /// The number of frames that libav would skip at the beginning of the first output.
    pub(super) skip: Option<u32>,
    /// libav's code for the first packet that could not be decoded.
    pub(super) damage: Option<i32>,
}

impl Trial {
    /// Notes a packet that cannot be decoded.
    fn note(&mut self, code: i32) -> Result<()> {
        if is_no_memory(code) {
            return Err(no_memory("decoding a packet"));
        }
        self.damage.get_or_insert(code);
        Ok(())
    }

    /// Whether a stream with these numbers of frames begins as it does. A codec may still have had frames of the last packets.
    pub(super) fn begins(&self, counts: &[u32]) -> bool {
        let settled = self.counts.len().saturating_sub(2);
        self.counts.get(..settled).is_some_and(|begin| counts.starts_with(begin))
    }
}

/// The limits of a trial.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The maximum number of samples in one of libav's frames.
    pub(super) max_samples: u64,
    /// The maximum total number of samples of all channels to decode.
    pub(super) max_total: u64,
}

/// Decodes packets from the first of a range on, with a new codec, up to the end of the range; to what the codec still has in
/// it only where that is the end of the stream. `None` when that would be more than the bounds allow. With `wanted`, it ends
/// where frames are of another shape.
///
/// # Errors
/// When the codec cannot be set up, the host cannot read, or memory runs out.
pub(super) fn decode(
    store: &Store,
    parameters: &Parameters,
    packets: Range<usize>,
    wanted: Option<Shape>,
    bounds: Bounds,
) -> Result<Option<Trial>> {
    let mut codec = Codec::new(parameters, bounds.max_samples)?;
    let (mut packet, mut frame) = (Packet::new()?, Frame::new()?);
    let mut trial = Trial { counts: vec![0; packets.len()], ..Trial::default() };
    let mut num_samples = 0u64;
    let mut next = packets.start;
    let mut is_finished = false;
    loop {
        match codec.receive(&mut frame) {
            Received::Frame => {
                let Some(shape) = frame.shape() else { continue };
                // Times are numbers of packets here.
                let number = frame.time().and_then(|time| usize::try_from(time).ok());
                let number = number
                    .filter(|number| (packets.start..next).contains(number))
                    .unwrap_or(next.saturating_sub(1));
                let number = number.saturating_sub(packets.start);
                if wanted.is_some_and(|wanted| !wanted.is_like(&shape)) && number >= NUM_SETTLING {
                    trial.change.get_or_insert(number);
                    return Ok(Some(trial));
                }
                if let Some(count) = trial.counts.get_mut(number)
                    && wanted.is_none_or(|wanted| wanted.is_like(&shape))
                {
                    *count = count.saturating_add(u32::try_from(frame.num_frames()).unwrap_or(u32::MAX));
                }
                num_samples += frame.num_frames() as u64 * u64::from(shape.num_channels);
                if num_samples > bounds.max_total {
                    return Ok(None);
                }
                if trial.shape.is_none() {
                    trial.skip = frame.skip();
                }
                trial.shape = Some(shape);
            }
            Received::Nothing if next < packets.end => {
                if store.read(next, next as u64, &mut packet)?
                    && !packet.bytes().is_empty()
                    && let Err(code) = codec.send(&packet)
                {
                    trial.note(code)?;
                }
                next += 1;
            }
            Received::Nothing if !is_finished && next == store.num_packets() => {
                is_finished = true;
                codec.finish();
            }
            Received::Nothing | Received::End => return Ok(Some(trial)),
            Received::Damaged(code) => {
                trial.note(code)?;
                if is_finished {
                    return Ok(Some(trial));
                }
            }
        }
    }
}
