//! Functions that the compiler can evaluate, so that all tables are constants: they cost nothing at run time, need no lock, and are the
//! same everywhere.

#![forbid(unsafe_code)]

use std::f64::consts::PI;

/// The sine of π times a fraction.
pub(crate) const fn sin_pi(numerator: i64, denominator: i64) -> f64 {
    let place = numerator.rem_euclid(2 * denominator);
    // Into a half turn, then into a quarter.
    let (half, sign) = if place >= denominator { (place - denominator, -1.0) } else { (place, 1.0) };
    let quarter = if 2 * half > denominator { denominator - half } else { half };
    let sine = if 4 * quarter > denominator {
        cosine(PI * (denominator - 2 * quarter) as f64 / (2 * denominator) as f64)
    } else {
        sine(PI * quarter as f64 / denominator as f64)
    };
    sign * sine
}

/// The cosine of π times a fraction.
pub(crate) const fn cos_pi(numerator: i64, denominator: i64) -> f64 {
    sin_pi(2 * numerator + denominator, 2 * denominator)
}

/// From 0 to π / 4, by its series.
const fn sine(angle: f64) -> f64 {
    let (mut term, mut sum, mut n) = (angle, angle, 1.0);
    while n < 20.0 {
        term *= -angle * angle / ((n + 1.0) * (n + 2.0));
        sum += term;
        n += 2.0;
    }
    sum
}

/// From 0 to π / 4, by its series.
const fn cosine(angle: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0, 1.0, 0.0);
    while n < 20.0 {
        term *= -angle * angle / ((n + 1.0) * (n + 2.0));
        sum += term;
        n += 2.0;
    }
    sum
}

/// The square root of a normal number, or 0.
pub(crate) const fn sqrt(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    // Half of the exponent, then Newton's method.
    let mut root = f64::from_bits((value.to_bits() >> 1) + (1023 << 51));
    let mut n = 0;
    while n < 6 {
        root = 0.5 * (root + value / root);
        n += 1;
    }
    root
}

/// The cube root of a positive normal number.
pub(crate) const fn cbrt(value: f64) -> f64 {
    // A third of the exponent, then Newton's method.
    let mut root = f64::from_bits(value.to_bits() / 3 + (1023 << 52) / 3 * 2);
    let mut n = 0;
    while n < 6 {
        root -= (root - value / (root * root)) / 3.0;
        n += 1;
    }
    root
}

/// 2 to the power of a number of quarters.
pub(crate) const fn exp2_quarters(quarters: i32) -> f64 {
    let root = sqrt(sqrt(2.0));
    let mut power = 1.0;
    let mut n = 0;
    while n < quarters.rem_euclid(4) {
        power *= root;
        n += 1;
    }
    let exponent = quarters.div_euclid(4);
    power * f64::from_bits(((1023 + exponent) as u64) << 52)
}

/// The logarithm to base 2 of a positive normal number.
pub(crate) const fn log2(value: f64) -> f64 {
    let exponent = (value.to_bits() >> 52) as i64 - 1023;
    let mantissa = f64::from_bits((value.to_bits() & ((1 << 52) - 1)) | (1023 << 52));
    // ln m = 2 artanh((m - 1) / (m + 1)), by its series
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let (mut power, mut sum, mut n) = (ratio, 0.0, 1.0);
    while n < 60.0 {
        sum += power / n;
        power *= ratio * ratio;
        n += 2.0;
    }
    exponent as f64 + 2.0 * sum * std::f64::consts::LOG2_E
}

/// 2 to the power of a number between -1000 and 1000.
#[expect(clippy::cast_possible_truncation, reason = "small")]
pub(crate) const fn exp2(power: f64) -> f64 {
    let whole = (power + 1000.5) as i64 - 1000;
    let angle = (power - whole as f64) * std::f64::consts::LN_2;
    let (mut term, mut sum, mut n) = (1.0, 1.0, 1.0);
    while n < 24.0 {
        term *= angle / n;
        sum += term;
        n += 1.0;
    }
    sum * f64::from_bits(((1023 + whole) as u64) << 52)
}

/// The modified Bessel function of the first kind and order 0, by its series.
pub(crate) const fn bessel(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0, 1.0, 1.0);
    while n < 60.0 && term > sum * 1e-18 {
        term *= (x / (2.0 * n)) * (x / (2.0 * n));
        sum += term;
        n += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_those_of_the_standard_library() {
        for denominator in [1, 2, 3, 7, 60, 1024, 4096] {
            for numerator in -3 * denominator..3 * denominator {
                let angle = PI * numerator as f64 / denominator as f64;
                assert!(
                    (sin_pi(numerator, denominator) - angle.sin()).abs() < 4e-15,
                    "{numerator}/{denominator}"
                );
                assert!(
                    (cos_pi(numerator, denominator) - angle.cos()).abs() < 4e-15,
                    "{numerator}/{denominator}"
                );
            }
        }
        for n in 1..9000 {
            let value = f64::from(n) * 0.917;
            assert!((sqrt(value) / value.sqrt() - 1.0).abs() < 1e-15);
            assert!((cbrt(value) / value.cbrt() - 1.0).abs() < 1e-15);
            let quarters = n % 600 - 300;
            assert!((exp2_quarters(quarters) / (f64::from(quarters) / 4.0).exp2() - 1.0).abs() < 1e-15);
        }
        for n in 1..4000 {
            let value = f64::from(n) * 0.317;
            assert!((log2(value) - value.log2()).abs() < 1e-14, "{value}");
            let power = value / 4.0 - 150.0;
            assert!((exp2(power) / power.exp2() - 1.0).abs() < 1e-13, "{power}");
        }
        // Abramowitz and Stegun, table 9.8
        assert!((bessel(1.0) - 1.266_065_877_752_008).abs() < 1e-14);
        assert!((bessel(5.0) - 27.239_871_823_604_44).abs() < 1e-12);
        assert!((sqrt(0.0), sqrt(4.0)) == (0.0, 2.0));
    }
}
