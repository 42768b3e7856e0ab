//! The MD5 of the samples before they were encoded (RFC 9639, section 8.2).

#![forbid(unsafe_code)]

use md5::{Digest, Md5};

/// The frames that are laid out at a time.
const FRAMES: usize = 2048;

/// The digest of interleaved little-endian samples of whole bytes.
#[derive(Clone, Debug)]
pub(crate) struct SampleDigest {
    md5: Md5,
    bytes_per_sample: usize,
    bytes: Vec<u8>,
}

impl SampleDigest {
    pub(crate) fn new(bits_per_sample: u32) -> Self {
        Self { md5: Md5::new(), bytes_per_sample: bits_per_sample.div_ceil(8) as usize, bytes: Vec::new() }
    }

    /// Adds the frames of all channels.
    pub(crate) fn update(&mut self, channels: &[Vec<i32>]) {
        let num_frames = channels.first().map_or(0, Vec::len);
        for first in (0..num_frames).step_by(FRAMES) {
            let some = |channel: &'_ Vec<i32>| first..(first + FRAMES).min(channel.len());
            match (self.bytes_per_sample, channels) {
                (2, [left, right]) => {
                    let left = left.get(some(left)).unwrap_or_default();
                    let right = right.get(some(right)).unwrap_or_default();
                    self.bytes.resize(4 * left.len(), 0);
                    let (places, _) = self.bytes.as_chunks_mut::<4>();
                    for ((place, left), right) in places.iter_mut().zip(left).zip(right) {
                        *place = (left & 0xFFFF | right << 16).to_le_bytes();
                    }
                }
                _ => self.lay_out(channels, first),
            }
            self.md5.update(&self.bytes);
        }
    }

    /// Lays out any number of channels of any depth.
    fn lay_out(&mut self, channels: &[Vec<i32>], first: usize) {
        let num_bytes = self.bytes_per_sample;
        let num_frames =
            channels.first().map_or(0, |channel| channel.len().saturating_sub(first).min(FRAMES));
        self.bytes.clear();
        self.bytes.resize(num_frames * channels.len() * num_bytes, 0);
        for (number, channel) in channels.iter().enumerate() {
            let places = self.bytes.chunks_exact_mut(num_bytes).skip(number).step_by(channels.len());
            for (place, sample) in places.zip(channel.iter().skip(first)) {
                place.iter_mut().zip(sample.to_le_bytes()).for_each(|(to, from)| *to = from);
            }
        }
    }

    /// The digest of all frames added so far.
    pub(crate) fn finish(&self) -> [u8; 16] {
        self.md5.clone().finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    #[test]
    fn samples_are_digested_as_the_bytes_of_a_wave_file() {
        for (bits, num_channels) in [(8_u32, 1), (12, 2), (16, 2), (16, 3), (24, 2), (20, 5)] {
            let mut noise = Noise(1);
            let channels: Vec<Vec<i32>> =
                (0..num_channels).map(|_| (0..5000).map(|_| noise.sample(bits)).collect()).collect();
            let mut bytes = Vec::new();
            for frame in 0..5000 {
                for channel in &channels {
                    let sample = channel.get(frame).copied().unwrap_or(0);
                    bytes.extend(sample.to_le_bytes().iter().take(bits.div_ceil(8) as usize));
                }
            }
            let expected: [u8; 16] = Md5::digest(&bytes).into();
            let mut digest = SampleDigest::new(bits);
            let (early, late): (Vec<_>, Vec<_>) = channels
                .iter()
                .map(|channel| channel.split_at(1234))
                .map(|(early, late)| (early.to_vec(), late.to_vec()))
                .unzip();
            digest.update(&early);
            digest.update(&late);
            assert_eq!(digest.finish(), expected, "{bits} bits, {num_channels} channels");
        }
    }
}
