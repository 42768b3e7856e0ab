//! Encoding through the C ABI, read back by the oracle.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use common::{Random, oracle};
use mapwave_plugin::abi::*;
use mapwave_plugin_check::host::{
    EncodeOptions, Encoder, EncoderTable, Fault, Input, Layout, Library, OpenOptions, Plugin, ReadPlan,
    Sample,
};

fn plugin() -> Plugin {
    Library::linked(mapwave_qoa::entry).enter().unwrap()
}

fn encoder() -> EncoderTable {
    plugin().encoders().unwrap()[0]
}

/// Stereo at 44.1 kHz, in little memory.
fn options() -> EncodeOptions {
    EncodeOptions { max_alloc: 1 << 20, ..EncodeOptions::new(44_100, 2) }
}

fn open(options: &EncodeOptions) -> Encoder {
    encoder().open(options).unwrap()
}

/// The file of an encoder.
fn finish(mut encoder: Encoder) -> Vec<u8> {
    encoder.finish().unwrap();
    encoder.sink().bytes()
}

/// All samples of a file of which the plugin sees only what it reads, in many calls.
fn decode_by_callback<T: Sample>(file: &[u8], layout: Layout) -> Result<Vec<T>, Fault> {
    // Fewer bytes than requested are not an error.
    let input = Input::callback(file, ReadPlan::AtMost(1000))?;
    let mut decoder = plugin().decoders()?[0].open(&input, &OpenOptions::default())?;
    let info = decoder.info()?;
    let samples = decoder.rest(layout, 1234)?;
    assert_eq!(samples.len() as u64, info.num_frames.unwrap() * u64::from(info.num_channels));
    Ok(samples)
}

/// A chord with a little noise, different in every channel; no library function, so that it is the same everywhere.
fn music(num_channels: usize, num_frames: usize) -> Vec<i16> {
    let mut random = Random(5);
    let triangle = |frame: usize, period: usize| {
        let phase = (frame % period) as i64 * 4 * 9000 / period as i64;
        if phase < 18_000 { phase - 9000 } else { 27_000 - phase }
    };
    let mut samples = Vec::new();
    for frame in 0..num_frames {
        for channel in 0..num_channels {
            let noise = (random.bits() >> 56) as i64 - 128;
            samples.push((triangle(frame, 200 + channel) + triangle(frame, 63) + noise) as i16);
        }
    }
    samples
}

/// The signal over the noise in decibels.
fn snr(samples: &[i16], decoded: &[i16]) -> f64 {
    assert_eq!(samples.len(), decoded.len());
    let energy = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let signal = energy(&mut samples.iter().map(|sample| f64::from(*sample)));
    let noise = energy(&mut samples.iter().zip(decoded).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    10.0 * (signal / noise.max(1.0)).log10()
}

fn encode(samples: &[i16], num_channels: u32) -> Vec<u8> {
    encoder().encode(&EncodeOptions { num_channels, ..options() }, samples).unwrap()
}

#[test]
fn what_goes_in_comes_out_as_well_as_it_can() {
    for (num_channels, num_frames) in
        [(1, 1), (1, 19), (2, 20), (2, 12_345), (3, 5120), (6, 5121), (8, 10_240)]
    {
        let samples = music(num_channels, num_frames);
        let file = encode(&samples, num_channels as u32);
        // 8 bytes a file; 8 and 16 a channel for 5120 frames; 8 a channel for 20.
        let (packets, slices) = (num_frames.div_ceil(5120), num_frames.div_ceil(20) * num_channels);
        assert_eq!(file.len(), 8 + packets * (8 + 16 * num_channels) + 8 * slices);
        let decoded = oracle(&file);
        let snr = snr(&samples, &decoded);
        println!("{num_channels} x {num_frames}: {snr:.1} dB");
        let floor = if num_frames > 1000 { 35.0 } else { 10.0 }; // the predictor knows nothing yet
        assert!(snr > floor, "{num_channels} x {num_frames}: {snr}");

        for layout in [Layout::Interleaved, Layout::Planar] {
            assert!(decode_by_callback::<i16>(&file, layout).unwrap() == decoded, "{layout:?}");
        }
    }
}

#[test]
fn the_reference_encoder_makes_the_same_file() {
    // FNV-1a of what the reference implementation of the format makes of the same samples.
    let digest = |bytes: &[u8]| {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
    };
    assert_eq!(digest(&encode(&music(2, 12_345), 2)), 0xce0e_e18b_e4a3_dfde);
}

#[test]
fn the_division_into_calls_does_not_matter() {
    let samples = music(2, 11_000);
    let whole = encode(&samples, 2);
    let mut random = Random(9);
    let mut encoder = open(&options());
    let mut rest = samples.as_slice();
    while !rest.is_empty() {
        let (now, later) = rest.split_at((2 * random.below(3000)).min(rest.len()));
        let layout = if random.below(2) == 0 { Layout::Interleaved } else { Layout::Planar };
        encoder.push(layout, now).unwrap();
        rest = later;
    }
    assert_eq!(finish(encoder), whole);
}

#[test]
fn every_format_is_rounded_to_16_bits() {
    let samples = music(2, 700);
    let whole = encode(&samples, 2);
    let floats: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32768.0).collect();
    assert_eq!(encoder().encode(&options(), &floats).unwrap(), whole);

    let mut random = Random(2);
    let integers: Vec<i32> = samples
        .iter()
        .map(|sample| (i32::from(*sample) << 16) + (random.below(0xffff) as i32 - 0x7fff))
        .collect();
    assert_eq!(encoder().encode(&options(), &integers).unwrap(), whole);
}

#[test]
fn extremes_pass() {
    let mut random = Random(4);
    let square = |n: usize| if n % 80 < 40 { i16::MAX } else { i16::MIN };
    let cases: [Vec<i16>; 4] = [
        vec![0; 6000],
        vec![i16::MIN; 6000],
        (0..6000).map(square).collect(),
        (0..6000).map(|_| random.bits() as i16).collect(),
    ];
    for (case, max_rms) in cases.iter().zip([1.5, 1000.0, 16_000.0, 12_000.0]) {
        let decoded = oracle(&encode(case, 2));
        let squares = case.iter().zip(&decoded).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
        let rms = (squares.sum::<f64>() / case.len() as f64).sqrt();
        println!("{rms:.1}");
        assert!(rms < max_rms, "{rms}");
    }
}

#[test]
fn an_append_only_sink_must_know_the_length() {
    let failure = encoder().open(&EncodeOptions { append_only: true, ..options() }).err().unwrap().refusal();
    assert_eq!(failure.status, MW_UNSUPPORTED);
    assert!(failure.message.contains("begins with its number of frames"), "{}", failure.message);

    let samples = music(2, 6000);
    let known = EncodeOptions { num_frames: Some(6000), ..options() };
    let append_only = EncodeOptions { append_only: true, ..known.clone() };
    assert_eq!(encoder().encode(&append_only, &samples).unwrap(), encode(&samples, 2));

    let mut short = open(&append_only);
    short.push(Layout::Interleaved, &samples[2..]).unwrap();
    let failure = short.finish().unwrap_err().refusal();
    assert_eq!(failure.status, MW_BAD_ARGUMENT);
    assert!(failure.message.contains("5999 frames came where 6000"), "{}", failure.message);

    // In a seekable file the header is corrected.
    assert_eq!(encoder().encode(&known, &samples[2..]).unwrap(), encode(&samples[2..], 2));
}

#[test]
fn what_the_format_cannot_hold_is_refused_before_a_byte_is_written() {
    let base = options();
    for (options, status, word) in [
        (EncodeOptions { num_channels: 9, ..base.clone() }, MW_UNSUPPORTED, "1 to 8 channels, not 9"),
        (EncodeOptions { sample_rate: 1 << 24, ..base.clone() }, MW_UNSUPPORTED, "sample rates"),
        (EncodeOptions { bits_per_sample: 24, ..base.clone() }, MW_UNSUPPORTED, "16 bits per sample, not 24"),
        (EncodeOptions { bitrate: 128_000, ..base.clone() }, MW_UNSUPPORTED, "one quality"),
        (EncodeOptions { channel_mask: 0xc, ..base.clone() }, MW_UNSUPPORTED, "0x3, not 0xc"),
        (EncodeOptions { num_frames: Some(1 << 32), ..base.clone() }, MW_LIMIT, "4294967295"),
        (EncodeOptions { num_frames: Some(0), ..base.clone() }, MW_UNSUPPORTED, "at least one frame"),
        (EncodeOptions { max_alloc: 1000, ..base.clone() }, MW_LIMIT, "only 1000"),
        (EncodeOptions { codec: Some("mp3".into()), ..base.clone() }, MW_UNSUPPORTED, "mp3"),
    ] {
        let failure = encoder().open(&options).err().unwrap().refusal();
        assert_eq!(failure.status, status, "{}", failure.message);
        assert!(failure.message.contains(word), "{}", failure.message);
    }
    assert_eq!(open(&base).finish().unwrap_err().refusal().status, MW_UNSUPPORTED);
}

#[test]
fn an_encoder_that_is_closed_early_leaves_what_was_written() {
    let mut encoder = open(&options());
    encoder.push(Layout::Interleaved, &music(2, 100)).unwrap();
    let sink = encoder.sink();
    assert_eq!(sink.bytes(), b"qoaf\0\0\0\0");
    drop(encoder);
    assert_eq!(sink.bytes(), b"qoaf\0\0\0\0");
}

#[test]
fn an_error_crosses_with_its_place() {
    let mut file = encode(&music(2, 6000), 2);
    file[8 + 4136] = 7;
    let failure = decode_by_callback::<f32>(&file, Layout::Interleaved).unwrap_err().refusal();
    assert_eq!((failure.status, failure.offset), (MW_BAD_DATA, Some(8 + 4136)));
    assert!(failure.message.contains("7 channels take"), "{}", failure.message);
}
