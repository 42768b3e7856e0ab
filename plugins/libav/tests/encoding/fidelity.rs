//! Lossy codecs stay close to the input, and closer with a higher bitrate or quality.

use crate::oracle::{by_ffmpeg, by_mapwave, has_ffmpeg};
use crate::sound::{levels, music, signal_to_noise};
use crate::wish::{Wish, pairs};

/// The minimum signal-to-noise ratio of music with default settings, in decibels.
const LEAST_SNR: f64 = 30.0;

/// Music, its decoded version, and the number of bytes.
fn trip(wish: &Wish, num_frames: usize) -> Option<(Vec<f64>, Vec<f64>, usize)> {
    let sound = music(wish.sample_rate, wish.num_channels, num_frames);
    let file = wish.encode(&sound).unwrap();
    let decoded =
        by_mapwave(&file).ok().or_else(|| has_ffmpeg().then(|| by_ffmpeg(&file, wish.container).unwrap()))?;
    Some((levels(&sound), decoded.levels(), file.len()))
}

/// The signal-to-noise ratio of music, and the number of bytes.
fn snr(wish: &Wish, num_frames: usize) -> Option<(f64, usize)> {
    trip(wish, num_frames).map(|(sound, decoded, num_bytes)| (signal_to_noise(&sound, &decoded), num_bytes))
}

/// The signal-to-noise ratio of each channel.
fn snr_of_each(wish: &Wish, num_frames: usize) -> Option<Vec<f64>> {
    let (sound, decoded, _) = trip(wish, num_frames)?;
    let channels = wish.num_channels as usize;
    let pick =
        |values: &[f64], channel| values.iter().skip(channel).step_by(channels).copied().collect::<Vec<_>>();
    Some(
        (0..channels)
            .map(|channel| signal_to_noise(&pick(&sound, channel), &pick(&decoded, channel)))
            .collect(),
    )
}

#[test]
fn music_keeps_its_distance_by_default() {
    for pair in pairs() {
        for sample_rate in [44_100, 48_000] {
            for num_channels in [1, 2] {
                if pair.1 == "opus" && sample_rate != 48_000 {
                    continue;
                }
                let wish = Wish::new(pair, sample_rate, num_channels);
                let Some((snr, num_bytes)) = snr(&wish, 5 * sample_rate as usize + 77) else { continue };
                let bitrate = num_bytes * 8 / 5000;
                println!(
                    "{pair:?}, {num_channels} channels at {sample_rate} Hz: {snr:.1} dB, {bitrate} kbit/s"
                );
                assert!(
                    snr >= LEAST_SNR,
                    "{pair:?}, {num_channels} channels at {sample_rate} Hz: {snr:.1} dB"
                );
            }
        }
    }
}

/// Checks that each channel decodes to its own signal; the channel `bass` is left out.
fn check_each_channel(wish: &Wish, bass: Option<usize>) {
    if let Err(failure) = crate::wish::Encoding::open(wish) {
        let is_a_limit = ["channels; ", "which encodes", "opus has layouts for", "take opus or flac"];
        assert!(is_a_limit.iter().any(|words| failure.message.contains(words)), "{failure:?}");
        return;
    }
    let Some(distances) = snr_of_each(wish, 20_000) else { return };
    for (channel, snr) in distances.into_iter().enumerate().filter(|(channel, _)| Some(*channel) != bass) {
        let (container, codec, count) = (wish.container, wish.codec, wish.num_channels);
        assert!(snr > 15.0, "{codec} in {container}, channel {channel} of {count}: {snr:.1} dB");
    }
}

#[test]
fn every_channel_is_of_full_range() {
    for pair in pairs() {
        for num_channels in 1..=8 {
            check_each_channel(&Wish::new(pair, 48_000, num_channels), None);
        }
    }
}

#[test]
fn every_speaker_gets_its_own_sound() {
    for pair in pairs() {
        for channel_mask in [0x4, 0x3, 0x7, 0x33, 0x37, 0x107, 0x137, 0x3f, 0x60f, 0x70f, 0x63f_u64] {
            let wish = Wish { channel_mask, ..Wish::new(pair, 48_000, channel_mask.count_ones()) };
            match crate::wish::Encoding::open(&wish) {
                Err(failure) if failure.message.contains("the channel mask") => {}
                // The low-frequency channel is low-pass filtered.
                _ => check_each_channel(&wish, (channel_mask & 0x8 != 0).then_some(3)),
            }
        }
    }
}

#[test]
fn a_higher_bitrate_or_quality_is_better() {
    let better = |pair, rate, set: fn(&mut Wish, u32), values: &[u32]| {
        let mut last = (0.0, 0);
        for value in values {
            let mut wish = Wish::new(pair, rate, 2);
            set(&mut wish, *value);
            let Some((snr, num_bytes)) = snr(&wish, 100_000) else { return };
            println!("{pair:?} {value}: {snr:.1} dB, {num_bytes} bytes");
            assert!(snr > last.0 && num_bytes > last.1, "{pair:?}: {value} is no better than the one before");
            last = (snr, num_bytes);
        }
    };
    let bitrate: fn(&mut Wish, u32) = |wish, value| wish.bitrate = value;
    let quality: fn(&mut Wish, u32) = |wish, value| wish.quality = value;
    better(("mp3", "mp3"), 44_100, bitrate, &[64_000, 128_000, 320_000]);
    better(("mp3", "mp3"), 44_100, quality, &[1, 30, 60, 100]);
    better(("m4a", "aac"), 44_100, bitrate, &[64_000, 128_000, 256_000]);
    better(("ogg", "opus"), 48_000, bitrate, &[32_000, 96_000, 256_000]);
    better(("ogg", "vorbis"), 44_100, bitrate, &[64_000, 128_000, 256_000]);
    better(("ogg", "vorbis"), 44_100, quality, &[1, 30, 60, 100]);
}

#[test]
fn more_effort_makes_lossless_files_smaller() {
    for pair in [("flac", "flac"), ("m4a", "alac"), ("wv", "wavpack")] {
        let sound = music(44_100, 2, 100_000);
        let size = |effort| Wish { effort, ..Wish::new(pair, 44_100, 2) }.encode(&sound).unwrap().len();
        let (least, most) = (size(1), size(100));
        println!("{pair:?}: {least} and {most} bytes");
        assert!(most < least, "{pair:?}: {least} and {most} bytes");
    }
}
