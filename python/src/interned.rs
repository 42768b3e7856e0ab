//! Strings that the interpreter knows, and pyo3's lazy values.
//!
//! A lazy value of pyo3's lets other threads wait while one makes it, which may give up the interpreter's lock meanwhile. A child
//! that another thread forks at that moment waits for ever. So this crate makes its own by `mapwave_fork::SetOnce`, and makes
//! pyo3's own when it is imported.

use mapwave_fork::SetOnce;
use pyo3::exceptions::PyValueError;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBool, PyList, PySequence, PyString, PyTuple, PyType};

/// As pyo3's macro of that name.
macro_rules! intern {
    ($py:expr, $text:expr) => {{
        static TEXT: $crate::interned::Interned = $crate::interned::Interned::new($text);
        TEXT.get($py)
    }};
}
pub(crate) use intern;

/// A string that is made at its first use.
pub(crate) struct Interned {
    text: &'static str,
    object: SetOnce<Py<PyString>>,
}

impl Interned {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, object: SetOnce::new() }
    }

    pub(crate) fn get<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        self.object.get_or_init(|| PyString::intern(py, self.text).unbind()).bind(py)
    }
}

/// A module that may not have been imported yet; forks wait while it is.
pub(crate) fn import<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "mapwave._forks"))?.call_method1(intern!(py, "module"), (name,))
}

/// Makes the lazy values of pyo3's that calls need, given a function that refuses a number.
///
/// After an update of pyo3, `nm -C` of a library that is not stripped lists the statics named `INTERNED`, `TYPE` and the like.
pub(crate) fn make_lazy_values(py: Python<'_>, refuse: &Bound<'_, PyAny>) -> PyResult<()> {
    py.get_type::<PyString>().name()?;
    py.get_type::<PySequence>();
    py.get_type::<PanicException>();
    PyValueError::new_err("").add_note(py, "")?;
    // What collects an iterator asks how long it is.
    let _ = PyList::empty(py).try_iter()?.size_hint();
    // A flag may be one of NumPy's, which pyo3 knows by their name.
    let members = [
        ("__module__", "numpy".into_pyobject(py)?.into_any()),
        ("__bool__", py.get_type::<PyBool>().into_any()),
    ];
    let flag = py.get_type::<PyType>().call1(("bool_", PyTuple::empty(py), members.into_py_dict(py)?))?;
    let _ = flag.call0()?.extract::<bool>();
    // Refusals of arguments and panics.
    let _ = refuse.call1((0,));
    if let Some(traceback) = py.eval(c"0/0", None, None).err().and_then(|error| error.traceback(py)) {
        traceback.format()?;
    }
    py.detach(|| Python::attach(|_| ()));
    Ok(())
}
