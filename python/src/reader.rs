//! `Reader`: an open file for any number of reads at any place.

use std::sync::{Arc, Mutex, PoisonError};

use mapwave_core::num_processors;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBytes, PyDict, PySlice, PyString, PyTuple, PyType};

use crate::arguments::{Arguments, Count, Reading, Signature, Whole};
use crate::arrays::ArrayLibrary;
use crate::errors::{invalid, raise};
use crate::frames::Frames;
use crate::info::AudioInfo;
use crate::input::url_of;
use crate::interned::{import, intern};
use crate::interruption::interruptibly;
use crate::log::log_messages;
use crate::preview::{Preview, preview};

/// An open file. It stays mapped until it is closed; any number of threads can share one reader.
#[pyclass(frozen, module = "mapwave")]
pub(crate) struct Reader {
    library: Arc<ArrayLibrary>,
    reading: Reading,
    origin: Origin,
    /// Only locked with the interpreter's lock, without which the process cannot be forked, and for no call of Python's.
    state: Mutex<State>,
}

/// How a reader was opened, so that another process can open it.
pub(crate) struct Origin {
    /// A path, whatever the current directory is then, a URL, or bytes; None for other objects.
    path: Option<Py<PyAny>>,
    /// The Python module that has the function `open`.
    module: String,
    /// The arguments but for the path.
    options: Py<PyDict>,
}

impl Origin {
    pub(crate) fn new(
        file: &mapwave_core::Reader,
        object: &Bound<'_, PyAny>,
        module: String,
        options: Py<PyDict>,
    ) -> PyResult<Self> {
        let py = object.py();
        let is_path = file.is_file() && !object.hasattr("read")?;
        let path = match file.path().filter(|_| is_path) {
            Some(path) => {
                Some(std::path::absolute(path)?.into_os_string().into_pyobject(py)?.into_any().unbind())
            }
            None if object.is_instance_of::<PyBytes>() || url_of(object).is_some() => {
                Some(object.clone().unbind())
            }
            None => None,
        };
        Ok(Self { path, module, options })
    }
}

/// Opens a file as a reader was that is unpickled.
#[pyfunction]
pub(crate) fn reopen<'py>(
    py: Python<'py>,
    module: &str,
    path: &Bound<'py, PyAny>,
    options: &Bound<'py, PyDict>,
    position: u64,
) -> PyResult<Bound<'py, PyAny>> {
    let reader = import(py, &PyString::new(py, module))?.getattr("open")?.call((path,), Some(options))?;
    reader.call_method1("seek", (position,))?;
    Ok(reader)
}

/// What [`reopen`] takes: the module, the path, the options and the position.
type Reopening<'py> = (String, Py<PyAny>, Bound<'py, PyDict>, u64);

struct State {
    /// None once the reader is closed.
    file: Option<Arc<mapwave_core::Reader>>,
    position: u64,
}

impl Reader {
    pub(crate) fn new(
        py: Python<'_>,
        library: Arc<ArrayLibrary>,
        file: mapwave_core::Reader,
        reading: Reading,
        origin: Origin,
    ) -> PyResult<Self> {
        let num_channels = reading.spec.num_channels(file.track().num_channels);
        num_channels.map_err(|error| raise(py, &file.named(error)))?;
        let state = Mutex::new(State { file: Some(Arc::new(file)), position: 0 });
        Ok(Self { library, reading, origin, state })
    }

    /// Binds a call of the method that the signature is of.
    fn bind<'a, 'py>(
        py: Python<'py>,
        signature: &'a Signature,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Arguments<'a, 'py>> {
        signature.bind(py.get_type::<Self>().as_any(), args, kwargs)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of channels that are delivered.
    fn num_channels(&self, file: &mapwave_core::Reader) -> mapwave_core::Result<usize> {
        self.reading.spec.num_channels(file.track().num_channels)
    }

    pub(crate) fn file(&self) -> PyResult<Arc<mapwave_core::Reader>> {
        self.state().file.clone().ok_or_else(|| PyValueError::new_err("the reader is closed"))
    }
}

#[pymethods]
impl Reader {
    /// `Reader[Array]` in annotations.
    #[classmethod]
    fn __class_getitem__(cls: &Bound<'_, PyType>, _array: &Bound<'_, PyAny>) -> Py<PyType> {
        cls.clone().unbind()
    }

    /// Reads the next num_frames frames, or all remaining ones when it is negative; fewer at the end.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, num_frames=-1)")]
    fn read<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static SIGNATURE: Signature = Signature::new("read");
        let Whole(num_frames) = Self::bind(py, &SIGNATURE, args, kwargs)?.get("num_frames")?;
        let file = self.file()?;
        let frames = {
            let mut state = self.state();
            let start = state.position.min(file.num_frames());
            let count = u64::try_from(num_frames).unwrap_or(u64::MAX);
            state.position = start.saturating_add(count).min(file.num_frames());
            start..state.position
        };
        self.library.read(py, &file, frames, &self.reading)
    }

    /// Moves to a frame, relative to the start (whence=0), the position (1) or the end (2), and returns the new position.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, frame, whence=0)")]
    fn seek(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<u64> {
        static SIGNATURE: Signature = Signature::new("seek");
        let arguments = Self::bind(py, &SIGNATURE, args, kwargs)?;
        let (Whole(frame), Whole(whence)) = (arguments.get("frame")?, arguments.get("whence")?);
        let num_frames = self.file()?.num_frames();
        let mut state = self.state();
        let origin = match whence {
            0 => 0,
            1 => state.position,
            2 => num_frames,
            _ => return Err(invalid(py, &format!("whence must be 0, 1 or 2, got {whence}"))),
        };
        match origin.checked_add_signed(frame).filter(|&position| position <= num_frames) {
            Some(position) => {
                state.position = position;
                Ok(position)
            }
            None => Err(invalid(
                py,
                &format!("frame must lie inside the file's {num_frames} frames, got {frame}"),
            )),
        }
    }

    /// The position: the next frame that read returns.
    fn tell(&self) -> PyResult<u64> {
        self.file()?;
        Ok(self.state().position)
    }

    /// `reader[a:b]`: frames a to b, as in any sequence; the position does not change.
    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let Ok(slice) = key.cast::<PySlice>() else {
            let kind = key.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "a reader is indexed by a slice of frames, reader[a:b], got {kind}"
            )));
        };
        let file = self.file()?;
        let indices = slice.indices(isize::try_from(file.num_frames())?)?;
        if indices.step != 1 {
            return Err(invalid(
                py,
                &format!("the step of reader[a:b:step] must be 1, got {}", indices.step),
            ));
        }
        let start = indices.start.unsigned_abs() as u64;
        let stop = (indices.stop.unsigned_abs() as u64).max(start);
        self.library.read(py, &file, start..stop, &self.reading)
    }

    /// Returns an iterator of blocks of size frames from the start of the file, each starting size - overlap frames after the
    /// one before; the last may be shorter.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, size, overlap=0)")]
    fn blocks(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Blocks> {
        static SIGNATURE: Signature = Signature::new("blocks");
        let arguments = Self::bind(py, &SIGNATURE, args, kwargs)?;
        let (Count(size), Whole(overlap)) = (arguments.get("size")?, arguments.get("overlap")?);
        let hop =
            u64::try_from(overlap).ok().and_then(|overlap| size.checked_sub(overlap)).filter(|&hop| hop > 0);
        let Some(hop) = hop else {
            return Err(invalid(
                py,
                &format!("overlap must be at least 0 and less than size ({size}), got {overlap}"),
            ));
        };
        Ok(Blocks {
            library: Arc::clone(&self.library),
            file: self.file()?,
            reading: self.reading.clone(),
            size,
            hop,
            next: Mutex::new(0),
        })
    }

    /// Returns the samples of the whole file in place: read-only, in the file's own type, without a copy.
    fn view(&self, py: Python<'_>) -> PyResult<Frames> {
        Frames::of_file(self.file()?).map_err(|error| raise(py, &error))
    }

    /// What the file says about itself: its own frames, rate and channels, whatever the reader delivers.
    fn info(&self, py: Python<'_>) -> PyResult<AudioInfo> {
        let file = self.file()?;
        interruptibly(py, 1, |_| Ok(AudioInfo::from(&*file)))
    }

    /// Returns bytes that spare another opening of the file, by this process or another, the scan for its packets: load, stream and
    /// open take them as seek_table. None if the file opens as fast without, as files of PCM and files under 256 KiB do.
    ///
    /// They belong to this track of a file of these bytes, and to this version of the decoder.
    fn seek_table<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let file = self.file()?;
        let table = interruptibly(py, 1, |_| Ok(file.seek_table()))?;
        Ok(table.map(|table| PyBytes::new(py, &table)))
    }

    /// The number of frames that can be read, at `sample_rate`.
    #[getter]
    fn frames(&self) -> PyResult<u64> {
        Ok(self.file()?.num_frames())
    }

    /// The sample rate of what is read, in Hz.
    #[getter]
    fn sample_rate(&self) -> PyResult<u32> {
        Ok(self.file()?.sample_rate())
    }

    /// The number of channels of what is read: 1 with `mono=True`.
    #[getter]
    fn channels(&self, py: Python<'_>) -> PyResult<usize> {
        self.num_channels(&*self.file()?).map_err(|error| raise(py, &error))
    }

    /// The length of what is read in seconds: frames / sample_rate.
    #[getter]
    fn duration(&self) -> PyResult<f64> {
        let file = self.file()?;
        Ok(file.num_frames() as f64 / f64::from(file.sample_rate()))
    }

    /// Whether the reader is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.state().file.is_none()
    }

    /// Closes the file; views of it stay valid and keep it mapped.
    fn close(&self) {
        let file = self.state().file.take();
        drop(file);
    }

    /// Pickles as the path, the URL or the bytes, with the options and the position: whoever unpickles it opens the file.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Reopening<'py>)> {
        self.file()?;
        let Some(path) = self.origin.path.as_ref().map(|path| path.clone_ref(py)) else {
            let message = "a reader of a file object cannot be pickled: open a path, a URL or bytes";
            return Err(PyTypeError::new_err(message));
        };
        let options = self.origin.options.bind(py).copy()?;
        // An array library's own object may not pickle.
        if options.contains("dtype")? {
            options.set_item("dtype", self.reading.spec.format.name())?;
        }
        let position = self.state().position;
        let reopen = py.import("mapwave._core")?.getattr("reopen")?;
        Ok((reopen, (self.origin.module.clone(), path, options, position)))
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(usize::try_from(self.file()?.num_frames())?)
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __exit__(&self, _kind: &Bound<'_, PyAny>, _error: &Bound<'_, PyAny>, _traceback: &Bound<'_, PyAny>) {
        self.close();
    }

    /// What a notebook shows: the waveform, the facts, and a player of the first seconds.
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let file = slf.get().file()?;
        let Preview { media_type, bytes, seconds } =
            interruptibly(py, num_processors(), |control| preview(&file, control))?;
        log_messages(py)?;
        let of_reader = import(py, intern!(py, "mapwave._notebook"))?.getattr(intern!(py, "of_reader"))?;
        of_reader.call1((slf, media_type, PyBytes::new(py, &bytes), seconds))
    }

    fn __repr__(&self) -> String {
        let file = self.state().file.clone();
        match file {
            None => "<mapwave.Reader, closed>".to_owned(),
            Some(file) => {
                let (track, num_channels) = (file.track(), self.num_channels(&file).unwrap_or(0));
                let path = file.path().map_or("memory".to_owned(), |path| format!("'{}'", path.display()));
                format!(
                    "<mapwave.Reader of {path}: {} frames, {num_channels} channels, {} Hz, {}>",
                    file.num_frames(),
                    file.sample_rate(),
                    track.codec.name()
                )
            }
        }
    }
}

/// An iterator of overlapping blocks.
#[pyclass(frozen, module = "mapwave")]
pub(crate) struct Blocks {
    library: Arc<ArrayLibrary>,
    file: Arc<mapwave_core::Reader>,
    reading: Reading,
    size: u64,
    hop: u64,
    /// The first frame of the next block, or the number of frames at the end. Locked as [`Reader`]'s state is.
    next: Mutex<u64>,
}

#[pymethods]
impl Blocks {
    /// `Blocks[Array]` in annotations.
    #[classmethod]
    fn __class_getitem__(cls: &Bound<'_, PyType>, _array: &Bound<'_, PyAny>) -> Py<PyType> {
        cls.clone().unbind()
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let num_frames = self.file.num_frames();
        let block = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            if *next >= num_frames {
                return Ok(None);
            }
            let block = *next..next.saturating_add(self.size).min(num_frames);
            // A block that reaches the end is the last, even where its overlap would begin another.
            *next = if block.end == num_frames { num_frames } else { *next + self.hop };
            block
        };
        self.library.read(py, &self.file, block, &self.reading).map(Some)
    }
}
