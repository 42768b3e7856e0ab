//! Coupling channels, which are added to others (ISO/IEC 14496-3, 4.4.2.1 and 4.6.8.3: coupling_channel_element).

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::bands::Bands;
use crate::error::DecodeError;
use crate::huffman::read_difference;
use crate::lines::{Lines, MAX_LINES};
use crate::math;
use crate::side::{Channel, MAX_BANDS, ZERO};

/// The most elements that a channel is added to, and the most lists of gains.
const MAX_TARGETS: usize = 8;
const MAX_LISTS: usize = 2 * MAX_TARGETS;

/// Where a channel is added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Point {
    #[default]
    BeforeShaping,
    AfterShaping,
    /// To the samples. The channel has windows of its own.
    Samples,
}

/// What a channel is added to, and with which list of gains each channel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target {
    pub(crate) is_pair: bool,
    pub(crate) tag: u8,
    pub(crate) lists: [Option<u8>; 2],
}

/// A coupling channel.
#[derive(Clone, Debug)]
pub(crate) struct Coupling {
    pub(crate) tag: u8,
    pub(crate) point: Point,
    targets: [Target; MAX_TARGETS],
    num_targets: usize,
    num_lists: usize,
    /// Whether gains have signs, and how many eighths of an octave they step.
    has_signs: bool,
    step: u32,
    pub(crate) channel: Channel,
    pub(crate) lines: Lines,
    /// The gain of each band, or that of all.
    pub(crate) gains: Box<[[f32; MAX_BANDS]; MAX_LISTS]>,
}

impl Default for Coupling {
    fn default() -> Self {
        Self {
            tag: 0,
            point: Point::default(),
            targets: [Target::default(); MAX_TARGETS],
            num_targets: 0,
            num_lists: 0,
            has_signs: false,
            step: 0,
            channel: Channel::default(),
            lines: [0.0; MAX_LINES],
            gains: Box::new([[0.0; MAX_BANDS]; MAX_LISTS]),
        }
    }
}

impl Coupling {
    pub(crate) fn targets(&self) -> &[Target] {
        self.targets.get(..self.num_targets).unwrap_or_default()
    }

    /// Reads what stands before the lines.
    #[expect(clippy::cast_possible_truncation, reason = "fields of few bits, and at most sixteen lists")]
    pub(crate) fn read(&mut self, bits: &mut BitReader<'_>, bands: &[Bands; 2]) -> Result<(), DecodeError> {
        self.tag = bits.read(4) as u8;
        let is_independent = bits.read(1) != 0;
        self.num_targets = bits.read(3) as usize + 1;
        self.num_lists = 0;
        let mut next = || {
            self.num_lists += 1;
            Some(self.num_lists as u8 - 1)
        };
        for target in self.targets.iter_mut().take(self.num_targets) {
            let is_pair = bits.read(1) != 0;
            let tag = bits.read(4) as u8;
            let lists = match if is_pair { bits.read(2) } else { 2 } {
                0 => [next(); 2], // both have one list
                1 => [None, next()],
                2 => [next(), None],
                _ => [next(), next()],
            };
            *target = Target { is_pair, tag, lists };
        }
        let is_after_shaping = bits.read(1) != 0;
        self.point = match (is_independent, is_after_shaping) {
            (true, _) => Point::Samples,
            (false, true) => Point::AfterShaping,
            (false, false) => Point::BeforeShaping,
        };
        self.has_signs = bits.read(1) != 0;
        self.step = bits.read(2);
        self.channel.read(bits, None, bands)
    }

    /// Reads the gains, which follow the lines. The first list is all ones.
    pub(crate) fn read_gains(&mut self, bits: &mut BitReader<'_>) {
        let num_bands = self.channel.windows.num_bands * self.channel.windows.num_groups;
        let books = self.channel.books.get(..num_bands).unwrap_or_default();
        for (number, gains) in self.gains.iter_mut().enumerate().take(self.num_lists) {
            let is_common = number == 0 || self.point == Point::Samples || bits.read(1) != 0;
            if is_common {
                let exponent = if number == 0 { 0 } else { read_difference(bits) };
                gains.fill(gain(self.step, exponent));
                continue;
            }
            let mut exponent = 0;
            for (gain_of_band, _) in gains.iter_mut().zip(books).filter(|(_, book)| **book != ZERO) {
                exponent += read_difference(bits);
                let is_negative = self.has_signs && exponent & 1 != 0;
                let value = gain(self.step, if self.has_signs { exponent >> 1 } else { exponent });
                *gain_of_band = if is_negative { -value } else { value };
            }
        }
    }
}

/// 2 to the power of minus so many steps of 1/8, 1/4, 1/2 or 1 octave.
#[expect(clippy::cast_possible_truncation, reason = "to the precision of lines")]
fn gain(step: u32, exponent: i32) -> f32 {
    let eighths = (-exponent << step).clamp(-800, 800);
    let root = math::sqrt(math::exp2_quarters(1));
    let half = if eighths.rem_euclid(2) == 1 { root } else { 1.0 };
    (math::exp2_quarters(eighths.div_euclid(2)) * half) as f32
}
