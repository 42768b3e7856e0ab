//! The file formats that can be written, and how one is chosen.

#![forbid(unsafe_code)]

use std::path::Path;

use super::encoding::PcmEncoding;
use crate::error::{Error, Result};
use crate::host;
use crate::pcm::{ByteOrder, SampleFormat};

/// A kind of file to be written.
///
/// ```
/// use std::path::Path;
///
/// use mapwave_core::sink::FileFormat;
///
/// assert_eq!(FileFormat::of_path(Path::new("a/b.WAV"))?, FileFormat::Wav);
/// assert_eq!(FileFormat::named("aifc")?, FileFormat::Aifc);
/// assert_eq!(FileFormat::named("m4a")?, FileFormat::Coded { container: "m4a".to_owned(), codec: None });
/// # Ok::<(), mapwave_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// RIFF/WAVE; RF64 by itself when it passes 4 GiB.
    Wav,
    /// RF64 whatever its size.
    Rf64,
    /// Sony Wave64.
    W64,
    /// AIFF; AIFF-C by itself for what AIFF has not.
    Aiff,
    /// AIFF-C.
    Aifc,
    /// Apple Core Audio Format.
    Caf,
    /// A container that a codec plugin writes.
    Coded {
        /// The container's name.
        container: String,
        /// The codec that goes without saying; `None` for the container's usual one.
        codec: Option<&'static str>,
    },
}

/// Extensions that are not the name of their format.
const ALIASES: [(&str, &str); 10] = [
    ("wave", "wav"),
    ("bwf", "wav"),
    ("aif", "aiff"),
    ("aifr", "aiff"),
    ("m4b", "m4a"),
    ("mp4", "m4a"),
    ("oga", "ogg"),
    ("aac", "adts"),
    ("mkv", "mka"),
    ("fla", "flac"),
];

impl FileFormat {
    /// The format of a name, as `format=` takes it: a format's own or an extension.
    ///
    /// # Errors
    /// [`Error::Argument`] when the name is empty.
    pub fn named(name: &str) -> Result<Self> {
        let lower = name.trim_start_matches('.').to_ascii_lowercase();
        let known =
            ALIASES.iter().find(|(alias, _)| *alias == lower).map_or(lower.as_str(), |(_, name)| name);
        Ok(match known {
            "" => return Err(Error::argument("format", known_formats(), format!("'{name}'"))),
            "wav" => Self::Wav,
            "rf64" => Self::Rf64,
            "w64" => Self::W64,
            "aiff" => Self::Aiff,
            "aifc" => Self::Aifc,
            "caf" => Self::Caf,
            "opus" => Self::Coded { container: "ogg".to_owned(), codec: Some("opus") },
            container => Self::Coded { container: container.to_owned(), codec: None },
        })
    }

    /// The format that a file name's extension stands for.
    ///
    /// # Errors
    /// [`Error::Argument`] when there is none.
    pub fn of_path(path: &Path) -> Result<Self> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
        match extension {
            Some(extension) if !extension.is_empty() => Self::named(&extension),
            _ => {
                let expected = format!("given for a path without an extension ({})", known_formats());
                Err(Error::argument("format", expected, "none"))
            }
        }
    }

    /// Its name, as `format=` takes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Wav => "wav",
            Self::Rf64 => "rf64",
            Self::W64 => "w64",
            Self::Aiff => "aiff",
            Self::Aifc => "aifc",
            Self::Caf => "caf",
            Self::Coded { container, .. } => container,
        }
    }

    /// How this crate stores samples of a depth in the format; `None` where a plugin writes it.
    pub(super) fn sample_format(&self, depth: PcmEncoding) -> Option<SampleFormat> {
        use ByteOrder::{Big, Little};
        let is_aiff = matches!(self, Self::Aiff | Self::Aifc);
        let order = if is_aiff { Big } else { Little };
        let is_signed = is_aiff || *self == Self::Caf;
        if matches!(self, Self::Coded { .. }) {
            return None;
        }
        Some(match depth {
            PcmEncoding::Pcm8 if is_signed => SampleFormat::S8,
            PcmEncoding::Pcm8 => SampleFormat::U8,
            PcmEncoding::Pcm16 => SampleFormat::S16(order),
            PcmEncoding::Pcm24 => SampleFormat::S24(order),
            PcmEncoding::Pcm32 => SampleFormat::S32(order),
            PcmEncoding::F32 => SampleFormat::F32(order),
            PcmEncoding::F64 => SampleFormat::F64(order),
            PcmEncoding::Alaw => SampleFormat::Alaw,
            PcmEncoding::Mulaw => SampleFormat::Mulaw,
        })
    }

    /// Every codec that a plugin writes into this format.
    pub(super) fn codecs(&self) -> Vec<String> {
        let mut codecs = host::writable(self.name());
        if let Self::Coded { codec: Some(codec), .. } = self {
            codecs.retain(|name| name == codec);
        }
        codecs
    }
}

/// The formats that can be written at this moment, for a message.
pub(super) fn known_formats() -> String {
    let mut names: Vec<String> =
        ["wav", "rf64", "w64", "aiff", "aifc", "caf"].iter().map(|name| format!("'{name}'")).collect();
    for container in host::writable_containers() {
        let name = format!("'{container}'");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    format!("one of {}", names.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_stands_for_its_format() {
        let of = |path: &str| FileFormat::of_path(Path::new(path)).unwrap();
        assert_eq!(of("x.AIF"), FileFormat::Aiff);
        assert_eq!(of("x.rf64"), FileFormat::Rf64);
        assert_eq!(of("x.y.mp4").name(), "m4a");
        assert_eq!(of("x.opus"), FileFormat::Coded { container: "ogg".to_owned(), codec: Some("opus") });
        let message = FileFormat::of_path(Path::new("dir.wav/noext")).unwrap_err().to_string();
        assert!(message.starts_with("format must be given") && message.contains("'w64'"), "{message}");
        assert!(FileFormat::of_path(Path::new("x.")).is_err());
    }

    #[test]
    fn eight_bits_are_signed_where_the_container_has_them_so() {
        assert_eq!(FileFormat::Wav.sample_format(PcmEncoding::Pcm8), Some(SampleFormat::U8));
        assert_eq!(FileFormat::Caf.sample_format(PcmEncoding::Pcm8), Some(SampleFormat::S8));
        assert_eq!(FileFormat::named("flac").unwrap().sample_format(PcmEncoding::Pcm16), None);
    }
}
