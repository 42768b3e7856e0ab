//! Compares ADPCM with the corpus, which FFmpeg and libsndfile have decoded, and windows with the whole.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::path::{Path, PathBuf};

use mapwave_plugin::{Decoder, DecoderOptions, Head, Input, Output, SampleFormat, Status};
use sha2::{Digest, Sha256};

use super::AdpcmDecoder;
use crate::fixtures;
use crate::fixtures::track_of;

/// A row of the corpus' table.
struct Row {
    path: PathBuf,
    num_frames: u64,
    /// The digest of the samples as `i32`.
    sha256: String,
}

/// Digests of `ima4` as decoded by libsndfile 1.2.2. The corpus has none: FFmpeg carries the lower bits of a predictor
/// from packet to packet, so its output depends on where it starts.
const IMA4: &[(&str, &str)] = &[
    ("aiff_ima_adpcm_1ch.aiff", "86c22e47a9fd44fddb86b1eee2cc63c5fb9b46908bedf353547b510ca7691a50"),
    ("aiff_ima_adpcm_2ch.aiff", "056b05331260bddb69e395572ee098771b081f53cbafc18fb922a092728e8efa"),
    ("aiff_adpcm_ima_qt.aifc", "f707a476488e6f77259c078c5739f7de950320f694a9d3a1616f049312c22596"),
    ("caf_adpcm_ima_qt.caf", "f707a476488e6f77259c078c5739f7de950320f694a9d3a1616f049312c22596"), // the same packets
];

/// The corpus' valid ADPCM files of the codecs decoded here.
fn rows() -> Vec<Row> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let corpus = std::env::var_os("MAPWAVE_CORPUS").map_or(corpus, PathBuf::from);
    let Ok(table) = std::fs::read_to_string(corpus.join("expected.tsv")) else {
        println!("skipped: there is no corpus at {} (MAPWAVE_CORPUS names another place)", corpus.display());
        return Vec::new();
    };
    let rows = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let codecs = ["adpcm_ima_wav", "adpcm_ima_qt", "adpcm_ms"];
    let rows = rows.filter(|row| row[1].starts_with("valid") && codecs.contains(&row[5]));
    let row = |row: Vec<&str>| {
        let ima4 = IMA4.iter().find(|(name, _)| row[0].ends_with(name));
        Row {
            path: corpus.join(row[0]),
            num_frames: row[8].parse().unwrap(),
            sha256: ima4.map_or(row[10], |(_, sha256)| *sha256).to_owned(),
        }
    };
    rows.map(row).collect()
}

fn open(bytes: &[u8]) -> Result<AdpcmDecoder, String> {
    let track =
        mapwave_core::container::parse(bytes, bytes.len() as u64).map_err(|error| error.to_string())?;
    let options = DecoderOptions { track: track_of(&track), ..DecoderOptions::default() };
    let head = Head { bytes, total_bytes: bytes.len() as u64, extension: None, track: options.track.clone() };
    if AdpcmDecoder::probe(&head) == 0 {
        return Err("another codec".to_owned());
    }
    AdpcmDecoder::open(Input::from(bytes.to_vec()), &options).map_err(|error| error.to_string())
}

/// The next frames, at most `num_frames`, decoded `step` at a time.
fn frames(decoder: &mut AdpcmDecoder, num_frames: usize, step: usize) -> Vec<i16> {
    let num_channels = decoder.info().num_channels as usize;
    let mut samples = vec![0; num_frames * num_channels];
    let mut done = 0;
    for room in samples.chunks_mut(step * num_channels) {
        let (written, result) = Output::with_slice(room, num_channels, |output| {
            let result = decoder.decode(output);
            (output.num_written(), result)
        });
        result.unwrap();
        done += written;
        if written * num_channels < room.len() {
            break;
        }
    }
    samples.truncate(done * num_channels);
    samples
}

fn whole(decoder: &mut AdpcmDecoder) -> Vec<i16> {
    decoder.seek(0).unwrap();
    let num_frames = decoder.info().num_frames.unwrap() as usize;
    let samples = frames(decoder, num_frames + 1, 1 << 20);
    assert_eq!(samples.len(), num_frames * decoder.info().num_channels as usize, "as many frames as it says");
    samples
}

/// Pseudo-random numbers (Marsaglia, *Xorshift RNGs*, 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

#[test]
fn the_corpus_comes_out_as_others_decode_it() {
    let rows = rows();
    for row in &rows {
        let name = row.path.display();
        let mut decoder =
            open(&std::fs::read(&row.path).unwrap()).unwrap_or_else(|why| panic!("{name}: {why}"));
        let samples = whole(&mut decoder);
        assert_eq!(decoder.info().num_frames, Some(row.num_frames), "{name}");
        assert!(!decoder.info().is_truncated, "{name}");
        let canon: Vec<u8> =
            samples.iter().flat_map(|sample| (i32::from(*sample) << 16).to_le_bytes()).collect();
        let digest: String = Sha256::digest(&canon).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, row.sha256, "{name}");
    }
    println!("adpcm: {} files bit for bit", rows.len());
}

#[test]
fn the_fixtures_come_out_as_others_decode_them() {
    for name in ["adpcm-ms.wav", "adpcm-ima.wav", "ima4.aifc"] {
        let bytes = fixtures::read(name);
        let track = mapwave_core::container::parse(&bytes, bytes.len() as u64).unwrap();
        fixtures::check::<AdpcmDecoder>(name, track_of(&track));
    }
}

#[test]
fn any_window_is_what_linear_decoding_gives() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for row in rows() {
        let mut decoder = open(&std::fs::read(&row.path).unwrap()).unwrap();
        let (linear, num_channels) = (whole(&mut decoder), decoder.info().num_channels as usize);
        let num_frames = linear.len() / num_channels;
        let mut fork = decoder.fork().unwrap();
        for _ in 0..100 {
            let start = random.below(num_frames + 1);
            let count = random.below(num_frames - start + 1).max(1);
            let handle = if random.below(2) == 0 { &mut decoder } else { &mut fork };
            handle.seek(start as u64).unwrap();
            let window = frames(handle, count, 1 + random.below(5000));
            let end = (start + count).min(num_frames);
            assert!(window == linear[start * num_channels..end * num_channels], "{start}..{end}");
        }
        assert_eq!(decoder.seek(num_frames as u64 + 1).unwrap_err().status(), Status::BadArgument);
    }
}

/// A WAV file of Microsoft's or IMA's ADPCM, of random blocks.
fn wav(tag: u16, num_channels: u16, block_bytes: u16, config: &[u8], sound: &[u8]) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    bytes.extend((18 + config.len() as u32).to_le_bytes());
    for field in [tag, num_channels, 8000, 0, 0, 0, block_bytes, 4, config.len() as u16] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(config);
    bytes.extend(b"data");
    bytes.extend((sound.len() as u32).to_le_bytes());
    bytes.extend(sound);
    bytes
}

fn noise(num_bytes: usize) -> Vec<u8> {
    let mut random = Random(88_172_645_463_325_252);
    (0..num_bytes).map(|_| random.below(256) as u8).collect()
}

#[test]
fn samples_come_in_all_formats() {
    let mut decoder = open(&wav(0x11, 1, 36, &[], &[[3, 0, 0, 0].as_slice(), &noise(32)].concat())).unwrap();
    let linear = whole(&mut decoder);
    assert!(linear.len() == 65 && linear.iter().any(|sample| *sample != linear[0]));
    let (mut floats, mut integers) = ([0_f32; 65], [0_i32; 65]);
    for (format, is_float) in [(SampleFormat::F32, true), (SampleFormat::I32, false)] {
        assert!(decoder.info().formats.contains(&format));
        decoder.seek(0).unwrap();
        let result = if is_float {
            Output::with_slice(&mut floats, 1, |output| decoder.decode(output))
        } else {
            Output::with_slice(&mut integers, 1, |output| decoder.decode(output))
        };
        result.unwrap();
    }
    assert!(linear.iter().zip(floats).all(|(a, b)| f32::from(*a) / 32768.0 == b));
    assert!(linear.iter().zip(integers).all(|(a, b)| i32::from(*a) << 16 == b));
}

#[test]
fn a_last_block_gives_the_frames_it_has() {
    // Mono: 4 bytes are the first sample, 4 more the next eight.
    for (num_bytes, expected) in [(36, 65), (37, 65), (39, 65), (40, 66), (43, 66), (44, 74), (72, 130)] {
        let mut sound = [[0, 0, 0, 0].as_slice(), &noise(32)].concat().repeat(2);
        sound.truncate(num_bytes);
        let mut decoder = open(&wav(0x11, 1, 36, &[], &sound)).unwrap();
        assert_eq!(whole(&mut decoder).len(), expected, "{num_bytes} bytes");
    }
    // Microsoft's, stereo: 14 bytes are two frames, each more is one.
    for (num_bytes, expected) in [(20, 8), (33, 8), (34, 10), (35, 11), (40, 16)] {
        let decoder = open(&wav(2, 2, 20, &[], &vec![0; num_bytes])).unwrap();
        assert_eq!(decoder.info().num_frames, Some(expected), "{num_bytes} bytes");
    }
}

#[test]
fn channels_beyond_two_come_in_order() {
    // Three channels: a header each, then words of four bytes in turn; only channel 2 changes.
    let mut sound = vec![1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 88, 0];
    sound.extend([0; 8]);
    sound.extend([0x77; 4]);
    let mut decoder = open(&wav(0x11, 3, 24, &[], &sound)).unwrap();
    let samples = whole(&mut decoder);
    assert_eq!((samples.len(), &samples[..3]), (27, [1, 2, 3].as_slice()));
    assert!(samples.chunks(3).skip(1).all(|frame| frame[0] == 1 && frame[1] == 2 && frame[2] == 32767));
}

#[test]
fn coefficients_of_the_file_are_used() {
    // 8 coefficients: the eighth repeats the sample before.
    let mut config = vec![10, 0, 8, 0];
    config.extend([0; 28]);
    config.extend([0, 1, 0, 0]);
    let mut decoder = open(&wav(2, 1, 11, &config, &[7, 16, 0, 50, 0, 40, 0, 0, 0, 0, 0])).unwrap();
    assert_eq!(whole(&mut decoder), [[40].as_slice(), &[50; 9]].concat());
    // Without them a block that names them is silence; the next one is decoded.
    let block = [7, 16, 0, 50, 0, 40, 0, 0, 0, 0, 0];
    let good = [4, 16, 0, 50, 0, 40, 0, 0, 0, 0, 0];
    let mut decoder = open(&wav(2, 1, 11, &[], &[block, good].concat())).unwrap();
    let samples = whole(&mut decoder);
    assert_eq!((&samples[..10], samples[10], samples[11]), ([0; 10].as_slice(), 40, 50));
}

#[test]
fn absurd_blocks_are_refused() {
    let refusal = |bytes: &[u8]| open(bytes).err().unwrap_or_default();
    for block_bytes in [0, 1, 3] {
        let why = refusal(&wav(0x11, 1, block_bytes, &[], &[0; 100]));
        assert!(
            why.contains(&format!("blocks of {block_bytes} bytes, which cannot hold the headers")),
            "{why}"
        );
    }
    assert!(refusal(&wav(2, 2, 13, &[], &[0; 100])).contains("cannot hold the headers of 2 channels"));
    assert!(refusal(&wav(2, 3, 100, &[], &[0; 100])).contains("1 or 2 channels, not 3"));
    // 36 bytes at 3 bits: 32 / 12 * 32 + 1 frames.
    let why = refusal(&wav(0x11, 1, 28, &[65, 0], &[0; 100]));
    assert!(why.contains("do not have 4 bits per sample"), "{why}");
}

#[test]
fn a_small_allowance_is_kept() {
    let bytes = wav(0x11, 1, 2048, &[], &[0; 4096]);
    let track = mapwave_core::container::parse(&bytes, bytes.len() as u64).unwrap();
    let options = DecoderOptions { track: track_of(&track), max_alloc: 5000, ..DecoderOptions::default() };
    let error = AdpcmDecoder::open(Input::from(bytes), &options).unwrap_err();
    assert_eq!(error.status(), Status::Limit);
}

/// Whatever the bytes, opening fails or exactly the promised number of frames is decoded.
fn is_well_behaved(bytes: &[u8]) {
    if let Ok(mut decoder) = open(bytes) {
        whole(&mut decoder);
        let half = decoder.info().num_frames.unwrap() / 2;
        decoder.seek(half).unwrap();
        frames(&mut decoder, 10, 3);
    }
}

#[test]
fn files_may_end_anywhere() {
    let files = [
        wav(0x11, 2, 40, &[], &noise(300)),
        wav(2, 1, 50, &[0x60, 0, 7, 0], &noise(300)),
        wav(2, 2, 50, &[0x60, 0, 7, 0], &noise(300)),
    ];
    for file in &files {
        (0..file.len()).for_each(|end| is_well_behaved(&file[..end]));
    }
    for row in rows().iter().filter(|row| row.path.extension().is_some_and(|extension| extension == "caf")) {
        let file = std::fs::read(&row.path).unwrap();
        (0..file.len()).for_each(|end| is_well_behaved(&file[..end]));
    }
}

#[test]
fn bits_may_flip_anywhere() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let small = [
        wav(0x11, 2, 40, &[], &noise(300)),
        wav(2, 1, 50, &[0x60, 0, 7, 0], &noise(300)),
        wav(2, 2, 50, &[0x60, 0, 7, 0], &noise(300)),
    ];
    let corpus = rows().into_iter().map(|row| std::fs::read(row.path).unwrap());
    for file in small.into_iter().chain(corpus) {
        for _ in 0..300 {
            let mut broken = file.clone();
            for _ in 0..1 + random.below(4) {
                // Half of the damage is in the headers.
                let end = if random.below(2) == 0 { broken.len().min(200) } else { broken.len() };
                broken[random.below(end)] ^= 1 << random.below(8);
            }
            is_well_behaved(&broken);
        }
    }
}
