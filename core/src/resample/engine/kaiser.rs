//! The low-pass filter: a sinc with a Kaiser window.

#![forbid(unsafe_code)]

use std::f64::consts::PI;

/// A filter without delay: symmetric about its centre, and defined at any distance from it, not only at whole samples.
///
/// The width and shape follow J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function"
/// (1974): for an attenuation of A decibels beyond a transition of w radians per sample, (A - 7.95) / (2.285 w) samples and
/// beta = 0.1102 (A - 8.7), valid from 50 dB. The actual attenuation is some decibels lower at the ends of the transition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kaiser {
    /// The middle of the transition, as a fraction of the Nyquist frequency.
    cutoff: f64,
    /// The distance from the centre, in samples, at which the filter ends.
    reach: f64,
    beta: f64,
}

impl Kaiser {
    /// The filter that passes everything below `pass` and attenuates everything above `stop` by `rejection` decibels. Both are
    /// fractions of the Nyquist frequency.
    pub(crate) fn new(rejection: f64, pass: f64, stop: f64) -> Self {
        let reach = (rejection - 7.95) / (2.285 * PI * (stop - pass)) / 2.0;
        Self { cutoff: (pass + stop) / 2.0, reach, beta: 0.1102 * (rejection - 8.7) }
    }

    /// The best filter for this transition that extends `reach` samples to either side.
    pub(crate) fn with_reach(reach: f64, pass: f64, stop: f64) -> Self {
        let rejection = 7.95 + 2.285 * PI * (stop - pass) * 2.0 * reach;
        Self { cutoff: (pass + stop) / 2.0, reach, beta: 0.1102 * (rejection - 8.7) }
    }

    /// The distance from the centre, in samples, beyond which the filter is zero.
    pub(crate) fn reach(self) -> f64 {
        self.reach
    }

    /// The value of the filter at a distance from its centre, in samples. Just beyond its reach it continues smoothly.
    pub(crate) fn at(self, distance: f64) -> f64 {
        let angle = PI * distance;
        let sinc = if distance == 0.0 { self.cutoff } else { (self.cutoff * angle).sin() / angle };
        let ratio = distance / self.reach;
        sinc * bessel(self.beta * self.beta * (1.0 - ratio * ratio)) / bessel(self.beta * self.beta)
    }
}

/// The modified Bessel function of the first kind of order 0 at the square root of `square`, by its power series.
fn bessel(square: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1_u32.. {
        term *= square / 4.0 / f64::from(k).powi(2);
        sum += term;
        if term.abs() < sum.abs() * 1e-18 {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bessel_functions_are_those_of_the_tables() {
        // Abramowitz and Stegun, tables 9.8 and 9.1: I0(1), I0(5), I0(18) and, for an imaginary argument, J0(1).
        for (square, expected) in [
            (0.0, 1.0),
            (1.0, 1.266_065_877_752_008_4),
            (25.0, 27.239_871_823_604_442),
            (324.0, 6_218_412.420_781_002),
            (-1.0, 0.765_197_686_557_966_6),
        ] {
            let got = bessel(square);
            assert!((got - expected).abs() <= 1e-14 * expected, "{square}: {got}");
        }
    }

    /// The frequency response at a fraction of the Nyquist frequency, by its defining sum.
    fn response(filter: Kaiser, frequency: f64) -> f64 {
        let half = (1_i32..).take_while(|&tap| f64::from(tap) < filter.reach());
        let sum: f64 =
            half.map(|tap| 2.0 * filter.at(tap.into()) * (PI * frequency * f64::from(tap)).cos()).sum();
        filter.at(0.0) + sum
    }

    #[test]
    fn the_response_keeps_to_the_design() {
        for (rejection, pass, stop) in [(80.0, 0.4, 0.5), (120.0, 0.1, 0.13), (170.0, 0.33, 0.36)] {
            let filter = Kaiser::new(rejection, pass, stop);
            let bound = 10_f64.powf((8.0 - rejection) / 20.0);
            for step in 0..=1000 {
                let step = f64::from(step) / 1000.0;
                let ripple = (response(filter, pass * step) - 1.0).abs();
                let leak = response(filter, stop + (1.0 - stop) * step).abs();
                assert!(ripple <= bound && leak <= bound, "{rejection} dB at {step}: {ripple:e}, {leak:e}");
            }
        }
    }
}
