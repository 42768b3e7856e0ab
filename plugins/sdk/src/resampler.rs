//! What a resampler is.

use std::ffi::CStr;

use crate::block::Block;
use crate::error::Result;
use crate::output::Output;
use crate::sample::SampleFormat;

/// What a resampler is to do.
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

/// Where in a signal a resampler may begin, so that a host can read a window out of the middle.
///
/// One that is given frames from frame S on, a multiple of `grid_frames`, as if nothing came before, gives from its frame
/// ceil(preroll_frames * output_rate / input_rate) on exactly what one gives that began at frame 0, bit for bit and however
/// either is fed.
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
    /// The distance between the frames of the input at which it may begin, at least 1; as many frames of input give a whole
    /// number of frames of output.
    pub grid_frames: u64,
    /// Frames of input whose output is not the same yet.
    pub preroll_frames: u64,
}

/// A kind of resampler. A value of the type is one handle: one signal on its way through.
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
    /// The formats that come in.
    const FORMATS: &'static [SampleFormat];
    /// The quality that a caller gets who asks for none; `None` leaves it to others.
    const DEFAULT_QUALITY: Option<&'static CStr> = None;
    /// [`open`](Self::open) refuses rates of which one is this many times as high as the other, or more; 0 when there is no such
    /// limit.
    const RATIO_LIMIT: u32 = 0;

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

    /// Where in a signal one may begin with such options and get the same frames; `None` when only at the start.
    ///
    /// # Errors
    /// When it cannot do what is asked for.
    fn restart(options: &ResamplerOptions<'_>) -> Result<Option<Restart>> {
        let _ = options;
        Ok(None)
    }
}
