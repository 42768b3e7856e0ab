//! A plugin's statements about its codecs and containers, read from the lists in its tables.
//!
//! A list has items separated by commas. An item is a name, or a name and its meaning separated by `=`. Items in any other form,
//! and items with names that the plugin does not offer, are ignored.

#![forbid(unsafe_code)]

use crate::pcm::OutputFormat;

/// A lossless codec of an encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LosslessCodec {
    /// The short name.
    pub codec: String,
    /// The bit depths that it accepts; empty if the plugin does not state them.
    pub depths: Vec<u16>,
}

/// The meaning of a file name extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileExtension {
    /// The extension, in lower case and without its dot.
    pub extension: String,
    /// The container's short name.
    pub container: String,
    /// The codec, if the extension implies one.
    pub codec: Option<String>,
}

/// The lossless codecs among `codecs`, with the bit depths that an encoder's integer `formats` can carry: `flac=16/24,wavpack`.
pub(super) fn lossless(items: &[String], codecs: &[String], formats: &[OutputFormat]) -> Vec<LosslessCodec> {
    let takes = |format| formats.contains(&format);
    let deepest = match (takes(OutputFormat::I32), takes(OutputFormat::I16)) {
        (true, _) => 32,
        (false, true) => 16,
        // It receives floats, like a lossy codec.
        (false, false) => return Vec::new(),
    };
    let one = |item: &String| {
        let (codec, depths) = item.split_once('=').unwrap_or((item, ""));
        let depths = depths.split('/').filter_map(|bits| bits.trim().parse().ok());
        let mut depths: Vec<u16> = depths.filter(|bits| (1..=deepest).contains(bits)).collect();
        if depths.is_empty() && deepest == 16 {
            depths.push(deepest);
        }
        named(codec, codecs).map(|codec| LosslessCodec { codec, depths })
    };
    items.iter().filter_map(one).collect()
}

/// The default codecs of containers, as pairs: `m4a=aac`.
pub(super) fn default_codecs(
    items: &[String],
    containers: &[String],
    codecs: &[String],
) -> Vec<(String, String)> {
    let one = |item: &String| {
        let (container, codec) = item.split_once('=')?;
        named(container, containers).zip(named(codec, codecs))
    };
    items.iter().filter_map(one).collect()
}

/// The meanings of extensions: `m4b=m4a,opus=ogg/opus`.
pub(super) fn extensions(items: &[String], containers: &[String], codecs: &[String]) -> Vec<FileExtension> {
    let one = |item: &String| {
        let (extension, meaning) = item.split_once('=')?;
        let (container, codec) = match meaning.split_once('/') {
            Some((container, codec)) => (container, Some(named(codec, codecs)?)),
            None => (meaning, None),
        };
        let extension = extension.trim().to_owned();
        Some(FileExtension { extension, container: named(container, containers)?, codec })
    };
    items.iter().filter_map(one).filter(|fact| !fact.extension.is_empty()).collect()
}

/// The name, if it is one of `names`.
fn named(name: &str, names: &[String]) -> Option<String> {
    names.iter().find(|other| *other == name.trim()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn what_is_stated_is_read() {
        let codecs = list("aac,alac,flac");
        let lossless = lossless(&list("alac=16/24,flac"), &codecs, &[OutputFormat::I32]);
        let codec =
            |codec: &str, depths: &[u16]| LosslessCodec { codec: codec.to_owned(), depths: depths.into() };
        assert_eq!(lossless, [codec("alac", &[16, 24]), codec("flac", &[])]);
        let containers = list("m4a,mp4");
        let defaults = default_codecs(&list("m4a=aac, mp4 = alac"), &containers, &codecs);
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(defaults, [pair("m4a", "aac"), pair("mp4", "alac")]);
        let extensions = extensions(&list("m4b=m4a,lossless=m4a/alac"), &containers, &codecs);
        let extension = |extension: &str, codec: Option<&str>| FileExtension {
            extension: extension.to_owned(),
            container: "m4a".to_owned(),
            codec: codec.map(str::to_owned),
        };
        assert_eq!(extensions, [extension("m4b", None), extension("lossless", Some("alac"))]);
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let (codecs, containers) = (list("aac"), list("m4a"));
        let lossless =
            |items: &str, formats: &[OutputFormat]| super::lossless(&list(items), &codecs, formats);
        let depths = |found: &[LosslessCodec]| found.first().map(|codec| codec.depths.clone());
        assert_eq!(lossless("mp3=16,=24,", &[OutputFormat::I32]), []);
        let odd = lossless("aac=16/x/-1/0/33/99999999/", &[OutputFormat::I32]);
        assert_eq!(depths(&odd), Some(vec![16]));
        for items in ["aac", "aac=24", "aac=16/24"] {
            assert_eq!(depths(&lossless(items, &[OutputFormat::I16])), Some(vec![16]), "{items}");
            assert_eq!(lossless(items, &[OutputFormat::F32]), [], "{items}");
        }
        for odd in ["", "m4a", "m4a=", "=aac", "m4a=mp3", "mp4=aac", "m4a=aac=aac"] {
            assert_eq!(default_codecs(&list(odd), &containers, &codecs), [], "{odd}");
        }
        for odd in ["", "m4b", "m4b=", "=m4a", "m4b=mp4", "m4b=m4a/mp3", "m4b=m4a/", "m4b=m4a/aac/aac"] {
            assert_eq!(extensions(&list(odd), &containers, &codecs), [], "{odd}");
        }
    }
}
