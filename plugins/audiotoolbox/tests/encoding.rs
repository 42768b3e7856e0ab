//! Encoding, with the test double instead of the framework.

#![cfg(not(target_vendor = "apple"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod common;

use common::*;
use mapwave_audiotoolbox::double::{Fake, HEADER_BYTES};
use mapwave_audiotoolbox::{AifcEncoder, CafEncoder, FlacEncoder, M4aEncoder, sys::*};
use mapwave_plugin::{Block, Decoder, Encoder, EncoderOptions, Result, Sample, Sink, Status};

fn fake<E: Encoder, T: Sample>(options: &EncoderOptions<'_>, samples: &[T]) -> Result<Fake> {
    encode::<E, T>(options, samples, 777).map(|bytes| Fake::from_bytes(&bytes).unwrap())
}

#[test]
fn aac_has_priming_and_the_bitrate_that_was_asked_for() {
    begin(0);
    let options = EncoderOptions { bitrate: Some(128_000), ..EncoderOptions::new(44_100, 2) };
    let samples = ramp(2 * 10_000);
    let bytes = encode::<M4aEncoder, f32>(&options, &samples, 777).unwrap();
    let fake = Fake::from_bytes(&bytes).unwrap();
    assert_eq!((fake.bitrate, fake.priming, fake.num_valid()), (128_000, 2112, 10_000));
    let encoded = 8 * fake.num_encoded as usize;
    assert_eq!(bytes.len(), HEADER_BYTES + encoded + 4, "the truncated bytes are gone");
    assert!(bytes.ends_with(b"moov"));
    let mut decoder = open(bytes).unwrap();
    assert_eq!(read_all::<f32>(&mut decoder).unwrap(), samples);
    drop(decoder);
    assert_clean("after a round trip");
}

#[test]
fn the_codec_is_steered_by_quality_effort_or_a_usual_bitrate() {
    begin(0);
    let of = |options: EncoderOptions<'_>| fake::<M4aEncoder, f32>(&options, &ramp(4000)).unwrap();
    let usual = of(EncoderOptions::new(44_100, 2));
    assert_eq!((usual.bitrate, usual.bitrate_mode), (224_000, 0));
    assert_eq!(of(EncoderOptions::new(8000, 1)).bitrate, 112_000, "the next lower than 128000");
    let variable =
        of(EncoderOptions { quality: Some(50), effort: Some(100), ..EncoderOptions::new(48_000, 1) });
    assert_eq!(
        (variable.bitrate, variable.bitrate_mode, variable.vbr_quality, variable.codec_quality),
        (0, 3, 63, 127)
    );
    let wrong = EncoderOptions { bitrate: Some(100_001), ..EncoderOptions::new(44_100, 2) };
    let error = fake::<M4aEncoder, f32>(&wrong, &[0.0; 4]).unwrap_err();
    assert_eq!(error.status(), Status::Unsupported);
    assert!(
        error.message().starts_with("100001 bits per second; aac at this sample rate supports 48000, 64000"),
        "{error}"
    );
    let error = fake::<M4aEncoder, f32>(&EncoderOptions::new(44_101, 2), &[0.0; 4]).unwrap_err();
    assert_eq!((error.status(), error.native_code()), (Status::Unsupported, 0x666d_743f));
    assert_clean("after refusals");
}

#[test]
fn lossless_codecs_keep_their_depth() {
    begin(0);
    for bits in [16, 20, 24, 32] {
        let samples = integers(3 * 5000, bits);
        let options = EncoderOptions {
            bits_per_sample: Some(bits),
            codec: Some("alac"),
            ..EncoderOptions::new(96_000, 3)
        };
        for bytes in [
            encode::<CafEncoder, i32>(&options, &samples, 999),
            encode::<M4aEncoder, i32>(&options, &samples, 999),
        ] {
            let mut decoder = open(bytes.unwrap()).unwrap();
            assert_eq!((decoder.info().bits_per_sample, decoder.info().channel_mask), (bits, 0x7));
            assert_eq!(read_all::<i32>(&mut decoder).unwrap(), samples);
        }
    }
    let sixteen: Vec<i16> = integers(2 * 5000, 16).iter().map(|sample| (sample >> 16) as i16).collect();
    let options = EncoderOptions { effort: Some(1), ..EncoderOptions::new(44_100, 2) };
    let flac = fake::<FlacEncoder, i16>(&options, &sixteen).unwrap();
    assert_eq!((flac.format_flags, flac.frames_per_packet), (kAppleLosslessFormatFlag_16BitSourceData, 192));
    let mut decoder = open(flac.to_bytes()).unwrap();
    assert_eq!(read_all::<i16>(&mut decoder).unwrap(), sixteen);
    let deep = fake::<FlacEncoder, f32>(&EncoderOptions::new(44_100, 2), &ramp(2 * 5000)).unwrap();
    assert_eq!((deep.format_flags, deep.frames_per_packet), (kAppleLosslessFormatFlag_24BitSourceData, 4608));
    drop(decoder);
    assert_clean("after round trips");
}

#[test]
fn ima4_is_written_into_caf_and_aiff() {
    begin(0);
    let options = EncoderOptions { codec: Some("adpcm_ima_qt"), ..EncoderOptions::new(22_050, 1) };
    let samples: Vec<i16> = (0..1000).map(|place| place * 30).collect();
    let caf = fake::<CafEncoder, i16>(&options, &samples).unwrap();
    assert_eq!((caf.file_type, caf.num_valid()), (kAudioFileCAFType, 1000));
    let aifc = fake::<AifcEncoder, i16>(&options, &samples).unwrap();
    assert_eq!((aifc.file_type, aifc.num_valid()), (kAudioFileAIFCType, 1024), "whole packets");
    assert_clean("after encoding");
}

#[test]
fn channels_go_where_the_layout_has_them() {
    begin(0);
    let frame = [0.1f32, 0.2, 0.3, 0.4, 0.5, 0.6];
    let samples: Vec<f32> = frame.iter().copied().cycle().take(6 * 3000).collect();
    for channel_mask in [0, 0x3f, 0x60f] {
        let options = EncoderOptions { channel_mask, ..EncoderOptions::new(48_000, 6) };
        let fake = fake::<M4aEncoder, f32>(&options, &samples).unwrap();
        assert_eq!(fake.layout_tag, kAudioChannelLayoutTag_AAC_5_1);
        let encoded: Vec<f32> =
            fake.samples[6 * 2112..6 * 2113].iter().map(|bits| f32::from_bits(*bits)).collect();
        assert_eq!(encoded, [0.3, 0.1, 0.2, 0.5, 0.6, 0.4]);
        let mut decoder = open(fake.to_bytes()).unwrap();
        assert_eq!(read::<f32>(&mut decoder, 1, 1).unwrap(), frame);
    }
}

#[test]
fn bad_samples_and_empty_files_are_refused_and_leave_nothing() {
    begin(0);
    let (sink, bytes) = Sink::in_memory();
    let mut encoder = M4aEncoder::open(&EncoderOptions::new(44_100, 1), sink).unwrap();
    let error = Block::with_slice(&[0.0, f32::NAN], 1, |block| encoder.push(block)).unwrap_err();
    assert!(error.message().contains("frame 1, channel 0"), "{error}");
    let mut empty = M4aEncoder::open(&EncoderOptions::new(44_100, 1), Sink::in_memory().0).unwrap();
    assert_eq!(empty.finish().unwrap_err().status(), Status::Unsupported);
    drop((encoder, empty));
    assert!(bytes.lock().unwrap().is_empty());
    assert_clean("after refusals");
}
