//! The synthesis filter bank (ISO/IEC 11172-3, 2.4.3.4.10.5 and figure 3-A.2): 32 samples of each channel from one sample of
//! each subband.
//!
//! The matrix of the standard, V(i) = sum of S(k) cos((16 + i)(2k + 1) pi / 64) for i of 0 to 63, has only 32 values but for
//! their signs: those of a cosine transform Y(n) = sum of S(k) cos(n(2k + 1) pi / 64). V(i) is Y(16 + i) up to 15, 0 at 16,
//! -Y(48 - i) up to 48, -Y(i - 48) then. The window has these signs here.
//!
//! Eight slots stand side by side in the transform, eight samples of a slot in the window.

#![forbid(unsafe_code)]

use crate::lanes::{Lanes, NUM_LANES};
use crate::maths::cosine;
use crate::sizes::NUM_SUBBANDS;
use crate::window::window;

/// The slots before the one that is written that go into it.
const NUM_BEFORE: usize = 15;

/// The slots that are windowed at a time, so that factors are loaded once for them.
const NUM_TOGETHER: usize = 4;

/// V of a slot, without signs.
pub(crate) type Slot = [f32; 2 * NUM_SUBBANDS];

/// The window by slot, from the oldest one, with the signs of V.
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
static WEIGHTS: [[f32; NUM_SUBBANDS]; NUM_BEFORE + 1] = {
    let mut weights = [[0.0; NUM_SUBBANDS]; NUM_BEFORE + 1];
    let mut slot = 0;
    while slot <= NUM_BEFORE {
        let mut sample = 0;
        while sample < NUM_SUBBANDS {
            // Slots alternate between the second half of V and the first one.
            let is_negative = slot % 2 == 0 || sample > 16;
            let weight = window(32 * (NUM_BEFORE - slot) + sample) as f32;
            weights[slot][sample] = if is_negative { -weight } else { weight };
            sample += 1;
        }
        slot += 1;
    }
    weights
};

/// The slots of one channel: those before, then new ones, and room for whole vectors of them.
#[derive(Clone, Debug)]
pub(crate) struct Slots(Vec<Slot>);

impl Slots {
    /// Silence, and room for so many new slots.
    pub(crate) fn new(num_new: usize) -> Self {
        Self(vec![[0.0; 2 * NUM_SUBBANDS]; NUM_BEFORE + num_new.next_multiple_of(NUM_LANES)])
    }

    /// Returns to silence.
    pub(crate) fn clear(&mut self) {
        self.0.iter_mut().take(NUM_BEFORE).for_each(|slot| slot.fill(0.0));
    }
}

/// Turns the samples of subbands of new slots into those of the channel, of which there is room for a whole vector of slots.
#[inline(always)]
pub(crate) fn synthesize<L: Lanes>(
    proof: L::Proof,
    subbands: &[[f32; NUM_SUBBANDS]],
    slots: &mut Slots,
    samples: &mut [[f32; NUM_SUBBANDS]],
) {
    let num_new = subbands.len();
    let new = slots.0.get_mut(NUM_BEFORE..).unwrap_or_default();
    let mut eights = subbands.chunks(NUM_LANES);
    for to in new.as_chunks_mut::<NUM_LANES>().0 {
        let Some(eight) = eights.next() else { break };
        match eight.first_chunk() {
            Some(eight) => transform::<L>(proof, eight, to),
            None => {
                let mut whole = [[0.0; NUM_SUBBANDS]; NUM_LANES];
                whole.iter_mut().zip(eight).for_each(|(to, from)| *to = *from);
                transform::<L>(proof, &whole, to);
            }
        }
    }
    let (fours, _) = samples.as_chunks_mut::<NUM_TOGETHER>();
    for (number, samples) in fours.iter_mut().enumerate().take(num_new.div_ceil(NUM_TOGETHER)) {
        let first = NUM_TOGETHER * number;
        if let Some(slots) = slots.0.get(first..).and_then(|slots| slots.first_chunk()) {
            apply_window::<L>(proof, slots, samples);
        }
    }
    slots.0.copy_within(num_new..num_new + NUM_BEFORE, 0);
}

/// V of eight slots.
#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "all places are of arrays")]
fn transform<L: Lanes>(
    proof: L::Proof,
    subbands: &[[f32; NUM_SUBBANDS]; NUM_LANES],
    slots: &mut [Slot; NUM_LANES],
) {
    let mut x = [L::splat(proof, 0.0); NUM_SUBBANDS];
    for (part, x) in x.as_chunks_mut::<NUM_LANES>().0.iter_mut().enumerate() {
        for (slot, x) in x.iter_mut().enumerate() {
            *x = load::<L, NUM_SUBBANDS>(proof, &subbands[slot], NUM_LANES * part);
        }
        *x = L::transposed(*x);
    }
    let y = cosines_32::<L>(proof, x);
    let [a, b, c, d] = y.as_chunks().0 else { return };
    let (a, b, c, d) = (L::transposed(*a), L::transposed(*b), L::transposed(*c), L::transposed(*d));
    for (lane, slot) in slots.iter_mut().enumerate() {
        let [a, b, c, d] = [a[lane], b[lane], c[lane], d[lane]];
        store(c, slot, 0);
        store(d, slot, 8);
        store(a, slot, 48);
        store(b, slot, 56);
        store(a.reversed(), slot, 41);
        store(b.reversed(), slot, 33);
        store(c.reversed(), slot, 25);
        store(d.reversed(), slot, 17);
        slot[16] = 0.0;
    }
}

/// The samples of four slots; `slots` begins with those before.
#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "all places are of arrays")]
fn apply_window<L: Lanes>(
    proof: L::Proof,
    slots: &[Slot; NUM_BEFORE + NUM_TOGETHER],
    samples: &mut [[f32; NUM_SUBBANDS]; NUM_TOGETHER],
) {
    for at in (0..NUM_SUBBANDS).step_by(NUM_LANES) {
        // Two sums each, so that one addition need not wait for the other.
        let zero = L::splat(proof, 0.0);
        let (mut even, mut odd) = ([zero; NUM_TOGETHER], [zero; NUM_TOGETHER]);
        for (slots, [first, second]) in slots.windows(NUM_TOGETHER + 1).step_by(2).zip(WEIGHTS.as_chunks().0)
        {
            let Some(slots) = slots.first_chunk::<{ NUM_TOGETHER + 1 }>() else { continue };
            let first = load::<L, NUM_SUBBANDS>(proof, first, at);
            let second = load::<L, NUM_SUBBANDS>(proof, second, at);
            for number in 0..NUM_TOGETHER {
                let one = load::<L, { 2 * NUM_SUBBANDS }>(proof, &slots[number], NUM_SUBBANDS + at);
                let other = load::<L, { 2 * NUM_SUBBANDS }>(proof, &slots[number + 1], at);
                odd[number] = odd[number] + one * first;
                even[number] = even[number] + other * second;
            }
        }
        for number in 0..NUM_TOGETHER {
            store(even[number] + odd[number], &mut samples[number], at);
        }
    }
}

#[inline(always)]
#[allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the caller's places have eight numbers behind them"
)]
fn load<L: Lanes, const N: usize>(proof: L::Proof, from: &[f32; N], at: usize) -> L {
    L::load(proof, from[at..].first_chunk().unwrap())
}

#[inline(always)]
#[allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the caller's places have eight numbers behind them"
)]
fn store<L: Lanes, const N: usize>(vector: L, to: &mut [f32; N], at: usize) {
    vector.store(to[at..].first_chunk_mut().unwrap());
}

/// 1 / (2 cos(pi / 2N (2k + 1))).
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
const fn secants<const HALF: usize>() -> [f32; HALF] {
    let mut secants = [0.0; HALF];
    let mut k = 0;
    while k < HALF {
        secants[k] = (0.5 / cosine(2 * k as u32 + 1, 4 * HALF as u32)) as f32;
        k += 1;
    }
    secants
}

/// Cosine transforms, Y(n) = sum of x(k) cos(n(2k + 1) pi / 2N), by transforms of half the size.
///
/// Numbers and their mirror images, added, make the even values. Subtracted, and divided by twice the cosine of (2k + 1)
/// pi / 2N, they make sums of odd values and the next ones, since cos(2m + 1)t + cos(2m - 1)t is 2 cos 2mt cos t.
macro_rules! cosines {
    ($name:ident, $half:ident, $n:literal) => {
        #[inline(always)]
        #[allow(clippy::indexing_slicing, reason = "all places are of arrays")]
        fn $name<L: Lanes>(proof: L::Proof, x: [L; $n]) -> [L; $n] {
            const HALF: usize = $n / 2;
            const SECANTS: [f32; HALF] = secants();
            let (mut sums, mut differences) = ([x[0]; HALF], [x[0]; HALF]);
            for k in 0..HALF {
                sums[k] = x[k] + x[$n - 1 - k];
                differences[k] = (x[k] - x[$n - 1 - k]) * L::splat(proof, SECANTS[k]);
            }
            let (even, odd) = ($half::<L>(proof, sums), $half::<L>(proof, differences));
            let mut y = x;
            for k in 0..HALF {
                y[2 * k] = even[k];
                y[2 * k + 1] = if k + 1 < HALF { odd[k] + odd[k + 1] } else { odd[k] };
            }
            y
        }
    };
}

#[inline(always)]
fn cosines_1<L: Lanes>(_: L::Proof, x: [L; 1]) -> [L; 1] {
    x
}

cosines!(cosines_2, cosines_1, 2);
cosines!(cosines_4, cosines_2, 4);
cosines!(cosines_8, cosines_4, 8);
cosines!(cosines_16, cosines_8, 16);
cosines!(cosines_32, cosines_16, 32);
