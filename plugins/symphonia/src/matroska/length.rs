//! How many frames a packet has, as far as its first bytes tell.

#![forbid(unsafe_code)]

/// The frames of an ALAC packet: those that its first element states, or as many as the setup says.
pub(super) fn alac(packet: &[u8], frame_length: u32) -> u32 {
    // Tag 3 bits, instance 4, unused 12, whether a length follows 1, shift 2, escape 1; then 32 bits of length.
    let bytes = packet.first_chunk::<7>().map(|&[a, b, c, d, e, f, g]| [0, a, b, c, d, e, f, g]);
    let Some(bits) = bytes.map(u64::from_be_bytes) else { return 0 };
    let (tag, has_length) = (bits >> 53, bits >> 36 & 1 == 1);
    match (tag, has_length) {
        (0 | 1 | 3, true) => u32::try_from(bits >> 1 & 0xffff_ffff).unwrap_or(0).min(frame_length),
        _ => frame_length,
    }
}

/// What the header of an MPEG audio frame says (ISO/IEC 11172-3, 2.4.1.3; 13818-3, 2.4.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MpegHeader {
    pub(super) layer: u8,
    pub(super) sample_rate: u32,
    pub(super) num_channels: u32,
    pub(super) num_frames: u32,
}

impl MpegHeader {
    pub(super) fn read(packet: &[u8]) -> Option<Self> {
        let &[0xff, second, third, fourth] = packet.first_chunk()? else { return None };
        let version = second >> 3 & 3;
        let layer = 4 - (second >> 1 & 3);
        if second < 0xe0 || version == 1 || layer == 4 {
            return None;
        }
        let sample_rate = match third >> 2 & 3 {
            0 => 44100,
            1 => 48000,
            2 => 32000,
            _ => return None,
        };
        let is_low = version != 3;
        let num_frames = match layer {
            1 => 384,
            3 if is_low => 576,
            _ => 1152,
        };
        let halvings = u32::from(is_low) + u32::from(version == 0);
        let num_channels = if fourth >> 6 == 3 { 1 } else { 2 };
        Some(Self { layer, sample_rate: sample_rate >> halvings, num_channels, num_frames })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alac_packets() {
        assert_eq!(alac(&[0x20, 0, 0, 0, 0, 0, 0], 4096), 4096);
        // A length of 0x123, from bit 23 on.
        assert_eq!(alac(&[0x20, 0, 0x10, 0, 0, 0x02, 0x46], 4096), 0x123);
        assert_eq!(alac(&[0x20, 0, 0x11, 255, 255, 255, 254], 4096), 4096);
        assert_eq!(alac(&[0x20, 0], 4096), 0);
    }

    #[test]
    fn mpeg_headers() {
        let read =
            |bytes| MpegHeader::read(bytes).map(|h| (h.layer, h.sample_rate, h.num_channels, h.num_frames));
        assert_eq!(read(&[0xff, 0xfb, 0x90, 0x64]), Some((3, 44100, 2, 1152)));
        assert_eq!(read(&[0xff, 0xf3, 0x40, 0xc4]), Some((3, 22050, 1, 576)));
        assert_eq!(read(&[0xff, 0xe3, 0x48, 0xc4]), Some((3, 8000, 1, 576)));
        assert_eq!(read(&[0xff, 0xfd, 0xa4, 0x04]), Some((2, 48000, 2, 1152)));
        assert_eq!(read(&[0xff, 0xff, 0xa4, 0x04]), Some((1, 48000, 2, 384)));
        assert_eq!(
            [read(&[0xff, 0xf9, 0, 0]), read(&[0xff, 0xfb, 0x9c, 0]), read(&[0xff, 0xeb, 0, 0])],
            [None; 3]
        );
        assert_eq!(read(&[0x7f, 0xfb, 0x90, 0x64]), None);
    }
}
