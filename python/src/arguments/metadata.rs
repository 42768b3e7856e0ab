//! The arguments of metadata: tags, pictures, markers and the broadcast extension.

use mapwave_core::metadata::{self, OnUnknown};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};

use super::value::{Argument, Mismatch};
use crate::input::path_of;
use crate::interned::intern;
use crate::metadata::{Bext, Marker, Picture};

/// Pairs of names and values.
pub(crate) struct Tags(pub(crate) Vec<(String, String)>);

impl<'py> Argument<'py> for Tags {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let refuse = || Mismatch::kind("a dict of str to str or int");
        let pair = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            let key: String = key.extract().map_err(|_| refuse())?;
            let is_number = !value.is_instance_of::<PyBool>() && value.extract::<i64>().is_ok();
            if !is_number && !value.is_instance_of::<PyString>() {
                return Err(refuse());
            }
            Ok((key.to_lowercase(), value.str()?.to_string()))
        };
        value.cast::<PyDict>().map_err(|_| refuse())?.iter().map(pair).collect::<Result<_, _>>().map(Self)
    }
}

/// Pictures with their data.
pub(crate) struct Pictures(pub(crate) Vec<metadata::Picture>);

impl<'py> Argument<'py> for Pictures {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let refuse = || Mismatch::kind("a sequence of pictures: Picture, the bytes of an image, or its path");
        let is_one = value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyString>();
        let pictures = value.try_iter().ok().filter(|_| !is_one).ok_or_else(refuse)?;
        pictures.map(|picture| one_picture(&picture?)).collect::<Result<_, _>>().map(Self)
    }
}

fn one_picture(value: &Bound<'_, PyAny>) -> Result<metadata::Picture, Mismatch> {
    let py = value.py();
    if let Ok(picture) = value.cast::<Picture>() {
        return picture.get().whole().map_err(|error| Mismatch::Raised(crate::errors::raise(py, &error)));
    }
    let is_bytes = value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PyMemoryView>();
    let data = match () {
        () if is_bytes => py.get_type::<PyBytes>().call1((value,))?.extract::<Vec<u8>>()?,
        () if value.is_instance_of::<PyString>() || value.hasattr(intern!(py, "__fspath__"))? => {
            let path = path_of(value)?;
            std::fs::read(&path).map_err(|cause| {
                let error = mapwave_core::Error::Io {
                    path: Some(path),
                    doing: "reading a picture",
                    offset: None,
                    cause,
                };
                Mismatch::Raised(crate::errors::raise(py, &error))
            })?
        }
        () => {
            return Err(Mismatch::kind(
                "a sequence of pictures: Picture, the bytes of an image, or its path",
            ));
        }
    };
    let refuse = || Mismatch::value("pictures that are PNG, JPEG, GIF, WebP or BMP, or Picture with a mime");
    metadata::Picture::new(data).ok_or_else(refuse)
}

/// Markers.
pub(crate) struct Markers(pub(crate) Vec<metadata::Marker>);

impl<'py> Argument<'py> for Markers {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let refuse =
            || Mismatch::kind("a sequence of markers: Marker, (label, start) or (label, start, end)");
        let markers =
            value.try_iter().ok().filter(|_| !value.is_instance_of::<PyString>()).ok_or_else(refuse)?;
        let one = |marker: Bound<'py, PyAny>| -> Result<metadata::Marker, Mismatch> {
            if let Ok(marker) = marker.cast::<Marker>() {
                return Ok(marker.get().clone().into());
            }
            if let Ok(facts) = marker.cast::<PyDict>() {
                let made = marker.py().get_type::<Marker>().call((), Some(facts))?;
                return made.cast::<Marker>().map(|made| made.get().clone().into()).map_err(|_| refuse());
            }
            if let Ok((label, start)) = marker.extract::<(String, u64)>() {
                return Ok(metadata::Marker { label, start, end: None });
            }
            let (label, start, end) = marker.extract::<(String, u64, Option<u64>)>().map_err(|_| refuse())?;
            Ok(metadata::Marker { label, start, end })
        };
        markers.map(|marker| one(marker?)).collect::<Result<_, _>>().map(Self)
    }
}

/// The broadcast extension.
pub(crate) struct Broadcast(pub(crate) metadata::Bext);

impl<'py> Argument<'py> for Broadcast {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        if !value.is_instance_of::<PyDict>() && !value.is_instance_of::<Bext>() {
            return Err(Mismatch::kind("Bext or a dict of its fields"));
        }
        Ok(Self(value.extract::<Bext>()?.to_core()?))
    }
}

/// What to do with what a format cannot hold.
pub(crate) struct Unknown(pub(crate) OnUnknown);

impl<'py> Argument<'py> for Unknown {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let name: String = value.extract().map_err(|_| Mismatch::kind("'error' or 'drop'"))?;
        match name.as_str() {
            "error" => Ok(Self(OnUnknown::Error)),
            "drop" => Ok(Self(OnUnknown::Drop)),
            _ => Err(Mismatch::value("'error' or 'drop'")),
        }
    }
}
