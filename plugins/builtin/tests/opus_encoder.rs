//! Compares encoded Opus with what went in, as decoded here, by opusdec and by FFmpeg.
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::unwrap_used)]

mod corpus;
mod opus_files;

use corpus::{open, read_all};
use mapwave_builtin::{MatroskaDecoder, OggDecoder, OpusEncoder};
use mapwave_plugin::{Block, Decoder, Encoder, EncoderOptions, Sink};
use opus_files::{Scratch, Sound, decode_by_ffmpeg, encode_by_ffmpeg, opusdec, signal_to_noise, sound};

/// A file of `samples`, pushed in blocks of different lengths.
fn encoded(samples: &[f32], options: &EncoderOptions<'_>) -> Vec<u8> {
    let (sink, bytes) = Sink::in_memory();
    let mut encoder = OpusEncoder::open(options, sink).unwrap();
    let num_channels = options.num_channels as usize;
    let mut rest = samples;
    for num_frames in [1, 959, 960, 961, 5000, 333].into_iter().cycle() {
        let (block, after) = rest.split_at((num_frames * num_channels).min(rest.len()));
        Block::with_slice(block, num_channels, |frames| encoder.push(frames)).unwrap();
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    encoder.finish().unwrap();
    let bytes = bytes.lock().unwrap();
    bytes.clone()
}

fn decoded<D: Decoder>(bytes: &[u8]) -> Vec<f32> {
    let mut decoder: D = open(bytes).unwrap();
    assert!(!decoder.info().is_truncated);
    let samples = read_all(&mut decoder).unwrap();
    assert_eq!(
        decoder.info().num_frames.unwrap() * u64::from(decoder.info().num_channels),
        samples.len() as u64
    );
    samples
}

#[test]
fn every_length_comes_back() {
    for num_frames in [1, 2, 600, 648, 649, 959, 960, 1608, 1609, 48_000, 100_001] {
        for num_channels in [1, 2] {
            let samples = sound(Sound::Music, num_frames, num_channels);
            let options = EncoderOptions::new(48_000, num_channels as u32);
            let ogg = encoded(&samples, &options);
            let found = decoded::<OggDecoder>(&ogg);
            assert_eq!(found.len(), samples.len());
            for container in ["webm", "mka"] {
                let options = EncoderOptions { container: Some(container), ..options.clone() };
                let bytes = encoded(&samples, &options);
                assert!(decoded::<MatroskaDecoder>(&bytes) == found, "{num_frames} frames in {container}");
            }
        }
    }
}

#[test]
fn the_default_bitrate_keeps_30_db_and_as_much_as_libopus() {
    for kind in [Sound::Notes, Sound::Music, Sound::Speech] {
        for num_channels in [1, 2] {
            let samples = sound(kind, 300_000, num_channels);
            let bytes = encoded(&samples, &EncoderOptions::new(48_000, num_channels as u32));
            let ratio = signal_to_noise(&samples, &decoded::<OggDecoder>(&bytes));
            let bit_rate = format!("{}k", 112 * num_channels);
            let Some(other) = encode_by_ffmpeg(&samples, num_channels, &["-b:a", &bit_rate], "opus") else {
                return;
            };
            let expected = signal_to_noise(&samples, &decoded::<OggDecoder>(&other));
            let sizes = (bytes.len(), other.len());
            println!(
                "{kind:?}, {num_channels} channels: {ratio:.1} dB in {} bytes, libopus {expected:.1} in {}",
                sizes.0, sizes.1
            );
            assert!(ratio >= 30.0 || !matches!(kind, Sound::Notes), "{kind:?}: {ratio} dB");
            assert!(
                ratio >= expected - 1.0 && sizes.0 * 10 < sizes.1 * 11,
                "{kind:?}: {ratio} dB, {expected} dB"
            );
        }
    }
}

#[test]
fn other_programs_hear_the_same() {
    for num_channels in 1..=8 {
        let samples = sound(Sound::Notes, 60_007, num_channels);
        let mask = [0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3F, 0x70F, 0x63F][num_channels];
        let options = EncoderOptions {
            channel_mask: mask,
            tags: vec![("title", "A title")],
            ..EncoderOptions::new(48_000, num_channels as u32)
        };
        let bytes = encoded(&samples, &options);
        let found = decoded::<OggDecoder>(&bytes);
        let title = [(c"title".to_owned(), c"A title".to_owned())];
        assert_eq!(open::<OggDecoder>(&bytes).unwrap().tags(), title);
        let Some(expected) = opusdec(&bytes) else { return };
        assert_eq!((expected.samples.len(), usize::from(expected.num_channels)), (found.len(), num_channels));
        // Each channel is in its place; of low frequencies, less is kept. They change from hybrid frames to CELT, where libopus
        // 1.3 fades otherwise than 1.6, which gives the same as here.
        for channel in 0..num_channels {
            let one = |samples: &[f32]| -> Vec<f32> {
                samples.iter().skip(channel).step_by(num_channels).copied().collect()
            };
            let is_low = num_channels >= 6 && channel == (mask & 0x7_u64).count_ones() as usize;
            let ratio = signal_to_noise(&one(&expected.samples), &one(&found));
            assert!(
                ratio >= if is_low { 45.0 } else { 120.0 },
                "channel {channel} of {num_channels}: {ratio} dB"
            );
            let ratio = signal_to_noise(&one(&samples), &one(&found));
            assert!(
                ratio >= if is_low { 3.0 } else { 25.0 },
                "channel {channel} of {num_channels}: {ratio} dB"
            );
        }
        let discrete = EncoderOptions { channel_mask: 0, ..options.clone() };
        let bytes = encoded(&samples, &discrete);
        let found = decoded::<OggDecoder>(&bytes);
        let Some(expected) = decode_by_ffmpeg(&bytes, num_channels as u16) else { return };
        assert_eq!(expected.samples.len(), found.len(), "{num_channels} channels without speakers");
        assert!(
            signal_to_noise(&expected.samples, &found) >= 120.0,
            "{num_channels} channels without speakers"
        );
        let webm = encoded(&samples, &EncoderOptions { container: Some("webm"), ..options });
        assert_eq!(open::<MatroskaDecoder>(&webm).unwrap().tags(), title);
        let Some(expected) = decode_by_ffmpeg(&webm, num_channels as u16) else { return };
        assert_eq!(expected.samples.len(), found.len(), "{num_channels} channels in WebM");
    }
}

#[test]
fn a_cover_takes_several_pages() {
    let cover = "x".repeat(200_000);
    let samples = sound(Sound::Music, 10_000, 1);
    let options =
        EncoderOptions { tags: vec![("cover", &cover), ("title", "T")], ..EncoderOptions::new(48_000, 1) };
    let bytes = encoded(&samples, &options);
    let decoder: OggDecoder = open(&bytes).unwrap();
    let tags: Vec<_> = decoder.tags().iter().map(|(name, _)| name.to_str().unwrap()).collect();
    assert!(tags.contains(&"title"), "{tags:?}");
    assert_eq!(decoder.info().num_frames, Some(10_000));
    let Some(expected) = opusdec(&bytes) else { return };
    assert_eq!(expected.samples.len(), 10_000);
}

#[test]
fn a_file_that_only_grows_is_complete() {
    let scratch = Scratch::new("mka");
    let samples = sound(Sound::Speech, 50_000, 1);
    let options = EncoderOptions {
        container: Some("mka"),
        effort: Some(1),
        bitrate: Some(24_000),
        ..EncoderOptions::new(16_000, 1)
    };
    let bytes = encoded(&samples, &options);
    std::fs::write(&scratch.0, &bytes).unwrap();
    assert_eq!(decoded::<MatroskaDecoder>(&bytes).len(), 150_000);
}
