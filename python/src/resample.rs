//! `resample`: an array at another rate, and what torchaudio makes of it where that is asked for.

use std::sync::Arc;

use mapwave_core::resample::Rates;
use mapwave_core::{FrameSpec, Frames, Layout, OutputFormat, ResampleQuality, resample_array};
use pyo3::prelude::*;

use crate::arguments::{AnyLayout, Arguments, ArrayRate, Dtype, Reading, ResampleMethod, Threads};
use crate::arrays::ArrayLibrary;
use crate::errors::raise;
use crate::frames;
use crate::interned::{import, intern};
use crate::interruption::interruptibly;
use crate::samples::Samples;

/// The plugin over libsoxr has it.
const SOXR: ResampleQuality = ResampleQuality::Plugin("soxr_vhq");

/// What comes out of an array, and how.
pub(crate) struct ArrayRequest {
    pub(crate) rates: Rates,
    pub(crate) quality: ResampleMethod,
    /// None finds the axis of the channels, as save does.
    pub(crate) layout: Option<Layout>,
    /// None is the array's own type, float32 for integers.
    pub(crate) format: Option<OutputFormat>,
    pub(crate) max_threads: usize,
}

impl ArrayRequest {
    pub(crate) fn new(arguments: &Arguments<'_, '_>) -> PyResult<Self> {
        let (ArrayRate(in_sr), ArrayRate(out_sr)) = (arguments.get("in_sr")?, arguments.get("out_sr")?);
        Ok(Self {
            rates: Rates::new(in_sr, out_sr).map_err(|error| raise(arguments.py(), &error))?,
            quality: arguments.get::<ResampleMethod>("quality")?.settled(arguments.py())?,
            layout: arguments.get::<AnyLayout>("layout")?.0,
            format: arguments.get::<Option<Dtype>>("dtype")?.map(|dtype| dtype.0),
            max_threads: Threads::max(arguments.get("threads")?),
        })
    }
}

/// Brings an array to another rate.
pub(crate) fn resample<'py>(
    py: Python<'py>,
    library: &Arc<ArrayLibrary>,
    audio: &Bound<'py, PyAny>,
    request: &ArrayRequest,
) -> PyResult<Bound<'py, PyAny>> {
    let samples = Samples::new(audio)?;
    let axes = samples.axes();
    let source = samples.audio(py, request.layout)?;
    let format = request.format.unwrap_or(match source.format() {
        OutputFormat::I16 | OutputFormat::I32 => OutputFormat::F32,
        float => float,
    });
    library.check(py, format)?;
    let spec =
        FrameSpec { format, layout: source.layout(), squeeze_mono: axes.len() == 1, ..FrameSpec::default() };
    let frames = match request.quality {
        ResampleMethod::Core(quality) => {
            let allocation = library.allocation(py)?;
            let allocate = |num_bytes| allocation.buffer(num_bytes);
            interruptibly(py, request.max_threads, |control| {
                resample_array(source, request.rates, quality, &spec, allocate, control)
            })?
        }
        ResampleMethod::Torchaudio => {
            // In the layout and type that torchaudio works on.
            let channels = FrameSpec {
                format: OutputFormat::F32,
                layout: Layout::ChannelsFirst,
                ..FrameSpec::default()
            };
            let same = Rates::new(request.rates.input(), request.rates.input())
                .map_err(|error| raise(py, &error))?;
            let planar = interruptibly(py, request.max_threads, |control| {
                let quality = ResampleQuality::Default;
                resample_array(source, same, quality, &channels, mapwave_core::Buffer::new, control)
            })?;
            by_torchaudio(py, planar, request.rates, &spec)?
        }
    };
    library.hand_over(py, frames)
}

/// Reads frames of a file and brings them to another rate by torchaudio, as `request` wants them.
pub(crate) fn read_by_torchaudio(
    py: Python<'_>,
    reader: &mapwave_core::Reader,
    frames: std::ops::Range<u64>,
    rates: Rates,
    reading: &Reading,
) -> PyResult<Frames> {
    let (format, layout, squeeze_mono) = (OutputFormat::F32, Layout::ChannelsFirst, false);
    let planar = FrameSpec { format, layout, squeeze_mono, ..reading.spec.clone() };
    let planar = interruptibly(py, reading.max_threads, |control| {
        reader.read_with(frames, &planar, mapwave_core::Buffer::new, control)
    })?;
    by_torchaudio(py, planar, rates, &reading.spec)
}

/// Brings planar float32 frames to another rate by torchaudio, as `spec` wants them.
fn by_torchaudio(py: Python<'_>, planar: Frames, rates: Rates, spec: &FrameSpec) -> PyResult<Frames> {
    let module = import(py, intern!(py, "mapwave._torchaudio"))?;
    let planar = frames::Frames::owned(planar);
    let resampled =
        module.getattr(intern!(py, "resample"))?.call1((planar, rates.input(), rates.output()))?;
    let samples = Samples::new(&resampled)?;
    let audio = samples.audio(py, Some(Layout::ChannelsFirst))?;
    let same = Rates::new(rates.output(), rates.output()).map_err(|error| raise(py, &error))?;
    interruptibly(py, 1, |control| {
        resample_array(audio, same, ResampleQuality::Default, spec, mapwave_core::Buffer::new, control)
    })
}

/// Returns whether libsoxr can resample: whether its plugin is loaded.
#[pyfunction]
pub(crate) fn supports_soxr() -> bool {
    SOXR.is_available()
}
