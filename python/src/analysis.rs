//! Measuring: the loudness and the silences of a file or an array.

use std::sync::Arc;

use mapwave::Input;
use mapwave_core::source::Access;
use mapwave_core::{Layout, ReadControl};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString, PyTuple};

use crate::arguments::{AnyLayout, Arguments, ArrayRate, Selection, Signature, Threads};
use crate::errors::invalid;
use crate::facts::facts;
use crate::input;
use crate::interned::intern;
use crate::interruption::interruptibly;
use crate::log::log_messages;
use crate::ranges::StorageOptions;
use crate::reader::Reader;
use crate::samples::Samples;

facts! {
    /// The loudness of audio and its peaks. A level that there is none of is negative infinity.
    Loudness, in_lines {
    /// The integrated loudness in LUFS: -inf where nothing is above -70 LUFS, or where there are less than 400 ms.
    integrated: f64,
    /// The loudness range in LU: range_high - range_low; 0.0 for less than 3 s.
    range: f64,
    /// The lower end of the range in LUFS: the 10th percentile.
    range_low: f64,
    /// The upper end of the range in LUFS: the 95th percentile.
    range_high: f64,
    /// The relative gate of the integrated loudness in LUFS.
    threshold: f64,
    /// The loudest 400 ms in LUFS.
    max_momentary: f64,
    /// The loudest 3 s in LUFS.
    max_short_term: f64,
    /// The true peak of the loudest channel in dBTP.
    true_peak: f64,
    /// The largest sample in dBFS.
    sample_peak: f64,
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.facts(py)?.values().to_tuple().hash()
    }

    /// Returns the gain in dB that brings the integrated loudness to `loudness` LUFS, or less if the true peak would exceed
    /// `true_peak` dBTP; 0.0 for silence. The samples are to be multiplied by 10 ** (gain / 20).
    #[pyo3(signature = (loudness=-23.0, true_peak=-1.0), text_signature = "($self, loudness=-23.0, true_peak=-1.0)")]
    fn gain_to(&self, loudness: f64, true_peak: f64) -> f64 {
        mapwave::Loudness::from(self.clone()).gain_to(loudness, true_peak)
    }
}

/// Converts two types with the same fields into each other.
macro_rules! same_fields {
    ($one:ty, $other:ty { $($field:ident),* $(,)? }) => {
        impl From<$one> for $other {
            fn from(from: $one) -> Self {
                Self { $($field: from.$field),* }
            }
        }

        impl From<$other> for $one {
            fn from(from: $other) -> Self {
                Self { $($field: from.$field),* }
            }
        }
    };
}

same_fields!(
    Loudness,
    mapwave::Loudness {
        integrated,
        range,
        range_low,
        range_high,
        threshold,
        max_momentary,
        max_short_term,
        true_peak,
        sample_peak,
    }
);

/// What a caller passed to be analysed.
pub(crate) enum Analysed {
    Opened(Box<mapwave_core::Reader>),
    /// The file of a reader that stays open.
    Shared(Arc<mapwave_core::Reader>),
    Array {
        samples: Samples,
        layout: Option<Layout>,
        sample_rate: u32,
    },
}

impl Analysed {
    /// Takes the arguments `source`, `sr`, `layout`, `track`, `plugin` and `plugin_options`.
    pub(crate) fn new(arguments: &Arguments<'_, '_>) -> PyResult<Self> {
        let py = arguments.py();
        let source: Bound<'_, PyAny> = arguments.get("source")?;
        let (selection, AnyLayout(layout)) = (Selection::new(arguments)?, arguments.get("layout")?);
        let sample_rate = arguments.get::<Option<ArrayRate>>("sr")?.map(|rate| rate.0);
        let is_reader = source.cast::<Reader>().ok();
        if is_reader.is_none() && !is_file(&source)? {
            for name in ["track", "plugin", "plugin_options"] {
                if arguments.differs(name)? {
                    return Err(invalid(py, &format!("{name} is for a file, and source is an array")));
                }
            }
            let samples = Samples::new(&source)?;
            let Some(sample_rate) = sample_rate else {
                return Err(invalid(py, "sr must be given for an array: its sample rate in Hz"));
            };
            return Ok(Self::Array { samples, layout, sample_rate });
        }
        if sample_rate.is_some() {
            return Err(invalid(py, "sr is for an array: a file has a sample rate of its own"));
        }
        if layout.is_some() {
            return Err(invalid(py, "layout is for an array: it does not apply to a file"));
        }
        match is_reader {
            Some(reader) => {
                for name in ["track", "plugin", "plugin_options"] {
                    if arguments.differs(name)? {
                        return Err(invalid(py, &format!("{name} was chosen when the reader was opened")));
                    }
                }
                Ok(Self::Shared(reader.get().file()?))
            }
            None => {
                let options = StorageOptions::default();
                input::open(&source, &options, Access::Streamed, selection.choice(), |reader| {
                    Ok(Box::new(reader))
                })
                .map(Self::Opened)
            }
        }
    }

    /// Does the work without the interpreter's lock.
    pub(crate) fn with<T: Send>(
        &self,
        py: Python<'_>,
        max_threads: usize,
        work: impl FnOnce(&Input<'_>, &ReadControl<'_>) -> mapwave_core::Result<T> + Send,
    ) -> PyResult<T> {
        let input = match self {
            Self::Opened(reader) => Input::File(reader),
            Self::Shared(reader) => Input::File(reader),
            Self::Array { samples, layout, sample_rate } => {
                Input::Array { audio: samples.audio(py, *layout)?, sample_rate: *sample_rate }
            }
        };
        let result = interruptibly(py, max_threads, |control| work(&input, control));
        log_messages(py)?;
        result
    }
}

/// Whether an object is what `load` takes, and no array.
fn is_file(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = object.py();
    Ok(object.is_instance_of::<PyString>()
        || object.is_instance_of::<PyBytes>()
        || object.is_instance_of::<PyByteArray>()
        || object.is_instance_of::<PyMemoryView>()
        || object.hasattr(intern!(py, "__fspath__"))?
        || object.hasattr(intern!(py, "read"))?)
}

/// Measures loudness by EBU R 128 (ITU-R BS.1770), with the range of EBU Tech 3342 and the true peak.
///
/// A file is read in parts on all processors, in bounded memory. The result does not depend on the number of threads.
///
/// Args:
///     source: As path in load, a Reader, or an array as in save.
///     sr: The sample rate of an array in Hz; a file has its own.
///     layout: As in save, for an array.
///     track, plugin, plugin_options, threads: As in load.
///
/// Returns:
///     Loudness, with integrated, range, true_peak, sample_peak and others.
///
/// Raises:
///     As load; ValueError for a rate below 4000 Hz, and for samples that are NaN or infinite.
#[pyfunction]
#[pyo3(pass_module, signature = (*args, **kwargs), text_signature = "(source, sr=None, *, layout='auto', track=None, plugin=None, plugin_options=None, threads=None)")]
pub(crate) fn loudness<'py>(
    module: &Bound<'py, PyModule>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Loudness> {
    static SIGNATURE: Signature = Signature::new("loudness");
    let arguments = SIGNATURE.bind(module.as_any(), args, kwargs)?;
    let max_threads = Threads::max(arguments.get("threads")?);
    let measured = Analysed::new(&arguments)?.with(module.py(), max_threads, mapwave::analysis::loudness)?;
    Ok(measured.into())
}

/// Finds where audio is silent: where no sample of any channel exceeds a level.
///
/// Args:
///     source: As path in load, a Reader, or an array as in save.
///     sr: The sample rate of an array in Hz; a file has its own.
///     threshold_db: The level in dBFS, at most 0.
///     min_duration: The least length of a silence in seconds; shorter ones are left out.
///     layout: As in save, for an array.
///     track, plugin, plugin_options, threads: As in load.
///
/// Returns:
///     A list of (start, stop) in frames, in their order: source[start:stop] is silent, and no frame beside it is.
///
/// Raises:
///     As load; ValueError for a threshold above 0 and a negative duration.
#[pyfunction]
#[pyo3(pass_module, signature = (*args, **kwargs), text_signature = "(source, sr=None, threshold_db=-50.0, min_duration=0.3, *, layout='auto', track=None, plugin=None, \
        plugin_options=None, threads=None)")]
pub(crate) fn silences<'py>(
    module: &Bound<'py, PyModule>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Vec<(u64, u64)>> {
    static SIGNATURE: Signature = Signature::new("silences");
    let arguments = SIGNATURE.bind(module.as_any(), args, kwargs)?;
    let (threshold_db, min_duration) = (arguments.get("threshold_db")?, arguments.get("min_duration")?);
    let max_threads = Threads::max(arguments.get("threads")?);
    let silences = Analysed::new(&arguments)?.with(module.py(), max_threads, |input, control| {
        mapwave::analysis::silences(input, threshold_db, min_duration, control)
    })?;
    Ok(silences.into_iter().map(|silence| (silence.start, silence.end)).collect())
}
