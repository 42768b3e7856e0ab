//! Compares decoded fixtures with the output of other decoders; for the tests of every decoder.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use mapwave_core::track::{self, Codec};
use mapwave_plugin::{Decoder, DecoderOptions, Input, Output, Sample, Track};
use sha2::{Digest, Sha256};

/// How much the output of a lossy decoder may differ from the table.
const TOLERANCE: f64 = 1e-3;

/// The bytes of a fixture.
pub(crate) fn read(name: &str) -> Vec<u8> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/compressed");
    std::fs::read(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The host's description of a file, as plugins get it.
pub(crate) fn track_of<'a>(track: &'a track::Track) -> Option<Track<'a>> {
    let Codec::Packets(packets) = &track.codec else { return None };
    let table = packets.packet_table.as_ref();
    Some(Track {
        container: track.container.exact_name(),
        codec: &packets.name,
        tag: packets.tag,
        sample_rate: track.sample_rate,
        num_channels: track.num_channels.into(),
        channel_mask: track.channel_mask.into(),
        bits_per_sample: track.bits_per_sample.unwrap_or(0).into(),
        bytes_per_packet: packets.bytes_per_packet,
        frames_per_packet: packets.frames_per_packet,
        priming_frames: table.map_or(0, |table| table.priming_frames),
        padding_frames: table.map_or(0, |table| table.remainder_frames),
        num_frames: track.num_frames,
        data: track.data.clone(),
        config: packets.config.clone(),
        table: table.map_or(0..0, |table| table.entries.clone()),
        num_packets: table.map_or(0, |table| table.num_packets),
    })
}

/// Decodes a fixture and compares it with its row in the table.
pub(crate) fn check<D: Decoder>(name: &str, track: Option<Track<'_>>) {
    let table = String::from_utf8(read("expected.tsv")).unwrap();
    let mut rows = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let row = rows.find(|row| row[0] == name).unwrap_or_else(|| panic!("no row for {name}"));
    let variant = row[10];
    let is_of_host = track.is_some();
    let options = DecoderOptions { track, ..DecoderOptions::default() };
    let mut decoder =
        D::open(Input::from(read(name)), &options).unwrap_or_else(|error| panic!("{name}: {error}"));

    let info = decoder.info().clone();
    let facts = [
        info.container.to_str().unwrap().to_owned(),
        info.codec.to_str().unwrap().to_owned(),
        info.sample_rate.to_string(),
        info.num_channels.to_string(),
        info.num_frames.unwrap().to_string(),
    ];
    assert_eq!(facts.as_slice(), &row[1..6], "{name}");
    // The host knows the variant of a container that it has parsed.
    if !is_of_host {
        assert_eq!(decoder.container_variant().unwrap_or_default(), variant, "{name}");
    }
    assert!(!info.is_truncated, "{name}");
    let (num_frames, num_channels) = (facts[4].parse().unwrap(), facts[3].parse().unwrap());
    if row[6].is_empty() {
        compare(name, &row[7..], &whole::<D, f32>(&mut decoder, num_frames, num_channels), num_channels);
    } else {
        let samples = whole::<D, i32>(&mut decoder, num_frames, num_channels);
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, row[6], "{name}");
    }
}

/// All frames, and no more.
fn whole<D: Decoder, T: Sample>(decoder: &mut D, num_frames: usize, num_channels: usize) -> Vec<T> {
    let mut samples = vec![T::default(); (num_frames + 1) * num_channels];
    let num_written = Output::with_slice(&mut samples, num_channels, |output| {
        decoder.decode(output).unwrap();
        output.num_written()
    });
    assert_eq!(num_written, num_frames, "as many frames as reported");
    samples.truncate(num_frames * num_channels);
    samples
}

/// Compares rms and peak of each channel and the probes.
fn compare(name: &str, expected: &[&str], samples: &[f32], num_channels: usize) {
    let numbers =
        |field: &str| field.split(',').map(|number| number.parse::<f64>().unwrap()).collect::<Vec<_>>();
    let (rms, peak, probes) = (numbers(expected[0]), numbers(expected[1]), numbers(expected[2]));
    let num_frames = samples.len() / num_channels;
    for channel in 0..num_channels {
        let plane = || samples.iter().skip(channel).step_by(num_channels).map(|sample| f64::from(*sample));
        let energy = plane().map(|sample| sample * sample).sum::<f64>();
        let found =
            [(energy / num_frames as f64).sqrt(), plane().fold(0.0, |peak, sample| sample.abs().max(peak))];
        for (found, expected) in found.iter().zip([rms[channel], peak[channel]]) {
            assert!(
                (found - expected).abs() <= TOLERANCE,
                "{name}: {found} in channel {channel}, expected {expected}"
            );
        }
    }
    assert_eq!(probes.len(), 64, "{name}");
    for (number, expected) in probes.iter().enumerate() {
        let (frame, channel) = (number * (num_frames - 1) / 63, number % num_channels);
        let found = f64::from(samples[frame * num_channels + channel]);
        assert!(
            (found - expected).abs() <= TOLERANCE,
            "{name}: {found} at frame {frame}, expected {expected}"
        );
    }
}

#[test]
fn every_format_comes_out_as_others_decode_it() {
    use crate::{AdtsDecoder, CafDecoder, FlacDecoder, Mp4Decoder, MpegDecoder, OggDecoder};
    for name in ["mp3-cbr.mp3", "mp3-lame.mp3", "mp3-vbr-mono.mp3", "mp3-no-xing.mp3", "mp2.mp2"] {
        check::<MpegDecoder>(name, None);
    }
    for name in ["aac.m4a", "aac-fragmented.mp4", "alac16.m4a", "alac24.m4a"] {
        check::<Mp4Decoder>(name, None);
    }
    for name in ["flac16.flac", "flac24.flac", "flac8-mono.flac"] {
        check::<FlacDecoder>(name, None);
    }
    for name in ["flac.oga", "vorbis.ogg", "vorbis-mono.ogg", "opus.opus", "opus-voice.ogg"] {
        check::<OggDecoder>(name, None);
    }
    check::<AdtsDecoder>("aac.aac", None);
    let bytes = read("alac16.caf");
    let track = mapwave_core::container::parse(&bytes, bytes.len() as u64).unwrap();
    check::<CafDecoder>("alac16.caf", track_of(&track));
}
