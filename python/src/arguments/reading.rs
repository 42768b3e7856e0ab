//! The arguments that `load`, `stream`, `batch_load` and `open` share, checked before any file is touched.

use std::ops::Range;
use std::sync::Arc;

use mapwave_core::resample::Rates;
use mapwave_core::{
    ChannelSelection, Choice, Error, FrameSpec, Layout, Limits, MonoMode, OutputFormat, Parameter, Reader,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::channels::Channels;
use super::numbers::{ArrayRate, MixedChannels, Threads, TrackNumber, Whole};
use super::plugin_options::PluginOptions;
use super::signature::{Arguments, Group};
use super::value::{Argument, Mismatch};
use super::words::{Dtype, ResampleMethod};
use crate::errors::invalid;

/// How a file is read: what of it, by what plugin, at what rate, into what, and by how many threads.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) selection: Selection,
    pub(crate) rate: Rate,
    pub(crate) spec: FrameSpec,
    pub(crate) max_threads: usize,
}

impl Reading {
    pub(crate) fn new(arguments: &Arguments<'_, '_>) -> PyResult<Self> {
        arguments.parse_together(Group::Reading, Self::parse)
    }

    fn parse(arguments: &Arguments<'_, '_>) -> PyResult<Self> {
        Ok(Self {
            rate: Rate::new(arguments)?,
            spec: FrameSpec {
                format: dtype(arguments)?,
                channels: channels(arguments)?,
                layout: arguments.get::<Layout>("layout")?,
                squeeze_mono: arguments.get("squeeze_mono")?,
            },
            selection: Selection::new(arguments)?,
            max_threads: Threads::max(arguments.get("threads")?),
        })
    }
}

/// The plugin to read a file with, and the sound track to read.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    plugin: Option<String>,
    track: Option<u32>,
    options: Vec<(String, String)>,
    seek_table: Option<Arc<[u8]>>,
    limits: Limits,
}

impl Selection {
    pub(crate) fn new(arguments: &Arguments<'_, '_>) -> PyResult<Self> {
        let track = arguments.get::<Option<TrackNumber>>("track")?.map(|track| track.0);
        let (plugin, options) = (plugin(arguments)?, plugin_options(arguments)?);
        Ok(Self { plugin, track, options, seek_table: None, limits: Limits::default() })
    }

    /// Adds the limits, which functions that return arrays take.
    pub(crate) fn add_limits(&mut self, arguments: &Arguments<'_, '_>) -> PyResult<()> {
        self.limits = super::limits::of_call(arguments)?;
        Ok(())
    }

    /// Adds the seek table, which functions that read one file take.
    pub(crate) fn add_seek_table(&mut self, arguments: &Arguments<'_, '_>) -> PyResult<()> {
        self.seek_table = arguments.get::<Option<SeekTable>>("seek_table")?.map(|table| table.0);
        Ok(())
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn choice(&self) -> Choice<'_> {
        Choice {
            plugin: self.plugin.as_deref(),
            track: self.track,
            options: &self.options,
            seek_table: self.seek_table.as_deref(),
            limits: self.limits,
        }
    }
}

/// What `Reader.seek_table` returned.
struct SeekTable(Arc<[u8]>);

impl<'py> Argument<'py> for SeekTable {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let bytes = value.cast::<PyBytes>().map_err(|_| Mismatch::kind("bytes"))?;
        Ok(Self(bytes.as_bytes().into()))
    }
}

fn sample_rate(arguments: &Arguments<'_, '_>) -> PyResult<Option<u32>> {
    Ok(arguments.get::<Option<ArrayRate>>("sr")?.map(|rate| rate.0))
}

/// The type of the samples.
pub(super) fn dtype(arguments: &Arguments<'_, '_>) -> PyResult<OutputFormat> {
    Ok(arguments.get::<Dtype>("dtype")?.0)
}

/// The plugin to use, by its name.
pub(super) fn plugin(arguments: &Arguments<'_, '_>) -> PyResult<Option<String>> {
    arguments.get("plugin")
}

/// Values of options of its own.
pub(super) fn plugin_options(arguments: &Arguments<'_, '_>) -> PyResult<Vec<(String, String)>> {
    Ok(arguments.get::<Option<PluginOptions>>("plugin_options")?.map_or_else(Vec::new, |options| options.0))
}

fn channels(arguments: &Arguments<'_, '_>) -> PyResult<ChannelSelection> {
    let mono_mode: MonoMode = arguments.get("mono_mode")?;
    let number = arguments.get::<Option<MixedChannels>>("num_channels")?;
    match (arguments.get::<Option<Channels>>("channels")?, arguments.get("mono")?, number) {
        (None, false, None) => Ok(ChannelSelection::All),
        (None, true, None) => Ok(ChannelSelection::Mono(mono_mode)),
        (Some(channels), false, None) => Ok(ChannelSelection::Only(channels.0)),
        (None, false, Some(number)) => Ok(ChannelSelection::Count(number.0)),
        _ => Err(invalid(arguments.py(), "give only one of channels, num_channels and mono=True")),
    }
}

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
    pub(crate) fn new(arguments: &Arguments<'_, '_>) -> PyResult<Self> {
        let (offset, duration) = (arguments.get("offset")?, arguments.get::<Option<f64>>("duration")?);
        let frame = |name| Ok::<_, PyErr>(arguments.get::<Option<Whole>>(name)?.map(|frame| frame.0));
        let (start, stop) = (frame("start")?, frame("stop")?);
        Self::of_either(arguments.py(), offset, duration, start, stop)
    }

    fn of_either(
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

    /// The frames of a file that are meant; an end beyond the file is clamped to its end.
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
                    Err(reader.named(Error::Argument { path: None, parameter, what }))
                };
                let inside = || format!("inside the file's {num_frames} frames");
                let Some(first) = position(start.unwrap_or(0)).filter(|&first| first <= num_frames) else {
                    return refuse(Parameter::StartFrame, inside(), start);
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

/// Which frames of each of many files are wanted.
#[derive(Debug)]
pub(crate) enum Windows {
    /// The same of every file.
    Same(Window),
    /// Of each file others, in their order.
    Each(Vec<Window>),
}

impl Windows {
    /// Takes what [`Window::new`] takes, and in the place of any of the numbers a sequence of one for each file.
    pub(crate) fn new(arguments: &Arguments<'_, '_>) -> PyResult<Self> {
        let offsets = OneOrEach::<Option<f64>>::new(arguments, "offset")?;
        let durations = OneOrEach::<Option<f64>>::new(arguments, "duration")?;
        let starts = OneOrEach::<Option<Whole>>::new(arguments, "start")?;
        let stops = OneOrEach::<Option<Whole>>::new(arguments, "stop")?;
        let counts = [offsets.count(), durations.count(), starts.count(), stops.count()];
        let given = || counts.iter().zip(["offset", "duration", "start", "stop"]);
        let Some((&Some(count), name)) = given().find(|(count, _)| count.is_some()) else {
            return Window::new(arguments).map(Self::Same);
        };
        if let Some((&Some(other), other_name)) = given().find(|(other, _)| other.is_some_and(|n| n != count))
        {
            let message =
                format!("{name} and {other_name} must have as many values, got {count} and {other}");
            return Err(invalid(arguments.py(), &message));
        }
        let frame = |frames: &OneOrEach<Option<Whole>>, index| {
            frames.of(index).and_then(|whole| whole.as_ref().map(|whole| whole.0))
        };
        let window = |index| {
            let seconds = |each: &OneOrEach<Option<f64>>| each.of(index).copied().flatten();
            let (offset, duration) = (seconds(&offsets).unwrap_or(0.0), seconds(&durations));
            Window::of_either(arguments.py(), offset, duration, frame(&starts, index), frame(&stops, index))
        };
        (0..count).map(window).collect::<PyResult<_>>().map(Self::Each)
    }

    /// All frames of every file.
    pub(crate) fn all() -> Self {
        Self::Same(Window::Frames { start: None, stop: None })
    }

    /// Checks that there are as many as files.
    pub(crate) fn check_count(&self, py: Python<'_>, num_files: usize) -> PyResult<()> {
        match self {
            Self::Each(windows) if windows.len() != num_files => {
                let got = windows.len();
                let message = format!(
                    "offset, duration, start and stop must be single values or have one for each of the {num_files} paths, got {got}"
                );
                Err(invalid(py, &message))
            }
            _ => Ok(()),
        }
    }

    /// That of a file; None where there are fewer.
    pub(crate) fn of(&self, index: usize) -> Option<&Window> {
        match self {
            Self::Same(window) => Some(window),
            Self::Each(windows) => windows.get(index),
        }
    }
}

/// An argument that is one value, or a sequence of them.
enum OneOrEach<T> {
    One(T),
    Each(Vec<T>),
}

impl<T> OneOrEach<T> {
    fn new<'py>(arguments: &Arguments<'_, 'py>, name: &str) -> PyResult<Self>
    where
        T: Argument<'py>,
    {
        let value: Bound<'py, PyAny> = arguments.get(name)?;
        let is_text = value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>();
        match value.try_iter().ok().filter(|_| !is_text) {
            None => arguments.get(name).map(Self::One),
            Some(values) => {
                let parse = |(index, value): (usize, PyResult<Bound<'py, PyAny>>)| {
                    arguments.parse(&format!("{name}[{index}]"), Some(&value?))
                };
                values.enumerate().map(parse).collect::<PyResult<_>>().map(Self::Each)
            }
        }
    }

    fn count(&self) -> Option<usize> {
        match self {
            Self::One(_) => None,
            Self::Each(values) => Some(values.len()),
        }
    }

    fn of(&self, index: usize) -> Option<&T> {
        match self {
            Self::One(value) => Some(value),
            Self::Each(values) => values.get(index),
        }
    }
}

/// What a caller asks of the sample rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    wanted: Option<u32>,
    quality: ResampleMethod,
}

impl Rate {
    fn new(arguments: &Arguments<'_, '_>) -> PyResult<Self> {
        let wanted = sample_rate(arguments)?;
        let quality: ResampleMethod = arguments.get("resample_quality")?;
        match wanted {
            Some(_) => Ok(Self { wanted, quality: quality.settled(arguments.py())? }),
            None => Ok(Self { wanted, quality }),
        }
    }

    /// Rejects torchaudio's resampling, which takes a whole array, for a file that is read in parts.
    pub(crate) fn check_parts(self, py: Python<'_>) -> PyResult<()> {
        if self.quality != ResampleMethod::Torchaudio {
            return Ok(());
        }
        let name = ResampleMethod::TORCHAUDIO;
        Err(invalid(
            py,
            &format!("resample_quality='{name}' is for load and resample; choose another quality here"),
        ))
    }

    /// The rate that is asked for.
    pub(crate) fn wanted(self) -> Option<u32> {
        self.wanted
    }

    /// Whether a rate is asked for.
    pub(crate) fn is_wanted(self) -> bool {
        self.wanted.is_some()
    }

    /// The file with its frames at the rate that is wanted.
    pub(crate) fn apply(self, reader: Reader) -> mapwave_core::Result<Reader> {
        match (self.wanted, self.quality) {
            (Some(wanted), ResampleMethod::Core(quality)) => reader.resampled(wanted, quality),
            _ => Ok(reader),
        }
    }

    /// The rates between which torchaudio is to resample a file.
    pub(crate) fn for_torchaudio(self, reader: &Reader) -> mapwave_core::Result<Option<Rates>> {
        let native = reader.track().sample_rate;
        match self.wanted.filter(|wanted| *wanted != native && self.quality == ResampleMethod::Torchaudio) {
            Some(wanted) => Rates::new(native, wanted).map(Some).map_err(|error| reader.named(error)),
            None => Ok(None),
        }
    }
}
