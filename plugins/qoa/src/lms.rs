//! The predictor: four weights for the last four samples.
//!
//! Specification: "QOA predicts each audio sample based on the previously decoded ones using a Sign-Sign Least Mean
//! Squares Filter". A prediction is the sum of the products of samples and weights. Afterwards each weight moves by a step of
//! residual / 16, up if its sample was positive and down if it was negative: the direction in which the prediction would have
//! missed less.

#![forbid(unsafe_code)]

/// The size of a state in bytes.
pub(crate) const STATE_BYTES: usize = 16;

/// The state of one channel: the last samples and their weights, the latest last.
///
/// All arithmetic wraps at 32 bits, as in the reference implementation. This matters only for weights larger than any encoder
/// lets them grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lms {
    history: [i32; 4],
    weights: [i32; 4],
}

impl Lms {
    /// Where an encoder starts. As weights are divided by 2^13, the first prediction continues a straight line: twice the
    /// last sample minus the one before.
    pub(crate) const START: Self = Self { history: [0; 4], weights: [0, 0, -(1 << 13), 1 << 14] };

    /// Reads a state from a packet: `int16_t history[4]`, then `int16_t weights[4]`, big-endian.
    pub(crate) fn from_bytes(bytes: &[u8; STATE_BYTES]) -> Self {
        let mut numbers = bytes.as_chunks().0.iter().map(|&pair| i32::from(i16::from_be_bytes(pair)));
        let mut four = || std::array::from_fn(|_| numbers.next().unwrap_or_default());
        Self { history: four(), weights: four() }
    }

    /// The bytes of the state in a packet: the low 16 bits of every number.
    #[expect(clippy::cast_possible_truncation, reason = "the format's field has 16 bits")]
    pub(crate) fn to_bytes(self) -> [u8; STATE_BYTES] {
        let mut bytes = [0; STATE_BYTES];
        let numbers = self.history.iter().chain(&self.weights);
        for (place, &number) in bytes.as_chunks_mut().0.iter_mut().zip(numbers) {
            *place = (number as i16).to_be_bytes();
        }
        bytes
    }

    /// The prediction of the next sample.
    #[inline]
    pub(crate) fn predict(&self) -> i32 {
        let products =
            self.history.iter().zip(&self.weights).map(|(sample, weight)| sample.wrapping_mul(*weight));
        products.fold(0, i32::wrapping_add) >> 13
    }

    /// Adapts to the decoded sample and its residual.
    #[inline]
    pub(crate) fn update(&mut self, sample: i16, residual: i32) {
        let step = residual >> 4;
        for (weight, sample) in self.weights.iter_mut().zip(&self.history) {
            *weight = weight.wrapping_add(if *sample < 0 { -step } else { step });
        }
        let [_, b, c, d] = self.history;
        self.history = [b, c, d, sample.into()];
    }

    /// The penalty that an encoder adds to the error of a sample for large weights, with which the predictor becomes unstable:
    /// the square of the energy above a threshold (specification, reference encoder).
    #[inline]
    pub(crate) fn penalty(&self) -> u64 {
        const THRESHOLD: u64 = 0x8ff;
        let squares = self.weights.iter().map(|weight| u64::from(weight.unsigned_abs()).pow(2));
        let energy = squares.fold(0, u64::saturating_add);
        (energy >> 18).saturating_sub(THRESHOLD).saturating_pow(2)
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_with_a_straight_line() {
        let mut lms = Lms::START;
        lms.update(100, 0);
        lms.update(110, 0);
        assert_eq!(lms.predict(), 120);
    }

    #[test]
    fn weights_follow_the_signs_of_the_history() {
        let mut lms = Lms { history: [-1, 0, 1, -5], weights: [10, 20, 30, 40] };
        lms.update(7, -33); // a step of -3: the shift rounds down
        assert_eq!(lms, Lms { history: [0, 1, -5, 7], weights: [13, 17, 27, 43] });
    }

    #[test]
    fn a_state_survives_its_bytes() {
        let lms = Lms { history: [-32768, 32767, 0, -1], weights: [1, -2, 300, -4000] };
        assert_eq!(Lms::from_bytes(&lms.to_bytes()), lms);
        assert_eq!(lms.to_bytes()[..4], [0x80, 0x00, 0x7f, 0xff]);
    }

    #[test]
    fn the_worst_numbers_do_not_trap() {
        let mut lms = Lms { history: [i32::MIN; 4], weights: [i32::MAX; 4] };
        let _ = lms.predict();
        let _ = lms.penalty();
        lms.update(i16::MIN, -14336);
    }
}
