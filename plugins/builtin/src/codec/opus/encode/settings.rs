//! Rate, bitrate and effort in the encoder's terms.

#![forbid(unsafe_code)]

use mapwave_plugin::{EncoderOptions, Error, Result};

/// The supported sample rates.
const RATES: [u32; 5] = [8000, 12_000, 16_000, 24_000, 48_000];

/// The lowest bitrate with which music keeps a signal-to-noise ratio of 30 dB, with a margin, per channel.
const DEFAULT_BITRATE: u32 = 112_000;
const LEAST_BITRATE: u32 = 6000;
const MOST_BITRATE: u32 = 256_000;

/// The highest complexity, which is the default.
const MAX_COMPLEXITY: u32 = 10;

/// The settings of all streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) sample_rate: u32,
    /// Bits per second and channel.
    pub(super) bitrate: u32,
    pub(super) complexity: u32,
}

impl Settings {
    /// The settings for options.
    ///
    /// # Errors
    /// When they are not supported, with those that are.
    pub(super) fn choose(options: &EncoderOptions<'_>) -> Result<Self> {
        let sample_rate = options.sample_rate;
        if !RATES.contains(&sample_rate) {
            let known: Vec<String> = RATES.iter().map(ToString::to_string).collect();
            let message = format!("{sample_rate} Hz; opus supports {} Hz: resample first", known.join(", "));
            return Err(Error::unsupported(message));
        }
        if let Some(bits) = options.bits_per_sample {
            return Err(Error::unsupported(format!(
                "{bits} bits per sample; opus has no bit depth: leave it out"
            )));
        }
        if let Some(quality) = options.quality {
            let message = format!("a quality of {quality}; the opus encoder takes only a bitrate");
            return Err(Error::unsupported(message));
        }
        let num_channels = options.num_channels.max(1);
        let (least, most) = (LEAST_BITRATE * num_channels, MOST_BITRATE * num_channels);
        let bitrate = match options.bitrate {
            Some(bitrate) if !(least..=most).contains(&bitrate) => {
                let message = format!(
                    "{bitrate} bits per second; opus with this number of channels supports {least} to {most}"
                );
                return Err(Error::unsupported(message));
            }
            Some(bitrate) => bitrate / num_channels,
            None => DEFAULT_BITRATE,
        };
        let complexity = options.effort.map_or(MAX_COMPLEXITY, complexity);
        Ok(Self { sample_rate, bitrate, complexity })
    }
}

/// Maps 1 to 100 to 0 to 10, rounded to the nearest.
fn complexity(effort: u32) -> u32 {
    ((effort.clamp(1, 100) - 1) * MAX_COMPLEXITY * 2 + 99) / 198
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn efforts_reach_both_ends() {
        assert_eq!([1, 50, 100, 1000].map(complexity), [0, 5, 10, 10]);
    }

    #[test]
    fn settings_are_refused_with_those_there_are() {
        let refusal =
            |options: EncoderOptions<'_>| Settings::choose(&options).unwrap_err().message().to_owned();
        assert!(refusal(EncoderOptions::new(44_100, 2)).contains("16000, 24000, 48000 Hz: resample first"));
        let stereo = || EncoderOptions::new(48_000, 2);
        assert!(refusal(EncoderOptions { bitrate: Some(11_999), ..stereo() }).contains("12000 to 512000"));
        assert!(refusal(EncoderOptions { quality: Some(3), ..stereo() }).contains("only a bitrate"));
        assert_eq!(
            Settings::choose(&EncoderOptions { bitrate: Some(96_000), ..stereo() }).unwrap().bitrate,
            48_000
        );
    }
}
