//! The second channel of joint stereo (ISO/IEC 11172-3, 2.4.3.4.9; ISO/IEC 13818-3, 2.4.3.2): sum and difference, or a share
//! in the first.

#![forbid(unsafe_code)]

use crate::bands::{Layout, MAX_BANDS};
use crate::header::{Header, Version};
use crate::hybrid::Spectrum;
use crate::maths::{cosine, sine};
use crate::scale_factors::{NO_POSITION, power_of_two};
use crate::sizes::GRANULE;

/// The factors of both channels at a position in MPEG-1: tan(pi / 12 * position) is their ratio.
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
const SHARES: [[f32; 2]; 7] = {
    let mut shares = [[0.0; 2]; 7];
    let mut position = 0;
    while position < 7 {
        let (sine, cosine) = (sine(position, 12), cosine(position, 12));
        shares[position as usize] = [(sine / (sine + cosine)) as f32, (cosine / (sine + cosine)) as f32];
        position += 1;
    }
    shares
};

/// Turns sums and differences into left and right.
#[inline(always)]
pub(crate) fn unmix(spectra: &mut [Spectrum; 2]) {
    let [first, second] = spectra;
    for (first, second) in first.lines.iter_mut().zip(&mut second.lines) {
        (*first, *second) = unmixed(*first, *second);
    }
}

#[inline(always)]
fn unmixed(first: f32, second: f32) -> (f32, f32) {
    const HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
    ((first + second) * HALF, (first - second) * HALF)
}

/// Restores both channels of intensity stereo, whose lines are at `places`, in bands of `layout`, that of the second channel
/// with its positions and `scalefac_compress`.
pub(crate) fn restore(
    header: Header,
    layout: &Layout,
    places: &[u16; GRANULE],
    positions: &[u8; MAX_BANDS],
    scalefac_compress: u16,
    spectra: &mut [Spectrum; 2],
) {
    let [first, second] = spectra;
    let positions = shared_bands(layout, places, positions, second);
    let mut places = places.as_slice();
    let mut start = 0;
    for (end, position) in layout.ends().iter().zip(positions) {
        let share = match position {
            NO_POSITION => None,
            _ if header.version() == Version::Mpeg1 => SHARES.get(usize::from(position)).copied(),
            _ => {
                let quarters = i32::from(position.div_ceil(2)) << (scalefac_compress & 1);
                let less = power_of_two(-quarters);
                Some(if position % 2 == 1 { [less, 1.0] } else { [1.0, less] })
            }
        };
        let (band, rest) = places.split_at_checked(usize::from(end - start)).unwrap_or_default();
        (places, start) = (rest, *end);
        for place in band {
            let place = usize::from(*place);
            let (Some(first), Some(second)) = (first.lines.get_mut(place), second.lines.get_mut(place))
            else {
                continue;
            };
            (*first, *second) = match share {
                Some([left, right]) => (*first * left, *first * right),
                None if header.is_mid_side() => unmixed(*first, *second),
                None => (*first, *second),
            };
        }
    }
}

/// The position of each band that is only a share: those above the last one, of the same window, that has a line of the second
/// channel. The highest band is as the one below it.
fn shared_bands(
    layout: &Layout,
    places: &[u16; GRANULE],
    positions: &[u8; MAX_BANDS],
    second: &Spectrum,
) -> [u8; MAX_BANDS] {
    let mut shared = *positions;
    let num_windows = if layout.num_long < layout.num_bands { 3 } else { 1 };
    for band in layout.num_bands.saturating_sub(num_windows)..layout.num_bands {
        let below = band.checked_sub(num_windows).and_then(|below| positions.get(below));
        if let (Some(position), Some(below)) = (shared.get_mut(band), below) {
            *position = *below;
        }
    }
    let mut start = 0;
    for (band, end) in layout.ends().iter().enumerate() {
        let mut lines = places.get(start..usize::from(*end)).unwrap_or_default().iter();
        start = usize::from(*end);
        let line = |place: &u16| second.lines.get(usize::from(*place)).copied().unwrap_or(0.0);
        if lines.any(|place| line(place) != 0.0) {
            // Long bands have no share up to this one, nor short bands of its window.
            for (other, position) in shared.iter_mut().enumerate().take(band + 1) {
                let is_of_window = band < layout.num_long || other % 3 == band % 3;
                if other < layout.num_long || is_of_window {
                    *position = NO_POSITION;
                }
            }
        }
    }
    shared
}
