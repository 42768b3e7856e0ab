//! Errors of the core as the exceptions of `mapwave.errors`.

use std::io::ErrorKind;
use std::path::Path;

use mapwave_core::source::Repeated;
use mapwave_core::{Error, Fault, Parameter};
use mapwave_fork::SetOnce;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};

/// Makes the exception for an error of the core.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, error).unwrap_or_else(|failure| failure)
}

/// Makes an `InvalidArgument`, a ValueError.
pub(crate) fn invalid(py: Python<'_>, message: &str) -> PyErr {
    construct(py, "InvalidArgument", message, &PyDict::new(py)).unwrap_or_else(|failure| failure)
}

/// What an object of Python's has raised in a call of the core's.
fn raised_in(cause: &std::io::Error) -> Option<&PyErr> {
    let inner = cause.get_ref()?;
    let inner = inner.downcast_ref::<Repeated>().map_or(Some(inner), |repeated| {
        repeated.cause().get_ref().map(|inner| inner as &(dyn std::error::Error + Send + Sync))
    });
    inner?.downcast_ref::<PyErr>()
}

/// The exception for a file object whose method has raised: an OSError becomes an `AudioIOError`, which is one, and any other comes
/// out as it is.
pub(crate) fn reading_failed(py: Python<'_>, name: &Path, offset: u64, raised: PyErr) -> PyErr {
    let make = || -> PyResult<PyErr> {
        if !raised.is_instance_of::<PyOSError>(py) || raised.value(py).hasattr("plugin")? {
            return Ok(raised.clone_ref(py));
        }
        let facts = PyDict::new(py);
        facts.set_item("path", name.to_string_lossy())?;
        facts.set_item("offset", offset)?;
        facts.set_item("errno", raised.value(py).getattr("errno")?)?;
        let message = format!("reading '{}' at byte {offset}: {}", name.display(), raised.value(py));
        let error = construct(py, "AudioIOError", &message, &facts)?;
        error.set_cause(py, Some(raised.clone_ref(py)));
        Ok(error)
    };
    make().unwrap_or_else(|failure| failure)
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    // What a file object's own method has raised.
    if let Error::Io { cause, .. } = error
        && let Some(raised) = raised_in(cause)
    {
        return Ok(raised.clone_ref(py));
    }
    let facts = PyDict::new(py);
    let mut name = "AudioError";
    // As `os.fsdecode` gives it, so that the file can be opened again, whatever bytes its name has.
    let set_path = |path: &Option<std::path::PathBuf>| match path.as_deref().map(Path::as_os_str) {
        Some(path) => facts.set_item("path", path),
        None => Ok(()),
    };
    match error {
        Error::Io { path, offset, cause, .. } => {
            set_path(path)?;
            facts.set_item("offset", offset)?;
            facts.set_item("errno", cause.raw_os_error())?;
            name = match cause.kind() {
                ErrorKind::NotFound => "AudioFileNotFound",
                ErrorKind::PermissionDenied => "AudioPermissionDenied",
                ErrorKind::IsADirectory => "AudioIsADirectory",
                _ => "AudioIOError",
            };
        }
        Error::Malformed { path, container, offset, .. } => {
            set_path(path)?;
            facts.set_item("container", container.name())?;
            facts.set_item("offset", offset)?;
            name = "MalformedFile";
        }
        Error::Unsupported { path, container, codec, .. } => {
            set_path(path)?;
            facts.set_item("container", container.map(|container| container.name()))?;
            facts.set_item("codec", codec)?;
            name = "UnsupportedFormat";
        }
        Error::Plugin { path, plugin, fault, offset, container, .. } => {
            set_path(path)?;
            facts.set_item("plugin", plugin)?;
            facts.set_item("offset", offset)?;
            facts.set_item("container", container.as_deref().map(|container| container.name()))?;
            name = match fault {
                Fault::BadData => "MalformedFile",
                Fault::Unsupported => "UnsupportedFormat",
                Fault::Refused => "InvalidArgument",
                Fault::Io => "AudioIOError",
                Fault::Memory => "OutOfMemory",
                Fault::MissingDependency | Fault::Broken => "PluginError",
            };
        }
        Error::Limit { path, .. } => {
            set_path(path)?;
            name = "LimitExceeded";
        }
        Error::OutOfMemory { path, .. } => {
            set_path(path)?;
            name = "OutOfMemory";
        }
        Error::NotDurable { path, cause } => {
            set_path(path)?;
            facts.set_item("errno", cause.raw_os_error())?;
            name = "SavedNotDurable";
        }
        Error::Argument { path, .. } => {
            set_path(path)?;
            name = "InvalidArgument";
        }
        _ => {}
    }
    let message = error.message(python_name);
    construct(py, name, &format!("{message}{}", hint(error)), &facts)
}

/// What to pass instead of a path that a shell or a command would understand.
fn hint(error: &Error) -> &'static str {
    let Error::Io { path: Some(path), cause, .. } = error else { return "" };
    match path.to_string_lossy() {
        _ if cause.kind() != ErrorKind::NotFound => "",
        path if path.starts_with('~') => "; '~' is not expanded: pass os.path.expanduser(path)",
        path if path == "-" => "; for standard input pass sys.stdin.buffer",
        _ => "",
    }
}

/// What Python calls an argument that the core calls otherwise.
fn python_name(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::BitsPerSample => "bit_depth",
        Parameter::EndFrame => "stop",
        Parameter::OutputFormat => "dtype",
        Parameter::Overflow => "clip",
        Parameter::ResampleQuality => "resample_quality",
        Parameter::SampleRate => "sr",
        Parameter::StartFrame => "start",
        Parameter::Target => "path",
        same => same.name(),
    }
}

fn construct(py: Python<'_>, name: &str, message: &str, facts: &Bound<'_, PyDict>) -> PyResult<PyErr> {
    static ERRORS: SetOnce<Py<PyModule>> = SetOnce::new();
    let module = ERRORS.get_or_try_init(|| py.import("mapwave.errors").map(Bound::unbind))?;
    Ok(PyErr::from_value(module.bind(py).getattr(name)?.call((message,), Some(facts))?))
}
