//! The public functions: those for one array library, the methods of `Api`, and those that save arrays of any.

use std::sync::Arc;

use mapwave_core::metadata::Edit;
use mapwave_core::sink::{self, Overflow};
use mapwave_core::source::Access;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyTuple};

use crate::arguments::{
    Arguments, Broadcast, Count, Dtype, Markers, Mode, NumChannels, ONLY_WRITING, Pictures, Reading,
    Selection, Signature, Tags, Unknown, Window, Windows, Writing, wrong_type,
};
use crate::arrays::ArrayLibrary;
use crate::batch::{self, Batch, Batches, Loading, OnError, Order};
use crate::decoding::Decoding;
use crate::errors::{invalid, raise};
use crate::info::AudioInfo;
use crate::input;
use crate::interruption::interruptibly;
use crate::pipe::Pipe;
use crate::prepared::PreparedAudio;
use crate::reader::{Origin, Reader};
use crate::resample::{self, ArrayRequest};
use crate::stream::Stream;
use crate::writer::Writer;

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

impl Api {
    /// Binds a call of the method that the signature is of.
    fn bind<'a, 'py>(
        py: Python<'py>,
        signature: &'a Signature,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Arguments<'a, 'py>> {
        signature.bind(py.get_type::<Self>().as_any(), args, kwargs)
    }

    /// The arguments of reading, when the array library has the type that they ask for.
    fn reading(&self, arguments: &Arguments<'_, '_>) -> PyResult<Reading> {
        let reading = Reading::new(arguments)?;
        self.library.check(arguments.py(), reading.spec.format)?;
        Ok(reading)
    }

    /// The same of a function that reads one file.
    fn reading_one(&self, arguments: &Arguments<'_, '_>) -> PyResult<Reading> {
        let mut reading = self.reading(arguments)?;
        reading.selection.add_seek_table(arguments)?;
        Ok(reading)
    }

    /// The same of one whose arrays are limited.
    fn reading_limited(&self, arguments: &Arguments<'_, '_>) -> PyResult<Reading> {
        let mut reading = self.reading_one(arguments)?;
        reading.selection.add_limits(arguments)?;
        Ok(reading)
    }

    /// What all files of a batch are read by.
    fn batch(&self, arguments: &Arguments<'_, '_>) -> PyResult<Batch> {
        let (windows, reading) = (Windows::new(arguments)?, self.reading(arguments)?);
        reading.rate.check_parts(arguments.py())?;
        Ok(Batch { windows, reading })
    }

    /// The same of a function whose arrays are limited.
    fn batch_limited(&self, arguments: &Arguments<'_, '_>) -> PyResult<Batch> {
        let mut batch = self.batch(arguments)?;
        batch.reading.selection.add_limits(arguments)?;
        Ok(batch)
    }

    fn open_reader(&self, arguments: &Arguments<'_, '_>) -> PyResult<Reader> {
        let py = arguments.py();
        for name in ONLY_WRITING {
            if arguments.differs(name)? {
                return Err(PyTypeError::new_err(format!("open() takes '{name}' only in mode 'w'")));
            }
        }
        let reading = self.reading_limited(arguments)?;
        reading.rate.check_parts(py)?;
        let (choice, rate) = (reading.selection.choice(), reading.rate);
        let file = open_input(arguments, Access::Kept, choice, |file| rate.apply(file))?;
        let options = arguments.given_without("path")?.unbind();
        let origin = Origin::new(&file, &arguments.get("path")?, self.module.clone(), options)?;
        Reader::new(py, Arc::clone(&self.library), file, reading, origin)
    }

    fn open_writer(arguments: &Arguments<'_, '_>) -> PyResult<Writer> {
        for name in ONLY_READING {
            if arguments.differs(name)? {
                let message = format!("{name} must be left out in mode 'w': it is for mode 'r'");
                return Err(invalid(arguments.py(), &message));
            }
        }
        let (Dtype(format), layout) = (arguments.get("dtype")?, arguments.get("layout")?);
        let NumChannels(channels) = arguments.get("channels")?;
        let writing = Writing::new(arguments, channels)?;
        if writing.options.overflow == Overflow::Rescale {
            return Err(invalid(
                arguments.py(),
                "clip must be True or False for audio that comes in parts, whose peak is not known in advance, got 'rescale'",
            ));
        }
        Writer::new(arguments.py(), writing, format, layout)
    }
}

/// Opens what the argument `path` is.
fn open_input<T: Send>(
    arguments: &Arguments<'_, '_>,
    access: Access,
    choice: mapwave_core::Choice<'_>,
    then: impl FnOnce(mapwave_core::Reader) -> mapwave_core::Result<T> + Send,
) -> PyResult<T> {
    input::open(&arguments.get("path")?, &arguments.get("storage_options")?, access, choice, then)
}

/// The arguments of `open` that only reading takes.
const ONLY_READING: [&str; 11] = [
    "resample_quality",
    "mono",
    "mono_mode",
    "squeeze_mono",
    "num_channels",
    "track",
    "seek_table",
    "max_frames",
    "max_bytes",
    "max_seconds",
    "storage_options",
];

#[pymethods]
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
    ///     path: A str or path, a URL such as "https://.." or "s3://..", the bytes of a file (bytes, bytearray, memoryview), or
    ///         a binary file object, which is read from its position to its end. Of a URL and of a file object that can seek
    ///         only the ranges that are needed are read. The format is found by content, never by extension.
    ///     sr: The sample rate to resample to, a whole number of Hz from 1 to 768000; None keeps the file's. n frames become
    ///         round(n * sr / file's rate), and every count of frames here is of those. A window is bit-identical to the same
    ///         part of a full load.
    ///     offset: Where to start, in seconds: frame floor(offset * sample_rate).
    ///     duration: How much to read, in seconds: floor(duration * sample_rate) frames, or fewer at the end; None reads to
    ///         the end.
    ///     mono: Mix all channels into one.
    ///     mono_mode: "mean" divides the sum of the channels by their number, "equal_power" by its square root.
    ///     layout: "channels_last" for (frames, channels), "channels_first" for (channels, frames).
    ///     dtype: "float32", "float16", "bfloat16", "float64", "int16" or "int32", where the array library has it, or the
    ///         library's own object, such as mx.float16, np.int16 or torch.bfloat16. Integers become floats by division by
    ///         2**(bits-1); floats become integers by multiplication by it, rounded half to even and saturated.
    ///     resample_quality: "default" (what mapwave.defaults has set, else "soxr_vhq" where libsoxr's plugin is loaded, else
    ///         "best"), "best", "high", "medium", "low", "fastest", "soxr_vhq", "soxr_hq" (also as "soxr_style",
    ///         "soxr_compat"), or "torchaudio_compat", which is torchaudio.functional.resample of the frames from offset on.
    ///         It has no effect unless the rate changes.
    ///     low_memory: Has no effect: the scratch memory of resampling is always bounded to a few MB, except with
    ///         "torchaudio_compat". Accepted for callers of mlx-audio-io.
    ///     squeeze_mono: Return a single channel as an array of shape (frames,).
    ///     start: The first frame, instead of offset; a negative number counts from the end.
    ///     stop: The frame after the last one, instead of duration; a negative number counts from the end.
    ///     channels: One channel number or several, counted from 0, in the order to return; None returns all.
    ///     num_channels: Mix to this number of channels, 1 to 8, by the matrices of Rec. ITU-R BS.775, scaled so that nothing
    ///         clips; docs/guide.md has them.
    ///     track: The number of the sound track, counted from 0 among the sound tracks of the file, which info(path).tracks
    ///         lists; None is the track that the file flags as default, or the first if it flags none.
    ///     plugin: The name of the plugin to decode with; None is the one that reports the highest probe score for the file.
    ///     plugin_options: Options of that plugin's own, which `mapwave plugins list` shows: a dict of their names to values.
    ///     threads: The most threads that may decode; None allows one per processor. The result does not depend on it.
    ///     seek_table: What Reader.seek_table returned for the same track of the same file, so that a file without a table of its
    ///         own, such as an hour of MP3, is not scanned again. One that does not fit the file has no effect.
    ///     max_frames: The most frames that may be returned; more raises LimitExceeded before memory is allocated. None is what
    ///         mapwave.limits has set, and math.inf allows any number.
    ///     max_bytes: The same for bytes of samples. At first mapwave.limits allows as many as the machine has memory.
    ///     max_seconds: The same for seconds.
    ///     storage_options: What fsspec makes the file system of a URL with, such as {"anon": True} for S3. URLs need the
    ///         extra mapwave[remote].
    ///
    /// Returns:
    ///     (audio, sample_rate): the array, and its sample rate in Hz.
    ///
    /// Raises:
    ///     FileNotFoundError, PermissionError, IsADirectoryError, OSError: The file cannot be opened or read.
    ///     mapwave.UnsupportedFormat, mapwave.MalformedFile: The file cannot be read as audio; both are ValueErrors.
    ///     mapwave.PluginError: A codec plugin failed, not the file; a RuntimeError.
    ///     mapwave.LimitExceeded: More would be returned than a limit allows; a ValueError.
    ///     ValueError: An argument is out of range, the offset lies past the end, or there is no such track.
    ///     TypeError: An argument is of the wrong type, or there is no such argument.
    ///     RuntimeError: The quality is one of libsoxr or torchaudio, which is not installed.
    ///
    /// All of them except TypeError are also mapwave.AudioErrors, and name the file.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, path, sr=None, offset=0.0, duration=None, mono=False, mono_mode='mean', \
            layout='channels_last', dtype='float32', resample_quality='default', low_memory=False, \
            squeeze_mono=False, *, start=None, stop=None, channels=None, num_channels=None, track=None, plugin=None, \
            plugin_options=None, threads=None, seek_table=None, max_frames=None, max_bytes=None, max_seconds=None, \
            storage_options=None)")]
    fn load<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<(Bound<'py, PyAny>, u32)> {
        static SIGNATURE: Signature = Signature::new("load");
        let arguments = Self::bind(py, &SIGNATURE, args, kwargs)?;
        // There is nothing to bound: every read, and all resampling but torchaudio's, works in blocks of a few megabytes.
        let _: bool = arguments.get("low_memory")?;
        let (window, reading) = (Window::new(&arguments)?, self.reading_limited(&arguments)?);
        let reader = open_input(&arguments, Access::Once, reading.selection.choice(), Ok)?;
        if let Some(rates) = reading.rate.for_torchaudio(&reader).map_err(|error| raise(py, &error))? {
            let frames = window.of(&reader).map_err(|error| raise(py, &error))?;
            let frames = resample::read_by_torchaudio(py, &reader, frames, rates, &reading)?;
            return Ok((self.library.hand_over(py, frames)?, rates.output()));
        }
        // Giving up the interpreter's lock once more would cost a short window a third of its time.
        let reader = match reading.rate.is_wanted() {
            true => interruptibly(py, 1, |_| reading.rate.apply(reader))?,
            false => reader,
        };
        let frames = window.of(&reader).map_err(|error| raise(py, &error))?;
        Ok((self.library.read(py, &reader, frames, &reading)?, reader.sample_rate()))
    }

    /// Returns the facts of a file without reading its samples.
    ///
    /// Args:
    ///     path: As in load.
    ///     track, plugin, plugin_options, storage_options: As in load.
    ///
    /// Returns:
    ///     AudioInfo; its frames are the number that load returns, and its tracks are the sound tracks of the file.
    ///
    /// Raises:
    ///     As load.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, path, *, track=None, plugin=None, plugin_options=None, \
            storage_options=None)")]
    fn info(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<AudioInfo> {
        static SIGNATURE: Signature = Signature::new("info");
        let arguments = Self::bind(py, &SIGNATURE, args, kwargs)?;
        let selection = Selection::new(&arguments)?;
        let facts = |reader: mapwave_core::Reader| Ok(AudioInfo::from(&reader));
        open_input(&arguments, Access::Once, selection.choice(), facts)
    }

    /// Opens a file to read it in chunks, one after the other, in bounded memory.
    ///
    /// Args:
    ///     path: As in load.
    ///     chunk_frames: The frames in a chunk; the last may have fewer.
    ///     chunk_duration: The length of a chunk in seconds, instead: floor(chunk_duration * sample_rate) frames.
    ///     sr, mono, mono_mode, dtype, offset, duration, squeeze_mono, layout, resample_quality, start, stop, channels, num_channels,
    ///     track, plugin, plugin_options, threads, seek_table, storage_options: As in load.
    ///
    /// Returns:
    ///     Stream: an iterator of (chunk, sample_rate) with read_chunk, at_eof, frames_read, chunk_frames, sample_rate and
    ///     channels. Several threads can share it: each chunk is returned once.
    ///
    /// Raises:
    ///     As load; ValueError unless exactly one of chunk_frames and chunk_duration is given.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, path, chunk_frames=None, chunk_duration=None, sr=None, mono=False, mono_mode='mean', \
            dtype='float32', offset=0.0, duration=None, squeeze_mono=False, *, layout='channels_last', \
            resample_quality='default', start=None, stop=None, channels=None, num_channels=None, track=None, \
            plugin=None, plugin_options=None, threads=None, seek_table=None, storage_options=None)")]
    fn stream(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Stream> {
        static SIGNATURE: Signature = Signature::new("stream");
        let arguments = Self::bind(py, &SIGNATURE, args, kwargs)?;
        let (window, reading) = (Window::new(&arguments)?, self.reading_one(&arguments)?);
        reading.rate.check_parts(py)?;
        let chunk_frames = arguments.get::<Option<Count>>("chunk_frames")?.map(|frames| frames.0);
        let chunk_duration: Option<f64> = arguments.get("chunk_duration")?;
        if chunk_frames.is_some() == chunk_duration.is_some() {
            return Err(invalid(py, "exactly one of chunk_frames and chunk_duration must be given"));
        }
        let path: Bound<'_, PyAny> = arguments.get("path")?;
        if let Some(name) = input::pipe_name(&path)? {
            let pipe = Pipe::new(&path, name, reading, &window)?;
            let rate = pipe.reader().map_or(1, |reader| reader.sample_rate());
            let chunk_frames = chunk_frames.or_else(|| frames_in(chunk_duration.unwrap_or_default(), rate));
            let chunk_frames =
                chunk_frames.ok_or_else(|| invalid(py, "chunk_duration must be at least one frame"))?;
            return Stream::of_pipe(py, Arc::clone(&self.library), pipe, chunk_frames);
        }
        let (choice, rate) = (reading.selection.choice(), reading.rate);
        let reader = open_input(&arguments, Access::Streamed, choice, |reader| rate.apply(reader))?;
        let rate = reader.sample_rate();
        let frames = window.of(&reader).map_err(|error| raise(py, &error))?;
        let seconds = chunk_duration.unwrap_or_default();
        let chunk_frames = chunk_frames.or_else(|| frames_in(seconds, rate)).ok_or_else(|| {
            invalid(py, &format!("chunk_duration must be at least one frame (1/{rate} s), got {seconds}"))
        })?;
        Stream::new(py, Arc::clone(&self.library), reader, frames, reading, chunk_frames)
    }

    /// Reads many files at once.
    ///
    /// Args:
    ///     paths: An iterable of what load takes.
    ///     sr, mono, mono_mode, layout, dtype, resample_quality, squeeze_mono, channels, num_channels, track: As in load, the same
    ///         for every file.
    ///     offset, duration, start, stop: As in load, or a sequence with one for each file.
    ///     num_workers: How many files to read at once.
    ///     plugin, plugin_options, storage_options: As in load.
    ///     threads: The most threads that may decode one file; None allows one per processor.
    ///     progress: True for a line on stderr where that is a terminal, or a function to call with (done, total) after each
    ///         file.
    ///     stack: True reads all files into one array with an axis of files before those of load, as long as the longest. Files
    ///         must have one rate and one number of channels, or sr, mono or channels must be given.
    ///     pad: What fills the rows of shorter files with stack=True, as a sample whose full scale is 1.
    ///     on_error: What becomes of a file that cannot be read: "raise" raises the error; "skip" returns None in the place of
    ///         the file, or with stack=True a row of padding; a function is called with the error, and the file is skipped
    ///         unless it raises. The errors have index, the place in paths, and path.
    ///     max_frames: As in load, for each file.
    ///     max_bytes: As in load, for each file; with stack=True also for the whole array.
    ///     max_seconds: As in load, for each file.
    ///
    /// Returns:
    ///     A list of (audio, sample_rate), in the order of paths; with stack=True (audio, lengths, sample_rate), where lengths
    ///     is an int32 array of the frames in each row.
    ///
    /// Raises:
    ///     As load, for the first file that fails; a note says which of the paths it was. The error's results has what was read
    ///     before: the list, with None for each file that was not read.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, paths, sr=None, mono=False, mono_mode='mean', layout='channels_last', \
            dtype='float32', resample_quality='default', squeeze_mono=False, num_workers=4, *, \
            offset=0.0, duration=None, start=None, stop=None, channels=None, num_channels=None, progress=None, track=None, \
            plugin=None, plugin_options=None, threads=1, stack=False, pad=0.0, on_error='raise', max_frames=None, \
            max_bytes=None, max_seconds=None, \
            storage_options=None)")]
    fn batch_load<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static SIGNATURE: Signature = Signature::new("batch_load");
        let arguments = Self::bind(py, &SIGNATURE, args, kwargs)?;
        let Count(num_workers) = arguments.get("num_workers")?;
        let (batch, on_error) = (self.batch_limited(&arguments)?, arguments.get::<OnError>("on_error")?);
        let num_workers = usize::try_from(num_workers).unwrap_or(usize::MAX);
        let (is_stacked, pad): (bool, f64) = (arguments.get("stack")?, arguments.get("pad")?);
        if !is_stacked && arguments.differs("pad")? {
            return Err(invalid(py, "pad is for stack=True, which makes rows of one length"));
        }
        let paths: Bound<'_, PyAny> = arguments.get("paths")?;
        let inputs = input::each(&paths, &arguments.get("storage_options")?)?;
        let progress: Option<Bound<'_, PyAny>> = arguments.get("progress")?;
        if is_stacked {
            let how = (num_workers, pad);
            let stacked =
                batch::load_stacked(py, &self.library, batch, inputs, how, &on_error, progress.as_ref())?;
            return Ok(stacked.into_pyobject(py)?.into_any());
        }
        let list = batch::load(py, &self.library, batch, inputs, num_workers, &on_error, progress.as_ref())?;
        Ok(list.into_any())
    }

    /// Reads many files one after the other, on threads that read ahead, in bounded memory.
    ///
    /// Args:
    ///     paths: An iterable of what load takes. It is consumed as files are read, and need not end.
    ///     sr, mono, mono_mode, layout, dtype, resample_quality, squeeze_mono, channels, num_channels, track, plugin, plugin_options,
    ///     threads, offset, duration, start, stop, num_workers, storage_options: As in batch_load.
    ///     ordered: True returns the files in the order of paths, False as they are read.
    ///     prefetch: How many files are read or being read beyond those that were returned; None is two for each worker. That
    ///         many are in memory at most.
    ///     on_error: "raise" raises the error and ends the iterator; "skip" leaves the file out; a function is called with the
    ///         error, and the file is left out unless it raises. The errors have index and path.
    ///     max_frames: As in load, for each file.
    ///     max_bytes: As in load, for each file.
    ///     max_seconds: As in load, for each file.
    ///
    /// Returns:
    ///     Loading: an iterator of (index, audio, sample_rate), where index is the place in paths. Its close ends the threads
    ///     before its end.
    ///
    /// Raises:
    ///     As load; the errors of a file when it is its turn.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, paths, sr=None, mono=False, mono_mode='mean', layout='channels_last', \
            dtype='float32', resample_quality='default', squeeze_mono=False, num_workers=4, *, \
            offset=0.0, duration=None, start=None, stop=None, channels=None, num_channels=None, track=None, plugin=None, \
            plugin_options=None, threads=1, ordered=True, prefetch=None, on_error='raise', max_frames=None, \
            max_bytes=None, max_seconds=None, \
            storage_options=None)")]
    fn iter_load<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Loading> {
        static SIGNATURE: Signature = Signature::new("iter_load");
        let arguments = Self::bind(py, &SIGNATURE, args, kwargs)?;
        let count = |Count(count)| usize::try_from(count).unwrap_or(usize::MAX);
        let num_workers = count(arguments.get("num_workers")?);
        let prefetch = arguments.get::<Option<Count>>("prefetch")?.map(count);
        let num_ahead = prefetch.unwrap_or(num_workers.saturating_mul(2));
        let (batch, on_error) = (self.batch_limited(&arguments)?, arguments.get::<OnError>("on_error")?);
        let paths = input::iterated(&arguments.get("paths")?)?;
        let order = Order {
            num_workers: num_workers.min(num_ahead),
            num_ahead,
            is_ordered: arguments.get("ordered")?,
        };
        let paths = (paths, arguments.get("storage_options")?);
        Loading::new(py, Arc::clone(&self.library), batch, paths, on_error, order)
    }

    /// Decodes bytes as they come, from a socket or a microphone: returns an object with write(bytes) and finish().
    ///
    /// Every write returns the frames that are complete with it, or None; together they are bit for bit what load returns of all
    /// bytes. Formats that keep what is needed to decode at their end, such as most M4A files, return everything at finish.
    ///
    /// Args:
    ///     sr: As in load. With it, frames come a second late, since those at the end depend on what follows.
    ///     mono, dtype: As in load.
    ///     format: The container that is expected, such as "ogg"; another one is an error. None takes any.
    ///     mono_mode, layout, resample_quality, squeeze_mono, channels, num_channels, track, plugin, plugin_options, threads: As
    ///         in load.
    ///
    /// Returns:
    ///     Decoding, with write, finish, sample_rate, channels and frames_read.
    ///
    /// Raises:
    ///     As load; what is wrong with the bytes, at finish.
    #[pyo3(name = "Decoder", signature = (*args, **kwargs), text_signature = "($self, sr=None, mono=False, dtype='float32', *, \
            format=None, mono_mode='mean', layout='channels_last', resample_quality='default', squeeze_mono=False, \
            channels=None, num_channels=None, track=None, plugin=None, plugin_options=None, threads=None)")]
    fn decoder(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Decoding> {
        static SIGNATURE: Signature = Signature::new("Decoder");
        let arguments = Self::bind(py, &SIGNATURE, args, kwargs)?;
        let reading = self.reading(&arguments)?;
        reading.rate.check_parts(py)?;
        Ok(Decoding::new(Arc::clone(&self.library), reading, arguments.get("format")?))
    }

    /// The batches of a Loader, which has the arguments: see mapwave.Loader.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, num_workers, sr=None, mono=False, mono_mode='mean', layout='channels_last', \
            dtype='float32', resample_quality='default', squeeze_mono=False, channels=None, num_channels=None, track=None, plugin=None, \
            plugin_options=None, threads=1, pad=0.0, leaves_out=False, reads_ahead=True)")]
    fn batches(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Batches> {
        static SIGNATURE: Signature = Signature::new("batches");
        let arguments = Self::bind(py, &SIGNATURE, args, kwargs)?;
        let Count(num_workers) = arguments.get("num_workers")?;
        let reading = self.reading(&arguments)?;
        reading.rate.check_parts(py)?;
        let batch = Batch { windows: Windows::all(), reading };
        let flags = (arguments.get("pad")?, arguments.get("leaves_out")?, arguments.get("reads_ahead")?);
        let num_workers = usize::try_from(num_workers).unwrap_or(usize::MAX);
        Batches::new(Arc::clone(&self.library), batch, num_workers, flags)
    }

    /// Resamples audio.
    ///
    /// Args:
    ///     audio: An array of any library, of shape (frames,) or with the two axes of layout, of float32, float16, bfloat16,
    ///         float64, int16 or int32, with any strides.
    ///     in_sr: Its sample rate, a whole number of Hz from 1 to 768000.
    ///     out_sr: The sample rate to return.
    ///     quality: As resample_quality in load.
    ///     layout: "channels_last" for (frames, channels), "channels_first" for (channels, frames), or "auto", which finds the
    ///         channel axis as save does and refuses a shape that could be either.
    ///     dtype: The type of the result, as in load; None keeps a float type and turns integers into float32.
    ///     threads: The most threads that may work; None allows one per processor. The result does not depend on it.
    ///
    /// Returns:
    ///     An array of round(frames * out_sr / in_sr) frames, with the axes of audio.
    ///
    /// Raises:
    ///     ValueError: An argument is out of range, or the ratio of the rates is beyond about 13000.
    ///     RuntimeError: The quality is one of libsoxr or torchaudio, which is not installed.
    ///     TypeError: audio is not an array.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, audio, in_sr, out_sr, quality='default', layout='auto', *, dtype=None, \
            threads=None)")]
    fn resample<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static SIGNATURE: Signature = Signature::new("resample");
        let arguments = Self::bind(py, &SIGNATURE, args, kwargs)?;
        let request = ArrayRequest::new(&arguments)?;
        resample::resample(py, &self.library, &arguments.get("audio")?, &request)
    }

    /// Opens a file for any number of reads at any place, or to write it in parts.
    ///
    /// Args:
    ///     path: As in load; to write, as in save.
    ///     mode: "r", or "w" to write.
    ///     mono, mono_mode, num_channels, squeeze_mono, resample_quality, track, seek_table, storage_options: As in load, for
    ///         every read.
    ///     max_frames: As in load, for what each read returns.
    ///     max_bytes: As in load, for what each read returns.
    ///     max_seconds: As in load, for what each read returns.
    ///     sr: As in load; the reader counts frames at that rate. To write, the file's sample rate.
    ///     layout: As in load; to write, that of the arrays that are passed to write.
    ///     dtype: As in load; to write, the type that chooses the encoding where encoding and bit_depth leave it open. write takes
    ///         arrays of any type.
    ///     channels: As in load; to write, the number of channels.
    ///     plugin, plugin_options, threads: As in load; to write, as in save.
    ///     encoding, bitrate, clip, flac_compression, format, dither, seed, tags, quality, effort, bit_depth, channel_mask,
    ///     durable, pictures, markers, bext, on_unknown_tags: To write, as in save; sr and channels must be given, and clip cannot be "rescale".
    ///
    /// Returns:
    ///     Reader: a context manager with read, seek, tell, reader[a:b], blocks, view, info, seek_table and close.
    ///     Writer: a context manager with write, close and abort. The file is at its path once it is closed.
    ///
    /// Raises:
    ///     As load, and as save.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, path, mode='r', *, sr=None, resample_quality='default', mono=False, mono_mode='mean', \
            layout='channels_last', dtype='float32', squeeze_mono=False, channels=None, num_channels=None, track=None, plugin=None, \
            plugin_options=None, threads=None, encoding='float32', bitrate='auto', clip=True, flac_compression='default', \
            format=None, dither='none', seed=0, tags=None, quality=None, effort=None, bit_depth=None, \
            channel_mask=None, durable=False, seek_table=None, pictures=None, markers=None, bext=None, \
            on_unknown_tags='error', max_frames=None, max_bytes=None, max_seconds=None, \
            storage_options=None)")]
    fn open<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static SIGNATURE: Signature = Signature::new("open");
        let arguments = Self::bind(py, &SIGNATURE, args, kwargs)?;
        match arguments.get("mode")? {
            Mode::Read => Ok(Bound::new(py, self.open_reader(&arguments)?)?.into_any()),
            Mode::Write => Ok(Bound::new(py, Self::open_writer(&arguments)?)?.into_any()),
        }
    }
}

/// Evaluates audio and holds its memory, to be saved later and by any thread.
///
/// Args:
///     audio: An array of one axis or two, as in save; do not change it until it is saved.
///     layout: As in save.
///
/// Returns:
///     PreparedAudio, with shape, dtype, layout, strides, n_bytes, frames and channels.
///
/// Raises:
///     ValueError: The array does not hold audio, or it is ambiguous which axis is that of the channels.
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
/// Saving is atomic: the path holds either the old file or the complete new one, for every program, at any time.
///
/// Args:
///     path: A str or path, or a writable binary file object, which is written from its position on.
///     audio: An array of one axis (frames,) or two, of float32, float16, bfloat16, float64, int16 or int32, with any
///         strides: MLX, NumPy, PyTorch, JAX, or anything with the buffer protocol or DLPack. It is read where it is;
///         do not change it until this returns.
///     sr: The sample rate in Hz, a whole number.
///     layout: "channels_last" for (frames, channels), "channels_first" for (channels, frames), or "auto": the axis of
///         length 1, or the only one of at most 8, is that of the channels.
///     encoding: "float32", "pcm16", "pcm24", "pcm32", "float64", "u8", "alaw" or "mulaw" for uncompressed files; for
///         others a codec such as "alac", "aac", "mp3", "flac", "opus" or "vorbis", the bit depth of a lossless one
///         ("pcm16", "pcm24"), or "float32" for the format's default codec. The names of libsndfile ("PCM_16"), FFmpeg
///         ("pcm_s16le") and NumPy ("int16") are accepted too.
///     bitrate: The bits per second of a lossy codec, such as 192000 or "192k"; "auto" leaves it to the codec.
///     clip: True limits samples to -1.0 and 1.0, in floats too, and turns a NaN into 0 in integers. False keeps floats
///         as they are and rejects samples beyond full scale where the encoding cannot hold them. "rescale" divides all
///         samples by the peak when it is beyond 1.0.
///     flac_compression: A level from 0 (fastest) to 8 (smallest), "fast", or "default", which is 5.
///     format: The format instead of the path's extension: "wav", "rf64", "w64", "aiff", "aifc", "caf", "flac", ...
///     dither: "none", or "tpdf" for triangular noise of one step before samples are rounded to integers.
///     seed: The seed of the noise.
///     tags: Metadata, by lower-case Vorbis comment names such as "title".
///     pictures: Pictures such as a cover: a sequence of Picture, bytes of an image, or paths of image files.
///     markers: Positions or ranges with names, in frames: a sequence of Marker, (label, start) or (label, start, end).
///     bext: The broadcast extension of a WAV file: Bext, or a dict of its fields.
///     on_unknown_tags: What happens to tags, pictures, markers and bext that the format cannot hold: "error" raises
///         ValueError before anything is written, "drop" leaves them out.
///     quality: The quality of a variable bitrate, from 1 to 100, instead of bitrate.
///     effort: How much work the codec spends on compression, from 1 to 100.
///     bit_depth: The bit depth of a lossless codec; None is 16 for int16 audio and 24 for all other.
///     channel_mask: Speaker positions as a WAVE channel mask.
///     plugin: The name of the plugin to encode with; None is the first that can.
///     plugin_options: Options of that plugin's own, which `mapwave plugins list` shows: a dict of their names to values.
///     threads: The most threads that may work; None allows one per processor. The bytes do not depend on it.
///     durable: True waits until the file is on the disk (fsync), so that it survives a power failure right after. False
///         leaves that to the system; the file is complete for every program either way.
///     loudness: The integrated loudness that the file is to have, in LUFS, such as -23.0 (EBU R 128); None changes nothing. One
///         gain is applied to all samples, less than that where the true peak would exceed true_peak. Silence stays as it is.
///     true_peak: The greatest true peak that loudness may lead to, in dBTP.
///
/// Raises:
///     ValueError: The format or the codec does not support these settings. The message lists those it supports; nothing
///         was written.
///     FileNotFoundError, PermissionError, IsADirectoryError, OSError: The file cannot be written; errno says why.
///     mapwave.UnsupportedFormat: No loaded plugin writes the format.
///     mapwave.PluginError: A codec plugin failed; a RuntimeError.
///     TypeError: An argument is of the wrong type.
#[pyfunction]
#[pyo3(pass_module, signature = (*args, **kwargs), text_signature = "(path, audio, sr, layout='auto', encoding='float32', bitrate='auto', clip=True, \
        flac_compression='default', *, format=None, dither='none', seed=0, tags=None, quality=None, \
        effort=None, bit_depth=None, channel_mask=None, plugin=None, plugin_options=None, threads=None, \
        durable=False, pictures=None, markers=None, bext=None, on_unknown_tags='error', loudness=None, true_peak=-1.0)")]
pub(crate) fn save<'py>(
    module: &Bound<'py, PyModule>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<()> {
    static SIGNATURE: Signature = Signature::new("save");
    let arguments = SIGNATURE.bind(module.as_any(), args, kwargs)?;
    PreparedAudio::new(&arguments)?.write(&arguments)
}

/// Saves what prepare_save returned, on any thread: uses no array library, and leaves the interpreter free.
///
/// Args:
///     path: As in save.
///     prepared: The PreparedAudio; it can be saved any number of times.
///     sr, encoding, bitrate, clip, flac_compression, format, dither, seed, tags, quality, effort, bit_depth,
///     channel_mask, plugin, plugin_options, threads, durable, pictures, markers, bext, on_unknown_tags, loudness,
///     true_peak: As in save.
///
/// Raises:
///     As save.
#[pyfunction]
#[pyo3(pass_module, signature = (*args, **kwargs), text_signature = "(path, prepared, sr, encoding='float32', bitrate='auto', clip=True, flac_compression='default', \
        *, format=None, dither='none', seed=0, tags=None, quality=None, effort=None, bit_depth=None, \
        channel_mask=None, plugin=None, plugin_options=None, threads=None, durable=False, pictures=None, \
        markers=None, bext=None, on_unknown_tags='error', loudness=None, true_peak=-1.0)")]
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

/// Changes the metadata of a file without decoding it. No sample changes.
///
/// What is not given stays. A large file is changed in its place where the space suffices; otherwise a complete new file replaces
/// the old one, as in save. After an error the file is as it was.
///
/// Args:
///     path: A str or path of a WAV, AIFF, CAF, FLAC, Ogg (Vorbis, Opus, FLAC), MP3, AAC or M4A file.
///     tags: All tags that the file is to have, by lower-case Vorbis comment names; {} removes them, None keeps them. To change
///         one, pass info(path).tags | {"title": "new"}.
///     pictures: All pictures, as in save; () removes them.
///     markers: All markers, as in save; () removes them.
///     bext: The broadcast extension of a WAV file, as in save; {} writes an empty one, False removes it.
///     on_unknown_tags: As in save.
///     durable: As in save.
///
/// Returns:
///     True if the file was changed in its place, False if a new one has replaced it.
///
/// Raises:
///     ValueError: The format cannot hold something of it; the message says what.
///     mapwave.UnsupportedFormat: The metadata of such a file cannot be changed, or the file is damaged.
///     OSError: The file cannot be read or written; errno says why.
///     TypeError: An argument is of the wrong type.
#[pyfunction]
#[pyo3(pass_module, signature = (*args, **kwargs), text_signature = "(path, *, tags=None, pictures=None, markers=None, bext=None, on_unknown_tags='error', \
        durable=False)")]
pub(crate) fn retag<'py>(
    module: &Bound<'py, PyModule>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<bool> {
    static SIGNATURE: Signature = Signature::new("retag");
    let arguments = SIGNATURE.bind(module.as_any(), args, kwargs)?;
    let bext: Bound<'_, PyAny> = arguments.get("bext")?;
    let edit = Edit {
        tags: arguments.get::<Option<Tags>>("tags")?.map(|tags| tags.0),
        pictures: arguments.get::<Option<Pictures>>("pictures")?.map(|pictures| pictures.0),
        markers: arguments.get::<Option<Markers>>("markers")?.map(|markers| markers.0),
        bext: match bext.is(PyBool::new(module.py(), false)) {
            true => Some(None),
            false => arguments.get::<Option<Broadcast>>("bext")?.map(|bext| Some(bext.0)),
        },
        on_unknown: arguments.get::<Unknown>("on_unknown_tags")?.0,
    };
    let (path, is_durable): (std::path::PathBuf, bool) = (arguments.get("path")?, arguments.get("durable")?);
    let retagged = interruptibly(module.py(), 1, |control| sink::retag(&path, &edit, is_durable, control))?;
    Ok(retagged.in_place)
}

/// floor(seconds * rate), when that is at least one frame and finite.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
fn frames_in(seconds: f64, rate: u32) -> Option<u64> {
    let frames = (seconds * f64::from(rate)).floor();
    (frames >= 1.0 && frames.is_finite()).then_some(frames as u64)
}
