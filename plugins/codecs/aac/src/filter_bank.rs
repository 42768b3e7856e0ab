//! Windows and overlap: what the transforms of two packets make together (ISO/IEC 14496-3, 4.6.11.3).
//!
//! Of M numbers u, the inverse MDCT makes 2M: first u from the middle to the end, then minus u backwards from the end, then minus u from
//! the beginning to the middle. The first half of those, times the window's rising slope, is added to the second half of the packet
//! before, times its falling slope.

#![forbid(unsafe_code)]

use crate::grouping::Sequence;
use crate::lines::{Lines, MAX_LINES};
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

/// The first half of the 2M numbers of M.
#[inline(always)]
fn first_half(u: &[f32], to: &mut [f32]) {
    let (_, u) = u.split_at(u.len() / 2);
    let (first, second) = to.split_at_mut(to.len() / 2);
    for (to, number) in first.iter_mut().zip(u) {
        *to = *number;
    }
    for (to, number) in second.iter_mut().zip(u.iter().rev()) {
        *to = -number;
    }
}

/// The second half of the 2M numbers of M.
#[inline(always)]
fn second_half(u: &[f32], to: &mut [f32]) {
    let (u, _) = u.split_at(u.len() / 2);
    let (first, second) = to.split_at_mut(to.len() / 2);
    for (to, number) in first.iter_mut().zip(u.iter().rev()) {
        *to = -number;
    }
    for (to, number) in second.iter_mut().zip(u) {
        *to = -number;
    }
}

/// Writes the second half of a packet.
#[inline(always)]
fn fall(last: &Lines, sequence: Sequence, is_kbd: bool, num_frames: usize, samples: &mut [f32]) {
    let Some(u) = last.get(..num_frames) else { return };
    let flat = (num_frames - num_frames / 8) / 2;
    let short = windows::short(num_frames, is_kbd);
    match sequence {
        Sequence::Long | Sequence::Stop => {
            second_half(u, samples);
            let window = windows::long(num_frames, is_kbd).iter().rev();
            samples.iter_mut().zip(window).for_each(|(to, factor)| *to *= factor);
        }
        Sequence::Start => {
            second_half(u, samples);
            let (_, rest) = samples.split_at_mut(flat);
            let (slope, rest) = rest.split_at_mut(short.len());
            slope.iter_mut().zip(short.iter().rev()).for_each(|(to, factor)| *to *= factor);
            rest.fill(0.0);
        }
        Sequence::Short => {
            samples.fill(0.0);
            // The first window does not reach so far: which slope it has is of no matter.
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
    let mut half = [0.0; MAX_LINES];
    let half = half.get_mut(..num_frames).unwrap_or_default();
    match sequence {
        Sequence::Long | Sequence::Start => {
            first_half(u, half);
            let window = windows::long(num_frames, is_kbd_before);
            for ((to, number), factor) in samples.iter_mut().zip(half).zip(window) {
                *to += *number * factor;
            }
        }
        Sequence::Stop => {
            first_half(u, half);
            let window = windows::short(num_frames, is_kbd_before);
            let (_, rest) = half.split_at_mut(flat);
            let (slope, _) = rest.split_at_mut(window.len());
            slope.iter_mut().zip(window).for_each(|(number, factor)| *number *= factor);
            let (_, samples) = samples.split_at_mut(flat);
            samples.iter_mut().zip(rest).for_each(|(to, number)| *to += *number);
        }
        Sequence::Short => add_short(u, is_kbd_before, is_kbd, num_frames, 0, samples),
    }
}

/// Adds those of the frames of eight short windows that begin at `first`, of twice `num_frames`: those of the first half, or of the
/// second.
#[inline(always)]
fn add_short(
    u: &[f32],
    is_kbd_before: bool,
    is_kbd: bool,
    num_frames: usize,
    first: usize,
    samples: &mut [f32],
) {
    let num_lines = num_frames / 8;
    let flat = (num_frames - num_lines) / 2;
    let mut half = [0.0; MAX_LINES / 8];
    let half = half.get_mut(..num_lines).unwrap_or_default();
    let falling = windows::short(num_frames, is_kbd);
    for (number, u) in u.chunks_exact(num_lines).enumerate() {
        let start = flat + number * num_lines;
        let rising = windows::short(num_frames, if number == 0 { is_kbd_before } else { is_kbd });
        first_half(u, half);
        add(half, rising.iter(), start, first, samples);
        second_half(u, half);
        add(half, falling.iter().rev(), start + num_lines, first, samples);
    }
}

/// Adds numbers times factors from a place on, as far as there are samples from `first` on.
#[inline(always)]
fn add<'f>(
    numbers: &[f32],
    factors: impl ExactSizeIterator<Item = &'f f32>,
    start: usize,
    first: usize,
    samples: &mut [f32],
) {
    let skipped = first.saturating_sub(start);
    let samples = samples.get_mut(start.saturating_sub(first)..).unwrap_or_default();
    for (to, (number, factor)) in samples.iter_mut().zip(numbers.iter().zip(factors).skip(skipped)) {
        *to += number * factor;
    }
}
