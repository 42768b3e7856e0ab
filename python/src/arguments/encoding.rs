//! The argument `encoding`.

use mapwave_core::sink::Encoding;
use pyo3::prelude::*;

use super::spelling::dtype_name;
use super::value::{Argument, Mismatch};

/// Names of encoders and of libsndfile's subtypes, with the codec that each stands for.
const CODECS: [(&str, &str); 5] = [
    ("libmp3lame", "mp3"),
    ("libopus", "opus"),
    ("libvorbis", "vorbis"),
    ("mpeg_layer_iii", "mp3"),
    ("wv", "wavpack"),
];

impl<'py> Argument<'py> for Encoding {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let name = dtype_name(value).ok_or_else(|| Mismatch::kind("a str"))?;
        let codec = CODECS.iter().find(|(other, _)| *other == name).map_or(name.as_ref(), |(_, codec)| codec);
        let Ok(encoding) = codec.parse();
        Ok(encoding)
    }
}
