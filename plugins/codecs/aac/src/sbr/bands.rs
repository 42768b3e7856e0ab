//! Frequency bands (ISO/IEC 14496-3, 4.6.18.3.2) and the patches that fill them (4.6.18.6.3).

#![forbid(unsafe_code)]

use super::header::{Header, Spectrum};
use crate::math;

/// The most subbands above the crossover frequency.
pub(super) const MAX_HIGH: usize = 48;
/// The most bands of noise.
pub(super) const MAX_NOISE_BANDS: usize = 5;

/// Consecutive subbands that are copied upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    /// The first of those that are copied.
    pub(super) from: usize,
    pub(super) num_subbands: usize,
}

/// The bands that follow from a header. Each table holds the subbands at which bands begin, and where the last one ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Bands {
    /// Bands of low and of high resolution.
    pub(super) tables: [Vec<usize>; 2],
    pub(super) noise: Vec<usize>,
    pub(super) limiter: Vec<usize>,
    pub(super) patches: Vec<Patch>,
}

/// The first subbands by bs_start_freq, less the least (table in 4.6.18.3.2.1).
fn offset(sample_rate: u64, start: usize) -> Option<i32> {
    const OFFSETS: [[i32; 16]; 6] = [
        [-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7],
        [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13],
        [-5, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16],
        [-6, -4, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16],
        [-4, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16, 20],
        [-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16, 20, 24],
    ];
    let row = match sample_rate {
        16_000 => 0,
        22_050 => 1,
        24_000 => 2,
        32_000 => 3,
        44_100 | 48_000 | 64_000 => 4,
        88_200 | 96_000 | 128_000 | 176_400 | 192_000 => 5,
        _ => return None,
    };
    OFFSETS.get(row)?.get(start).copied()
}

/// Whether the bands of a rate, which is that of the output, are defined.
pub(crate) fn has_rate(sample_rate: u64) -> bool {
    offset(sample_rate, 0).is_some()
}

/// The widths of bands of equal width on a logarithmic scale.
fn widths(start: usize, stop: usize, num_bands: usize) -> Vec<usize> {
    let step = math::log2(stop as f64 / start as f64) / num_bands.max(1) as f64;
    let border = |band: usize| {
        if band == num_bands { stop } else { round(start as f64 * math::exp2(step * band as f64)) }
    };
    (0..num_bands).map(|band| border(band + 1).saturating_sub(border(band))).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]
fn round(number: f64) -> usize {
    (number + 0.5) as usize
}

/// The borders of bands that have these widths.
fn borders(first: usize, widths: &[usize]) -> Vec<usize> {
    let mut border = first;
    let ends = widths.iter().map(|width| {
        border += width;
        border
    });
    let ends: Vec<usize> = ends.collect();
    [&[first], &ends[..]].concat()
}

/// The least and the last subband, which are k0 and k2.
fn range(spectrum: &Spectrum, sample_rate: u32) -> Option<(usize, usize)> {
    let least = match sample_rate {
        ..32_000 => 3000,
        32_000..64_000 => 4000,
        _ => 5000,
    };
    let nearest = |factor: u32| (least * factor + sample_rate / 2) / sample_rate;
    let first = nearest(128).checked_add_signed(offset(sample_rate.into(), spectrum.start)?)? as usize;
    let last = match spectrum.stop {
        14 => 2 * first,
        15 => 3 * first,
        stop => {
            let least = nearest(256) as usize;
            let mut widths = widths(least, 64, 13);
            widths.sort_unstable();
            least + widths.iter().take(stop).sum::<usize>()
        }
    };
    let last = last.min(64);
    let most = match sample_rate {
        ..=32_000 => 48,
        32_001..48_000 => 35,
        _ => 32,
    };
    (first > 0 && last > first && last - first <= most).then_some((first, last))
}

/// The master table.
fn master(spectrum: &Spectrum, first: usize, last: usize) -> Option<Vec<usize>> {
    if spectrum.scale == 0 {
        return linear_master(first, last, spectrum.is_altered);
    }
    let bands_per_half_octave = f64::from(7 - spectrum.scale);
    let count = |low: usize, high: usize, warp: f64| {
        2 * round(bands_per_half_octave * warp * math::log2(high as f64 / low as f64))
    };
    let has_two_regions = 49 * last > 110 * first;
    let middle = if has_two_regions { 2 * first } else { last };
    let mut low = widths(first, middle, count(first, middle, 1.0));
    low.sort_unstable();
    let widest = *low.last()?;
    if has_two_regions {
        let warp = if spectrum.is_altered { 1.0 / 1.3 } else { 1.0 };
        let mut high = widths(middle, last, count(middle, last, warp));
        high.sort_unstable();
        if let (Some(narrow), Some(wide)) = (high.first().copied(), high.last().copied())
            && narrow < widest
        {
            let change = (widest - narrow).min((wide - narrow) / 2);
            high.first_mut().into_iter().for_each(|width| *width += change);
            high.last_mut().into_iter().for_each(|width| *width -= change);
        }
        high.sort_unstable();
        low.extend(high);
    }
    (!low.contains(&0)).then(|| borders(first, &low))
}

/// The master table whose bands are 1 or 2 subbands wide.
fn linear_master(first: usize, last: usize, is_altered: bool) -> Option<Vec<usize>> {
    let width = if is_altered { 2 } else { 1 };
    let total = last - first;
    let num_bands = if is_altered { (total + 2) / 4 * 2 } else { total / 2 * 2 };
    let mut widths = vec![width; num_bands];
    match total.checked_signed_diff(num_bands * width)? {
        0 => {}
        1.. => *widths.last_mut()? += 1,
        missing => {
            let narrowed = if missing < -1 { 2 } else { 1 };
            widths.iter_mut().take(narrowed).for_each(|width| *width -= 1);
        }
    }
    (!widths.is_empty() && !widths.contains(&0)).then(|| borders(first, &widths))
}

impl Bands {
    /// The bands of a header; `None` if it is not valid.
    pub(super) fn new(header: &Header, sample_rate: u32) -> Option<Self> {
        let spectrum = &header.spectrum;
        let (first, last) = range(spectrum, sample_rate)?;
        let master = master(spectrum, first, last)?;
        let high = master.get(spectrum.crossover..).filter(|high| high.len() > 1)?.to_vec();
        let (start, end) = (*high.first()?, *high.last()?);
        if start > 32 || end > 64 || end - start > MAX_HIGH {
            return None;
        }
        // Every second border from the last one downwards, and the first.
        let is_odd = (high.len() - 1) % 2;
        let mut low = vec![start];
        low.extend(high.iter().skip(2 - is_odd).step_by(2));
        let octaves = math::log2(last as f64 / start as f64);
        let num_noise = round(f64::from(spectrum.noise_bands) * octaves).max(1);
        if num_noise > MAX_NOISE_BANDS {
            return None;
        }
        let (mut noise, mut place) = (vec![start], 0);
        for band in 0..num_noise {
            place += (low.len() - 1 - place) / (num_noise - band);
            noise.push(*low.get(place)?);
        }
        let patches = patches(&master, (start, end), sample_rate)?;
        let mut bands = Self { tables: [low, high], noise, limiter: Vec::new(), patches };
        bands.set_limiter(header.limiter_bands);
        Some(bands)
    }

    /// kx, the first subband that is replicated, and M, how many there are.
    pub(super) fn high_range(&self) -> (usize, usize) {
        let [_, high] = &self.tables;
        let (start, end) = (high.first().copied().unwrap_or(32), high.last().copied().unwrap_or(32));
        (start, end - start)
    }

    /// The number of bands of low or of high resolution.
    pub(super) fn num_bands(&self, is_high: bool) -> usize {
        self.table(is_high).len().saturating_sub(1)
    }

    pub(super) fn table(&self, is_high: bool) -> &[usize] {
        let [low, high] = &self.tables;
        if is_high { high } else { low }
    }

    pub(super) fn num_noise_bands(&self) -> usize {
        self.noise.len().saturating_sub(1)
    }

    /// The bands of the limiter (4.6.18.3.2.3).
    pub(super) fn set_limiter(&mut self, limiter_bands: usize) {
        let (start, num_high) = self.high_range();
        // 2 to the power of 0.49 / 1.2, 0.49 / 2 and 0.49 / 3
        let least_ratio = match limiter_bands {
            0 => {
                self.limiter = vec![start, start + num_high];
                return;
            }
            1 => 1.327_151_742_338_568,
            2 => 1.185_092_770_941_581_4,
            _ => 1.119_871_604_046_759_1,
        };
        let widths: Vec<usize> = self.patches.iter().map(|patch| patch.num_subbands).collect();
        let patch_borders = borders(start, &widths);
        let inner = patch_borders.get(1..patch_borders.len() - 1).unwrap_or_default();
        let mut limiter = [self.table(false), inner].concat();
        limiter.sort_unstable();
        let mut place = 1;
        while let (Some(before), Some(here)) = (limiter.get(place - 1).copied(), limiter.get(place).copied())
        {
            if here as f64 >= before as f64 * least_ratio {
                place += 1;
            } else if here == before || !patch_borders.contains(&here) {
                limiter.remove(place);
            } else if !patch_borders.contains(&before) {
                limiter.remove(place - 1);
            } else {
                place += 1;
            }
        }
        self.limiter = limiter;
    }
}

/// Which subbands are copied to those of a range (figure 4.47).
fn patches(master: &[usize], (start, end): (usize, usize), sample_rate: u32) -> Option<Vec<Patch>> {
    let first = *master.first()?;
    let goal = ((2_048_000 + sample_rate / 2) / sample_rate) as usize;
    let mut place =
        if goal < end { master.partition_point(|border| *border < goal) } else { master.len() - 1 };
    let (mut patches, mut filled, mut highest) = (Vec::<Patch>::new(), start, first);
    let mut before = None;
    loop {
        if before == Some((place, highest)) {
            return None; // nothing would change any more
        }
        before = Some((place, highest));
        let mut chosen = None;
        for border in master.get(..=place)?.iter().rev() {
            let is_odd = (border + first) % 2;
            chosen = Some((*border, is_odd));
            if *border + is_odd < first + highest {
                break;
            }
        }
        let (border, is_odd) = chosen?;
        // Five are allowed; the reference streams have six.
        if patches.len() > 5 {
            return None;
        }
        if border > filled {
            let num_subbands = border - filled;
            patches.push(Patch { from: (first - is_odd).checked_sub(num_subbands)?, num_subbands });
            (filled, highest) = (border, border);
        } else {
            highest = start;
        }
        if *master.get(place)? < border + 3 {
            place = master.len() - 1;
        }
        if border == end {
            break;
        }
    }
    if patches.len() > 1 && patches.last().is_some_and(|patch| patch.num_subbands < 3) {
        patches.pop();
    }
    Some(patches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_of_all_headers_are_in_order() {
        let mut num_valid = 0;
        for sample_rate in [16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000, 192_000] {
            for number in 0..16 * 16 * 8 * 4 * 2 * 4_u32 {
                let spectrum = Spectrum {
                    start: (number % 16) as usize,
                    stop: (number / 16 % 16) as usize,
                    crossover: (number / 256 % 8) as usize,
                    scale: number / 2048 % 4,
                    is_altered: number / 8192 % 2 == 1,
                    noise_bands: number / 16_384,
                };
                let header = Header { spectrum, limiter_bands: (number % 4) as usize, ..Header::default() };
                let Some(bands) = Bands::new(&header, sample_rate) else { continue };
                num_valid += 1;
                let (start, num_high) = bands.high_range();
                let copied: usize = bands.patches.iter().map(|patch| patch.num_subbands).sum();
                for table in [bands.table(false), bands.table(true), &bands.noise, &bands.limiter] {
                    assert_eq!(table.first(), Some(&start));
                    // Where the last patch is left out, the limiter may end before.
                    let is_whole = table.last() == Some(&(start + num_high));
                    assert!(is_whole || (table == bands.limiter && copied < num_high), "{header:?}");
                    assert!(table.is_sorted() && table.len() <= MAX_HIGH + 1);
                }
                assert!(bands.table(true).is_sorted_by(|before, after| before < after));
                assert_eq!(bands.num_bands(false), bands.num_bands(true).div_ceil(2));
                assert!(copied <= num_high && bands.patches.len() <= 6);
                assert!(bands.patches.iter().all(|patch| patch.from + patch.num_subbands <= start));
            }
        }
        assert!(num_valid > 100_000, "{num_valid}");
    }
}
