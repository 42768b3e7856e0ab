//! The supported codecs: their names, bit depths and seek behaviour.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::{SampleFormat, SeekClass};

use crate::sys::*;

/// What the samples of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Lossless integers with this many bits.
    Integer(u32),
    /// Integers of a depth that the file does not state.
    Unknown,
    /// Lossless floats.
    Float,
    /// Samples of a lossy codec.
    Lossy,
}

/// How decoding starts in the middle of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Whether the output equals linear decoding bit for bit.
    pub(super) is_exact: bool,
    /// The number of pre-roll packets, which are decoded and dropped.
    pub(super) packets: u32,
    /// The minimum pre-roll in frames.
    pub(super) frames: u32,
}

/// The grid of anchored seeks in seconds.
const GRID_SECONDS: u32 = 4;

/// The maximum number of frames per packet, for codecs whose packets vary.
const USUAL_PACKET: u32 = 4096;

/// The codec of a description in FFmpeg's terms.
pub(super) fn name(format: &AudioStreamBasicDescription) -> Option<&'static CStr> {
    Some(match format.mFormatID {
        kAudioFormatLinearPCM => linear_name(format)?,
        kAudioFormatULaw => c"pcm_mulaw",
        kAudioFormatALaw => c"pcm_alaw",
        kAudioFormatAC3 => c"ac3",
        kAudioFormatEnhancedAC3 => c"eac3",
        kAudioFormatAppleIMA4 => c"adpcm_ima_qt",
        kAudioFormatDVIIntelIMA => c"adpcm_ima_wav",
        kAudioFormatMPEG4AAC
        | kAudioFormatMPEG4AAC_HE
        | kAudioFormatMPEG4AAC_HE_V2
        | kAudioFormatMPEG4AAC_LD
        | kAudioFormatMPEG4AAC_ELD
        | kAudioFormatMPEG4AAC_ELD_SBR
        | kAudioFormatMPEG4AAC_ELD_V2
        | kAudioFormatMPEGD_USAC => c"aac",
        kAudioFormatMPEGLayer1 => c"mp1",
        kAudioFormatMPEGLayer2 => c"mp2",
        kAudioFormatMPEGLayer3 => c"mp3",
        kAudioFormatAppleLossless => c"alac",
        kAudioFormatAMR => c"amr_nb",
        kAudioFormatAMR_WB => c"amr_wb",
        kAudioFormatiLBC => c"ilbc",
        kAudioFormatMicrosoftGSM => c"gsm_ms",
        kAudioFormatFLAC => c"flac",
        kAudioFormatOpus => c"opus",
        _ => return None,
    })
}

fn linear_name(format: &AudioStreamBasicDescription) -> Option<&'static CStr> {
    let is = |flag| format.mFormatFlags & flag != 0;
    let is_big = is(kAudioFormatFlagIsBigEndian);
    let (is_float, is_signed) = (is(kAudioFormatFlagIsFloat), is(kAudioFormatFlagIsSignedInteger));
    Some(match (format.mBitsPerChannel, is_float, is_signed, is_big) {
        (32, true, _, true) => c"pcm_f32be",
        (32, true, _, false) => c"pcm_f32le",
        (8, false, true, _) => c"pcm_s8",
        (8, false, false, _) => c"pcm_u8",
        (16, false, true, true) => c"pcm_s16be",
        (16, false, true, false) => c"pcm_s16le",
        (24, false, true, true) => c"pcm_s24be",
        (24, false, true, false) => c"pcm_s24le",
        (32, false, true, true) => c"pcm_s32be",
        (32, false, true, false) => c"pcm_s32le",
        _ => return None,
    })
}

/// The depth of a description; `source` is that of the original, if the file states it.
pub(super) fn depth(format: &AudioStreamBasicDescription, source: Option<i32>) -> Depth {
    match format.mFormatID {
        kAudioFormatLinearPCM if format.mFormatFlags & kAudioFormatFlagIsFloat != 0 => Depth::Float,
        kAudioFormatLinearPCM => Depth::Integer(format.mBitsPerChannel),
        // G.711 maps to integers of 14 and 13 bits.
        kAudioFormatULaw | kAudioFormatALaw => Depth::Integer(16),
        kAudioFormatAppleLossless | kAudioFormatFLAC => match format.mFormatFlags {
            kAppleLosslessFormatFlag_16BitSourceData => Depth::Integer(16),
            kAppleLosslessFormatFlag_20BitSourceData => Depth::Integer(20),
            kAppleLosslessFormatFlag_24BitSourceData => Depth::Integer(24),
            kAppleLosslessFormatFlag_32BitSourceData => Depth::Integer(32),
            _ => source
                .and_then(|bits| u32::try_from(bits).ok())
                .filter(|bits| (1..=32).contains(bits))
                .map_or(Depth::Unknown, Depth::Integer),
        },
        _ => Depth::Lossy,
    }
}

impl Depth {
    /// The formats that the framework writes without rounding, the lossless one first.
    ///
    /// Rounding is left to the host, whose rule is known.
    pub(super) fn formats(self) -> &'static [SampleFormat] {
        use SampleFormat::{F32, I16, I32};
        match self {
            Self::Integer(..=16) => &[I16, I32, F32],
            Self::Integer(..=24) => &[I32, F32],
            Self::Integer(_) | Self::Unknown => &[I32],
            Self::Float | Self::Lossy => &[F32],
        }
    }

    /// The number of bits; 0 if unknown or not applicable.
    pub(super) fn bits(self) -> u32 {
        match self {
            Self::Integer(bits) => bits,
            Self::Float => 32,
            Self::Unknown | Self::Lossy => 0,
        }
    }

    pub(super) fn is_lossless(self) -> bool {
        self != Self::Lossy
    }
}

impl Entry {
    /// How decoding of a codec starts.
    ///
    /// A codec without state between packets is exact. Of all others only the formats are known: how far back
    /// packets reach depends on the format, and after a pre-roll of that length the output of a new codec depends on the position only.
    pub(super) fn of(format_id: u32) -> Self {
        let entry = |packets, frames| Self { is_exact: false, packets, frames };
        match format_id {
            kAudioFormatLinearPCM
            | kAudioFormatULaw
            | kAudioFormatALaw
            | kAudioFormatAppleLossless
            | kAudioFormatFLAC => Self { is_exact: true, packets: 0, frames: 0 },
            // Each block states its first sample and its step, rounded in IMA4.
            kAudioFormatAppleIMA4 | kAudioFormatDVIIntelIMA => entry(1, 0),
            // Half of the window overlaps the previous packet; band prediction and spatial parts reach farther.
            kAudioFormatMPEG4AAC => entry(2, 2048),
            // The bit reservoir may reach nine packets back, and half of the window overlaps the previous packet.
            kAudioFormatMPEGLayer3 => entry(10, 0),
            kAudioFormatMPEGLayer1 | kAudioFormatMPEGLayer2 => entry(2, 0),
            // RFC 7845, 4.6: 80 ms.
            kAudioFormatOpus => entry(2, 3840),
            _ => entry(4, 4096),
        }
    }

    /// The pre-roll in frames.
    pub(super) fn num_frames(self, frames_per_packet: u32) -> u64 {
        let per_packet = if frames_per_packet == 0 { USUAL_PACKET } else { frames_per_packet };
        (u64::from(self.packets) * u64::from(per_packet)).max(self.frames.into())
    }

    pub(super) fn seek_class(self, sample_rate: u32) -> SeekClass {
        if self.is_exact {
            return SeekClass::Exact;
        }
        SeekClass::Anchored { grid_frames: u64::from(GRID_SECONDS) * u64::from(sample_rate.max(1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(format_id: u32, flags: u32, bits: u32) -> AudioStreamBasicDescription {
        AudioStreamBasicDescription {
            mFormatID: format_id,
            mFormatFlags: flags,
            mBitsPerChannel: bits,
            ..AudioStreamBasicDescription::default()
        }
    }

    #[test]
    fn a_depth_is_told_by_flags_or_by_the_file() {
        let of = |flags, source| depth(&format(kAudioFormatAppleLossless, flags, 0), source);
        assert_eq!([1, 2, 3, 4].map(|flags| of(flags, None)), [16, 20, 24, 32].map(Depth::Integer));
        assert_eq!((of(0, Some(24)), of(0, Some(-32)), of(0, None)), {
            (Depth::Integer(24), Depth::Unknown, Depth::Unknown)
        });
        assert_eq!(depth(&format(kAudioFormatMPEG4AAC, 2, 0), Some(16)), Depth::Lossy);
        assert_eq!(depth(&format(kAudioFormatLinearPCM, kAudioFormatFlagIsFloat, 32), None), Depth::Float);
    }

    #[test]
    fn nothing_is_left_to_the_framework_that_would_be_rounded() {
        use SampleFormat::{F32, I16, I32};
        assert_eq!(Depth::Integer(16).formats(), [I16, I32, F32]);
        assert_eq!(Depth::Integer(24).formats(), [I32, F32]);
        assert_eq!(Depth::Integer(32).formats(), [I32]);
        assert_eq!(Depth::Lossy.formats(), [F32]);
    }

    #[test]
    fn an_entry_lies_packets_before_its_aim() {
        assert_eq!(Entry::of(kAudioFormatMPEGLayer3).num_frames(1152), 11_520);
        assert_eq!(Entry::of(kAudioFormatOpus).num_frames(960), 3840);
        assert_eq!(Entry::of(kAudioFormatFLAC).num_frames(4608), 0);
        assert_eq!(Entry::of(kAudioFormatAMR).num_frames(0), 16_384);
        assert_eq!(Entry::of(kAudioFormatAppleLossless).seek_class(48_000), SeekClass::Exact);
    }

    #[test]
    fn linear_samples_have_ffmpegs_names() {
        let big = kAudioFormatFlagIsBigEndian | kAudioFormatFlagIsSignedInteger;
        assert_eq!(name(&format(kAudioFormatLinearPCM, big, 24)), Some(c"pcm_s24be"));
        assert_eq!(name(&format(kAudioFormatLinearPCM, kAudioFormatFlagIsFloat, 64)), None);
        assert_eq!(name(&format(kAudioFormatMPEG4AAC_HE, 0, 0)), Some(c"aac"));
        assert_eq!(name(&format(u32::from_be_bytes(*b"QDM2"), 0, 0)), None);
    }
}
