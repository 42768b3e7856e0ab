//! The adjustment of high frequencies to the envelopes of the packet, with noise and sinusoids (ISO/IEC 14496-3, 4.6.18.7).

#![forbid(unsafe_code)]

use super::bands::{Bands, MAX_HIGH};
use super::data::ChannelData;
use super::header::Header;
use super::levels::Levels;
use super::noise_table::NOISE;
use super::slots::Slots;

/// The gains before that smoothing takes.
const SMOOTHED: usize = 4;
/// h_smooth: the share of the gain of this slot, of the slot before, and so on.
#[expect(clippy::excessive_precision, reason = "the numbers of the standard")]
const SMOOTHING: [f32; SMOOTHED + 1] = [
    0.333_333_333_333_33,
    0.301_502_832_395_82,
    0.218_169_499_062_49,
    0.115_163_834_270_84,
    0.031_830_500_937_51,
];
/// limGain: how far gains may exceed the mean, by bs_limiter_gains.
const LIMITS: [f32; 4] = [0.707_95, 1.0, 1.412_54, 1e10];
const MAX_GAIN: f32 = 100_000.0;
/// What is lost to the limiter is made good up to 4 dB.
const MAX_BOOST: f32 = 1.584_893_2;
/// No energy is divided by 0.
const EPSILON: f32 = f32::EPSILON;

type PerSubband = [f32; MAX_HIGH];

/// What the subbands of an envelope are made of.
#[derive(Clone, Copy)]
struct Mix {
    gains: PerSubband,
    noise: PerSubband,
    sinusoids: PerSubband,
}

impl Mix {
    const SILENT: Self = Self { gains: [0.0; MAX_HIGH], noise: [0.0; MAX_HIGH], sinusoids: [0.0; MAX_HIGH] };
}

/// What adjustment keeps of the packets before.
#[derive(Clone, Debug)]
pub(super) struct Adjustment {
    /// The gains, and the levels of noise, of the last slots.
    gains: [PerSubband; SMOOTHED],
    noise: [PerSubband; SMOOTHED],
    /// Whether each subband has had a sinusoid at the end of the packet before.
    had_sinusoid: [bool; MAX_HIGH],
    /// The last number of noise that was taken.
    noise_place: usize,
    /// The phase of sinusoids in quarter turns.
    phase: usize,
}

impl Default for Adjustment {
    fn default() -> Self {
        Self {
            gains: [[0.0; MAX_HIGH]; SMOOTHED],
            noise: [[0.0; MAX_HIGH]; SMOOTHED],
            had_sinusoid: [false; MAX_HIGH],
            noise_place: 0,
            phase: 0,
        }
    }
}

/// What is known of a channel of a packet.
pub(super) struct Input<'a> {
    pub(super) header: &'a Header,
    pub(super) bands: &'a Bands,
    pub(super) data: &'a ChannelData,
    pub(super) levels: &'a Levels,
    /// Whether the bands are new.
    pub(super) is_reset: bool,
}

impl Adjustment {
    /// Begins the noise again, as where bands change.
    pub(super) fn restart_noise(&mut self) {
        self.noise_place = 0;
    }

    /// Adjusts the subbands above the crossover frequency in the slots of all envelopes.
    #[inline(always)]
    pub(super) fn apply(&mut self, input: &Input<'_>, high: &mut Slots) {
        let grid = &input.data.grid;
        let (start, num_high) = input.bands.high_range();
        let mut has_sinusoid = [false; MAX_HIGH];
        let mut mixes = [Mix::SILENT; super::grid::MAX_ENVELOPES];
        for (envelope, mix) in mixes.iter_mut().enumerate().take(grid.num_envelopes) {
            has_sinusoid = self.sinusoids(input, envelope);
            *mix = mixture(input, envelope, &has_sinusoid, high);
        }
        self.had_sinusoid = has_sinusoid;
        if input.is_reset
            && let Some(mix) = mixes.first()
        {
            (self.gains, self.noise) = ([mix.gains; SMOOTHED], [mix.noise; SMOOTHED]);
        }
        for (envelope, mix) in mixes.iter().enumerate().take(grid.num_envelopes) {
            let is_transient = is_transient(input.data, envelope);
            for slot in 2 * grid.border(envelope)..2 * grid.border(envelope + 1) {
                let (gains, noise) = if input.header.is_smoothed && !is_transient {
                    (smoothed(&mix.gains, &self.gains), smoothed(&mix.noise, &self.noise))
                } else {
                    (mix.gains, mix.noise)
                };
                self.gains.rotate_right(1);
                self.noise.rotate_right(1);
                self.gains.first_mut().into_iter().for_each(|last| *last = mix.gains);
                self.noise.first_mut().into_iter().for_each(|last| *last = mix.noise);
                let noise = (!is_transient).then_some(&noise);
                if let Some(high) = high.get_mut(slot)
                    && let Some(re) = high.re.get_mut(start..start + num_high)
                    && let Some(im) = high.im.get_mut(start..start + num_high)
                {
                    let each = re.iter_mut().zip(im.iter_mut()).zip(&gains);
                    each.for_each(|((re, im), gain)| (*re, *im) = (*re * gain, *im * gain));
                    self.add(re, im, noise, &mix.sinusoids, start);
                }
                self.noise_place += num_high;
                self.phase = (self.phase + 1) % 4;
            }
        }
        self.noise_place %= NOISE.len();
    }

    /// Adds sinusoids, and noise where there are none (4.6.18.7.6).
    #[inline(always)]
    fn add(
        &self,
        re: &mut [f32],
        im: &mut [f32],
        noise: Option<&PerSubband>,
        sinusoids: &PerSubband,
        start: usize,
    ) {
        let [turn_re, turn_im] =
            [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]].get(self.phase).copied().unwrap_or_default();
        // Odd subbands are mirrored.
        let mut sign = if start.is_multiple_of(2) { turn_im } else { -turn_im };
        let none = [0.0; MAX_HIGH];
        let levels = noise.unwrap_or(&none).iter().zip(sinusoids);
        for (number, ((re, im), (noise, sinusoid))) in re.iter_mut().zip(im).zip(levels).enumerate() {
            if *sinusoid != 0.0 {
                *re += sinusoid * turn_re;
                *im += sinusoid * sign;
            } else {
                let place = (self.noise_place + number + 1) % NOISE.len();
                let [noise_re, noise_im] = NOISE.get(place).copied().unwrap_or_default();
                *re += noise * noise_re;
                *im += noise * noise_im;
            }
            sign = -sign;
        }
    }

    /// Which subbands have a sinusoid in an envelope (4.6.18.7.2, S_IndexMapped).
    fn sinusoids(&self, input: &Input<'_>, envelope: usize) -> [bool; MAX_HIGH] {
        let mut has_sinusoid = [false; MAX_HIGH];
        if !input.data.has_sinusoids {
            return has_sinusoid;
        }
        let start = input.bands.high_range().0;
        let bands = input.bands.table(true).windows(2).zip(&input.data.has_sinusoid);
        for (band, has_one) in bands {
            let [begin, end] = *band else { continue };
            let middle = (begin + end) / 2 - start;
            let had_one = self.had_sinusoid.get(middle).copied().unwrap_or(false);
            // It begins at the transient, if it is new.
            let has_begun = input.data.grid.transient.is_none_or(|transient| envelope >= transient);
            if let Some(to) = has_sinusoid.get_mut(middle) {
                *to = *has_one && (has_begun || had_one);
            }
        }
        has_sinusoid
    }
}

/// Whether an envelope begins with a transient, so that it is neither smoothed nor gets noise.
fn is_transient(data: &ChannelData, envelope: usize) -> bool {
    data.grid.transient == Some(envelope) || (envelope == 0 && data.begins_with_transient)
}

#[inline(always)]
fn smoothed(now: &PerSubband, before: &[PerSubband; SMOOTHED]) -> PerSubband {
    let mut sum = [0.0; MAX_HIGH];
    for (values, share) in [now].into_iter().chain(before).zip(SMOOTHING) {
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * share);
    }
    sum
}

/// The values of bands, subband by subband.
fn spread<T: Copy>(table: &[usize], values: &[T], start: usize, to: &mut [T; MAX_HIGH]) {
    for (band, value) in table.windows(2).zip(values) {
        let [begin, end] = *band else { continue };
        to.get_mut(begin - start..end - start).into_iter().flatten().for_each(|to| *to = *value);
    }
}

/// The gains of an envelope, and the levels of its noise and sinusoids (4.6.18.7.3 to 4.6.18.7.5).
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "limiter bands lie within the subbands")]
fn mixture(input: &Input<'_>, envelope: usize, has_sinusoid: &[bool; MAX_HIGH], high: &Slots) -> Mix {
    let Input { header, bands, data, levels, .. } = input;
    let (start, num_high) = bands.high_range();
    let is_high = data.grid.is_high.get(envelope).copied().unwrap_or(false);
    let table = bands.table(is_high);
    let (mut energies, mut floors) = ([0.0; MAX_HIGH], [0.0; MAX_HIGH]);
    spread(table, levels.envelopes.get(envelope).unwrap_or(&[0.0; MAX_HIGH]), start, &mut energies);
    let is_second = data.grid.num_noise_floors > 1 && data.grid.border(envelope) >= data.grid.noise_border;
    let [first_floor, second_floor] = &levels.noise_floors;
    spread(&bands.noise, if is_second { second_floor } else { first_floor }, start, &mut floors);
    let in_band = |band: &[usize]| {
        let range =
            band.first().copied().unwrap_or(start) - start..band.last().copied().unwrap_or(start) - start;
        has_sinusoid.get(range).is_some_and(|subbands| subbands.contains(&true))
    };
    let shares: Vec<bool> = table.windows(2).map(in_band).collect();
    let mut shares_band = [false; MAX_HIGH];
    spread(table, &shares, start, &mut shares_band);
    let present = measure(input, envelope, table, high);

    let mut mix = Mix::SILENT;
    let is_transient = is_transient(data, envelope);
    // Where the last patch is left out, the limiter may end before.
    let end = bands.limiter.last().map_or(0, |end| end - start);
    for m in 0..end.min(num_high).min(MAX_HIGH) {
        let share = energies[m] / (1.0 + floors[m]);
        mix.noise[m] = (share * floors[m]).sqrt();
        mix.sinusoids[m] = if has_sinusoid[m] { share.sqrt() } else { 0.0 };
        mix.gains[m] = if shares_band[m] {
            (energies[m] * floors[m] / ((1.0 + present[m]) * (1.0 + floors[m]))).sqrt()
        } else {
            let floor = if is_transient { 0.0 } else { floors[m] };
            (energies[m] / ((1.0 + present[m]) * (1.0 + floor))).sqrt()
        };
    }
    let limit = LIMITS.get(header.limiter_gains).copied().unwrap_or(1.0);
    for band in bands.limiter.windows(2) {
        let [begin, end] = *band else { continue };
        let range = begin - start..(end - start).min(MAX_HIGH);
        let wanted: f32 = energies[range.clone()].iter().fold(0.0, |sum, energy| sum + energy);
        let found: f32 = present[range.clone()].iter().fold(0.0, |sum, energy| sum + energy);
        let ratio = ((EPSILON + wanted) / (EPSILON + found)).sqrt();
        let most = (limit * ratio).min(MAX_GAIN);
        let mut reached = 0.0;
        for m in range.clone() {
            let noise = mix.noise[m] * most / mix.gains[m];
            if noise < mix.noise[m] {
                mix.noise[m] = noise;
            }
            mix.gains[m] = mix.gains[m].min(most);
            let (gain, sinusoid) = (mix.gains[m], mix.sinusoids[m]);
            let noise = if is_transient || sinusoid != 0.0 { 0.0 } else { mix.noise[m] };
            reached += present[m] * gain * gain + sinusoid * sinusoid + noise * noise;
        }
        let boost = ((EPSILON + wanted) / (EPSILON + reached)).sqrt().min(MAX_BOOST);
        for m in range {
            mix.gains[m] *= boost;
            mix.noise[m] *= boost;
            mix.sinusoids[m] *= boost;
        }
    }
    mix
}

/// The mean energies of the subbands of an envelope, or of its bands (4.6.18.7.3).
#[inline(always)]
fn measure(input: &Input<'_>, envelope: usize, table: &[usize], high: &Slots) -> PerSubband {
    let (start, num_high) = input.bands.high_range();
    let grid = &input.data.grid;
    let (begin, end) = (2 * grid.border(envelope), 2 * grid.border(envelope + 1));
    let mut sums = [0.0; MAX_HIGH];
    for slot in high.get(begin..end).unwrap_or_default() {
        let re = slot.re.get(start..start + num_high).unwrap_or_default();
        let im = slot.im.get(start..start + num_high).unwrap_or_default();
        for (sum, (re, im)) in sums.iter_mut().zip(re.iter().zip(im)) {
            *sum += re * re + im * im;
        }
    }
    let num_slots = end.saturating_sub(begin).max(1) as f32;
    if input.header.has_fine_energies {
        return sums.map(|sum| sum / num_slots);
    }
    let mut energies = [0.0; MAX_HIGH];
    for band in table.windows(2) {
        let [begin, end] = *band else { continue };
        let subbands = begin - start..end - start;
        let sum = sums.get(subbands.clone()).unwrap_or_default().iter().fold(0.0, |sum, energy| sum + energy);
        let mean = sum / (num_slots * (end - begin) as f32);
        energies.get_mut(subbands).into_iter().flatten().for_each(|energy| *energy = mean);
    }
    energies
}
