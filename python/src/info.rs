//! `AudioInfo`: the facts of an audio file.

use std::collections::BTreeMap;

use mapwave_core::track::Codec;
use mapwave_core::{Reader, SampleFormat};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

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
    BTreeMap<String, String> => "dict[str, str]",
}

/// Declares the class with the fields of a list, in whose order they are shown and pickled.
macro_rules! audio_info {
    ($($(#[$doc:meta])* $field:ident: $kind:ty,)*) => {
        /// What a file says about its audio, found without reading the samples. None stands for what is not known.
        #[pyclass(frozen, eq, get_all, module = "mapwave")]
        #[derive(Clone, PartialEq)]
        pub(crate) struct AudioInfo {
            $($(#[$doc])* $field: $kind,)*
        }

        #[pymethods]
        impl AudioInfo {
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

            /// The facts as a new dict, by their names.
            fn asdict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
                let facts = PyDict::new(py);
                $(facts.set_item(stringify!($field), self.$field.clone())?;)*
                Ok(facts)
            }

            fn __reduce__<'py>(
                &self,
                py: Python<'py>,
            ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
                let values = self.asdict(py)?.values();
                Ok((py.get_type::<Self>().into_any(), values.to_tuple()))
            }

            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                let mut text = "AudioInfo(".to_owned();
                let mut width = LINE_WIDTH;
                for (name, value) in self.asdict(py)? {
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
        }
    };
}

audio_info! {
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
