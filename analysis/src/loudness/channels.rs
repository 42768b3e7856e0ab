//! The weight of each channel in the loudness.

const LOW_FREQUENCY: u32 = 0x8;
const BACK_PAIR: u32 = 0x30;
const BACK_CENTRE: u32 = 0x100;
const SIDE_PAIR: u32 = 0x600;

/// The weight of what comes from the sides (ITU-R BS.1770-5, table 3).
const SURROUND: f64 = 1.41;

/// The usual arrangement of so many channels as a WAVE channel mask; 0 where there is none.
fn usual_mask(num_channels: u16) -> u32 {
    match num_channels {
        1 => 0x4,
        2 => 0x3,
        3 => 0x7,
        4 => 0x33,
        5 => 0x37,
        6 => 0x3f,
        7 => 0x70f,
        8 => 0x63f,
        _ => 0,
    }
}

/// The weights of the channels at the positions of `mask`, or at the usual ones if it is 0.
///
/// ITU-R BS.1770-5 gives 1.41 to speakers between 60 and 120 degrees off the centre, nothing to the low-frequency channel, and 1
/// to all others. The surround pair of 5.1 is such a pair under whichever name; where there are side and back pairs, the back
/// pair stands at 135 degrees.
pub(super) fn weights(num_channels: u16, mask: u32) -> Vec<f64> {
    let is_stated = mask.count_ones() == u32::from(num_channels);
    let mask = if is_stated { mask } else { usual_mask(num_channels) };
    let has_sides = mask & SIDE_PAIR != 0;
    let weight = |position: u32| match position {
        LOW_FREQUENCY => 0.0,
        _ if position & SIDE_PAIR != 0 => SURROUND,
        _ if position & (BACK_PAIR | BACK_CENTRE) != 0 && !has_sides => SURROUND,
        _ => 1.0,
    };
    let positions = (0..32).map(|bit| 1_u32 << bit).filter(|position| mask & position != 0);
    let mut weights: Vec<f64> = positions.map(weight).collect();
    weights.resize(num_channels.into(), 1.0);
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surround_channels_weigh_more_and_the_low_frequency_channel_nothing() {
        assert_eq!(weights(1, 0), [1.0]);
        assert_eq!(weights(2, 0x3), [1.0, 1.0]);
        for mask in [0, 0x3f, 0x60f] {
            assert_eq!(weights(6, mask), [1.0, 1.0, 1.0, 0.0, SURROUND, SURROUND], "{mask:#x}");
        }
        assert_eq!(weights(8, 0x63f), [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, SURROUND, SURROUND]);
        assert_eq!(weights(4, 0x33), [1.0, 1.0, SURROUND, SURROUND]);
        assert_eq!(weights(12, 0), [1.0; 12]);
    }
}
