//! From lines to the samples of subbands (ISO/IEC 11172-3, 2.4.3.4.7 to 2.4.3.4.10.4): gains, alias
//! reduction, the inverse modified cosine transform, and the overlap of its windows.
//!
//! Eight subbands stand side by side in the lanes of a vector.

#![forbid(unsafe_code)]

use crate::bands::{BlockKind, Layout, MAX_BANDS};
use crate::huffman::Lines;
use crate::lanes::{Lanes, NUM_LANES};
use crate::maths::{cosine, sine, square_root};
use crate::side_info::{BlockType, ChannelInfo};
use crate::sizes::{GRANULE, NUM_SUBBANDS, SUBBAND};

/// The vectors that hold a line of all subbands.
const NUM_GROUPS: usize = NUM_SUBBANDS / NUM_LANES;

/// The lines of a granule by their place in the subband, then by subband.
#[derive(Clone, Debug)]
pub(crate) struct Spectrum {
    /// A vector more, since vectors begin at any subband.
    pub(crate) lines: [f32; GRANULE + NUM_LANES],
    /// The vectors of each row that are not all zeros.
    pub(crate) num_groups: usize,
}

impl Spectrum {
    pub(crate) const NONE: Self = Self { lines: [0.0; GRANULE + NUM_LANES], num_groups: 0 };
}

/// What remains of the granule before: for each time, for each subband, the second half of its windows.
#[derive(Clone, Debug)]
pub(crate) struct Overlap {
    slots: [[f32; NUM_SUBBANDS]; SUBBAND],
    /// The vectors of each row that are not all zeros.
    num_groups: usize,
}

impl Overlap {
    pub(crate) const NONE: Self = Self { slots: [[0.0; NUM_SUBBANDS]; SUBBAND], num_groups: 0 };
}

/// The factors of a line and its mirror image in the next subband (2.4.3.4.10.1, table 3-B.9): both for all lanes.
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
const ALIAS: [[f32; 2]; 8] = {
    let coefficients = [-0.6, -0.535, -0.33, -0.185, -0.095, -0.041, -0.0142, -0.0037];
    let mut factors = [[0.0; 2]; 8];
    let mut line = 0;
    while line < 8 {
        let root = square_root(1.0 + coefficients[line] * coefficients[line]);
        factors[line] = [(1.0 / root) as f32, (coefficients[line] / root) as f32];
        line += 1;
    }
    factors
};

/// The windows of long blocks (2.4.3.4.10.3) for the lanes of even and odd subbands, by time: normal, start, none, stop. They
/// have the signs of [`long`], and those by which every other sample of every other subband is negated (2.4.3.4.10.4).
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
static WINDOWS: [[[f32; NUM_LANES]; 2 * SUBBAND]; 4] = {
    let mut windows = [[[0.0; NUM_LANES]; 2 * SUBBAND]; 4];
    let mut time = 0;
    while time < 2 * SUBBAND {
        let long = sine(2 * time as u32 + 1, 72);
        let start = match time {
            0..18 => long,
            18..24 => 1.0,
            24..30 => sine(2 * (time as u32 - 18) + 1, 24),
            _ => 0.0,
        };
        let stop = match time {
            0..6 => 0.0,
            6..12 => sine(2 * (time as u32 - 6) + 1, 24),
            12..18 => 1.0,
            _ => long,
        };
        let sign = if time < 9 { 1.0 } else { -1.0 };
        let mut lane = 0;
        while lane < NUM_LANES {
            let sign = if time % 2 == 1 && lane % 2 == 1 { -sign } else { sign };
            windows[0][time][lane] = (sign * long) as f32;
            windows[1][time][lane] = (sign * start) as f32;
            windows[3][time][lane] = (sign * stop) as f32;
            lane += 1;
        }
        time += 1;
    }
    windows
};

/// The window of short blocks.
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
const SHORT_WINDOW: [f32; 12] = {
    let mut window = [0.0; 12];
    let mut time = 0;
    while time < 12 {
        window[time] = sine(2 * time as u32 + 1, 24) as f32;
        time += 1;
    }
    window
};

/// The signs of odd times.
const SIGNS: [f32; NUM_LANES] = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0];

/// Cosines and sines of the odd multiples of pi / 72, and of pi / 24.
const LONG_TURNS: [[f32; 2]; 9] = turns(72);
const SHORT_TURNS: [[f32; 2]; 3] = turns(24);

#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
const fn turns<const N: usize>(denominator: u32) -> [[f32; 2]; N] {
    let mut turns = [[0.0; 2]; N];
    let mut number = 0;
    while number < N {
        let numerator = 2 * number as u32 + 1;
        turns[number] = [cosine(numerator, denominator) as f32, sine(numerator, denominator) as f32];
        number += 1;
    }
    turns
}

/// Multiplies lines with the gains of their bands and puts them in the places of the layout, or in those of long blocks.
#[inline(always)]
#[allow(
    clippy::indexing_slicing,
    reason = "groups are of eight subbands; the ends of bands are below the lines"
)]
pub(crate) fn place<L: Lanes>(
    proof: L::Proof,
    lines: &Lines,
    num_lines: usize,
    gains: &[f32; MAX_BANDS],
    layout: &Layout,
    has_long_places: bool,
    spectrum: &mut Spectrum,
) {
    if !has_long_places {
        spectrum.lines.fill(0.0);
        // The last band, with all its windows.
        let mut last = layout.ends().partition_point(|end| usize::from(*end) < num_lines);
        if let Some(short) = last.checked_sub(layout.num_long) {
            last += 2 - short % 3;
        }
        let mut start = 0;
        for (end, gain) in layout.ends().iter().zip(gains).take(last + 1) {
            let end = usize::from(*end);
            for (place, line) in layout.places[start..end].iter().zip(&lines[start..end]) {
                if let Some(to) = spectrum.lines.get_mut(usize::from(*place)) {
                    *to = *line * *gain;
                }
            }
            start = end;
        }
        spectrum.num_groups = if num_lines > 0 { groups_of(start) } else { 0 };
        return;
    }
    // One subband more, into which alias reduction goes.
    let num_groups = groups_of(num_lines);
    let mut line_gains = [0.0; GRANULE + NUM_LANES];
    let mut start = 0;
    for (end, gain) in layout.ends().iter().zip(gains) {
        // Whole vectors: what is after the end is written again.
        let gain = L::splat(proof, *gain);
        let end = usize::from(*end);
        while start < end {
            store(gain, &mut line_gains, start);
            start += NUM_LANES;
        }
        start = end;
        if end >= num_lines {
            break;
        }
    }
    let zero = L::splat(proof, 0.0);
    for group in num_groups..NUM_GROUPS {
        for row in 0..SUBBAND {
            store(zero, &mut spectrum.lines, row * NUM_SUBBANDS + group * NUM_LANES);
        }
    }
    for group in 0..num_groups {
        // The last columns are those from 10 on, of which two are new.
        for (first, num_old) in [(0, 0), (8, 0), (10, 6)] {
            let mut rows = [zero; NUM_LANES];
            for (subband, row) in rows.iter_mut().enumerate() {
                let at = (group * NUM_LANES + subband) * SUBBAND + first;
                *row = load::<L>(proof, lines, at) * load::<L>(proof, &line_gains, at);
            }
            for (column, vector) in L::transposed(rows).into_iter().enumerate().skip(num_old) {
                store(vector, &mut spectrum.lines, (first + column) * NUM_SUBBANDS + group * NUM_LANES);
            }
        }
    }
    spectrum.num_groups = num_groups;
}

/// The vectors of each row that hold the first lines, and those of one more subband.
#[inline(always)]
fn groups_of(num_lines: usize) -> usize {
    match num_lines {
        0 => 0,
        _ => (num_lines.div_ceil(SUBBAND) + 1).div_ceil(NUM_LANES).min(NUM_GROUPS),
    }
}

/// Moves lines from the places of long blocks to others.
pub(crate) fn replace(spectrum: &mut Spectrum, places: &[u16; GRANULE]) {
    let old = spectrum.lines;
    for (from, to) in Layout::of(0, BlockKind::Long).places.iter().zip(places) {
        let line = old.get(usize::from(*from)).copied().unwrap_or(0.0);
        if let Some(to) = spectrum.lines.get_mut(usize::from(*to)) {
            *to = line;
        }
    }
    spectrum.num_groups = NUM_GROUPS;
}

#[inline(always)]
#[allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the caller's places have eight numbers behind them"
)]
fn load<L: Lanes>(proof: L::Proof, from: &[f32], at: usize) -> L {
    L::load(proof, from[at..at + NUM_LANES].first_chunk().unwrap())
}

#[inline(always)]
#[allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the caller's places have eight numbers behind them"
)]
fn store<L: Lanes>(vector: L, to: &mut [f32], at: usize) {
    vector.store(to[at..at + NUM_LANES].first_chunk_mut().unwrap());
}

/// Turns the lines of a granule into the samples of 18 times, each of all subbands.
#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "there are 18 times and four groups")]
pub(crate) fn restore<L: Lanes>(
    proof: L::Proof,
    info: &ChannelInfo,
    rate_row: usize,
    spectrum: &mut Spectrum,
    overlap: &mut Overlap,
    slots: &mut [[f32; NUM_SUBBANDS]; SUBBAND],
) {
    let num_groups = spectrum.num_groups;
    let num_long = Layout::of(rate_row, BlockKind::Mixed).num_long_subbands;
    match info.kind() {
        BlockKind::Long => reduce_aliases::<L>(proof, spectrum, NUM_SUBBANDS - 1),
        BlockKind::Mixed => reduce_aliases::<L>(proof, spectrum, num_long - 1),
        BlockKind::Short => {}
    }
    for group in 0..NUM_GROUPS {
        let at = group * NUM_LANES;
        if group < num_groups {
            let before = (group == 0 && info.is_mixed).then(|| overlap.clone());
            restore_group::<L>(proof, info.block_type, &spectrum.lines, at, overlap, slots);
            if let Some(mut low_overlap) = before {
                // Done again for all lanes, of which a few are used: mixed blocks are rare.
                let mut low_slots = [[0.0; NUM_SUBBANDS]; SUBBAND];
                restore_group::<L>(
                    proof,
                    BlockType::Normal,
                    &spectrum.lines,
                    at,
                    &mut low_overlap,
                    &mut low_slots,
                );
                let rows =
                    slots.iter_mut().zip(&low_slots).chain(overlap.slots.iter_mut().zip(&low_overlap.slots));
                for (row, low) in rows {
                    row[..num_long].copy_from_slice(&low[..num_long]);
                }
            }
        } else if group < overlap.num_groups {
            for (slot, overlap) in slots.iter_mut().zip(&mut overlap.slots) {
                slot[at..at + NUM_LANES].copy_from_slice(&overlap[at..at + NUM_LANES]);
                overlap[at..at + NUM_LANES].fill(0.0);
            }
        } else {
            for slot in slots.iter_mut() {
                slot[at..at + NUM_LANES].fill(0.0);
            }
        }
    }
    overlap.num_groups = num_groups;
}

/// The samples of eight subbands.
#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "there are four block types, and 18 lines")]
fn restore_group<L: Lanes>(
    proof: L::Proof,
    block_type: BlockType,
    from: &[f32],
    at: usize,
    overlap: &mut Overlap,
    slots: &mut [[f32; NUM_SUBBANDS]; SUBBAND],
) {
    let mut lines = [L::splat(proof, 0.0); SUBBAND];
    for (line, to) in lines.iter_mut().enumerate() {
        *to = load::<L>(proof, from, line * NUM_SUBBANDS + at);
    }
    match block_type {
        BlockType::Short => {
            let samples = short::<L>(proof, lines);
            for (time, (slot, overlap)) in slots.iter_mut().zip(&mut overlap.slots).enumerate() {
                store(samples[time] + load::<L>(proof, overlap, at), slot, at);
                store(samples[SUBBAND + time], overlap, at);
            }
        }
        _ => long::<L>(proof, lines, &WINDOWS[block_type as usize], at, overlap, slots),
    }
}

/// Turns the lines on both sides of the borders of subbands, the first of which are `num_borders` (2.4.3.4.10.1).
#[inline(always)]
fn reduce_aliases<L: Lanes>(proof: L::Proof, spectrum: &mut Spectrum, num_borders: usize) {
    for group in 0..spectrum.num_groups {
        let at = group * NUM_LANES;
        let is_border = |lane: usize| at + lane < num_borders;
        if !is_border(0) {
            return;
        }
        for (line, [cosine, sine]) in ALIAS.into_iter().enumerate() {
            let [cosine, sine] = if is_border(NUM_LANES - 1) {
                [L::splat(proof, cosine), L::splat(proof, sine)]
            } else {
                let cosines = std::array::from_fn(|lane| if is_border(lane) { cosine } else { 1.0 });
                let sines = std::array::from_fn(|lane| if is_border(lane) { sine } else { 0.0 });
                [L::load(proof, &cosines), L::load(proof, &sines)]
            };
            let (below, above) = ((SUBBAND - 1 - line) * NUM_SUBBANDS + at, line * NUM_SUBBANDS + at + 1);
            let (low, high) =
                (load::<L>(proof, &spectrum.lines, below), load::<L>(proof, &spectrum.lines, above));
            store(low * cosine - high * sine, &mut spectrum.lines, below);
            store(high * cosine + low * sine, &mut spectrum.lines, above);
        }
    }
}

/// The inverse transform of 18 lines, windowed and overlapped.
///
/// The definition, y(i) = sum of X(k) cos(pi / 72 (2i + 19)(2k + 1)) for i of 0 to 35 (2.4.3.4.10.2), has only 18 values
/// but for their signs: with u(n) = sum of X(k) cos(pi / 72 (2n + 1)(2k + 1)), y(i) is u(9 + i) up to 8, -u(26 - i) up to
/// 26, -u(i - 27) then.
#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "n is below 9, and times below 18")]
fn long<L: Lanes>(
    proof: L::Proof,
    lines: [L; SUBBAND],
    window: &[[f32; NUM_LANES]; 2 * SUBBAND],
    at: usize,
    overlap: &mut Overlap,
    slots: &mut [[f32; NUM_SUBBANDS]; SUBBAND],
) {
    let (sums, differences) = folded::<L, SUBBAND, 9>(lines);
    let (cosines, sines) = (cosine_sums_9(proof, sums), cosine_sums_9(proof, differences));
    let u = turned::<L, SUBBAND, 9>(proof, cosines, sines, &LONG_TURNS);
    for n in 0..9 {
        for time in [n, SUBBAND - 1 - n] {
            let overlap = &mut overlap.slots[time];
            let now = u[9 + n] * L::load(proof, &window[time]);
            store(now + load::<L>(proof, overlap, at), &mut slots[time], at);
            store(u[8 - n] * L::load(proof, &window[SUBBAND + time]), overlap, at);
        }
    }
}

/// Three inverse transforms of 6 lines, windowed and overlapped (2.4.3.4.10.3, block type 2).
#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "windows end before the last time")]
fn short<L: Lanes>(proof: L::Proof, lines: [L; SUBBAND]) -> [L; 2 * SUBBAND] {
    let mut samples = [L::splat(proof, 0.0); 2 * SUBBAND];
    for window in 0..3 {
        let mut of_window = [lines[0]; 6];
        for (line, to) in of_window.iter_mut().enumerate() {
            *to = lines[3 * line + window];
        }
        let (sums, differences) = folded::<L, 6, 3>(of_window);
        let (cosines, sines) = (cosine_sums_3(proof, sums), cosine_sums_3(proof, differences));
        let u = turned::<L, 6, 3>(proof, cosines, sines, &SHORT_TURNS);
        for n in 0..3 {
            for (time, value) in [(n, u[3 + n]), (5 - n, u[3 + n]), (6 + n, u[2 - n]), (11 - n, u[2 - n])] {
                let factor = if time < 3 { SHORT_WINDOW[time] } else { -SHORT_WINDOW[time] };
                let sum = &mut samples[6 + 6 * window + time];
                *sum = *sum + value * L::splat(proof, factor);
            }
        }
    }
    let signs = L::load(proof, &SIGNS);
    for sample in samples.iter_mut().skip(1).step_by(2) {
        *sample = *sample * signs;
    }
    samples
}

/// The numbers that the cosines and the sines of u(n) = sum of X(k) cos(pi / 4N (2n + 1)(2k + 1)) are summed up of.
///
/// With t = pi / 4N (2n + 1), the cosines of (4m - 1)t and (4m + 1)t are cos 4mt cos t, and sin 4mt sin t more or less. So
/// pairs of lines, added and subtracted, go into sums of cosines and of sines of 4mt, which are [`turned`] by t. Sines become
/// cosines, with changing signs, in reverse order.
#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "pairs are inside the lines")]
fn folded<L: Lanes, const N: usize, const HALF: usize>(lines: [L; N]) -> ([L; HALF], [L; HALF]) {
    let (mut sums, mut differences) = ([lines[0]; HALF], [lines[N - 1]; HALF]);
    for m in 1..HALF {
        sums[m] = lines[2 * m - 1] + lines[2 * m];
        differences[HALF - m] = lines[2 * m - 1] - lines[2 * m];
    }
    (sums, differences)
}

/// u(n) from its sums of cosines and of sines, which are the same, or negative, for n and N - 1 - n.
#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "there are as many turns as cosines and sines")]
fn turned<L: Lanes, const N: usize, const HALF: usize>(
    proof: L::Proof,
    cosines: [L; HALF],
    sines: [L; HALF],
    turns: &[[f32; 2]; HALF],
) -> [L; N] {
    let mut u = [cosines[0]; N];
    for (n, [cosine, sine]) in turns.iter().enumerate() {
        let (cosine, sine) = (L::splat(proof, *cosine), L::splat(proof, *sine));
        let (one, other) = (cosines[n] * cosine, sines[n] * sine);
        let (three, four) = (cosines[n] * sine, sines[n] * cosine);
        (u[n], u[N - 1 - n]) =
            if n % 2 == 0 { (one + other, three - four) } else { (one - other, three + four) };
    }
    u
}

/// The sum of a(m) cos(pi / 6 m (2n + 1)), for n of 0 to 2.
#[inline(always)]
fn cosine_sums_3<L: Lanes>(proof: L::Proof, [a, b, c]: [L; 3]) -> [L; 3] {
    #[expect(clippy::cast_possible_truncation, reason = "of single precision")]
    const ROOT: f32 = cosine(1, 6) as f32;
    let (even, odd) = (a + c * L::splat(proof, 0.5), b * L::splat(proof, ROOT));
    [even + odd, a - c, even - odd]
}

/// The sum of a(m) cos(pi / 18 m (2n + 1)), for n of 0 to 8. Those of even m are the same for n and 8 - n, those of odd m
/// negative. Of three sums of each kind one follows from the others.
#[inline(always)]
fn cosine_sums_9<L: Lanes>(proof: L::Proof, a: [L; 9]) -> [L; 9] {
    #[expect(clippy::cast_possible_truncation, reason = "of single precision")]
    const fn of(eighteenths: u32) -> f32 {
        cosine(eighteenths, 18) as f32
    }
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = a;
    let same = a0 + times(proof, a6, 0.5);
    let first = times(proof, a2, const { of(2) })
        + times(proof, a4, const { of(4) })
        + times(proof, a8, const { of(8) });
    let third = times(proof, a8, const { of(4) })
        - times(proof, a2, const { of(8) })
        - times(proof, a4, const { of(2) });
    let twice = a0 - a6;
    let rest = a2 - a4 - a8;
    let even =
        [same + first, twice + times(proof, rest, 0.5), same + third, same - (first + third), twice - rest];
    let middle = times(proof, a3, const { of(3) });
    let first = times(proof, a1, const { of(1) })
        + times(proof, a5, const { of(5) })
        + times(proof, a7, const { of(7) });
    let third = times(proof, a1, const { of(5) }) - times(proof, a5, const { of(7) })
        + times(proof, a7, const { of(1) });
    let fourth = first - third;
    let odd = [first + middle, times(proof, a1 - a5 - a7, const { of(3) }), third - middle, fourth - middle];
    let [e0, e1, e2, e3, e4] = even;
    let [o0, o1, o2, o3] = odd;
    [e0 + o0, e1 + o1, e2 + o2, e3 + o3, e4, e3 - o3, e2 - o2, e1 - o1, e0 - o0]
}

#[inline(always)]
fn times<L: Lanes>(proof: L::Proof, vector: L, factor: f32) -> L {
    vector * L::splat(proof, factor)
}
