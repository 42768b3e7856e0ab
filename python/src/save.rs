//! `save`, `prepare_save` and `save_prepared`.

use mapwave_core::Layout;
use mapwave_core::sink;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arrays::interruptibly;
use crate::plugins::log_messages;
use crate::samples::Samples;
use crate::save_options::{Arguments, Place, layout};

/// Audio that is ready to be saved: its memory, evaluated and held, which any thread may save without touching the array
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
    fn new(py: Python<'_>, audio: &Bound<'_, PyAny>, layout: Option<Layout>) -> PyResult<Self> {
        let samples = Samples::new(audio)?;
        let (layout, frames, channels) = {
            let audio = samples.audio(py, layout)?;
            (audio.layout(), audio.num_frames(), audio.num_channels())
        };
        Ok(Self { samples, layout, frames, channels })
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

    /// "channels_last" or "channels_first": as it was given, or as it was found.
    #[getter]
    fn layout(&self) -> &'static str {
        match self.layout {
            Layout::ChannelsLast => "channels_last",
            Layout::ChannelsFirst => "channels_first",
        }
    }

    /// The distance of neighbours along each axis, in bytes.
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

/// Evaluates audio and holds its memory, to be saved later and by any thread.
///
/// Args:
///     audio: An array of one axis or two, as save takes it; do not change it before it was saved.
///     layout: As in save.
///
/// Returns:
///     PreparedAudio, with shape, dtype, layout, strides, n_bytes, frames and channels.
///
/// Raises:
///     ValueError: The array is none of audio, or it is not clear which axis is that of the channels.
///     TypeError: It is no array.
#[pyfunction]
#[pyo3(signature = (audio, layout="auto"))]
pub(crate) fn prepare_save(
    py: Python<'_>,
    audio: &Bound<'_, PyAny>,
    layout: &str,
) -> PyResult<PreparedAudio> {
    PreparedAudio::new(py, audio, self::layout(py, layout)?)
}

/// Saves prepared audio; `arguments` are those of the public `save_prepared` by their names.
#[pyfunction]
pub(crate) fn write_prepared(
    py: Python<'_>,
    path: &Bound<'_, PyAny>,
    prepared: &Bound<'_, PyAny>,
    arguments: &Bound<'_, PyDict>,
) -> PyResult<()> {
    let Ok(prepared) = prepared.cast::<PreparedAudio>() else {
        let kind = prepared.get_type().name()?;
        let message = format!("prepared must be what prepare_save returns, got {kind}");
        return Err(PyTypeError::new_err(message));
    };
    let prepared = prepared.get();
    let place = Place::new(path)?;
    let arguments = Arguments::new(arguments, "save_prepared")?;
    let options = arguments.options(py, &place, prepared.channels)?;
    let audio = prepared.samples.audio(py, Some(prepared.layout))?;
    let (target, settlement) = place.into_target();
    let max_threads = options.max_threads;
    let saved = interruptibly(py, max_threads, |control| sink::save(target, &audio, options, control));
    log_messages(py)?;
    settlement.settle(saved?.num_bytes)
}
