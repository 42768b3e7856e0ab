//! How channels are mixed to another number of channels: the gain of every channel of a file in every channel that is read.

#![forbid(unsafe_code)]

use std::f64::consts::FRAC_1_SQRT_2;

use crate::error::{Error, Parameter, Result};

/// The most channels of a layout with a matrix.
const MAX_CHANNELS: u16 = 8;

// Bits of a WAVE channel mask.
const FRONT_LEFT: u32 = 0x1;
const FRONT_RIGHT: u32 = 0x2;
const FRONT_CENTRE: u32 = 0x4;
const LOW_FREQUENCY: u32 = 0x8;
const BACK_LEFT: u32 = 0x10;
const BACK_RIGHT: u32 = 0x20;
const LEFT_OF_CENTRE: u32 = 0x40;
const RIGHT_OF_CENTRE: u32 = 0x80;
const BACK_CENTRE: u32 = 0x100;
const SIDE_LEFT: u32 = 0x200;
const SIDE_RIGHT: u32 = 0x400;
const KNOWN: u32 = 0x7ff;
const FRONT_PAIR: u32 = FRONT_LEFT | FRONT_RIGHT;

/// The gains of a mix: a row for each channel that is read, with a gain for each channel of the file.
///
/// A channel whose speaker is among those that are read goes there unchanged. The others follow Rec. ITU-R BS.775-3, annex 4, table
/// 2: the centre goes to left and right, and a surround channel to the front of its side, each at -3 dB; one at the back centre goes
/// to both at -6 dB. A pair at the sides goes to one at the back, and the other way round, unchanged, or at -3 dB if the file has both.
/// One channel becomes two as two copies. The low-frequency channel is left out where it has no speaker, and a speaker for which the
/// file has nothing is silent. Last, all gains are divided by the largest sum of a row if that is more than 1, so that nothing clips.
///
/// ```
/// use mapwave_core::ChannelMatrix;
///
/// let mono = ChannelMatrix::between(2, 0, 1)?;
/// assert_eq!(mono.row(0), [0.5, 0.5]);
/// let stereo = ChannelMatrix::between(6, 0x3f, 2)?;
/// assert!((stereo.row(0)[2] / stereo.row(0)[0] - 0.5f64.sqrt()).abs() < 1e-15); // the centre is 3 dB below left
/// # Ok::<(), mapwave_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelMatrix {
    num_inputs: usize,
    gains: Vec<f64>,
}

/// A gain is never a NaN.
impl Eq for ChannelMatrix {}

impl ChannelMatrix {
    /// The matrix from the channels of a file, whose WAVE channel mask says where their speakers are, to another number. A mask
    /// that is 0 or does not match the number of channels stands for the usual layout of that number.
    ///
    /// # Errors
    /// [`Error::Argument`] unless `num_outputs` is 1 to 8, and the file's speakers are known.
    pub fn between(num_inputs: u16, channel_mask: u32, num_outputs: u16) -> Result<Self> {
        let refuse = |expected: String| Error::argument(Parameter::NumChannels, expected, num_outputs);
        let to = usual_mask(num_outputs)
            .ok_or_else(|| refuse(format!("1 to {MAX_CHANNELS}, the layouts that have a matrix")))?;
        let stated = Some(channel_mask).filter(|mask| mask.count_ones() == u32::from(num_inputs));
        let from = stated.or_else(|| usual_mask(num_inputs)).filter(|mask| mask & !KNOWN == 0);
        let from = from.ok_or_else(|| {
            refuse(format!(
                "left out for a file whose {num_inputs} channels have no known layout: choose channels"
            ))
        })?;
        let speakers = |mask: u32| (0..32).map(|bit| 1 << bit).filter(move |speaker| mask & speaker != 0);
        let mut gains: Vec<f64> = speakers(to)
            .flat_map(|output| speakers(from).map(move |input| gain(input, from, output, to)))
            .collect();
        let num_inputs = usize::from(num_inputs);
        let loudest = gains.chunks(num_inputs).map(|row| row.iter().sum::<f64>()).fold(1.0, f64::max);
        gains.iter_mut().for_each(|gain| *gain /= loudest);
        Ok(Self { num_inputs, gains })
    }

    /// The number of channels of the file.
    pub fn num_inputs(&self) -> usize {
        self.num_inputs
    }

    /// The number of channels that are read.
    pub fn num_outputs(&self) -> usize {
        self.gains.len() / self.num_inputs
    }

    /// The gains of the file's channels in an output channel; none if there is no such channel.
    pub fn row(&self, output: usize) -> &[f64] {
        self.rows().nth(output).unwrap_or_default()
    }

    pub(crate) fn rows(&self) -> std::slice::Chunks<'_, f64> {
        self.gains.chunks(self.num_inputs)
    }
}

/// The usual layout of a number of channels, as WAVE files have it.
fn usual_mask(num_channels: u16) -> Option<u32> {
    Some(match num_channels {
        1 => FRONT_CENTRE,
        2 => FRONT_PAIR,
        3 => FRONT_PAIR | FRONT_CENTRE,
        4 => FRONT_PAIR | BACK_LEFT | BACK_RIGHT,
        5 => FRONT_PAIR | FRONT_CENTRE | BACK_LEFT | BACK_RIGHT,
        6 => FRONT_PAIR | FRONT_CENTRE | LOW_FREQUENCY | BACK_LEFT | BACK_RIGHT,
        7 => FRONT_PAIR | FRONT_CENTRE | LOW_FREQUENCY | BACK_CENTRE | SIDE_LEFT | SIDE_RIGHT,
        8 => FRONT_PAIR | FRONT_CENTRE | LOW_FREQUENCY | BACK_LEFT | BACK_RIGHT | SIDE_LEFT | SIDE_RIGHT,
        _ => return None,
    })
}

/// The gain of a speaker of the file, whose speakers are `from`, in one of `to`.
fn gain(input: u32, from: u32, output: u32, to: u32) -> f64 {
    if to & input != 0 {
        return if input == output { 1.0 } else { 0.0 };
    }
    let has = |speakers: u32| to & speakers != 0;
    // The gain towards these speakers.
    let towards = |speakers: u32, gain: f64| if output & speakers != 0 { gain } else { 0.0 };
    // A pair that takes the place of another one.
    let instead =
        |other: u32, taken: u32| towards(other, if from & taken != 0 { FRAC_1_SQRT_2 } else { 1.0 });
    let is_left = input & (FRONT_LEFT | BACK_LEFT | SIDE_LEFT | LEFT_OF_CENTRE) != 0;
    let front = if is_left { FRONT_LEFT } else { FRONT_RIGHT };
    match input {
        LOW_FREQUENCY => 0.0,
        // Everything in one channel, by way of two.
        _ if to == FRONT_CENTRE => {
            let pair = [FRONT_LEFT, FRONT_RIGHT].map(|side| gain(input, from, side, FRONT_PAIR));
            pair.iter().sum::<f64>() * FRAC_1_SQRT_2
        }
        FRONT_CENTRE if from == FRONT_CENTRE => towards(FRONT_PAIR, 1.0),
        FRONT_CENTRE => towards(FRONT_PAIR, FRAC_1_SQRT_2),
        LEFT_OF_CENTRE | RIGHT_OF_CENTRE => towards(front, 1.0),
        BACK_CENTRE if has(BACK_LEFT) => towards(BACK_LEFT | BACK_RIGHT, FRAC_1_SQRT_2),
        BACK_CENTRE if has(SIDE_LEFT) => towards(SIDE_LEFT | SIDE_RIGHT, FRAC_1_SQRT_2),
        BACK_CENTRE => towards(FRONT_PAIR, 0.5),
        BACK_LEFT | BACK_RIGHT if has(BACK_CENTRE) => towards(BACK_CENTRE, FRAC_1_SQRT_2),
        BACK_LEFT if has(SIDE_LEFT) => instead(SIDE_LEFT, SIDE_LEFT),
        BACK_RIGHT if has(SIDE_RIGHT) => instead(SIDE_RIGHT, SIDE_RIGHT),
        SIDE_LEFT if has(BACK_LEFT) => instead(BACK_LEFT, BACK_LEFT),
        SIDE_RIGHT if has(BACK_RIGHT) => instead(BACK_RIGHT, BACK_RIGHT),
        _ => towards(front, FRAC_1_SQRT_2),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const HALF: f64 = FRAC_1_SQRT_2;

    /// The gains before they are divided by their largest sum.
    fn relative(num_inputs: u16, mask: u32, num_outputs: u16) -> Vec<Vec<f64>> {
        let matrix = ChannelMatrix::between(num_inputs, mask, num_outputs).unwrap();
        let largest = matrix.rows().flatten().copied().fold(0.0, f64::max);
        matrix.rows().map(|row| row.iter().map(|gain| gain / largest).collect()).collect()
    }

    fn assert_close(found: &[Vec<f64>], expected: &[&[f64]]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.len(), expected.len());
            assert!(
                found.iter().zip(*expected).all(|(a, b)| (a - b).abs() < 1e-15),
                "{found:?} {expected:?}"
            );
        }
    }

    /// Rec. ITU-R BS.775-3, annex 4, table 2: 3/2 to 2/0, 1/0, 3/0 and 2/2; 3/1 to 2/0.
    #[test]
    fn surround_is_mixed_down_as_the_recommendation_says() {
        let left = [1.0, 0.0, HALF, HALF, 0.0];
        let right = [0.0, 1.0, HALF, 0.0, HALF];
        assert_close(&relative(5, 0x37, 2), &[&left, &right]);
        assert_close(&relative(5, 0x37, 1), &[&[HALF, HALF, 1.0, 0.5, 0.5]]);
        let centre = [0.0, 0.0, 1.0, 0.0, 0.0];
        assert_close(
            &relative(5, 0x37, 3),
            &[&[1.0, 0.0, 0.0, HALF, 0.0], &[0.0, 1.0, 0.0, 0.0, HALF], &centre],
        );
        let backs = ([0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]);
        let fronts = ([1.0, 0.0, HALF, 0.0, 0.0], [0.0, 1.0, HALF, 0.0, 0.0]);
        assert_close(&relative(5, 0x37, 4), &[&fronts.0, &fronts.1, &backs.0, &backs.1]);
        assert_close(&relative(4, 0x107, 2), &[&[1.0, 0.0, HALF, 0.5], &[0.0, 1.0, HALF, 0.5]]);
    }

    #[test]
    fn the_low_frequencies_are_left_out_and_both_pairs_of_7_1_are_mixed() {
        let left = [1.0, 0.0, HALF, 0.0, HALF, 0.0, HALF, 0.0];
        let right = [0.0, 1.0, HALF, 0.0, 0.0, HALF, 0.0, HALF];
        assert_close(&relative(8, 0, 2), &[&left, &right]);
        let matrix = relative(8, 0x63f, 6);
        assert_close(&matrix[4..5], &[&[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, HALF, 0.0]]);
        // Sides alone take the place of the backs.
        let sides = ChannelMatrix::between(6, 0x60f, 6).unwrap();
        assert!((0..6).all(|channel| sides.row(channel)[channel] == 1.0));
    }

    #[test]
    fn nothing_clips_and_what_is_missing_is_silent() {
        for num_inputs in 1..=8 {
            for num_outputs in 1..=8 {
                let matrix = ChannelMatrix::between(num_inputs, 0, num_outputs).unwrap();
                assert_eq!(
                    (matrix.num_inputs(), matrix.num_outputs()),
                    (num_inputs.into(), num_outputs.into())
                );
                let sums = matrix.rows().map(|row| row.iter().sum::<f64>());
                assert!(sums.into_iter().all(|sum| sum <= 1.0 + 1e-15), "{num_inputs} to {num_outputs}");
                if num_inputs == num_outputs {
                    let is_unchanged = |row: usize| (matrix.row(row)[row] - 1.0).abs() == 0.0;
                    assert!((0..num_inputs.into()).all(is_unchanged));
                }
            }
        }
        assert_close(&relative(1, 0, 2), &[&[1.0], &[1.0]]);
        assert_close(&relative(1, 0, 6), &[&[0.0], &[0.0], &[1.0], &[0.0], &[0.0], &[0.0]]);
        assert_close(&relative(2, 0, 3), &[&[1.0, 0.0], &[0.0, 1.0], &[0.0, 0.0]]);
    }

    #[test]
    fn layouts_without_a_matrix_are_refused() {
        let message =
            |inputs, mask, outputs| ChannelMatrix::between(inputs, mask, outputs).unwrap_err().to_string();
        assert!(message(2, 3, 9).contains("1 to 8"), "{}", message(2, 3, 9));
        assert!(message(2, 3, 0).contains("1 to 8"));
        assert!(message(16, 0, 2).contains("no known layout"));
        assert!(message(4, 0xf000, 2).contains("no known layout"), "speakers above the listener");
    }
}
