//! The decorrelated copy of the sound: late, spread in time by all-pass filters, and weak behind transients (ISO/IEC 14496-3, 8.6.4.5).

#![forbid(unsafe_code)]

use super::hybrid::{Hybrid, MAX_HYBRID};
use super::syntax::{MAX_BANDS, NUM_SLOTS};
use crate::math;
use crate::sbr::slots::Slot;

/// The most bands that have all-pass filters.
const MAX_ALL_PASS: usize = 50;
/// The all-pass filters, one after the other. The first is three slots late, each of the others a slot more.
const NUM_LINKS: usize = 3;
const FIRST_DELAY: usize = 3;
const MAX_LINK_DELAY: usize = FIRST_DELAY + NUM_LINKS - 1;
/// The delays of the input of the filters, of the bands above them, and of the highest bands.
const DELAY: usize = 2;
const LONG_DELAY: usize = 14;
const SHORT_DELAY: usize = 1;
/// a: the coefficients of the filters (table 8.43: exp(-d / 7)).
const COEFFICIENTS: [f32; NUM_LINKS] = [0.651_439_1, 0.564_718_1, 0.489_541_65];
/// By how much the coefficients fall from band to band above the cutoff.
const DECAY_SLOPE: f32 = 0.05;
/// Of the detection of transients.
const PEAK_DECAY: f32 = 0.765_928_3;
const SMOOTHING: f32 = 0.25;
const IMPACT: f32 = 1.5;

/// Bands by the number of parameters.
pub(super) struct Layout {
    pub(super) num_hybrid: usize,
    pub(super) num_parameters: usize,
    /// b(k): the parameters of each band (tables 8.48 and 8.49).
    pub(super) parameters: [u8; MAX_HYBRID],
    num_all_pass: usize,
    decay_cutoff: usize,
    first_short: usize,
    /// The phases of the filters, and that of their input.
    links: [Slot<MAX_ALL_PASS>; NUM_LINKS],
    input: Slot<MAX_ALL_PASS>,
}

#[rustfmt::skip]
const PARAMETERS_20: [u8; MAX_HYBRID] = padded(&[
    1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 14, 15, 15, 15, 16, 16, 16, 16, 17, 17, 17, 17, 17, 18, 18, 18,
    18, 18, 18, 18, 18, 18, 18, 18, 18, 19,
], 19);
#[rustfmt::skip]
const PARAMETERS_34: [u8; MAX_HYBRID] = padded(&[
    0, 1, 2, 3, 4, 5, 6, 6, 7, 2, 1, 0, 10, 10, 4, 5, 6, 7, 8, 9, 10, 11, 12, 9, 14, 11, 12, 13, 14, 15, 16, 13, 16, 17, 18,
    19, 20, 21, 22, 22, 23, 23, 24, 24, 25, 25, 26, 26, 27, 27, 27, 28, 28, 28, 29, 29, 29, 30, 30, 30, 31, 31, 31, 31, 32,
    32, 32, 32, 33,
], 33);

/// The frequencies of the split bands, in eighths and in 24ths of a subband (tables 8.40 and 8.41).
const CENTRES_20: [i64; 10] = [-3, -1, 1, 3, 5, 7, 10, 14, 18, 22];
const CENTRES_34: [i64; 32] = [
    2, 6, 10, 14, 18, 22, 26, 30, 34, -10, -6, -2, 51, 57, 15, 21, 27, 33, 39, 45, 54, 66, 78, 42, 102, 66,
    78, 90, 102, 114, 126, 90,
];

/// The parameters of the first bands, and those of all others.
#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
const fn padded(first: &[u8], rest: u8) -> [u8; MAX_HYBRID] {
    let mut all = [rest; MAX_HYBRID];
    let mut k = 0;
    while k < first.len() {
        all[k] = first[k];
        k += 1;
    }
    all
}

/// exp(-πi f d) of all bands, for a delay d in thousandths.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler computes it, and checks"
)]
const fn phases(centres: &[i64], per_subband: i64, delay: i64) -> Slot<MAX_ALL_PASS> {
    let mut phases = Slot::SILENT;
    let mut k = 0;
    while k < MAX_ALL_PASS {
        // The others are whole subbands, as many fewer than bands as there are more bands than subbands.
        let twice_first = if per_subband == 8 { 13 } else { 53 };
        let (numerator, denominator) =
            if k < centres.len() { (centres[k], per_subband) } else { (2 * k as i64 - twice_first, 2) };
        phases.re[k] = math::cos_pi(numerator * delay, denominator * 1000) as f32;
        phases.im[k] = -math::sin_pi(numerator * delay, denominator * 1000) as f32;
        k += 1;
    }
    phases
}

const fn layout(is_34: bool) -> Layout {
    let (centres, per_subband): (&[i64], i64) = if is_34 { (&CENTRES_34, 24) } else { (&CENTRES_20, 8) };
    Layout {
        num_hybrid: if is_34 { 91 } else { 71 },
        num_parameters: if is_34 { 34 } else { 20 },
        parameters: if is_34 { PARAMETERS_34 } else { PARAMETERS_20 },
        num_all_pass: if is_34 { 50 } else { 30 },
        decay_cutoff: if is_34 { 32 } else { 10 },
        first_short: if is_34 { 62 } else { 42 },
        links: [
            phases(centres, per_subband, 430),
            phases(centres, per_subband, 750),
            phases(centres, per_subband, 347),
        ],
        input: phases(centres, per_subband, 390),
    }
}

static LAYOUT_20: Layout = layout(false);
static LAYOUT_34: Layout = layout(true);

pub(super) fn layout_of(is_34: bool) -> &'static Layout {
    if is_34 { &LAYOUT_34 } else { &LAYOUT_20 }
}

/// What the decorrelation keeps of the packets before.
#[derive(Clone, Debug)]
pub(super) struct Decorrelation {
    sound: [Slot<MAX_HYBRID>; LONG_DELAY],
    links: [[Slot<MAX_ALL_PASS>; MAX_LINK_DELAY]; NUM_LINKS],
    /// Of the detection of transients, by parameters.
    peaks: [f32; MAX_BANDS],
    powers: [f32; MAX_BANDS],
    differences: [f32; MAX_BANDS],
}

impl Default for Decorrelation {
    fn default() -> Self {
        Self {
            sound: [Slot::SILENT; LONG_DELAY],
            links: [[Slot::SILENT; MAX_LINK_DELAY]; NUM_LINKS],
            peaks: [0.0; MAX_BANDS],
            powers: [0.0; MAX_BANDS],
            differences: [0.0; MAX_BANDS],
        }
    }
}

impl Decorrelation {
    /// Forgets the bands from one on, which have no sound.
    pub(super) fn silence_from(&mut self, first: usize) {
        fn silence<const COUNT: usize>(slot: &mut Slot<COUNT>, first: usize) {
            slot.re.iter_mut().skip(first).for_each(|part| *part = 0.0);
            slot.im.iter_mut().skip(first).for_each(|part| *part = 0.0);
        }
        self.sound.iter_mut().for_each(|slot| silence(slot, first));
        self.links.as_flattened_mut().iter_mut().for_each(|slot| silence(slot, first));
    }

    /// Makes the copy.
    #[inline(always)]
    pub(super) fn apply(&mut self, sound: &Hybrid, layout: &Layout, copy: &mut Hybrid) {
        let mut late = [Slot::<MAX_HYBRID>::SILENT; LONG_DELAY + NUM_SLOTS];
        let (before, now) = late.split_at_mut(LONG_DELAY);
        before.copy_from_slice(&self.sound);
        now.copy_from_slice(sound);
        let mut factors = COEFFICIENTS.map(|coefficient| [coefficient; MAX_ALL_PASS]);
        for factors in &mut factors {
            for (k, factor) in factors.iter_mut().enumerate().skip(layout.decay_cutoff) {
                *factor *= (1.0 - DECAY_SLOPE * (k - layout.decay_cutoff) as f32).clamp(0.0, 1.0);
            }
        }
        for (slot, (now, copy)) in sound.iter().zip(copy).enumerate() {
            let gains = self.advance_gains(now, layout);
            let at = |delay: usize| late.get(LONG_DELAY + slot - delay).unwrap_or(now);
            self.filter(at(DELAY), layout, &factors, copy);
            let rest = layout.num_all_pass..layout.first_short;
            copy_bands(at(LONG_DELAY), rest, copy);
            copy_bands(at(SHORT_DELAY), layout.first_short..layout.num_hybrid, copy);
            for (k, (re, im)) in copy.re.iter_mut().zip(&mut copy.im).enumerate() {
                let gain = layout.parameters.get(k).and_then(|b| gains.get(usize::from(*b)));
                let gain = gain.copied().unwrap_or(1.0);
                (*re, *im) = (*re * gain, *im * gain);
            }
        }
        let rest = late.get(NUM_SLOTS..).unwrap_or_default();
        self.sound.copy_from_slice(rest);
    }

    /// How loud the copy is in a slot, which is less behind transients.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "at most 34 parameters")]
    fn advance_gains(&mut self, now: &Slot<MAX_HYBRID>, layout: &Layout) -> [f32; MAX_BANDS] {
        let mut powers = [0.0; MAX_BANDS];
        let parts = now.re.iter().zip(&now.im).zip(&layout.parameters).take(layout.num_hybrid);
        for ((re, im), b) in parts {
            if let Some(power) = powers.get_mut(usize::from(*b)) {
                *power += re * re + im * im;
            }
        }
        let mut gains = [1.0; MAX_BANDS];
        for b in 0..layout.num_parameters.min(MAX_BANDS) {
            let power = powers[b];
            let decayed = PEAK_DECAY * self.peaks[b];
            self.peaks[b] = if decayed > power { decayed } else { power };
            self.powers[b] += SMOOTHING * (power - self.powers[b]);
            self.differences[b] += SMOOTHING * (self.peaks[b] - power - self.differences[b]);
            let excess = IMPACT * self.differences[b];
            if excess > self.powers[b] {
                gains[b] = self.powers[b] / excess;
            }
        }
        gains
    }

    /// The all-pass filters of a slot.
    #[inline(always)]
    fn filter(
        &mut self,
        input: &Slot<MAX_HYBRID>,
        layout: &Layout,
        factors: &[[f32; MAX_ALL_PASS]; NUM_LINKS],
        copy: &mut Slot<MAX_HYBRID>,
    ) {
        let mut sound = Slot::<MAX_ALL_PASS>::SILENT;
        let parts = input.re.iter().zip(&input.im).zip(layout.input.re.iter().zip(&layout.input.im));
        for (((re, im), (turn_re, turn_im)), (to_re, to_im)) in
            parts.zip(sound.re.iter_mut().zip(&mut sound.im))
        {
            *to_re = re * turn_re - im * turn_im;
            *to_im = re * turn_im + im * turn_re;
        }
        for (link, ((before, turns), factors)) in
            self.links.iter_mut().zip(&layout.links).zip(factors).enumerate()
        {
            // The last slot is the first.
            let late = before.get(FIRST_DELAY + link - 1).copied().unwrap_or(Slot::SILENT);
            let mut next = Slot::<MAX_ALL_PASS>::SILENT;
            let late = late.re.iter().zip(&late.im).zip(turns.re.iter().zip(&turns.im)).zip(factors);
            let to = next.re.iter_mut().zip(&mut next.im);
            for ((((late_re, late_im), (turn_re, turn_im)), factor), ((re, im), (to_re, to_im))) in
                late.zip(sound.re.iter_mut().zip(&mut sound.im).zip(to))
            {
                let (in_re, in_im) = (*re, *im);
                *re = late_re * turn_re - late_im * turn_im - factor * in_re;
                *im = late_re * turn_im + late_im * turn_re - factor * in_im;
                (*to_re, *to_im) = (in_re + factor * *re, in_im + factor * *im);
            }
            before.rotate_right(1);
            before.first_mut().into_iter().for_each(|first| *first = next);
        }
        let num_bands = layout.num_all_pass;
        for (to, from) in [(&mut copy.re, &sound.re), (&mut copy.im, &sound.im)] {
            to.iter_mut().zip(from).take(num_bands).for_each(|(to, part)| *to = *part);
        }
    }
}

fn copy_bands(from: &Slot<MAX_HYBRID>, bands: std::ops::Range<usize>, to: &mut Slot<MAX_HYBRID>) {
    for (to, from) in [(&mut to.re, &from.re), (&mut to.im, &from.im)] {
        if let (Some(to), Some(from)) = (to.get_mut(bands.clone()), from.get(bands.clone())) {
            to.copy_from_slice(from);
        }
    }
}
