//! Compares Opus in every container with libopus, and windows with the whole, and decodes damaged files.
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::unwrap_used)]

mod corpus;
mod opus_files;

use corpus::{Numbers, read_all, rows};
use mapwave_builtin::{MatroskaDecoder, Mp4Decoder, OggDecoder};
use mapwave_plugin::Decoder;
use opus_files::{
    Decoded, Sound, check_windows, decode_by_ffmpeg, encode_by_ffmpeg, open_ogg, opusdec, remux,
    signal_to_noise, sound,
};

#[test]
fn files_of_the_corpus_decode_as_by_libopus() {
    for row in rows().iter().filter(|row| row.container == "ogg" && row.codec == "opus") {
        let bytes = std::fs::read(&row.path).unwrap();
        let mut decoder = open_ogg(&bytes);
        let info = decoder.info().clone();
        assert_eq!(info.sample_rate, 48_000, "{}", row.name);
        if let (Some(num_channels), Some(num_frames)) = (row.num_channels, row.num_frames) {
            assert_eq!(
                (info.num_channels, info.num_frames),
                (num_channels, Some(num_frames)),
                "{}",
                row.name
            );
        }
        assert!(!info.is_truncated, "{}", row.name);
        let samples: Vec<f32> = read_all(&mut decoder).unwrap();
        assert_eq!(
            (samples.len() / info.num_channels as usize) as u64,
            info.num_frames.unwrap(),
            "{}",
            row.name
        );
        check_windows(&mut decoder, &samples, 200, &row.name);
        let Some(Decoded { samples: expected, num_channels }) = opusdec(&bytes) else { continue };
        assert_eq!(u32::from(num_channels), info.num_channels, "{}", row.name);
        assert_eq!(expected.len(), samples.len(), "{}", row.name);
        let ratio = signal_to_noise(&expected, &samples);
        println!("{}: {ratio:.1} dB", row.name);

        assert!(ratio >= 120.0, "{}: {ratio} dB", row.name);
    }
}

/// Compares a file with opusdec and its windows with the whole; returns the ratio in dB.
fn compare(bytes: &[u8], num_frames: usize, name: &str) -> Option<f64> {
    let mut decoder = open_ogg(bytes);
    assert_eq!(decoder.info().num_frames, Some(num_frames as u64), "{name}");
    assert!(!decoder.info().is_truncated, "{name}");
    let samples: Vec<f32> = read_all(&mut decoder).unwrap();
    assert_eq!(samples.len(), num_frames * decoder.info().num_channels as usize, "{name}");
    check_windows(&mut decoder, &samples, 24, name);
    let num_channels = u16::try_from(decoder.info().num_channels).unwrap();
    let is_discrete = decoder.info().channel_mask == 0;
    let expected = if is_discrete { decode_by_ffmpeg(bytes, num_channels)? } else { opusdec(bytes)? };
    assert_eq!(expected.samples.len(), samples.len(), "{name}");
    Some(signal_to_noise(&expected.samples, &samples))
}

#[test]
fn every_rate_and_duration_decodes_as_by_libopus() {
    let mut worst = (f64::INFINITY, String::new());
    for kind in [Sound::Speech, Sound::Music, Sound::Silence] {
        for num_channels in [1, 2] {
            let samples = sound(kind, 100_001, num_channels);
            for (bit_rate, duration, application) in [
                ("6k", "60", "voip"),
                ("9k", "20", "voip"),
                ("14k", "40", "voip"),
                ("20k", "10", "voip"),
                ("24k", "20", "audio"),
                ("32k", "20", "audio"),
                ("40k", "10", "voip"),
                ("48k", "5", "audio"),
                ("64k", "2.5", "lowdelay"),
                ("96k", "60", "audio"),
                ("128k", "20", "audio"),
                ("256k", "10", "audio"),
            ] {
                let options = ["-b:a", bit_rate, "-frame_duration", duration, "-application", application];
                let name = format!("{kind:?}, {num_channels} channels, {options:?}");
                let Some(bytes) = encode_by_ffmpeg(&samples, num_channels, &options, "opus") else { return };
                let Some(ratio) = compare(&bytes, 100_001, &name) else { return };
                // Faint silence has few bits to compare.
                assert!(
                    ratio >= 120.0 || matches!(kind, Sound::Silence) && ratio >= 100.0,
                    "{name}: {ratio} dB"
                );
                worst = if ratio < worst.0 { (ratio, name) } else { worst };
            }
        }
    }
    println!("the worst: {worst:?}");
}

#[test]
fn what_is_louder_than_full_scale_is_not_cut() {
    for (bit_rate, duration, application) in
        [("64k", "10", "voip"), ("32k", "20", "audio"), ("40k", "20", "voip"), ("128k", "20", "audio")]
    {
        for num_channels in [1, 2] {
            // Speech and music in turn, so that packets of all modes are in the file.
            let (speech, music) = (Sound::Speech, Sound::Music);
            let mut samples = sound(speech, 240_000, num_channels);
            let other = sound(music, 240_000, num_channels);
            for (number, (sample, other)) in samples.iter_mut().zip(other).enumerate() {
                let is_music = number / num_channels / 60_000 % 2 == 1;
                *sample = 5.0 * if is_music { other } else { *sample };
            }
            let options = ["-b:a", bit_rate, "-frame_duration", duration, "-application", application];
            let name = format!("{num_channels} channels, {options:?}");
            let Some(bytes) = encode_by_ffmpeg(&samples, num_channels, &options, "opus") else { return };
            let Some(Decoded { samples: expected, .. }) = opusdec(&bytes) else { return };
            assert!(expected.iter().any(|sample| sample.abs() > 1.2), "{name}");
            let Some(ratio) = compare(&bytes, 240_000, &name) else { return };
            println!("{name}: {ratio:.1} dB");
            assert!(ratio >= 120.0, "{name}: {ratio} dB");
        }
    }
}

#[test]
fn surround_decodes_as_by_libopus() {
    for num_channels in 1..=8 {
        for (bit_rate, family) in [(256 * num_channels.min(8), "1"), (96, "1"), (96, "255")] {
            let bit_rate = format!("{}k", bit_rate.min(510));
            let samples = sound(Sound::Music, 48_007, num_channels);
            let layouts = ["mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"];
            let layout = format!("aformat=channel_layouts={}", layouts[num_channels - 1]);
            let options = ["-b:a", &bit_rate, "-mapping_family", family, "-af", &layout];
            let name = format!("{num_channels} channels, {options:?}");
            let Some(bytes) = encode_by_ffmpeg(&samples, num_channels, &options, "opus") else { return };
            let Some(ratio) = compare(&bytes, 48_007, &name) else { return };
            assert!(ratio >= 120.0, "{name}: {ratio} dB");
        }
    }
}

#[test]
fn windows_of_long_streams_are_slices() {
    // More than two cells, with SILK, hybrid and CELT frames.
    let mut samples = sound(Sound::Speech, 75 * 48_000, 1);
    samples.extend(sound(Sound::Music, 90 * 48_000, 1));
    for bit_rate in ["12k", "24k", "32k", "64k"] {
        let Some(bytes) = encode_by_ffmpeg(&samples, 1, &["-b:a", bit_rate], "opus") else { return };
        let mut decoder = open_ogg(&bytes);
        assert_eq!(decoder.info().num_frames, Some(samples.len() as u64));
        let linear: Vec<f32> = read_all(&mut decoder).unwrap();
        check_windows(&mut decoder, &linear, 60, bit_rate);
        let Some(expected) = opusdec(&bytes) else { return };
        let ratio = signal_to_noise(&expected.samples, &linear);
        println!("{bit_rate}: {ratio:.1} dB");
        assert!(ratio >= 120.0, "{bit_rate}: {ratio} dB");
    }
}

#[test]
fn links_with_one_serial_number_follow_each_other() {
    for seconds in [1, 60] {
        let samples = sound(Sound::Music, seconds * 48_000 + 17, 2);
        let options = ["-b:a", "64k", "-fflags", "+bitexact"];
        let Some(bytes) = encode_by_ffmpeg(&samples, 2, &options, "opus") else { return };
        let mut decoder = open_ogg(&bytes);
        let one: Vec<f32> = read_all(&mut decoder).unwrap();
        let chain = [&bytes[..], &bytes, &bytes].concat();
        let mut decoder = open_ogg(&chain);
        let all: Vec<f32> = read_all(&mut decoder).unwrap();
        assert!(all == [&one[..], &one, &one].concat(), "{seconds} s");
        check_windows(&mut decoder, &all, 60, "a chain");
    }
}

#[test]
fn many_copies_of_a_stream_are_all_found() {
    let samples = sound(Sound::Speech, 10 * 48_000, 1);
    for page in ["20000", "1000000"] {
        let options = ["-b:a", "24k", "-fflags", "+bitexact", "-page_duration", page];
        let Some(bytes) = encode_by_ffmpeg(&samples, 1, &options, "opus") else { return };
        // With about as many copies as the places in which a file is looked at, these are about the same in each copy.
        for num_copies in [63, 64, 65, 66, 128, 129] {
            let decoder = open_ogg(&bytes.repeat(num_copies));
            assert_eq!(
                decoder.info().num_frames,
                Some(num_copies as u64 * 10 * 48_000),
                "{num_copies} copies with pages of {page} us"
            );
            assert!(!decoder.info().is_truncated, "{num_copies} copies with pages of {page} us");
        }
    }
}

#[test]
fn what_is_cut_off_is_said_and_what_is_left_is_returned() {
    let samples = sound(Sound::Music, 30 * 48_000, 2);
    let Some(bytes) = encode_by_ffmpeg(&samples, 2, &["-b:a", "96k"], "opus") else { return };
    let whole: Vec<f32> = read_all(&mut open_ogg(&bytes)).unwrap();
    for part in [2, 3, 5, 9] {
        let mut decoder = open_ogg(&bytes[..bytes.len() * (part - 1) / part]);
        assert!(decoder.info().is_truncated);
        let left: Vec<f32> = read_all(&mut decoder).unwrap();
        assert_eq!(Some(left.len() as u64 / 2), decoder.info().num_frames);
        assert!(left.len() > whole.len() * (part - 1) / part * 9 / 10 && whole.starts_with(&left), "{part}");
        check_windows(&mut decoder, &left, 24, "a part");
    }
}

#[test]
fn a_length_that_the_file_cannot_hold_is_refused() {
    let samples = sound(Sound::Music, 100_000, 1);
    let Some(mut bytes) = encode_by_ffmpeg(&samples, 1, &[], "opus") else { return };
    let last = bytes.windows(4).rposition(|four| four == b"OggS").unwrap();
    bytes[last + 6..last + 14].copy_from_slice(&(1_u64 << 50).to_le_bytes());
    bytes[last + 22..last + 26].fill(0);
    let checksum = bytes[last..].iter().fold(0_u32, |sum, byte| {
        (0..8).fold(sum ^ (u32::from(*byte) << 24), |sum, _| {
            (sum << 1) ^ if sum >> 31 == 0 { 0 } else { 0x04C1_1DB7 }
        })
    });
    bytes[last + 22..last + 26].copy_from_slice(&checksum.to_le_bytes());
    // Nothing is lost in front of the last page, so its packets say where the sound ends.
    let decoder = open_ogg(&bytes);
    assert!(decoder.info().num_frames.unwrap() < 102_000);
    // Without the page before, the rest could be anything.
    let before = bytes[..last].windows(4).rposition(|four| four == b"OggS").unwrap();
    bytes.drain(before..last);
    let error = corpus::open::<OggDecoder>(&bytes).unwrap_err();
    assert!(error.message().contains("promise 1125899906842624 frames"), "{error}");
}

#[test]
fn lost_pages_become_silence() {
    let samples = sound(Sound::Music, 30 * 48_000, 2);
    let Some(bytes) = encode_by_ffmpeg(&samples, 2, &["-b:a", "96k"], "opus") else { return };
    let whole: Vec<f32> = read_all(&mut open_ogg(&bytes)).unwrap();
    let mut damaged = bytes.clone();
    let places: Vec<usize> =
        bytes.windows(4).enumerate().filter(|(_, four)| four == b"OggS").map(|(at, _)| at).collect();
    damaged[places[10] + 500] ^= 1;
    for changed in [damaged, [&bytes[..places[10]], &bytes[places[11]..]].concat()] {
        let mut decoder = open_ogg(&changed);
        assert_eq!(decoder.info().num_frames, Some(30 * 48_000));
        let found: Vec<f32> = read_all(&mut decoder).unwrap();
        check_windows(&mut decoder, &found, 60, "without a page");
        let is_same = |range: std::ops::Range<usize>| found[range.clone()] == whole[range];
        // A page has a second, the tenth of them begins after eight, with the two of headers.
        assert!(is_same(0..2 * 7 * 48_000) && is_same(2 * 12 * 48_000..whole.len()));
        let silent = found.chunks(9600).filter(|tenth| tenth.iter().all(|sample| *sample == 0.0)).count();
        assert!((8..=10).contains(&silent), "{silent}");
    }
}

#[test]
fn other_containers_have_the_same_samples() {
    for (kind, bit_rate) in [(Sound::Music, "96k"), (Sound::Speech, "16k")] {
        for num_channels in [1, 2, 6] {
            let samples = sound(kind, 100_001, num_channels);
            let Some(ogg) = encode_by_ffmpeg(&samples, num_channels, &["-b:a", bit_rate], "opus") else {
                return;
            };
            let expected: Vec<f32> = read_all(&mut open_ogg(&ogg)).unwrap();
            let name = format!("{kind:?}, {num_channels} channels");
            for extension in ["webm", "mka"] {
                let bytes = remux(&ogg, extension);
                same(
                    &mut corpus::open::<MatroskaDecoder>(&bytes).unwrap(),
                    &expected,
                    &format!("{extension}: {name}"),
                );
            }
            let bytes = encode_by_ffmpeg(&samples, num_channels, &["-b:a", bit_rate], "mp4").unwrap();
            same(&mut corpus::open::<Mp4Decoder>(&bytes).unwrap(), &expected, &format!("mp4: {name}"));
        }
    }
}

fn same<D: Decoder>(decoder: &mut D, expected: &[f32], name: &str) {
    let found: Vec<f32> = read_all(decoder).unwrap();
    assert_eq!(found.len(), expected.len(), "{name}");
    assert!(found == expected, "{name}");
    assert_eq!(
        decoder.info().num_frames,
        Some(found.len() as u64 / u64::from(decoder.info().num_channels)),
        "{name}"
    );
    check_windows(decoder, &found, 24, name);
}

#[test]
fn damage_of_any_kind_leaves_windows_slices() {
    let samples = sound(Sound::Speech, 200_000, 2);
    let mut numbers = Numbers(0x5EED);
    for (options, extension) in
        [(["-b:a", "20k"], "opus"), (["-b:a", "64k"], "opus"), (["-b:a", "20k"], "webm")]
    {
        let Some(whole) = encode_by_ffmpeg(&samples, 2, &options, extension) else { return };
        for round in 0..60 {
            let mut bytes = whole.clone();
            match round % 3 {
                0 => bytes.truncate(numbers.below(whole.len() as u64) as usize),
                1 => (0..=numbers.below(30)).for_each(|_| {
                    let place = numbers.below(whole.len() as u64) as usize;
                    bytes[place] ^= 1 << numbers.below(8);
                }),
                _ => {
                    let place = numbers.below(whole.len() as u64) as usize;
                    let end = (place + numbers.below(3000) as usize).min(bytes.len());
                    bytes.drain(place..end);
                }
            }
            let name = format!("{options:?} in {extension}, round {round}");
            if extension == "webm" {
                if let Ok(mut decoder) = corpus::open::<MatroskaDecoder>(&bytes) {
                    consistent(&mut decoder, &name);
                }
            } else if let Ok(mut decoder) = corpus::open::<OggDecoder>(&bytes) {
                consistent(&mut decoder, &name);
            }
        }
    }
}

/// Checks that a file has as many frames as it says, and that windows are slices of them.
fn consistent<D: Decoder>(decoder: &mut D, name: &str) {
    let samples: Vec<f32> = read_all(decoder).unwrap();
    let num_frames = samples.len() as u64 / u64::from(decoder.info().num_channels);
    assert_eq!(decoder.info().num_frames, Some(num_frames), "{name}");
    check_windows(decoder, &samples, 8, name);
}
