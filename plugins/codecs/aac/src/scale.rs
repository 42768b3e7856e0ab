//! Lines of a packet to lines of windows: scale factors (ISO/IEC 14496-3, 4.6.2), noise, and the order of short windows.
//!
//! In a group of short windows, the lines of a band follow window after window, then those of the next band.

#![forbid(unsafe_code)]

use crate::bands::Bands;
use crate::grouping::Sequence;
use crate::lines::Lines;
use crate::noise::Noise;
use crate::side::{Channel, NOISE};

/// Scales the lines of a channel, and puts those of short windows window after window. Bands of noise are drawn from `noise`.
#[inline(always)]
pub(crate) fn scale(channel: &Channel, bands: &[Bands; 2], lines: &mut Lines, noise: &mut Noise) {
    let windows = &channel.windows;
    let bands = windows.bands(bands);
    if windows.sequence != Sequence::Short {
        let each = channel.books.iter().zip(&channel.scales).enumerate().take(windows.num_bands);
        for (band, (book, scale)) in each {
            let Some(lines) = lines.get_mut(bands.start(band)..bands.start(band + 1)) else { continue };
            if *book == NOISE {
                noise.fill(lines, *scale);
            } else if *book < NOISE {
                let (quads, _) = lines.as_chunks_mut::<4>();
                for quad in quads {
                    *quad = quad.map(|line| line * scale);
                }
            }
        }
        if channel.pulses.count > 0 {
            // They may lie behind the last band.
            let behind = lines.get_mut(bands.start(windows.num_bands)..);
            behind.into_iter().flatten().for_each(|line| *line = 0.0);
        }
        return;
    }
    let coded = *lines;
    lines.fill(0.0);
    let num_lines = bands.start(usize::MAX);
    for (group, (first, length)) in windows.groups().enumerate() {
        for band in 0..windows.num_bands {
            let place = group * windows.num_bands + band;
            let (Some(book), Some(scale)) = (channel.books.get(place), channel.scales.get(place)) else {
                continue;
            };
            let (start, end) = (bands.start(band), bands.start(band + 1));
            for window in 0..length {
                let to = (first + window) * num_lines;
                let Some(to) = lines.get_mut(to + start..to + end) else { continue };
                if *book == NOISE {
                    noise.fill(to, *scale);
                } else if *book < NOISE {
                    let from = first * num_lines + start * length + window * (end - start);
                    let from = coded.get(from..).unwrap_or_default();
                    to.iter_mut().zip(from).for_each(|(to, line)| *to = line * scale);
                }
            }
        }
    }
}
