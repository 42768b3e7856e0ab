//! Speaker layouts: the framework's layouts and WAVE masks, whose first 18 speakers are the same.

#![forbid(unsafe_code)]

use mapwave_plugin::Result;

use crate::property;
use crate::sys::*;

/// The speakers that a WAVE mask has names for.
const WAVE_SPEAKERS: u32 = (1 << 18) - 1;

/// The words of a layout before its descriptions, and of one description.
const HEAD_WORDS: usize = 3;
const DESCRIPTION_WORDS: usize = 5;

/// The WAVE mask of a layout in the framework's words; 0 if it has none: unknown, duplicate or unnamed speakers.
///
/// # Errors
/// When the framework cannot resolve the layout.
pub(crate) fn mask(layout: &[u32], num_channels: u32) -> Result<u32> {
    let mask = match layout {
        [kAudioChannelLayoutTag_UseChannelBitmap, bitmap, ..] => *bitmap,
        [kAudioChannelLayoutTag_UseChannelDescriptions, _, num_descriptions, descriptions @ ..] => {
            let (descriptions, _) = descriptions.as_chunks::<DESCRIPTION_WORDS>();
            let labels = descriptions.iter().take(*num_descriptions as usize).map(|[label, ..]| *label);
            mask_of_labels(labels)
        }
        [tag, ..] => {
            let property = kAudioFormatProperty_BitmapForLayoutTag;
            property::of_format::<u32, u32>(property, tag, "reading the channel layout")?.unwrap_or(0)
        }
        [] => usual(num_channels),
    };
    let is_whole = mask.count_ones() == num_channels && mask & !WAVE_SPEAKERS == 0;
    Ok(if is_whole { mask } else { 0 })
}

/// The mask of labels, where WAVE's speakers are numbered from 1; 0 if a label is another or a duplicate.
fn mask_of_labels(labels: impl Iterator<Item = u32>) -> u32 {
    let mask = labels.into_iter().try_fold(0u32, |mask, label| {
        let speaker = label.checked_sub(1).filter(|speaker| *speaker < 18)?;
        (mask >> speaker & 1 == 0).then_some(mask | 1 << speaker)
    });
    mask.unwrap_or(0)
}

/// The default mask for one and two channels.
fn usual(num_channels: u32) -> u32 {
    match num_channels {
        1 => 0x4,
        2 => 0x3,
        _ => 0,
    }
}

/// The layout with channels in the order of a mask.
pub(crate) fn in_order(mask: u32) -> AudioChannelLayout {
    AudioChannelLayout {
        mChannelLayoutTag: kAudioChannelLayoutTag_UseChannelBitmap,
        mChannelBitmap: mask,
        ..AudioChannelLayout::default()
    }
}

/// The number of words that a layout has without descriptions.
pub(crate) const fn is_layout(words: &[u32]) -> bool {
    words.len() >= HEAD_WORDS
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_bitmaps_are_masks() {
        let description = |label| [label, 0, 0, 0, 0];
        let layout = |labels: &[u32]| {
            let mut words = vec![0, 0, u32::try_from(labels.len()).unwrap()];
            words.extend(labels.iter().flat_map(|label| description(*label)));
            words
        };
        // Centre, left, right, their surrounds, and the low effects: in another order than WAVE's.
        assert_eq!(mask(&layout(&[3, 1, 2, 5, 6, 4]), 6).unwrap(), 0x3f);
        assert_eq!(mask(&layout(&[1, 1]), 2).unwrap(), 0, "one speaker twice");
        assert_eq!(mask(&layout(&[1, 33]), 2).unwrap(), 0, "a speaker that WAVE does not know");
        assert_eq!(mask(&layout(&[1, 2]), 3).unwrap(), 0, "a channel without a speaker");
        assert_eq!(mask(&[1 << 16, 0x33, 0], 4).unwrap(), 0x33);
        assert_eq!(mask(&[1 << 16, 1 << 20 | 1, 0], 2).unwrap(), 0);
        assert_eq!([1, 2, 6].map(|count| mask(&[], count).unwrap()), [0x4, 0x3, 0]);
    }
}
