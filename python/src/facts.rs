//! Classes that are facts with names: how they are declared, shown, pickled and made into dicts.

use std::collections::BTreeMap;

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::interned::intern;

/// The longest line of `repr`.
const LINE_WIDTH: usize = 96;

/// A type of a field.
pub(crate) trait Field {
    /// The type as Python's annotations write it.
    const ANNOTATION: &'static str;
}

macro_rules! annotate {
    ($($kind:ty => $annotation:literal,)*) => {
        $(impl $crate::facts::Field for $kind {
            const ANNOTATION: &'static str = $annotation;
        })*
    };
}
pub(crate) use annotate;

annotate! {
    bool => "bool",
    f64 => "float",
    u16 => "int",
    u32 => "int",
    u64 => "int",
    String => "str",
    Option<u16> => "int | None",
    Option<String> => "str | None",
    Option<u32> => "int | None",
    BTreeMap<String, String> => "dict[str, str]",
    Option<u64> => "int | None",
    Option<f64> => "float | None",
    Texts => "tuple[str, ...]",
}

/// Declares a class with the fields of a list, in whose order they are shown and pickled.
macro_rules! facts {
    (
        $(#[$of_class:meta])*
        $class:ident $(($($signature:tt)*))?, $shown:ident { $($(#[$doc:meta])* $field:ident: $kind:ty,)* }
        $($more:item)*
    ) => {
        $(#[$of_class])*
        #[pyclass(frozen, eq, get_all, module = "mapwave")]
        #[derive(Clone, PartialEq)]
        pub(crate) struct $class {
            $($(#[$doc])* pub(crate) $field: $kind,)*
        }

        #[pymethods]
        impl $class {
            #[new]
            $(#[pyo3(signature = ($($signature)*))])?
            #[allow(clippy::too_many_arguments)] // one for each field, for pickle
            fn new($($field: $kind),*) -> Self {
                Self { $($field),* }
            }

            /// The type of each field, in their order.
            #[classattr]
            fn __annotations__(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
                let annotations = PyDict::new(py);
                $(annotations.set_item(stringify!($field), <$kind as $crate::facts::Field>::ANNOTATION)?;)*
                Ok(annotations)
            }

            /// The facts as a new dict, by their names, ready for JSON.
            fn asdict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
                $crate::facts::plain(&self.facts(py)?)
            }

            fn __reduce__<'py>(
                &self,
                py: Python<'py>,
            ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
                let values = self.facts(py)?.values();
                Ok((py.get_type::<Self>().into_any(), values.to_tuple()))
            }

            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                $crate::facts::$shown(stringify!($class), &self.facts(py)?)
            }

            $($more)*
        }

        impl $class {
            pub(crate) fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
                let facts = PyDict::new(py);
                $(facts.set_item(stringify!($field), self.$field.clone())?;)*
                Ok(facts)
            }
        }
    };
}
pub(crate) use facts;

/// Facts as a dict of numbers, texts, lists and dicts.
pub(crate) fn plain<'py>(facts: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let py = facts.py();
    let as_dict = |value: Bound<'py, PyAny>| match value.hasattr(intern!(py, "asdict"))? {
        true => value.call_method0(intern!(py, "asdict")),
        false => Ok(value),
    };
    let plain = PyDict::new(py);
    for (name, value) in facts {
        match value.cast::<PyTuple>() {
            Ok(several) => {
                plain.set_item(name, several.iter().map(as_dict).collect::<PyResult<Vec<_>>>()?)?
            }
            Err(_) => plain.set_item(name, as_dict(value)?)?,
        }
    }
    Ok(plain)
}

pub(crate) fn in_one_line(class: &str, facts: &Bound<'_, PyDict>) -> PyResult<String> {
    let facts = facts.iter().map(|(name, value)| Ok(format!("{name}={}", value.repr()?)));
    Ok(format!("{class}({})", facts.collect::<PyResult<Vec<_>>>()?.join(", ")))
}

pub(crate) fn in_lines(class: &str, facts: &Bound<'_, PyDict>) -> PyResult<String> {
    let mut text = format!("{class}(");
    let mut width = LINE_WIDTH;
    for (name, value) in facts {
        let fact = format!("{name}={},", value.repr()?);
        if width + 1 + fact.len() > LINE_WIDTH {
            text.push_str("\n   ");
            width = 3;
        }
        width += 1 + fact.len();
        text.push(' ');
        text.push_str(&fact);
    }
    Ok(text + "\n)")
}

/// Values that are a tuple in Python; dicts of what `asdict` makes of them are taken too.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Several<T>(pub(crate) Vec<T>);

impl<'a, 'py, T: PyClass + Clone> FromPyObject<'a, 'py> for Several<T>
where
    T: pyo3::PyTypeInfo,
{
    type Error = PyErr;

    fn extract(values: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let value = |value: Bound<'py, PyAny>| match value.cast::<PyDict>() {
            Ok(facts) => value.py().get_type::<T>().call((), Some(facts)),
            Err(_) => Ok(value),
        };
        let values = values.try_iter()?.map(|found| Ok(value(found?)?.cast::<T>()?.borrow().clone()));
        values.collect::<PyResult<_>>().map(Self)
    }
}

impl<'py, T> IntoPyObject<'py> for Several<T>
where
    T: IntoPyObject<'py>,
{
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0)
    }
}

impl<'py, T> IntoPyObject<'py> for &Several<T>
where
    T: IntoPyObject<'py> + Clone,
{
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.clone().into_pyobject(py)
    }
}

/// Texts, in Python a tuple of them.
#[derive(Clone, PartialEq)]
pub(crate) struct Texts(pub(crate) Vec<String>);

impl<'a, 'py> FromPyObject<'a, 'py> for Texts {
    type Error = PyErr;

    fn extract(texts: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        texts.try_iter()?.map(|text| text?.extract()).collect::<PyResult<_>>().map(Self)
    }
}

impl<'py> IntoPyObject<'py> for &Texts {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0)
    }
}

impl<'py> IntoPyObject<'py> for Texts {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (&self).into_pyobject(py)
    }
}
