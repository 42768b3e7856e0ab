//! Temporal noise shaping: filters over the lines of a window (ISO/IEC 14496-3, 4.6.9).

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::bands::Bands;
use crate::error::DecodeError;
use crate::grouping::{Sequence, Windows};
use crate::math;

/// The most coefficients of a filter of Low Complexity (table 4.155).
const MAX_ORDER: usize = 12;
const MAX_SHORT_ORDER: usize = 7;
/// The most filters: three of a long window, one of each of eight short ones.
const MAX_FILTERS: usize = 8;

/// Reflection coefficients by their codes of 3 and 4 bits (4.6.9.3, tns_decode_coef): sines, of which those of negative codes have
/// another step.
static REFLECTIONS: [[f64; 16]; 2] = [reflections(3), reflections(4)];

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler computes it, and checks"
)]
const fn reflections(num_bits: u32) -> [f64; 16] {
    let mut reflections = [0.0; 16];
    let steps = 1 << num_bits;
    let mut code = 0;
    while code < steps {
        let half = steps / 2;
        reflections[code as usize] =
            if code < half { math::sin_pi(code, steps - 1) } else { math::sin_pi(code - steps, steps + 1) };
        code += 1;
    }
    reflections
}

/// A filter of some bands of a window.
#[derive(Clone, Copy, Debug, Default)]
struct Filter {
    window: u8,
    /// The bands, of all bands of a window.
    first_band: u8,
    end_band: u8,
    order: u8,
    /// Whether it begins with the highest line.
    is_downward: bool,
    /// What each of the lines before it is multiplied by and subtracted.
    coefficients: [f64; MAX_ORDER],
}

/// The filters of a channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tns {
    count: usize,
    filters: [Filter; MAX_FILTERS],
    /// The numbers of bands are those before this end, counted from the last band of a window.
    is_short: bool,
}

impl Tns {
    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Reads filters (tns_data). Their bands are counted from the end until [`apply`](Self::apply).
    #[expect(clippy::cast_possible_truncation, reason = "fields of few bits")]
    pub(crate) fn read(&mut self, bits: &mut BitReader<'_>, is_short: bool) -> Result<(), DecodeError> {
        self.count = 0;
        self.is_short = is_short;
        let (num_windows, count_bits, length_bits, order_bits, max_order) =
            if is_short { (8, 1, 4, 3, MAX_SHORT_ORDER) } else { (1, 2, 6, 5, MAX_ORDER) };
        for window in 0..num_windows {
            let num_filters = bits.read(count_bits);
            if num_filters == 0 {
                continue;
            }
            let resolution = 3 + bits.read(1);
            let mut bands_above = 0;
            for _ in 0..num_filters {
                let num_bands = bits.read(length_bits);
                let order = bits.read(order_bits) as usize;
                if order > max_order {
                    return Err(DecodeError::Packet("a filter of noise shaping has too many coefficients"));
                }
                let mut filter = Filter {
                    window,
                    end_band: bands_above as u8,
                    first_band: (bands_above + num_bands).min(64) as u8,
                    order: order as u8,
                    ..Filter::default()
                };
                bands_above = (bands_above + num_bands).min(64);
                if order == 0 {
                    continue;
                }
                filter.is_downward = bits.read(1) != 0;
                let num_bits = resolution - bits.read(1); // coef_compress
                let mut reflections = [0.0; MAX_ORDER];
                for reflection in reflections.iter_mut().take(order) {
                    let code = bits.read_signed(num_bits) & ((1 << resolution) - 1);
                    let table = REFLECTIONS.get(resolution as usize - 3);
                    let found = table.and_then(|table| table.get(code.cast_unsigned() as usize));
                    *reflection = found.copied().unwrap_or_default();
                }
                filter.coefficients = prediction(&reflections, order);
                if let Some(to) = self.filters.get_mut(self.count) {
                    *to = filter;
                    self.count += 1;
                }
            }
        }
        Ok(())
    }

    /// Filters the lines of all windows, which follow each other.
    #[inline(always)]
    pub(crate) fn apply(&self, lines: &mut [f32], windows: &Windows, bands: &[Bands; 2]) {
        let bands = windows.bands(bands);
        let num_lines = bands.start(usize::MAX);
        let reach = bands.max_tns.min(windows.num_bands);
        debug_assert_eq!(self.is_short, windows.sequence == Sequence::Short);
        for filter in self.filters.iter().take(self.count) {
            let band = |from_end: u8| bands.count.saturating_sub(from_end.into()).min(reach);
            let (start, end) = (bands.start(band(filter.first_band)), bands.start(band(filter.end_band)));
            let window = usize::from(filter.window) * num_lines;
            let Some(lines) = lines.get_mut(window + start..window + end) else { continue };
            // Sums of a multiple of four products have no remainder. More than half of the filters have at most eight.
            match (filter.order, filter.is_downward) {
                (0..=4, false) => filter.run::<4>(lines.iter_mut()),
                (0..=4, true) => filter.run::<4>(lines.iter_mut().rev()),
                (5..=8, false) => filter.run::<8>(lines.iter_mut()),
                (5..=8, true) => filter.run::<8>(lines.iter_mut().rev()),
                (_, false) => filter.run::<MAX_ORDER>(lines.iter_mut()),
                (_, true) => filter.run::<MAX_ORDER>(lines.iter_mut().rev()),
            }
        }
    }
}

impl Filter {
    /// Each line loses what the lines before it predict. `past` has the sums of what past lines add to those that come: a line waits
    /// for one product and one sum, whatever the order. Filters may be close to instability, where single precision is not enough.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "to the precision of lines")]
    fn run<'l, const ORDER: usize>(&self, lines: impl Iterator<Item = &'l mut f32>) {
        let mut coefficients = [0.0; ORDER];
        coefficients.iter_mut().zip(&self.coefficients).for_each(|(to, from)| *to = *from);
        let mut past = [0.0; ORDER];
        for line in lines {
            let value = f64::from(*line) - past.first().copied().unwrap_or_default();
            *line = value as f32;
            let mut next = [0.0; ORDER];
            for (place, (to, coefficient)) in next.iter_mut().zip(&coefficients).enumerate() {
                *to = past.get(place + 1).copied().unwrap_or_default() + coefficient * value;
            }
            past = next;
        }
    }
}

/// The coefficients of a predictor of so many reflection coefficients (4.6.9.3, "conversion to LPC coefficients").
fn prediction(reflections: &[f64; MAX_ORDER], order: usize) -> [f64; MAX_ORDER] {
    let mut coefficients = [0.0; MAX_ORDER];
    for (count, reflection) in reflections.iter().enumerate().take(order) {
        let before = coefficients;
        for (to, mirrored) in coefficients.iter_mut().zip(before.iter().take(count).rev()) {
            *to += reflection * mirrored;
        }
        if let Some(to) = coefficients.get_mut(count) {
            *to = *reflection;
        }
    }
    coefficients
}
