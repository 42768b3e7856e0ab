//! Two channels from those that were stored (Apple's matrix_dec.c), and the bits that were stored apart.

#![forbid(unsafe_code)]

use crate::packet::Element;

/// Turns the predicted samples of an element into those of its channels. `second` is empty in an element of one.
#[inline(always)]
pub(crate) fn finish(element: &Element, first: &mut [i32], second: &mut [i32], lows: [&[u16]; 2]) {
    if element.num_channels == 2 && element.mix_weight != 0 {
        let Element { mix_weight, mix_bits, .. } = *element;
        for (first, second) in first.iter_mut().zip(&mut *second) {
            let left = first.wrapping_add(*second).wrapping_sub(mix_weight.wrapping_mul(*second) >> mix_bits);
            (*first, *second) = (left, left.wrapping_sub(*second));
        }
    }
    if element.num_low > 0 {
        for (samples, lows) in [first, second].into_iter().zip(lows) {
            for (sample, low) in samples.iter_mut().zip(lows) {
                *sample = *sample << element.num_low | i32::from(*low);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_mixed_is_unmixed() {
        for (mix_bits, mix_weight) in [(2, 1), (2, 3), (2, 4), (5, 17), (0, 1)] {
            let (left, right) = ([5, -9, 32_767, -32_768, 1000], [7, 100, -32_768, 32_767, 1000]);
            // Apple's matrix_enc.c: a weighted mean, and the difference.
            let mixed = |place: usize| {
                let (left, right): (i32, i32) =
                    (left.get(place).copied().unwrap_or(0), right.get(place).copied().unwrap_or(0));
                let rest = (1 << mix_bits) - mix_weight;
                ((mix_weight * left + rest * right) >> mix_bits, left - right)
            };
            let (mut first, mut second): (Vec<i32>, Vec<i32>) = (0..5).map(mixed).unzip();
            let element = Element { num_channels: 2, mix_weight, mix_bits, ..Element::default() };
            finish(&element, &mut first, &mut second, [&[], &[]]);
            assert_eq!(
                (first.as_slice(), second.as_slice()),
                (&left[..], &right[..]),
                "{mix_weight} >> {mix_bits}"
            );
        }
    }
}
