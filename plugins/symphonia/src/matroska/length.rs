//! How many frames a packet has, as far as its first bytes tell.

#![forbid(unsafe_code)]

/// The frames of a FLAC frame (RFC 9639, section 9.1); 0 when this is none.
pub(super) fn flac(packet: &[u8]) -> u32 {
    let Some(&[0xff, 0xf8 | 0xf9, sizes, _, number]) = packet.first_chunk() else { return 0 };
    // The coded number is as long as a UTF-8 character says, with up to seven bytes.
    let number_bytes = if number < 0x80 { 1 } else { number.leading_ones() };
    let rest =
        usize::try_from(number_bytes).ok().and_then(|bytes| packet.get(4 + bytes..)).unwrap_or_default();
    match sizes >> 4 {
        1 => 192,
        code @ 2..=5 => 576 << (code - 2),
        6 => rest.first().map_or(0, |size| u32::from(*size) + 1),
        7 => rest.first_chunk().map_or(0, |size| u32::from(u16::from_be_bytes(*size)) + 1),
        code @ 8.. => 256 << (code - 8),
        _ => 0,
    }
}

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

/// What the length of Vorbis packets depends on (Vorbis I specification, sections 4.2.2 and 4.2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VorbisModes {
    pub(super) num_channels: u8,
    /// Half of a short and of a long block.
    halves: [u32; 2],
    /// Whether the blocks of each mode are long.
    is_long: Vec<bool>,
}

impl VorbisModes {
    /// Reads an identification and a setup header.
    ///
    /// The modes are the last thing in the setup header, before a bit that is set: they are found from there, since what
    /// is before them takes a decoder to read. Each is 41 bits, of which 32 are zero, and their number is before the
    /// first; of several numbers that fit the largest is right.
    pub(super) fn read(identification: &[u8], setup: &[u8]) -> Option<Self> {
        let num_channels = *identification.get(11)?;
        let sizes = *identification.get(28).filter(|_| identification.starts_with(b"\x01vorbis"))?;
        let (short, long) = (sizes & 15, sizes >> 4);
        if !(6..=13).contains(&short) || !(short..=13).contains(&long) || !setup.starts_with(b"\x05vorbis") {
            return None;
        }
        let bits = Bits(setup);
        let end = bits.last_set()?;
        let mut flags = Vec::new();
        let mut num_modes = None;
        let mut position = end;
        while let Some(start) = position.checked_sub(41).filter(|_| flags.len() < 64) {
            if bits.read(start + 1, 32) != Some(0) {
                break;
            }
            flags.push(bits.read(start, 1) == Some(1));
            position = start;
            let count = position.checked_sub(6).and_then(|start| bits.read(start, 6));
            if count.is_some_and(|count| usize::try_from(count) == Ok(flags.len() - 1)) {
                num_modes = Some(flags.len());
            }
        }
        flags.truncate(num_modes?);
        flags.reverse();
        Some(Self { num_channels, halves: [1 << (short - 1), 1 << (long - 1)], is_long: flags })
    }

    /// Half of a packet's block; `None` when it is no sound.
    pub(super) fn half_block(&self, packet: &[u8]) -> Option<u32> {
        let bits = Bits(packet);
        if bits.read(0, 1)? != 0 {
            return None;
        }
        let mode_bits = usize::BITS - (self.is_long.len() - 1).leading_zeros();
        let mode = usize::try_from(bits.read(1, mode_bits.try_into().ok()?)?).ok()?;
        let [short, long] = self.halves;
        Some(if *self.is_long.get(mode)? { long } else { short })
    }
}

/// Bits from the lowest of the first byte on (Vorbis I specification, section 2).
struct Bits<'a>(&'a [u8]);

impl Bits<'_> {
    /// Up to 32 bits from a place on.
    fn read(&self, position: usize, num_bits: usize) -> Option<u64> {
        let first = position / 8;
        let bytes = self.0.get(first..(position + num_bits).div_ceil(8))?;
        let value = bytes.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        Some(value >> (position % 8) & ((1 << num_bits) - 1))
    }

    /// The place of the last bit that is set.
    fn last_set(&self) -> Option<usize> {
        let last = self.0.iter().rposition(|byte| *byte != 0)?;
        let bit = self.0.get(last)?.ilog2();
        Some(8 * last + usize::try_from(bit).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flac_frames() {
        assert_eq!(flac(&[0xff, 0xf8, 0x19, 0, 0]), 192);
        assert_eq!(flac(&[0xff, 0xf8, 0xc9, 0, 0]), 4096);
        assert_eq!(flac(&[0xff, 0xf8, 0x39, 0, 0]), 1152);
        assert_eq!(flac(&[0xff, 0xf8, 0x69, 0, 0x7f, 99]), 100);
        assert_eq!(flac(&[0xff, 0xf9, 0x79, 0, 0xc2, 0x80, 1, 0]), 257);
        assert_eq!(
            [flac(&[0xff, 0xf8, 0x79, 0, 0, 1]), flac(&[0xff, 0xf8, 0x09, 0, 0]), flac(&[1; 9])],
            [0; 3]
        );
    }

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

    #[test]
    fn vorbis_modes() {
        let mut identification = b"\x01vorbis".to_vec();
        identification.resize(30, 0);
        identification.splice(28..29, [0xb8]);
        identification.splice(11..12, [2]);
        // Before the modes anything; then their number less 1, a short and a long one, and a set bit.
        let mut bits = vec![true; 13];
        bits.extend([true, false, false, false, false, false]);
        for is_long in [false, true] {
            bits.push(is_long);
            bits.extend([false; 32]);
            bits.extend([is_long, false, false, false, false, false, false, false]);
        }
        bits.extend([true, false, false]);
        let packed =
            bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |value, bit| value << 1 | u8::from(*bit)));
        let setup: Vec<u8> = b"\x05vorbis".iter().copied().chain(packed).collect();
        let modes = VorbisModes::read(&identification, &setup);
        assert_eq!(
            modes,
            Some(VorbisModes { num_channels: 2, halves: [128, 1024], is_long: vec![false, true] })
        );
        let half = |packet: &[u8]| modes.as_ref().and_then(|modes| modes.half_block(packet));
        assert_eq!([half(&[0]), half(&[2]), half(&[1]), half(&[])], [Some(128), Some(1024), None, None]);
        assert_eq!(VorbisModes::read(&identification, b"\x05vorbis"), None);
        assert_eq!(VorbisModes::read(b"\x01vorbis", &setup), None);
    }
}
