//! The sample rates, bitrates and qualities of MP3, and the defaults.

#![forbid(unsafe_code)]

use mapwave_plugin::{EncoderOptions, Error, Result, Status};

/// The sample rates of MPEG-1, MPEG-2 and MPEG-2.5 (ISO 11172-3 and 13818-3, 2.4.2.3).
const RATES: [(u32, Version); 9] = [
    (8_000, Version::Mpeg25),
    (11_025, Version::Mpeg25),
    (12_000, Version::Mpeg25),
    (16_000, Version::Mpeg2),
    (22_050, Version::Mpeg2),
    (24_000, Version::Mpeg2),
    (32_000, Version::Mpeg1),
    (44_100, Version::Mpeg1),
    (48_000, Version::Mpeg1),
];

/// In kilobits per second.
const MPEG1_BITRATES: &[u32] = &[32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const MPEG2_BITRATES: &[u32] = &[8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/// LAME has no higher bitrates below 16 kHz.
const MPEG25_BITRATES: &[u32] = &[8, 16, 24, 32, 40, 48, 56, 64];

/// The bytes after the side information of the first frame that hold the length and the delays.
const INFO_TAG_BYTES: u32 = 156;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Mpeg1,
    Mpeg2,
    Mpeg25,
}

/// How bits are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    /// This many kilobits in every second.
    Constant(u32),
    /// As many as each frame needs: V0 (best) to V9.
    Variable(u8),
}

/// Settings of LAME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) sample_rate: u32,
    pub(crate) num_channels: u8,
    pub(crate) rate: Rate,
    /// 0 (slowest) to 9; `None` for LAME's default.
    pub(crate) algorithm: Option<u8>,
}

impl Settings {
    /// Checks the options.
    ///
    /// # Errors
    /// When MP3 does not support them.
    pub(crate) fn new(options: &EncoderOptions<'_>) -> Result<Self> {
        let num_channels = match options.num_channels {
            1 => 1,
            2 => 2,
            other => return Err(Error::unsupported(format!("MP3 has 1 or 2 channels, not {other}"))),
        };
        let mask = options.channel_mask;
        let has_layout = if num_channels == 1 { mask.count_ones() <= 1 } else { mask == 0 || mask == 0x3 };
        if !has_layout {
            let what = "MP3 has one channel, or left and right";
            return Err(Error::unsupported(format!("{what}: not the channel mask {mask:#x}")));
        }
        let sample_rate = options.sample_rate;
        let Some((_, version)) = RATES.into_iter().find(|(rate, _)| *rate == sample_rate) else {
            let rates: Vec<String> = RATES.iter().map(|(rate, _)| rate.to_string()).collect();
            let what = format!("MP3 does not support {sample_rate} Hz: resample to one of");
            return Err(Error::unsupported(format!("{what} {}", rates.join(", "))));
        };
        let rate = match (options.bitrate, options.quality) {
            (Some(_), Some(_)) => {
                let what =
                    "bitrate selects a constant bitrate and quality a variable one: choose one of the two";
                return Err(Error::new(Status::BadArgument, what));
            }
            (None, Some(quality)) => Rate::Variable(tenth_from_best(quality)),
            (Some(bitrate), None) => Rate::Constant(constant(bitrate, version, sample_rate, num_channels)?),
            (None, None) => Rate::Constant(usual(version, num_channels)),
        };
        Ok(Self { sample_rate, num_channels, rate, algorithm: options.effort.map(tenth_from_best) })
    }
}

/// Maps 1 to 100 to 9 to 0.
fn tenth_from_best(percent: u32) -> u8 {
    u8::try_from(percent.clamp(1, 100).saturating_sub(1) / 10).map_or(0, |tenth| 9 - tenth)
}

/// The bitrates of a version whose first frame has room for the length and the delays.
fn bitrates(version: Version, sample_rate: u32, num_channels: u8) -> impl Iterator<Item = u32> {
    let (all, bits_factor, side_bytes) = match (version, num_channels) {
        (Version::Mpeg1, 1) => (MPEG1_BITRATES, 144_000, 21),
        (Version::Mpeg1, _) => (MPEG1_BITRATES, 144_000, 36),
        (Version::Mpeg2, 1) => (MPEG2_BITRATES, 72_000, 13),
        (Version::Mpeg2, _) => (MPEG2_BITRATES, 72_000, 21),
        (Version::Mpeg25, 1) => (MPEG25_BITRATES, 72_000, 13),
        (Version::Mpeg25, _) => (MPEG25_BITRATES, 72_000, 21),
    };
    let has_room = move |kilobits: &u32| kilobits * bits_factor / sample_rate >= side_bytes + INFO_TAG_BYTES;
    all.iter().copied().filter(has_room)
}

/// A bitrate in kilobits per second, if the version has it.
fn constant(bitrate: u32, version: Version, sample_rate: u32, num_channels: u8) -> Result<u32> {
    let found = bitrates(version, sample_rate, num_channels).find(|kilobits| kilobits * 1000 == bitrate);
    found.ok_or_else(|| {
        let all: Vec<String> = bitrates(version, sample_rate, num_channels)
            .map(|kilobits| (kilobits * 1000).to_string())
            .collect();
        let what = format!(
            "MP3 of {num_channels} channels at {sample_rate} Hz, with its exact length, does not support a bitrate of {bitrate}"
        );
        Error::unsupported(format!("{what}: choose one of {}, or a quality from 1 to 100", all.join(", ")))
    })
}

/// The bitrate at which music is hard to tell from the original, in kilobits per second.
fn usual(version: Version, num_channels: u8) -> u32 {
    match (version, num_channels) {
        (Version::Mpeg1, 1) => 128,
        (Version::Mpeg1, _) => 192,
        (Version::Mpeg2, 1) => 96,
        (Version::Mpeg2, _) => 160,
        (Version::Mpeg25, _) => 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_bitrates_exist() {
        for (rate, version) in RATES {
            for num_channels in [1, 2] {
                let usual = usual(version, num_channels);
                assert!(bitrates(version, rate, num_channels).any(|kilobits| kilobits == usual), "{rate}");
            }
        }
    }

    #[test]
    fn percents_are_tenths() {
        assert_eq!([1, 10, 11, 50, 51, 90, 91, 100].map(tenth_from_best), [9, 9, 8, 5, 4, 1, 0, 0]);
    }

    #[test]
    fn rejections_list_the_supported_values() {
        let words = |options: EncoderOptions<'_>| {
            Settings::new(&options).err().map(|error| error.message().to_owned()).unwrap_or_default()
        };
        let base = EncoderOptions::new(44_100, 2);
        assert!(
            words(EncoderOptions { sample_rate: 96_000, ..base.clone() }).contains("32000, 44100, 48000")
        );
        assert!(words(EncoderOptions { num_channels: 3, ..base.clone() }).contains("1 or 2 channels, not 3"));
        let text = words(EncoderOptions { bitrate: Some(100_000), ..base.clone() });
        assert!(
            text.contains("of 64000, 80000, 96000, 112000, 128000, 160000, 192000, 224000, 256000, 320000,"),
            "{text}"
        );
        assert!(words(EncoderOptions { channel_mask: 0x6, ..base.clone() }).contains("0x6"));
        let both = EncoderOptions { bitrate: Some(128_000), quality: Some(50), ..base };
        assert!(words(both).contains("one of the two"));
    }
}
