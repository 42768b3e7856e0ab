//! The windows of the filter bank (ISO/IEC 14496-3, 4.6.11.3.2): the half that rises, by their formulas.

#![forbid(unsafe_code)]

use std::f64::consts::PI;

use crate::math;

/// A window's rising half.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler computes it, and checks"
)]
const fn sine<const N: usize>() -> [f32; N] {
    let mut window = [0.0; N];
    let mut n = 0;
    while n < N {
        window[n] = math::sin_pi(2 * n as i64 + 1, 4 * N as i64) as f32;
        n += 1;
    }
    window
}

/// The Kaiser-Bessel derived window's rising half: roots of sums of a Kaiser window of N + 1 points.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler computes it, and checks"
)]
const fn kaiser_bessel<const N: usize>(alpha: f64) -> [f32; N] {
    let mut kaiser = [0.0; N];
    let mut total = 0.0;
    let mut n = 0;
    while n <= N {
        let place = (2 * n as i64 - N as i64) as f64 / N as f64;
        let value = math::bessel(PI * alpha * math::sqrt(1.0 - place * place));
        if n < N {
            kaiser[n] = value;
        }
        total += value;
        n += 1;
    }
    let (mut window, mut sum) = ([0.0; N], 0.0);
    n = 0;
    while n < N {
        sum += kaiser[n];
        window[n] = math::sqrt(sum / total) as f32;
        n += 1;
    }
    window
}

static SINE_1024: [f32; 1024] = sine();
static SINE_960: [f32; 960] = sine();
static SINE_128: [f32; 128] = sine();
static SINE_120: [f32; 120] = sine();
static KBD_1024: [f32; 1024] = kaiser_bessel(4.0);
static KBD_960: [f32; 960] = kaiser_bessel(4.0);
static KBD_128: [f32; 128] = kaiser_bessel(6.0);
static KBD_120: [f32; 120] = kaiser_bessel(6.0);

/// The slope of long windows, by the number of frames of a packet.
#[inline(always)]
pub(crate) fn long(num_frames: usize, is_kbd: bool) -> &'static [f32] {
    match (num_frames == 960, is_kbd) {
        (false, false) => &SINE_1024,
        (false, true) => &KBD_1024,
        (true, false) => &SINE_960,
        (true, true) => &KBD_960,
    }
}

/// The slope of short windows, by the number of frames of a packet.
#[inline(always)]
pub(crate) fn short(num_frames: usize, is_kbd: bool) -> &'static [f32] {
    match (num_frames == 960, is_kbd) {
        (false, false) => &SINE_128,
        (false, true) => &KBD_128,
        (true, false) => &SINE_120,
        (true, true) => &KBD_120,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_one_block_and_the_next_add_up_to_one() {
        for num_frames in [960, 1024] {
            for is_kbd in [false, true] {
                for window in [long(num_frames, is_kbd), short(num_frames, is_kbd)] {
                    for (rising, falling) in window.iter().zip(window.iter().rev()) {
                        let power = f64::from(*rising).powi(2) + f64::from(*falling).powi(2);
                        assert!((power - 1.0).abs() < 2e-7, "{power}");
                    }
                    assert!(window.is_sorted());
                }
            }
        }
    }
}
