//! `PreparedAudio`: audio that is ready to be saved.

use mapwave::Input;
use mapwave_core::sink;
use mapwave_core::{Audio, Layout, ReadControl};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arguments::{AnyLayout, Arguments, Writing};
use crate::errors::invalid;
use crate::interruption::interruptibly;
use crate::log::log_messages;
use crate::samples::Samples;

/// Audio that is ready to be saved: evaluated, with its memory held, so that any thread can save it without using the array
/// library it came from.
#[pyclass(frozen, module = "mapwave")]
pub(crate) struct PreparedAudio {
    samples: Samples,
    layout: Layout,
    /// The number of frames.
    #[pyo3(get)]
    frames: usize,
    /// The number of channels.
    #[pyo3(get)]
    channels: u16,
}

impl PreparedAudio {
    /// Takes the arguments `audio` and `layout`.
    pub(crate) fn new(arguments: &Arguments<'_, '_>) -> PyResult<Self> {
        let (py, AnyLayout(layout)) = (arguments.py(), arguments.get("layout")?);
        let samples = Samples::new(&arguments.get("audio")?)?;
        let (layout, frames, channels) = {
            let audio = samples.audio(py, layout)?;
            (audio.layout(), audio.num_frames(), audio.num_channels())
        };
        Ok(Self { samples, layout, frames, channels })
    }

    /// Writes the file that the arguments describe.
    pub(crate) fn write(&self, arguments: &Arguments<'_, '_>) -> PyResult<()> {
        let py = arguments.py();
        let Writing { place, mut options } = Writing::new(arguments, self.channels)?;
        let target_loudness = TargetLoudness::new(arguments)?;
        let audio = self.samples.audio(py, Some(self.layout))?;
        let (target, settlement) = place.into_target();
        let max_threads = options.max_threads;
        let saved = interruptibly(py, max_threads, |control| {
            if let Some(target) = target_loudness {
                options.gain = target.gain(audio, options.sample_rate, control)?;
            }
            sink::save(target, &audio, options, control)
        });
        log_messages(py)?;
        settlement.settle(py, saved?.num_bytes)
    }
}

/// The loudness that a file is to have.
#[derive(Clone, Copy)]
struct TargetLoudness {
    loudness: f64,
    true_peak: f64,
}

impl TargetLoudness {
    /// Takes the arguments `loudness` and `true_peak`.
    fn new(arguments: &Arguments<'_, '_>) -> PyResult<Option<Self>> {
        let py = arguments.py();
        let (loudness, true_peak) = (arguments.get::<Option<f64>>("loudness")?, arguments.get("true_peak")?);
        for (name, level) in [("loudness", loudness), ("true_peak", Some(true_peak))] {
            if let Some(level) = level.filter(|level: &f64| !level.is_finite()) {
                return Err(invalid(py, &format!("{name} must be finite, got {level}")));
            }
        }
        if loudness.is_none() && arguments.differs("true_peak")? {
            return Err(invalid(py, "true_peak is for loudness=, whose gain it limits"));
        }
        Ok(loudness.map(|loudness| Self { loudness, true_peak }))
    }

    /// The factor for the samples.
    fn gain(
        self,
        audio: Audio<'_>,
        sample_rate: u32,
        control: &ReadControl<'_>,
    ) -> mapwave_core::Result<f64> {
        let measured = mapwave::analysis::loudness(&Input::Array { audio, sample_rate }, control)?;
        Ok(10_f64.powf(measured.gain_to(self.loudness, self.true_peak) / 20.0))
    }
}

#[pymethods]
impl PreparedAudio {
    /// The lengths of the array's axes.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.samples.axes())
    }

    /// The type of the samples, such as "float32".
    #[getter]
    fn dtype(&self) -> &'static str {
        self.samples.format().name()
    }

    /// "channels_last" or "channels_first": the caller's choice, or what "auto" found.
    #[getter]
    fn layout(&self) -> &'static str {
        match self.layout {
            Layout::ChannelsLast => "channels_last",
            Layout::ChannelsFirst => "channels_first",
        }
    }

    /// The strides in bytes.
    #[getter]
    fn strides<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.samples.strides())
    }

    /// The size of the samples in bytes.
    #[getter]
    fn n_bytes(&self) -> usize {
        self.frames * usize::from(self.channels) * self.samples.format().num_bytes()
    }

    fn __repr__(&self) -> String {
        let (frames, channels, dtype, layout) = (self.frames, self.channels, self.dtype(), self.layout());
        format!("PreparedAudio(frames={frames}, channels={channels}, dtype='{dtype}', layout='{layout}')")
    }
}
