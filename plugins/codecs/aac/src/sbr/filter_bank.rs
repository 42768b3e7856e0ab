//! The analysis and synthesis filter banks of complex subband samples (ISO/IEC 14496-3, 4.6.18.4).
//!
//! Both are Fourier transforms of frequencies k + ½, of which eight slots lie side by side in the lanes of vectors.
//!
//! The analysis sums 320 samples to 64 numbers u. Its subbands W(k) = 2 Σ u(n) exp(πi (k + ½)(2n - ½) / 64), k < 32, are those of a
//! transform of 32 complex points: with z(n) = (u(n) + i u(n + 32)) exp(πi n / 64) and Z = Σ z(n) exp(2πi l n / 32), the sum of u(n)
//! exp(πi (k + ½) n / 32) is Z(k / 2) where k is even, and the conjugate of Z((63 - k) / 2) where it is odd.
//!
//! The synthesis makes 128 numbers v of a slot, v(n) = Re Σ X(k) exp(πi (k + ½)(2n - 255) / 128) / 64. They are those of a transform of 64
//! complex points by the same rule: with Y(k) = X(k) exp(-255 πi (k + ½) / 128) / 64, continued by Y(127 - k) = the conjugate of Y(k), it
//! is v(n) - i v(n + 64) = exp(πi n / 128) Σ Y(2l) exp(2πi l n / 64).
//!
//! All is conjugated below, because the transforms have negative exponents.

#![forbid(unsafe_code)]

use super::slots::{LowSlots, MAX_SLOTS, NUM_LOW, NUM_SUBBANDS, SLOTS_BEFORE, Slot, Slots};
use super::window::WINDOW;
use crate::math;
use crate::transform::{Complex, NUM_LANES, Stored, Vector, fourier_32, fourier_64, from_rows, to_rows};

/// The samples that the analysis window reaches back.
const ANALYSIS_BEFORE: usize = 288;
/// The slots that the synthesis window reaches back.
const SYNTHESIS_BEFORE: usize = 9;
/// Samples have the scale of 16 bits in subbands.
const SCALE: f64 = 32768.0;

/// Samples of the core that the next packet takes.
#[derive(Clone, Debug)]
pub(super) struct Analysis {
    before: [f32; ANALYSIS_BEFORE],
}

/// What the synthesis keeps of the last slots.
#[derive(Clone, Debug)]
pub(super) struct Synthesis {
    before: [[f32; 128]; SYNTHESIS_BEFORE],
}

/// exp(-πi times a fraction) times a factor.
#[expect(clippy::cast_possible_truncation, reason = "to the precision of samples")]
const fn turn(numerator: i64, denominator: i64, factor: f64) -> [f32; 2] {
    [
        (math::cos_pi(numerator, denominator) * factor) as f32,
        (-math::sin_pi(numerator, denominator) * factor) as f32,
    ]
}

/// Factors of the points before and after the transforms.
#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
const fn turns<const COUNT: usize>(
    multiple: i64,
    offset: i64,
    denominator: i64,
    factor: f64,
) -> [[f32; 2]; COUNT] {
    let mut factors = [[0.0; 2]; COUNT];
    let mut n = 0;
    while n < COUNT {
        factors[n] = turn(multiple * n as i64 + offset, denominator, factor);
        n += 1;
    }
    factors
}

static ANALYSIS_BEFORE_FOURIER: [[f32; 2]; 32] = turns(1, 0, 64, 2.0 * SCALE);
/// exp(πi (k + ½) / 128), conjugated
static ANALYSIS_AFTER_FOURIER: [[f32; 2]; 32] = turns(-2, -1, 256, 1.0);
/// exp(255 πi (k + ½) / 128)
static SYNTHESIS_BEFORE_FOURIER: [[f32; 2]; 64] = turns(-510, -255, 256, 1.0 / 64.0 / SCALE);
static SYNTHESIS_AFTER_FOURIER: [[f32; 2]; 64] = turns(1, 0, 128, 1.0);

/// The window of the analysis, backwards.
#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
static ANALYSIS_WINDOW: [f32; 320] = {
    let mut window = [0.0; 320];
    let mut n = 0;
    while n < 320 {
        window[319 - n] = WINDOW[2 * n];
        n += 1;
    }
    window
};

impl Default for Analysis {
    fn default() -> Self {
        Self { before: [0.0; ANALYSIS_BEFORE] }
    }
}

impl Default for Synthesis {
    fn default() -> Self {
        Self { before: [[0.0; 128]; SYNTHESIS_BEFORE] }
    }
}

impl Analysis {
    /// Splits the samples of a packet, 32 for each slot, into subbands, which follow those of the slots before.
    #[inline(always)]
    pub(super) fn apply<V: Vector>(&mut self, proof: V::Proof, samples: &[f32], low: &mut LowSlots) {
        let mut all = [0.0; ANALYSIS_BEFORE + MAX_SLOTS * NUM_LOW];
        let (before, now) = all.split_at_mut(ANALYSIS_BEFORE);
        before.copy_from_slice(&self.before);
        now.iter_mut().zip(samples).for_each(|(to, sample)| *to = *sample);
        let num_slots = samples.len() / NUM_LOW;
        let (_, low) = low.split_at_mut(SLOTS_BEFORE);
        for (group, low) in low.chunks_mut(NUM_LANES).enumerate().take(num_slots.div_ceil(NUM_LANES)) {
            let mut sums = [[0.0; 64]; NUM_LANES];
            for (lane, sums) in sums.iter_mut().enumerate() {
                let first = (group * NUM_LANES + lane) * NUM_LOW;
                let reach = all.get(first..first + 320).unwrap_or_default();
                let parts = reach.as_chunks::<64>().0.iter().zip(ANALYSIS_WINDOW.as_chunks::<64>().0);
                for (samples, window) in parts {
                    for (sum, (sample, factor)) in sums.iter_mut().zip(samples.iter().zip(window)) {
                        *sum += sample * factor;
                    }
                }
            }
            let mut rows = [[0.0; NUM_LANES]; 64];
            to_rows::<V>(proof, &sums.each_ref().map(|sums| &sums[..]), &mut rows);
            analyse::<V>(proof, &mut rows);
            let mut slots = [[0.0; 64]; NUM_LANES];
            from_rows::<V>(proof, &rows, &mut slots.each_mut().map(|slot| &mut slot[..]));
            for (to, slot) in low.iter_mut().zip(&slots) {
                let (re, im) = slot.split_at(NUM_LOW);
                to.re.copy_from_slice(re);
                to.im.copy_from_slice(im);
            }
        }
        let rest = all.get(samples.len()..samples.len() + ANALYSIS_BEFORE).unwrap_or(&self.before);
        self.before = rest.try_into().unwrap_or([0.0; ANALYSIS_BEFORE]);
    }
}

/// Rows of u, the last of which is u(0), to the real parts of 32 subbands, and then their imaginary parts.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "64 rows, and 32 points")]
fn analyse<V: Vector>(proof: V::Proof, rows: &mut [[f32; NUM_LANES]; 64]) {
    let mut points: [Stored; 32] = [([0.0; NUM_LANES], [0.0; NUM_LANES]); 32];
    for (n, (point, factor)) in points.iter_mut().zip(&ANALYSIS_BEFORE_FOURIER).enumerate() {
        // The conjugate of z
        let z = Complex { re: V::load(proof, &rows[63 - n]), im: V::load(proof, &rows[31 - n]).negated() };
        (z * Complex::splat(proof, *factor)).store(point);
    }
    fourier_32::<V>(proof, &mut points);
    for (k, factor) in ANALYSIS_AFTER_FOURIER.iter().enumerate() {
        let place = if k % 2 == 0 { k / 2 } else { (63 - k) / 2 };
        let sum = Complex::<V>::load(proof, &points[place]);
        let sum = if k % 2 == 0 { sum } else { Complex { re: sum.re, im: sum.im.negated() } };
        let subband = sum * Complex::splat(proof, *factor);
        subband.re.store(&mut rows[k]);
        subband.im.negated().store(&mut rows[NUM_LOW + k]);
    }
}

impl Synthesis {
    /// Joins the subbands of as many slots as there are samples for, 64 each.
    #[inline(always)]
    pub(super) fn apply<V: Vector>(&mut self, proof: V::Proof, slots: &Slots, samples: &mut [f32]) {
        let num_slots = samples.len() / NUM_SUBBANDS;
        let mut all = [[0.0; 128]; SYNTHESIS_BEFORE + MAX_SLOTS];
        let (before, now) = all.split_at_mut(SYNTHESIS_BEFORE);
        before.copy_from_slice(&self.before);
        let groups =
            slots.get(..MAX_SLOTS).unwrap_or_default().chunks(NUM_LANES).zip(now.chunks_mut(NUM_LANES));
        for (slots, to) in groups.take(num_slots.div_ceil(NUM_LANES)) {
            let (Ok(slots), Ok(to)): (Result<&[_; NUM_LANES], _>, Result<&mut [_; NUM_LANES], _>) =
                (slots.try_into(), to.try_into())
            else {
                continue;
            };
            synthesise::<V>(proof, slots, to);
        }
        let (outputs, _) = samples.as_chunks_mut::<NUM_SUBBANDS>();
        for (slot, output) in outputs.iter_mut().enumerate() {
            *output = [0.0; NUM_SUBBANDS];
            for (part, window) in WINDOW.as_chunks::<64>().0.iter().enumerate() {
                let Some(values) = all.get(slot + SYNTHESIS_BEFORE - part) else { continue };
                let values = values.as_chunks::<64>().0.get(part % 2).unwrap_or(&[0.0; 64]);
                for (to, (value, factor)) in output.iter_mut().zip(values.iter().zip(window)) {
                    *to += value * factor;
                }
            }
        }
        let rest = all.get(num_slots..num_slots + SYNTHESIS_BEFORE).unwrap_or_default();
        self.before.copy_from_slice(rest);
    }
}

/// The numbers v of eight slots.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "64 rows and points")]
fn synthesise<V: Vector>(
    proof: V::Proof,
    slots: &[Slot<NUM_SUBBANDS>; NUM_LANES],
    to: &mut [[f32; 128]; NUM_LANES],
) {
    let (mut re, mut im) = ([[0.0; NUM_LANES]; 64], [[0.0; NUM_LANES]; 64]);
    to_rows::<V>(proof, &slots.each_ref().map(|slot| &slot.re[..]), &mut re);
    to_rows::<V>(proof, &slots.each_ref().map(|slot| &slot.im[..]), &mut im);
    let mut points: [Stored; 64] = [([0.0; NUM_LANES], [0.0; NUM_LANES]); 64];
    for (k, factor) in SYNTHESIS_BEFORE_FOURIER.iter().enumerate() {
        // The conjugate of Y
        let x = Complex { re: V::load(proof, &re[k]), im: V::load(proof, &im[k]).negated() };
        let y = x * Complex::splat(proof, *factor);
        if k % 2 == 0 {
            y.store(&mut points[k / 2]);
        } else {
            Complex { re: y.re, im: y.im.negated() }.store(&mut points[(127 - k) / 2]);
        }
    }
    fourier_64::<V>(proof, &mut points);
    for (n, factor) in SYNTHESIS_AFTER_FOURIER.iter().enumerate() {
        let v = Complex::<V>::load(proof, &points[n]) * Complex::splat(proof, *factor);
        v.re.store(&mut re[n]);
        v.im.store(&mut im[n]);
    }
    let mut halves = to.each_mut().map(|to| to.split_at_mut(64));
    from_rows::<V>(proof, &re, &mut halves.each_mut().map(|(first, _)| &mut **first));
    from_rows::<V>(proof, &im, &mut halves.each_mut().map(|(_, second)| &mut **second));
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;
    use crate::transform::Lanes;

    fn noise(state: &mut u64) -> f32 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32 / 8_388_608.0 - 1.0
    }

    fn is_near(found: f32, expected: f64, scale: f64) -> bool {
        (f64::from(found) - expected).abs() < 1e-6 * scale
    }

    #[test]
    fn analysis_is_that_of_the_formulas() {
        let (mut state, mut analysis) = (3, Analysis::default());
        let mut all = vec![0.0_f32; ANALYSIS_BEFORE];
        for num_slots in [32, 30, 32] {
            let samples: Vec<f32> = (0..num_slots * 32).map(|_| noise(&mut state)).collect();
            let mut low = [Slot::SILENT; SLOTS_BEFORE + MAX_SLOTS];
            analysis.apply::<Lanes>((), &samples, &mut low);
            let first = all.len();
            all.extend(samples);
            for slot in 0..num_slots {
                let newest = first + slot * 32 + 31;
                let u = |n: usize| {
                    let parts = (0..5).map(|j| n + 64 * j);
                    parts.map(|m| f64::from(all[newest - m]) * f64::from(WINDOW[2 * m])).sum::<f64>()
                };
                let u: Vec<f64> = (0..64).map(u).collect();
                for k in 0..32_i64 {
                    let (mut re, mut im) = (0.0, 0.0);
                    for (n, u) in (0_i64..).zip(&u) {
                        // π / 64 (k + 1/2) (2n - 1/2)
                        let place = (2 * k + 1) * (4 * n - 1);
                        re += u * 2.0 * math::cos_pi(place, 256) * SCALE;
                        im += u * 2.0 * math::sin_pi(place, 256) * SCALE;
                    }
                    let found = &low[SLOTS_BEFORE + slot];
                    assert!(is_near(found.re[k as usize], re, 8.0 * SCALE), "{slot} {k}");
                    assert!(is_near(found.im[k as usize], im, 8.0 * SCALE), "{slot} {k}");
                }
            }
        }
    }

    #[test]
    fn synthesis_is_that_of_the_formulas() {
        let (mut state, mut synthesis) = (5, Synthesis::default());
        let mut v = vec![0.0_f64; 1280];
        for num_slots in [32, 30, 32] {
            let mut slots = [Slot::SILENT; MAX_SLOTS + super::super::slots::SLOTS_AHEAD];
            for slot in slots.iter_mut().take(num_slots) {
                slot.re
                    .iter_mut()
                    .chain(&mut slot.im)
                    .for_each(|sample| *sample = 32768.0 * noise(&mut state));
            }
            let mut samples = vec![0.0; 64 * num_slots];
            synthesis.apply::<Lanes>((), &slots, &mut samples);
            for (slot, samples) in slots.iter().zip(samples.chunks(64)) {
                v.truncate(1280 - 128);
                let value = |n: i64| {
                    let term = |k: usize| {
                        let place = (2 * k as i64 + 1) * (2 * n - 255);
                        let (re, im) = (f64::from(slot.re[k]), f64::from(slot.im[k]));
                        re * math::cos_pi(place, 256) - im * math::sin_pi(place, 256)
                    };
                    (0..64).map(term).sum::<f64>() / 64.0 / SCALE
                };
                v = (0..128).map(value).chain(v).collect();
                for (k, found) in samples.iter().enumerate() {
                    let parts = (0..5).map(|n| {
                        v[256 * n + k] * f64::from(WINDOW[128 * n + k])
                            + v[256 * n + 192 + k] * f64::from(WINDOW[128 * n + 64 + k])
                    });
                    assert!(is_near(*found, parts.sum(), 1.0), "{k}");
                }
            }
        }
    }
}
