//! Which two of left, right, mid and side are stored for a pair of channels (RFC 9639, section 4.2).
//!
//! Side is left - right, with one bit more than a sample. Mid is (left + right) >> 1. The bit lost by the shift is that of the
//! sum, which is also the lowest bit of the difference, so a decoder restores the sum as `mid << 1 | side & 1` and from it
//! left = (sum + side) >> 1 and right = (sum - side) >> 1.

#![forbid(unsafe_code)]

use crate::encode::predictor::fixed;

/// The signals in the two subframes of a FLAC frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assignment {
    /// Left and right.
    Independent,
    /// Left, and left - right.
    LeftSide,
    /// Left - right, and right.
    SideRight,
    /// (left + right) >> 1, and left - right.
    MidSide,
}

/// The signals that a pair of channels can be stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Left,
    Right,
    Mid,
    Side,
}

impl Signal {
    pub(crate) const ALL: [Self; 4] = [Self::Left, Self::Right, Self::Mid, Self::Side];
}

impl Assignment {
    const ALL: [Self; 4] = [Self::Independent, Self::LeftSide, Self::SideRight, Self::MidSide];

    /// The signals of the two subframes.
    pub(crate) fn signals(self) -> [Signal; 2] {
        match self {
            Self::Independent => [Signal::Left, Signal::Right],
            Self::LeftSide => [Signal::Left, Signal::Side],
            Self::SideRight => [Signal::Side, Signal::Right],
            Self::MidSide => [Signal::Mid, Signal::Side],
        }
    }

    /// The assignment whose two signals together take the fewest bits; a signal takes `bits` of them.
    pub(crate) fn cheapest(bits: impl Fn(Signal) -> u64) -> Self {
        let total = |assignment: &Self| assignment.signals().into_iter().map(&bits).sum::<u64>();
        Self::ALL.into_iter().min_by_key(total).unwrap_or(Self::Independent)
    }

    /// An estimate of [`cheapest`](Self::cheapest) from the residuals of the best fixed predictor.
    #[inline(always)]
    pub(crate) fn estimate(signals: [&[i32]; 4], bits_per_sample: u32) -> Self {
        let [left, right, mid, side] = signals.map(|samples| {
            let sums = fixed::absolute_sums(samples, bits_per_sample + 1);
            let sum = sums.into_iter().min().unwrap_or(0);
            rice_bits(((sum << 8) / samples.len().max(1) as u64) + 1)
        });
        // No signal takes more bits than its samples uncompressed.
        let most = u64::from(bits_per_sample) << 8;
        Self::cheapest(|signal| match signal {
            Signal::Left => left.min(most),
            Signal::Right => right.min(most),
            Signal::Mid => mid.min(most),
            Signal::Side => side.min(most + (1 << 8)),
        })
    }

    /// The code in the header of a FLAC frame of `num_channels` channels.
    pub(crate) fn code(self, num_channels: usize) -> u64 {
        match self {
            Self::Independent => num_channels as u64 - 1,
            Self::LeftSide => 8,
            Self::SideRight => 9,
            Self::MidSide => 10,
        }
    }
}

/// The bits that a residual takes, in 256ths, if the mean of its absolute value is `mean` 256ths.
///
/// A Rice code takes about 2.5 bits more than the binary logarithm of the mean: the sign, the end of the unary part, and half a
/// bit of it. The logarithm is interpolated linearly between powers of two.
fn rice_bits(mean: u64) -> u64 {
    let exponent = mean.max(1).ilog2();
    let fraction = ((mean << 8) >> exponent) & 0xff;
    let logarithm = u64::from(exponent) << 8 | fraction;
    (logarithm + 640).saturating_sub(8 << 8)
}

/// Half the sums and the differences of two channels.
#[inline(always)]
pub(crate) fn mid_side(left: &[i32], right: &[i32], mid: &mut Vec<i32>, side: &mut Vec<i32>) {
    mid.resize(left.len(), 0);
    side.resize(left.len(), 0);
    for (((mid, side), left), right) in mid.iter_mut().zip(side).zip(left).zip(right) {
        *mid = left.wrapping_add(*right) >> 1;
        *side = left.wrapping_sub(*right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    #[test]
    fn mid_and_side_give_left_and_right_back() {
        let full = (1 << 23) - 1;
        let values = [0, 1, -1, 2, -2, 1000, -1001, full, -full - 1];
        let (left, right): (Vec<i32>, Vec<i32>) =
            values.iter().flat_map(|a| values.iter().map(move |b| (*a, *b))).unzip();
        let (mut mid, mut side) = (Vec::new(), Vec::new());
        mid_side(&left, &right, &mut mid, &mut side);
        for (((left, right), mid), side) in left.iter().zip(&right).zip(&mid).zip(&side) {
            // What a decoder does (section 4.2).
            let sum = mid << 1 | side & 1;
            assert_eq!(((sum + side) >> 1, (sum - side) >> 1), (*left, *right));
        }
    }

    #[test]
    fn the_cheapest_pair_is_taken() {
        let of = |bits: [u64; 4]| {
            Assignment::cheapest(|signal| {
                let place = Signal::ALL.iter().position(|other| *other == signal).unwrap_or(0);
                bits.get(place).copied().unwrap_or(0)
            })
        };
        assert_eq!(of([10, 10, 10, 10]), Assignment::Independent);
        assert_eq!(of([10, 20, 15, 9]), Assignment::LeftSide);
        assert_eq!(of([20, 10, 15, 9]), Assignment::SideRight);
        assert_eq!(of([20, 20, 15, 9]), Assignment::MidSide);
    }

    #[test]
    fn estimates_know_what_is_alike() {
        let noise = |seed: u64, num_bits: u32| {
            let mut noise = Noise(seed);
            (0..4096).map(|_| noise.sample(num_bits)).collect()
        };
        let (a, b): (Vec<i32>, Vec<i32>) = (noise(1, 14), noise(77_777, 7));
        let estimate = |left: &[i32], right: &[i32]| {
            let (mut mid, mut side) = (Vec::new(), Vec::new());
            mid_side(left, right, &mut mid, &mut side);
            Assignment::estimate([left, right, &mid, &side], 16)
        };
        assert_eq!(estimate(&a, &b), Assignment::Independent);
        let nearly: Vec<i32> = a.iter().zip(&b).map(|(a, b)| a + (b >> 4)).collect();
        assert_ne!(estimate(&a, &nearly), Assignment::Independent);
    }
}
