//! The number of frames in a packet, for codecs where it can be found without decoding.

#![forbid(unsafe_code)]

use super::demuxer::TimeBase;

/// How the frames of a packet are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// The same number for each packet.
    Fixed(u32),
    /// A number of frames per number of bytes.
    Blocks {
        num_frames: u32,
        num_bytes: u32,
    },
    /// From the packet's first bytes, in a way that depends on the codec.
    Opus,
    Mpeg,
    Ac3,
    Dts,
    Ape,
    /// The container's number, if it counts in frames.
    Container,
    /// The number that the decoder outputs for the first packets, and so for all.
    FirstDecoded,
    /// Known only by decoding every packet.
    Measured,
}

/// The facts about a stream before any decoding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) sample_rate: u32,
    pub(super) num_channels: u32,
    pub(super) time_base: TimeBase,
}

impl Counting {
    /// How the frames of a codec's packets are counted; `codec` is its name in FFmpeg's terms.
    pub(super) fn of(codec: &str, known: &Known) -> Self {
        let blocks =
            |num_frames, bytes_per_channel: u32| match bytes_per_channel.checked_mul(known.num_channels) {
                Some(num_bytes) if num_bytes > 0 => Self::Blocks { num_frames, num_bytes },
                _ => Self::Measured,
            };
        match codec {
            "opus" => Self::Opus,
            "dts" => Self::Dts,
            "ape" => Self::Ape,
            "aac" | "aac_latm" => Self::FirstDecoded,
            "mp3" | "mp2" | "mp1" => Self::Mpeg,
            "ac3" | "eac3" => Self::Ac3,
            "amr_nb" => Self::Fixed(160),
            "amr_wb" => Self::Fixed(320),
            "gsm" => Self::Blocks { num_frames: 160, num_bytes: 33 },
            "gsm_ms" => Self::Blocks { num_frames: 320, num_bytes: 65 },
            "flac" | "alac" | "tta" | "wavpack" if known.counts_frames() => Self::Container,
            "pcm_u8" | "pcm_s8" | "pcm_alaw" | "pcm_mulaw" | "pcm_s8_planar" => blocks(1, 1),
            "pcm_s16le" | "pcm_s16be" | "pcm_u16le" | "pcm_u16be" | "pcm_s16le_planar"
            | "pcm_s16be_planar" => blocks(1, 2),
            "pcm_s24le" | "pcm_s24be" | "pcm_u24le" | "pcm_u24be" | "pcm_s24le_planar" => blocks(1, 3),
            "pcm_s32le" | "pcm_s32be" | "pcm_u32le" | "pcm_u32be" | "pcm_f32le" | "pcm_f32be"
            | "pcm_s32le_planar" => blocks(1, 4),
            "pcm_f64le" | "pcm_f64be" | "pcm_s64le" | "pcm_s64be" => blocks(1, 8),
            "dsd_lsbf" | "dsd_msbf" | "dsd_lsbf_planar" | "dsd_msbf_planar" => blocks(1, 1),
            _ => Self::Measured,
        }
    }

    /// Whether the output comes packet by packet; other codecs have a small delay.
    pub(super) fn is_prompt(self) -> bool {
        self != Self::Opus
    }

    /// The number of frames in a packet; `None` if only decoding shows it.
    pub(super) fn count(self, bytes: &[u8], duration: i64) -> Option<u32> {
        match self {
            Self::Fixed(num_frames) => Some(num_frames),
            Self::Blocks { num_frames, num_bytes } => {
                let count = u32::try_from(bytes.len()).ok()?.checked_div(num_bytes)?;
                count.checked_mul(num_frames)
            }
            Self::Opus => opus(bytes),
            Self::Mpeg => mpeg(bytes),
            Self::Ac3 => ac3(bytes),
            Self::Dts => dts(bytes),
            Self::Ape => ape(bytes),
            Self::Container => u32::try_from(duration).ok().filter(|num_frames| *num_frames > 0),
            Self::FirstDecoded | Self::Measured => None,
        }
    }
}

impl Known {
    /// Whether the container counts time in frames.
    fn counts_frames(&self) -> bool {
        let TimeBase { numerator, denominator } = self.time_base;
        u64::from(numerator) * u64::from(self.sample_rate) == u64::from(denominator) && denominator > 0
    }
}

/// Opus, RFC 6716, section 3.1: the configuration and the number of frames, at 48 kHz.
fn opus(bytes: &[u8]) -> Option<u32> {
    let &toc = bytes.first()?;
    let config = toc >> 3;
    let frame = match config {
        0..=11 => [480u32, 960, 1920, 2880].get(usize::from(config & 3)),
        12..=15 => [480, 960].get(usize::from(config & 1)),
        _ => [120, 240, 480, 960].get(usize::from(config & 3)),
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(bytes.get(1)? & 0x3f),
    };
    // No packet is longer than 120 ms.
    frame.copied()?.checked_mul(count).filter(|num_frames| (1..=5760).contains(num_frames))
}

/// MPEG audio, ISO 11172-3, section 2.4.1.3: the version and the layer.
fn mpeg(bytes: &[u8]) -> Option<u32> {
    let &[0xff, second, ..] = bytes else { return None };
    match (second >> 3 & 3, second >> 1 & 3) {
        _ if second < 0xe0 => None,
        (1, _) | (_, 0) => None,
        (_, 3) => Some(384),
        (_, 2) => Some(1152),
        (3, _) => Some(1152),
        _ => Some(576),
    }
}

/// AC-3 and E-AC-3, ETSI TS 102 366, sections 4.3 and E.1.3: the blocks of all frames that do not add channels to another.
fn ac3(bytes: &[u8]) -> Option<u32> {
    let mut rest = bytes;
    let mut num_frames = 0u32;
    while let [0x0b, 0x77, b2, b3, b4, b5, ..] = *rest {
        if b5 >> 3 <= 10 {
            // There, a table gives the length of a frame; the frames after it only extend it.
            return num_frames.checked_add(1536);
        }
        let num_bytes = (usize::from(b2 & 7) << 8 | usize::from(b3)) * 2 + 2;
        let num_blocks = match (b4 >> 6, b4 >> 4 & 3) {
            (3, _) | (_, 3) => 6,
            (_, code) => u32::from(code) + 1,
        };
        let (is_dependent, substream) = (b2 >> 6 == 1, b2 >> 3 & 7);
        if !is_dependent && substream == 0 {
            num_frames = num_frames.checked_add(num_blocks * 256)?;
        }
        rest = rest.get(num_bytes..).unwrap_or_default();
    }
    Some(num_frames).filter(|num_frames| *num_frames > 0)
}

/// DTS, ETSI TS 102 114, section 5.3.1: the blocks of 32 samples in a frame of the core, in words of 16 bits.
fn dts(bytes: &[u8]) -> Option<u32> {
    let (b4, b5) = match *bytes {
        [0x7f, 0xfe, 0x80, 0x01, b4, b5, ..] => (b4, b5),
        [0xfe, 0x7f, 0x01, 0x80, b5, b4, ..] => (b4, b5),
        _ => return None,
    };
    let num_blocks = (u32::from(b4 & 1) << 6 | u32::from(b5 >> 2)) + 1;
    Some(num_blocks * 32)
}

/// Monkey's Audio: libav prepends the number of frames to each packet.
fn ape(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|count| u32::from_le_bytes(*count)).filter(|count| (1..1 << 24).contains(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(time_base: (u32, u32)) -> Known {
        let time_base = TimeBase { numerator: time_base.0, denominator: time_base.1 };
        Known { sample_rate: 48_000, num_channels: 2, time_base }
    }

    #[test]
    fn opus_packets_are_as_long_as_the_rfc_says() {
        // Section 3.1, table 2: SILK 10 ms and 60 ms, hybrid 20 ms, CELT 2.5 ms and 20 ms.
        assert_eq!(opus(&[0]), Some(480));
        assert_eq!(opus(&[3 << 3]), Some(2880));
        assert_eq!(opus(&[13 << 3 | 1]), Some(1920));
        assert_eq!(opus(&[16 << 3]), Some(120));
        assert_eq!(opus(&[31 << 3 | 3, 3]), Some(2880));
        assert_eq!(opus(&[31 << 3 | 3, 63]), None, "longer than 120 ms");
        assert_eq!((opus(&[]), opus(&[3]), opus(&[3, 0])), (None, None, None));
    }

    #[test]
    fn headers_of_mpeg_and_ac3_are_read() {
        assert_eq!(
            [0xfb, 0xf3, 0xe3, 0xfd, 0xff].map(|second| mpeg(&[0xff, second, 0x90])),
            [Some(1152), Some(576), Some(576), Some(1152), Some(384)]
        );
        assert_eq!((mpeg(&[0xff, 0xeb]), mpeg(&[0xff, 0xf1]), mpeg(b"ID")), (None, None, None));
        assert_eq!(ac3(&[0x0b, 0x77, 1, 2, 3, 8 << 3, 0]), Some(1536));
        // Two frames of two blocks, the second of which adds channels, then one of six.
        let frames = [
            [0x0b, 0x77, 0, 2, 0x10, 16 << 3],
            [0x0b, 0x77, 0x40, 2, 0x10, 16 << 3],
            [0x0b, 0x77, 0, 2, 0x30, 16 << 3],
        ];
        assert_eq!(ac3(&frames.concat()), Some(512 + 1536));
        // 16 blocks.
        assert_eq!(dts(&[0x7f, 0xfe, 0x80, 1, 0xfc, 15 << 2]), Some(512));
        assert_eq!(dts(&[0xfe, 0x7f, 1, 0x80, 15 << 2, 0xfc]), Some(512));
        assert_eq!((dts(b"DTS"), ape(&[0, 0x20, 1, 0, 9]), ape(&[0; 8])), (None, Some(73_728), None));
        assert_eq!((ac3(b""), ac3(&[0x0b, 0x77])), (None, None));
    }

    #[test]
    fn the_container_is_believed_where_it_counts_frames() {
        assert_eq!(Counting::of("alac", &known((1, 48_000))), Counting::Container);
        assert_eq!(Counting::of("alac", &known((1, 1000))), Counting::Measured);
        assert_eq!(Counting::of("alac", &known((0, 0))), Counting::Measured);
        assert_eq!(Counting::Container.count(&[], 4096), Some(4096));
        assert_eq!(Counting::Container.count(&[], 0), None);
        assert_eq!(Counting::of("pcm_s16le", &known((1, 1))).count(&[0; 403], 0), Some(100));
        assert_eq!(Counting::of("cook", &known((1, 1))), Counting::Measured);
    }
}
