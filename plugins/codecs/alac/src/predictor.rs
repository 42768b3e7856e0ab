//! Residuals to samples (Apple's dp_dec.c, `unpc_block`).
//!
//! A sample is predicted from those before it, as they differ from the one `order + 1` back. After each, the coefficients
//! whose products went the wrong way are moved by one, from the oldest sample on, until what they moved makes up for the
//! residual. Coefficients are integers of 16 bits and wrap, samples are as many bits as the channel has, sums wrap at 32.

#![forbid(unsafe_code)]

/// The channels that are restored at a time.
pub(crate) const NUM_LANES: usize = 8;

/// The most coefficients of a predictor.
pub(crate) const MAX_ORDER: usize = 32;

/// The most coefficients of a predictor that vectors apply.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) const MAX_VECTOR_ORDER: usize = 8;

/// The values before the first that vectors restore: as many as any such predictor looks back on, in whole groups.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) const NUM_FIRST: usize = 16;

/// The order that stands for the difference to the sample before, without coefficients.
const DIFFERENCE: usize = 31;

/// What a channel is restored with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Predictor {
    /// The number of coefficients, 0 to 31.
    pub(crate) order: usize,
    /// The sum of products is shifted right by so many bits, 0 to 15.
    pub(crate) shift: u32,
    /// Whether the residuals are predicted from the one before first.
    pub(crate) is_twofold: bool,
    /// The bits of the channel's samples, 1 to 32.
    pub(crate) num_bits: u32,
    /// The weight of the sample before, of that before it, and so on.
    pub(crate) coefficients: [i32; MAX_ORDER],
}

impl Predictor {
    /// Values are samples, not residuals.
    pub(crate) const NONE: Self =
        Self { order: 0, shift: 0, is_twofold: false, num_bits: 32, coefficients: [0; MAX_ORDER] };

    /// Whether vectors restore a channel as the scalar function does.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    pub(crate) fn suits_vectors(&self, num_values: usize) -> bool {
        !self.is_twofold
            && (1..=MAX_VECTOR_ORDER).contains(&self.order)
            && self.num_bits <= 30
            && self.is_calm(num_values)
    }

    /// The coefficients can move by one with each of `num_values` and not wrap.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn is_calm(&self, num_values: usize) -> bool {
        let greatest =
            self.coefficients.iter().map(|coefficient| coefficient.unsigned_abs()).max().unwrap_or(0);
        greatest as usize + num_values <= 0x7FFF
    }
}

#[inline(always)]
pub(crate) fn unfold(folded: i32) -> i32 {
    (folded.cast_unsigned() >> 1).cast_signed() ^ -(folded & 1)
}

/// The lowest `num_bits` bits, in two's complement.
#[inline(always)]
pub(crate) fn wrap(value: i32, num_bits: u32) -> i32 {
    value << (32 - num_bits) >> (32 - num_bits)
}

/// Restores a channel of folded residuals.
pub(crate) fn restore(plane: &mut [i32], predictor: &mut Predictor) {
    plane.iter_mut().for_each(|value| *value = unfold(*value));
    if predictor.is_twofold {
        add_up(plane, predictor.num_bits);
    }
    match predictor.order {
        0 => {}
        DIFFERENCE => add_up(plane, predictor.num_bits),
        4 => predict::<4>(plane, predictor),
        5 => predict::<5>(plane, predictor),
        6 => predict::<6>(plane, predictor),
        8 => predict::<8>(plane, predictor),
        _ => predict_any(plane, predictor),
    }
}

/// Adds each value to the one before it.
fn add_up(plane: &mut [i32], num_bits: u32) {
    let mut before = None;
    for value in plane {
        *value = before.map_or(*value, |before: i32| wrap(before.wrapping_add(*value), num_bits));
        before = Some(*value);
    }
}

/// As [`predict_any`] with a number of coefficients that the compiler knows.
fn predict<const ORDER: usize>(plane: &mut [i32], predictor: &mut Predictor) {
    let (first, _) = plane.split_at_mut((ORDER + 1).min(plane.len()));
    add_up(first, predictor.num_bits);
    let Predictor { shift, num_bits, ref mut coefficients, .. } = *predictor;
    let Some(coefficients) = coefficients.first_chunk_mut::<ORDER>() else { return };
    for place in ORDER + 1..plane.len() {
        let Some((before, [value, ..])) = plane.split_at_mut_checked(place) else { return };
        let Some((far, near)) = before.split_last_chunk::<ORDER>() else { return };
        let Some(oldest) = far.last() else { return };
        *value = step(*value, *oldest, near, coefficients, shift, num_bits);
    }
}

/// Restores a channel by a predictor of any number of coefficients, of values that are not folded.
fn predict_any(plane: &mut [i32], predictor: &mut Predictor) {
    let order = predictor.order;
    let (first, _) = plane.split_at_mut((order + 1).min(plane.len()));
    add_up(first, predictor.num_bits);
    let Predictor { shift, num_bits, ref mut coefficients, .. } = *predictor;
    let Some(coefficients) = coefficients.get_mut(..order) else { return };
    for place in order + 1..plane.len() {
        let Some((before, [value, ..])) = plane.split_at_mut_checked(place) else { return };
        let Some((oldest, near)) = before.get(place - order - 1..).and_then(|window| window.split_first())
        else {
            return;
        };
        *value = step(*value, *oldest, near, coefficients, shift, num_bits);
    }
}

/// The sample of a residual, and what the coefficients learn from it. `near` has the samples before, the last one last.
#[inline(always)]
fn step(
    residual: i32,
    oldest: i32,
    near: &[i32],
    coefficients: &mut [i32],
    shift: u32,
    num_bits: u32,
) -> i32 {
    let predicted = expected(oldest, near, coefficients, shift);
    learn(residual, oldest, near, coefficients, shift);
    wrap(residual.wrapping_add(predicted), num_bits)
}

/// What the samples before let expect.
#[inline(always)]
pub(crate) fn expected(oldest: i32, near: &[i32], coefficients: &[i32], shift: u32) -> i32 {
    let mut sum = 1_i32 << shift >> 1;
    for (sample, coefficient) in near.iter().rev().zip(coefficients) {
        sum = sum.wrapping_add(coefficient.wrapping_mul(sample.wrapping_sub(oldest)));
    }
    oldest.wrapping_add(sum >> shift)
}

/// Moves the coefficients whose products went the wrong way.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "coefficients wrap; there are at most 31")]
pub(crate) fn learn(residual: i32, oldest: i32, near: &[i32], coefficients: &mut [i32], shift: u32) {
    let mut left = residual.wrapping_abs();
    if left > 0 {
        // Shifts round towards minus infinity, so that what a negative residual takes is rounded up.
        let bias = if residual < 0 { (1 << shift) - 1 } else { 0 };
        for (age, (sample, coefficient)) in near.iter().zip(coefficients.iter_mut().rev()).enumerate() {
            let difference = sample.wrapping_sub(oldest);
            let way = difference.signum() * residual.signum();
            *coefficient = i32::from((*coefficient + way) as i16);
            let taken = difference.wrapping_abs().wrapping_add(bias) >> shift;
            left = left.wrapping_sub((age as i32 + 1).wrapping_mul(taken));
            if left <= 0 {
                break;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Apple's function, step by step, with coefficients of 16 bits.
    fn restored_by_definition(residuals: &[i32], predictor: &Predictor) -> Vec<i32> {
        let (order, shift) = (predictor.order, predictor.shift);
        let wrapped = |value: i64| {
            i32::try_from(value << (64 - predictor.num_bits) >> (64 - predictor.num_bits)).unwrap_or(0)
        };
        let mut coefficients: Vec<i16> = predictor
            .coefficients
            .iter()
            .map(|coefficient| i16::try_from(*coefficient).unwrap_or(0))
            .collect();
        let mut samples = Vec::new();
        for (place, residual) in residuals.iter().copied().enumerate() {
            if place == 0 || order == 0 {
                samples.push(residual);
                continue;
            }
            if place <= order {
                samples.push(wrapped(i64::from(samples[place - 1]) + i64::from(residual)));
                continue;
            }
            let top = samples[place - 1 - order];
            let mut sum = (1_i32 << shift) >> 1;
            for back in 0..order {
                let difference = samples[place - 1 - back].wrapping_sub(top);
                sum = sum.wrapping_add(i32::from(coefficients[back]).wrapping_mul(difference));
            }
            let mut left = residual;
            for back in (0..order).rev() {
                if left == 0 || (left > 0) != (residual > 0) {
                    break;
                }
                let difference = top - samples[place - 1 - back];
                let sign = i16::try_from(difference.signum()).unwrap_or(0);
                let weight = i32::try_from(order - back).unwrap_or(0);
                if residual > 0 {
                    coefficients[back] = coefficients[back].wrapping_sub(sign);
                    left -= weight * (difference.abs() >> shift);
                } else {
                    coefficients[back] = coefficients[back].wrapping_add(sign);
                    left -= weight * (-difference.abs() >> shift);
                }
            }
            samples.push(wrapped(i64::from(residual) + i64::from(top) + i64::from(sum >> shift)));
        }
        samples
    }

    #[test]
    fn samples_are_those_of_the_definition_and_coefficients_wrap() {
        let mut state = 9_u64;
        let mut random = |num_bits: u32| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            i32::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d).cast_signed() >> (64 - num_bits))
                .unwrap_or(0)
        };
        let mut num_wrapped = 0;
        for order in 0..31 {
            for (num_bits, is_extreme) in [(16, false), (17, true), (24, true), (25, false)] {
                let mut predictor = Predictor { order, shift: 9, num_bits, ..Predictor::NONE };
                for coefficient in predictor.coefficients.iter_mut().take(order) {
                    *coefficient = if is_extreme { 0x7FFF - (random(4) & 1) } else { random(12) };
                }
                let residuals: Vec<i32> = (0..400).map(|_| random(12)).collect();
                let expected = restored_by_definition(&residuals, &predictor);
                let mut plane: Vec<i32> =
                    residuals.iter().map(|value| (value << 1) ^ (value >> 31)).collect();
                let mut tuned = predictor;
                restore(&mut plane, &mut tuned);
                assert!(plane == expected, "order {order}, {num_bits} bits");
                let has_wrapped = tuned.coefficients.iter().any(|coefficient| *coefficient < -0x7F00);
                num_wrapped += u32::from(is_extreme && has_wrapped);
            }
        }
        assert!(num_wrapped > 20, "{num_wrapped} predictors have wrapped");
    }
}
