//! Adaptive Golomb codes (Apple's ag_enc.c, `dyn_comp`). The [reading side](crate::golomb) explains them.

#![forbid(unsafe_code)]

use super::bit_writer::BitWriter;
use crate::config::Config;

/// Nine ones announce a value as it is.
const ESCAPE: u32 = 9;
/// Below this mean, a code of the number of zeros that follow comes as well.
const LEAST_USUAL: u32 = 128;
/// What the mean becomes after a greater value, and the longest run of zeros.
const GREATEST: u32 = 0xffff;

/// Writes a channel's residuals, of as many bits, at the usual pace of the mean.
pub(crate) fn write(bits: &mut BitWriter, residuals: &[i32], config: &Config, num_bits: u32) {
    let mut mean = config.initial_history;
    let mut offset = 0;
    let mut rest = residuals.iter();
    while let Some(residual) = rest.next() {
        let parameter = (31 - ((mean >> 9) + 3).leading_zeros()).min(config.max_parameter);
        let folded = (residual.cast_unsigned() << 1) ^ (residual >> 31).cast_unsigned();
        let value = folded - offset;
        write_code(bits, value, parameter, (1 << parameter) - 1, num_bits);
        let decayed = mean - ((config.history_factor * mean) >> 9);
        mean = config.history_factor.wrapping_mul(folded).wrapping_add(decayed);
        if value > GREATEST {
            mean = GREATEST;
        }
        offset = 0;
        if mean < LEAST_USUAL && !rest.as_slice().is_empty() {
            let is_zero = |residual: &&i32| **residual == 0;
            let num_zeros = rest.as_slice().iter().take(GREATEST as usize).take_while(is_zero).count();
            rest = rest.as_slice().get(num_zeros..).unwrap_or_default().iter();
            #[expect(clippy::cast_possible_truncation, reason = "at most 65535")]
            let num_zeros = num_zeros as u32;
            let parameter = mean.leading_zeros() + ((mean + 16) >> 6) - 24;
            let step = ((1 << parameter) - 1) & ((1 << config.max_parameter) - 1);
            write_code(bits, num_zeros, parameter, step, 16);
            offset = u32::from(num_zeros < GREATEST);
            mean = 0;
        }
    }
}

/// Writes a value as a number of steps in unary and a rest, or as it is.
#[inline(always)]
fn write_code(bits: &mut BitWriter, value: u32, parameter: u32, step: u32, escaped_bits: u32) {
    let (ones, rest) = (value / step, value % step);
    if ones >= ESCAPE {
        bits.write((1 << ESCAPE) - 1, ESCAPE);
        bits.write(value, escaped_bits);
        return;
    }
    bits.write(((1 << ones) - 1) << 1, ones + 1);
    // A rest of nothing is one bit shorter: its bits are zeros, and the next one after them belongs to what follows.
    if rest == 0 {
        bits.write(0, parameter - 1);
    } else {
        bits.write(rest + 1, parameter);
    }
}
