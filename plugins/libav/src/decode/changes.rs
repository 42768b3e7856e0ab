//! Streams that change their rate or channels inside: where the headers of packets say so.

#![forbid(unsafe_code)]

/// What the header of a packet says of rate and channels; two packets of one stream have the same. `None` for codecs whose
/// packets do not say.
pub(super) fn signature(codec: &[u8], packet: &[u8]) -> Option<u32> {
    match (codec, packet) {
        // ISO/IEC 14496-3, section 1.A.2.2.1: the rate, then the channels.
        (b"aac", [0xff, second, third, fourth, ..]) if second & 0xf6 == 0xf0 => {
            Some(u32::from(third & 0x3d) << 2 | u32::from(fourth >> 6))
        }
        // ISO 11172-3, section 2.4.1.3: the version and the layer, the rate, and whether it is mono.
        (b"mp3" | b"mp2" | b"mp1", [0xff, second, third, fourth, ..]) if second & 0xe0 == 0xe0 => {
            let is_mono = u32::from(fourth >> 6 == 3);
            Some(u32::from(second & 0x1e) << 8 | u32::from(third & 0x0c) << 2 | is_mono)
        }
        (b"ac3" | b"eac3", [0x0b, 0x77, _, _, b4, b5, b6, ..]) => {
            let (rate, id) = (u32::from(b4 >> 6), b5 >> 3);
            let (mode, has_low) = if id > 10 { (b4 >> 1 & 7, b4 & 1) } else { ac3_channels(*b6) };
            Some(rate << 12 | u32::from(id > 10) << 8 | u32::from(mode) << 4 | u32::from(has_low))
        }
        _ => None,
    }
}

/// ETSI TS 102 366, section 4.4.2: the mode, fields that depend on it, and whether there is a channel of low frequencies.
fn ac3_channels(byte: u8) -> (u8, u8) {
    let mode = byte >> 5;
    let centre = if mode & 1 != 0 && mode != 1 { 2 } else { 0 };
    let surround = if mode & 4 != 0 { 2 } else { 0 };
    let stereo = if mode == 2 { 2 } else { 0 };
    // Three bits of mode come before; with both of the fields, the flag is the last bit.
    (mode, byte >> (4 - centre - surround - stereo) & 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_channels_tell_streams_apart() {
        let adts = |third, fourth| signature(b"aac", &[0xff, 0xf1, third, fourth, 0]);
        assert_eq!(adts(0x50, 0x80), adts(0x50, 0xbf), "44.1 kHz in stereo");
        assert_ne!(adts(0x50, 0x80), adts(0x4c, 0x80), "48 kHz");
        assert_ne!(adts(0x50, 0x80), adts(0x50, 0x40), "mono");
        let mp3 = |third, fourth| signature(b"mp3", &[0xff, 0xfb, third, fourth]);
        assert_eq!(mp3(0x90, 0x64), mp3(0x50, 0x04), "another bitrate and stereo mode");
        assert_ne!(mp3(0x90, 0x64), mp3(0x94, 0x64));
        assert_ne!(mp3(0x90, 0x64), mp3(0x90, 0xc4));
        let ac3 = |b4, b6| signature(b"ac3", &[0x0b, 0x77, 1, 2, b4, 8 << 3, b6]);
        assert_eq!(ac3(0x14, 0x40), ac3(0x16, 0x40), "another bitrate");
        assert_ne!(ac3(0x14, 0x40), ac3(0x14, 0x44), "a channel of low frequencies");
        assert_ne!(ac3(0x14, 0x40), ac3(0x14, 0xe1), "5.1");
        assert_eq!((signature(b"opus", &[0xff; 8]), signature(b"ac3", b"")), (None, None));
    }

    #[test]
    fn the_flag_of_low_frequencies_lies_where_the_mode_says() {
        assert_eq!(
            [0x20 | 0x10, 0x40 | 0x04, 0x60 | 0x04, 0xe0 | 0x01].map(|byte| ac3_channels(byte).1),
            [1; 4]
        );
        assert_eq!([0x20u8, 0x40, 0x60, 0xe0].map(ac3_channels), [(1, 0), (2, 0), (3, 0), (7, 0)]);
    }
}
