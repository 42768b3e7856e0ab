//! The hybrid filter bank, which splits the lowest subbands further (ISO/IEC 14496-3, 8.6.4.3).

#![forbid(unsafe_code)]

use super::syntax::NUM_SLOTS;
use crate::math;
use crate::sbr::slots::{NUM_SUBBANDS, SLOTS_AHEAD, Slot, Slots};

/// The most bands: 32 of the lowest five subbands, and the others.
pub(super) const MAX_HYBRID: usize = 91;
/// The subbands that are split: three, or five.
const NUM_SPLIT: usize = 5;
/// The samples before and after one that the filters take.
const REACH: usize = 6;

/// The bands of all slots.
pub(super) type Hybrid = [Slot<MAX_HYBRID>; NUM_SLOTS];

/// Half of the symmetric prototypes (tables 8.36 to 8.38), the middle last.
const PROTOTYPE_8: [f64; 7] = [
    0.007_460_829_498_12,
    0.022_704_209_498_25,
    0.045_468_659_304_73,
    0.072_661_139_295_91,
    0.098_851_085_752_64,
    0.117_937_105_672_17,
    0.125,
];
const PROTOTYPE_2: [f32; 3] = [0.018_994_875, -0.072_931_39, 0.305_966_3];
const PROTOTYPE_12: [f64; 7] = [
    0.040_811_799_246_92,
    0.038_128_109_949_26,
    0.051_449_081_356_99,
    0.063_998_311_515_92,
    0.074_283_138_011_06,
    0.081_003_478_929_14,
    0.083_333_333_333_33,
];
const PROTOTYPE_8_OF_34: [f64; 7] = [
    0.015_656_756_001_22,
    0.037_527_163_919_91,
    0.054_178_913_787_82,
    0.084_170_441_167_67,
    0.103_073_441_580_36,
    0.122_224_522_497_53,
    0.125,
];
const PROTOTYPE_4: [f64; 7] = [
    -0.059_082_111_556_39,
    -0.048_714_983_749_46,
    0.0,
    0.077_787_239_158_51,
    0.164_863_035_674_03,
    0.232_798_566_629_96,
    0.25,
];

/// One half of each of the complex filters, which are conjugated in the other half.
type Filters<const COUNT: usize> = [[[f32; 2]; 7]; COUNT];

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler computes it, and checks"
)]
const fn filters<const COUNT: usize>(prototype: &[f64; 7]) -> Filters<COUNT> {
    let mut filters = [[[0.0; 2]; 7]; COUNT];
    let mut q = 0;
    while q < COUNT {
        let mut n = 0;
        while n < 7 {
            // 2π (q + 1/2) (n - 6) / count
            let place = (2 * q as i64 + 1) * (n as i64 - 6);
            filters[q][n] = [
                (prototype[n] * math::cos_pi(place, COUNT as i64)) as f32,
                (-prototype[n] * math::sin_pi(place, COUNT as i64)) as f32,
            ];
            n += 1;
        }
        q += 1;
    }
    filters
}

static FILTERS_8: Filters<8> = filters(&PROTOTYPE_8);
static FILTERS_12: Filters<12> = filters(&PROTOTYPE_12);
static FILTERS_8_OF_34: Filters<8> = filters(&PROTOTYPE_8_OF_34);
static FILTERS_4: Filters<4> = filters(&PROTOTYPE_4);

/// The samples of the split subbands that the next packet takes.
#[derive(Clone, Debug)]
pub(super) struct Analysis {
    before: [Slot<NUM_SPLIT>; REACH],
}

impl Default for Analysis {
    fn default() -> Self {
        Self { before: [Slot::SILENT; REACH] }
    }
}

/// 13 samples of a subband.
type Window = [[f32; 2]; 13];

fn filtered<const COUNT: usize>(window: &Window, filters: &Filters<COUNT>) -> [[f32; 2]; COUNT] {
    let (first, rest) = window.split_at(REACH);
    let middle = rest.first().copied().unwrap_or_default();
    filters.map(|filter| {
        let factor = filter.last().map_or(0.0, |[re, _]| *re);
        let [mut re, mut im] = [factor * middle[0], factor * middle[1]];
        for ([filter_re, filter_im], ([a_re, a_im], [b_re, b_im])) in
            filter.iter().zip(first.iter().zip(rest.iter().rev()))
        {
            re += filter_re * (a_re + b_re) - filter_im * (a_im - b_im);
            im += filter_re * (a_im + b_im) + filter_im * (a_re - b_re);
        }
        [re, im]
    })
}

/// Two real filters: the sum, and the difference.
fn halved(window: &Window) -> [[f32; 2]; 2] {
    let middle = window.get(REACH).copied().unwrap_or_default();
    let pairs = window.iter().zip(window.iter().rev()).skip(1).step_by(2).zip(PROTOTYPE_2);
    let mut odd = [0.0; 2];
    for ((a, b), factor) in pairs {
        odd = [odd[0] + factor * (a[0] + b[0]), odd[1] + factor * (a[1] + b[1])];
    }
    let even = middle.map(|part| 0.5 * part);
    [[even[0] + odd[0], even[1] + odd[1]], [even[0] - odd[0], even[1] - odd[1]]]
}

fn sum([a_re, a_im]: [f32; 2], [b_re, b_im]: [f32; 2]) -> [f32; 2] {
    [a_re + b_re, a_im + b_im]
}

impl Analysis {
    pub(super) fn apply(&mut self, slots: &Slots, is_34: bool, hybrid: &mut Hybrid) {
        let mut low = [Slot::<NUM_SPLIT>::SILENT; REACH + NUM_SLOTS + SLOTS_AHEAD];
        let (before, now) = low.split_at_mut(REACH);
        before.copy_from_slice(&self.before);
        for (to, slot) in now.iter_mut().zip(slots) {
            to.re.iter_mut().zip(&slot.re).for_each(|(to, part)| *to = *part);
            to.im.iter_mut().zip(&slot.im).for_each(|(to, part)| *to = *part);
        }
        for (slot, to) in hybrid.iter_mut().enumerate() {
            let window = |subband: usize| -> Window {
                std::array::from_fn(|place| {
                    let sample = low.get(slot + place);
                    sample.map_or([0.0; 2], |slot| [pick(&slot.re, subband), pick(&slot.im, subband)])
                })
            };
            let mut band = 0;
            let mut push = |[re, im]: [f32; 2]| {
                if let (Some(to_re), Some(to_im)) = (to.re.get_mut(band), to.im.get_mut(band)) {
                    (*to_re, *to_im) = (re, im);
                }
                band += 1;
            };
            if is_34 {
                filtered(&window(0), &FILTERS_12).into_iter().for_each(&mut push);
                filtered(&window(1), &FILTERS_8_OF_34).into_iter().for_each(&mut push);
                (2..5).for_each(|subband| {
                    filtered(&window(subband), &FILTERS_4).into_iter().for_each(&mut push);
                });
            } else {
                let [a, b, c, d, e, f, g, h] = filtered(&window(0), &FILTERS_8);
                [g, h, a, b, sum(c, f), sum(d, e)].into_iter().for_each(&mut push);
                let [first, second] = halved(&window(1));
                push(second);
                push(first);
                halved(&window(2)).into_iter().for_each(&mut push);
            }
            let first = if is_34 { 5 } else { 3 };
            if let Some(slot) = slots.get(slot) {
                let rest = slot.re.iter().zip(&slot.im).skip(first);
                rest.for_each(|(re, im)| push([*re, *im]));
            }
        }
        let rest = low.get(NUM_SLOTS..NUM_SLOTS + REACH).unwrap_or_default();
        self.before.copy_from_slice(rest);
    }
}

fn pick(parts: &[f32], place: usize) -> f32 {
    parts.get(place).copied().unwrap_or(0.0)
}

/// Adds up the bands of each subband.
pub(super) fn join(hybrid: &Hybrid, is_34: bool, slots: &mut Slots) {
    let counts: &[usize] = if is_34 { &[12, 8, 4, 4, 4] } else { &[6, 2, 2] };
    for (bands, to) in hybrid.iter().zip(slots) {
        for (bands, to) in [(&bands.re, &mut to.re), (&bands.im, &mut to.im)] {
            let mut rest = &bands[..];
            for (to, count) in to.iter_mut().zip(counts) {
                let (own, others) = rest.split_at_checked(*count).unwrap_or_default();
                *to = own.iter().fold(0.0, |sum, part| sum + part);
                rest = others;
            }
            to.iter_mut().take(NUM_SUBBANDS).skip(counts.len()).zip(rest).for_each(|(to, part)| *to = *part);
        }
    }
}
