//! Two channels that share a packet: sum and difference, and intensity (ISO/IEC 14496-3, 4.6.8.1 and 4.6.8.2).

#![forbid(unsafe_code)]

use crate::bands::Bands;
use crate::lines::Lines;
use crate::packet::ElementSide;
use crate::side::{Channel, INTENSITY, NOISE, OPPOSITE_INTENSITY};

/// Makes left and right of what a pair codes.
#[inline(always)]
pub(crate) fn apply(
    element: &ElementSide,
    (left, left_lines): (&Channel, &mut Lines),
    (right, right_lines): (&Channel, &mut Lines),
    bands: &[Bands; 2],
) {
    let windows = &right.windows;
    let bands = windows.bands(bands);
    let num_lines = bands.start(usize::MAX);
    let books = left.books.iter().zip(&right.books);
    let each = books.zip(&right.scales).zip(&element.is_mid_side);
    let mut each = each.map(|(((left, right), scale), is_mid_side)| (*left, *right, *scale, *is_mid_side));
    for (first, length) in windows.groups() {
        for (band, (left_book, right_book, scale, is_marked)) in
            each.by_ref().take(windows.num_bands).enumerate()
        {
            let is_marked = is_marked && element.has_mid_side;
            let is_mid_side = is_marked && left_book < NOISE && right_book < NOISE;
            let is_intensity = matches!(right_book, INTENSITY | OPPOSITE_INTENSITY);
            if !is_mid_side && !is_intensity {
                continue;
            }
            for window in first..first + length {
                let lines =
                    window * num_lines + bands.start(band)..window * num_lines + bands.start(band + 1);
                let (Some(left), Some(right)) =
                    (left_lines.get_mut(lines.clone()), right_lines.get_mut(lines))
                else {
                    continue;
                };
                let (left, right) = (left.as_chunks_mut::<4>().0, right.as_chunks_mut::<4>().0);
                let quads = left.iter_mut().zip(right);
                if is_intensity {
                    // By 4.6.8.2.3, a band's own mark inverts the sign; FFmpeg writes and reads that all are marked as that they are.
                    let is_negative = (right_book == OPPOSITE_INTENSITY) != is_marked;
                    let factor = if is_negative { -scale } else { scale };
                    for (left, right) in quads {
                        *right = left.map(|line| line * factor);
                    }
                } else {
                    for (left, right) in quads {
                        for (mid, side) in left.iter_mut().zip(right) {
                            (*mid, *side) = (*mid + *side, *mid - *side);
                        }
                    }
                }
            }
        }
    }
}
