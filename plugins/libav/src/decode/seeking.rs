//! What a seek promises, codec by codec, and how far before its aim a new codec must begin.

#![forbid(unsafe_code)]

use mapwave_plugin::SeekClass;

/// How a codec is entered in the middle of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// What is promised.
    pub(super) class: Class,
    /// The packets before the one wanted that are decoded and dropped, at least.
    pub(super) packets: u32,
    /// The milliseconds of sound that they are, at least.
    pub(super) milliseconds: u32,
}

/// A seek class without its grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Exact,
    Anchored,
    None,
}

/// The distance of the points that the host decodes anew from, in milliseconds: of codecs that forget soon, and of others.
const GRID_MILLISECONDS: u32 = 2000;
const WIDE_GRID_MILLISECONDS: u32 = 4000;

/// The pre-roll in milliseconds from which on the grid is the wide one.
const WIDE: u32 = 200;

impl Entry {
    /// How a codec is entered. Those that are not named keep a state of which nothing is known: they are read from the front.
    pub(super) fn of(codec: &str) -> Self {
        let entry = |class, packets, milliseconds| Self { class, packets, milliseconds };
        match codec {
            // Each packet stands alone.
            "flac" | "alac" | "wavpack" | "tta" | "ape" => entry(Class::Exact, 0, 0),
            "adpcm_ima_wav" | "adpcm_ms" | "adpcm_swf" => entry(Class::Exact, 0, 0),
            // Frames of DVD lie across its packets.
            "pcm_dvd" => entry(Class::None, 0, 0),
            _ if codec.starts_with("pcm_") => entry(Class::Exact, 0, 0),
            // Half of a block comes from the packet before.
            "vorbis" => entry(Class::Exact, 1, 0),
            // A filter of a few hundred bytes a channel.
            _ if codec.starts_with("dsd_") => entry(Class::Exact, 1, 10),
            // Rounding is spread over what comes after.
            "mp2" | "mp1" => entry(Class::Anchored, 2, 0),
            // The bits of a packet may lie in those before.
            "mp3" => entry(Class::Anchored, 10, 0),
            "wmav1" | "wmav2" | "wmapro" | "xma1" | "xma2" => entry(Class::Anchored, 2, 500),
            // Filters and predictors that forget.
            "opus" => entry(Class::Anchored, 4, 400),
            "aac" | "aac_latm" => entry(Class::Anchored, 4, 100),
            "ac3" | "eac3" | "dts" => entry(Class::Anchored, 3, 0),
            "amr_nb" | "amr_wb" | "gsm" | "gsm_ms" | "ilbc" => entry(Class::Anchored, 4, 500),
            _ => entry(Class::None, 0, 0),
        }
    }

    /// A stream whose packets nobody has counted, or whose codec is set up anew on the way.
    pub(super) fn unknown() -> Self {
        Self { class: Class::None, packets: 0, milliseconds: 0 }
    }

    /// The class as the host is told, for a rate.
    pub(super) fn seek_class(self, sample_rate: u32) -> SeekClass {
        match self.class {
            Class::Exact => SeekClass::Exact,
            Class::None => SeekClass::None,
            Class::Anchored => {
                let is_wide = self.milliseconds >= WIDE;
                let milliseconds = if is_wide { WIDE_GRID_MILLISECONDS } else { GRID_MILLISECONDS };
                let grid_frames = u64::from(sample_rate) * u64::from(milliseconds) / 1000;
                SeekClass::Anchored { grid_frames: grid_frames.max(1) }
            }
        }
    }

    /// The frames of pre-roll at a rate, packets not counted.
    pub(super) fn num_frames(self, sample_rate: u32) -> u64 {
        u64::from(sample_rate) * u64::from(self.milliseconds) / 1000
    }
}
