//! The arguments that `load`, `stream`, `batch_load` and `open` share, checked before any file is touched.

use std::ops::Range;

use mapwave_core::resample::Rates;
use mapwave_core::{ChannelSelection, FrameSpec, Layout, MonoMode, OutputFormat, Parameter, Reader};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::errors::{invalid, raise};
use crate::resample::Quality;
use crate::writer::Writer;

/// The most channels of a file that is written.
const MAX_CHANNELS: u16 = 1024;

/// The highest sample rate that can be asked for, in Hz.
pub(crate) const MAX_SAMPLE_RATE: u32 = mapwave_core::resample::MAX_RATE;

/// Which frames of a file are wanted, in the caller's terms.
#[derive(Clone, Debug)]
pub(crate) enum Window {
    Seconds {
        offset: f64,
        duration: Option<f64>,
    },
    /// As in a slice: negative numbers count from the end.
    Frames {
        start: Option<i64>,
        stop: Option<i64>,
    },
}

impl Window {
    /// Takes either `offset` and `duration` or `start` and `stop`.
    pub(crate) fn new(
        py: Python<'_>,
        offset: f64,
        duration: Option<f64>,
        start: Option<i64>,
        stop: Option<i64>,
    ) -> PyResult<Self> {
        if start.is_none() && stop.is_none() {
            return Ok(Self::Seconds { offset, duration });
        }
        if offset != 0.0 || duration.is_some() {
            return Err(invalid(
                py,
                "give either offset and duration in seconds or start and stop in frames, not both",
            ));
        }
        Ok(Self::Frames { start, stop })
    }

    /// The frames of a file that are meant; an end past the file's is the file's.
    pub(crate) fn of(&self, reader: &Reader) -> mapwave_core::Result<Range<u64>> {
        let num_frames = reader.num_frames();
        match *self {
            Self::Seconds { offset, duration } => reader.window(offset, duration),
            Self::Frames { start, stop } => {
                let position = |index: i64| match u64::try_from(index) {
                    Ok(index) => Some(index),
                    Err(_) => num_frames.checked_sub(index.unsigned_abs()),
                };
                let refuse = |parameter, expected: String, got: Option<i64>| {
                    let got = got.map_or(String::new(), |got| got.to_string());
                    let what = format!("must be {expected}, got {got}");
                    Err(reader.named(mapwave_core::Error::Argument { path: None, parameter, what }))
                };
                let inside = format!("inside the file's {num_frames} frames");
                let Some(first) = position(start.unwrap_or(0)).filter(|&first| first <= num_frames) else {
                    return refuse(Parameter::StartFrame, inside, start);
                };
                let last =
                    stop.map_or(Some(num_frames), |stop| position(stop).map(|stop| stop.min(num_frames)));
                match last {
                    Some(last) if last >= first => Ok(first..last),
                    _ => refuse(Parameter::EndFrame, format!("at least start, which is frame {first}"), stop),
                }
            }
        }
    }
}

/// What is asked of a read: what comes out, and the threads that may work on it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) spec: FrameSpec,
    pub(crate) max_threads: usize,
}

/// The number of threads a caller allows: all processors unless it says so.
pub(crate) fn max_threads(py: Python<'_>, threads: Option<i64>) -> PyResult<usize> {
    match threads {
        None => Ok(mapwave_core::segment::num_processors()),
        Some(threads) => usize::try_from(threads)
            .ok()
            .filter(|&threads| threads > 0)
            .ok_or_else(|| invalid(py, &format!("threads must be > 0 or None, got {threads}"))),
    }
}

/// What comes out, in the caller's terms.
pub(crate) struct Output<'a, 'py> {
    pub(crate) mono: bool,
    pub(crate) mono_mode: &'a str,
    pub(crate) layout: &'a str,
    pub(crate) dtype: &'a str,
    pub(crate) squeeze_mono: bool,
    pub(crate) channels: Option<&'a Bound<'py, PyAny>>,
}

impl Output<'_, '_> {
    /// The specification for the core.
    pub(crate) fn spec(&self, py: Python<'_>) -> PyResult<FrameSpec> {
        let parsed = || -> mapwave_core::Result<(OutputFormat, Layout, MonoMode)> {
            Ok((self.dtype.parse()?, self.layout.parse()?, self.mono_mode.parse()?))
        };
        let (format, layout, mono_mode) = parsed().map_err(|error| raise(py, &error))?;
        let channels = match (self.channels, self.mono) {
            (None, false) => ChannelSelection::All,
            (None, true) => ChannelSelection::Mono(mono_mode),
            (Some(channels), false) => ChannelSelection::Only(channel_numbers(channels)?),
            (Some(_), true) => return Err(invalid(py, "give either channels or mono=True, not both")),
        };
        Ok(FrameSpec { format, channels, layout, squeeze_mono: self.squeeze_mono })
    }

    /// A writer of arrays of this type and layout, with the other arguments of `open`.
    pub(crate) fn writer(
        &self,
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        arguments: &Bound<'_, PyDict>,
    ) -> PyResult<Writer> {
        let parsed = || -> mapwave_core::Result<(OutputFormat, Layout)> {
            Ok((self.dtype.parse()?, self.layout.parse()?))
        };
        let (format, layout) = parsed().map_err(|error| raise(py, &error))?;
        if self.mono || self.mono_mode != "mean" || self.squeeze_mono {
            return Err(invalid(py, "mono, mono_mode and squeeze_mono are for mode 'r' alone"));
        }
        let number = self
            .channels
            .filter(|channels| !channels.is_instance_of::<PyBool>())
            .and_then(|channels| channels.extract::<u16>().ok())
            .filter(|number| (1..=MAX_CHANNELS).contains(number));
        let Some(number) = number else {
            let got = self
                .channels
                .map_or_else(|| Ok("None".to_owned()), |got| got.repr().map(|got| got.to_string()))?;
            return Err(invalid(
                py,
                &format!("channels must be their number in mode 'w', 1 to 1024, got {got}"),
            ));
        };
        Writer::new(py, path, number, format, layout, arguments)
    }
}

/// One channel number or a sequence of them, counted from 0.
fn channel_numbers(channels: &Bound<'_, PyAny>) -> PyResult<Vec<u16>> {
    let number = |channel: i64| {
        u16::try_from(channel).map_err(|_| {
            invalid(channels.py(), &format!("channels must be numbers from 0 to 65535, got {channel}"))
        })
    };
    if let Ok(channel) = channels.extract::<i64>() {
        return Ok(vec![number(channel)?]);
    }
    let Ok(many) = channels.extract::<Vec<i64>>() else {
        let kind = channels.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "channels must be an int or a sequence of ints, got {kind}"
        )));
    };
    many.into_iter().map(number).collect()
}

/// What a caller asks of the sample rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    wanted: Option<u32>,
    quality: Quality,
}

impl Rate {
    /// Checks the target rate and the quality's name.
    pub(crate) fn new(py: Python<'_>, sr: Option<i64>, resample_quality: &str) -> PyResult<Self> {
        let quality = Quality::new(py, "resample_quality", resample_quality)?;
        let wanted = sr.map(|rate| {
            let valid = u32::try_from(rate).ok().filter(|rate| (1..=MAX_SAMPLE_RATE).contains(rate));
            valid.ok_or_else(|| {
                invalid(py, &format!("sr must be 1 to {MAX_SAMPLE_RATE} Hz or None, got {rate}"))
            })
        });
        Ok(Self { wanted: wanted.transpose()?, quality })
    }

    /// The same, where there is no whole array to be given to torchaudio.
    pub(crate) fn in_parts(py: Python<'_>, sr: Option<i64>, resample_quality: &str) -> PyResult<Self> {
        let rate = Self::new(py, sr, resample_quality)?;
        if rate.quality == Quality::Torchaudio {
            let name = Quality::TORCHAUDIO;
            let message =
                format!("resample_quality='{name}' is for load and resample; choose another quality here");
            return Err(invalid(py, &message));
        }
        Ok(rate)
    }

    /// The file with its frames at the rate that is wanted.
    pub(crate) fn apply(self, reader: Reader) -> mapwave_core::Result<Reader> {
        match (self.wanted, self.quality) {
            (Some(wanted), Quality::Core(quality)) => reader.resampled(wanted, quality),
            _ => Ok(reader),
        }
    }

    /// The rates between which torchaudio is to resample a file.
    pub(crate) fn for_torchaudio(self, reader: &Reader) -> mapwave_core::Result<Option<Rates>> {
        let native = reader.track().sample_rate;
        match self.wanted.filter(|wanted| *wanted != native && self.quality == Quality::Torchaudio) {
            Some(wanted) => Rates::new(native, wanted).map(Some).map_err(|error| reader.named(error)),
            None => Ok(None),
        }
    }
}
