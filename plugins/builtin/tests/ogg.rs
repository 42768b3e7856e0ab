//! Compares Vorbis and FLAC in Ogg with the corpus and FFmpeg and windows with the whole, and decodes damaged files.
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod corpus;

use std::process::Command;

use corpus::{Numbers, Row, check_windows, open, read_all, rows, survive};
use mapwave_builtin::OggDecoder;
use mapwave_plugin::{Decoder, Head, Status};
use sha2::{Digest, Sha256};

fn ogg_rows(codec: &str) -> Vec<Row> {
    rows().into_iter().filter(|row| row.container == "ogg" && row.codec == codec).collect()
}

/// The samples of a file decoded by FFmpeg, in WAVE order; `None` without FFmpeg.
fn decode_by_ffmpeg(row: &Row) -> Option<Vec<f32>> {
    let output =
        Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(&row.path).args(["-f", "f32le", "-"]).output();
    let bytes = output.ok()?.stdout;
    Some(bytes.as_chunks().0.iter().map(|sample| f32::from_le_bytes(*sample)).collect())
}

/// The end of the audio according to the granule position of the file's last page.
fn last_granule(bytes: &[u8]) -> u64 {
    let last = bytes.windows(4).rposition(|window| window == b"OggS").expect("a page");
    let granule = bytes[last + 6..last + 14].try_into().expect("eight bytes");
    u64::from_le_bytes(granule)
}

fn signal_to_noise(expected: &[f32], found: &[f32]) -> f64 {
    let signal: f64 = expected.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let noise: f64 = expected.iter().zip(found).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (signal / noise.max(1e-30)).log10()
}

#[test]
fn vorbis_decodes_as_others_do() {
    let mut num_files = 0;
    for row in ogg_rows("vorbis").iter().filter(|row| row.status.starts_with("valid")) {
        let bytes = std::fs::read(&row.path).expect("a file of the corpus");
        let mut decoder: OggDecoder = open(&bytes).unwrap_or_else(|error| panic!("{}: {error}", row.name));
        let info = decoder.info().clone();
        assert_eq!(Some(info.sample_rate), row.sample_rate, "{}", row.name);
        assert_eq!(Some(info.num_channels), row.num_channels, "{}", row.name);
        assert!(!info.is_truncated, "{}", row.name);
        // FFmpeg 5.1 does not trim streams of one page of sound as the specification says; their granule position, ffprobe
        // and libsndfile agree on another number.
        assert_eq!(info.num_frames, Some(last_granule(&bytes)), "{}", row.name);
        if info.num_frames != row.num_frames {
            println!("{}: {:?} frames, FFmpeg says {:?}", row.name, info.num_frames, row.num_frames);
            assert!(bytes.windows(4).filter(|window| window == b"OggS").count() == 3, "{}", row.name);
        }
        let samples: Vec<f32> =
            read_all(&mut decoder).unwrap_or_else(|error| panic!("{}: {error}", row.name));
        assert_eq!(
            Some((samples.len() / info.num_channels as usize) as u64),
            info.num_frames,
            "{}",
            row.name
        );
        if let Some(expected) = decode_by_ffmpeg(row) {
            let num_samples = expected.len().min(samples.len());
            let ratio = signal_to_noise(&expected[..num_samples], &samples[..num_samples]);
            println!("{}: {ratio:.1} dB", row.name);
            assert!(ratio >= 60.0, "{}: {ratio} dB", row.name);
        }
        check_windows(&mut decoder, &samples, 200, &row.name);
        num_files += 1;
    }
    println!("{num_files} files");
}

#[test]
fn flac_in_ogg_decodes_bit_by_bit() {
    for row in ogg_rows("flac").iter().filter(|row| row.status.starts_with("valid")) {
        let bytes = std::fs::read(&row.path).expect("a file of the corpus");
        let mut decoder: OggDecoder = open(&bytes).unwrap_or_else(|error| panic!("{}: {error}", row.name));
        assert_eq!(decoder.info().num_frames, row.num_frames, "{}", row.name);
        let samples: Vec<i32> =
            read_all(&mut decoder).unwrap_or_else(|error| panic!("{}: {error}", row.name));
        let canon: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let digest: String = Sha256::digest(&canon).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, row.sha256, "{}", row.name);
        check_windows(&mut decoder, &samples, 200, &row.name);
        println!("{}: bit-exact", row.name);
    }
}

#[test]
fn other_codecs_are_named() {
    for (codec, name) in [("speex", "Speex")] {
        for row in ogg_rows(codec) {
            let bytes = std::fs::read(&row.path).expect("a file of the corpus");
            let Err(error) = open::<OggDecoder>(&bytes) else { panic!("{} was opened", row.name) };
            assert_eq!(error.status(), Status::Unsupported);
            assert!(error.message().contains(name), "{error}");
            let head = Head {
                bytes: &bytes[..bytes.len().min(2000)],
                total_bytes: bytes.len() as u64,
                extension: None,
                track: None,
            };
            assert_eq!(OggDecoder::probe(&head), 0);
        }
    }
}

#[test]
fn chained_links_come_one_after_the_other() {
    let rows = rows();
    let find = |name: &str| {
        rows.iter().find(|row| row.name.ends_with(name)).map(|row| std::fs::read(&row.path).expect("a file"))
    };
    let Some(chained) = find("chained_vorbis_same_format.ogg") else { return };
    let second = chained[6154..].to_vec();
    let both = [&chained[..6154], &second]
        .map(|link| read_all::<OggDecoder, f32>(&mut open(link).expect("a link")).expect("samples"));
    let mut decoder: OggDecoder = open(&chained).expect("a chain");
    assert_eq!(decoder.info().num_frames, Some(2 * 6617));
    let samples: Vec<f32> = read_all(&mut decoder).expect("samples");
    assert!(samples == both.concat());
    check_windows(&mut decoder, &samples, 200, "chain");
    let Some(different) = find("chained_vorbis_2ch_then_1ch.ogg") else { return };
    let second = different.windows(6).rposition(|page| page.starts_with(b"OggS") && page[5] & 2 != 0);
    let mut first: OggDecoder = open(&different[..second.expect("a second link")]).expect("the first link");
    let mut decoder: OggDecoder = open(&different).expect("what comes before the change");
    assert!(decoder.info().is_truncated && !first.info().is_truncated);
    assert_eq!(decoder.info().num_frames, first.info().num_frames);
    let samples = read_all::<OggDecoder, f32>(&mut decoder).expect("samples");
    assert!(samples == read_all::<OggDecoder, f32>(&mut first).expect("samples"));
}

/// A stream of several pages.
fn long_file() -> Option<(Vec<u8>, Vec<f32>)> {
    let row = ogg_rows("vorbis").into_iter().find(|row| row.name.ends_with("assets/beep3.ogg"))?;
    let bytes = std::fs::read(&row.path).expect("a file of the corpus");
    let samples = read_all(&mut open::<OggDecoder>(&bytes).expect("a file")).expect("samples");
    Some((bytes, samples))
}

#[test]
fn a_lost_or_damaged_page_is_silence_of_its_length() {
    let Some((bytes, linear)) = long_file() else { return };
    // The third page of audio begins after frame 208576 and ends with 314048.
    let lost = [&bytes[..12438], &bytes[16684..]].concat();
    let mut damaged = bytes.clone();
    damaged[12438 + 2000] ^= 0x10;
    for (name, bytes) in [("lost", lost), ("damaged", damaged)] {
        let mut decoder: OggDecoder = open(&bytes).expect("a file");
        assert_eq!(decoder.info().num_frames, Some(441_000), "{name}");
        let samples: Vec<f32> = read_all(&mut decoder).expect("samples");
        assert!(samples[..208_000] == linear[..208_000], "{name}");
        assert!(samples[210_000..313_000].iter().all(|sample| *sample == 0.0), "{name}");
        assert!(samples[316_000..] == linear[316_000..], "{name}");
        check_windows(&mut decoder, &samples, 200, name);
    }
}

#[test]
fn garbage_between_pages_changes_nothing() {
    let Some((bytes, linear)) = long_file() else { return };
    let dirty =
        [b"junk".as_slice(), &bytes[..8187], b"OggS and more junk", &bytes[8187..], b"trailer"].concat();
    let mut decoder: OggDecoder = open(&dirty).expect("a file");
    let samples: Vec<f32> = read_all(&mut decoder).expect("samples");
    assert!(samples == linear);
}

#[test]
fn a_stream_cut_at_its_start_begins_where_it_can() {
    let Some((bytes, linear)) = long_file() else { return };
    let cut = [&bytes[..3931], &bytes[12438..]].concat();
    let mut decoder: OggDecoder = open(&cut).expect("a file");
    let samples: Vec<f32> = read_all(&mut decoder).expect("samples");
    assert!(!samples.is_empty() && linear.ends_with(&samples));
    check_windows(&mut decoder, &samples, 100, "cut");
}

#[test]
fn a_cut_file_gives_what_is_whole_and_says_so() {
    let Some((bytes, linear)) = long_file() else { return };
    for num_bytes in (0..bytes.len()).step_by(97) {
        let Ok(mut decoder) = open::<OggDecoder>(&bytes[..num_bytes]) else {
            assert!(num_bytes < 3931, "after {num_bytes}");
            continue;
        };
        assert!(decoder.info().is_truncated);
        let samples: Vec<f32> = read_all(&mut decoder).expect("samples");
        assert_eq!(decoder.info().num_frames, Some(samples.len() as u64));
        assert!(samples == linear[..samples.len()]);
    }
}

#[test]
fn no_damage_makes_it_panic() {
    let rows = rows();
    for name in ["vorbis_1ch_8k.ogg", "flac_in_ogg.oga", "ogg_vorbis_6ch.ogg"] {
        let Some(row) = rows.iter().find(|row| row.name.ends_with(name)) else { return };
        let bytes = std::fs::read(&row.path).expect("a file of the corpus");
        for num_bytes in 0..bytes.len().min(9000) {
            survive::<OggDecoder>(&bytes[..num_bytes]);
        }
        for place in (0..bytes.len()).step_by(2) {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1 << (place / 2 % 8);
            survive::<OggDecoder>(&bytes);
        }
    }
}

/// Corrects the checksums of all pages.
fn seal(bytes: &mut [u8]) {
    let mut offset = 0;
    while bytes.get(offset..offset + 27).is_some_and(|header| header.starts_with(b"OggS")) {
        let num_segments = usize::from(bytes[offset + 26]);
        let Some(lacing) = bytes.get(offset + 27..offset + 27 + num_segments) else { return };
        let end = offset + 27 + num_segments + lacing.iter().map(|size| usize::from(*size)).sum::<usize>();
        let Some(page) = bytes.get_mut(offset..end) else { return };
        page[22..26].fill(0);
        let crc = page.iter().fold(0_u32, |crc, byte| {
            (0..8).fold(crc ^ (u32::from(*byte) << 24), |crc, _| {
                (crc << 1) ^ if crc >> 31 == 0 { 0 } else { 0x04C1_1DB7 }
            })
        });
        page[22..26].copy_from_slice(&crc.to_le_bytes());
        offset = end;
    }
}

#[test]
fn no_malice_makes_it_panic() {
    let rows = rows();
    let mut numbers = Numbers(0x1234_5678_9ABC);
    for name in ["vorbis_1ch_8k.ogg", "flac_in_ogg.oga", "ogg_vorbis_6ch.ogg", "ogg_vorbis_2ch.ogg"] {
        let Some(row) = rows.iter().find(|row| row.name.ends_with(name)) else { return };
        let bytes = std::fs::read(&row.path).expect("a file of the corpus");
        for _ in 0..1500 {
            let mut bytes = bytes.clone();
            for _ in 0..numbers.below(3) + 1 {
                let place = numbers.below(bytes.len() as u64) as usize;
                bytes[place] ^= 1 << numbers.below(8);
            }
            seal(&mut bytes);
            survive::<OggDecoder>(&bytes);
        }
    }
}
