//! The resampler trait and its options.

use std::ffi::CStr;

use crate::block::Block;
use crate::error::Result;
use crate::output::Output;
use crate::sample::SampleFormat;

/// Options for opening a resampler.
///
/// ```
/// use mapwave_plugin::{ResamplerOptions, SampleFormat};
///
/// let options = ResamplerOptions {
///     input_rate: 44_100,
///     output_rate: 16_000,
///     num_channels: 2,
///     input_format: SampleFormat::F32,
///     max_threads: 1,
///     quality: "best",
///     max_alloc: 1 << 30,
/// };
/// assert!(options.output_rate < options.input_rate);
/// ```
#[derive(Clone, Debug)]
pub struct ResamplerOptions<'a> {
    /// Frames per second of the input.
    pub input_rate: u32,
    /// Frames per second of the output.
    pub output_rate: u32,
    /// Samples per frame.
    pub num_channels: u32,
    /// The format of the input; that of the output is `f32`.
    pub input_format: SampleFormat,
    /// The number of threads that a handle may use, including the caller's; at least 1.
    pub max_threads: u32,
    /// One of [`Resampler::QUALITIES`].
    pub quality: &'a str,
    /// The most bytes that a handle may have allocated at any time.
    pub max_alloc: u64,
}

/// Where in a signal a resampler may start, so that a host can read a window from the middle.
///
/// A resampler that gets the frames from S on, a multiple of `grid_frames`, as if they were the first, returns from its
/// output frame ceil(preroll_frames * output_rate / input_rate) on the same bits as one that started at frame 0,
/// however the input of either is divided.
///
/// ```
/// use mapwave_plugin::Restart;
///
/// // A filter of 63 taps that drops every other frame: it may begin at any frame that is not dropped.
/// let restart = Restart { grid_frames: 2, preroll_frames: 62 };
/// assert_eq!(restart.grid_frames % 2, 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// The distance between the input frames at which it may start, at least 1; that many input frames give a whole
    /// number of output frames.
    pub grid_frames: u64,
    /// The input frames whose output still differs.
    pub preroll_frames: u64,
}

/// A kind of resampler. A value of the type is one handle, which resamples one signal.
///
/// ```
/// use std::ffi::CStr;
///
/// use mapwave_plugin::{Block, Error, Output, Resampler, ResamplerOptions, Result, SampleFormat};
///
/// /// Doubles the rate of a channel by giving each frame twice.
/// struct Twice {
///     samples: Vec<f32>,
/// }
///
/// impl Resampler for Twice {
///     const NAME: &'static CStr = c"twice";
///     const QUALITIES: &'static CStr = c"low";
///     const FORMATS: &'static [SampleFormat] = &[SampleFormat::F32];
///
///     fn open(options: &ResamplerOptions<'_>) -> Result<Self> {
///         if (options.input_rate.checked_mul(2), options.num_channels) != (Some(options.output_rate), 1) {
///             return Err(Error::unsupported("one channel at twice its rate is all there is"));
///         }
///         Ok(Self { samples: Vec::new() })
///     }
///
///     fn process(&mut self, input: Option<&Block<'_>>, output: &mut Output<'_>) -> Result<usize> {
///         // No more is taken than there is room for, so that what is kept does not grow.
///         let wanted = output.room().saturating_sub(self.samples.len()).div_ceil(2);
///         let num_taken = input.map_or(0, |block| block.num_frames().min(wanted));
///         if let Some(samples) = input.and_then(|block| block.interleaved::<f32>()) {
///             self.samples.extend(samples[..num_taken].iter().flat_map(|sample| [*sample; 2]));
///         }
///         let num_written = output.write_interleaved::<f32, f32>(&self.samples, |sample| sample);
///         self.samples.drain(..num_written);
///         Ok(num_taken)
///     }
/// }
///
/// let mut twice = Twice { samples: Vec::new() };
/// let mut samples = [0.0f32; 5];
/// let num_taken = Output::with_slice(&mut samples, 1, |output| {
///     Block::with_slice(&[1.0f32, 2.0, 3.0], 1, |input| twice.process(Some(input), output))
/// })?;
/// assert_eq!((num_taken, samples), (3, [1.0, 1.0, 2.0, 2.0, 3.0]));
/// # Ok::<(), Error>(())
/// ```
pub trait Resampler: Sized + Send + 'static {
    /// A short lower-case name, unique in the plugin.
    const NAME: &'static CStr;
    /// The names of its qualities, separated by commas.
    const QUALITIES: &'static CStr;
    /// The formats of the input.
    const FORMATS: &'static [SampleFormat];
    /// The default quality; `None` leaves it to others.
    const DEFAULT_QUALITY: Option<&'static CStr> = None;
    /// [`open`](Self::open) rejects rates if one is at least this many times the other; 0 for no limit.
    const RATIO_LIMIT: u32 = 0;

    /// Opens a resampler.
    ///
    /// # Errors
    /// When the options are not supported.
    fn open(options: &ResamplerOptions<'_>) -> Result<Self>;

    /// Takes frames from `input`, `None` after the last, writes frames to `output` and returns how many were taken.
    /// With `None`, writing nothing means the end. In all, n input frames give round(n * output_rate / input_rate)
    /// output frames.
    ///
    /// # Errors
    /// When there is not enough memory.
    fn process(&mut self, input: Option<&Block<'_>>, output: &mut Output<'_>) -> Result<usize>;

    /// Where in a signal a resampler with these options may start and return the same frames; `None` if only at the
    /// start.
    ///
    /// # Errors
    /// When the options are not supported.
    fn restart(options: &ResamplerOptions<'_>) -> Result<Option<Restart>> {
        let _ = options;
        Ok(None)
    }
}
