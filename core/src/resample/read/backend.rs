//! What stands behind a run: this crate's own engine or a plugin, each of which makes frames in its own portions.

#![forbid(unsafe_code)]

use bytemuck::Pod;

use super::input::FrameSource;
use crate::error::Result;
use crate::pcm::{ByteOrder, OutputFormat, SampleFormat};
use crate::resample::engine::Sample;
use crate::segment::Stop;

/// What makes frames: each time those that follow on the last.
pub(crate) trait Backend {
    /// The numbers that it calculates with.
    type Number: Number;

    /// Makes the next frames, at least one, of each channel.
    fn make(
        &mut self,
        input: &dyn FrameSource,
        made: &mut [Vec<Self::Number>],
        stop: &Stop<'_>,
    ) -> Result<()>;
}

/// A sample that a backend calculates with.
pub(crate) trait Number: Sample + Pod {
    /// Its format in an array, and in a file.
    const FORMATS: (OutputFormat, SampleFormat);
}

impl Number for f32 {
    const FORMATS: (OutputFormat, SampleFormat) = (OutputFormat::F32, SampleFormat::F32(ByteOrder::NATIVE));
}

impl Number for f64 {
    const FORMATS: (OutputFormat, SampleFormat) = (OutputFormat::F64, SampleFormat::F64(ByteOrder::NATIVE));
}

/// Where runs may begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// At multiples of this output frame.
    pub(crate) grid: u64,
    /// What is made for nothing there, in output frames.
    pub(crate) cost: u64,
}
