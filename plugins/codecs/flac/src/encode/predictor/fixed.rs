//! Fixed predictors: extrapolating polynomials (RFC 9639, section 9.2.5).
//!
//! The predictor of order n continues the polynomial of degree n - 1 through the n samples before. What it misses is the n-th
//! difference of the signal: order 0 predicts silence, order 1 repeats a sample, order 2 continues a line. So the residuals of
//! an order are the differences of neighbouring residuals of the order below, and one pass gives all five.

#![forbid(unsafe_code)]

/// The highest order of a fixed predictor.
pub(crate) const MAX_ORDER: usize = 4;

/// How many residuals are added up in 32 bits, for samples of at most 17 bits: a residual of order 4 is below 2^20, and the
/// sum of 1024 below 2^30.
const NARROW_RUN: usize = 1024;

/// The same for samples of at most 25 bits, whose residuals are below 2^28.
const WIDE_RUN: usize = 8;

/// The sums of the absolute residuals of each order, over the samples that every order predicts.
#[inline(always)]
pub(crate) fn absolute_sums(samples: &[i32], bits_per_sample: u32) -> [u64; MAX_ORDER + 1] {
    if bits_per_sample <= 17 { sums::<NARROW_RUN>(samples) } else { sums::<WIDE_RUN>(samples) }
}

#[inline(always)]
fn sums<const RUN: usize>(samples: &[i32]) -> [u64; MAX_ORDER + 1] {
    let windows: &[i32] = samples;
    let mut totals = [0_u64; MAX_ORDER + 1];
    let mut first = 0;
    while let Some(rest) = windows.get(first..).filter(|rest| rest.len() > MAX_ORDER) {
        let run = rest.get(..RUN + MAX_ORDER).unwrap_or(rest);
        let mut sums = [0_u32; MAX_ORDER + 1];
        for [e, d, c, b, a] in run.array_windows() {
            let first = [a.wrapping_sub(*b), b.wrapping_sub(*c), c.wrapping_sub(*d), d.wrapping_sub(*e)];
            let second = [
                first[0].wrapping_sub(first[1]),
                first[1].wrapping_sub(first[2]),
                first[2].wrapping_sub(first[3]),
            ];
            let third = [second[0].wrapping_sub(second[1]), second[1].wrapping_sub(second[2])];
            let fourth = third[0].wrapping_sub(third[1]);
            let residuals = [*a, first[0], second[0], third[0], fourth];
            for (sum, residual) in sums.iter_mut().zip(residuals) {
                *sum = sum.wrapping_add(residual.unsigned_abs());
            }
        }
        for (total, sum) in totals.iter_mut().zip(sums) {
            *total += u64::from(sum);
        }
        first += RUN;
    }
    totals
}

/// The residuals of one order, from the first predicted sample on.
#[inline(always)]
pub(crate) fn residuals(samples: &[i32], order: usize, residuals: &mut Vec<i32>) {
    residuals.resize(samples.len() - order, 0);
    match order {
        0 => residuals.copy_from_slice(samples),
        1 => apply(samples, residuals, |[b, a]| a.wrapping_sub(*b)),
        2 => apply(samples, residuals, |[c, b, a]| a.wrapping_sub(b.wrapping_mul(2)).wrapping_add(*c)),
        3 => apply(samples, residuals, |[d, c, b, a]| {
            a.wrapping_sub(*d).wrapping_sub(b.wrapping_sub(*c).wrapping_mul(3))
        }),
        _ => apply(samples, residuals, |[e, d, c, b, a]| {
            a.wrapping_add(*e)
                .wrapping_sub(b.wrapping_add(*d).wrapping_mul(4))
                .wrapping_add(c.wrapping_mul(6))
        }),
    }
}

/// Applies a formula to every window of N samples. Samples of up to 25 bits never overflow.
#[inline(always)]
fn apply<const N: usize>(samples: &[i32], residuals: &mut [i32], residual: impl Fn(&[i32; N]) -> i32) {
    for (place, window) in residuals.iter_mut().zip(samples.array_windows()) {
        *place = residual(window);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The residual of an order is the difference of two residuals of the order below.
    fn differences(samples: &[i32], order: usize) -> Vec<i64> {
        let mut values: Vec<i64> = samples.iter().copied().map(i64::from).collect();
        for _ in 0..order {
            values = values
                .windows(2)
                .map(|pair| pair.iter().rev().copied().reduce(|a, b| a - b).unwrap_or(0))
                .collect();
        }
        values
    }

    fn signals(bits: u32) -> Vec<Vec<i32>> {
        let full = (1_i32 << (bits - 1)) - 1;
        let random = |n: i32| n.wrapping_mul(0x9e37_79b1_u32.cast_signed()) >> (32 - bits);
        vec![
            (0..3000).map(|n| if n % 2 == 0 { full } else { -full - 1 }).collect(),
            (0..3001).map(random).collect(),
            (0..7).map(random).collect(),
            vec![1, 2, 3, 4],
        ]
    }

    #[test]
    fn residuals_are_repeated_differences() {
        for samples in [8, 16, 17, 25].into_iter().flat_map(signals) {
            for order in 0..=MAX_ORDER {
                let mut found = Vec::new();
                residuals(&samples, order, &mut found);
                let found: Vec<i64> = found.into_iter().map(i64::from).collect();
                assert_eq!(found, differences(&samples, order));
            }
        }
    }

    #[test]
    fn sums_leave_out_what_the_highest_order_cannot_predict() {
        for bits in [8, 17, 18, 25] {
            for samples in signals(bits) {
                let found = absolute_sums(&samples, bits);
                for (order, found) in found.into_iter().enumerate() {
                    let all = differences(&samples, order);
                    let expected: u64 =
                        all.iter().skip(MAX_ORDER - order).map(|value| value.unsigned_abs()).sum();
                    assert_eq!(found, expected, "order {order}, {bits} bits");
                }
            }
        }
    }
}
