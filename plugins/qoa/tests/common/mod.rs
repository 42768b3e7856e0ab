//! What the tests share: an oracle, files made without the encoder, and whole files decoded by the trait.

#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use mapwave_plugin::{Decoder, DecoderOptions, Input, Output, Result, Sample};
use mapwave_qoa::QoaDecoder;

/// A xorshift64* generator.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 11) as usize % end
    }
}

/// The specification word for word, one bit and one number after the other: the samples, interleaved, of a whole file.
pub fn oracle(file: &[u8]) -> Vec<i16> {
    let mut bits = file.iter().flat_map(|byte| (0..8).rev().map(move |n| u64::from(byte >> n & 1)));
    let mut read =
        |count: u32| (0..count).fold(0, |number, _| number << 1 | bits.next().expect("a whole file"));
    assert_eq!(read(32), 0x716f_6166);
    let samples = read(32);
    let mut decoded = Vec::new();
    while (decoded.len() as u64) < samples * u64::from(file[8]) {
        let (channels, _rate, frames, _size) = (read(8) as usize, read(24), read(16) as usize, read(16));
        let mut lms = vec![[[0_i64; 4]; 2]; channels];
        for state in &mut lms {
            state.iter_mut().flatten().for_each(|number| *number = i64::from(read(16) as u16 as i16));
        }
        let first = decoded.len();
        decoded.resize(first + frames * channels, 0);
        for row in 0..frames.div_ceil(20) {
            for (channel, [history, weights]) in lms.iter_mut().enumerate() {
                let scale = ((read(4) + 1) as f64).powf(2.75).round();
                for frame in row * 20..row * 20 + 20 {
                    let code = read(3) as usize;
                    let residual =
                        (scale * [0.75, -0.75, 2.5, -2.5, 4.5, -4.5, 7.0, -7.0][code]).round() as i64;
                    let sum: i64 = (0..4).map(|n| history[n] * weights[n]).sum();
                    let sample = (i64::from(sum as i32 >> 13) + residual).clamp(-32768, 32767);
                    for n in 0..4 {
                        weights[n] += if history[n] < 0 { -(residual >> 4) } else { residual >> 4 };
                    }
                    history.rotate_left(1);
                    history[3] = sample;
                    if frame < frames {
                        decoded[first + frame * channels + channel] = sample as i16;
                    }
                }
            }
        }
    }
    decoded
}

/// A file of `num_frames` frames whose states and slices are noise.
pub fn noise(num_channels: u8, sample_rate: u32, num_frames: usize) -> Vec<u8> {
    let mut random = Random(0x9e37_79b9 + num_frames as u64 * 256 + u64::from(num_channels));
    let mut file = b"qoaf".to_vec();
    file.extend((num_frames as u32).to_be_bytes());
    for first in (0..num_frames).step_by(5120) {
        let frames = (num_frames - first).min(5120);
        let channels = usize::from(num_channels);
        let num_words = 2 * channels + frames.div_ceil(20) * channels;
        file.push(num_channels);
        file.extend(&sample_rate.to_be_bytes()[1..]);
        file.extend((frames as u16).to_be_bytes());
        file.extend((8 + 8 * num_words as u16).to_be_bytes());
        for word in 0..num_words {
            // Weights as small as they are in the wild half of the time, or all that comes out is at the limits.
            let is_quiet = word < 2 * channels && word % 2 == 1 && random.below(2) == 0;
            let mask = if is_quiet { 0x0fff_0fff_0fff_0fff } else { u64::MAX };
            file.extend((random.bits() & mask).to_be_bytes());
        }
    }
    file
}

/// A handle on a file in memory.
pub fn open(file: &[u8]) -> Result<QoaDecoder> {
    QoaDecoder::open(Input::from(file.to_vec()), &DecoderOptions::default())
}

/// All that follows, with room for `room` frames at a time.
pub fn rest<T: Sample>(decoder: &mut QoaDecoder, room: usize) -> Result<Vec<T>> {
    let num_channels = decoder.info().num_channels as usize;
    let mut samples = Vec::new();
    let mut buffer = vec![T::default(); room * num_channels];
    loop {
        let num_frames = Output::with_slice(&mut buffer, num_channels, |output| {
            decoder.decode(output).map(|()| output.num_written())
        })?;
        if num_frames == 0 {
            return Ok(samples);
        }
        samples.extend_from_slice(&buffer[..num_frames * num_channels]);
    }
}
