//! Bit depth and lossiness from the header of a WavPack block, which libav does not report.
//!
//! Source: the WavPack 4 and 5 file format, "Block header": flags at byte 24, little-endian.

#![forbid(unsafe_code)]

/// The bit depth of a stream, and whether it is lossless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WavPackFacts {
    pub(super) bits_per_sample: u32,
    pub(super) is_lossless: bool,
}

/// Set if a second file complements a lossy first one.
const HYBRID: u32 = 1 << 3;

/// Reads the header of a stream's first block.
pub(super) fn facts(packet: &[u8]) -> Option<WavPackFacts> {
    let (magic, rest) = packet.split_first_chunk::<4>()?;
    let (_, flags) = rest.first_chunk::<28>()?.split_last_chunk::<8>()?;
    let (flags, _checksum) = flags.split_first_chunk::<4>()?;
    if magic != b"wvpk" {
        return None;
    }
    let flags = u32::from_le_bytes(*flags);
    let (num_bytes, shift) = ((flags & 3) + 1, flags >> 13 & 31);
    let bits_per_sample = (num_bytes * 8).checked_sub(shift).filter(|bits| *bits > 0)?;
    Some(WavPackFacts { bits_per_sample, is_lossless: flags & HYBRID == 0 })
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn flags_say_depth_and_loss() {
        let mut header = [0; 40];
        header[..4].copy_from_slice(b"wvpk");
        for (flags, bits_per_sample, is_lossless) in [
            (0x1_u32, 16, true),
            (0x2, 24, true),
            (0x3, 32, true),
            (0x2 | 4 << 13, 20, true),
            (0x9, 16, false),
        ] {
            header[24..28].copy_from_slice(&flags.to_le_bytes());
            assert_eq!(facts(&header), Some(WavPackFacts { bits_per_sample, is_lossless }), "{flags:#x}");
        }
    }

    #[test]
    fn what_is_no_block_says_nothing() {
        assert_eq!(facts(b"wvpk"), None);
        assert_eq!(facts(&[0; 40]), None);
        let mut shifted_away = [0; 32];
        shifted_away[..4].copy_from_slice(b"wvpk");
        shifted_away[24..28].copy_from_slice(&(31_u32 << 13).to_le_bytes());
        assert_eq!(facts(&shifted_away), None);
    }
}
