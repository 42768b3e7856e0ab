//! Adaptive Golomb codes (Apple's ag_dec.c, `dyn_decomp`).
//!
//! A code is a number in unary, of ones up to a zero, and some low bits, as many as fit the mean of the values before it. Nine
//! ones announce a value as it is. Where the mean is small, a code of the number of zeros that follow comes as well.
//!
//! Each code waits for the one before it, and so does the mean. Two channels, of two packets, are read in one loop, so that
//! one chain goes on while the other waits. That loop is for *usual* means, which announce neither zeros nor long codes;
//! everything else is read one by one.

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::error::DecodeError;

/// The ones that announce a value as it is ("MAX_PREFIX_32").
const ESCAPE: u32 = 9;
/// Below this mean, there is a code of the number of zeros that follow.
const LEAST_USUAL: u32 = 128;
/// From this mean on, codes may be longer than half a register. Below it a code has at most 12 low bits, and no value but an
/// escaped one is above [`GREATEST`].
const MOST_USUAL: u32 = 1 << 21;
/// What the mean becomes after a greater value ("N_MAX_MEAN_CLAMP").
const GREATEST: u32 = 0xFFFF;
/// The parameter of usual codes is at most this, so it needs no comparison with the stream's limit.
const MAX_USUAL_PARAMETER: u32 = 12;

/// The codes of a channel. Values are folded: 0, -1, 1, -2 are 0, 1, 2, 3.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codes<'a> {
    pub(crate) bits: BitReader<'a>,
    /// 512 times the mean of the values, more or less.
    mean: u32,
    /// How fast it follows.
    factor: u32,
    /// The most low bits of a code.
    max_parameter: u32,
    /// The bits of an escaped value.
    escaped_bits: u32,
    /// 1 after a run of zeros, which no zero follows; then values are one less.
    offset: u32,
}

impl<'a> Codes<'a> {
    pub(crate) fn new(
        bits: BitReader<'a>,
        mean: u32,
        factor: u32,
        max_parameter: u32,
        escaped_bits: u32,
    ) -> Self {
        Self { bits, mean, factor, max_parameter, escaped_bits, offset: 0 }
    }

    #[inline(always)]
    fn is_usual(&self) -> bool {
        self.mean.wrapping_sub(LEAST_USUAL) < MOST_USUAL - LEAST_USUAL
    }

    /// Whether the loop of usual codes may begin.
    #[inline(always)]
    fn may_be_fast(&self) -> bool {
        self.is_usual() && self.offset == 0 && self.max_parameter >= MAX_USUAL_PARAMETER
    }

    /// A code of at most `parameter` low bits, without the offset. At least 56 bits are valid unless two usual codes are read
    /// for each refill.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "low bits are at most 31")]
    fn code(&mut self, parameter: u32) -> Option<u32> {
        let ones = (!self.bits.buffer).leading_zeros();
        if ones >= ESCAPE {
            return None;
        }
        let low = (self.bits.buffer << 1 << ones >> 1 >> (63 - parameter)) as u32;
        let is_whole = u32::from(low >= 2); // of the two smallest low parts, the last bit is left out
        let num_bits = ones + parameter + is_whole;
        self.bits.buffer <<= num_bits;
        self.bits.count -= num_bits;
        Some((ones << parameter).wrapping_sub(ones).wrapping_add(low.max(1) - 1))
    }

    /// The next usual code and the mean after it.
    #[inline(always)]
    fn next_usual(&mut self) -> i32 {
        let decayed = self.mean - ((self.factor.wrapping_mul(self.mean)) >> 9);
        let parameter = 31 - ((self.mean >> 9) + 3).leading_zeros();
        let Some(value) = self.code(parameter) else {
            let (value, bits) = escaped(self.bits, self.escaped_bits);
            self.bits = bits;
            self.mean = if value > GREATEST {
                GREATEST
            } else {
                self.factor.wrapping_mul(value).wrapping_add(decayed)
            };
            return value.cast_signed();
        };
        self.mean = self.factor.wrapping_mul(value).wrapping_add(decayed);
        value.cast_signed()
    }

    /// The next code, whatever it is.
    #[cold]
    #[inline(never)]
    fn next_any(&mut self) -> i32 {
        self.bits.refill();
        let parameter = (31 - ((self.mean >> 9) + 3).leading_zeros()).min(self.max_parameter);
        let value = self.code(parameter).unwrap_or_else(|| {
            let (value, bits) = escaped(self.bits, self.escaped_bits);
            self.bits = bits;
            value
        });
        let folded = value.wrapping_add(self.offset);
        let decayed = self.mean.wrapping_sub(self.factor.wrapping_mul(self.mean) >> 9);
        self.mean = self.factor.wrapping_mul(folded).wrapping_add(decayed);
        if value > GREATEST {
            self.mean = GREATEST;
        }
        self.offset = 0;
        folded.cast_signed()
    }

    /// After a code: the run of zeros that the mean may announce before `rest`. Returns their number.
    #[inline(always)]
    fn zeros(&mut self, rest: &mut [i32]) -> Result<usize, DecodeError> {
        if self.mean >= LEAST_USUAL || rest.is_empty() { Ok(0) } else { self.announced_zeros(rest) }
    }

    #[cold]
    #[inline(never)]
    fn announced_zeros(&mut self, rest: &mut [i32]) -> Result<usize, DecodeError> {
        let num_zeros = self.num_zeros() as usize;
        let zeros = rest.get_mut(..num_zeros);
        zeros.ok_or(DecodeError::Packet("a run of zeros is longer than the packet"))?.fill(0);
        self.mean = 0;
        self.offset = u32::from(num_zeros < GREATEST as usize);
        Ok(num_zeros)
    }

    /// The number of zeros that follow (`dyn_get`).
    fn num_zeros(&mut self) -> u32 {
        self.bits.refill();
        let num_low = (self.mean.leading_zeros() + ((self.mean + 16) >> 6)).saturating_sub(24);
        let step = ((1_u32 << num_low) - 1) & ((1 << self.max_parameter) - 1);
        let ones = (!self.bits.buffer).leading_zeros();
        if ones >= ESCAPE {
            self.bits.buffer <<= ESCAPE;
            self.bits.count -= ESCAPE;
            return self.bits.read(16);
        }
        self.bits.buffer = self.bits.buffer << ones << 1;
        self.bits.count -= ones + 1;
        let mut ahead = self.bits;
        let low = ahead.read(num_low);
        let num_read = if low >= 2 { num_low } else { num_low.saturating_sub(1) };
        self.bits.read(num_read);
        ones * step + low.max(1) - 1
    }

    /// Reads codes one by one, at least one, and the run of zeros after the last. Returns the number of values.
    #[inline(always)]
    fn read_some(&mut self, values: &mut [i32]) -> Result<usize, DecodeError> {
        let mut num_read = 0;
        if self.may_be_fast() {
            for value in &mut *values {
                self.bits.refill();
                *value = self.next_usual();
                num_read += 1;
                if !self.is_usual() {
                    break;
                }
            }
        } else if let Some(value) = values.first_mut() {
            *value = self.next_any();
            num_read = 1;
        }
        Ok(num_read + self.zeros(values.get_mut(num_read..).unwrap_or_default())?)
    }

    /// As [`read_some`](Self::read_some), one code only.
    fn read_one(&mut self, values: &mut [i32]) -> Result<usize, DecodeError> {
        let Some((value, rest)) = values.split_first_mut() else { return Ok(0) };
        *value = self.next_any();
        Ok(1 + self.zeros(rest)?)
    }
}

/// A channel that is being read.
#[derive(Debug)]
pub(crate) struct Channel<'a, 'p> {
    pub(crate) codes: Codes<'a>,
    /// The values that are still to be read.
    pub(crate) rest: &'p mut [i32],
}

impl Channel<'_, '_> {
    #[inline(always)]
    fn pass(&mut self, num_read: usize) {
        self.rest = std::mem::take(&mut self.rest).get_mut(num_read..).unwrap_or_default();
    }

    /// After codes: passes the run of zeros that the mean may announce.
    #[inline(always)]
    fn pass_zeros(&mut self) -> Result<(), DecodeError> {
        let num_zeros = self.codes.zeros(self.rest)?;
        self.pass(num_zeros);
        Ok(())
    }
}

/// Reads all values of one channel.
///
/// # Errors
/// When the codes violate the format.
#[inline(always)]
pub(crate) fn read(channel: &mut Channel<'_, '_>) -> Result<(), DecodeError> {
    while !channel.rest.is_empty() {
        let num_read = channel.codes.read_some(channel.rest)?;
        channel.pass(num_read);
    }
    Ok(())
}

/// Reads two channels in turn, until one is complete.
///
/// # Errors
/// When the codes of either violate the format.
#[inline(always)]
pub(crate) fn read_two(first: &mut Channel<'_, '_>, second: &mut Channel<'_, '_>) -> Result<(), DecodeError> {
    while !first.rest.is_empty() && !second.rest.is_empty() {
        // The loop below reads codes by twos.
        if !first.codes.may_be_fast() || first.rest.len() == 1 {
            let num_read = first.codes.read_one(first.rest)?;
            first.pass(num_read);
            continue;
        }
        if !second.codes.may_be_fast() || second.rest.len() == 1 {
            let num_read = second.codes.read_one(second.rest)?;
            second.pass(num_read);
            continue;
        }
        let (mut one, mut two) = (first.codes, second.codes);
        let pairs = first.rest.as_chunks_mut::<2>().0.iter_mut().zip(second.rest.as_chunks_mut::<2>().0);
        let mut num_read = 0;
        for ([first, next_first], [second, next_second]) in pairs {
            // A usual code takes at most 21 bits, and an escaped one refills: one refill does for two.
            one.bits.refill();
            *first = one.next_usual();
            two.bits.refill();
            *second = two.next_usual();
            num_read += 1;
            if !(one.is_usual() & two.is_usual()) {
                break;
            }
            *next_first = one.next_usual();
            *next_second = two.next_usual();
            num_read += 1;
            if !(one.is_usual() & two.is_usual()) {
                break;
            }
        }
        (first.codes, second.codes) = (one, two);
        first.pass(num_read);
        first.pass_zeros()?;
        second.pass(num_read);
        second.pass_zeros()?;
    }
    Ok(())
}

#[cold]
#[inline(never)]
#[expect(clippy::cast_possible_truncation, reason = "the values have at most 32 bits")]
fn escaped(mut bits: BitReader<'_>, num_bits: u32) -> (u32, BitReader<'_>) {
    bits.refill();
    bits.buffer <<= ESCAPE;
    bits.count -= ESCAPE;
    let value = bits.read_wide(num_bits) as u32;
    bits.refill();
    (value, bits)
}
