//! A FLAC frame that is being read (section 9.2).
//!
//! Everything but runs of Rice codes is read here, at once. Where such a run comes next, the cursor stops, so that `rice` can
//! read it together with that of another FLAC frame.

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use super::error::DecodeError;
use super::frame_header::{Decorrelation, FrameHeader};
use super::predictor::{Predictor, fold};

/// One channel of a FLAC frame, apart from its values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subframe {
    pub(super) predictor: Predictor,
    /// The bits by which samples are shifted left.
    pub(super) wasted: u32,
    /// Whether the samples are in the wide plane: the first `order`, or all when there is no predictor.
    pub(super) is_wide: bool,
    /// Whether residuals follow the first samples.
    pub(super) is_predicted: bool,
}

impl Subframe {
    /// Nothing but zeros.
    pub(super) const NONE: Self =
        Self { predictor: Predictor::NONE, wasted: 0, is_wide: false, is_predicted: false };
}

/// What a FLAC frame is read into.
#[derive(Debug)]
pub(super) struct Block<'a> {
    /// One plane for each channel, `stride` values apart.
    pub(super) planes: &'a mut [i32],
    pub(super) stride: usize,
    /// One for each channel.
    pub(super) subframes: &'a mut [Subframe],
    /// For a difference of 33 bits.
    pub(super) wide: &'a mut Vec<i64>,
}

/// A position in a FLAC frame.
pub(super) struct Cursor<'a> {
    pub(super) bits: BitReader<'a>,
    block: Block<'a>,
    block_size: usize,
    bits_per_sample: u32,
    decorrelation: Decorrelation,
    num_channels: usize,
    /// The channels that have begun.
    num_begun: usize,
    /// The next value of the channel to be read, and where the partition and the subframe end.
    at: usize,
    run_end: usize,
    end: usize,
    /// The parameter of the partition's Rice codes.
    pub(super) parameter: u32,
    parameter_bits: u32,
    partition_size: usize,
}

const PAST_END: DecodeError = DecodeError::Truncated;

fn malformed(what: &'static str) -> DecodeError {
    DecodeError::Subframe(what)
}

impl<'a> Cursor<'a> {
    /// A position behind the header of the FLAC frame in `bytes`. The block has room for its samples.
    pub(super) fn new(bytes: &'a [u8], header: &FrameHeader, bits_per_sample: u32, block: Block<'a>) -> Self {
        Self {
            bits: BitReader::at(bytes, header.num_bytes),
            block,
            block_size: header.block_size as usize,
            bits_per_sample,
            decorrelation: header.decorrelation,
            num_channels: header.num_channels as usize,
            num_begun: 0,
            at: 0,
            run_end: 0,
            end: 0,
            parameter: 0,
            parameter_bits: 4,
            partition_size: 0,
        }
    }

    /// The values of the channel that was begun last.
    #[inline(always)]
    fn plane(&mut self) -> Result<&mut [i32], DecodeError> {
        let start = self.num_begun.saturating_sub(1) * self.block.stride;
        let plane = self.block.planes.get_mut(start..start + self.block_size);
        plane.ok_or(malformed("there is no room for its samples"))
    }

    /// The number of Rice codes that come next, after whatever else does; 0 at the end of the FLAC frame.
    ///
    /// # Errors
    /// When the FLAC frame is malformed or truncated.
    pub(super) fn advance(&mut self) -> Result<usize, DecodeError> {
        while self.at >= self.run_end {
            if self.bits.is_past_end() {
                return Err(PAST_END);
            }
            if self.at < self.end {
                self.begin_partition(self.partition_size)?;
            } else if self.num_begun < self.num_channels {
                self.num_begun += 1;
                self.begin_subframe()?;
            } else {
                return Ok(0);
            }
        }
        Ok(self.run_end - self.at)
    }

    /// The bits, and the next `num_codes` values of the run, which the caller reads.
    ///
    /// # Panics
    /// Never, when the run has as many.
    #[inline(always)]
    pub(super) fn run(&mut self, num_codes: usize) -> (&mut BitReader<'a>, &mut [i32]) {
        let start = self.num_begun.saturating_sub(1) * self.block.stride + self.at;
        self.at += num_codes;
        let values = self.block.planes.get_mut(start..start + num_codes);
        (&mut self.bits, values.unwrap_or_default())
    }

    /// Where the FLAC frame ends, its checksum of two bytes included; at the end of its subframes.
    pub(super) fn end(&self) -> usize {
        self.bits.byte_position().saturating_add(2)
    }

    fn begin_partition(&mut self, num_values: usize) -> Result<(), DecodeError> {
        self.run_end = self.at + num_values;
        if self.run_end > self.end {
            return Err(malformed("its partitions are larger than the block"));
        }
        self.parameter = self.bits.read(self.parameter_bits);
        if self.parameter + 1 == 1 << self.parameter_bits {
            // Escaped: residuals of a fixed size (section 9.2.7.1).
            let num_bits = self.bits.read(5);
            let (mut bits, at, run_end) = (self.bits, self.at, self.run_end);
            for value in self.plane()?.get_mut(at..run_end).unwrap_or_default() {
                *value = fold(bits.read_signed(num_bits));
            }
            (self.bits, self.at) = (bits, run_end);
        }
        Ok(())
    }

    fn begin_subframe(&mut self) -> Result<(), DecodeError> {
        let channel = self.num_begun.saturating_sub(1);
        let block_size = self.block_size;
        (self.at, self.run_end, self.end) = (block_size, block_size, block_size);
        let mut bits = self.bits;
        let header = bits.read(8);
        let wasted = if header & 1 != 0 { bits.read_unary().saturating_add(1) } else { 0 };
        let is_side = self.decorrelation.side_channel() == u32::try_from(channel).ok();
        let depth =
            (self.bits_per_sample + u32::from(is_side)).checked_sub(wasted).filter(|depth| *depth > 0);
        let depth = depth.ok_or(malformed("all of its bits are wasted"))?;
        let is_wide = is_side && self.bits_per_sample == 32;
        let mut subframe = Subframe { wasted, is_wide, ..Subframe::NONE };
        if is_wide {
            let wide = &mut self.block.wide;
            wide.clear();
            wide.try_reserve(block_size).map_err(|_| DecodeError::Memory)?;
            wide.resize(block_size, 0);
        }
        let num_first = match header >> 1 {
            0 => 1, // one sample for all
            1 => block_size,
            kind @ 8..=12 => {
                subframe.predictor = Predictor::fixed(kind as usize - 8);
                kind as usize - 8
            }
            kind @ 32..=63 => kind as usize - 31,
            _ => return Err(malformed("its type is reserved")),
        };
        if num_first > block_size {
            return Err(malformed("its predictor looks back further than the block is long"));
        }
        if is_wide {
            for sample in self.block.wide.iter_mut().take(num_first) {
                *sample = bits.read_signed_wide(depth);
            }
        } else {
            for value in self.plane()?.iter_mut().take(num_first) {
                *value = fold(bits.read_signed(depth));
            }
        }
        match header >> 1 {
            0 if is_wide => {
                let sample = self.block.wide.first().copied().unwrap_or(0);
                self.block.wide.fill(sample);
            }
            0 => {
                let plane = self.plane()?;
                let value = plane.first().copied().unwrap_or(0);
                plane.fill(value);
            }
            1 => {}
            kind => {
                if kind >= 32 {
                    read_coefficients(&mut bits, &mut subframe.predictor, num_first)?;
                }
                subframe.is_predicted = true;
                self.begin_residual(&mut bits, num_first)?;
            }
        }
        self.bits = bits;
        if let Some(to) = self.block.subframes.get_mut(channel) {
            *to = subframe;
        }
        if subframe.is_predicted {
            self.begin_partition(self.partition_size - num_first)?;
        }
        Ok(())
    }

    fn begin_residual(&mut self, bits: &mut BitReader<'_>, order: usize) -> Result<(), DecodeError> {
        self.parameter_bits = match bits.read(2) {
            0 => 4,
            1 => 5,
            _ => return Err(malformed("its residual has a reserved coding method")),
        };
        let partition_order = bits.read(4);
        self.partition_size = self.block_size >> partition_order;
        if self.partition_size << partition_order != self.block_size || self.partition_size < order {
            return Err(malformed("its partitions do not divide the block"));
        }
        self.at = order;
        Ok(())
    }
}

/// The parameters of a linear predictor (section 9.2.6).
fn read_coefficients(
    bits: &mut BitReader<'_>,
    predictor: &mut Predictor,
    order: usize,
) -> Result<(), DecodeError> {
    let precision = bits.read(4) + 1;
    let shift = bits.read_signed(5);
    if precision == 16 {
        return Err(malformed("the precision of its coefficients is reserved"));
    }
    predictor.shift =
        u32::try_from(shift).map_err(|_| malformed("its coefficients have a negative shift"))?;
    predictor.order = order;
    for coefficient in predictor.coefficients.iter_mut().take(order) {
        *coefficient = bits.read_signed(precision);
    }
    Ok(())
}
