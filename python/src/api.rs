//! `Api`: the functions of mapwave for one array library.

use std::sync::Arc;

use mapwave_core::resample::Rates;
use mapwave_core::source::Access;
use mapwave_core::{Layout, OutputFormat};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::ArrayLibrary;
use crate::batch::{self, Batch};
use crate::errors::{invalid, raise};
use crate::info::AudioInfo;
use crate::input::{self, Input};
use crate::options::{Output, Rate, Request, Window, max_threads};
use crate::reader::Reader;
use crate::resample;
use crate::stream::Stream;

/// The functions that make arrays, for one array library.
#[pyclass(frozen, module = "mapwave._core")]
pub(crate) struct Api {
    library: Arc<ArrayLibrary>,
    /// The Python module whose `_api` this is.
    module: String,
}

/// The `_api` of a module: how an [`Api`], and so a function of it, is unpickled.
#[pyfunction]
pub(crate) fn api_of<'py>(py: Python<'py>, module: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(module)?.getattr("_api")
}

#[pymethods]
#[allow(clippy::too_many_arguments)] // the arguments of the public functions, each by its name
impl Api {
    /// Takes a function that imports the library, and the name of the module that keeps this as `_api`.
    #[new]
    #[pyo3(signature = (import_, /, module))]
    fn new(import_: Py<PyAny>, module: String) -> Self {
        Self { library: Arc::new(ArrayLibrary::new(import_)), module }
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (&str,))> {
        Ok((py.import("mapwave._core")?.getattr("api_of")?, (&self.module,)))
    }

    /// Reads audio into an array.
    ///
    /// Args:
    ///     path: A str or path, the bytes of a file (bytes, bytearray, memoryview), or a binary file object, which is read
    ///         from its position to its end. The format is found by content, never by extension.
    ///     sr: The sample rate wanted, in Hz, 1 to 768000; None keeps the file's. Of n frames it makes round(n * sr / file's
    ///         rate), and everything here that counts frames counts those. A window has the bits of that part of the whole.
    ///     offset: Where to start, in seconds: frame floor(offset * sample_rate).
    ///     duration: How much to read, in seconds: floor(duration * sample_rate) frames, fewer at the end; None reads to
    ///         the end.
    ///     mono: Mix all channels into one.
    ///     mono_mode: "mean" (the sum over the number of channels) or "equal_power" (over its square root).
    ///     layout: "channels_last" for (frames, channels), "channels_first" for (channels, frames).
    ///     dtype: "float32", "float16", "bfloat16", "float64", "int16" or "int32", as far as the array library has it.
    ///         Integers to float divide by 2**(bits-1); float to integer multiplies by it, rounds half to even and
    ///         saturates.
    ///     resample_quality: "default" (soxr_vhq where libsoxr's plugin is, else best), "best", "high", "medium", "low",
    ///         "fastest", "soxr_vhq", "soxr_hq" (also as "soxr_style", "soxr_compat"), or "torchaudio_compat", which is
    ///         torchaudio.functional.resample of the frames from offset on. Of no effect unless the rate changes.
    ///     low_memory: Bound the scratch memory of resampling. It always is, to a few MB, but for "torchaudio_compat".
    ///     squeeze_mono: Return a single channel as (frames,).
    ///     start: The first frame wanted, instead of offset; negative counts from the end.
    ///     stop: The frame after the last one wanted, instead of duration; negative counts from the end.
    ///     channels: A channel number or several, counted from 0, in the order wanted; None is all.
    ///     codec: The name of the codec plugin to use; None is the one that is surest of the file.
    ///     threads: How many threads may decode; None is one for each processor. The result is the same for any number.
    ///
    /// Returns:
    ///     (audio, sample_rate): the array, and the rate in Hz.
    ///
    /// Raises:
    ///     FileNotFoundError, PermissionError, IsADirectoryError, OSError: The file cannot be opened or read.
    ///     mapwave.UnsupportedFormat, mapwave.MalformedFile: It is not audio that can be read; both are ValueErrors.
    ///     mapwave.PluginError: A codec plugin is at fault, not the file; a RuntimeError.
    ///     ValueError: An argument makes no sense, or the offset lies past the end.
    ///     TypeError: An argument is of the wrong type.
    ///     RuntimeError: The quality is libsoxr's or torchaudio's, and that is not there.
    ///
    /// All of them but TypeError are mapwave.AudioError too and name the file.
    #[pyo3(signature = (path, sr=None, offset=0.0, duration=None, mono=false, mono_mode="mean", layout="channels_last",
        dtype="float32", resample_quality="default", low_memory=false, squeeze_mono=false, *, start=None, stop=None,
        channels=None, codec=None, threads=None))]
    fn load<'py>(
        &self,
        py: Python<'py>,
        path: &Bound<'py, PyAny>,
        sr: Option<i64>,
        offset: f64,
        duration: Option<f64>,
        mono: bool,
        mono_mode: &str,
        layout: &str,
        dtype: &str,
        resample_quality: &str,
        low_memory: bool,
        squeeze_mono: bool,
        start: Option<i64>,
        stop: Option<i64>,
        channels: Option<&Bound<'py, PyAny>>,
        codec: Option<&str>,
        threads: Option<i64>,
    ) -> PyResult<(Bound<'py, PyAny>, u32)> {
        // There is nothing to bound: every read, and all resampling but torchaudio's, works in blocks of a few megabytes.
        let _ = low_memory;
        let rate = Rate::new(py, sr, resample_quality)?;
        let window = Window::new(py, offset, duration, start, stop)?;
        let spec = Output { mono, mono_mode, layout, dtype, squeeze_mono, channels }.spec(py)?;
        self.library.check(py, spec.format)?;
        let request = Request { spec, max_threads: max_threads(py, threads)? };
        let reader = input::open(path, Access::Once, codec)?;
        if let Some(rates) = rate.for_torchaudio(&reader).map_err(|error| raise(py, &error))? {
            let frames = window.of(&reader).map_err(|error| raise(py, &error))?;
            let frames = resample::read_by_torchaudio(py, &reader, frames, rates, &request)?;
            return Ok((self.library.hand_over(py, frames)?, rates.output()));
        }
        let reader = rate.apply(reader).map_err(|error| raise(py, &error))?;
        let frames = window.of(&reader).map_err(|error| raise(py, &error))?;
        Ok((self.library.read(py, &reader, frames, &request)?, reader.sample_rate()))
    }

    /// Says what is in a file without reading its samples.
    ///
    /// Args:
    ///     path: As in load.
    ///     codec: As in load.
    ///
    /// Returns:
    ///     AudioInfo; its frames are as many as load returns.
    ///
    /// Raises:
    ///     As load.
    #[pyo3(signature = (path, *, codec=None))]
    fn info(&self, path: &Bound<'_, PyAny>, codec: Option<&str>) -> PyResult<AudioInfo> {
        Ok(AudioInfo::from(&input::open(path, Access::Once, codec)?))
    }

    /// Opens a file to be read in chunks, one after the other, in bounded memory.
    ///
    /// Args:
    ///     path: As in load.
    ///     chunk_frames: Frames in a chunk; the last may have fewer.
    ///     chunk_duration: Seconds in a chunk, instead: floor(chunk_duration * sample_rate) frames.
    ///     sr, mono, mono_mode, dtype, offset, duration, squeeze_mono, layout, resample_quality, start, stop, channels,
    ///     codec, threads: As in load.
    ///
    /// Returns:
    ///     Stream: an iterator of (chunk, sample_rate) with read_chunk, at_eof, frames_read, chunk_frames, sample_rate and
    ///     channels. Several threads may share it: every chunk comes once.
    ///
    /// Raises:
    ///     As load; ValueError unless exactly one of chunk_frames and chunk_duration is given.
    #[pyo3(signature = (path, chunk_frames=None, chunk_duration=None, sr=None, mono=false, mono_mode="mean",
        dtype="float32", offset=0.0, duration=None, squeeze_mono=false, *, layout="channels_last",
        resample_quality="default", start=None, stop=None, channels=None, codec=None, threads=None))]
    fn stream(
        &self,
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        chunk_frames: Option<i64>,
        chunk_duration: Option<f64>,
        sr: Option<i64>,
        mono: bool,
        mono_mode: &str,
        dtype: &str,
        offset: f64,
        duration: Option<f64>,
        squeeze_mono: bool,
        layout: &str,
        resample_quality: &str,
        start: Option<i64>,
        stop: Option<i64>,
        channels: Option<&Bound<'_, PyAny>>,
        codec: Option<&str>,
        threads: Option<i64>,
    ) -> PyResult<Stream> {
        let rate = Rate::in_parts(py, sr, resample_quality)?;
        let window = Window::new(py, offset, duration, start, stop)?;
        let spec = Output { mono, mono_mode, layout, dtype, squeeze_mono, channels }.spec(py)?;
        self.library.check(py, spec.format)?;
        if chunk_frames.is_some() == chunk_duration.is_some() {
            return Err(invalid(py, "exactly one of chunk_frames and chunk_duration must be given"));
        }
        let request = Request { spec, max_threads: max_threads(py, threads)? };
        let reader = input::open(path, Access::Streamed, codec)?;
        let reader = rate.apply(reader).map_err(|error| raise(py, &error))?;
        let rate = reader.sample_rate();
        let frames = window.of(&reader).map_err(|error| raise(py, &error))?;
        let chunk_frames = match (chunk_frames, chunk_duration) {
            (Some(frames), _) => u64::try_from(frames)
                .ok()
                .filter(|&frames| frames > 0)
                .ok_or_else(|| invalid(py, &format!("chunk_frames must be > 0, got {frames}")))?,
            (None, duration) => frames_in(duration.unwrap_or_default(), rate).ok_or_else(|| {
                let got = duration.unwrap_or_default();
                invalid(py, &format!("chunk_duration must be at least one frame (1/{rate} s), got {got}"))
            })?,
        };
        Stream::new(py, Arc::clone(&self.library), reader, frames, request, chunk_frames)
    }

    /// Reads many files at once.
    ///
    /// Args:
    ///     paths: An iterable of what load takes.
    ///     sr, mono, mono_mode, layout, dtype, resample_quality, squeeze_mono, offset, duration, start, stop, channels: As in
    ///         load, the same for every file.
    ///     num_workers: The number of files that are read at once.
    ///     codec: As in load.
    ///     threads: How many threads may decode one file.
    ///     progress: True for a line on stderr, or a function that is called with (done, total) after each file.
    ///
    /// Returns:
    ///     A list of (audio, sample_rate) in the order of paths.
    ///
    /// Raises:
    ///     As load, for the first file that fails; a note says which of the paths it was.
    #[pyo3(signature = (paths, sr=None, mono=false, mono_mode="mean", layout="channels_last", dtype="float32",
        resample_quality="default", squeeze_mono=false, num_workers=4, *, offset=0.0, duration=None, start=None,
        stop=None, channels=None, progress=None, codec=None, threads=1))]
    fn batch_load<'py>(
        &self,
        py: Python<'py>,
        paths: &Bound<'py, PyAny>,
        sr: Option<i64>,
        mono: bool,
        mono_mode: &str,
        layout: &str,
        dtype: &str,
        resample_quality: &str,
        squeeze_mono: bool,
        num_workers: i64,
        offset: f64,
        duration: Option<f64>,
        start: Option<i64>,
        stop: Option<i64>,
        channels: Option<&Bound<'py, PyAny>>,
        progress: Option<&Bound<'py, PyAny>>,
        codec: Option<String>,
        threads: Option<i64>,
    ) -> PyResult<Vec<(Bound<'py, PyAny>, u32)>> {
        let num_workers = usize::try_from(num_workers).ok().filter(|&workers| workers > 0);
        let Some(num_workers) = num_workers else { return Err(invalid(py, "num_workers must be > 0")) };
        let batch = Batch {
            rate: Rate::in_parts(py, sr, resample_quality)?,
            window: Window::new(py, offset, duration, start, stop)?,
            spec: Output { mono, mono_mode, layout, dtype, squeeze_mono, channels }.spec(py)?,
            num_workers,
            max_threads: max_threads(py, threads)?,
            codec,
        };
        self.library.check(py, batch.spec.format)?;
        let inputs = paths.try_iter()?.map(|path| Input::new(&path?)).collect::<PyResult<Vec<_>>>()?;
        batch::load(py, &self.library, &batch, inputs, progress)
    }

    /// Brings audio to another sample rate.
    ///
    /// Args:
    ///     audio: An array of any library, of shape (frames,) or two axes as layout says, of float32, float16, bfloat16,
    ///         float64, int16 or int32, with any strides.
    ///     in_sr: Its sample rate in Hz, 1 to 768000.
    ///     out_sr: The rate wanted.
    ///     quality: As resample_quality in load.
    ///     layout: "channels_last" for (frames, channels), "channels_first" for (channels, frames).
    ///     dtype: The type of the result; None keeps a float type and makes float32 of integers.
    ///     threads: How many threads may work; the result is the same for any number.
    ///
    /// Returns:
    ///     An array of round(frames * out_sr / in_sr) frames, with the axes of audio.
    ///
    /// Raises:
    ///     ValueError: An argument makes no sense, or the rates are more than about 13000 times apart.
    ///     RuntimeError: The quality is libsoxr's or torchaudio's, and that is not there.
    ///     TypeError: audio is not an array.
    #[pyo3(signature = (audio, in_sr, out_sr, quality="default", layout="channels_last", *, dtype=None, threads=None))]
    fn resample<'py>(
        &self,
        py: Python<'py>,
        audio: &Bound<'py, PyAny>,
        in_sr: i64,
        out_sr: i64,
        quality: &str,
        layout: &str,
        dtype: Option<&str>,
        threads: Option<i64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let parsed = || -> mapwave_core::Result<(Layout, Option<OutputFormat>)> {
            Ok((layout.parse()?, dtype.map(str::parse).transpose()?))
        };
        let (layout, format) = parsed().map_err(|error| raise(py, &error))?;
        let rates = Rates::new(resample::rate(py, "in_sr", in_sr)?, resample::rate(py, "out_sr", out_sr)?);
        let request = resample::ArrayRequest {
            rates: rates.map_err(|error| raise(py, &error))?,
            quality: resample::Quality::new(py, "quality", quality)?,
            layout,
            format,
            max_threads: max_threads(py, threads)?,
        };
        resample::resample(py, &self.library, audio, &request)
    }

    /// Opens a file for many reads from anywhere in it, or to be written in parts.
    ///
    /// Args:
    ///     path: As in load; to write, as in save.
    ///     mode: "r", or "w" to write.
    ///     mono, mono_mode, squeeze_mono, resample_quality: As in load, for everything that is read.
    ///     sr: As in load: the reader counts in frames of that rate. To write, the rate of what is written.
    ///     layout, dtype: As in load; of the arrays that are written, "channels_last" or "channels_first" and their type.
    ///     channels: As in load; to write, their number.
    ///     codec, threads: As in load, and as in save.
    ///     encoding, bitrate, clip, flac_compression, format, dither, seed, tags, quality, effort, bit_depth, channel_mask,
    ///     durable: To write, as in save; sr and channels must be given, and clip cannot be "rescale".
    ///
    /// Returns:
    ///     Reader: a context manager with read, seek, tell, reader[a:b], blocks, view, info and close.
    ///     Writer: a context manager with write, close and abort. The file is at its path once it is closed.
    ///
    /// Raises:
    ///     As load, and as save.
    #[pyo3(signature = (path, mode="r", *, sr=None, resample_quality="default", mono=false, mono_mode="mean", layout="channels_last", dtype="float32",
        squeeze_mono=false, channels=None, codec=None, threads=None, **options))]
    fn open<'py>(
        &self,
        py: Python<'py>,
        path: &Bound<'py, PyAny>,
        mode: &str,
        sr: Option<Bound<'py, PyAny>>,
        resample_quality: &str,
        mono: bool,
        mono_mode: &str,
        layout: &str,
        dtype: &str,
        squeeze_mono: bool,
        channels: Option<&Bound<'py, PyAny>>,
        codec: Option<&str>,
        threads: Option<i64>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let output = Output { mono, mono_mode, layout, dtype, squeeze_mono, channels };
        match mode {
            "r" => {
                if let Some(name) = options.and_then(|options| options.keys().iter().next()) {
                    let message = format!("open() got an unexpected keyword argument '{name}' for mode 'r'");
                    return Err(PyTypeError::new_err(message));
                }
                let spec = output.spec(py)?;
                self.library.check(py, spec.format)?;
                let request = Request { spec, max_threads: max_threads(py, threads)? };
                let sr = sr.map(|sr| sr.extract()).transpose()?;
                let rate = Rate::in_parts(py, sr, resample_quality)?;
                let reader = rate.apply(input::open(path, Access::Kept, codec)?);
                let reader = reader.map_err(|error| raise(py, &error))?;
                Ok(Bound::new(py, Reader::new(py, Arc::clone(&self.library), reader, request)?)?.into_any())
            }
            "w" => {
                let options = options.cloned().unwrap_or_else(|| PyDict::new(py));
                if resample_quality != "default" {
                    return Err(invalid(
                        py,
                        "resample_quality is for mode 'r' alone: nothing is resampled on its way to a file",
                    ));
                }
                if let Some(sr) = sr {
                    options.set_item("sr", sr)?;
                }
                options.set_item("codec", codec)?;
                options.set_item("threads", threads)?;
                Ok(Bound::new(py, output.writer(py, path, &options)?)?.into_any())
            }
            _ => Err(invalid(py, &format!("mode must be 'r' or 'w', got '{mode}'"))),
        }
    }
}

/// floor(seconds * rate), when that is at least one frame and finite.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
fn frames_in(seconds: f64, rate: u32) -> Option<u64> {
    let frames = (seconds * f64::from(rate)).floor();
    (frames >= 1.0 && frames.is_finite()).then_some(frames as u64)
}
