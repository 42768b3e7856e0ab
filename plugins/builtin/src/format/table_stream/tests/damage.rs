//! Truncated files and files with wrong bits.

use super::seeking::Random;
use super::*;

/// Short files of every kind.
fn files(test: &str) -> Vec<(&'static str, Vec<u8>)> {
    let directory = Directory::new(test);
    let (mono, stereo) = (sound(1, 0.25), sound(2, 0.25));
    let stereo = ["-f", "lavfi", "-i", &stereo];
    let mono = ["-f", "lavfi", "-i", &mono];
    let fragmented = ["-c:a", "aac", "-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "100000"];
    let flac = ["-c:a", "flac", "-strict", "-2", "-movflags", "+faststart"];
    let files: [(&str, [&str; 4], &[&str]); 11] = [
        ("front.m4a", stereo, &["-c:a", "aac", "-movflags", "+faststart", "-metadata", "title=T"]),
        ("back.mov", mono, &["-c:a", "aac"]),
        ("fragments.mp4", stereo, &fragmented),
        ("frames.aac", mono, &["-c:a", "aac"]),
        ("lossless.m4a", stereo, &["-c:a", "alac", "-movflags", "+faststart"]),
        ("lossless.mov", mono, &["-c:a", "alac", "-sample_fmt", "s32p", "-movflags", "+faststart"]),
        ("lossless.caf", stereo, &["-c:a", "alac"]),
        ("flac.mp4", stereo, &flac),
        ("flac.caf", stereo, &["-c:a", "flac"]),
        ("flac.wav", mono, &["-c:a", "flac"]),
        ("mpeg.mp4", stereo, &["-c:a", "libmp3lame", "-movflags", "+faststart"]),
    ];
    let make = |(name, source, arguments): (&'static str, [&str; 4], &[&str])| {
        Some((name, ffmpeg(&directory, name, &[&source[..], arguments].concat())?))
    };
    files.into_iter().map_while(make).collect()
}

/// Opens and decodes bytes as far as possible; returns the number of frames and whether some are missing, if opening
/// succeeded.
fn survive(bytes: &[u8]) -> Option<(u64, bool)> {
    let mut decoder = Any::open(bytes, &DecoderOptions::default()).ok()?;
    let (num_frames, is_truncated) = (decoder.num_frames(), decoder.info().is_truncated);
    // No packet has more frames than that, or less than one byte.
    assert!(num_frames <= bytes.len() as u64 * 65536, "{num_frames} frames of {} bytes", bytes.len());
    for start in [0, num_frames / 2, num_frames] {
        decoder.seek(start);
        let _ = decoder.read::<f32>((num_frames - start).min(30_000), 4096);
    }
    Some((num_frames, is_truncated))
}

#[test]
fn files_that_are_cut_off_anywhere_are_shorter_or_refused() {
    for (name, bytes) in files("cut") {
        let (all, _) = survive(&bytes).unwrap();
        let mut last = 0;
        let mut cut = 0;
        while cut < bytes.len() {
            if let Some((num_frames, is_truncated)) = survive(&bytes[..cut]) {
                assert!(
                    num_frames <= all && last <= num_frames,
                    "{name}: {num_frames} frames after {cut} bytes"
                );
                assert!(is_truncated || num_frames == all || !name.ends_with("m4a"), "{name}: {cut}");
                last = num_frames;
            }
            // Every byte of the headers, then some in the packets.
            cut += if cut < 1500 || cut + 50 > bytes.len() { 1 } else { 61 };
        }
        println!("{name}: {last} of {all} frames before the last byte");
    }
}

#[test]
fn wrong_bits_do_no_harm() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (seed, rounds) = (number("MAPWAVE_SEED", 0x5151_7a7a_1e1e_0b0b), number("MAPWAVE_ROUNDS", 600));
    println!("to see this again: MAPWAVE_SEED={seed} MAPWAVE_ROUNDS={rounds}");
    let mut random = Random(seed);
    for (name, bytes) in files("bits") {
        let moov = bytes.windows(4).position(|kind| kind == b"moov").unwrap_or(0);
        let mut num_opened = 0;
        for round in 0..rounds {
            let mut damaged = bytes.clone();
            let places = if round % 2 == 0 { moov..(moov + 900).min(bytes.len()) } else { 0..bytes.len() };
            for _ in 0..=random.below(3) {
                let place = places.start + random.below(places.len() as u64) as usize;
                damaged[place] = match random.below(4) {
                    0 => 0xff,
                    1 => 0,
                    _ => damaged[place] ^ 1 << random.below(8),
                };
            }
            num_opened += u64::from(survive(&damaged).is_some());
        }
        println!("{name}: {num_opened} of {rounds} opened");
    }
}

#[test]
fn a_broken_packet_is_silence_in_aac_and_an_error_in_alac() {
    for (name, bytes) in files("broken") {
        let mut damaged = bytes.clone();
        let place =
            bytes.windows(4).position(|kind| kind == b"mdat").map(|place| place + 4 + bytes.len() / 3);
        let Some(place) = place.filter(|_| name.ends_with("m4a")) else { continue };
        damaged[place..place + 1200].fill(0xff);
        let mut whole = Any::open(&bytes, &DecoderOptions::default()).unwrap();
        let mut decoder = Any::open(&damaged, &DecoderOptions::default()).unwrap();
        assert_eq!(decoder.num_frames(), whole.num_frames());
        if decoder.info().is_lossless {
            let error = decoder.read::<i32>(decoder.num_frames(), 4096).unwrap_err();
            assert_eq!(error.status(), Status::BadData);
            assert!(error.offset().is_some());
        } else {
            let (expected, found): (Vec<f32>, Vec<f32>) = (whole.read_all(), decoder.read_all());
            assert_eq!(found[..2048], expected[..2048]);
            assert!(found != expected);
            assert!(found.chunks(512).any(|part| part.iter().all(|sample| *sample == 0.0)));
        }
    }
}

#[test]
fn a_limit_of_memory_is_kept() {
    for (name, bytes) in files("limit") {
        let options = DecoderOptions { max_alloc: 16, ..DecoderOptions::default() };
        assert!(Any::open(&bytes, &options).is_err(), "{name}");
    }
}
