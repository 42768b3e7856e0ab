//! A pair of sample rates.

#![forbid(unsafe_code)]

use crate::error::{Error, Parameter, Result};

/// The highest rate, in Hz.
pub const MAX_RATE: u32 = 768_000;

/// The sample rates before and after resampling.
///
/// ```
/// use mapwave_core::resample::Rates;
///
/// let rates = Rates::new(44_100, 16_000)?;
/// assert_eq!(rates.reduced(), (441, 160));
/// assert_eq!(rates.num_output_frames(44_100), 16_000);
/// assert!(Rates::new(0, 16_000).is_err());
/// # Ok::<(), mapwave_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rates {
    input: u32,
    output: u32,
}

impl Rates {
    /// From `input` Hz to `output` Hz, both from 1 to [`MAX_RATE`].
    ///
    /// # Errors
    /// [`Error::Argument`] if a rate is outside these bounds.
    pub fn new(input: u32, output: u32) -> Result<Self> {
        for (parameter, rate) in [(Parameter::InputRate, input), (Parameter::OutputRate, output)] {
            if !(1..=MAX_RATE).contains(&rate) {
                return Err(Error::argument(parameter, format!("from 1 to {MAX_RATE} Hz"), rate));
            }
        }
        Ok(Self { input, output })
    }

    /// The rate of the input in Hz.
    pub fn input(self) -> u32 {
        self.input
    }

    /// The rate of the output in Hz.
    pub fn output(self) -> u32 {
        self.output
    }

    /// The two rates divided by their greatest common divisor: that many input frames last exactly as long as that many output
    /// frames.
    pub fn reduced(self) -> (u32, u32) {
        let divisor = greatest_common_divisor(self.input, self.output);
        (self.input / divisor, self.output / divisor)
    }

    /// The number of output frames for `num_input_frames`: their duration in output frames, rounded to nearest with halves
    /// rounded up, that is floor((2 * frames * output + input) / (2 * input)). The result is exact, and saturates.
    ///
    /// ```
    /// use mapwave_core::resample::Rates;
    ///
    /// assert_eq!(Rates::new(2, 1)?.num_output_frames(3), 2); // 1.5
    /// assert_eq!(Rates::new(3, 1)?.num_output_frames(4), 1); // 1.33
    /// assert_eq!(Rates::new(48_000, 48_000)?.num_output_frames(u64::MAX), u64::MAX);
    /// # Ok::<(), mapwave_core::Error>(())
    /// ```
    pub fn num_output_frames(self, num_input_frames: u64) -> u64 {
        let (input, output) = (u128::from(self.input), u128::from(self.output));
        let rounded = (2 * u128::from(num_input_frames) * output + input) / (2 * input);
        u64::try_from(rounded).unwrap_or(u64::MAX)
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_out_of_bounds_are_refused_by_name() {
        assert_eq!(
            Rates::new(0, 1).unwrap_err().to_string(),
            "the input's sample rate must be from 1 to 768000 Hz, got 0"
        );
        assert_eq!(
            Rates::new(1, 768_001).unwrap_err().to_string(),
            "the output's sample rate must be from 1 to 768000 Hz, got 768001"
        );
        assert_eq!(Rates::new(1, MAX_RATE).unwrap().reduced(), (1, MAX_RATE));
    }

    #[test]
    fn the_largest_numbers_of_frames_are_exact() {
        // 2^64 - 1 is divisible by 3: a third of it is exact; half of it ends in .5 and is rounded up.
        assert_eq!(Rates::new(48_000, 16_000).unwrap().num_output_frames(u64::MAX), u64::MAX / 3);
        assert_eq!(Rates::new(2, 1).unwrap().num_output_frames(u64::MAX), 1 << 63);
        assert_eq!(Rates::new(1, 2).unwrap().num_output_frames(u64::MAX), u64::MAX);
        assert_eq!(Rates::new(44_100, 16_000).unwrap().num_output_frames(0), 0);
    }

    proptest! {
        #[test]
        fn the_number_of_frames_is_the_nearest(input in 1..=MAX_RATE, output in 1..=MAX_RATE, frames in 0..1_u64 << 40) {
            let got = Rates::new(input, output).unwrap().num_output_frames(frames);
            // The difference between got / output and frames / input, times both rates, is at most half an output frame.
            let (input, output) = (i128::from(input), i128::from(output));
            let distance = i128::from(got) * input - i128::from(frames) * output;
            prop_assert!(2 * distance <= input && 2 * distance > -input, "{distance} of {input}");
        }
    }
}
