//! Runs of Rice codes (section 9.2.7.2), of one FLAC frame or of two at once.
//!
//! A code is a number in unary, that many zeros and a one, and `parameter` low bits. The reader's register holds at least 56
//! valid bits after a refill, so several usual codes are read between two. One test per code detects those that are not
//! usual, because the bits run out or the number is large; they are read slowly.

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use super::cursor::Cursor;
use super::error::DecodeError;

/// Reads one FLAC frame or two, up to their checksums.
///
/// # Errors
/// When one is malformed or truncated.
#[inline(always)]
pub(super) fn read(first: &mut Cursor<'_>, second: Option<&mut Cursor<'_>>) -> Result<(), DecodeError> {
    if let Some(second) = second {
        loop {
            let (num_first, num_second) = (first.advance()?, second.advance()?);
            if num_first == 0 || num_second == 0 {
                break;
            }
            read_two(first, second, num_first.min(num_second));
        }
        read_rest(second)?;
    }
    read_rest(first)
}

#[inline(always)]
fn read_rest(cursor: &mut Cursor<'_>) -> Result<(), DecodeError> {
    loop {
        let num_codes = cursor.advance()?;
        if num_codes == 0 {
            return Ok(());
        }
        let parameter = cursor.parameter;
        let (bits, values) = cursor.run(num_codes);
        match parameter {
            0..=2 => read_run::<8>(bits, values, parameter),
            3..=6 => read_run::<5>(bits, values, parameter),
            7..=9 => read_run::<4>(bits, values, parameter),
            10..=14 => read_run::<3>(bits, values, parameter),
            15..=20 => read_run::<2>(bits, values, parameter),
            _ => read_run::<1>(bits, values, parameter),
        }
    }
}

#[inline(always)]
fn read_two(first: &mut Cursor<'_>, second: &mut Cursor<'_>, num_codes: usize) {
    let parameters = (first.parameter, second.parameter);
    let (first, second) = (first.run(num_codes), second.run(num_codes));
    match parameters.0.max(parameters.1) {
        0..=2 => read_two_runs::<8>(first, second, parameters),
        3..=6 => read_two_runs::<5>(first, second, parameters),
        7..=9 => read_two_runs::<4>(first, second, parameters),
        10..=14 => read_two_runs::<3>(first, second, parameters),
        15..=20 => read_two_runs::<2>(first, second, parameters),
        _ => read_two_runs::<1>(first, second, parameters),
    }
}

/// Reads a run, `CODES` codes for each refill.
#[inline(always)]
fn read_run<const CODES: usize>(bits: &mut BitReader<'_>, values: &mut [i32], parameter: u32) {
    let mut codes = Codes::new(bits, parameter);
    let (groups, rest) = values.as_chunks_mut::<CODES>();
    for group in groups {
        codes.bits.refill();
        for value in group {
            *value = codes.next();
        }
    }
    for value in rest {
        codes.bits.refill();
        *value = codes.next();
    }
    *bits = codes.bits;
}

/// Reads two runs of one length in turn.
#[inline(always)]
fn read_two_runs<const CODES: usize>(
    first: (&mut BitReader<'_>, &mut [i32]),
    second: (&mut BitReader<'_>, &mut [i32]),
    parameters: (u32, u32),
) {
    let (mut one, mut two) = (Codes::new(first.0, parameters.0), Codes::new(second.0, parameters.1));
    let (groups, rest) = first.1.as_chunks_mut::<CODES>();
    let (other_groups, other_rest) = second.1.as_chunks_mut::<CODES>();
    for (group, other_group) in groups.iter_mut().zip(other_groups) {
        one.bits.refill();
        two.bits.refill();
        for (value, other_value) in group.iter_mut().zip(other_group) {
            *value = one.next();
            *other_value = two.next();
        }
    }
    for (value, other_value) in rest.iter_mut().zip(other_rest) {
        one.bits.refill();
        two.bits.refill();
        *value = one.next();
        *other_value = two.next();
    }
    (*first.0, *second.0) = (one.bits, two.bits);
}

/// Codes of one parameter, 0 to 30.
struct Codes<'a> {
    bits: BitReader<'a>,
    parameter: u32,
    /// What the one in front of the low bits counts.
    one: u32,
}

impl<'a> Codes<'a> {
    #[inline(always)]
    fn new(bits: &BitReader<'a>, parameter: u32) -> Self {
        let parameter = parameter & 31;
        Self { bits: *bits, parameter, one: 1 << parameter }
    }

    /// The next code, modulo 2^32.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the one and the low bits are at most 32")]
    fn next(&mut self) -> i32 {
        let number = self.bits.buffer.leading_zeros();
        let num_bits = number + self.parameter + 1;
        if num_bits > self.bits.count {
            let (value, bits) = read_slowly(self.bits, self.parameter);
            self.bits = bits;
            return value;
        }
        let low = (self.bits.buffer << (number & 63) >> (63 - self.parameter)) as u32;
        self.bits.buffer <<= num_bits & 63;
        self.bits.count -= num_bits;
        (number << self.parameter).wrapping_add(low).wrapping_sub(self.one).cast_signed()
    }
}

#[cold]
#[inline(never)]
fn read_slowly(mut bits: BitReader<'_>, parameter: u32) -> (i32, BitReader<'_>) {
    let number = bits.read_unary();
    ((number << parameter | bits.read(parameter)).cast_signed(), bits)
}
