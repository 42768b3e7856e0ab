//! Bitrate, quality and effort: the host's numbers in each encoder's terms.
//!
//! | codec | bitrate | without one | quality 1 to 100 | effort 1 to 100 |
//! |---|---|---|---|---|
//! | mp3 | one of the list for its sample rate | quality 80 | LAME's `-V`, 9.9 to 0 | LAME's `-q`, 9 to 0 |
//! | aac | 8k per channel to 6 bits per sample | 128k mono, 112k per channel in stereo, 160k above | - | from 34 on two loops, else the fast search |
//! | opus | 6k to 256k per channel | 112k per channel | - | complexity 0 to 10 |
//! | vorbis | what libvorbis has a mode for | quality 60, below 26 kHz 75 | libvorbis's `-q`, 0.1 to 10 | - |
//! | flac | - | | - | level 0 to 12 |
//! | alac | - | | - | level 0 to 2 |
//! | wavpack | - | | - | level 0 to 8 |
//!
//! The defaults are the lowest with which music keeps a signal-to-noise ratio of 30 dB, with a margin. LAME needs
//! 224k for that with a constant bitrate, and half of it with a quality.
//!
//! Settings marked with a dash are rejected, except effort, which is a hint: an encoder without a choice ignores it.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};
use std::ops::RangeInclusive;

use mapwave_plugin::{EncoderOptions, Error, Result};

use super::codec::Codec;

/// The rate control of an encoder, in its own terms.
#[derive(Debug, Default)]
pub(super) struct Steering {
    pub(super) bitrate: Option<u32>,
    pub(super) quality: Option<f32>,
    pub(super) level: Option<i32>,
    pub(super) options: Vec<(&'static CStr, CString)>,
}

/// Bitrates of the three versions of MPEG audio, layer III.
const MPEG_1: &[u32] = &[
    32_000, 40_000, 48_000, 56_000, 64_000, 80_000, 96_000, 112_000, 128_000, 160_000, 192_000, 224_000,
    256_000, 320_000,
];
const MPEG_2: &[u32] = &[
    8000, 16_000, 24_000, 32_000, 40_000, 48_000, 56_000, 64_000, 80_000, 96_000, 112_000, 128_000, 144_000,
    160_000,
];
const MPEG_2_5: &[u32] = &[8000, 16_000, 24_000, 32_000, 40_000, 48_000, 56_000, 64_000];

/// The rate control for a codec.
pub(super) fn steer(codec: Codec, options: &EncoderOptions<'_>) -> Result<Steering> {
    if let (Some(bitrate), Some(quality)) = (options.bitrate, options.quality) {
        let message = format!("a bitrate of {bitrate} and a quality of {quality}: choose one of them");
        return Err(Error::unsupported(message));
    }
    match codec {
        Codec::Mp3 => mp3(options),
        Codec::Aac => aac(options),
        Codec::Opus => opus(options),
        Codec::Vorbis => vorbis(options),
        Codec::Flac => lossless(codec, options, 12),
        Codec::Alac => lossless(codec, options, 2),
        Codec::WavPack => lossless(codec, options, 8),
    }
}

fn mp3(options: &EncoderOptions<'_>) -> Result<Steering> {
    let list = match options.sample_rate {
        ..=12_000 => MPEG_2_5,
        12_001..=24_000 => MPEG_2,
        _ => MPEG_1,
    };
    if let Some(bitrate) = options.bitrate.filter(|bitrate| !list.contains(bitrate)) {
        let list: Vec<String> = list.iter().map(ToString::to_string).collect();
        let (rate, list) = (options.sample_rate, list.join(", "));
        let message = format!("{bitrate} bits per second; mp3 at {rate} Hz supports {list}");
        return Err(Error::unsupported(message));
    }
    let quality = options.quality.or(options.bitrate.is_none().then_some(80));
    let quality = quality.map(|quality| f32::from(100 - percent(quality)) / 10.0);
    let level = options.effort.map(|effort| 9 - scale(effort, 9));
    Ok(Steering { bitrate: options.bitrate, quality, level, options: Vec::new() })
}

fn aac(options: &EncoderOptions<'_>) -> Result<Steering> {
    without_quality(Codec::Aac, options)?;
    let channels = options.num_channels;
    // A packet of 1024 frames has at most 6144 bits a channel (ISO/IEC 14496-3, 4.5.3.3).
    let most = 6 * options.sample_rate.min(96_000) * channels;
    let bitrate = match options.bitrate {
        Some(bitrate) => within(Codec::Aac, bitrate, 8000 * channels..=most)?,
        None => {
            let highest = match channels {
                1 => 128_000,
                2 => 112_000,
                _ => 160_000,
            };
            options.sample_rate.saturating_mul(4).min(highest) * channels
        }
    };
    // The fast search keeps 40 dB of a recording at the bitrate where two loops keep 30, and takes a third of their time; of noise
    // at 192 kbit/s it keeps 19.6 dB and they 21.5.
    let is_fast = options.effort.is_none_or(|effort| effort < 34);
    let search = if is_fast { c"fast" } else { c"twoloop" };
    // Perceptual noise substitution lowers the signal-to-noise ratio, and makes the output after a seek depend on where
    // decoding began.
    let options = vec![(c"aac_coder", search.to_owned()), (c"aac_pns", c"0".to_owned())];
    Ok(Steering { bitrate: Some(bitrate), options, ..Steering::default() })
}

fn opus(options: &EncoderOptions<'_>) -> Result<Steering> {
    without_quality(Codec::Opus, options)?;
    let channels = options.num_channels;
    let bitrate = match options.bitrate {
        Some(bitrate) => within(Codec::Opus, bitrate, 6000 * channels..=256_000 * channels)?,
        None => 112_000 * channels,
    };
    let level = options.effort.map(|effort| scale(effort, 10));
    Ok(Steering { bitrate: Some(bitrate), level, ..Steering::default() })
}

#[allow(clippy::unnecessary_wraps)] // one shape for all codecs
fn vorbis(options: &EncoderOptions<'_>) -> Result<Steering> {
    let quality = match (options.bitrate, options.quality) {
        (Some(_), _) => None, // libvorbis has no list of them, and says when it has no mode
        (None, quality) => {
            // libvorbis keeps less of low sample rates at the same quality.
            let default = if options.sample_rate < 26_000 { 75 } else { 60 };
            Some(f32::from(percent(quality.unwrap_or(default))) / 10.0)
        }
    };
    Ok(Steering { bitrate: options.bitrate, quality, ..Steering::default() })
}

fn lossless(codec: Codec, options: &EncoderOptions<'_>, highest: i32) -> Result<Steering> {
    if options.bitrate.is_some() || options.quality.is_some() {
        let message = format!("{} is lossless: leave out bitrate and quality", codec.name());
        return Err(Error::unsupported(message));
    }
    let level = options.effort.map(|effort| scale(effort, highest));
    Ok(Steering { level, ..Steering::default() })
}

fn without_quality(codec: Codec, options: &EncoderOptions<'_>) -> Result<()> {
    let Some(quality) = options.quality else { return Ok(()) };
    let name = codec.name();
    let message = format!("a quality of {quality}; the {name} encoder takes only a bitrate");
    Err(Error::unsupported(message))
}

fn within(codec: Codec, bitrate: u32, range: RangeInclusive<u32>) -> Result<u32> {
    if range.contains(&bitrate) {
        return Ok(bitrate);
    }
    let (name, least, most) = (codec.name(), range.start(), range.end());
    let message =
        format!("{bitrate} bits per second; {name} with this number of channels supports {least} to {most}");
    Err(Error::unsupported(message))
}

fn percent(value: u32) -> u8 {
    u8::try_from(value.min(100)).unwrap_or(100)
}

/// Maps 1 to 100 to 0 to `highest`, rounded to the nearest.
fn scale(percent: u32, highest: i32) -> i32 {
    let percent = i32::try_from(percent.clamp(1, 100)).unwrap_or(100);
    ((percent - 1) * highest * 2 + 99) / 198
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn percents_reach_both_ends() {
        for highest in [2, 8, 9, 10, 12] {
            assert_eq!((scale(1, highest), scale(100, highest)), (0, highest));
        }
        assert_eq!(scale(50, 12), 6);
    }

    #[test]
    fn bitrates_are_refused_with_those_there_are() {
        let options =
            |bitrate, rate| EncoderOptions { bitrate: Some(bitrate), ..EncoderOptions::new(rate, 2) };
        assert!(steer(Codec::Mp3, &options(320_000, 44_100)).is_ok());
        let error = steer(Codec::Mp3, &options(100_000, 44_100)).unwrap_err();
        assert!(
            error.message().starts_with("100000 bits per second; mp3 at 44100 Hz supports 32000, 40000"),
            "{error}"
        );
        assert!(steer(Codec::Mp3, &options(160_000, 22_050)).is_ok());
        assert!(steer(Codec::Mp3, &options(160_000, 11_025)).is_err());
        assert!(steer(Codec::Aac, &options(600_000, 44_100)).is_err());
        assert!(steer(Codec::Opus, &options(500, 48_000)).unwrap_err().message().contains("12000 to 512000"));
        assert!(steer(Codec::Flac, &options(500_000, 44_100)).unwrap_err().message().contains("lossless"));
    }

    #[test]
    fn one_wish_alone_steers() {
        let both =
            EncoderOptions { bitrate: Some(128_000), quality: Some(50), ..EncoderOptions::new(44_100, 2) };
        assert!(steer(Codec::Mp3, &both).unwrap_err().message().contains("one of them"));
        let quality =
            EncoderOptions { quality: Some(100), effort: Some(100), ..EncoderOptions::new(44_100, 2) };
        let steering = steer(Codec::Mp3, &quality).unwrap();
        assert_eq!((steering.bitrate, steering.quality, steering.level), (None, Some(0.0), Some(0)));
        assert!(steer(Codec::Aac, &quality).is_err());
    }
}
