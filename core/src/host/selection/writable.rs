//! The formats that can be written, as stated by the encoders of all plugins.

#![forbid(unsafe_code)]

use std::sync::Arc;

use super::encoder::distinct;
use crate::host::registry::{self, Snapshot};
use crate::host::table::encoder::EncoderSummary;

/// The encoding plugins and their statements, in order of precedence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writable(Vec<(&'static str, Arc<EncoderSummary>)>);

impl Writable {
    /// The formats that can currently be written.
    pub(crate) fn now() -> Self {
        Self::of(registry::snapshot())
    }

    /// The formats that ever more plugins write, and at last all of them. Each begins with those before it.
    pub(crate) fn stages() -> impl Iterator<Item = Self> {
        registry::stages().map(Self::of)
    }

    fn of(snapshot: &Snapshot) -> Self {
        Self::new(snapshot.encoders.iter().map(|kind| (kind.plugin(), kind.shared_summary())))
    }

    /// The formats that these encoders write.
    pub(crate) fn new(encoders: impl IntoIterator<Item = (&'static str, Arc<EncoderSummary>)>) -> Self {
        Self(encoders.into_iter().collect())
    }

    /// The encoders for a container: those of the given plugin if it writes the container, otherwise all of them.
    pub(crate) fn of_container(&self, container: &str, plugin: Option<&str>) -> Self {
        let writes = |encoder: &EncoderSummary| encoder.containers.iter().any(|name| name == container);
        let all = self.0.iter().filter(|(_, encoder)| writes(encoder)).cloned();
        let all: Vec<_> = all.collect();
        let of_plugin = all.iter().filter(|(id, _)| plugin.is_some_and(|wanted| wanted == *id)).cloned();
        let of_plugin: Vec<_> = of_plugin.collect();
        Self(if of_plugin.is_empty() { all } else { of_plugin })
    }

    /// Whether one of the encoders is the plugin's.
    pub(crate) fn has_plugin(&self, plugin: &str) -> bool {
        self.0.iter().any(|(id, _)| *id == plugin)
    }

    /// The containers.
    pub(crate) fn containers(&self) -> Vec<String> {
        distinct(self.0.iter().flat_map(|(_, encoder)| &encoder.containers))
    }

    /// The codecs.
    pub(crate) fn codecs(&self) -> Vec<String> {
        distinct(self.0.iter().flat_map(|(_, encoder)| &encoder.codecs))
    }

    /// The container for an extension or a container's name, and the codec if it implies one, according to the first encoder that
    /// knows the name.
    pub(crate) fn meaning(&self, name: &str) -> Option<(String, Option<String>)> {
        self.0.iter().find_map(|(_, encoder)| {
            let stated = encoder.extensions.iter().find(|fact| fact.extension == name);
            let stated = stated.map(|fact| (fact.container.clone(), fact.codec.clone()));
            let is_container = || encoder.containers.iter().any(|container| container == name);
            stated.or_else(|| is_container().then(|| (name.to_owned(), None)))
        })
    }

    /// The default codec of a container.
    pub(crate) fn default_codec(&self, container: &str) -> Option<String> {
        let stated = self.0.iter().flat_map(|(_, encoder)| &encoder.default_codecs);
        stated.filter(|(name, _)| name == container).map(|(_, codec)| codec.clone()).next()
    }

    /// The bit depths of a codec that one of the encoders states to be lossless, empty if none lists them; `None` for any other
    /// codec.
    pub(crate) fn lossless_depths(&self, codec: &str) -> Option<Vec<u16>> {
        let stated = self.0.iter().flat_map(|(_, encoder)| &encoder.lossless);
        let mut stated = stated.filter(|lossless| lossless.codec == codec).peekable();
        stated.peek()?;
        let mut depths: Vec<u16> = stated.flat_map(|lossless| lossless.depths.clone()).collect();
        depths.sort_unstable();
        depths.dedup();
        Some(depths)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::host::{FileExtension, LosslessCodec};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    /// Three plugins: "plain" states nothing, "exact" has a lossless codec, "many" knows extensions and defaults.
    pub(crate) fn three_plugins() -> Writable {
        let plain = EncoderSummary {
            codecs: names(&["opus", "squeeze"]),
            containers: names(&["ogg", "box"]),
            ..EncoderSummary::default()
        };
        let exact = EncoderSummary {
            codecs: names(&["exact", "squeeze", "old"]),
            containers: names(&["exa", "ogg"]),
            lossless: vec![
                LosslessCodec { codec: "exact".to_owned(), depths: vec![16, 24] },
                LosslessCodec { codec: "old".to_owned(), depths: vec![16] },
            ],
            extensions: vec![FileExtension {
                extension: "ex".to_owned(),
                container: "exa".to_owned(),
                codec: None,
            }],
            ..EncoderSummary::default()
        };
        let many = EncoderSummary {
            codecs: names(&["opus", "vorbis", "exact"]),
            containers: names(&["ogg", "mp4", "m4a"]),
            default_codecs: vec![("ogg".to_owned(), "vorbis".to_owned())],
            lossless: vec![LosslessCodec { codec: "exact".to_owned(), depths: vec![24, 32] }],
            extensions: vec![
                FileExtension {
                    extension: "opus".to_owned(),
                    container: "ogg".to_owned(),
                    codec: Some("opus".to_owned()),
                },
                FileExtension { extension: "mp4".to_owned(), container: "m4a".to_owned(), codec: None },
                FileExtension { extension: "ex".to_owned(), container: "ogg".to_owned(), codec: None },
            ],
            ..EncoderSummary::default()
        };
        let summaries = [("plain", plain), ("exact", exact), ("many", many)];
        Writable::new(summaries.map(|(id, summary)| (id, Arc::new(summary))))
    }

    /// The three, one after the other.
    pub(crate) fn three_stages() -> impl Iterator<Item = Writable> {
        let Writable(all) = three_plugins();
        (1..=all.len()).map(move |number| Writable(all.iter().take(number).cloned().collect()))
    }

    #[test]
    fn an_extension_means_what_the_first_that_knows_it_says() {
        let writable = three_plugins();
        let meaning = |name: &str| writable.meaning(name);
        assert_eq!(meaning("opus"), Some(("ogg".to_owned(), Some("opus".to_owned()))));
        assert_eq!(meaning("mp4"), Some(("m4a".to_owned(), None)), "an extension before its own containers");
        assert_eq!(meaning("ex"), Some(("exa".to_owned(), None)));
        assert_eq!(meaning("ogg"), Some(("ogg".to_owned(), None)));
        assert_eq!(meaning("xyz"), None);
    }

    #[test]
    fn the_codec_of_a_container_is_what_is_stated_first() {
        let ogg = three_plugins().of_container("ogg", None);
        assert_eq!(ogg.codecs(), ["opus", "squeeze", "exact", "old", "vorbis"]);
        assert_eq!(ogg.default_codec("ogg").as_deref(), Some("vorbis"));
        assert_eq!(ogg.default_codec("m4a"), None);
        let plain = three_plugins().of_container("ogg", Some("plain"));
        assert_eq!((plain.codecs(), plain.default_codec("ogg")), (names(&["opus", "squeeze"]), None));
        let other = three_plugins().of_container("exa", Some("plain"));
        assert_eq!(
            other.codecs(),
            ["exact", "squeeze", "old"],
            "a plugin that does not write it changes nothing"
        );
        assert_eq!(three_plugins().of_container("xyz", None).codecs(), names(&[]));
    }

    #[test]
    fn a_codec_is_lossless_where_an_encoder_says_so() {
        let ogg = three_plugins().of_container("ogg", None);
        assert_eq!(ogg.lossless_depths("exact"), Some(vec![16, 24, 32]));
        assert_eq!(ogg.lossless_depths("opus"), None);
        let m4a = three_plugins().of_container("m4a", None);
        assert_eq!(m4a.lossless_depths("exact"), Some(vec![24, 32]));
    }
}
