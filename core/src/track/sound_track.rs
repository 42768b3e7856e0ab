//! The sound tracks of a file, of which one is read.

/// One of the sound tracks of a file, whether or not it can be decoded. Its facts are those that the container states; those of the
/// open track are what is decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundTrack {
    /// The codec's short name, such as `aac`, or the container's name of a codec that has none.
    pub codec: String,
    /// The language as the container states it, such as `eng`.
    pub language: Option<String>,
    /// Frames per second.
    pub sample_rate: Option<u32>,
    /// Samples per frame.
    pub num_channels: Option<u16>,
    /// Whether it is the track that is read if none is chosen; it is one of the tracks.
    pub is_default: bool,
}

impl SoundTrack {
    /// The tracks of a list that a plugin has made, of which one is open: the one of a number, or the default one. One of them is
    /// made the default if the plugin says otherwise, and the open one has its own facts.
    pub(crate) fn settled(mut listed: Vec<Self>, number: Option<u32>, open: Self) -> Vec<Self> {
        let default = listed.iter().position(|track| track.is_default).unwrap_or(0);
        let number = number.map_or(default, |number| usize::try_from(number).unwrap_or(usize::MAX));
        let Some(place) = listed.get_mut(number) else {
            return vec![Self { is_default: true, ..open }];
        };
        *place = Self { language: place.language.take(), ..open };
        for (number, track) in listed.iter_mut().enumerate() {
            track.is_default = number == default;
        }
        listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(codec: &str, language: Option<&str>, is_default: bool) -> SoundTrack {
        let language = language.map(str::to_owned);
        SoundTrack { codec: codec.into(), language, sample_rate: None, num_channels: None, is_default }
    }

    fn shown(tracks: &[SoundTrack]) -> Vec<(&str, Option<&str>, bool)> {
        tracks.iter().map(|track| (&*track.codec, track.language.as_deref(), track.is_default)).collect()
    }

    #[test]
    fn one_is_the_default_and_the_open_one_has_its_own_facts() {
        let listed = vec![track("a", Some("eng"), false), track("b", None, true), track("c", None, true)];
        let settled = |number| SoundTrack::settled(listed.clone(), number, track("own", None, false));
        let expected = [("a", Some("eng"), false), ("own", None, true), ("c", None, false)];
        assert_eq!(shown(&settled(None)), expected);
        let expected = [("own", Some("eng"), false), ("b", None, true), ("c", None, false)];
        assert_eq!(shown(&settled(Some(0))), expected);
        let none = vec![track("a", None, false), track("b", None, false)];
        let found = SoundTrack::settled(none, Some(1), track("own", None, false));
        assert_eq!(shown(&found), [("a", None, true), ("own", None, false)]);
        assert_eq!(
            shown(&SoundTrack::settled(Vec::new(), None, track("own", None, false))),
            [("own", None, true)]
        );
    }
}
