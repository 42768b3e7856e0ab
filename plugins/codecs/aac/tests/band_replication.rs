//! Compares HE-AAC packets, which an encoder has made of test signals, with what FFmpeg decodes, however they are batched.
//!
//! `MAPWAVE_HE_AAC_FILES` names a folder of more files in ADTS frames.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use std::path::{Path, PathBuf};

use common::{Stream, by_ffmpeg, decode, precision};
use mapwave_aac::Decoder;

fn files() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/he_aac");
    let folders = [Some(own), std::env::var_os("MAPWAVE_HE_AAC_FILES").map(PathBuf::from)];
    let files = folders.into_iter().flatten().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "aac"));
    files.sort();
    files
}

fn replicated(file: &[u8]) -> Stream {
    let mut stream = Stream::parse(file);
    stream.config = stream.config.with_band_replication().unwrap();
    let mut decoder = Decoder::new(&stream.config);
    decode(&mut decoder, &stream.parts()).unwrap();
    if decoder.has_met_parametric_stereo() {
        stream.config = stream.config.with_parametric_stereo().unwrap();
    }
    stream
}

/// Whatever the batches and instructions are, and from wherever decoding goes on, the samples are the same, bit for bit.
fn check_ways(stream: &Stream, expected: &[f32], what: &str) {
    let parts = stream.parts();
    let bits = |samples: &[f32]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>();
    let expected = bits(expected);
    for batch in [1, 2, 3, 7] {
        for is_plain in [false, true] {
            let new = Decoder::new(&stream.config);
            let mut decoder = if is_plain { new.with_plain_instructions() } else { new };
            let batches = parts.chunks(batch).flat_map(|parts| decode(&mut decoder, parts).unwrap());
            assert!(bits(&batches.collect::<Vec<_>>()) == expected, "{what}: batches of {batch}");
        }
    }
    let packet_samples = stream.config.frames_per_packet() * stream.config.num_channels();
    let mut decoder = Decoder::new(&stream.config);
    let mut snapshots = Vec::new();
    for part in &parts {
        snapshots.push(decoder.snapshot());
        decode(&mut decoder, std::slice::from_ref(part)).unwrap();
    }
    for (first, snapshot) in snapshots.iter().enumerate().rev().step_by(5) {
        decoder.restore(snapshot);
        let found = decode(&mut decoder, &parts[first..parts.len().min(first + 3)]).unwrap();
        let start = first * packet_samples;
        assert!(bits(&found) == expected[start..start + found.len()], "{what}: from packet {first} on");
    }
    decoder.reset();
    assert!(bits(&decode(&mut decoder, &parts).unwrap()) == expected, "{what}: again");
}

#[test]
fn high_frequencies_are_those_of_ffmpeg() {
    for path in files() {
        let file = std::fs::read(&path).unwrap();
        let stream = replicated(&file);
        let num_channels = stream.config.num_channels();
        let decoded = decode(&mut Decoder::new(&stream.config), &stream.parts()).unwrap();
        let name = path.file_name().unwrap().display().to_string();
        check_ways(&stream, &decoded, &name);
        let Some(mut expected) = by_ffmpeg(&file) else { return };
        if num_channels == 1 {
            // In case that parametric stereo follows, FFmpeg decodes to two channels.
            expected = expected.iter().step_by(2).copied().collect();
        }
        assert_eq!(decoded.len(), expected.len(), "{name}");
        let found = precision(&decoded, expected.iter().map(|sample| f64::from(*sample)));
        println!("{name}: {found:.1} dB");
        // FFmpeg predicts in single precision: where subbands are nearly tones, that is as far as it gets.
        assert!(found > 80.0, "{name}: {found:.1} dB");
    }
}

#[test]
fn a_packet_without_high_frequencies_has_the_low_ones() {
    let file = std::fs::read(&files()[0]).unwrap();
    let stream = replicated(&file);
    let num_channels = stream.config.num_channels();
    let parts = stream.parts();
    let mut core = Decoder::new(&Stream::parse(&file).config);
    // A silent packet without a fill element ends replication until the next header.
    let silent: &[u8] = if core.config().num_channels() == 1 {
        &[0, 0, 0, 7]
    } else {
        &[0x21, 0, 0x49, 0x90, 2, 0x19, 0, 0x23, 0x80]
    };
    let mut decoder = Decoder::new(&stream.config);
    let whole = decode(&mut decoder, &parts[..4]).unwrap();
    assert_eq!(whole.len(), 4 * 2048 * num_channels);
    let frames = 0..2048;
    let after = decode(&mut decoder, &[mapwave_aac::Part { bytes: silent, frames: frames.clone() }]).unwrap();
    assert!(after.iter().any(|sample| *sample != 0.0));
    assert_eq!(core.read(&[silent]).unwrap(), 1);
    assert_eq!((core.kept_frames(0), decoder.kept_frames(0)), (1024, 2048));
}
