//! Core Audio's channel layouts (`CoreAudioBaseTypes.h`; *Apple Core Audio Format Specification 1.0*, "Channel Layout
//! Chunk"), which CAF's `chan` and AIFF's `CHAN` hold, as WAVE speaker masks.
//!
//! A mask only states which speakers there are; the channels follow the order of its bits. A layout in any other order
//! has no mask.

#![forbid(unsafe_code)]

use crate::cursor::Cursor;
use crate::error::Result;

const USE_DESCRIPTIONS: u32 = 0;
pub(crate) const USE_BITMAP: u32 = 1 << 16;

const HEADER_BYTES: u64 = 12;
const DESCRIPTION_BYTES: u64 = 20;

/// Layout tags whose channels are in mask order. The low half of a tag is its number of channels.
const TAGS: &[(u32, u32)] = &[
    (100 << 16 | 1, 0x004), // mono
    (101 << 16 | 2, 0x003), // stereo
    (102 << 16 | 2, 0x003), // stereo for headphones
    (106 << 16 | 2, 0x003), // binaural
    (108 << 16 | 4, 0x033), // quadraphonic: L R Ls Rs
    (113 << 16 | 3, 0x007), // MPEG 3.0 A: L R C
    (115 << 16 | 4, 0x107), // MPEG 4.0 A: L R C Cs
    (117 << 16 | 5, 0x037), // MPEG 5.0 A: L R C Ls Rs
    (121 << 16 | 6, 0x03f), // MPEG 5.1 A: L R C LFE Ls Rs
    (125 << 16 | 7, 0x13f), // MPEG 6.1 A: L R C LFE Ls Rs Cs
    (126 << 16 | 8, 0x0ff), // MPEG 7.1 A: L R C LFE Ls Rs Lc Rc
    (131 << 16 | 3, 0x103), // ITU 2.1: L R Cs
    (132 << 16 | 4, 0x033), // ITU 2.2: L R Ls Rs
    (133 << 16 | 3, 0x00b), // DVD 4: L R LFE
    (134 << 16 | 4, 0x10b), // DVD 5: L R LFE Cs
    (135 << 16 | 5, 0x03b), // DVD 6: L R LFE Ls Rs
    (136 << 16 | 4, 0x00f), // DVD 10: L R C LFE
    (137 << 16 | 5, 0x10f), // DVD 11: L R C LFE Cs
    (185 << 16 | 4, 0x033), // WAVE 4.0 B: L R Rls Rrs
    (186 << 16 | 5, 0x037), // WAVE 5.0 B: L R C Rls Rrs
    (187 << 16 | 6, 0x03f), // WAVE 5.1 B: L R C LFE Rls Rrs
    (188 << 16 | 7, 0x70f), // WAVE 6.1: L R C LFE Cs Ls Rs
    (189 << 16 | 8, 0x63f), // WAVE 7.1: L R C LFE Rls Rrs Ls Rs
];

/// The speaker mask of the layout in a chunk's payload; 0 if a mask cannot express it.
///
/// A layout is optional information: one that is too short or contradicts the number of channels is ignored.
pub(super) fn read_mask(
    cursor: &mut Cursor<'_>,
    start: u64,
    num_bytes: u64,
    num_channels: u16,
) -> Result<u32> {
    let in_file = start.checked_add(num_bytes).is_some_and(|end| end <= cursor.file_len());
    if num_bytes < HEADER_BYTES || !in_file {
        return Ok(0);
    }
    cursor.seek(start);
    let (tag, bitmap, num_descriptions) = (cursor.u32_be()?, cursor.u32_be()?, cursor.u32_be()?);
    let mask = match tag {
        USE_DESCRIPTIONS => {
            let described = u64::from(num_descriptions).saturating_mul(DESCRIPTION_BYTES);
            if num_descriptions != u32::from(num_channels)
                || described > num_bytes.saturating_sub(HEADER_BYTES)
            {
                return Ok(0);
            }
            described_mask(cursor, num_descriptions)?
        }
        // The bits up to "top back right" are those of WAVE.
        USE_BITMAP => bitmap & 0x0003_ffff,
        tag => TAGS.iter().find(|(known, _)| *known == tag).map_or(0, |(_, mask)| *mask),
    };
    Ok(if mask.count_ones() == u32::from(num_channels) { mask } else { 0 })
}

/// The mask of the channel descriptions that follow. Each has a label, flags and three coordinates.
fn described_mask(cursor: &mut Cursor<'_>, num_descriptions: u32) -> Result<u32> {
    let first = cursor.position();
    let label_at = |index: u32| first.saturating_add(u64::from(index).saturating_mul(DESCRIPTION_BYTES));
    if num_descriptions > 18 {
        return Ok(0);
    }
    let mut has_rear = false;
    for index in 0..num_descriptions {
        cursor.seek(label_at(index));
        has_rear |= matches!(cursor.u32_be()?, 33 | 34);
    }
    let mut mask = 0;
    for index in 0..num_descriptions {
        cursor.seek(label_at(index));
        let bit = speaker(cursor.u32_be()?, has_rear);
        if bit <= mask {
            return Ok(0);
        }
        mask |= bit;
    }
    Ok(mask)
}

/// The mask bit of a channel label; 0 for labels without a WAVE speaker.
///
/// The surround pair maps to WAVE's back pair, or to its side pair if the layout has a rear pair of its own.
fn speaker(label: u32, has_rear: bool) -> u32 {
    match label {
        5 if has_rear => 0x200,
        6 if has_rear => 0x400,
        1..=18 => 1 << (label - 1),
        33 => 0x010,
        34 => 0x020,
        42 => 0x004,
        301 => 0x001,
        302 => 0x002,
        _ => 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::builder::Bytes;
    use super::*;
    use crate::track::Container;

    fn mask(bytes: &Bytes, num_channels: u16) -> u32 {
        let num_bytes = bytes.0.len() as u64;
        read_mask(&mut Cursor::new(&bytes.0, num_bytes, Container::CAF), 0, num_bytes, num_channels).unwrap()
    }

    fn tagged(tag: u32, bitmap: u32) -> Bytes {
        Bytes::new().u32_be(tag).u32_be(bitmap).u32_be(0)
    }

    fn described(labels: &[u32]) -> Bytes {
        let header = Bytes::new().u32_be(0).u32_be(0).u32_be(u32::try_from(labels.len()).unwrap());
        labels.iter().fold(header, |bytes, &label| bytes.u32_be(label).put(&[0; 16]))
    }

    #[test]
    fn tags_name_layouts() {
        assert_eq!(mask(&tagged(101 << 16 | 2, 0), 2), 0x3);
        assert_eq!(mask(&tagged(121 << 16 | 6, 0), 6), 0x3f);
        assert_eq!(mask(&tagged(124 << 16 | 6, 0), 6), 0, "C L R Ls Rs LFE is not in the order of a mask");
        assert!(TAGS.iter().all(|(tag, mask)| mask.count_ones() == tag & 0xffff));
    }

    #[test]
    fn a_bitmap_is_a_mask() {
        assert_eq!(mask(&tagged(USE_BITMAP, 0x60f), 6), 0x60f);
    }

    #[test]
    fn descriptions_in_the_order_of_a_mask_make_one() {
        assert_eq!(mask(&described(&[1, 2, 3, 4, 5, 6]), 6), 0x3f);
        assert_eq!(mask(&described(&[1, 2, 3, 4, 33, 34, 5, 6]), 8), 0x63f);
        assert_eq!(mask(&described(&[3, 1, 2]), 3), 0);
        assert_eq!(mask(&described(&[1, 1]), 2), 0);
        assert_eq!(mask(&described(&[1, 400]), 2), 0);
    }

    #[test]
    fn a_layout_that_contradicts_the_channels_or_its_size_is_none() {
        assert_eq!(mask(&tagged(101 << 16 | 2, 0), 6), 0);
        let lying = Bytes::new().u32_be(0).u32_be(0).u32_be(2).put(&[0; 19]);
        assert_eq!(mask(&lying, 2), 0);
        let huge = Bytes::new().u32_be(0).u32_be(0).u32_be(u32::MAX);
        assert_eq!(mask(&huge, u16::MAX), 0);
        assert_eq!(mask(&Bytes::new().put(&[0; 11]), 2), 0);
    }
}
