//! `Picture`, `Marker`, `Loop` and `Bext`: what a file says beside its audio.

use std::path::PathBuf;

use mapwave_core::metadata;
use mapwave_core::source::{Access, Source};
use mapwave_core::{Error, Reader};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::facts::{facts, in_one_line, plain};
use crate::interruption::interruptibly;

/// What pictures show, by their numbers (ID3v2.4.0 native frames, section 4.14).
const TYPES: [&str; 21] = [
    "other",
    "file icon",
    "other file icon",
    "front cover",
    "back cover",
    "leaflet page",
    "media",
    "lead artist",
    "artist",
    "conductor",
    "band",
    "composer",
    "lyricist",
    "recording location",
    "during recording",
    "during performance",
    "screen capture",
    "bright coloured fish",
    "illustration",
    "band logotype",
    "publisher logotype",
];

/// Where the data of a picture are.
#[derive(Clone)]
enum Data {
    /// Here.
    Bytes(Vec<u8>),
    /// In a file, as the picture of a number.
    File { path: PathBuf, index: usize },
    /// Nowhere: the picture was made from its facts.
    Unknown,
}

/// A picture in a file, such as a cover, or one to be saved.
///
/// Args:
///     data: The bytes of an image file: PNG, JPEG, GIF, WebP or BMP.
///     type: What it shows: "front cover", "back cover", "artist", ... "other", as ID3 names them.
///     mime: Its type, such as "image/png"; None finds it in the data.
///     description: A description.
///     width, height, size: Pixels and bytes; None finds them in the data.
#[pyclass(frozen, module = "mapwave")]
#[derive(Clone)]
pub(crate) struct Picture {
    picture: metadata::Picture,
    data: Data,
}

impl PartialEq for Picture {
    /// By all facts but the data.
    fn eq(&self, other: &Self) -> bool {
        self.picture == other.picture
    }
}

impl Picture {
    /// The pictures of a file.
    pub(crate) fn of(reader: &Reader, pictures: Vec<metadata::Picture>) -> Vec<Self> {
        let path = reader.path().filter(|_| reader.is_file()).and_then(|path| std::path::absolute(path).ok());
        if let (None, false) = (&path, pictures.is_empty()) {
            // Bytes in memory may be gone when the data are asked for.
            return reader.pictures().unwrap_or_default().into_iter().map(Self::from).collect();
        }
        let data = |index| path.clone().map_or(Data::Unknown, |path| Data::File { path, index });
        let pictures = pictures.into_iter().enumerate();
        pictures.map(|(index, picture)| Self { picture, data: data(index) }).collect()
    }

    /// The picture with its data.
    pub(crate) fn whole(&self) -> Result<metadata::Picture, Error> {
        let data = match &self.data {
            Data::Bytes(data) => data.clone(),
            Data::Unknown => Vec::new(),
            Data::File { path, index } => {
                let mut found = metadata::read(&Source::open(path, Access::Once)?, None, true)?.pictures;
                if found.is_empty() {
                    // Those that only a codec plugin finds.
                    found = Reader::open(path)?.pictures()?;
                }
                let found = found.into_iter().nth(*index);
                let found = found.filter(|found| {
                    (found.num_bytes, &found.mime) == (self.picture.num_bytes, &self.picture.mime)
                });
                let Some(found) = found else {
                    let cause = std::io::Error::other("the file has changed and no longer has this picture");
                    return Err(Error::Io {
                        path: Some(path.clone()),
                        doing: "reading a picture",
                        offset: None,
                        cause,
                    });
                };
                found.data
            }
        };
        Ok(metadata::Picture { data, ..self.picture.clone() })
    }

    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let facts = PyDict::new(py);
        facts.set_item("type", self.r#type())?;
        facts.set_item("mime", &self.picture.mime)?;
        facts.set_item("description", &self.picture.description)?;
        facts.set_item("width", self.picture.width)?;
        facts.set_item("height", self.picture.height)?;
        facts.set_item("size", self.picture.num_bytes)?;
        Ok(facts)
    }
}

impl From<metadata::Picture> for Picture {
    fn from(mut picture: metadata::Picture) -> Self {
        let data = Data::Bytes(std::mem::take(&mut picture.data));
        Self { picture, data }
    }
}

#[pymethods]
impl Picture {
    #[new]
    #[pyo3(signature = (data=None, r#type="front cover", mime=None, description=String::new(), width=None, height=None, size=None))]
    fn new(
        data: Option<Vec<u8>>,
        r#type: &str,
        mime: Option<String>,
        description: String,
        width: Option<u32>,
        height: Option<u32>,
        size: Option<u64>,
    ) -> PyResult<Self> {
        let Some(kind) = TYPES.iter().position(|known| *known == r#type) else {
            let known = TYPES.map(|known| format!("'{known}'")).join(", ");
            return Err(PyValueError::new_err(format!("type must be one of {known}, got '{}'", r#type)));
        };
        let found = data.as_ref().and_then(|data| metadata::Picture::new(data.clone()));
        let found = found.unwrap_or_default();
        let Some(mime) = mime.or(Some(found.mime).filter(|mime| !mime.is_empty())) else {
            return Err(PyValueError::new_err(
                "data must be an image (PNG, JPEG, GIF, WebP, BMP) where no mime is given",
            ));
        };
        let picture = metadata::Picture {
            kind: u8::try_from(kind).unwrap_or(0),
            mime,
            description,
            width: width.or(found.width),
            height: height.or(found.height),
            num_bytes: data.as_ref().map_or(size.unwrap_or(0), |data| data.len() as u64),
            data: Vec::new(),
        };
        Ok(Self { picture, data: data.map_or(Data::Unknown, Data::Bytes) })
    }

    /// The type of each fact, in their order.
    #[classattr]
    fn __annotations__(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let annotations = PyDict::new(py);
        for name in ["type", "mime", "description"] {
            annotations.set_item(name, "str")?;
        }
        annotations.set_item("width", "int | None")?;
        annotations.set_item("height", "int | None")?;
        annotations.set_item("size", "int")?;
        Ok(annotations)
    }

    /// What it shows, such as "front cover".
    #[getter]
    fn r#type(&self) -> &'static str {
        TYPES.get(usize::from(self.picture.kind)).copied().unwrap_or("other")
    }

    /// The type of its data, such as "image/jpeg".
    #[getter]
    fn mime(&self) -> &str {
        &self.picture.mime
    }

    /// A description; often empty.
    #[getter]
    fn description(&self) -> &str {
        &self.picture.description
    }

    /// The width in pixels, or None when neither the file nor the image says it.
    #[getter]
    fn width(&self) -> Option<u32> {
        self.picture.width
    }

    /// The height in pixels, or None when neither the file nor the image says it.
    #[getter]
    fn height(&self) -> Option<u32> {
        self.picture.height
    }

    /// The size of its data in bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.picture.num_bytes
    }

    /// The bytes of the image, read from the file now.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let data = interruptibly(py, 1, |_| self.whole())?.data;
        Ok(PyBytes::new(py, &data))
    }

    /// The facts as a new dict, by their names, ready for JSON.
    fn asdict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        plain(&self.facts(py)?)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        in_one_line("Picture", &self.facts(py)?)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self == other.get())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.facts(py)?.values().to_tuple().hash()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let data = match &self.data {
            Data::Unknown => None,
            _ => Some(self.data(py)?),
        };
        let facts =
            (data, self.r#type(), self.mime(), self.description(), self.width(), self.height(), self.size());
        Ok((py.get_type::<Self>().into_any(), facts.into_pyobject(py)?))
    }
}

facts! {
    /// A position in a file that has a name, or a range of it.
    Marker (label, start, end=None), in_one_line {
    /// The name; may be empty.
    label: String,
    /// The first frame.
    start: u64,
    /// The frame behind the last one, or None for a position.
    end: Option<u64>,
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.facts(py)?.values().to_tuple().hash()
    }
}

facts! {
    /// A range of frames that an instrument repeats.
    Loop, in_one_line {
    /// The first frame.
    start: u64,
    /// The frame behind the last one.
    end: u64,
    /// How it is played: "forward", "pingpong" or "backward".
    kind: String,
    /// How many times, or None for as long as the note sounds.
    count: Option<u32>,
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.facts(py)?.values().to_tuple().hash()
    }
}

facts! {
    /// The broadcast extension of WAV (EBU Tech 3285).
    Bext (
        description=String::new(), originator=String::new(), originator_reference=String::new(),
        origination_date=String::new(), origination_time=String::new(), time_reference=0, version=0, umid=String::new(),
        loudness_value=None, loudness_range=None, max_true_peak_level=None, max_momentary_loudness=None,
        max_short_term_loudness=None, coding_history=String::new()
    ), in_one_line {
    /// What the sound is, at most 256 bytes.
    description: String,
    /// Who made it, at most 32 bytes.
    originator: String,
    /// The originator's reference, at most 32 bytes.
    originator_reference: String,
    /// The date, "yyyy-mm-dd".
    origination_date: String,
    /// The time, "hh:mm:ss".
    origination_time: String,
    /// The first frame, counted from midnight.
    time_reference: u64,
    /// The version: 1 with a UMID, 2 with loudness.
    version: u16,
    /// The unique material identifier in hexadecimal digits, or "".
    umid: String,
    /// The integrated loudness in LUFS.
    loudness_value: Option<f64>,
    /// The loudness range in LU.
    loudness_range: Option<f64>,
    /// The maximum true peak level in dBTP.
    max_true_peak_level: Option<f64>,
    /// The highest momentary loudness in LUFS.
    max_momentary_loudness: Option<f64>,
    /// The highest short-term loudness in LUFS.
    max_short_term_loudness: Option<f64>,
    /// A line for each step of coding.
    coding_history: String,
    }
}

impl From<metadata::Marker> for Marker {
    fn from(marker: metadata::Marker) -> Self {
        let metadata::Marker { label, start, end } = marker;
        Self { label, start, end }
    }
}

impl From<Marker> for metadata::Marker {
    fn from(marker: Marker) -> Self {
        let Marker { label, start, end } = marker;
        Self { label, start, end }
    }
}

impl From<metadata::Loop> for Loop {
    fn from(found: metadata::Loop) -> Self {
        let kind = match found.kind {
            metadata::LoopKind::Forward => "forward",
            metadata::LoopKind::PingPong => "pingpong",
            metadata::LoopKind::Backward => "backward",
        };
        Self { start: found.start, end: found.end, kind: kind.to_owned(), count: found.count }
    }
}

impl From<metadata::Bext> for Bext {
    fn from(bext: metadata::Bext) -> Self {
        Self {
            description: bext.description,
            originator: bext.originator,
            originator_reference: bext.originator_reference,
            origination_date: bext.origination_date,
            origination_time: bext.origination_time,
            time_reference: bext.time_reference,
            version: bext.version,
            umid: bext.umid.iter().map(|byte| format!("{byte:02x}")).collect(),
            loudness_value: bext.loudness_value,
            loudness_range: bext.loudness_range,
            max_true_peak_level: bext.max_true_peak_level,
            max_momentary_loudness: bext.max_momentary_loudness,
            max_short_term_loudness: bext.max_short_term_loudness,
            coding_history: bext.coding_history,
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Bext {
    type Error = PyErr;

    /// Takes one, or a dict of its fields.
    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let made = match value.cast::<PyDict>() {
            Ok(facts) => value.py().get_type::<Self>().call((), Some(&facts))?,
            Err(_) => value.to_owned(),
        };
        Ok(made.cast::<Self>()?.get().clone())
    }
}

impl Bext {
    /// As the core has it.
    pub(crate) fn to_core(&self) -> PyResult<metadata::Bext> {
        let digits: Vec<u8> = self.umid.bytes().collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let umid: Option<Vec<u8>> =
            digits.chunks(2).map(|pair| byte(pair).filter(|_| pair.len() == 2)).collect();
        let Some(umid) = umid else {
            return Err(PyTypeError::new_err(format!(
                "umid must be pairs of hexadecimal digits, got '{}'",
                self.umid
            )));
        };
        Ok(metadata::Bext {
            description: self.description.clone(),
            originator: self.originator.clone(),
            originator_reference: self.originator_reference.clone(),
            origination_date: self.origination_date.clone(),
            origination_time: self.origination_time.clone(),
            time_reference: self.time_reference,
            version: self.version,
            umid,
            loudness_value: self.loudness_value,
            loudness_range: self.loudness_range,
            max_true_peak_level: self.max_true_peak_level,
            max_momentary_loudness: self.max_momentary_loudness,
            max_short_term_loudness: self.max_short_term_loudness,
            coding_history: self.coding_history.clone(),
        })
    }
}
