//! The public encoder.

#![forbid(unsafe_code)]

use super::bit_writer::BitWriter;
use super::{golomb, predictor};
use crate::config::Config;
use crate::decoder::PLACES;
use crate::error::{DecodeError, EncodeError};
use crate::predictor::Predictor;

/// The elements of a packet for each number of channels: a channel, a pair, or the channel of low frequencies
/// (ALACMagicCookieDescription, "Channel Layout Info").
const ELEMENTS: [&[u32]; 9] = [
    &[],
    &[SINGLE],
    &[PAIR],
    &[SINGLE, PAIR],
    &[SINGLE, PAIR, SINGLE],
    &[SINGLE, PAIR, PAIR],
    &[SINGLE, PAIR, PAIR, LFE],
    &[SINGLE, PAIR, PAIR, SINGLE, LFE],
    &[SINGLE, PAIR, PAIR, PAIR, LFE],
];
const SINGLE: u32 = 0;
const PAIR: u32 = 1;
const LFE: u32 = 3;
const END: u32 = 7;

/// How two channels are mixed: by weights of quarters of the first, or not at all.
const MIX_BITS: u32 = 2;
const WEIGHTS: [i32; 5] = [0, 1, 2, 3, 4];

/// The residuals' mean follows them by four quarters of the setup's factor ("PB0").
const FACTOR: u32 = 4;

/// Encodes packets, none of which depends on another.
///
/// Samples fill 32 bits, of which those below the depth are left out. Channels come in the order of a WAVE channel mask: left before
/// right before centre.
///
/// ```
/// use mapwave_alac::{Config, Decoder, Encoder, Part};
///
/// let config = Config::new(44_100, 2, 16)?;
/// let (left, right) = ([5 << 16, -3 << 16], [100 << 16, i32::MIN]);
/// let mut packet = Vec::new();
/// Encoder::new(&config)?.encode(&[&left, &right], &mut packet).unwrap();
/// let mut samples = Vec::<i16>::with_capacity(4);
/// let parts = [Part { bytes: &packet, frames: 0..2 }];
/// let decoded = Decoder::new(&config)?.decode(&parts, samples.spare_capacity_mut()).unwrap();
/// assert_eq!(decoded, [5, 100, -3, -32768]);
/// # Ok::<(), mapwave_alac::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Encoder {
    config: Config,
    bits: BitWriter,
    /// The best of what is tried for each channel of an element, and what is tried last.
    best: [Coded; 2],
    tried: Coded,
    planes: [Vec<i32>; 2],
    lows: [Vec<u16>; 2],
    residuals: Vec<i32>,
}

/// A channel: its predictor, and the codes of its residuals.
#[derive(Debug)]
struct Coded {
    predictor: Predictor,
    codes: BitWriter,
}

impl Default for Coded {
    fn default() -> Self {
        Self { predictor: Predictor::NONE, codes: BitWriter::default() }
    }
}

impl Encoder {
    /// An encoder of the packets of a stream.
    ///
    /// # Errors
    /// When the setup is not valid.
    pub fn new(config: &Config) -> Result<Self, DecodeError> {
        config.check()?;
        Ok(Self {
            config: *config,
            bits: BitWriter::default(),
            best: Default::default(),
            tried: Coded::default(),
            planes: Default::default(),
            lows: Default::default(),
            residuals: Vec::new(),
        })
    }

    /// The setup.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Encodes frames, a slice for each channel, and adds the packet to `output`. All packets but the last have
    /// [`frames_per_packet`](Config::frames_per_packet).
    ///
    /// # Errors
    /// When the number of slices is not that of the channels, they are not alike in length, or longer than a packet.
    pub fn encode(&mut self, channels: &[&[i32]], output: &mut Vec<u8>) -> Result<(), EncodeError> {
        let Config { num_channels, frames_per_packet, .. } = self.config;
        let num_frames = channels.first().map_or(0, |channel| channel.len());
        if channels.len() != num_channels as usize {
            return Err(EncodeError::Channels { found: channels.len(), expected: num_channels });
        }
        if channels.iter().any(|channel| channel.len() != num_frames) {
            return Err(EncodeError::Lengths);
        }
        if num_frames > frames_per_packet as usize {
            return Err(EncodeError::TooMany { found: num_frames, most: frames_per_packet });
        }
        self.bits.clear();
        let places = PLACES.get(channels.len()).copied().unwrap_or_default();
        let mut places = places.iter().filter_map(|place| channels.get(*place));
        let (mut num_pairs, mut num_singles, mut num_lfe) = (0, 0, 0);
        for element in ELEMENTS.get(channels.len()).copied().unwrap_or_default() {
            let tag = match *element {
                PAIR => &mut num_pairs,
                LFE => &mut num_lfe,
                _ => &mut num_singles,
            };
            self.bits.write(*element, 3);
            self.bits.write(*tag, 4);
            *tag += 1;
            let first = places.next().copied().unwrap_or_default();
            let second = if *element == PAIR { places.next().copied() } else { None };
            self.element(first, second);
        }
        self.bits.write(END, 3);
        output.extend_from_slice(self.bits.finish());
        Ok(())
    }

    /// Writes one channel or two behind their tag.
    fn element(&mut self, first: &[i32], second: Option<&[i32]>) {
        let num_low_bytes = match self.config.bits_per_sample {
            24 => 1,
            32 => 2,
            _ => 0,
        };
        let num_channels = if second.is_some() { 2 } else { 1 };
        let num_frames = first.len();
        let num_bits = self.config.bits_per_sample - 8 * num_low_bytes;
        let coded_bits = num_bits + num_channels - 1;
        let unused = 32 - self.config.bits_per_sample;
        for (channel, (plane, lows)) in
            [Some(first), second].into_iter().flatten().zip(self.planes.iter_mut().zip(&mut self.lows))
        {
            plane.clear();
            plane.extend(channel.iter().map(|sample| sample >> (unused + 8 * num_low_bytes)));
            lows.clear();
            if num_low_bytes > 0 {
                #[expect(clippy::cast_possible_truncation, reason = "the low bits alone")]
                lows.extend(channel.iter().map(|sample| (sample >> unused) as u16));
            }
        }
        let mut weight = 0;
        if second.is_some() {
            let [first, second] = &mut self.planes;
            weight = best_weight(first, second);
            mix(first, second, weight);
        }
        for (plane, best) in self.planes.iter().zip(&mut self.best).take(num_channels as usize) {
            for (number, predictor) in predictor::find(plane, coded_bits).into_iter().enumerate() {
                predictor::residuals(plane, &predictor, &mut self.residuals);
                self.tried.codes.clear();
                golomb::write(&mut self.tried.codes, &self.residuals, &self.config, coded_bits);
                self.tried.predictor = predictor;
                if number == 0 || self.tried.num_bits() < best.num_bits() {
                    std::mem::swap(&mut self.tried, best);
                }
            }
        }
        let best = self.best.iter().take(num_channels as usize);
        let low_bits = 8 * num_low_bytes as usize * num_channels as usize * num_frames;
        let num_coded = best.clone().map(Coded::num_bits).sum::<usize>() + low_bits + 16;
        let is_verbatim =
            num_coded >= num_frames * num_channels as usize * self.config.bits_per_sample as usize;
        let is_short = num_frames != self.config.frames_per_packet as usize;
        self.bits.write(0, 12);
        self.bits.write(is_short.into(), 1);
        // Also where samples are stored as they are and none are apart: by that, FFmpeg finds that differences fit.
        self.bits.write(num_low_bytes, 2);
        self.bits.write(is_verbatim.into(), 1);
        if is_short {
            self.bits.write(u32::try_from(num_frames).unwrap_or(u32::MAX), 32);
        }
        if is_verbatim {
            for place in 0..num_frames {
                for channel in [Some(first), second].into_iter().flatten() {
                    let sample = channel.get(place).map_or(0, |sample| sample >> unused);
                    self.bits.write_signed(sample, self.config.bits_per_sample);
                }
            }
            return;
        }
        self.bits.write(if weight == 0 { 0 } else { MIX_BITS }, 8);
        self.bits.write_signed(weight, 8);
        for Coded { predictor, .. } in best.clone() {
            self.bits.write(0, 4);
            self.bits.write(predictor.shift, 4);
            self.bits.write(FACTOR, 3);
            self.bits.write(u32::try_from(predictor.order).unwrap_or(0), 5);
            let coefficients = predictor.coefficients.iter().take(predictor.order);
            coefficients.for_each(|coefficient| self.bits.write_signed(*coefficient, 16));
        }
        if num_low_bytes > 0 {
            for place in 0..num_frames {
                for lows in self.lows.iter().take(num_channels as usize) {
                    self.bits.write(lows.get(place).map_or(0, |low| u32::from(*low)), 8 * num_low_bytes);
                }
            }
        }
        best.for_each(|coded| self.bits.append(&coded.codes));
    }
}

impl Coded {
    fn num_bits(&self) -> usize {
        self.codes.num_bits() + 16 * (self.predictor.order + 1)
    }
}

/// Two channels as their weighted mean and their difference; as they are with a weight of 0 (Apple's matrix_enc.c).
fn mix(first: &mut [i32], second: &mut [i32], weight: i32) {
    if weight == 0 {
        return;
    }
    for (first, second) in first.iter_mut().zip(second) {
        let (left, right) = (*first, *second);
        *first = (weight * left + ((1 << MIX_BITS) - weight) * right) >> MIX_BITS;
        *second = left - right;
    }
}

/// The weight with which the differences of differences are least, in bits.
fn best_weight(first: &[i32], second: &[i32]) -> i32 {
    let cost = |weight: i32| {
        let mixed = first.iter().zip(second).map(|(left, right)| {
            if weight == 0 {
                return [*left, *right];
            }
            [(weight * left + ((1 << MIX_BITS) - weight) * right) >> MIX_BITS, left - right]
        });
        let (mut last, mut before, mut sums) = ([0; 2], [0; 2], [0_u64; 2]);
        for frame in mixed {
            for (((sample, last), before), sum) in frame.iter().zip(last).zip(before).zip(&mut sums) {
                *sum += u64::from((sample - 2 * last + before).unsigned_abs());
            }
            (before, last) = (last, frame);
        }
        sums.map(|sum| (sum as f64 + 1.0).log2()).iter().sum::<f64>()
    };
    let costs = WEIGHTS.map(|weight| (cost(weight), weight));
    costs.into_iter().min_by(|(one, _), (other, _)| one.total_cmp(other)).map_or(0, |(_, weight)| weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_that_are_alike_are_mixed() {
        let first: Vec<i32> = (0..100).map(|n| n * n % 4000).collect();
        assert_ne!(best_weight(&first, &first), 0);
        assert_eq!(best_weight(&first, &[0; 100]), 0);
    }
}
