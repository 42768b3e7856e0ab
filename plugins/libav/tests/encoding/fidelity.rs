//! What is lossy stays close, and gets closer the more it may cost.

use crate::host::{Wish, pairs};
use crate::oracle::{by_ffmpeg, by_mapwave, has_ffmpeg};
use crate::sound::{levels, music, signal_to_noise};

/// The distance in decibels that music keeps from what is lost by default.
const LEAST_SNR: f64 = 30.0;

/// Music, what comes back of it, and the number of bytes.
fn trip(wish: &Wish, num_frames: usize) -> Option<(Vec<f64>, Vec<f64>, usize)> {
    let sound = music(wish.sample_rate, wish.num_channels, num_frames);
    let file = wish.encode(&sound).unwrap();
    let decoded =
        by_mapwave(&file).ok().or_else(|| has_ffmpeg().then(|| by_ffmpeg(&file, wish.container).unwrap()))?;
    Some((levels(&sound), decoded.levels(), file.len()))
}

/// How close music comes back, and the number of bytes.
fn snr(wish: &Wish, num_frames: usize) -> Option<(f64, usize)> {
    trip(wish, num_frames).map(|(sound, decoded, num_bytes)| (signal_to_noise(&sound, &decoded), num_bytes))
}

/// How close each channel comes back.
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

#[test]
fn every_speaker_gets_its_own_sound() {
    for pair in pairs() {
        for num_channels in 1..=8 {
            let wish = Wish::new(pair, 48_000, num_channels);
            if let Err(failure) = crate::host::Encoding::open(&wish) {
                assert!(failure.message.contains("is encoded with"), "{failure:?}");
                continue;
            }
            // What is for the low frequencies keeps them alone: the fourth channel of these layouts.
            let bass = match num_channels {
                6.. => Some(3),
                _ => None,
            };
            let Some(distances) = snr_of_each(&wish, 20_000) else { continue };
            for (channel, snr) in
                distances.into_iter().enumerate().filter(|(channel, _)| Some(*channel) != bass)
            {
                assert!(snr > 15.0, "{pair:?}, channel {channel} of {num_channels}: {snr:.1} dB");
            }
        }
    }
}

#[test]
fn what_costs_more_is_better() {
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
