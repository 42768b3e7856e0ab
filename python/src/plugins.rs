//! Codec plugins as Python sees them: what is loaded, what was refused and why.

use std::ffi::OsString;
use std::path::PathBuf;

use mapwave::PluginSources;
use mapwave_core::host::{self, State};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arguments::Signature;
use crate::interned::{intern, make_lazy_values};
use crate::interruption::interruptibly;

/// A path that Python gets as a `pathlib.Path`. pyo3's own conversion keeps that class in a lazy value, which would have to be
/// made when the extension is imported, and `pathlib` takes a third of that time.
#[derive(Clone)]
struct PythonPath(PathBuf);

impl<'py> IntoPyObject<'py> for &PythonPath {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        py.import(intern!(py, "mapwave._forks"))?
            .getattr(intern!(py, "to_path"))?
            .call1((self.0.as_os_str(),))
    }
}

/// A codec plugin: a library in a plugin directory, or a part of mapwave itself.
#[pyclass(frozen, get_all, module = "mapwave")]
#[derive(Clone)]
pub(crate) struct Plugin {
    /// The name that plugin= takes; the file's name when it could not be loaded.
    id: String,
    /// Whether it is loaded.
    loaded: bool,
    /// Why it was rejected, or None.
    refused: Option<String>,
    /// Where it comes from: "registered", "environment", "user", "embedded", "bundled" or "system".
    origin: &'static str,
    /// The path of the library, or None for a part of mapwave itself.
    path: Option<PythonPath>,
    /// Its version.
    version: String,
    /// Who made it.
    vendor: String,
    /// Its licence as an SPDX expression.
    license: String,
    /// The libraries that it uses, with their versions.
    dependencies: String,
    /// The codecs that it decodes, by FFmpeg's names.
    decodes: Vec<String>,
    /// The codecs that it encodes, by FFmpeg's names.
    encodes: Vec<String>,
    /// The usual extensions of the files that it decodes.
    extensions: Vec<String>,
    /// The qualities of its resamplers, which resample_quality= takes.
    resamples: Vec<String>,
}

#[pymethods]
impl Plugin {
    fn __repr__(&self) -> String {
        let place =
            self.path.as_ref().map_or("part of mapwave".to_owned(), |path| path.0.display().to_string());
        match &self.refused {
            None => format!(
                "<mapwave.Plugin '{}' {} ({place}): {}>",
                self.id,
                self.version,
                self.decodes.join(", ")
            ),
            Some(why) => format!("<mapwave.Plugin '{}', refused ({place}): {why}>", self.id),
        }
    }
}

impl From<host::Plugin> for Plugin {
    fn from(plugin: host::Plugin) -> Self {
        let refused = match plugin.state {
            State::Loaded => None,
            State::Refused(why) => Some(why),
        };
        Self {
            id: plugin.id,
            loaded: refused.is_none(),
            refused,
            origin: plugin.origin.name(),
            path: plugin.path.map(PythonPath),
            version: plugin.version,
            vendor: plugin.vendor,
            license: plugin.license,
            dependencies: plugin.dependencies,
            decodes: distinct(plugin.decoders.iter().map(|decoder| &decoder.codecs)),
            encodes: distinct(plugin.encoders.iter().map(|encoder| &encoder.codecs)),
            extensions: distinct(plugin.decoders.iter().map(|decoder| &decoder.extensions)),
            resamples: distinct(plugin.resamplers.iter().map(|resampler| &resampler.qualities)),
        }
    }
}

/// The words of several lists, each once.
fn distinct<'a>(lists: impl Iterator<Item = &'a Vec<String>>) -> Vec<String> {
    let mut words = Vec::new();
    for word in lists.flatten() {
        if !words.contains(word) {
            words.push(word.clone());
        }
    }
    words
}

/// A directory that is searched for plugins.
#[pyclass(frozen, get_all, module = "mapwave")]
pub(crate) struct PluginDirectory {
    /// Its path.
    path: PythonPath,
    /// Why it is searched: "environment", "user", "bundled" or "system".
    origin: &'static str,
    /// Whether it exists.
    exists: bool,
    /// Why nothing in it is loaded, or None.
    refused: Option<String>,
}

#[pymethods]
impl PluginDirectory {
    fn __repr__(&self) -> String {
        let state = match (&self.refused, self.exists) {
            (Some(why), _) => format!(", refused: {why}"),
            (None, false) => ", not there".to_owned(),
            (None, true) => String::new(),
        };
        format!("<mapwave.PluginDirectory '{}' ({}{state})>", self.path.0.display(), self.origin)
    }
}

/// Lists the codec plugins: those that are loaded, in order of precedence, and those that were rejected, with the reason.
///
/// Returns:
///     A list of Plugin.
#[pyfunction]
pub(crate) fn plugins(py: Python<'_>) -> PyResult<Vec<Plugin>> {
    let plugins = interruptibly(py, 1, |_| Ok(host::plugins()))?;
    Ok(plugins.into_iter().map(Plugin::from).collect())
}

/// Lists the directories that are searched for plugins, in order of precedence.
///
/// Returns:
///     A list of PluginDirectory.
#[pyfunction]
pub(crate) fn plugin_directories() -> Vec<PluginDirectory> {
    let directories = host::directories().into_iter().map(|directory| PluginDirectory {
        origin: directory.origin.name(),
        exists: directory.path.is_dir(),
        path: PythonPath(directory.path),
        refused: directory.refused,
    });
    directories.collect()
}

/// Loads a codec plugin from a path. It takes precedence over all others.
///
/// Args:
///     path: The library: a str or path.
///
/// Returns:
///     Plugin.
///
/// Raises:
///     FileNotFoundError: The file does not exist.
///     mapwave.PluginError: It is not a plugin, or cannot be loaded; the message says why.
#[pyfunction]
#[pyo3(pass_module, signature = (*args, **kwargs), text_signature = "(path)")]
pub(crate) fn register_plugin<'py>(
    module: &Bound<'py, PyModule>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Plugin> {
    static SIGNATURE: Signature = Signature::new("register_plugin");
    let py = module.py();
    let path: PathBuf = SIGNATURE.bind(module.as_any(), args, kwargs)?.get("path")?;
    interruptibly(py, 1, |_| host::register(&path)).map(Plugin::from)
}

/// Where plugins are to be had: the wheel has all that its machine could build.
const SOURCES: PluginSources = PluginSources {
    complete: "which comes with mapwave's wheel (pip install --force-reinstall mapwave; mapwave plugins list tells what is \
               loaded)",
    over_system_libraries: "which this installation was built without: build mapwave where its headers are",
};

/// Makes the embedded codecs known and says where the wheel's own plugins are and how others are tried; called once.
#[pyfunction]
pub(crate) fn set_up_plugins(py: Python<'_>, bundled: PathBuf, checker: Vec<OsString>) -> PyResult<()> {
    make_lazy_values(py, wrap_pyfunction!(try_plugin, py)?.as_any())?;
    mapwave::set_up_with(SOURCES);
    host::set_bundled(bundled);
    host::set_checker(checker);
    Ok(())
}

/// Loads a library in this process, which exits afterwards, and returns the exit status.
#[pyfunction]
pub(crate) fn try_plugin(path: PathBuf) -> i32 {
    host::try_load(&path)
}
