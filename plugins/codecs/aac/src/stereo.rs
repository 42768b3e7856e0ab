//! Two channels that share a packet: sum and difference, intensity, and common noise (ISO/IEC 14496-3, 4.6.8.1, 4.6.8.2 and 4.6.13).

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
    let scales = left.scales.iter().zip(&right.scales);
    let mut each = books.zip(scales).zip(&element.is_mid_side);
    for (first, length) in windows.groups() {
        for (band, ((books, scales), is_marked)) in each.by_ref().take(windows.num_bands).enumerate() {
            let is_marked = *is_marked && element.has_mid_side;
            // What the lines on the right are those on the left multiplied by, unless both are a sum and a difference.
            let factor = match (*books.0, *books.1) {
                // By 4.6.8.2.3, a band's own mark inverts the sign; FFmpeg writes and reads that all are marked as that they are.
                (_, INTENSITY | OPPOSITE_INTENSITY) => {
                    let is_negative = (*books.1 == OPPOSITE_INTENSITY) != is_marked;
                    Some(if is_negative { -scales.1 } else { *scales.1 })
                }
                // A mark says that the noise is the same, but for its energy.
                (NOISE, NOISE) if is_marked => Some(scales.1 / scales.0),
                (left, right) if is_marked && left < NOISE && right < NOISE => None,
                _ => continue,
            };
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
                if let Some(factor) = factor {
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

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::bands;
    use crate::lines::MAX_LINES;

    #[test]
    fn a_mark_makes_noise_common() {
        let bands = bands::of_rate(44_100, 1024);
        let [long, _] = &bands;
        let mut left = Channel::default();
        left.windows.num_bands = 3;
        (left.windows.num_groups, left.windows.group_lengths[0]) = (1, 1);
        let mut right = left.clone();
        left.books[..3].fill(NOISE);
        right.books[..3].fill(NOISE);
        left.scales[..3].fill(0.5);
        right.scales[..3].fill(2.0);
        let mut element = ElementSide { has_mid_side: true, ..ElementSide::default() };
        element.is_mid_side[1] = true;
        let (mut left_lines, mut right_lines) = ([0.25; MAX_LINES], [7.0; MAX_LINES]);
        left_lines[long.start(1)] = -3.0;
        apply(&element, (&left, &mut left_lines), (&right, &mut right_lines), &bands);
        let (start, end) = (long.start(1), long.start(2));
        assert_eq!(right_lines[start..start + 2], [-12.0, 1.0]);
        assert!(right_lines[start + 1..end].iter().all(|line| *line == 1.0));
        assert!(right_lines[..start].iter().chain(&right_lines[end..]).all(|line| *line == 7.0));
    }
}
