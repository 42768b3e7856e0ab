//! Residuals to samples (sections 9.2.5 and 9.2.6).
//!
//! A plane holds one subframe, every value *folded*: 0, -1, 1, -2 are 0, 1, 2, 3 (section 9.2.7.2), as Rice codes have
//! them. The first `order` values are samples, the others residuals. Prediction unfolds them all.
//!
//! Everything is computed modulo 2^32 but for the sum of products, which 64 bits hold: 32 products of a sample of 33 bits and
//! a coefficient of 15. So no stream, however damaged, overflows.

#![forbid(unsafe_code)]

/// The subframes that are restored at a time.
pub(super) const NUM_LANES: usize = 4;

/// The most samples that a prediction looks back on.
pub(super) const MAX_ORDER: usize = 32;

/// What a subframe is restored with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Predictor {
    pub(super) order: usize,
    /// The sum of products is shifted right by so many bits, 0 to 15.
    pub(super) shift: u32,
    /// The weight of the sample before, of that before it, and so on.
    pub(super) coefficients: [i32; MAX_ORDER],
}

impl Predictor {
    /// Values are samples, not residuals.
    pub(super) const NONE: Self = Self { order: 0, shift: 0, coefficients: [0; MAX_ORDER] };

    /// The polynomial through the last `order` samples, 0 to 4.
    pub(super) fn fixed(order: usize) -> Self {
        let coefficients: &[i32] = match order {
            1 => &[1],
            2 => &[2, -1],
            3 => &[3, -3, 1],
            4 => &[4, -6, 4, -1],
            _ => &[],
        };
        let mut predictor = Self { order: coefficients.len(), ..Self::NONE };
        predictor.coefficients.iter_mut().zip(coefficients).for_each(|(to, from)| *to = *from);
        predictor
    }
}

#[inline(always)]
pub(super) fn fold(value: i32) -> i32 {
    (value << 1) ^ (value >> 31)
}

#[inline(always)]
pub(super) fn unfold(folded: i32) -> i32 {
    (folded.cast_unsigned() >> 1).cast_signed() ^ -(folded & 1)
}

/// Restores a subframe.
pub(super) fn restore(plane: &mut [i32], predictor: &Predictor) {
    match predictor.order {
        0 => plane.iter_mut().for_each(|value| *value = unfold(*value)),
        1 => restore_up_to::<1>(plane, predictor),
        2 => restore_up_to::<2>(plane, predictor),
        3 => restore_up_to::<3>(plane, predictor),
        4 => restore_up_to::<4>(plane, predictor),
        5 => restore_up_to::<5>(plane, predictor),
        6 => restore_up_to::<6>(plane, predictor),
        7 => restore_up_to::<7>(plane, predictor),
        8 => restore_up_to::<8>(plane, predictor),
        9 => restore_up_to::<9>(plane, predictor),
        10 => restore_up_to::<10>(plane, predictor),
        11 | 12 => restore_up_to::<12>(plane, predictor),
        13..=16 => restore_up_to::<16>(plane, predictor),
        _ => restore_up_to::<MAX_ORDER>(plane, predictor),
    }
}

/// `sums[n]` has the products of all samples so far that count for the sample n steps ahead. So each sample waits for one
/// product of the sample before it, not for a sum of them.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
fn restore_up_to<const ORDER: usize>(plane: &mut [i32], predictor: &Predictor) {
    let Some(coefficients) = predictor.coefficients.first_chunk::<ORDER>() else { return };
    let coefficients = coefficients.map(i64::from);
    let mut sums = [0_i64; ORDER];
    let (first, rest) = plane.split_at_mut(predictor.order.min(plane.len()));
    for value in first {
        *value = unfold(*value);
        advance(&mut sums, &coefficients, *value);
    }
    for value in rest {
        let prediction = sums.first().map_or(0, |sum| sum >> predictor.shift);
        *value = unfold(*value).wrapping_add(prediction as i32);
        advance(&mut sums, &coefficients, *value);
    }
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "below the length; the compiler keeps the sums in registers")]
fn advance<const ORDER: usize>(sums: &mut [i64; ORDER], coefficients: &[i64; ORDER], sample: i32) {
    for ahead in 0..ORDER {
        let product = i64::from(sample) * coefficients[ahead];
        sums[ahead] = if ahead + 1 < ORDER { sums[ahead + 1] + product } else { product };
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::noise::Noise;

    /// The definition, sample by sample.
    #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
    #[expect(clippy::indexing_slicing, reason = "a panic is a failure")]
    fn restored_by_definition(folded: &[i32], predictor: &Predictor) -> Vec<i32> {
        let mut samples: Vec<i32> = Vec::new();
        for (n, value) in folded.iter().enumerate() {
            let mut sum = 0_i64;
            if n >= predictor.order {
                for back in 0..predictor.order {
                    sum += i64::from(predictor.coefficients[back]) * i64::from(samples[n - 1 - back]);
                }
            }
            let residual =
                if value & 1 == 0 { value.cast_unsigned() >> 1 } else { !(value.cast_unsigned() >> 1) };
            samples.push(residual.cast_signed().wrapping_add((sum >> predictor.shift) as i32));
        }
        samples
    }

    /// Predictors of every order with coefficients of every size, and folded values that fit none of them.
    pub(in crate::decode) fn cases() -> impl Iterator<Item = (Predictor, Vec<i32>, Vec<i32>)> {
        let mut noise = Noise(11);
        (0..=MAX_ORDER).flat_map(|order| [15, 12, 2, 1].map(|bits| (order, bits))).map(
            move |(order, bits)| {
                let mut predictor =
                    Predictor { order, shift: noise.sample(5).cast_unsigned() & 15, ..Predictor::NONE };
                for coefficient in predictor.coefficients.iter_mut().take(order) {
                    *coefficient = noise.sample(bits);
                }
                let num_values = 60 + (noise.sample(9).cast_unsigned() & 127) as usize;
                let num_bits = 1 + (noise.sample(9).cast_unsigned() & 31);
                let folded: Vec<i32> = (0..num_values).map(|_| noise.sample(num_bits)).collect();
                let samples = restored_by_definition(&folded, &predictor);
                (predictor, folded, samples)
            },
        )
    }

    #[test]
    fn samples_are_those_of_the_definition() {
        for (predictor, folded, samples) in cases() {
            let mut plane = folded.clone();
            restore(&mut plane, &predictor);
            assert!(plane == samples, "{predictor:?}");
        }
    }

    #[test]
    fn folding_is_undone() {
        for value in [0, -1, 1, i32::MAX, i32::MIN, 77, -1234] {
            assert_eq!(unfold(fold(value)), value);
        }
        assert_eq!([0, 1, 2, 3].map(unfold), [0, -1, 1, -2]);
    }

    #[test]
    fn fixed_predictors_continue_polynomials() {
        for order in 0..=4_i32 {
            let predictor = Predictor::fixed(order.unsigned_abs() as usize);
            let polynomial = |n: i32| (0..order).fold(0, |sum, power| sum * (n - 3) + 5 - power);
            let first = |n: i32| if n < order { polynomial(n) } else { 0 };
            let mut plane: Vec<i32> = (0..30).map(first).map(fold).collect();
            restore(&mut plane, &predictor);
            let expected: Vec<i32> = (0..30).map(polynomial).collect();
            assert_eq!(plane, expected, "order {order}");
        }
    }
}
