//! The seek class of each codec, and its pre-roll.

#![forbid(unsafe_code)]

use mapwave_plugin::SeekClass;

/// How decoding starts in the middle of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The seek class.
    pub(super) class: Class,
    /// The minimum number of pre-roll packets, which are decoded and dropped.
    pub(super) packets: u32,
    /// The minimum pre-roll in milliseconds.
    pub(super) milliseconds: u32,
    /// The size of a bit reservoir, which the packets before the pre-roll fill.
    pub(super) reservoir_bytes: u64,
}

/// A seek class without its grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Exact,
    Anchored,
    None,
}

/// The grid of anchored seeks in milliseconds: for codecs with a short memory, and for others.
const GRID_MILLISECONDS: u32 = 2000;
const WIDE_GRID_MILLISECONDS: u32 = 4000;

/// The pre-roll in milliseconds from which on the wide grid is used.
const WIDE: u32 = 200;

/// The greatest `main_data_begin` of MP3 (ISO 11172-3, 2.4.1.7).
const MP3_RESERVOIR_BYTES: u64 = 511;

impl Entry {
    /// How decoding of a codec starts. Codecs not listed keep an unknown state and are decoded from the start.
    pub(super) fn of(codec: &str) -> Self {
        let entry = |class, packets, milliseconds| Self { class, packets, milliseconds, reservoir_bytes: 0 };
        match codec {
            // Each packet stands alone.
            "flac" | "alac" | "wavpack" | "tta" | "ape" => entry(Class::Exact, 0, 0),
            "adpcm_ima_wav" | "adpcm_ms" | "adpcm_swf" => entry(Class::Exact, 0, 0),
            // DVD frames cross packet boundaries.
            "pcm_dvd" => entry(Class::None, 0, 0),
            _ if codec.starts_with("pcm_") => entry(Class::Exact, 0, 0),
            // Half of each block overlaps the previous packet.
            "vorbis" => entry(Class::Exact, 1, 0),
            // A filter of a few hundred bytes a channel.
            _ if codec.starts_with("dsd_") => entry(Class::Exact, 1, 10),
            // Rounding errors spread to later samples.
            "mp2" | "mp1" => entry(Class::Anchored, 2, 0),
            // A bit reservoir: a packet's bits may lie in earlier packets.
            "mp3" => Self { reservoir_bytes: MP3_RESERVOIR_BYTES, ..entry(Class::Anchored, 10, 0) },
            // One packet completes a frame that begins before it, and two more show where frames stand.
            "wmav1" | "wmav2" | "wmapro" => entry(Class::Anchored, 3, 500),
            // Filters and predictors with a finite memory.
            "opus" => entry(Class::Anchored, 4, 400),
            // The low-complexity profile. See `aac`.
            "aac" => entry(Class::Anchored, 4, 100),
            "ac3" | "eac3" | "dts" => entry(Class::Anchored, 3, 0),
            "amr_nb" | "amr_wb" | "gsm" | "gsm_ms" | "ilbc" => entry(Class::Anchored, 4, 500),
            _ => entry(Class::None, 0, 0),
        }
    }

    /// AAC with spectral band replication or parametric stereo needs their headers, of which there may be one in the whole stream;
    /// the profiles other than low complexity predict from any distance.
    pub(super) fn aac(is_low_complexity: bool, has_replication: bool) -> Self {
        if is_low_complexity && !has_replication { Self::of("aac") } else { Self::unknown() }
    }

    /// A stream with an unknown number of packets, or one that reconfigures its codec.
    pub(super) fn unknown() -> Self {
        Self { class: Class::None, packets: 0, milliseconds: 0, reservoir_bytes: 0 }
    }

    /// The class to report to the host, for a sample rate.
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

    /// The pre-roll in frames at a sample rate, apart from packets.
    pub(super) fn num_frames(self, sample_rate: u32) -> u64 {
        u64::from(sample_rate) * u64::from(self.milliseconds) / 1000
    }
}
