//! AMR without a header, which libav guesses from a few bytes that look alike.
//!
//! Source: RFC 4867, section 5.3: a frame begins with a byte of its type and quality, of which five bits are fixed.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::{Input, Result};

/// The bytes of a frame after its first, by its type; `None` for types that are not defined.
pub(super) type Sizes = [Option<u8>; 16];

/// RFC 4867, section 3.6 and 3GPP TS 26.101, table 1a: speech, comfort noise, and no data.
const NARROWBAND: Sizes = sizes([12, 13, 15, 17, 19, 20, 26, 31, 5, 0]);

/// 3GPP TS 26.201, table 2.
const WIDEBAND: Sizes = sizes([17, 23, 32, 36, 40, 46, 50, 58, 60, 5]);

const fn sizes(of: [u8; 10]) -> Sizes {
    let mut sizes = [None; 16];
    let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9] = of;
    let [t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, .., t14, t15] = &mut sizes;
    (*t0, *t1, *t2, *t3, *t4) = (Some(s0), Some(s1), Some(s2), Some(s3), Some(s4));
    (*t5, *t6, *t7, *t8) = (Some(s5), Some(s6), Some(s7), Some(s8));
    // Only wideband has a tenth type, and a lost frame.
    if s9 > 0 {
        (*t9, *t14) = (Some(s9), Some(0));
    }
    *t15 = Some(0);
    sizes
}

/// The number of frames that must be there, one behind the other: noise has less than a chance of 10^-28 for that.
const MIN_FRAMES: u64 = 20;

/// The sizes of frames in a format of libav's that has no header.
pub(super) fn without_header(format: &CStr) -> Option<&'static Sizes> {
    match format.to_bytes() {
        b"amrnb" => Some(&NARROWBAND),
        b"amrwb" => Some(&WIDEBAND),
        _ => None,
    }
}

/// Whether a file consists of AMR frames from its first byte to its last. Text does not count, whatever it says.
///
/// # Errors
/// When the host cannot read.
pub(super) fn is_chain(input: &Input, sizes: &Sizes) -> Result<bool> {
    let (mut place, mut num_frames, mut is_text) = (0, 0, true);
    let mut frame = [0; 64];
    while place < input.num_bytes() {
        let count = input.read_at(place, &mut frame)?;
        let Some((first, rest)) = frame.get(..count).and_then(<[u8]>::split_first) else { return Ok(false) };
        let size = sizes.get(usize::from(first >> 3 & 15)).copied().flatten();
        let (Some(size), 0x04) = (size, first & 0x87) else { return Ok(false) };
        let body = rest.get(..usize::from(size)).unwrap_or(rest);
        is_text &= std::iter::once(first).chain(body).all(|byte| matches!(byte, 9..=13 | 32..=126));
        place += 1 + u64::from(size);
        num_frames += 1;
    }
    // The last frame may be truncated.
    let is_whole = place == input.num_bytes() || num_frames > 5 * MIN_FRAMES;
    Ok(num_frames >= MIN_FRAMES && is_whole && !is_text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    /// Frames of 12.2 kbit/s with bytes of any value.
    fn frames(num_frames: usize) -> Vec<u8> {
        let frame = |number: usize| {
            std::iter::once(0x3c).chain((0..31).map(move |byte| (number * 31 + byte * 7) as u8))
        };
        (0..num_frames).flat_map(frame).collect()
    }

    fn is_narrowband(bytes: &[u8]) -> bool {
        is_chain(&bytes.to_vec().into(), &NARROWBAND).unwrap()
    }

    #[test]
    fn frames_from_the_first_byte_to_the_last_are_amr() {
        assert!(is_narrowband(&frames(20)) && is_narrowband(&frames(500)));
        assert!(!is_narrowband(&frames(19)) && !is_narrowband(b""));
        assert!(!is_narrowband(&frames(20)[..630]), "too few to be truncated");
        assert!(is_narrowband(&frames(200)[..6390]));
        assert!(!is_narrowband(&[&b"x"[..], &frames(200)].concat()));
        assert!(!is_narrowband(&[&frames(200)[..], b"xyz"].concat()));
    }

    #[test]
    fn text_is_not_amr() {
        // A comma is a first byte of 20 more.
        let table = ",0123456789abcdefghij".repeat(500);
        assert!(!is_narrowband(table.as_bytes()));
    }

    #[test]
    fn wideband_has_sizes_of_its_own() {
        let frame: Vec<u8> = std::iter::once(0x0c).chain([0x80; 23]).collect();
        assert!(is_chain(&frame.repeat(30).into(), &WIDEBAND).unwrap());
        assert!(!is_narrowband(&frame.repeat(30)));
        assert_eq!(
            (NARROWBAND[9], WIDEBAND[9], WIDEBAND[14], NARROWBAND[15]),
            (None, Some(5), Some(0), Some(0))
        );
    }
}
