//! Decoding, with the test double instead of the framework.

#![cfg(not(target_vendor = "apple"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod common;

use common::*;
use mapwave_audiotoolbox::double::Fake;
use mapwave_audiotoolbox::{AudioToolboxDecoder, sys::*};
use mapwave_plugin::{Decoder, DecoderOptions, Head, Input, SampleFormat, SeekClass, Status};

#[test]
fn priming_is_left_out_once_and_told() {
    begin(7);
    let fake = aac(7788, 2, 2112, 100);
    let mut decoder = open(fake.to_bytes()).unwrap();
    let info = decoder.info().clone();
    assert_eq!((info.num_frames, info.priming_frames, info.padding_frames), (Some(7788), 2112, 100));
    assert_eq!((info.sample_rate, info.num_channels, info.channel_mask), (44_100, 2, 0x3));
    assert_eq!((info.codec, info.container, info.is_lossless), (c"aac", c"m4a", false));
    let samples: Vec<f32> = read_all(&mut decoder).unwrap();
    assert_eq!(samples, ramp(2 * 10_000)[2 * 2112..2 * 9900]);
    drop(decoder);
    assert_clean("after reading");
}

#[test]
fn a_seek_into_a_lossy_stream_has_its_pre_roll() {
    for format_id in [kAudioFormatMPEG4AAC, kAudioFormatMPEGLayer3, kAudioFormatAMR, kAudioFormatAppleIMA4] {
        begin(1000);
        let fake = Fake::lossy(format_id, 44_100, 1, &ramp(60_000)).with_packet_table(1105, 95);
        let mut decoder = open(fake.to_bytes()).unwrap();
        assert_eq!(decoder.info().seek_class, SeekClass::Anchored { grid_frames: 4 * 44_100 });
        let whole: Vec<f32> = read_all(&mut decoder).unwrap();
        assert_eq!(whole.len(), 58_800);
        for frame in [0, 1, 500, 12_345, 30_000, 58_799, 58_800] {
            decoder.seek(frame as u64).unwrap();
            let window: Vec<f32> = read(&mut decoder, 600, 100).unwrap();
            assert_eq!(window, whole[frame..whole.len().min(frame + 600)], "{format_id:x} at {frame}");
        }
        drop(decoder);
        assert_clean("after seeking");
    }
}

#[test]
fn what_comes_after_a_seek_depends_on_the_place_alone() {
    begin(0);
    let bytes = Fake { is_noisy: 1, ..aac(50_000, 1, 2112, 0) }.to_bytes();
    let mut fresh = open(bytes.clone()).unwrap();
    fresh.seek(20_000).unwrap();
    let expected: Vec<f32> = read(&mut fresh, 3000, 1000).unwrap();
    let mut decoder = open(bytes).unwrap();
    let mut other = decoder.fork().unwrap();
    for before in [0, 9000, 17_000, 20_000] {
        decoder.seek(before).unwrap();
        read::<f32>(&mut decoder, (20_000 - before) as usize, 1000).unwrap();
        // From here on it would go on by itself, from a codec that has decoded more packets.
        decoder.seek(20_000).unwrap();
        assert_eq!(read::<f32>(&mut decoder, 3000, 700).unwrap(), expected, "after {before}");
    }
    other.seek(20_000).unwrap();
    assert_eq!(read::<f32>(&mut other, 3000, 3000).unwrap(), expected);
    let linear: Vec<f32> = read_all(&mut decoder.fork().unwrap()).unwrap();
    assert_ne!(linear[20_000..23_000], expected, "the codec has noise of its own");
}

#[test]
fn lossless_streams_are_exact_in_every_format_that_is_offered() {
    let cases = [
        (kAudioFormatAppleLossless, 1, 16, &[SampleFormat::I16, SampleFormat::I32, SampleFormat::F32][..]),
        (kAudioFormatFLAC, 3, 24, &[SampleFormat::I32, SampleFormat::F32]),
        (kAudioFormatAppleLossless, 4, 32, &[SampleFormat::I32]),
    ];
    for (format_id, flags, bits, formats) in cases {
        begin(333);
        let samples = integers(2 * 10_000, bits);
        let mut decoder = open(Fake::lossless(format_id, flags, 48_000, 2, &samples).to_bytes()).unwrap();
        let info = decoder.info();
        assert_eq!((info.formats, info.bits_per_sample, info.seek_class), (formats, bits, SeekClass::Exact));
        assert!(info.is_lossless);
        assert_eq!(read_all::<i32>(&mut decoder).unwrap(), samples);
        decoder.seek(5001).unwrap();
        assert_eq!(read::<i32>(&mut decoder, 100, 100).unwrap(), samples[10_002..10_202]);
        if bits == 16 {
            // The type changes in the middle.
            let upper: Vec<i16> =
                samples[10_202..10_402].iter().map(|sample| (sample >> 16) as i16).collect();
            assert_eq!(read::<i16>(&mut decoder, 100, 100).unwrap(), upper);
        }
        if bits <= 24 {
            decoder.seek(9000).unwrap();
            let floats: Vec<f32> =
                samples[18_000..].iter().map(|sample| *sample as f32 / 2_147_483_648.0).collect();
            assert_eq!(read_all::<f32>(&mut decoder).unwrap(), floats);
        }
        drop(decoder);
        assert_clean("after reading");
    }
}

#[test]
fn channels_come_in_the_order_of_their_mask() {
    begin(0);
    // Centre, left, right, surrounds and low effects, each with a number of its own.
    let frame = [3.0, 1.0, 2.0, 5.0, 6.0, 4.0];
    let samples: Vec<f32> = frame.iter().copied().cycle().take(6 * 5000).collect();
    let mut fake = Fake::lossy(kAudioFormatMPEG4AAC, 48_000, 6, &samples);
    fake.layout_tag = kAudioChannelLayoutTag_AAC_5_1;
    let mut decoder = open(fake.to_bytes()).unwrap();
    assert_eq!(decoder.info().channel_mask, 0x3f);
    assert_eq!(read::<f32>(&mut decoder, 1, 1).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    fake.layout_tag = 0;
    let mut decoder = open(fake.to_bytes()).unwrap();
    assert_eq!(decoder.info().channel_mask, 0, "nobody knows");
    assert_eq!(read::<f32>(&mut decoder, 1, 1).unwrap(), frame);
}

#[test]
fn a_file_that_is_cut_off_counts_what_is_there() {
    begin(0);
    let mut bytes = aac(20_000, 2, 2112, 0).to_bytes();
    bytes.truncate(bytes.len() - 8 * 5000 + 3);
    let mut decoder = open(bytes).unwrap();
    assert_eq!((decoder.info().num_frames, decoder.info().is_truncated), (Some(15_000), true));
    assert_eq!(read_all::<f32>(&mut decoder).unwrap(), ramp(2 * 17_112)[2 * 2112..]);
    let integers = integers(10_000, 16);
    let mut bytes = Fake::lossless(kAudioFormatAppleLossless, 1, 8000, 1, &integers).to_bytes();
    bytes.truncate(bytes.len() - 4 * 100);
    let mut decoder = open(bytes).unwrap();
    assert_eq!((decoder.info().num_frames, decoder.info().is_truncated), (Some(9900), true));
    assert_eq!(read_all::<i32>(&mut decoder).unwrap(), integers[..9900]);
    let whole = open(aac(20_000, 2, 2112, 0).to_bytes()).unwrap();
    assert!(!whole.info().is_truncated);
    let none = open(aac(0, 2, 0, 0).to_bytes()).unwrap();
    assert_eq!((none.info().num_frames, none.info().is_truncated), (Some(0), false));
}

#[test]
fn what_is_not_read_is_refused_by_its_name() {
    begin(0);
    let refusal = |fake: Fake| {
        let error = open(fake.to_bytes()).err().unwrap();
        (error.status(), error.message().to_owned())
    };
    let error = open(b"no file of any kind, and longer than a header".repeat(9)).err().unwrap();
    assert_eq!(error.status(), Status::Unsupported);
    assert_eq!(error.message(), "opening the file: AudioToolbox says 'typ?': the file type is unknown");
    let (status, message) = refusal(Fake { best_rate: 88_200, ..aac(5000, 2, 0, 0) });
    assert_eq!(status, Status::Unsupported);
    assert!(message.contains("88200 Hz") && message.contains("44100 Hz"), "{message}");
    assert!(
        refusal(Fake { format_id: u32::from_be_bytes(*b"QDM2"), ..aac(5000, 2, 0, 0) }).1.contains("'QDM2'")
    );
    assert!(refusal(Fake { num_channels: 0, ..aac(5000, 2, 0, 0) }).1.contains("0 channels"));
    assert!(refusal(Fake { sample_rate: 0, ..aac(5000, 2, 0, 0) }).1.contains("0 Hz"));
    let (status, message) = refusal(Fake { remainder: 100_000, ..aac(5000, 2, 0, 0) });
    assert_eq!((status, message.as_str()), (Status::BadData, "-95000 frames, expected at least 0"));
    let options = DecoderOptions { max_alloc: 1000, ..DecoderOptions::default() };
    let small = AudioToolboxDecoder::open(Input::from(aac(9, 1, 0, 0).to_bytes()), &options);
    assert_eq!(small.err().unwrap().status(), Status::Limit);
    assert_clean("after refusals");
}

#[test]
fn files_of_the_double_look_like_what_they_stand_for() {
    let score = |fake: Fake| {
        let bytes = fake.to_bytes();
        AudioToolboxDecoder::probe(&Head { bytes: &bytes, total_bytes: 9, extension: None, track: None })
    };
    assert_eq!(score(aac(1, 1, 0, 0)), 80);
    assert_eq!(score(Fake::lossy(kAudioFormatAMR, 8000, 1, &[])), 97);
}
