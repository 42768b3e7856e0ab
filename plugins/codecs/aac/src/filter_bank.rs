//! Windows and overlap: what the transforms of two packets make together (ISO/IEC 14496-3, 4.6.11.3).
//!
//! Of M numbers u, the inverse MDCT makes 2M: first u from the middle to the end, then minus u backwards from the end, then minus u from
//! the beginning to the middle. The first half of those, times the window's rising slope, is added to the second half of the packet
//! before, times its falling slope.

#![forbid(unsafe_code)]

use crate::packet::{Lines, MAX_LINES};
use crate::side::Sequence;
use crate::transform::{NUM_LANES, Vector};
use crate::windows;

/// What a channel keeps of the packet before.
#[derive(Clone, Debug)]
pub(crate) struct Overlap {
    /// What lines are transformed to; of short windows, one after the other.
    pub(crate) now: Box<Lines>,
    last: Box<Lines>,
    /// How it goes on; `None` if there was no packet.
    before: Option<(Sequence, bool)>,
}

impl Default for Overlap {
    fn default() -> Self {
        Self { now: Box::new([0.0; MAX_LINES]), last: Box::new([0.0; MAX_LINES]), before: None }
    }
}

impl Overlap {
    /// Forgets the packet before.
    pub(crate) fn reset(&mut self) {
        self.before = None;
    }

    /// Makes the samples of the packet that is now, which then is the one before.
    #[inline(always)]
    pub(crate) fn advance<V: Vector>(
        &mut self,
        proof: V::Proof,
        sequence: Sequence,
        is_kbd: bool,
        num_frames: usize,
        samples: &mut [f32],
    ) {
        let is_kbd_before = self.before.is_some_and(|(_, is_kbd)| is_kbd);
        let falls_long = matches!(self.before, Some((Sequence::Long | Sequence::Stop, _)));
        let rises_long = matches!(sequence, Sequence::Long | Sequence::Start);
        if falls_long && rises_long {
            let window = windows::long(num_frames, is_kbd_before);
            rotate::<V>(proof, &self.now[..], &self.last[..], window, samples);
        } else {
            if let Some((sequence, is_kbd)) = self.before {
                fall(&self.last, sequence, is_kbd, num_frames, samples);
            } else {
                samples.fill(0.0);
            }
            rise(&self.now, sequence, is_kbd_before, is_kbd, num_frames, samples);
        }
        std::mem::swap(&mut self.now, &mut self.last);
        self.before = Some((sequence, is_kbd));
    }
}

/// Two long slopes: what is `n` frames from the beginning and what is `n` from the end come of the same two numbers.
#[inline(always)]
fn rotate<V: Vector>(proof: V::Proof, now: &[f32], last: &[f32], window: &[f32], samples: &mut [f32]) {
    let half = samples.len() / 2;
    let (Some(now), Some(last)) = (now.get(half..2 * half), last.get(..half)) else { return };
    let Some((rising, falling)) = window.split_at_checked(half) else { return };
    let (first, second) = samples.split_at_mut(half);
    let (first, second) = (first.as_chunks_mut::<NUM_LANES>().0, second.as_chunks_mut::<NUM_LANES>().0);
    let inputs = blocks(now).iter().zip(blocks(last).iter().rev());
    let window = blocks(rising).iter().zip(blocks(falling).iter().rev());
    let outputs = first.iter_mut().zip(second.iter_mut().rev());
    for (((now, last), (low, high)), (to, mirrored)) in inputs.zip(window).zip(outputs) {
        let (now, last) = (V::load(proof, now), V::load(proof, last).reversed());
        let (low, high) = (V::load(proof, low), V::load(proof, high).reversed());
        (now * low - last * high).store(to);
        (now * high + last * low).negated().reversed().store(mirrored);
    }
}

#[inline(always)]
fn blocks(numbers: &[f32]) -> &[[f32; NUM_LANES]] {
    numbers.as_chunks().0
}

/// The 2M numbers of M, by place.
#[inline(always)]
fn unfolded(u: &[f32], n: usize) -> f32 {
    let (all, half) = (u.len(), u.len() / 2);
    let at = |place: usize| u.get(place).copied().unwrap_or_default();
    if n < half {
        at(half + n)
    } else if n < all + half {
        -at(all + half - 1 - n)
    } else {
        -at(n - all - half)
    }
}

/// Writes the second half of a packet.
#[inline(always)]
fn fall(last: &Lines, sequence: Sequence, is_kbd: bool, num_frames: usize, samples: &mut [f32]) {
    let Some(u) = last.get(..num_frames) else { return };
    let flat = (num_frames - num_frames / 8) / 2;
    match sequence {
        Sequence::Long | Sequence::Stop => {
            let window = windows::long(num_frames, is_kbd).iter().rev();
            for (n, (to, factor)) in samples.iter_mut().zip(window).enumerate() {
                *to = unfolded(u, num_frames + n) * factor;
            }
        }
        Sequence::Start => {
            for (n, to) in samples.iter_mut().enumerate() {
                *to = if n < flat { unfolded(u, num_frames + n) } else { 0.0 };
            }
            let window = windows::short(num_frames, is_kbd).iter().rev();
            for (to, (n, factor)) in samples.iter_mut().skip(flat).zip((flat..).zip(window)) {
                *to = unfolded(u, num_frames + n) * factor;
            }
        }
        Sequence::Short => {
            samples.fill(0.0);
            // Its window before the first does not reach so far: which slope that has is of no matter.
            add_short(u, is_kbd, is_kbd, num_frames, num_frames, samples);
        }
    }
}

/// Adds the first half of a packet.
#[inline(always)]
fn rise(
    now: &Lines,
    sequence: Sequence,
    is_kbd_before: bool,
    is_kbd: bool,
    num_frames: usize,
    samples: &mut [f32],
) {
    let Some(u) = now.get(..num_frames) else { return };
    let flat = (num_frames - num_frames / 8) / 2;
    match sequence {
        Sequence::Long | Sequence::Start => {
            let window = windows::long(num_frames, is_kbd_before);
            for (n, (to, factor)) in samples.iter_mut().zip(window).enumerate() {
                *to += unfolded(u, n) * factor;
            }
        }
        Sequence::Stop => {
            let window = windows::short(num_frames, is_kbd_before);
            for (to, (n, factor)) in samples.iter_mut().skip(flat).zip((flat..).zip(window)) {
                *to += unfolded(u, n) * factor;
            }
            for (n, to) in samples.iter_mut().enumerate().skip(flat + window.len()) {
                *to += unfolded(u, n);
            }
        }
        Sequence::Short => add_short(u, is_kbd_before, is_kbd, num_frames, 0, samples),
    }
}

/// Adds those of the frames of eight short windows that begin at `first`, of twice `num_frames`.
#[inline(always)]
fn add_short(u: &[f32], is_kbd_before: bool, is_kbd: bool, num_frames: usize, first: usize, samples: &mut [f32]) {
    let num_lines = num_frames / 8;
    let flat = (num_frames - num_lines) / 2;
    for (number, u) in u.chunks_exact(num_lines).enumerate() {
        let rising = windows::short(num_frames, if number == 0 { is_kbd_before } else { is_kbd });
        let falling = windows::short(num_frames, is_kbd);
        let start = flat + number * num_lines;
        let factors = rising.iter().chain(falling.iter().rev());
        for (n, factor) in factors.enumerate() {
            if let Some(to) = (start + n).checked_sub(first).and_then(|place| samples.get_mut(place)) {
                *to += unfolded(u, n) * factor;
            }
        }
    }
}
