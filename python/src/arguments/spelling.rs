//! The name that a caller's word or an array library's dtype stands for.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::interned::intern;

/// A str in lower case, without the spaces around it.
pub(super) fn word<'a>(value: &'a Bound<'_, PyAny>) -> Option<Cow<'a, str>> {
    Some(match value.cast::<PyString>().ok()?.to_string_lossy() {
        Cow::Borrowed(text) => lower(text.trim()),
        Cow::Owned(text) => Cow::Owned(lower(text.trim()).into_owned()),
    })
}

/// The text in lower case; one that already is, as nearly all are, is not copied.
pub(super) fn lower(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// The name of a dtype, given as a str or as a library's own object; None when it is neither.
///
/// No library is imported for it: `numpy.float32` and `jax.numpy.float32` are classes of that name, a `numpy.dtype` has it as
/// its `name`, and `mlx.core.float16` and `torch.float16` print as what they are called.
pub(super) fn dtype_name<'a>(value: &'a Bound<'_, PyAny>) -> Option<Cow<'a, str>> {
    let py = value.py();
    if let Some(word) = word(value) {
        return Some(word);
    }
    if let Ok(class) = value.cast::<PyType>() {
        return class.name().ok().map(|name| Cow::Owned(name.to_string()));
    }
    if let Ok(name) = value.getattr(intern!(py, "name")) {
        // One of another byte order than the machine's is not what its name says.
        let is_native = value.getattr(intern!(py, "isnative")).and_then(|native| native.is_truthy());
        return word(&name).filter(|_| is_native.unwrap_or(true)).map(|name| Cow::Owned(name.into_owned()));
    }
    let kind = value.get_type().name().ok()?.to_string();
    if !kind.eq_ignore_ascii_case("dtype") {
        return None;
    }
    let printed = value.str().ok()?.to_string();
    printed.rsplit('.').next().map(|name| Cow::Owned(name.to_owned()))
}
