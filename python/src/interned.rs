//! Strings that the interpreter knows, and pyo3's lazy values.
//!
//! A lazy value of pyo3's lets other threads wait while one makes it, which may give up the interpreter's lock meanwhile. A child
//! that another thread forks at that moment waits for ever. So this crate makes its own by `mapwave_fork::SetOnce`, and makes
//! pyo3's own when it is imported.

use mapwave_fork::SetOnce;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PySequence, PyString};

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

/// Makes the lazy values of pyo3's that calls need.
pub(crate) fn make_lazy_values(py: Python<'_>) -> PyResult<()> {
    py.get_type::<PyString>().name()?;
    py.get_type::<PySequence>();
    PyValueError::new_err("").add_note(py, "")?;
    py.detach(|| Python::attach(|_| ()));
    Ok(())
}
