//! The orders in which layouts have their channels.

use crate::sys::*;

/// The labels of a layout's channels; `None` for a tag that is not known here.
pub(super) fn labels(tag: u32) -> Option<&'static [u32]> {
    Some(match tag {
        kAudioChannelLayoutTag_Mono => &[3],
        kAudioChannelLayoutTag_Stereo => &[1, 2],
        kAudioChannelLayoutTag_AAC_3_0 => &[3, 1, 2],
        kAudioChannelLayoutTag_AAC_Quadraphonic => &[1, 2, 5, 6],
        kAudioChannelLayoutTag_AAC_4_0 => &[3, 1, 2, 9],
        kAudioChannelLayoutTag_AAC_5_0 => &[3, 1, 2, 5, 6],
        kAudioChannelLayoutTag_AAC_5_1 => &[3, 1, 2, 5, 6, 4],
        kAudioChannelLayoutTag_AAC_6_1 => &[3, 1, 2, 5, 6, 9, 4],
        kAudioChannelLayoutTag_AAC_7_1 => &[3, 7, 8, 1, 2, 5, 6, 4],
        _ => return None,
    })
}

pub(super) fn bitmap(tag: u32) -> Option<u32> {
    labels(tag).map(|labels| labels.iter().fold(0, |bitmap, label| bitmap | 1 << (label - 1)))
}

/// For each channel of a client, whose order is that of a bitmap, the channel of the file.
pub(super) fn map(bitmap: u32, tag: u32) -> Option<Vec<usize>> {
    let file = labels(tag)?;
    if self::bitmap(tag)? != bitmap {
        return None;
    }
    let client = (1..=32).filter(|label| bitmap >> (label - 1) & 1 == 1);
    client.map(|label| file.iter().position(|other| *other == label)).collect()
}
