//! The file formats that can be written, and how a name selects one.

#![forbid(unsafe_code)]

use std::path::Path;

use super::encoding::PcmEncoding;
use super::header::PcmFacts;
use super::{aiff, caf, w64, wav};
use crate::error::{Error, Parameter, Result};
use crate::host::Writable;
use crate::pcm::SampleFormat;

/// The format of a file to write.
///
/// ```
/// use std::path::Path;
///
/// use mapwave_core::sink::FileFormat;
///
/// assert_eq!(FileFormat::of_path(Path::new("a/b.WAV"))?, FileFormat::Wav);
/// assert_eq!(FileFormat::named("aifc")?, FileFormat::Aifc);
/// assert_eq!(FileFormat::named("m4a")?, FileFormat::Compressed { container: "m4a".to_owned(), codec: None });
/// # Ok::<(), mapwave_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// RIFF/WAVE, or RF64 if the file is larger than 4 GiB.
    Wav,
    /// RF64 for all sizes.
    Rf64,
    /// Sony Wave64.
    W64,
    /// AIFF, or AIFF-C for encodings that AIFF does not support.
    Aiff,
    /// AIFF-C.
    Aifc,
    /// Apple Core Audio Format.
    Caf,
    /// A container that a codec plugin writes.
    Compressed {
        /// The container's name.
        container: String,
        /// The codec that the name implies; `None` for the container's default codec.
        codec: Option<String>,
    },
}

/// The formats that this crate writes, and their names. The first name of each is its own, the others are extensions.
const PCM: [(FileFormat, &[&str]); 6] = [
    (FileFormat::Wav, &["wav", "wave", "bwf"]),
    (FileFormat::Rf64, &["rf64"]),
    (FileFormat::W64, &["w64"]),
    (FileFormat::Aiff, &["aiff", "aif", "aifr"]),
    (FileFormat::Aifc, &["aifc"]),
    (FileFormat::Caf, &["caf"]),
];

impl FileFormat {
    /// The format for a name, which is the format's own name or an extension. For a name that is not this crate's, plugins
    /// determine the container; if none does, the result is a container of that name, which no loaded plugin writes.
    ///
    /// # Errors
    /// [`Error::Argument`] if the name is empty.
    pub fn named(name: &str) -> Result<Self> {
        Self::among(name, Writable::stages)
    }

    /// As [`named`](Self::named), with the formats of plugins, which are only asked for names that are not this crate's.
    fn among<W: IntoIterator<Item = Writable>>(name: &str, stages: impl Fn() -> W) -> Result<Self> {
        let lower = name.trim_start_matches('.').to_ascii_lowercase();
        if lower.is_empty() {
            return Err(Error::argument(Parameter::FileFormat, known_formats(), format!("'{name}'")));
        }
        if let Some((format, _)) = PCM.into_iter().find(|(_, names)| names.contains(&lower.as_str())) {
            return Ok(format);
        }
        let meaning = stages().into_iter().find_map(|writable| writable.meaning(&lower));
        let (container, codec) = meaning.unwrap_or((lower, None));
        Ok(Self::Compressed { container, codec })
    }

    /// The format for a path, by its extension.
    ///
    /// # Errors
    /// [`Error::Argument`] if the path has no extension.
    pub fn of_path(path: &Path) -> Result<Self> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
        match extension {
            Some(extension) if !extension.is_empty() => Self::named(&extension),
            _ => {
                let expected = format!("given for a path without an extension ({})", known_formats());
                Err(Error::argument(Parameter::FileFormat, expected, "none"))
            }
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Wav => "wav",
            Self::Rf64 => "rf64",
            Self::W64 => "w64",
            Self::Aiff => "aiff",
            Self::Aifc => "aifc",
            Self::Caf => "caf",
            Self::Compressed { container, .. } => container,
        }
    }

    /// The facts about a format that this crate writes; `None` if a plugin writes it.
    pub(super) fn facts(&self) -> Option<&'static PcmFacts> {
        match self {
            Self::Wav => Some(&wav::WAV),
            Self::Rf64 => Some(&wav::RF64),
            Self::W64 => Some(&w64::W64),
            Self::Aiff => Some(&aiff::AIFF),
            Self::Aifc => Some(&aiff::AIFC),
            Self::Caf => Some(&caf::CAF),
            Self::Compressed { .. } => None,
        }
    }

    /// How this crate stores samples of an encoding in the format; `None` if a plugin writes it.
    pub(super) fn sample_format(&self, encoding: PcmEncoding) -> Option<SampleFormat> {
        self.facts().map(|facts| encoding.stored(facts.byte_order, facts.has_signed_bytes))
    }
}

/// The formats that can currently be written, for a message.
pub(super) fn known_formats() -> String {
    let own = PCM.iter().map(|(format, _)| format.name().to_owned());
    let mut names: Vec<String> = own.collect();
    let others = Writable::now().containers().into_iter().filter(|name| !names.contains(name));
    let others: Vec<String> = others.collect();
    names.extend(others);
    let names: Vec<String> = names.into_iter().map(|name| format!("'{name}'")).collect();
    format!("one of {}", names.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::host;

    fn needs_no_plugin() -> [Writable; 0] {
        panic!("plugins are asked")
    }

    #[test]
    fn an_extension_stands_for_its_format() {
        let of = |path: &str| FileFormat::of_path(Path::new(path)).unwrap();
        assert_eq!(of("x.AIF"), FileFormat::Aiff);
        assert_eq!(of("x.rf64"), FileFormat::Rf64);
        assert_eq!(of("x.bwf"), FileFormat::Wav);
        let message = FileFormat::of_path(Path::new("dir.wav/noext")).unwrap_err().to_string();
        assert!(message.starts_with("format must be given") && message.contains("'w64'"), "{message}");
        assert!(FileFormat::of_path(Path::new("x.")).is_err());
    }

    #[test]
    fn what_plugins_write_is_what_they_say() {
        let named = |name: &str| FileFormat::among(name, || [host::three_plugins()]).unwrap();
        let compressed = |container: &str, codec: Option<&str>| FileFormat::Compressed {
            container: container.to_owned(),
            codec: codec.map(str::to_owned),
        };
        assert_eq!(named("MP4"), compressed("m4a", None));
        assert_eq!(named(".opus"), compressed("ogg", Some("opus")));
        assert_eq!(named("box"), compressed("box", None));
        assert_eq!(named("xyz"), compressed("xyz", None));
        for (format, names) in PCM {
            assert_eq!(names.first().copied(), Some(format.name()));
            for name in names {
                let parsed = FileFormat::among(name, needs_no_plugin).unwrap();
                assert_eq!(parsed, format);
            }
        }
    }

    #[test]
    fn eight_bits_are_signed_where_the_container_has_them_so() {
        assert_eq!(FileFormat::Wav.sample_format(PcmEncoding::Pcm8), Some(SampleFormat::U8));
        assert_eq!(FileFormat::Caf.sample_format(PcmEncoding::Pcm8), Some(SampleFormat::S8));
        assert_eq!(FileFormat::named("flac").unwrap().sample_format(PcmEncoding::Pcm16), None);
    }
}
