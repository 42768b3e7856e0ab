//! The lines of floors of type 1 (section 7.2.4, step 2).
//!
//! A line runs over whole numbers, as Bresenham's (`render_line`, section 9.2.7). Its level after k steps from the left end is
//! y0 ± floor(k |dy| / dx), which does not need the step before and so is computed for several places at once.

#![forbid(unsafe_code)]

/// The longest line whose levels are computed with a slope of 24 bits after the point.
const MAX_RUN: u32 = 4096;

/// The amplitudes of all levels, in steps of 140/256 dB down from 1 (`floor1_inverse_dB_table`, section 10.1).
///
/// The table of the specification is exp(0.11512925 * 0.546875 * (level - 255)), rounded to eight digits.
#[expect(clippy::cast_possible_truncation, reason = "amplitudes are single precision")]
pub(crate) fn inverse_decibels() -> Box<[f32; 256]> {
    let mut amplitudes = Box::new([0.0; 256]);
    for (level, amplitude) in (0..=255_u8).zip(amplitudes.iter_mut()) {
        let exact = (0.115_129_25 * 0.546_875 * (f64::from(level) - 255.0)).exp();
        let scale = 10.0_f64.powi(7 - exact.log10().floor() as i32);
        *amplitude = ((exact * scale).round() / scale) as f32;
    }
    amplitudes
}

/// Multiplies a spectrum by the amplitudes of lines between corners; the last level goes on to the end.
#[inline(always)]
pub(super) fn multiply(corners: &[(u32, u8)], amplitudes: &[f32; 256], spectrum: &mut [f32]) {
    let num_values = spectrum.len();
    for pair in corners.windows(2) {
        let [(start, from), (end, to)] = *pair else { continue };
        let line = spectrum.get_mut((start as usize).min(num_values)..(end as usize).min(num_values));
        multiply_line(from, to, end - start, amplitudes, line.unwrap_or_default());
    }
    if let Some((end, level)) = corners.last() {
        let amplitude = amplitude(amplitudes, *level);
        let rest = spectrum.get_mut(*end as usize..).unwrap_or_default();
        rest.iter_mut().for_each(|value| *value *= amplitude);
    }
}

/// The beginning of a line that is `run` values long.
#[inline(always)]
fn multiply_line(from: u8, to: u8, run: u32, amplitudes: &[f32; 256], values: &mut [f32]) {
    if from == to {
        let amplitude = amplitude(amplitudes, from);
        values.iter_mut().for_each(|value| *value *= amplitude);
        return;
    }
    let rise = i32::from(to) - i32::from(from);
    if run > MAX_RUN {
        for (step, value) in (0_u32..).zip(values) {
            let risen = (step * rise.unsigned_abs() / run).cast_signed();
            let level = i32::from(from) + rise.signum() * risen;
            *value *= amplitude(amplitudes, u8::try_from(level).unwrap_or(u8::MAX));
        }
        return;
    }
    // The level with 24 bits after the point goes up or down by the same each step. A slope that is rounded up is less than one
    // unit too steep, which is less than 1 / run in all; and what falls is rounded up.
    let slope = ((rise.unsigned_abs() << 24) / run + 1).cast_signed();
    let (start, step) = if rise > 0 { (0, slope) } else { (0xFF_FFFF, -slope) };
    let mut level = u32::from(from) << 24 | start;
    for value in values {
        *value *= amplitude(amplitudes, level.to_be_bytes()[0]);
        level = level.wrapping_add_signed(step);
    }
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "there are 256")]
fn amplitude(amplitudes: &[f32; 256], level: u8) -> f32 {
    amplitudes[usize::from(level)]
}

#[cfg(test)]
#[allow(clippy::float_cmp, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// `render_line` of section 9.2.7, step by step.
    fn bresenham(start: u32, end: u32, from: i32, to: i32, levels: &mut Vec<i32>) {
        let (run, rise) = ((end - start).cast_signed(), to - from);
        let base = rise / run;
        let sign = if rise < 0 { base - 1 } else { base + 1 };
        let rest = rise.abs() - base.abs() * run;
        let (mut level, mut error) = (from, 0);
        levels.push(level);
        for _ in start + 1..end {
            error += rest;
            if error >= run {
                error -= run;
                level += sign;
            } else {
                level += base;
            }
            levels.push(level);
        }
    }

    #[test]
    fn levels_are_those_of_the_specification() {
        let amplitudes: [f32; 256] = std::array::from_fn(|level| level as f32 + 1.0);
        let runs = [1, 2, 3, 5, 7, 31, 32, 100, 255, 256, 257, 1000, 2047, 4093, 4095, 4096, 4097, 32_768];
        for run in runs {
            for (from, to) in (0..=255).step_by(5).map(|from| (from, (from * 7 + run) % 256)) {
                let mut expected = Vec::new();
                bresenham(0, run, from.cast_signed(), to.cast_signed(), &mut expected);
                let (from, to) = (u8::try_from(from).unwrap_or(0), u8::try_from(to).unwrap_or(0));
                let mut spectrum = vec![1.0; run as usize + 3];
                multiply(&[(0, from), (run, to)], &amplitudes, &mut spectrum);
                expected.extend([i32::from(to); 3]);
                for (found, expected) in spectrum.iter().zip(expected) {
                    assert_eq!(*found, expected as f32 + 1.0, "{run}: {from} to {to}");
                }
                let mut short = vec![1.0; run as usize / 2];
                multiply(&[(0, from), (run, to)], &amplitudes, &mut short);
                assert!(short == spectrum[..short.len()]);
            }
        }
    }

    #[test]
    fn amplitudes_are_rounded_to_eight_digits() {
        let amplitudes = inverse_decibels();
        for (level, amplitude) in amplitudes.iter().enumerate() {
            let exact = (0.115_129_25 * 0.546_875 * (level as f64 - 255.0)).exp();
            let printed: f32 = format!("{exact:.7e}").parse().unwrap_or(0.0);
            assert_eq!(*amplitude, printed, "{level}");
        }
        // From the table in section 10.1.
        assert_eq!([amplitudes[0], amplitudes[1], amplitudes[255]], [1.064_986_3e-7, 1.134_195_1e-7, 1.0]);
    }
}
