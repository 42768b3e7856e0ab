//! Functions for tables that the compiler makes, in double precision.

#![forbid(unsafe_code)]

use std::f64::consts::PI;

/// The sine of `numerator / denominator` times pi, from 0 to a half.
const fn first_sine(numerator: u32, denominator: u32) -> f64 {
    let x = PI * numerator as f64 / denominator as f64;
    let (mut sum, mut term, mut n) = (x, x, 1);
    while n < 14 {
        term *= -x * x / ((2 * n) * (2 * n + 1)) as f64;
        sum += term;
        n += 1;
    }
    sum
}

/// The sine of `numerator / denominator` times pi.
pub(crate) const fn sine(numerator: u32, denominator: u32) -> f64 {
    let numerator = numerator % (2 * denominator);
    if numerator >= denominator {
        -sine(numerator - denominator, denominator)
    } else if 2 * numerator > denominator {
        first_sine(denominator - numerator, denominator)
    } else {
        first_sine(numerator, denominator)
    }
}

/// The cosine of `numerator / denominator` times pi.
pub(crate) const fn cosine(numerator: u32, denominator: u32) -> f64 {
    sine(2 * numerator + denominator, 2 * denominator)
}

/// The square root.
pub(crate) const fn square_root(x: f64) -> f64 {
    let mut root = if x > 1.0 { x } else { 1.0 };
    let mut n = 0;
    while n < 60 {
        root = 0.5 * (root + x / root);
        n += 1;
    }
    root
}

/// The cube root, close to `guess`.
pub(crate) const fn cube_root(x: f64, guess: f64) -> f64 {
    let mut root = guess;
    let mut n = 0;
    while n < 6 {
        root -= (root * root * root - x) / (3.0 * root * root);
        n += 1;
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_those_of_the_library() {
        for numerator in 0..300 {
            for denominator in [1, 12, 36, 64, 72] {
                let x = PI * f64::from(numerator) / f64::from(denominator);
                assert!((sine(numerator, denominator) - x.sin()).abs() < 1e-13);
                assert!((cosine(numerator, denominator) - x.cos()).abs() < 1e-13);
            }
            let x = f64::from(numerator) / 7.0;
            assert!((square_root(x) - x.sqrt()).abs() < 1e-13);
            // As in the table of powers, from the root of the number before.
            let x = f64::from(numerator) + 2.0;
            assert!((cube_root(x, (x - 1.0).cbrt()) - x.cbrt()).abs() < 1e-13);
        }
    }
}
