//! `plot`: pictures of a file or an array.

use std::path::PathBuf;

use mapwave::{PlotKind, PlotOptions, Theme};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::analysis::Analysed;
use crate::arguments::{Argument, Arguments, Count, Markers, Mismatch, Signature, Threads};
use crate::errors::raise;
use crate::input::path_of;

/// A picture of audio, which a notebook shows.
#[pyclass(frozen, module = "mapwave")]
pub(crate) struct Plot(mapwave::Plot);

#[pymethods]
impl Plot {
    /// The width in pixels.
    #[getter]
    fn width(&self) -> u32 {
        self.0.width()
    }

    /// The height in pixels.
    #[getter]
    fn height(&self) -> u32 {
        self.0.height()
    }

    /// Returns the picture as an SVG, complete in itself.
    fn svg(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.svg())
    }

    /// Returns the picture as a PNG.
    fn png<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes = py.detach(|| self.0.png());
        PyBytes::new(py, &bytes)
    }

    /// Writes the picture to a file whose name ends in .svg or .png: a complete new file replaces the old one.
    fn save(&self, py: Python<'_>, path: &Bound<'_, PyAny>) -> PyResult<()> {
        let path = path_of(path)?;
        py.detach(|| self.0.save(path)).map_err(|error| raise(py, &error))
    }

    fn _repr_svg_(&self, py: Python<'_>) -> String {
        self.svg(py)
    }

    fn __repr__(&self) -> String {
        format!("<mapwave.Plot, {} x {} pixels>", self.0.width(), self.0.height())
    }
}

/// A word with a meaning in Rust.
macro_rules! word {
    ($kind:ty) => {
        impl<'py> Argument<'py> for $kind {
            fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
                let word = value.extract::<String>().map_err(|_| Mismatch::kind("a str"))?;
                word.parse().map_err(|error| Mismatch::Raised(raise(value.py(), &error)))
            }
        }
    };
}

word!(PlotKind);
word!(Theme);

/// Where a picture is to go.
struct Out(PathBuf);

impl<'py> Argument<'py> for Out {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        path_of(value).map(Self).map_err(|_| Mismatch::kind("a str or a path"))
    }
}

fn options_of(arguments: &Arguments<'_, '_>) -> PyResult<PlotOptions> {
    let size = |Count(size)| u32::try_from(size).unwrap_or(u32::MAX);
    Ok(PlotOptions {
        kind: arguments.get("kind")?,
        width: size(arguments.get("width")?),
        height: arguments.get::<Option<Count>>("height")?.map(size),
        theme: arguments.get("theme")?,
        title: arguments.get("title")?,
        markers: arguments.get::<Option<Markers>>("markers")?.map(|markers| markers.0),
    })
}

/// Draws the waveform or the spectrogram of audio as SVG or PNG.
///
/// A waveform has the extremes of each column and, in a stronger colour, its root mean square; its axis has levels in dBFS. The
/// frequencies of a spectrogram are on the mel scale. A notebook shows what this returns.
///
/// Args:
///     source: As path in load, a Reader, or an array as in save.
///     sr: The sample rate of an array in Hz; a file has its own.
///     kind: "waveform", "spectrogram" or "both".
///     out: Where to write the picture: a name that ends in .svg or .png. None writes nothing.
///     width: The width in pixels, 160 to 8192.
///     height: The height in pixels, 160 to 8192; None is what the panels of all channels need.
///     theme: "light", "dark", "auto", with which an SVG follows the system that shows it, or "page", with which an SVG that
///         is part of a page has the page's ground and colour. A PNG is light but with "dark".
///     title: What stands above the picture; None is the name of the file.
///     markers: Frames to mark, as in save: a sequence of Marker, (label, start) or (label, start, end); None is those of the
///         file, () is none.
///     layout: As in save, for an array.
///     track, plugin, plugin_options, threads: As in load.
///
/// Returns:
///     Plot, with svg(), png(), save(path), width and height.
///
/// Raises:
///     As load; ValueError for a size out of range, a marker past the end, and another extension.
#[pyfunction]
#[pyo3(pass_module, signature = (*args, **kwargs), text_signature = "(source, sr=None, kind='waveform', out=None, *, width=1200, height=None, theme='auto', title=None, \
        markers=None, layout='auto', track=None, plugin=None, plugin_options=None, threads=None)")]
pub(crate) fn plot<'py>(
    module: &Bound<'py, PyModule>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Plot> {
    static SIGNATURE: Signature = Signature::new("plot");
    let arguments = SIGNATURE.bind(module.as_any(), args, kwargs)?;
    let py = module.py();
    let (options, out) = (options_of(&arguments)?, arguments.get::<Option<Out>>("out")?);
    let max_threads = Threads::max(arguments.get("threads")?);
    let picture = Analysed::new(&arguments)?
        .with(py, max_threads, |input, control| mapwave::analysis::plot(input, &options, control))?;
    if let Some(Out(path)) = out {
        py.detach(|| picture.save(path)).map_err(|error| raise(py, &error))?;
    }
    Ok(Plot(picture))
}
