//! What is decoded, compared with a decoder in double precision and with FFmpeg.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use std::path::{Path, PathBuf};

use common::ogg::File;
use common::reference::Reference;
use common::synthetic;
use common::{Random, decode, ffmpeg, music, ratio};
use mapwave_vorbis::{Decoder, Part, Setup};

/// At least, in decibels, compared with double precision.
const EXACT: f64 = 110.0;
/// The same, where values of any size are added up and cancel each other.
const EXACT_NOISE: f64 = 100.0;
/// At least, compared with single precision.
const ALIKE: f64 = 100.0;

/// Where the channels of a stream stand in a WAVE file.
fn places(num_channels: usize) -> Vec<usize> {
    match num_channels {
        3 => vec![0, 2, 1],
        5 => vec![0, 2, 1, 3, 4],
        6 => vec![0, 2, 1, 4, 5, 3],
        7 => vec![0, 2, 1, 5, 6, 4, 3],
        8 => vec![0, 2, 1, 6, 7, 4, 5, 3],
        _ => (0..num_channels).collect(),
    }
}

/// Decodes with the reference: the frames of each packet, in the order of a WAVE file.
fn by_reference(reference: &mut Reference, packets: &[Vec<u8>], num_channels: usize) -> Vec<Vec<f64>> {
    let places = places(num_channels);
    let decoded = packets.iter().map(|packet| {
        let mut samples = reference.decode(packet);
        for frame in samples.chunks_mut(num_channels) {
            let stored = frame.to_vec();
            stored.iter().zip(&places).for_each(|(sample, place)| frame[*place] = *sample);
        }
        samples
    });
    decoded.collect()
}

/// Checks that all ways of decoding give the same, and returns it.
fn decode_in_all_ways(setup: &Setup, packets: &[Vec<u8>], what: &str) -> Vec<f32> {
    let new = || Decoder::new(setup).unwrap();
    let samples = decode(&mut new(), packets, 64);
    let same = |other: Vec<f32>| samples.iter().map(|s| s.to_bits()).eq(other.iter().map(|s| s.to_bits()));
    assert!(same(decode(&mut new(), packets, 1)), "{what}: one by one");
    assert!(same(decode(&mut new(), packets, 3)), "{what}: in batches of three");
    assert!(same(decode(&mut new().with_plain_instructions(), packets, 64)), "{what}: without vectors");
    samples
}

#[test]
fn streams_of_noise_are_decoded_as_in_double_precision() {
    let mut random = Random(1);
    let (mut num_compared, mut worst) = (0, f64::INFINITY);
    for round in 0..rounds(450) {
        let stream = synthetic::stream(&mut random, 6);
        let setup = Setup::parse(&stream.identification, &stream.setup_header, 1 << 26);
        let setup = setup.unwrap_or_else(|error| panic!("round {round}: {error}"));
        let mut reference = Reference::new(&stream.identification, &stream.setup_header).unwrap();
        let samples = decode_in_all_ways(&setup, &stream.packets, &format!("round {round}"));
        let mut rest = samples.as_slice();
        for (number, exact) in
            by_reference(&mut reference, &stream.packets, stream.num_channels).iter().enumerate()
        {
            let (found, later) = rest.split_at(exact.len());
            rest = later;
            // Floors of type 0 may exceed the range of floats.
            if exact.iter().all(|sample| sample.abs() < 1e30)
                && exact.iter().any(|sample| sample.abs() > 1e-25)
            {
                let ratio = ratio(exact, found);
                assert!(ratio > EXACT_NOISE, "round {round}, packet {number}: {ratio} dB");
                worst = worst.min(ratio);
                num_compared += 1;
            }
        }
        assert!(rest.is_empty(), "round {round}");
    }
    println!("{num_compared} packets, the worst {worst:.1} dB");
    assert!(num_compared > 1000, "{num_compared} packets are compared");
}

/// How many rounds, or as many times more as the environment says.
fn rounds(usual: usize) -> usize {
    std::env::var("MAPWAVE_ROUNDS").map_or(usual, |rounds| usual * rounds.parse::<usize>().unwrap())
}

/// A file that FFmpeg encodes.
fn encoded(
    num_channels: usize,
    sample_rate: u32,
    quality: &str,
    encoder: &str,
    num_frames: usize,
) -> Option<File> {
    let samples = music(num_channels, num_frames, sample_rate);
    let raw: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let (channels, rate) = (num_channels.to_string(), sample_rate.to_string());
    let input = ["-f", "f32le", "-ar", &rate, "-ac", &channels, "-i", "-"];
    let output = ["-c:a", encoder, "-strict", "-2", "-q:a", quality, "-f", "ogg", "-"];
    let bytes = ffmpeg(&[&input[..], &output].concat(), &raw)?;
    Some(File::parse(&bytes))
}

/// Compares a file with the reference, as far as that is quick, and returns the frames of all packets.
fn check(file: &File, what: &str) -> Vec<f32> {
    let setup = file.setup();
    let num_channels = setup.num_channels();
    let samples = decode_in_all_ways(&setup, &file.packets, what);
    let mut reference = Reference::new(&file.identification, &file.setup_header).unwrap();
    let num_packets = file.packets.len().min(24.min(64 / num_channels));
    let exact = by_reference(&mut reference, &file.packets[..num_packets], num_channels).concat();
    let ratio = ratio(&exact, &samples[..exact.len()]);
    assert!(ratio > EXACT, "{what}: {ratio} dB");
    samples
}

#[test]
fn what_libvorbis_encodes_is_decoded_as_in_double_precision() {
    for num_channels in 1..=8 {
        for (sample_rate, quality) in
            [(44_100, "4"), (48_000, "9"), (16_000, "2"), (8000, "6"), (96_000, "0")]
        {
            // libvorbis has no such setup.
            if num_channels > 2 && sample_rate == 8000 {
                continue;
            }
            let what = format!("{num_channels} channels, {sample_rate} Hz, quality {quality}");
            let Some(file) = encoded(num_channels, sample_rate, quality, "libvorbis", 24_000) else { return };
            check(&file, &what);
        }
    }
}

#[test]
fn what_ffmpeg_encodes_is_decoded_as_in_double_precision() {
    let Some(file) = encoded(2, 44_100, "5", "vorbis", 24_000) else { return };
    check(&file, "FFmpeg's encoder");
}

/// Files of the corpus and of other cases.
fn corpus() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/corpus");
    let root = std::env::var_os("MAPWAVE_CORPUS").map_or(root, PathBuf::from);
    let files = [
        "generated+ffmpeg-5.1/vorbis_native_2ch.ogg",
        "generated+ffmpeg-5.1/vorbis_51.ogg",
        "generated+ffmpeg-5.1/vorbis_1ch_8k.ogg",
        "generated+libsndfile-1.2.2/ogg_vorbis_1ch.ogg",
        "generated+libsndfile-1.2.2/ogg_vorbis_2ch.ogg",
        "generated+libsndfile-1.2.2/ogg_vorbis_6ch.ogg",
        "librosa+librosa/tests/test_audio.ogg",
        "librosa+librosa/docs/examples/audio/snare-accelerate.ogg",
        "RustAudio+rodio/assets/beep3.ogg",
        "RustAudio+rodio/assets/RL.ogg",
    ];
    let files = files.iter().map(|name| root.join("files").join(name));
    let cases = ["vorbis_3ch.ogg", "vorbis_quad.ogg", "vorbis_stereo_uncoupled.ogg"];
    let cases = cases.iter().map(|name| root.join("../cases").join(name));
    let found: Vec<PathBuf> = files.chain(cases).filter(|path| path.is_file()).collect();
    if found.is_empty() {
        println!("skipped: there is no corpus");
    }
    found
}

#[test]
fn the_corpus_is_decoded_as_in_double_precision_and_as_by_ffmpeg() {
    for path in corpus() {
        let what = path.to_string_lossy().into_owned();
        let file = File::parse(&std::fs::read(&path).unwrap());
        let samples = check(&file, &what);
        if what.contains("vorbis_native") {
            continue; // FFmpeg decodes what its own encoder writes unlike libvorbis, 27 dB apart
        }
        let Some(raw) = ffmpeg(&["-i", &what, "-map", "0:a:0", "-f", "f32le", "-"], &[]) else { return };
        let theirs: Vec<f32> =
            raw.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        // A stream whose first page has a smaller position than frames is trimmed at its start.
        let num_channels = file.setup().num_channels();
        let num_trimmed = (samples.len() - theirs.len()) / num_channels;
        assert!(theirs.len() <= samples.len() && num_trimmed < 9000, "{what}: {num_trimmed} frames");
        let end = samples.len().min(theirs.len());
        let ratio = ratio(&theirs[..end], &samples[..end]);
        assert!(ratio > ALIKE, "{what}: {ratio} dB");
    }
}

/// Decoding from any packet on gives the frames of decoding from the start, to the bit.
#[test]
fn frames_do_not_depend_on_where_decoding_starts() {
    let Some(file) = encoded(2, 44_100, "4", "libvorbis", 100_000) else { return };
    let setup = file.setup();
    let mut decoder = Decoder::new(&setup).unwrap();
    let mut lengths = Vec::new();
    let mut samples = Vec::new();
    for packet in &file.packets {
        let decoded = decode(&mut decoder, std::slice::from_ref(packet), 1);
        lengths.push(decoded.len());
        samples.extend(decoded);
    }
    for start in 0..file.packets.len() {
        decoder.reset();
        let decoded = decode(&mut decoder, &file.packets[start..(start + 5).min(file.packets.len())], 2);
        let first: usize = lengths[..=start].iter().sum();
        assert!(decoded == samples[first..first + decoded.len()], "packet {start}");
    }
}

#[test]
fn parts_and_channels_are_written() {
    let Some(file) = encoded(3, 44_100, "4", "libvorbis", 20_000) else { return };
    let setup = file.setup();
    let all = decode(&mut Decoder::new(&setup).unwrap(), &file.packets, 8);
    let block_size = |packet: &Vec<u8>| setup.block_size(packet).unwrap() as usize;
    let lengths: Vec<usize> = std::iter::once(0)
        .chain(file.packets.windows(2).map(|pair| (block_size(&pair[0]) + block_size(&pair[1])) / 4))
        .collect();
    assert_eq!(lengths.iter().sum::<usize>() * 3, all.len());
    // All but the first and the last frame of each packet.
    let parts: Vec<Part<'_>> = file
        .packets
        .iter()
        .zip(&lengths)
        .map(|(bytes, length)| Part { bytes, frames: 1.min(*length)..length.saturating_sub(1) })
        .collect();
    let mut decoder = Decoder::new(&setup).unwrap();
    let mut room = Vec::with_capacity(all.len());
    let decoded = decoder.decode(&parts, room.spare_capacity_mut()).unwrap();
    let (mut expected, mut start) = (Vec::new(), 0);
    for length in &lengths {
        expected
            .extend_from_slice(&all[(start + 1.min(*length)) * 3..(start + length.saturating_sub(1)) * 3]);
        start += length;
    }
    assert!(decoded == expected);
    let last = decoder.num_kept() - 1;
    let num_frames = decoder.kept_frames(last);
    for channel in 0..3 {
        let mut room = Vec::with_capacity(num_frames);
        let plane = decoder.write_channel(last, channel, 2..num_frames, room.spare_capacity_mut()).unwrap();
        let of_channel = all[all.len() - (num_frames - 2) * 3..].iter().skip(channel).step_by(3);
        assert!(plane.iter().eq(of_channel));
    }
}
