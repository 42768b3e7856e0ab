//! A packet that is being read (Apple's ALACDecoder.cpp, `Decode`).
//!
//! A packet is a sequence of elements, each of one channel or of two. Everything but the codes of a channel is read here, at
//! once. Where such codes come next, the packet stops, so that they can be read together with those of another packet.

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::config::Config;
use crate::error::DecodeError;
use crate::golomb::{Channel, Codes};
use crate::predictor::Predictor;

/// An element: one channel or two that were mixed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Element {
    /// The number of its first channel in the packet.
    pub(crate) first_channel: usize,
    pub(crate) num_channels: usize,
    /// How two channels are unmixed: the weight of the difference, and the bits of its fraction.
    pub(crate) mix_weight: i32,
    pub(crate) mix_bits: u32,
    /// The bits that are stored apart, below those of the predicted samples.
    pub(crate) num_low: u32,
}

/// What a packet is read into.
#[derive(Debug)]
pub(crate) struct Block<'p> {
    /// One plane for each channel, `stride` values apart.
    pub(crate) planes: &'p mut [i32],
    /// The low bits of the samples, likewise.
    pub(crate) lows: &'p mut [u16],
    pub(crate) stride: usize,
    /// One for each channel.
    pub(crate) predictors: &'p mut [Predictor],
    /// The elements in order.
    pub(crate) elements: &'p mut Vec<Element>,
}

/// A position in a packet.
pub(crate) struct Packet<'a, 'p> {
    bits: BitReader<'a>,
    config: Config,
    block: Block<'p>,
    /// The frames of the packet, once an element has told them.
    num_frames: Option<usize>,
    /// The channels that are read.
    num_read: usize,
    /// The channels whose codes come next, and the tuning of each.
    pending: std::ops::Range<usize>,
    factors: [u32; 2],
    is_ended: bool,
}

const fn malformed(what: &'static str) -> DecodeError {
    DecodeError::Packet(what)
}

impl<'a, 'p> Packet<'a, 'p> {
    /// The beginning of a packet. The block has room for its samples.
    pub(crate) fn new(bytes: &'a [u8], config: &Config, block: Block<'p>) -> Self {
        block.elements.clear();
        Self {
            bits: BitReader::at(bytes, 0),
            config: *config,
            block,
            num_frames: None,
            num_read: 0,
            pending: 0..0,
            factors: [0; 2],
            is_ended: false,
        }
    }

    /// The frames of the packet, at its end.
    pub(crate) fn num_frames(&self) -> usize {
        self.num_frames.unwrap_or(0)
    }

    /// Goes on to the codes of the next channel; false at the end of the packet.
    ///
    /// # Errors
    /// When the packet is malformed or truncated.
    pub(crate) fn advance(&mut self) -> Result<bool, DecodeError> {
        while self.pending.is_empty() {
            if self.bits.is_past_end() {
                return Err(DecodeError::Truncated);
            }
            if self.is_ended || self.num_read == self.config.num_channels as usize {
                return if self.num_read == self.config.num_channels as usize {
                    Ok(false)
                } else {
                    Err(malformed("it has fewer channels than the stream"))
                };
            }
            self.begin_element()?;
        }
        Ok(true)
    }

    /// The channel whose codes come next, to be read as a whole and given [back](Self::finish).
    pub(crate) fn channel(&mut self) -> Channel<'a, '_> {
        let number = self.pending.start;
        let num_bits = self.block.predictors.get(number).map_or(0, |predictor| predictor.num_bits);
        let first = self.block.elements.last().map_or(0, |element| element.first_channel);
        let factor = self.factors.get(number.saturating_sub(first)).copied().unwrap_or(0);
        let config = &self.config;
        let codes = Codes::new(self.bits, config.initial_history, factor, config.max_parameter, num_bits);
        let start = number * self.block.stride;
        let plane = self.block.planes.get_mut(start..start + self.num_frames.unwrap_or(0));
        Channel { codes, rest: plane.unwrap_or_default() }
    }

    /// Goes on behind the codes of the channel, at `bits`.
    pub(crate) fn finish(&mut self, bits: BitReader<'a>) {
        self.bits = bits;
        self.pending.start += 1;
    }

    fn begin_element(&mut self) -> Result<(), DecodeError> {
        match self.bits.read(3) {
            0 | 3 => self.begin_channels(1), // one channel, or that of low frequencies
            1 => self.begin_channels(2),
            4 => {
                // data
                self.bits.read(4);
                let is_aligned = self.bits.read(1) != 0;
                let mut num_bytes = self.bits.read(8);
                if num_bytes == 255 {
                    num_bytes += self.bits.read(8);
                }
                if is_aligned {
                    self.bits.align();
                }
                self.bits.skip_bytes(num_bytes as usize);
                Ok(())
            }
            6 => {
                // filling
                let mut num_bytes = self.bits.read(4);
                if num_bytes == 15 {
                    num_bytes += self.bits.read(8);
                    num_bytes -= 1;
                }
                self.bits.skip_bytes(num_bytes as usize);
                Ok(())
            }
            7 => {
                self.is_ended = true;
                Ok(())
            }
            _ => Err(DecodeError::Unsupported("an element that couples channels or describes the programme")),
        }
    }

    /// Reads what stands before the codes of one channel or two, or their samples if they are stored as they are.
    fn begin_channels(&mut self, num_channels: usize) -> Result<(), DecodeError> {
        let first = self.num_read;
        let config = self.config;
        if first + num_channels > config.num_channels as usize {
            return Err(malformed("it has more channels than the stream"));
        }
        let mut bits = self.bits;
        bits.read(4); // the number of the element
        if bits.read(12) != 0 {
            return Err(malformed("bits that must be zero are not"));
        }
        let (is_short, num_low_bytes, is_verbatim) = (bits.read(1) != 0, bits.read(2), bits.read(1) != 0);
        let num_frames = if is_short { bits.read(32) } else { config.frames_per_packet };
        if num_frames > config.frames_per_packet {
            return Err(malformed("it has more frames than a packet may have"));
        }
        let num_frames = num_frames as usize;
        if *self.num_frames.get_or_insert(num_frames) != num_frames {
            return Err(malformed("its elements have different numbers of frames"));
        }
        let num_low = if is_verbatim { 0 } else { num_low_bytes * 8 };
        let pair_bits = u32::from(num_channels == 2);
        let num_bits =
            config.bits_per_sample.checked_sub(num_low).filter(|num_bits| *num_bits > 0 && num_low < 24);
        let num_bits = num_bits.ok_or(malformed("all bits of its samples are low bits"))?;
        let mut element = Element { first_channel: first, num_channels, num_low, ..Element::default() };
        if is_verbatim {
            self.read_verbatim(&mut bits, first, num_channels, num_frames);
        } else {
            if num_bits + pair_bits > 32 {
                return Err(DecodeError::Unsupported("differences of 33 bits"));
            }
            element.mix_bits = bits.read(8);
            element.mix_weight = bits.read_signed(8);
            if element.mix_weight != 0 && element.mix_bits > 31 && num_channels == 2 {
                return Err(malformed("its channels are mixed with more than 31 bits of fraction"));
            }
            let predictors = self.block.predictors.iter_mut().skip(first).take(num_channels);
            for (predictor, factor) in predictors.zip(&mut self.factors) {
                (*predictor, *factor) =
                    read_predictor(&mut bits, num_bits + pair_bits, config.history_factor);
            }
            if num_low > 0 {
                self.read_lows(&mut bits, &element, num_frames);
            }
            self.pending = first..first + num_channels;
        }
        self.bits = bits;
        self.block.elements.push(element);
        self.num_read += num_channels;
        if num_frames == 0 {
            self.pending = 0..0;
        }
        if self.bits.is_past_end() { Err(DecodeError::Truncated) } else { Ok(()) }
    }

    fn read_verbatim(
        &mut self,
        bits: &mut BitReader<'a>,
        first: usize,
        num_channels: usize,
        num_frames: usize,
    ) {
        let depth = self.config.bits_per_sample;
        for place in 0..num_frames {
            for channel in first..first + num_channels {
                let sample = bits.read_signed(depth);
                if let Some(value) = self.block.planes.get_mut(channel * self.block.stride + place) {
                    *value = (sample << 1) ^ (sample >> 31); // folded, as all values
                }
            }
        }
        self.block
            .predictors
            .iter_mut()
            .skip(first)
            .take(num_channels)
            .for_each(|predictor| *predictor = Predictor::NONE);
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 16 bits")]
    fn read_lows(&mut self, bits: &mut BitReader<'a>, element: &Element, num_frames: usize) {
        for place in 0..num_frames {
            for channel in element.first_channel..element.first_channel + element.num_channels {
                let low = bits.read(element.num_low) as u16;
                if let Some(to) = self.block.lows.get_mut(channel * self.block.stride + place) {
                    *to = low;
                }
            }
        }
    }
}

/// A predictor, and how fast the mean of its residuals follows them.
fn read_predictor(bits: &mut BitReader<'_>, num_bits: u32, history_factor: u32) -> (Predictor, u32) {
    let is_twofold = bits.read(4) != 0;
    let shift = bits.read(4);
    let factor = history_factor * bits.read(3) / 4;
    let order = bits.read(5) as usize;
    let mut predictor = Predictor { order, shift, is_twofold, num_bits, ..Predictor::NONE };
    for coefficient in predictor.coefficients.iter_mut().take(order) {
        *coefficient = bits.read_signed(16);
    }
    (predictor, factor)
}
