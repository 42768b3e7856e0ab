//! `PreparedAudio`: audio that is ready to be saved.

use mapwave_core::Layout;
use mapwave_core::sink;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arguments::{AnyLayout, Arguments, Writing};
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
        let Writing { place, options } = Writing::new(arguments, self.channels)?;
        let audio = self.samples.audio(py, Some(self.layout))?;
        let (target, settlement) = place.into_target();
        let max_threads = options.max_threads;
        let saved = interruptibly(py, max_threads, |control| sink::save(target, &audio, options, control));
        log_messages(py)?;
        settlement.settle(py, saved?.num_bytes)
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
