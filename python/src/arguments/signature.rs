//! What a call's values are bound by: a function's text signature.

use std::any::Any;
use std::cell::Cell;

use mapwave_fork::SetOnce;
use pyo3::exceptions::{PySystemError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple};

use super::names;
use super::value::{Argument, Mismatch, shown, wrong_type};
use crate::errors::invalid;
use crate::interned::intern;

/// The parameters of a function, read once from its `__text_signature__`.
pub(crate) struct Signature {
    function: &'static str,
    parameters: SetOnce<Vec<Parameter>>,
    defaults: [SetOnce<Defaults>; 2],
}

/// Arguments that are parsed together.
#[derive(Clone, Copy, Debug)]
pub(super) enum Group {
    /// What is read of a file, and as what.
    Reading,
    /// How much a call may return.
    Limits,
}

/// What several arguments are parsed into together when a caller gives none of them.
struct Defaults {
    /// The parameters that are asked for, as bits.
    asked: u64,
    parsed: Box<dyn Any + Send + Sync>,
}

struct Parameter {
    name: String,
    /// None when the argument is required.
    default: Option<Py<PyAny>>,
    is_keyword_only: bool,
}

impl Signature {
    pub(crate) const fn new(function: &'static str) -> Self {
        Self { function, parameters: SetOnce::new(), defaults: [SetOnce::new(), SetOnce::new()] }
    }

    /// Binds what a caller passed to the function, which is an attribute of `owner`.
    ///
    /// # Errors
    /// A TypeError for an argument that is missing, unknown, or given twice.
    pub(crate) fn bind<'a, 'py>(
        &'a self,
        owner: &Bound<'py, PyAny>,
        positional: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Arguments<'a, 'py>> {
        let py = owner.py();
        let parameters = self.parameters.get_or_try_init(|| {
            let text = owner.getattr(self.function)?.getattr(intern!(py, "__text_signature__"))?;
            let parameters = parse(py, text.extract()?)?;
            if parameters.len() > MAX_PARAMETERS {
                let message = format!("{}() must have at most {MAX_PARAMETERS} parameters", self.function);
                return Err(PySystemError::new_err(message));
            }
            Ok(parameters)
        })?;
        let mut arguments = Arguments::new(py, self, parameters);
        for (index, value) in positional.iter().enumerate() {
            match parameters.get(index).filter(|parameter| !parameter.is_keyword_only) {
                Some(_) => arguments.set(index, value)?,
                None => return Err(arguments.refuse_positional(positional.len())),
            }
        }
        if let Some(keywords) = keywords {
            for (name, value) in keywords {
                let name = name.cast::<PyString>()?.to_str()?;
                match arguments.find(name) {
                    Some(index) => arguments.set(index, value)?,
                    None => return Err(arguments.refuse_name(name)),
                }
            }
        }
        arguments.check_required()?;
        Ok(arguments)
    }
}

/// The parameters in a text signature such as `($self, path, sr=None, *, start=None)`.
fn parse(py: Python<'_>, text: &str) -> PyResult<Vec<Parameter>> {
    let text = text.trim_start_matches('(').trim_end_matches(')');
    let mut is_keyword_only = false;
    let mut parameters = Vec::new();
    for part in text.split(',').map(str::trim) {
        match part.split_once('=') {
            _ if part.starts_with('$') => {}
            None if part == "*" => is_keyword_only = true,
            None => parameters.push(Parameter { name: part.to_owned(), default: None, is_keyword_only }),
            Some((name, default)) => {
                let default = Some(literal(py, default)?);
                parameters.push(Parameter { name: name.to_owned(), default, is_keyword_only });
            }
        }
    }
    Ok(parameters)
}

/// The value of a default as Python writes it.
fn literal(py: Python<'_>, text: &str) -> PyResult<Py<PyAny>> {
    if let Some(text) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Ok(PyString::new(py, text).into_any().unbind());
    }
    Ok(match text {
        "None" => py.None(),
        "True" | "False" => PyBool::new(py, text == "True").to_owned().into_any().unbind(),
        number => match number.parse::<i64>() {
            Ok(number) => number.into_pyobject(py)?.into_any().unbind(),
            Err(_) => number.parse::<f64>()?.into_pyobject(py)?.into_any().unbind(),
        },
    })
}

/// The most parameters of a function: each has a bit.
const MAX_PARAMETERS: usize = 64;

/// The bit of a parameter.
fn bit(index: usize) -> u64 {
    1 << index
}

/// What a caller passed to a function.
pub(crate) struct Arguments<'a, 'py> {
    py: Python<'py>,
    signature: &'a Signature,
    parameters: &'a [Parameter],
    /// The values in the order of the parameters; None where the default applies.
    given: Vec<Option<Bound<'py, PyAny>>>,
    /// The parameters that are given, and those that were asked for, as bits.
    is_given: u64,
    asked: Cell<u64>,
}

impl<'a, 'py> Arguments<'a, 'py> {
    /// No argument is given.
    fn new(py: Python<'py>, signature: &'a Signature, parameters: &'a [Parameter]) -> Self {
        let given = vec![None; parameters.len()];
        Self { py, signature, parameters, given, is_given: 0, asked: Cell::new(0) }
    }

    pub(crate) fn py(&self) -> Python<'py> {
        self.py
    }

    /// Parses several arguments together. When the caller gives none of those that `parse` asks for, the result is that of
    /// their defaults, which are parsed once for each signature; all calls with one signature and group pass the same `parse`.
    pub(super) fn parse_together<T: Clone + Send + Sync + 'static>(
        &self,
        group: Group,
        parse: impl Fn(&Self) -> PyResult<T>,
    ) -> PyResult<T> {
        let [reading, limits] = &self.signature.defaults;
        let defaults = match group {
            Group::Reading => reading,
            Group::Limits => limits,
        };
        let defaults = defaults.get_or_try_init(|| {
            let nothing = Self::new(self.py, self.signature, self.parameters);
            let parsed = Box::new(parse(&nothing)?);
            Ok::<_, PyErr>(Defaults { asked: nothing.asked.get(), parsed })
        })?;
        match defaults.parsed.downcast_ref::<T>() {
            Some(parsed) if self.is_given & defaults.asked == 0 => Ok(parsed.clone()),
            _ => parse(self),
        }
    }

    /// An argument's value: the caller's, or the default.
    ///
    /// # Errors
    /// A TypeError or an `InvalidArgument`, which name the argument and say what it takes.
    pub(crate) fn get<T: Argument<'py>>(&self, name: &str) -> PyResult<T> {
        let index = self.index(name)?;
        self.parse(name, self.given(index).or_else(|| self.default(index)))
    }

    /// The same where None stands for the default.
    pub(crate) fn get_or_default<T: Argument<'py>>(&self, name: &str) -> PyResult<T> {
        let index = self.index(name)?;
        let given = self.given(index).filter(|value| !value.is_none());
        self.parse(name, given.or_else(|| self.default(index)))
    }

    /// A value as one of an argument, which errors call by this name; None is the None of Python.
    pub(super) fn parse<T: Argument<'py>>(
        &self,
        name: &str,
        value: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<T> {
        let none = self.py.None().into_bound(self.py);
        let value = value.unwrap_or(&none);
        T::parse(value).map_err(|mismatch| match mismatch {
            Mismatch::Type(expected) => wrong_type(name, &expected, value),
            Mismatch::Value(expected) => {
                invalid(self.py, &format!("{name} must be {expected}, got {}", shown(value)))
            }
            Mismatch::Raised(error) => error,
        })
    }

    /// What a caller passed, but for one argument, by the names.
    pub(crate) fn given_without(&self, name: &str) -> PyResult<Bound<'py, PyDict>> {
        let given = PyDict::new(self.py);
        for (parameter, value) in self.parameters.iter().zip(&self.given) {
            if let Some(value) = value.as_ref().filter(|_| parameter.name != name) {
                given.set_item(&parameter.name, value)?;
            }
        }
        Ok(given)
    }

    /// Whether a caller passed something else than the default.
    pub(crate) fn differs(&self, name: &str) -> PyResult<bool> {
        let index = self.index(name)?;
        let default = self.default(index);
        let is_default = |value: &Bound<'_, PyAny>| value.is_none() || value.eq(default).unwrap_or(false);
        Ok(self.given(index).is_some_and(|value| !is_default(value)))
    }

    fn index(&self, name: &str) -> PyResult<usize> {
        let index = self.find(name).ok_or_else(|| {
            PySystemError::new_err(format!(
                "the text signature of {}() does not have '{name}'",
                self.signature.function
            ))
        })?;
        self.asked.set(self.asked.get() | bit(index));
        Ok(index)
    }

    /// The place of a parameter.
    fn find(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name == name)
    }

    fn given(&self, index: usize) -> Option<&Bound<'py, PyAny>> {
        self.given.get(index).and_then(Option::as_ref)
    }

    /// The default of an argument, None for one that is required.
    fn default(&self, index: usize) -> Option<&Bound<'py, PyAny>> {
        let default = self.parameters.get(index).and_then(|parameter| parameter.default.as_ref());
        default.map(|default| default.bind(self.py))
    }

    fn set(&mut self, index: usize, value: Bound<'py, PyAny>) -> PyResult<()> {
        match self.given.get_mut(index) {
            Some(place @ None) => {
                *place = Some(value);
                self.is_given |= bit(index);
            }
            _ => {
                let name = self.parameters.get(index).map_or("", |parameter| parameter.name.as_str());
                let message =
                    format!("{}() got multiple values for argument '{name}'", self.signature.function);
                return Err(PyTypeError::new_err(message));
            }
        }
        Ok(())
    }

    fn check_required(&self) -> PyResult<()> {
        let missing = self.parameters.iter().zip(&self.given).find_map(|(parameter, given)| {
            (parameter.default.is_none() && given.is_none()).then_some(&parameter.name)
        });
        match missing {
            Some(name) => {
                let message =
                    format!("{}() is missing the required argument '{name}'", self.signature.function);
                Err(PyTypeError::new_err(message))
            }
            None => Ok(()),
        }
    }

    fn refuse_positional(&self, num_given: usize) -> PyErr {
        let taken = self.parameters.iter().filter(|parameter| !parameter.is_keyword_only).count();
        let noun = if taken == 1 { "argument" } else { "arguments" };
        PyTypeError::new_err(format!(
            "{}() takes at most {taken} positional {noun}, got {num_given}; pass the others by name",
            self.signature.function
        ))
    }

    fn refuse_name(&self, name: &str) -> PyErr {
        let known: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let quoted = |names: &[&str]| names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>();
        let meant = names::similar(name, &known);
        let hint = match meant.is_empty() {
            true => format!("its arguments are {}", quoted(&known).join(", ")),
            false => format!("did you mean {}?", quoted(&meant).join(" or ")),
        };
        PyTypeError::new_err(format!("{}() has no argument '{name}'; {hint}", self.signature.function))
    }
}
