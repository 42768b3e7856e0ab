//! The name that a caller's word or an array library's dtype stands for.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

/// A str in lower case.
pub(super) fn word(value: &Bound<'_, PyAny>) -> Option<String> {
    value.cast::<PyString>().ok().map(|text| text.to_string_lossy().trim().to_ascii_lowercase())
}

/// The name of a dtype, given as a str or as a library's own object; None when it is neither.
///
/// No library is imported for it: `numpy.float32` and `jax.numpy.float32` are classes of that name, a `numpy.dtype` has it as
/// its `name`, and `mlx.core.float16` and `torch.float16` print as what they are called.
pub(super) fn dtype_name(value: &Bound<'_, PyAny>) -> Option<String> {
    let py = value.py();
    if let Some(word) = word(value) {
        return Some(word);
    }
    if let Ok(class) = value.cast::<PyType>() {
        return class.name().ok().map(|name| name.to_string());
    }
    if let Ok(name) = value.getattr(intern!(py, "name")) {
        // One of another byte order than the machine's is not what its name says.
        let is_native = value.getattr(intern!(py, "isnative")).and_then(|native| native.is_truthy());
        return word(&name).filter(|_| is_native.unwrap_or(true));
    }
    let kind = value.get_type().name().ok()?.to_string();
    if !kind.eq_ignore_ascii_case("dtype") {
        return None;
    }
    let printed = value.str().ok()?.to_string();
    printed.rsplit('.').next().map(str::to_owned)
}
