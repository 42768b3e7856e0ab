//! `save`, `prepare_save` and `save_prepared`.

use mapwave_core::Layout;
use mapwave_core::sink;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arguments::{AnyLayout, Arguments, Signature, Writing, wrong_type};
use crate::arrays::interruptibly;
use crate::log::log_messages;
use crate::samples::Samples;

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
    /// Takes the arguments `audio` and `layout`.
    fn new(arguments: &Arguments<'_, '_>) -> PyResult<Self> {
        let (py, AnyLayout(layout)) = (arguments.py(), arguments.get("layout")?);
        let samples = Samples::new(&arguments.get("audio")?)?;
        let (layout, frames, channels) = {
            let audio = samples.audio(py, layout)?;
            (audio.layout(), audio.num_frames(), audio.num_channels())
        };
        Ok(Self { samples, layout, frames, channels })
    }

    /// Writes the file that the arguments describe.
    fn write(&self, arguments: &Arguments<'_, '_>) -> PyResult<()> {
        let py = arguments.py();
        let Writing { place, options } = Writing::new(arguments, self.channels)?;
        let audio = self.samples.audio(py, Some(self.layout))?;
        let (target, settlement) = place.into_target();
        let max_threads = options.max_threads;
        let saved = interruptibly(py, max_threads, |control| sink::save(target, &audio, options, control));
        log_messages(py)?;
        settlement.settle(saved?.num_bytes)
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
///     ValueError: The array does not hold audio, or it is not clear which axis is that of the channels.
///     TypeError: It is not an array.
#[pyfunction]
#[pyo3(pass_module, signature = (*args, **kwargs), text_signature = "(audio, layout='auto')")]
pub(crate) fn prepare_save<'py>(
    module: &Bound<'py, PyModule>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<PreparedAudio> {
    static SIGNATURE: Signature = Signature::new("prepare_save");
    PreparedAudio::new(&SIGNATURE.bind(module.as_any(), args, kwargs)?)
}

/// Saves an array to an audio file.
///
/// The file takes the place of an old one when it is whole: the path holds either the old file or the new one, whatever
/// happens.
///
/// Args:
///     path: A str or path, or a writable binary file object, to which bytes go from its position on.
///     audio: An array of one axis (frames,) or two, of float32, float16, bfloat16, float64, int16 or int32, with any
///         strides: MLX, NumPy, PyTorch, JAX, or anything with the buffer protocol or DLPack. It is read where it is;
///         do not change it meanwhile.
///     sr: The sample rate in Hz, a whole number.
///     layout: "channels_last" for (frames, channels), "channels_first" for (channels, frames), or "auto": an axis of
///         length 1, or the only one of at most 8, is that of the channels.
///     encoding: "float32", "pcm16", "pcm24", "pcm32", "float64", "u8", "alaw" or "mulaw" in uncompressed files; in
///         others a codec's name such as "alac", "aac", "mp3", "flac", "opus" or "vorbis", the depth of a lossless
///         one ("pcm16", "pcm24"), or "float32" for the usual one.
///     bitrate: Bits a second of a lossy codec, such as 192000 or "192k"; "auto" leaves it to the codec.
///     clip: True holds samples at -1.0 and 1.0, in floats too, and makes a NaN 0 in integers. False keeps floats as
///         they are and refuses samples beyond full scale where they would not fit. "rescale" divides all by the peak
///         when it is beyond 1.0.
///     flac_compression: A level from 0, fast, to 8, small, or "default", which is 5, or "fast".
///     format: The format instead of the path's extension: "wav", "rf64", "w64", "aiff", "aifc", "caf", "flac", ...
///     dither: "none", or "tpdf" for triangular noise of one step before samples are rounded to integers.
///     seed: Which noise.
///     tags: Metadata, by lower-case Vorbis comment names such as "title", as far as the format has room for them.
///     quality: The quality of a variable bitrate, from 1 to 100, instead of bitrate.
///     effort: How hard a codec tries, from 1 to 100.
///     bit_depth: The depth of a lossless codec in bits; None is 16 for int16 audio and 24 for all other.
///     channel_mask: Speaker positions as a WAVE channel mask.
///     plugin: The name of the plugin to encode with; None is the first that can.
///     threads: How many threads may work; None is one for each processor. The bytes are the same for any number.
///     durable: Whether the file is on the disk when this returns. False leaves that to the system and is faster; the
///         file is whole either way, unless the machine itself crashes within seconds.
///
/// Raises:
///     ValueError: Something cannot be written so; nothing was written. The message lists what is possible.
///     FileNotFoundError, PermissionError, IsADirectoryError, OSError: The file cannot be written; errno says why.
///     mapwave.UnsupportedFormat: No plugin that is loaded writes the format.
///     mapwave.PluginError: A codec plugin is at fault; a RuntimeError.
///     TypeError: An argument is of the wrong type.
#[pyfunction]
#[pyo3(pass_module, signature = (*args, **kwargs), text_signature = "(path, audio, sr, layout='auto', encoding='float32', bitrate='auto', clip=True, \
        flac_compression='default', *, format=None, dither='none', seed=0, tags=None, quality=None, \
        effort=None, bit_depth=None, channel_mask=None, plugin=None, threads=None, durable=False)")]
pub(crate) fn save<'py>(
    module: &Bound<'py, PyModule>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<()> {
    static SIGNATURE: Signature = Signature::new("save");
    let arguments = SIGNATURE.bind(module.as_any(), args, kwargs)?;
    PreparedAudio::new(&arguments)?.write(&arguments)
}

/// Saves what prepare_save has prepared, on any thread: no array library is touched, and the interpreter is free.
///
/// Args:
///     path: As in save.
///     prepared: What prepare_save returned; it can be saved any number of times.
///     sr, encoding, bitrate, clip, flac_compression, format, dither, seed, tags, quality, effort, bit_depth,
///     channel_mask, plugin, threads, durable: As in save.
///
/// Raises:
///     As save.
#[pyfunction]
#[pyo3(pass_module, signature = (*args, **kwargs), text_signature = "(path, prepared, sr, encoding='float32', bitrate='auto', clip=True, flac_compression='default', \
        *, format=None, dither='none', seed=0, tags=None, quality=None, effort=None, bit_depth=None, \
        channel_mask=None, plugin=None, threads=None, durable=False)")]
pub(crate) fn save_prepared<'py>(
    module: &Bound<'py, PyModule>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<()> {
    static SIGNATURE: Signature = Signature::new("save_prepared");
    let arguments = SIGNATURE.bind(module.as_any(), args, kwargs)?;
    let prepared: Bound<'_, PyAny> = arguments.get("prepared")?;
    let Ok(prepared) = prepared.cast::<PreparedAudio>() else {
        return Err(wrong_type("prepared", "what prepare_save returns", &prepared));
    };
    prepared.get().write(&arguments)
}
