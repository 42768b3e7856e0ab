//! How much of the sound and of its decorrelated copy each channel gets (ISO/IEC 14496-3, 8.6.4.6.2 and 8.6.4.6.3).

#![forbid(unsafe_code)]

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, LOG2_10, PI, SQRT_2};

use crate::math;

/// h11, h12, h21 and h22: the left and the right channel's share of the sound, and those of its copy.
pub(super) type Matrix = [f32; 4];

/// Differences of intensity in decibels (tables 8.25 and 8.26), by the numbers of steps from -7 and from -15.
const DECIBELS: [f64; 46] = [
    -25.0, -18.0, -14.0, -10.0, -7.0, -4.0, -2.0, 0.0, 2.0, 4.0, 7.0, 10.0, 14.0, 18.0, 25.0, -50.0, -45.0,
    -40.0, -35.0, -30.0, -25.0, -22.0, -19.0, -16.0, -13.0, -10.0, -8.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0,
    6.0, 8.0, 10.0, 13.0, 16.0, 19.0, 22.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0,
];
/// Coherences (table 8.28), and their arc cosines.
const COHERENCES: [f64; 8] = [1.0, 0.937, 0.841_18, 0.600_92, 0.367_64, 0.0, -0.589, -1.0];
const ANGLES: [f64; 8] =
    [0.0, 0.356_855_27, 0.571_334_66, 0.926_144_72, 1.194_326_3, FRAC_PI_2, 2.200_617_1, PI];

/// The sine by its series, of angles up to 4.
const fn sine(angle: f64) -> f64 {
    let (mut term, mut sum, mut n) = (angle, angle, 1.0);
    while n < 40.0 {
        term *= -angle * angle / ((n + 1.0) * (n + 2.0));
        sum += term;
        n += 2.0;
    }
    sum
}

const fn cosine(angle: f64) -> f64 {
    sine(FRAC_PI_2 - angle)
}

const fn rounded(values: [f64; 4]) -> Matrix {
    #[expect(clippy::cast_possible_truncation, reason = "to the precision of samples")]
    const fn round(value: f64) -> f32 {
        value as f32
    }
    let [a, b, c, d] = values;
    [round(a), round(b), round(c), round(d)]
}

/// Mixing of the first kind: both channels have the same share of the copy, apart from its sign.
const fn symmetric(ratio: f64, angle: f64) -> Matrix {
    let right = SQRT_2 / math::sqrt(1.0 + ratio * ratio);
    let left = ratio * right;
    let alpha = angle / 2.0;
    let beta = alpha * (right - left) * FRAC_1_SQRT_2;
    rounded([
        left * cosine(beta + alpha),
        right * cosine(beta - alpha),
        left * sine(beta + alpha),
        right * sine(beta - alpha),
    ])
}

/// Mixing of the second kind: a rotation of sound and copy. With tan 2α = 2 c ρ / (c² - 1) and cos 2γ = µ.
const fn rotated(ratio: f64, coherence: f64) -> Matrix {
    let rho = if coherence > 0.05 { coherence } else { 0.05 };
    let (x, y) = (ratio * ratio - 1.0, 2.0 * ratio * rho);
    let cosine_of_twice = x / math::sqrt(x * x + y * y);
    let (cos_alpha, sin_alpha) =
        (math::sqrt((1.0 + cosine_of_twice) / 2.0), math::sqrt((1.0 - cosine_of_twice) / 2.0));
    let sum = ratio + 1.0 / ratio;
    let mu = math::sqrt(1.0 + (4.0 * rho * rho - 4.0) / (sum * sum));
    let (cos_gamma, sin_gamma) = (math::sqrt((1.0 + mu) / 2.0), math::sqrt((1.0 - mu) / 2.0));
    rounded([
        SQRT_2 * cos_alpha * cos_gamma,
        SQRT_2 * sin_alpha * cos_gamma,
        -SQRT_2 * sin_alpha * sin_gamma,
        SQRT_2 * cos_alpha * sin_gamma,
    ])
}

#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
const fn matrices(is_rotated: bool) -> [[Matrix; 8]; 46] {
    let mut matrices = [[[0.0; 4]; 8]; 46];
    let mut intensity = 0;
    while intensity < 46 {
        let ratio = math::exp2(DECIBELS[intensity] / 20.0 * LOG2_10);
        let mut coherence = 0;
        while coherence < 8 {
            matrices[intensity][coherence] = if is_rotated {
                rotated(ratio, COHERENCES[coherence])
            } else {
                symmetric(ratio, ANGLES[coherence])
            };
            coherence += 1;
        }
        intensity += 1;
    }
    matrices
}

static SYMMETRIC: [[Matrix; 8]; 46] = matrices(false);
static ROTATED: [[Matrix; 8]; 46] = matrices(true);

/// The matrix of a band by its numbers of steps.
pub(super) fn matrix(intensity: i32, is_fine: bool, coherence: i32, is_rotated: bool) -> Matrix {
    let matrices = if is_rotated { &ROTATED } else { &SYMMETRIC };
    let row =
        usize::try_from(intensity + if is_fine { 30 } else { 7 }).ok().and_then(|row| matrices.get(row));
    let matrix = row.and_then(|row| row.get(usize::try_from(coherence).ok()?));
    matrix.copied().unwrap_or([1.0, 1.0, 0.0, 0.0])
}

/// Of three phases in eighths of a turn, the last with twice the weight of that before and so on, the direction.
#[expect(clippy::indexing_slicing, reason = "three bits")]
pub(super) fn direction(phases: [usize; 3]) -> [f32; 2] {
    const HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
    const TURNS: [[f32; 2]; 8] = [
        [1.0, 0.0],
        [HALF, HALF],
        [0.0, 1.0],
        [-HALF, HALF],
        [-1.0, 0.0],
        [-HALF, -HALF],
        [0.0, -1.0],
        [HALF, -HALF],
    ];
    let [before_that, before, now] = phases.map(|phase| TURNS[phase % 8]);
    let [re, im] = [0, 1].map(|part| 0.25 * before_that[part] + 0.5 * before[part] + now[part]);
    let length = (re * re + im * im).sqrt();
    [re / length, im / length]
}
