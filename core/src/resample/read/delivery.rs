//! Converts the channels from an engine to the frames of an array.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;

use bytemuck::NoUninit;

use super::backend::Number;
use crate::pcm::{Kernel, OutputFormat, Stage};

/// The number of samples of a channel converted at a time.
const STAGE_SAMPLES: usize = 2048;

/// The layout of frames in an array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    format: OutputFormat,
    num_channels: usize,
    is_planar: bool,
}

impl Delivery {
    pub(crate) fn new(format: OutputFormat, num_channels: usize, is_planar: bool) -> Self {
        Self { format, num_channels, is_planar }
    }

    /// Writes all frames in `channels` to the front of `planes` and removes that part from them.
    pub(crate) fn put<T: Number>(&self, channels: &[&[T]], planes: &mut [&mut [MaybeUninit<u8>]]) {
        let kernel = Kernel::new(T::FORMATS.1, self.format);
        let num_frames = channels.first().map_or(0, |channel| channel.len());
        let plane_bytes = num_frames * self.format.num_bytes() * self.num_channels / planes.len().max(1);
        let mut rooms: Vec<&mut [MaybeUninit<u8>]> = Vec::with_capacity(planes.len());
        for plane in planes.iter_mut() {
            let num_bytes = plane_bytes.min(plane.len());
            rooms.push(plane.split_off_mut(..num_bytes).unwrap_or_default());
        }
        if self.is_planar || self.num_channels == 1 {
            for (channel, room) in channels.iter().zip(rooms) {
                kernel.convert(bytemuck::cast_slice(channel), room);
            }
            return;
        }
        let room = rooms.into_iter().next().unwrap_or_default();
        match self.format.num_bytes() {
            2 => interleave::<T, u16>(channels, kernel, room),
            4 => interleave::<T, u32>(channels, kernel, room),
            _ => interleave::<T, u64>(channels, kernel, room),
        }
    }
}

/// Converts channels and interleaves their samples, as the bit patterns `W`, in `room`.
fn interleave<T: Number, W: NoUninit + bytemuck::AnyBitPattern>(
    channels: &[&[T]],
    kernel: Kernel,
    room: &mut [MaybeUninit<u8>],
) {
    let frame_bytes = channels.len() * size_of::<W>();
    let mut stages: Vec<Stage<W>> = channels.iter().map(|_| Stage::new(STAGE_SAMPLES)).collect();
    for (number, room) in room.chunks_mut(STAGE_SAMPLES * frame_bytes).enumerate() {
        let num_frames = room.len() / frame_bytes;
        let first = number * STAGE_SAMPLES;
        let mut columns: Vec<&[W]> = Vec::with_capacity(channels.len());
        for (stage, channel) in stages.iter_mut().zip(channels) {
            let part = channel.get(first..first + num_frames).unwrap_or_default();
            columns.push(stage.convert(kernel, bytemuck::cast_slice(part), num_frames));
        }
        if let [left, right] = columns.as_slice() {
            for ((place, left), right) in room.chunks_exact_mut(frame_bytes).zip(*left).zip(*right) {
                let (first, second) = place.split_at_mut(size_of::<W>());
                first.write_copy_of_slice(bytemuck::bytes_of(left));
                second.write_copy_of_slice(bytemuck::bytes_of(right));
            }
            continue;
        }
        for (number, column) in columns.into_iter().enumerate() {
            let places = room.chunks_exact_mut(size_of::<W>()).skip(number).step_by(channels.len());
            for (place, sample) in places.zip(column) {
                place.write_copy_of_slice(bytemuck::bytes_of(sample));
            }
        }
    }
}
