//! `AudioInfo`: the facts of an audio file, and `Track`: those of one of its sound tracks.

use std::collections::BTreeMap;

use mapwave_core::track::Codec;
use mapwave_core::{Reader, SampleFormat, SoundTrack};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::interned::intern;

/// The longest line of `repr`.
const LINE_WIDTH: usize = 96;

/// A type of a field.
trait Field {
    /// The type as Python's annotations write it.
    const ANNOTATION: &'static str;
}

macro_rules! annotate {
    ($($kind:ty => $annotation:literal,)*) => {
        $(impl Field for $kind {
            const ANNOTATION: &'static str = $annotation;
        })*
    };
}

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
    Tracks => "tuple[Track, ...]",
    Texts => "tuple[str, ...]",
}

/// Declares a class with the fields of a list, in whose order they are shown and pickled.
macro_rules! facts {
    (
        $(#[$of_class:meta])*
        $class:ident, $shown:ident { $($(#[$doc:meta])* $field:ident: $kind:ty,)* } $($more:item)*
    ) => {
        $(#[$of_class])*
        #[pyclass(frozen, eq, get_all, module = "mapwave")]
        #[derive(Clone, PartialEq)]
        pub(crate) struct $class {
            $($(#[$doc])* $field: $kind,)*
        }

        #[pymethods]
        impl $class {
            #[new]
            #[allow(clippy::too_many_arguments)] // one for each field, for pickle
            fn new($($field: $kind),*) -> Self {
                Self { $($field),* }
            }

            /// The type of each field, in their order.
            #[classattr]
            fn __annotations__(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
                let annotations = PyDict::new(py);
                $(annotations.set_item(stringify!($field), <$kind as Field>::ANNOTATION)?;)*
                Ok(annotations)
            }

            /// The facts as a new dict, by their names, ready for JSON.
            fn asdict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
                let facts = self.facts(py)?;
                for (name, value) in self.facts(py)? {
                    if let Ok(several) = value.cast::<PyTuple>() {
                        let each = several.iter().map(|one| match one.is_instance_of::<PyString>() {
                            true => Ok(one),
                            false => one.call_method0(intern!(py, "asdict")),
                        });
                        facts.set_item(name, each.collect::<PyResult<Vec<_>>>()?)?;
                    }
                }
                Ok(facts)
            }

            fn __reduce__<'py>(
                &self,
                py: Python<'py>,
            ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
                let values = self.facts(py)?.values();
                Ok((py.get_type::<Self>().into_any(), values.to_tuple()))
            }

            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                $shown(stringify!($class), &self.facts(py)?)
            }

            $($more)*
        }

        impl $class {
            fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
                let facts = PyDict::new(py);
                $(facts.set_item(stringify!($field), self.$field.clone())?;)*
                Ok(facts)
            }
        }
    };
}

fn in_one_line(class: &str, facts: &Bound<'_, PyDict>) -> PyResult<String> {
    let facts = facts.iter().map(|(name, value)| Ok(format!("{name}={}", value.repr()?)));
    Ok(format!("{class}({})", facts.collect::<PyResult<Vec<_>>>()?.join(", ")))
}

fn in_lines(class: &str, facts: &Bound<'_, PyDict>) -> PyResult<String> {
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

/// The sound tracks of a file, in Python a tuple of them, or of what `asdict` makes of them.
#[derive(Clone, PartialEq)]
pub(crate) struct Tracks(Vec<Track>);

impl<'a, 'py> FromPyObject<'a, 'py> for Tracks {
    type Error = PyErr;

    fn extract(tracks: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let track = |track: Bound<'py, PyAny>| match track.cast::<PyDict>() {
            Ok(facts) => track.py().get_type::<Track>().call((), Some(facts)),
            Err(_) => Ok(track),
        };
        let tracks = tracks.try_iter()?.map(|found| Ok(track(found?)?.cast::<Track>()?.get().clone()));
        tracks.collect::<PyResult<_>>().map(Self)
    }
}

impl<'py> IntoPyObject<'py> for Tracks {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0)
    }
}

impl<'py> IntoPyObject<'py> for &Tracks {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.clone().into_pyobject(py)
    }
}

/// Texts, in Python a tuple of them.
#[derive(Clone, PartialEq)]
pub(crate) struct Texts(Vec<String>);

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

facts! {
    /// A sound track of a file, as the container describes it. None stands for what it does not say.
    Track, in_one_line {
    /// The number to pass as track, counted from 0 among the sound tracks of the file.
    index: u32,
    /// The codec's short name, as FFmpeg has it: "aac", "ac3", "opus", ..., whether or not it can be decoded.
    codec: String,
    /// The language as the file states it: "eng", "fra", ...
    language: Option<String>,
    /// The number of channels.
    channels: Option<u16>,
    /// Frames per second, in Hz.
    sample_rate: Option<u32>,
    /// Whether it is the track that is read when none is chosen.
    is_default: bool,
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.facts(py)?.values().to_tuple().hash()
    }
}

facts! {
    /// What a file says about its audio, found without reading the samples. None stands for what is not known.
    AudioInfo, in_lines {
    /// The number of frames that `load` returns.
    frames: u64,
    /// Frames per second, in Hz.
    sample_rate: u32,
    /// The number of channels.
    channels: u16,
    /// The length in seconds: frames / sample_rate.
    duration: f64,
    /// The file format, by the usual extension: "wav", "aiff", "flac", "mp3", "m4a" for MPEG-4 with audio alone, "mp4" with
    /// video, "ogg", ...
    container: String,
    /// The exact variant of the format, such as "rf64", "aifc" or "M4A ", or None when it has only one.
    container_variant: Option<String>,
    /// The codec's short name, as FFmpeg has it: "pcm_s16le", "mp3", "aac", "flac", ...
    codec: String,
    /// The encoding of the samples as `save` takes it, such as "pcm16" or "float32"; the codec's name for compressed audio.
    subtype: String,
    /// The significant bits of a sample, or None for a codec without a bit depth, such as MP3.
    bit_depth: Option<u16>,
    /// The bits that a sample takes in the file, at least bit_depth, or None for compressed audio.
    bits: Option<u16>,
    /// The speaker arrangement, such as "stereo" or "5.1", or None when the file does not say.
    channel_layout: Option<String>,
    /// Whether the codec keeps every sample as it was.
    is_lossless: bool,
    /// Whether the file ends before the audio that it promises; frames counts the frames that are present.
    is_truncated: bool,
    /// The plugin that decodes the file, or None when mapwave itself reads it.
    plugin: Option<String>,
    /// The frames of encoder delay that load leaves out at the start; 0 also when the file does not state its delay.
    priming_frames: u32,
    /// The frames that load leaves out at the end, since they only fill the last packet; 0 also when the file does not say.
    padding_frames: u32,
    /// Metadata: lower-case Vorbis comment names and their values, several joined by "; ".
    tags: BTreeMap<String, String>,
    /// The sound tracks of the file, of which these facts are those of one.
    tracks: Tracks,
    /// What codec plugins said that failed to open the file before the one in plugin did, which is logged as a warning too;
    /// empty unless a plugin has a fault.
    plugin_errors: Texts,
    }
}

impl From<SoundTrack> for Track {
    fn from(track: SoundTrack) -> Self {
        let SoundTrack { codec, language, sample_rate, num_channels, is_default } = track;
        Self { index: 0, codec, language, channels: num_channels, sample_rate, is_default }
    }
}

impl From<&Reader> for AudioInfo {
    fn from(reader: &Reader) -> Self {
        let track = reader.track();
        let pcm = track.pcm();
        let compressed = match &track.codec {
            Codec::Compressed(stream) => Some(stream),
            Codec::Pcm(_) | Codec::Packets(_) => None,
        };
        Self {
            frames: reader.num_file_frames(),
            sample_rate: track.sample_rate,
            channels: track.num_channels,
            duration: reader.duration(),
            container: track.container.name().to_owned(),
            container_variant: track.container.variant().map(str::to_owned),
            codec: track.codec.name().to_owned(),
            subtype: pcm.map_or_else(|| track.codec.name(), |format| format.subtype()).to_owned(),
            bit_depth: track.bits_per_sample,
            bits: pcm.and_then(|format| u16::try_from(format.num_bytes() * 8).ok()),
            channel_layout: track.channel_layout().map(str::to_owned),
            is_lossless: compressed
                .map_or(!pcm.is_some_and(SampleFormat::is_companded), |stream| stream.is_lossless),
            is_truncated: track.missing_bytes > 0,
            plugin: compressed.map(|stream| stream.plugin.to_owned()),
            priming_frames: compressed.map_or(0, |stream| stream.priming_frames),
            padding_frames: compressed.map_or(0, |stream| stream.padding_frames),
            tags: joined(reader.tags()),
            tracks: Tracks(
                (0..)
                    .zip(reader.sound_tracks())
                    .map(|(index, track)| Track { index, ..track.into() })
                    .collect(),
            ),
            plugin_errors: Texts(reader.plugin_failures().iter().map(ToString::to_string).collect()),
        }
    }
}

/// Tags with the values of each name joined.
fn joined(pairs: Vec<(String, String)>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::<String, String>::new();
    for (key, value) in pairs {
        let values = tags.entry(key).or_default();
        if !values.is_empty() {
            values.push_str("; ");
        }
        values.push_str(&value);
    }
    tags
}
