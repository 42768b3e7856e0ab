//! Files of the double's, and how the plugin reads and writes them.

#![allow(dead_code)] // not every test uses everything

use mapwave_audiotoolbox::double::{self, Fake, Script};
use mapwave_audiotoolbox::{AudioToolboxDecoder, sys};
use mapwave_plugin::{
    Block, Decoder, DecoderOptions, Encoder, EncoderOptions, Input, Output, Result, Sample, Sink,
};

/// Begins a test, with short reads if requested.
pub fn begin(max_frames_per_read: u32) {
    double::begin(Script { max_frames_per_read, ..Script::default() });
}

/// Checks that everything was released, and that no rule was violated.
pub fn assert_clean(what: &str) {
    assert_eq!(double::violations(), Vec::<String>::new(), "{what}");
    assert_eq!(double::num_open(), 0, "{what}: objects are left over");
}

pub fn open(bytes: Vec<u8>) -> Result<AudioToolboxDecoder> {
    AudioToolboxDecoder::open(Input::from(bytes), &DecoderOptions::default())
}

/// Decodes up to `max_frames` frames from where the decoder stands, `per_call` at a time.
pub fn read<T: Sample>(
    decoder: &mut AudioToolboxDecoder,
    max_frames: usize,
    per_call: usize,
) -> Result<Vec<T>> {
    let num_channels = decoder.info().num_channels as usize;
    let mut samples = Vec::new();
    let mut buffer = vec![T::default(); per_call * num_channels];
    while samples.len() < max_frames.saturating_mul(num_channels) {
        let room = per_call.min(max_frames - samples.len() / num_channels) * num_channels;
        let count = Output::with_slice(&mut buffer[..room], num_channels, |output| {
            decoder.decode(output).map(|()| output.num_written())
        })?;
        if count == 0 {
            break;
        }
        samples.extend_from_slice(&buffer[..count * num_channels]);
    }
    Ok(samples)
}

pub fn read_all<T: Sample>(decoder: &mut AudioToolboxDecoder) -> Result<Vec<T>> {
    read(decoder, usize::MAX, 1000)
}

/// Samples that are all different.
pub fn ramp(num_samples: usize) -> Vec<f32> {
    (0..num_samples).map(|number| number as f32 / 65_536.0 - 0.5).collect()
}

/// Integers of a depth, in 32 bits from above.
pub fn integers(num_samples: usize, bits: u32) -> Vec<i32> {
    let number =
        |place: usize| (place as i32).wrapping_mul(0x9e37_79b9_u32 as i32) >> (32 - bits) << (32 - bits);
    (0..num_samples).map(number).collect()
}

/// AAC as the framework writes it.
pub fn aac(num_frames: usize, num_channels: u32, priming: u32, remainder: u32) -> Fake {
    let encoded = num_frames + (priming + remainder) as usize;
    let samples = ramp(encoded * num_channels as usize);
    Fake::lossy(sys::kAudioFormatMPEG4AAC, 44_100, num_channels, &samples)
        .with_packet_table(priming, remainder)
}

/// Encodes interleaved samples that are pushed in blocks.
pub fn encode<E: Encoder, T: Sample>(
    options: &EncoderOptions<'_>,
    samples: &[T],
    per_block: usize,
) -> Result<Vec<u8>> {
    let (sink, bytes) = Sink::in_memory();
    let mut encoder = E::open(options, sink)?;
    assert!(bytes.lock().unwrap().is_empty(), "open writes nothing");
    let num_channels = options.num_channels as usize;
    for block in samples.chunks(per_block * num_channels) {
        Block::with_slice(block, num_channels, |block| encoder.push(block))?;
    }
    encoder.finish()?;
    drop(encoder);
    Ok(bytes.lock().unwrap().clone())
}
