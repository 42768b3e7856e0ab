//! The codecs that can be written, and the framework's names for them.

#![forbid(unsafe_code)]

use crate::sys::*;

/// A codec that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Aac,
    Alac,
    Flac,
    Ima4,
}

/// The bit depths of a lossless codec, and their flags.
type Depths = &'static [(u32, u32)];

impl Codec {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "aac" => Self::Aac,
            "alac" => Self::Alac,
            "flac" => Self::Flac,
            "adpcm_ima_qt" => Self::Ima4,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::Alac => "alac",
            Self::Flac => "flac",
            Self::Ima4 => "adpcm_ima_qt",
        }
    }

    pub(super) fn format_id(self) -> u32 {
        match self {
            Self::Aac => kAudioFormatMPEG4AAC,
            Self::Alac => kAudioFormatAppleLossless,
            Self::Flac => kAudioFormatFLAC,
            Self::Ima4 => kAudioFormatAppleIMA4,
        }
    }

    pub(super) fn depths(self) -> Depths {
        match self {
            Self::Alac => &[
                (16, kAppleLosslessFormatFlag_16BitSourceData),
                (20, kAppleLosslessFormatFlag_20BitSourceData),
                (24, kAppleLosslessFormatFlag_24BitSourceData),
                (32, kAppleLosslessFormatFlag_32BitSourceData),
            ],
            Self::Flac => &[
                (16, kAppleLosslessFormatFlag_16BitSourceData),
                (24, kAppleLosslessFormatFlag_24BitSourceData),
            ],
            Self::Aac | Self::Ima4 => &[],
        }
    }

    pub(super) fn is_lossless(self) -> bool {
        !self.depths().is_empty()
    }

    pub(super) fn max_channels(self) -> u32 {
        if self == Self::Ima4 { 2 } else { 8 }
    }
}
