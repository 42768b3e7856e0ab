//! The predictor of a channel: coefficients to begin with, which then learn from every sample.

#![forbid(unsafe_code)]

use crate::predictor::{MAX_ORDER, Predictor, expected, learn, wrap};

/// The coefficients are numbers of so many bits of fraction ("DENSHIFT_DEFAULT").
pub(crate) const SHIFT: u32 = 9;

/// The most coefficients that are looked for, and the numbers of them that are tried.
const MOST: usize = 8;
pub(crate) const ORDERS: [usize; 2] = [4, 8];

/// Predictors with the numbers of coefficients that are tried. They are those of the least mean square error (Levinson and Durbin).
pub(crate) fn find(samples: &[i32], num_bits: u32) -> [Predictor; ORDERS.len()] {
    let products = autocorrelation(samples);
    let mut predictors = ORDERS.map(|order| Predictor { order, shift: SHIFT, num_bits, ..Predictor::NONE });
    let mut error = products[0];
    let mut coefficients = [0.0; MOST];
    for order in 0..MOST {
        if error <= 0.0 {
            break;
        }
        let known = coefficients.iter().take(order);
        let before = products.get(1..=order).unwrap_or_default().iter().rev();
        let explained: f64 = known.zip(before).map(|(coefficient, product)| coefficient * product).sum();
        let reflection = (products.get(order + 1).copied().unwrap_or(0.0) - explained) / error;
        let last = coefficients;
        let mirrored = last.get(..order).unwrap_or_default().iter().rev();
        coefficients.iter_mut().zip(mirrored).for_each(|(to, other)| *to -= reflection * other);
        if let Some(to) = coefficients.get_mut(order) {
            *to = reflection;
        }
        error *= 1.0 - reflection * reflection;
        for predictor in predictors.iter_mut().filter(|predictor| predictor.order == order + 1) {
            predictor.coefficients = rounded(&coefficients);
        }
    }
    predictors
}

/// As integers of 16 bits with a fraction.
#[expect(clippy::cast_possible_truncation, reason = "within the bounds")]
fn rounded(coefficients: &[f64; MOST]) -> [i32; MAX_ORDER] {
    let mut rounded = [0; MAX_ORDER];
    for (to, coefficient) in rounded.iter_mut().zip(coefficients) {
        let value = (coefficient * f64::from(1 << SHIFT)).round();
        *to = value.clamp(-32768.0, 32767.0) as i32;
    }
    rounded
}

/// The sums of products of samples with those before them, under a window that falls to both ends (Welch's).
fn autocorrelation(samples: &[i32]) -> [f64; MOST + 1] {
    let middle = samples.len() as f64 / 2.0;
    let weigh = |(place, sample): (usize, &i32)| {
        let distance = (place as f64 + 0.5 - middle) / middle;
        f64::from(*sample) * (1.0 - distance * distance)
    };
    let weighed: Vec<f64> = samples.iter().enumerate().map(weigh).collect();
    std::array::from_fn(|lag| {
        weighed.get(lag..).unwrap_or_default().iter().zip(&weighed).map(|(one, other)| one * other).sum()
    })
}

/// The residuals of a channel, from which the reading side restores it (Apple's dp_enc.c, `pc_block`).
pub(crate) fn residuals(samples: &[i32], predictor: &Predictor, residuals: &mut Vec<i32>) {
    residuals.clear();
    let Predictor { order, shift, num_bits, mut coefficients, .. } = *predictor;
    let Some(coefficients) = coefficients.get_mut(..order) else { return };
    let mut before = 0;
    for sample in samples.iter().take(order + 1) {
        residuals.push(wrap(sample.wrapping_sub(before), num_bits));
        before = *sample;
    }
    for window in samples.windows(order + 2) {
        let [oldest, near @ .., sample] = window else { return };
        let predicted = expected(*oldest, near, coefficients, shift);
        let residual = wrap(sample.wrapping_sub(predicted), num_bits);
        learn(residual, *oldest, near, coefficients, shift);
        residuals.push(residual);
    }
}
