//! Scale factors to energies (ISO/IEC 14496-3, 4.6.18.3.5).

#![forbid(unsafe_code)]

use super::bands::{MAX_HIGH, MAX_NOISE_BANDS};
use super::data::{ChannelData, MAX_NOISE_FLOORS};
use super::grid::MAX_ENVELOPES;
use crate::math;

/// Envelopes above this are damaged; FFmpeg takes 1 in place of them.
const MAX_ENERGY: f32 = 1e20;
/// NOISE_FLOOR_OFFSET
const NOISE_OFFSET: i32 = 6;
/// The balance of two channels that are alike.
const EVEN_BALANCE: i32 = 12;

/// The energies of a channel: of the bands of each envelope, and of those of each noise floor in proportion to them.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    pub(super) envelopes: [[f32; MAX_HIGH]; MAX_ENVELOPES],
    pub(super) noise_floors: [[f32; MAX_NOISE_BANDS]; MAX_NOISE_FLOORS],
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            envelopes: [[0.0; MAX_HIGH]; MAX_ENVELOPES],
            noise_floors: [[0.0; MAX_NOISE_BANDS]; MAX_NOISE_FLOORS],
        }
    }
}

/// The least of [`POWERS`].
const LEAST_HALVES: i32 = -240;

/// 2 to the power of numbers of halves from -240 to 279.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler computes it, and checks"
)]
static POWERS: [f32; 520] = {
    let mut powers = [0.0; 520];
    let mut place = 0;
    while place < 520 {
        powers[place] = math::exp2_quarters(2 * (place as i32 + LEAST_HALVES)) as f32;
        place += 1;
    }
    powers
};

/// 2 to the power of a number of halves.
fn exp2_halves(halves: i32) -> f32 {
    let place = usize::try_from(halves - LEAST_HALVES).unwrap_or(0);
    POWERS.get(place).copied().unwrap_or(f32::INFINITY)
}

fn halves_per_step(channel: &ChannelData) -> i32 {
    if channel.grid.has_coarse_steps { 2 } else { 1 }
}

fn bounded(energy: f32) -> f32 {
    if energy > MAX_ENERGY { 1.0 } else { energy }
}

impl Levels {
    /// Those of a channel that stands for itself.
    pub(super) fn set(&mut self, channel: &ChannelData) {
        let step = halves_per_step(channel);
        for (number, levels) in self.envelopes.iter_mut().enumerate().take(channel.grid.num_envelopes) {
            for (level, factor) in levels.iter_mut().zip(channel.envelope(number)) {
                *level = bounded(exp2_halves(step * factor + 12));
            }
        }
        for (levels, factors) in self.noise_floors.iter_mut().zip(&channel.noise_floors) {
            for (level, factor) in levels.iter_mut().zip(factors) {
                *level = exp2_halves(2 * (NOISE_OFFSET - factor));
            }
        }
    }

    /// Those of two channels, of which the first has the energies of both and the second the balance.
    pub(super) fn set_pair(pair: [&mut Self; 2], [sum, balance]: [&ChannelData; 2]) {
        let [left, right] = pair;
        let step = halves_per_step(sum);
        let even = if sum.grid.has_coarse_steps { EVEN_BALANCE } else { 2 * EVEN_BALANCE };
        let envelopes = left.envelopes.iter_mut().zip(&mut right.envelopes).enumerate();
        for (number, (left, right)) in envelopes.take(sum.grid.num_envelopes) {
            let factors = sum.envelope(number).iter().zip(balance.envelope(number));
            for ((left, right), (sum, balance)) in left.iter_mut().zip(right).zip(factors) {
                let total = bounded(exp2_halves(step * sum + 14));
                let ratio = exp2_halves(step * (even - balance));
                *left = total / (1.0 + ratio);
                *right = *left * ratio;
            }
        }
        let floors = left.noise_floors.iter_mut().zip(&mut right.noise_floors);
        for ((left, right), (sum, balance)) in floors.zip(sum.noise_floors.iter().zip(&balance.noise_floors))
        {
            for ((left, right), (sum, balance)) in left.iter_mut().zip(right).zip(sum.iter().zip(balance)) {
                let total = exp2_halves(2 * (NOISE_OFFSET + 1 - sum));
                let ratio = exp2_halves(2 * (EVEN_BALANCE - balance));
                *left = total / (1.0 + ratio);
                *right = *left * ratio;
            }
        }
    }
}
