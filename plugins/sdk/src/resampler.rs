//! What a resampler is.

use std::ffi::CStr;

use crate::block::Block;
use crate::error::Result;
use crate::output::Output;
use crate::sample::SampleFormat;

/// What a resampler is to do.
#[derive(Clone, Debug)]
pub struct ResamplerOptions<'a> {
    /// Frames a second that come in.
    pub input_rate: u32,
    /// Frames a second that go out.
    pub output_rate: u32,
    /// Samples in a frame.
    pub num_channels: u32,
    /// The format that comes in; what goes out is `f32`.
    pub input_format: SampleFormat,
    /// How many threads a handle may use, the caller's included; at least 1.
    pub max_threads: u32,
    /// One of [`Resampler::QUALITIES`].
    pub quality: &'a str,
    /// The most bytes that a handle may have allocated at any time.
    pub max_alloc: u64,
}

/// A kind of resampler. A value of the type is one handle: one signal on its way through.
pub trait Resampler: Sized + Send + 'static {
    /// A short lower-case name, unique in the plugin.
    const NAME: &'static CStr;
    /// The names of its qualities, separated by commas.
    const QUALITIES: &'static CStr;
    /// The formats that come in.
    const FORMATS: &'static [SampleFormat];

    /// Opens a resampler.
    ///
    /// # Errors
    /// When it cannot do what is asked for.
    fn open(options: &ResamplerOptions<'_>) -> Result<Self>;

    /// Takes frames from `input`, `None` once there are no more, writes frames to `output` and returns how many were taken.
    /// With `None`, nothing written is the end. In all, round(n * output_rate / input_rate) frames go out for n.
    ///
    /// # Errors
    /// When there is no memory.
    fn process(&mut self, input: Option<&Block<'_>>, output: &mut Output<'_>) -> Result<usize>;

    /// Samples in a frame, as it was opened.
    fn num_channels(&self) -> usize;
}
