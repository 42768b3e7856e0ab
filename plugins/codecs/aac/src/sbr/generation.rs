//! The generator of high frequencies: patches of the core's subbands, more or less freed of their tones (ISO/IEC 14496-3, 4.6.18.6).

#![forbid(unsafe_code)]

use super::bands::{Bands, MAX_NOISE_BANDS};
use super::data::ChannelData;
use super::slots::{DELAY, LowSlots, NUM_LOW, NUM_SUBBANDS, SLOTS_AHEAD, Slot, Slots};

/// bw: how much of the inverse filter each band of noise gets, 0 to 1.
pub(super) type Chirp = [f32; MAX_NOISE_BANDS];

/// The inverse filters of the core's subbands: each a prediction from the two samples before.
pub(super) struct Filters {
    /// α0 and α1
    first: Slot<NUM_LOW>,
    second: Slot<NUM_LOW>,
}

/// Chirp factors follow those of the packet before (4.6.18.6.2).
pub(super) fn advance_chirp(chirp: &mut Chirp, data: &ChannelData, num_bands: usize) {
    let [before, now] = &data.inverse_filtering;
    for ((chirp, before), now) in chirp.iter_mut().zip(before).zip(now).take(num_bands) {
        let target = match (before, now) {
            (0, 1) | (1, 0) => 0.6,
            (_, 0) => 0.0,
            (_, 1) => 0.75,
            (_, 2) => 0.9,
            _ => 0.98,
        };
        let next = if target < *chirp {
            0.75 * target + 0.25 * *chirp
        } else {
            0.906_25 * target + 0.093_75 * *chirp
        };
        *chirp = if next < 0.015_625 { 0.0 } else { next };
    }
}

/// Of each of the subbands, Σ a(n) b*(n): real parts and imaginary parts.
#[inline(always)]
fn correlation(slots: &LowSlots, num: usize, lag_a: usize, lag_b: usize) -> [[f64; NUM_LOW]; 2] {
    let [mut sum_re, mut sum_im] = [[0.0; NUM_LOW]; 2];
    for (a, b) in slots.iter().skip(lag_a).zip(slots.iter().skip(lag_b)).take(num) {
        for ((re, im), ((a_re, a_im), (b_re, b_im))) in
            (sum_re.iter_mut().zip(&mut sum_im)).zip(a.re.iter().zip(&a.im).zip(b.re.iter().zip(&b.im)))
        {
            let [a_re, a_im, b_re, b_im] = [*a_re, *a_im, *b_re, *b_im].map(f64::from);
            *re += a_re * b_re + a_im * b_im;
            *im += a_im * b_re - a_re * b_im;
        }
    }
    [sum_re, sum_im]
}

impl Filters {
    /// Those that predict the samples of a packet best, by the covariance method (4.6.18.6.2). Where samples are nearly tones, the
    /// determinant is what is left of nearly equal numbers: hence double precision.
    #[inline(always)]
    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "all have as many subbands; to the precision of samples"
    )]
    pub(super) fn new(low: &LowSlots, num_slots: usize) -> Self {
        let num = num_slots + SLOTS_AHEAD;
        let [phi_01, phi_02, phi_11, phi_12, phi_22] =
            [(2, 1), (2, 0), (1, 1), (1, 0), (0, 0)].map(|(a, b)| correlation(low, num, a, b));
        let mut filters = Self { first: Slot::SILENT, second: Slot::SILENT };
        for k in 0..NUM_LOW {
            let [re_01, im_01] = [phi_01[0][k], phi_01[1][k]];
            let [re_02, im_02] = [phi_02[0][k], phi_02[1][k]];
            let [re_12, im_12] = [phi_12[0][k], phi_12[1][k]];
            let (power, power_before) = (phi_11[0][k], phi_22[0][k]);
            let determinant = power_before * power - (re_12 * re_12 + im_12 * im_12) / 1.000_001;
            let (mut first, mut second) = ([0.0; 2], [0.0; 2]);
            if determinant != 0.0 {
                second = [
                    (re_01 * re_12 - im_01 * im_12 - re_02 * power) / determinant,
                    (re_01 * im_12 + im_01 * re_12 - im_02 * power) / determinant,
                ];
            }
            let [re, im] = second;
            if power != 0.0 {
                first =
                    [-(re_01 + re * re_12 + im * im_12) / power, -(im_01 + im * re_12 - re * im_12) / power];
            }
            let [first_re, first_im] = first;
            // What is not a number is not a filter either.
            let is_bounded = re * re + im * im < 16.0 && first_re * first_re + first_im * first_im < 16.0;
            if is_bounded {
                (filters.first.re[k], filters.first.im[k]) = (first_re as f32, first_im as f32);
                (filters.second.re[k], filters.second.im[k]) = (re as f32, im as f32);
            }
        }
        filters
    }
}

/// Generates the subbands above the crossover frequency, in those slots (4.6.18.6.4); the others keep what they hold.
#[inline(always)]
pub(super) fn generate(
    low: &LowSlots,
    filters: &Filters,
    bands: &Bands,
    chirp: &Chirp,
    slots: std::ops::Range<usize>,
    high: &mut Slots,
) {
    let (start, num_high) = bands.high_range();
    // The coefficients of each subband that is generated.
    let (mut first, mut second) = (Slot::<NUM_SUBBANDS>::SILENT, Slot::<NUM_SUBBANDS>::SILENT);
    let mut to = start;
    for patch in &bands.patches {
        for from in patch.from..patch.from + patch.num_subbands {
            let band = bands.noise.partition_point(|border| *border <= to).saturating_sub(1);
            let factor = chirp.get(band).copied().unwrap_or(0.0);
            let pick = |slot: &Slot<NUM_LOW>| {
                (slot.re.get(from).copied().unwrap_or(0.0), slot.im.get(from).copied().unwrap_or(0.0))
            };
            let ((first_re, first_im), (second_re, second_im)) =
                (pick(&filters.first), pick(&filters.second));
            put(&mut first, to, (first_re * factor, first_im * factor));
            put(&mut second, to, (second_re * factor * factor, second_im * factor * factor));
            to += 1;
        }
    }
    for (slot, high) in high.iter_mut().enumerate().take(slots.end).skip(slots.start) {
        let at = |lag: usize| low.get(slot + DELAY - lag);
        let (Some(now), Some(before), Some(before_that)) = (at(0), at(1), at(2)) else { continue };
        let mut to = start;
        for patch in &bands.patches {
            let (from, target) = (patch.from..patch.from + patch.num_subbands, to..to + patch.num_subbands);
            to += patch.num_subbands;
            predict(
                [now, before, before_that].map(|slot| (slot.re.get(from.clone()), slot.im.get(from.clone()))),
                [&first, &second].map(|slot| (slot.re.get(target.clone()), slot.im.get(target.clone()))),
                (high.re.get_mut(target.clone()), high.im.get_mut(target.clone())),
            );
        }
        let rest = to..start + num_high;
        high.re.get_mut(rest.clone()).into_iter().flatten().for_each(|sample| *sample = 0.0);
        high.im.get_mut(rest).into_iter().flatten().for_each(|sample| *sample = 0.0);
    }
}

fn put(slot: &mut Slot<NUM_SUBBANDS>, place: usize, (re, im): (f32, f32)) {
    if let (Some(to_re), Some(to_im)) = (slot.re.get_mut(place), slot.im.get_mut(place)) {
        (*to_re, *to_im) = (re, im);
    }
}

type Parts<'a> = (Option<&'a [f32]>, Option<&'a [f32]>);

/// now + α0 before + α1 before_that
#[inline(always)]
fn predict(
    inputs: [Parts<'_>; 3],
    factors: [Parts<'_>; 2],
    output: (Option<&mut [f32]>, Option<&mut [f32]>),
) {
    let [(Some(re_0), Some(im_0)), (Some(re_1), Some(im_1)), (Some(re_2), Some(im_2))] = inputs else {
        return;
    };
    let [(Some(first_re), Some(first_im)), (Some(second_re), Some(second_im))] = factors else { return };
    let (Some(to_re), Some(to_im)) = output else { return };
    let samples = (re_0.iter().zip(im_0)).zip(re_1.iter().zip(im_1)).zip(re_2.iter().zip(im_2));
    let factors = (first_re.iter().zip(first_im)).zip(second_re.iter().zip(second_im));
    let each = samples.zip(factors).zip(to_re.iter_mut().zip(to_im));
    for (((((re_0, im_0), (re_1, im_1)), (re_2, im_2)), ((a_re, a_im), (b_re, b_im))), (to_re, to_im)) in each
    {
        *to_re = re_2 * b_re - im_2 * b_im + re_1 * a_re - im_1 * a_im + re_0;
        *to_im = im_2 * b_re + re_2 * b_im + im_1 * a_re + re_1 * a_im + im_0;
    }
}
