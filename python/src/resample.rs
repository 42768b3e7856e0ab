//! `resample`: an array at another rate, and what torchaudio makes of it where that is asked for.

use std::sync::Arc;

use mapwave_core::resample::Rates;
use mapwave_core::{FrameSpec, Frames, Layout, OutputFormat, ResampleQuality, resample_array};
use pyo3::intern;
use pyo3::prelude::*;

use crate::arrays::{ArrayLibrary, interruptibly};
use crate::errors::{invalid, raise};
use crate::frames;
use crate::options::{MAX_SAMPLE_RATE, Request};
use crate::samples::Samples;

/// The plugin over libsoxr has it.
const SOXR: ResampleQuality = ResampleQuality::Plugin("soxr_vhq");

/// Names of other libraries for qualities.
const ALIASES: [(&str, &str); 2] = [("soxr_style", "soxr_hq"), ("soxr_compat", "soxr_hq")];

/// A quality in the caller's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quality {
    Core(ResampleQuality),
    /// `torchaudio.functional.resample`.
    Torchaudio,
}

impl Quality {
    /// The name of torchaudio's own.
    pub(crate) const TORCHAUDIO: &str = "torchaudio_compat";

    pub(crate) fn new(py: Python<'_>, argument: &str, name: &str) -> PyResult<Self> {
        if name == Self::TORCHAUDIO {
            return Ok(Self::Torchaudio);
        }
        let known = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
        let parsed = py.detach(|| known.parse());
        parsed.map(Self::Core).map_err(|_| {
            let mut names: Vec<String> = py.detach(ResampleQuality::names);
            let others = ALIASES.iter().filter(|(_, name)| names.iter().any(|known| known == name));
            let others: Vec<String> = others.map(|(alias, _)| (*alias).to_owned()).collect();
            names.extend(others);
            names.push(Self::TORCHAUDIO.to_owned());
            let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
            invalid(py, &format!("{argument} must be one of {}, got '{name}'", names.join(", ")))
        })
    }
}

/// A rate in Hz.
pub(crate) fn rate(py: Python<'_>, argument: &str, rate: i64) -> PyResult<u32> {
    let valid = u32::try_from(rate).ok().filter(|rate| (1..=MAX_SAMPLE_RATE).contains(rate));
    valid.ok_or_else(|| invalid(py, &format!("{argument} must be 1 to {MAX_SAMPLE_RATE} Hz, got {rate}")))
}

/// What comes out of an array, and how.
pub(crate) struct ArrayRequest {
    pub(crate) rates: Rates,
    pub(crate) quality: Quality,
    pub(crate) layout: Layout,
    /// None is the array's own type, float32 for integers.
    pub(crate) format: Option<OutputFormat>,
    pub(crate) max_threads: usize,
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
    let source = samples.audio(py, Some(request.layout))?;
    let format = request.format.unwrap_or(match source.format() {
        OutputFormat::I16 | OutputFormat::I32 => OutputFormat::F32,
        float => float,
    });
    library.check(py, format)?;
    let spec =
        FrameSpec { format, layout: request.layout, squeeze_mono: axes.len() == 1, ..FrameSpec::default() };
    let frames = match request.quality {
        Quality::Core(quality) => {
            let allocate = library.allocator(py)?;
            interruptibly(py, request.max_threads, |control| {
                resample_array(source, request.rates, quality, &spec, allocate, control)
            })?
        }
        Quality::Torchaudio => {
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
    request: &Request,
) -> PyResult<Frames> {
    let (format, layout, squeeze_mono) = (OutputFormat::F32, Layout::ChannelsFirst, false);
    let planar = FrameSpec { format, layout, squeeze_mono, ..request.spec.clone() };
    let planar = interruptibly(py, request.max_threads, |control| {
        reader.read_with(frames, &planar, mapwave_core::Buffer::new, control)
    })?;
    by_torchaudio(py, planar, rates, &request.spec)
}

/// Brings planar float32 frames to another rate by torchaudio, as `spec` wants them.
fn by_torchaudio(py: Python<'_>, planar: Frames, rates: Rates, spec: &FrameSpec) -> PyResult<Frames> {
    let module = py.import(intern!(py, "mapwave._torchaudio"))?;
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

/// Whether resampling by libsoxr is available: its plugin is loaded.
#[pyfunction]
pub(crate) fn supports_soxr() -> bool {
    SOXR.is_available()
}
