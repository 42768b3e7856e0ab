//! Frames after a seek.

use super::*;

/// Pseudo-random numbers (Marsaglia, *Xorshift RNGs*, 2003).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % end.max(1)
    }
}

/// Files for seeking: AAC with and without noise substitution, whole and in fragments, and ALAC.
fn files(test: &str) -> Vec<(&'static str, Vec<u8>)> {
    let directory = Directory::new(test);
    let (mono, stereo) = (sound(1, 21.0), sound(2, 21.0));
    let stereo = ["-f", "lavfi", "-i", &stereo];
    let mono = ["-f", "lavfi", "-i", &mono];
    let fragmented = ["-c:a", "aac", "-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "500000"];
    let files: [(&str, [&str; 4], &[&str]); 7] = [
        ("stereo.m4a", stereo, &["-c:a", "aac", "-b:a", "64k"]),
        ("mono.m4a", mono, &["-c:a", "aac", "-b:a", "48k"]),
        ("plain.m4a", stereo, &["-c:a", "aac", "-aac_pns", "0", "-b:a", "160k"]),
        ("fragments.mp4", stereo, &fragmented),
        ("frames.aac", stereo, &["-c:a", "aac"]),
        ("lossless.m4a", stereo, &["-c:a", "alac"]),
        ("lossless.caf", mono, &["-c:a", "alac", "-sample_fmt", "s32p"]),
    ];
    let make = |(name, source, arguments): (&'static str, [&str; 4], &[&str])| {
        Some((name, ffmpeg(&directory, name, &[&source[..], arguments].concat())?))
    };
    files.into_iter().map_while(make).collect()
}

#[test]
fn lossless_windows_equal_linear_decoding() {
    let mut random = Random(0x1234_5678_9abc_def1);
    println!("seed {:#x}", random.0);
    for (name, bytes) in files("windows") {
        let mut decoder = Any::open(&bytes, &DecoderOptions::default()).unwrap();
        if !decoder.info().is_lossless {
            continue;
        }
        let all: Vec<i32> = decoder.read_all();
        let num_channels = u64::from(decoder.info().num_channels);
        for _ in 0..200 {
            let start = random.below(decoder.num_frames());
            let num_frames = random.below(20_000).min(decoder.num_frames() - start);
            decoder.seek(start);
            let window: Vec<i32> = decoder.read(num_frames, 1 + random.below(5000)).unwrap();
            let expected = (start * num_channels) as usize..((start + num_frames) * num_channels) as usize;
            assert!(window == all[expected], "{name}: {num_frames} frames from {start}");
        }
        let float: Vec<f32> = decoder.read_all();
        // A float has 24 bits, and FFmpeg's encoder writes no more.
        assert!(float.iter().zip(&all).all(|(a, b)| f64::from(*a) == f64::from(*b) / 2_147_483_648.0));
        assert!(is_integer(decoder.info()));
    }
}

#[test]
fn a_seek_gives_the_same_whatever_came_before() {
    let mut random = Random(0x9876_5432_1fed_cba1);
    println!("seed {:#x}", random.0);
    for (name, bytes) in files("handles") {
        let mut used = Any::open(&bytes, &DecoderOptions::default()).unwrap();
        let num_frames = used.num_frames();
        for _ in 0..40 {
            let start = random.below(num_frames);
            let length = random.below(10_000).min(num_frames - start);
            let mut fresh = Any::open(&bytes, &DecoderOptions::default()).unwrap();
            let mut fork = used.fork();
            let windows = [&mut used, &mut fresh, &mut fork].map(|decoder| {
                decoder.seek(start);
                decoder.read::<f32>(length, 1 + random.below(3000)).unwrap()
            });
            assert_eq!(windows[0].len() as u64, length * u64::from(used.info().num_channels));
            let same = windows[0] == windows[1] && windows[0] == windows[2];
            assert!(same, "{name}: {length} frames from {start}");
        }
    }
}

#[test]
fn windows_of_aac_equal_linear_decoding_with_noise_and_without() {
    let mut random = Random(0x0f1e_2d3c_4b5a_6971);
    println!("seed {:#x}", random.0);
    for (name, bytes) in files("grid") {
        let mut decoder = Any::open(&bytes, &DecoderOptions::default()).unwrap();
        if decoder.info().is_lossless {
            continue;
        }
        assert!(is_exact(decoder.info()), "{name}");
        let num_frames = decoder.num_frames();
        let num_channels = u64::from(decoder.info().num_channels);
        let whole: Vec<f32> = decoder.read_all();
        for _ in 0..200 {
            let start = random.below(num_frames);
            let end = start + random.below(30_000).min(num_frames - start);
            decoder.seek(start);
            let window: Vec<f32> = decoder.read(end - start, 1 + random.below(5000)).unwrap();
            let expected = (start * num_channels) as usize..(end * num_channels) as usize;
            assert!(window == whole[expected], "{name}: {start} to {end}");
        }
    }
}

#[test]
fn noise_is_that_of_ffmpeg_until_its_generator_begins_again() {
    let directory = Directory::new("cells");
    for (name, num_channels, bit_rate, cell_frames) in [
        ("stereo.m4a", 2, "64k", 80 * 1024),
        ("mono.m4a", 1, "40k", 160 * 1024),
        ("frames.aac", 2, "64k", 80 * 1024),
    ] {
        let source = sound(num_channels, 5.0);
        let arguments = ["-f", "lavfi", "-i", &source, "-c:a", "aac", "-b:a", bit_rate];
        let Some(bytes) = ffmpeg(&directory, name, &arguments) else { return };
        let mut decoder = Any::open(&bytes, &DecoderOptions::default()).unwrap();
        let samples: Vec<f32> = decoder.read_all();
        let Some(expected) = corpus::decoded_by_ffmpeg(&directory.0.join(name), &directory) else { return };
        let num_same = (cell_frames - decoder.info().priming_frames as usize) * num_channels;
        let (same, rest) = (0..num_same, num_same..samples.len());
        let ratios = [same, rest].map(|part| snr(&expected[part.clone()], &samples[part]));
        println!("{name}: SNR {:.1} dB, then {:.1} dB", ratios[0], ratios[1]);
        assert!(ratios[0] >= 100.0, "{name}");
        assert!((5.0..80.0).contains(&ratios[1]), "{name}: the file is to try noise");
    }
}
