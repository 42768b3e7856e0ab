//! `Api`: the functions of mapwave for one array library.

use std::sync::Arc;

use mapwave::source::Access;
use pyo3::prelude::*;

use crate::arrays::ArrayLibrary;
use crate::batch::{self, Batch};
use crate::errors::{invalid, raise};
use crate::info::AudioInfo;
use crate::input::{self, Input};
use crate::options::{Output, Rate, Window};
use crate::reader::Reader;
use crate::stream::Stream;

/// The functions that make arrays, for one array library.
#[pyclass(frozen, module = "mapwave._core")]
pub(crate) struct Api {
    library: Arc<ArrayLibrary>,
}

#[pymethods]
#[allow(clippy::too_many_arguments)] // the arguments of the public functions, each by its name
impl Api {
    /// Takes a function that imports the library.
    #[new]
    fn new(import: Py<PyAny>) -> Self {
        Self { library: Arc::new(ArrayLibrary::new(import)) }
    }

    #[pyo3(signature = (path, sr=None, offset=0.0, duration=None, mono=false, mono_mode="mean", layout="channels_last",
        dtype="float32", resample_quality="default", low_memory=false, squeeze_mono=false, *, start=None, stop=None,
        channels=None))]
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
    ) -> PyResult<(Bound<'py, PyAny>, u32)> {
        // Without resampling there is no scratch to bound: every read works in blocks of about a mebibyte.
        let _ = low_memory;
        let rate = Rate::new(py, sr, resample_quality)?;
        let window = Window::new(py, offset, duration, start, stop)?;
        let spec = Output { mono, mono_mode, layout, dtype, squeeze_mono, channels }.spec(py)?;
        self.library.check(py, spec.format)?;
        let reader = input::open(path, Access::Once)?;
        let rate = rate.of(py, reader.track().sample_rate)?;
        let frames = window.of(&reader).map_err(|error| raise(py, &error))?;
        Ok((self.library.read(py, &reader, frames, &spec)?, rate))
    }

    #[pyo3(signature = (path))]
    fn info(&self, path: &Bound<'_, PyAny>) -> PyResult<AudioInfo> {
        Ok(AudioInfo::from(&input::open(path, Access::Once)?))
    }

    #[pyo3(signature = (path, chunk_frames=None, chunk_duration=None, sr=None, mono=false, mono_mode="mean",
        dtype="float32", offset=0.0, duration=None, squeeze_mono=false, *, layout="channels_last",
        resample_quality="default", start=None, stop=None, channels=None))]
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
    ) -> PyResult<Stream> {
        let rate = Rate::new(py, sr, resample_quality)?;
        let window = Window::new(py, offset, duration, start, stop)?;
        let spec = Output { mono, mono_mode, layout, dtype, squeeze_mono, channels }.spec(py)?;
        self.library.check(py, spec.format)?;
        if chunk_frames.is_some() == chunk_duration.is_some() {
            return Err(invalid(py, "exactly one of chunk_frames and chunk_duration must be given"));
        }
        let reader = input::open(path, Access::Kept)?;
        let rate = rate.of(py, reader.track().sample_rate)?;
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
        Stream::new(py, Arc::clone(&self.library), reader, rate, frames, spec, chunk_frames)
    }

    #[pyo3(signature = (paths, sr=None, mono=false, mono_mode="mean", layout="channels_last", dtype="float32",
        resample_quality="default", squeeze_mono=false, num_workers=4, *, offset=0.0, duration=None, start=None,
        stop=None, channels=None, progress=None))]
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
    ) -> PyResult<Vec<(Bound<'py, PyAny>, u32)>> {
        let num_workers = usize::try_from(num_workers).ok().filter(|&workers| workers > 0);
        let Some(num_workers) = num_workers else { return Err(invalid(py, "num_workers must be > 0")) };
        let batch = Batch {
            rate: Rate::new(py, sr, resample_quality)?,
            window: Window::new(py, offset, duration, start, stop)?,
            spec: Output { mono, mono_mode, layout, dtype, squeeze_mono, channels }.spec(py)?,
            num_workers,
        };
        self.library.check(py, batch.spec.format)?;
        let inputs = paths.try_iter()?.map(|path| Input::new(&path?)).collect::<PyResult<Vec<_>>>()?;
        batch::load(py, &self.library, &batch, inputs, progress)
    }

    #[pyo3(signature = (path, mode="r", *, mono=false, mono_mode="mean", layout="channels_last", dtype="float32",
        squeeze_mono=false, channels=None))]
    fn open(
        &self,
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        mode: &str,
        mono: bool,
        mono_mode: &str,
        layout: &str,
        dtype: &str,
        squeeze_mono: bool,
        channels: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Reader> {
        if mode != "r" {
            return Err(invalid(py, &format!("mode must be 'r', got '{mode}'")));
        }
        let spec = Output { mono, mono_mode, layout, dtype, squeeze_mono, channels }.spec(py)?;
        self.library.check(py, spec.format)?;
        let reader = input::open(path, Access::Kept)?;
        Reader::new(py, Arc::clone(&self.library), reader, spec)
    }
}

/// floor(seconds * rate), when that is at least one frame and finite.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
fn frames_in(seconds: f64, rate: u32) -> Option<u64> {
    let frames = (seconds * f64::from(rate)).floor();
    (frames >= 1.0 && frames.is_finite()).then_some(frames as u64)
}
