//! Whether two decodes of the same frames are in place: one from the front, and one that started in the middle.
//!
//! A codec with noise of its own never gives the same samples twice, so samples are not compared one by one: both must have the
//! same signal, and at no other distance may they be more alike.

#![forbid(unsafe_code)]

/// The number of frames that are compared.
pub(super) const NUM_FRAMES: usize = 8192;

/// The distances at which decodes may be more alike: every one up to here, and multiples of a small block further out.
const NEAR: usize = 64;
const BLOCK: usize = 64;

/// The greatest part of the signal's energy that the difference may have: -10 dB.
const MAX_DIFFERENCE: f64 = 0.1;

/// The part below which it does not matter.
const EQUAL: f64 = 1e-6;

/// The energy of a sample that counts as silence: less than a step of 16 bits.
const SILENCE: f64 = 1e-10;

/// Whether `entered` has the signal of `front` in the same place, both interleaved.
pub(super) fn matches(front: &[f32], entered: &[f32], num_channels: usize) -> bool {
    if front.len() != entered.len() {
        return false;
    }
    let num_channels = num_channels.max(1);
    (0..num_channels).all(|channel| {
        let of = |samples: &[f32]| -> Vec<f32> {
            samples.iter().skip(channel).step_by(num_channels).copied().collect()
        };
        channel_matches(&of(front), &of(entered))
    })
}

fn channel_matches(front: &[f32], entered: &[f32]) -> bool {
    let energy: f64 = front.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let in_place = difference(front, entered);
    let silence = SILENCE * front.len() as f64;
    if in_place <= energy * EQUAL || (energy <= silence && in_place <= silence) {
        return true;
    }
    // The frames that both have at a distance, in place and displaced, late and early.
    let is_nearest = |distance: usize| {
        let (front_end, entered_end) = (front.get(distance..), entered.get(distance..));
        let (front_end, entered_end) = (front_end.unwrap_or_default(), entered_end.unwrap_or_default());
        let num_frames = front_end.len();
        let front_start = front.get(..num_frames).unwrap_or_default();
        difference(front_start, entered) <= difference(front_start, entered_end)
            && difference(front_end, entered_end) <= difference(front_end, entered)
    };
    let reach = front.len() / 2;
    let mut distances = (1..NEAR.min(reach)).chain((NEAR..=reach).step_by(BLOCK));
    in_place <= energy * MAX_DIFFERENCE && distances.all(is_nearest)
}

/// The energy of the difference, as far as both go.
fn difference(one: &[f32], other: &[f32]) -> f64 {
    one.iter().zip(other).map(|(one, other)| (f64::from(*one) - f64::from(*other)).powi(2)).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// A signal that never repeats, with noise of a seed on it.
    fn signal(num_frames: usize, noise: f32, mut seed: u32) -> Vec<f32> {
        let sample = |number: usize| {
            let time = number as f32 / 44_100.0;
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let random = (seed >> 8) as f32 / 8_388_608.0 - 1.0;
            (2000.0 * time * (1.0 + time)).sin() * 0.5 + noise * random
        };
        (0..num_frames).map(sample).collect()
    }

    #[test]
    fn noise_is_no_displacement() {
        let front = signal(NUM_FRAMES, 0.05, 1);
        assert!(matches(&front, &front, 1));
        assert!(matches(&front, &signal(NUM_FRAMES, 0.05, 2), 1));
        assert!(!matches(&front, &signal(NUM_FRAMES, 0.9, 2), 1), "hardly the same signal");
    }

    #[test]
    fn what_is_displaced_is_found() {
        let long = signal(3 * NUM_FRAMES, 0.01, 1);
        let front = &long[NUM_FRAMES..2 * NUM_FRAMES];
        for distance in [1, 2, 7, 63, 256, 1152, 2048, 4096] {
            for start in [NUM_FRAMES - distance, NUM_FRAMES + distance] {
                assert!(!matches(front, &long[start..start + NUM_FRAMES], 1), "{distance} from {start}");
            }
        }
        assert!(!matches(front, &front[1..], 1), "fewer frames");
    }

    #[test]
    fn silence_is_in_place_and_only_like_silence() {
        let silence = vec![0.0; NUM_FRAMES];
        let sound = signal(NUM_FRAMES, 0.0, 1);
        assert!(matches(&silence, &silence, 1) && matches(&[], &[], 1));
        assert!(!matches(&silence, &sound, 1) && !matches(&sound, &silence, 1));
    }

    #[test]
    fn each_channel_is_proven() {
        let sound = signal(NUM_FRAMES, 0.0, 1);
        let stereo: Vec<f32> = sound.iter().flat_map(|sample| [*sample, 0.5 * sample]).collect();
        let mono: Vec<f32> = sound.iter().flat_map(|sample| [1.5 * sample, 0.0]).collect();
        assert!(matches(&stereo, &stereo, 2));
        assert!(!matches(&stereo, &mono, 2), "parametric stereo without its parameters");
    }
}
