//! The structure of a packet: its duration, and where its frames are (RFC 6716, section 3).

#![forbid(unsafe_code)]

/// Frames per second, at which every stream is decoded.
pub(crate) const SAMPLE_RATE: u32 = 48_000;

/// The most frames of sound in a packet: 120 ms (section 3.2.5, R5).
pub(crate) const MAX_PACKET_FRAMES: u32 = 5760;

/// The most bytes of a frame (section 3.2.1, R2).
const MAX_FRAME_BYTES: usize = 1275;

/// The number of frames of sound that a packet holds at 48 kHz, according to its first two bytes; `None` if it is not a packet
/// of Opus.
pub(crate) fn num_frames(packet: &[u8]) -> Option<u32> {
    let toc = *packet.first()?;
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3F),
    };
    let total = samples_per_frame(toc) * count;
    (1..=MAX_PACKET_FRAMES).contains(&total).then_some(total)
}

/// The duration of each frame of a packet (section 3.1, table 2).
fn samples_per_frame(toc: u8) -> u32 {
    let (configuration, size) = (toc >> 3, u32::from(toc >> 3 & 3));
    match configuration {
        0..12 if size == 3 => 2880,
        0..12 => 480 << size,
        12..16 => 480 << (size & 1),
        _ => 120 << size,
    }
}

/// What packets are made of, none of whose frames is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Frames of CELT alone.
    Celt,
    /// Frames of SILK, hybrid or not.
    Speech,
    /// Both, or frames that are left out, or damage.
    Mixed,
}

impl Kind {
    /// The kind of packets of one and the other kind.
    pub(crate) fn with(self, other: Self) -> Self {
        if self == other { self } else { Self::Mixed }
    }

    /// The kind of all these packets; of none, `Celt`.
    pub(crate) fn of(mut kinds: impl Iterator<Item = Self>) -> Self {
        let Some(first) = kinds.next() else { return Self::Celt };
        kinds
            .try_fold(first, |kind, other| Some(kind.with(other)).filter(|kind| *kind != Self::Mixed))
            .unwrap_or(Self::Mixed)
    }
}

/// A packet of one stream, perhaps in front of those of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    /// The bytes that it takes.
    pub(super) num_bytes: usize,
    /// Where the length of the last frame begins and ends, which is empty in the last of several packets.
    pub(super) length: (usize, usize),
    /// The bytes of the last frame.
    last: usize,
    pub(super) kind: Kind,
}

/// Reads the structure of a packet, which ends with the bytes unless it states its own length (appendix B); `None` if it is
/// invalid.
pub(super) fn parse(bytes: &[u8], is_self_delimited: bool) -> Option<Parsed> {
    num_frames(bytes)?;
    let mut reader = Reader { bytes, position: 1 };
    let toc = *bytes.first()?;
    let mut padding = 0;
    let (count, is_variable) = match toc & 3 {
        0 => (1, false),
        1 => (2, false),
        2 => (2, true),
        _ => {
            let count = reader.byte()?;
            if count & 0x40 != 0 {
                padding = reader.padding()?;
            }
            (usize::from(count & 0x3F), count & 0x80 != 0)
        }
    };
    let (mut total, mut shortest, mut longest) = (0, usize::MAX, 0);
    for _ in 1..if is_variable { count } else { 1 } {
        let size = reader.size()?;
        total += size;
        (shortest, longest) = (shortest.min(size), longest.max(size));
    }
    let before = reader.position;
    let stated = if is_self_delimited { Some(reader.size()?) } else { None };
    let left = bytes.len().checked_sub(reader.position)?.checked_sub(padding)?;
    let (last, times) = match (is_variable, stated) {
        (true, Some(size)) => (size, 1),
        (true, None) => (left.checked_sub(total)?, 1),
        (false, Some(size)) => (size, count),
        (false, None) => (Some(left / count).filter(|size| size * count == left)?, count),
    };
    total += last * times;
    let is_valid = total <= left && longest.max(last) <= MAX_FRAME_BYTES;
    // Frames of one byte or none are concealed (section 4.6 of RFC 6716; opus_decoder.c).
    let kind = match shortest.min(last) {
        0 | 1 => Kind::Mixed,
        _ if toc & 0x80 != 0 => Kind::Celt,
        _ => Kind::Speech,
    };
    is_valid.then_some(Parsed {
        num_bytes: reader.position + total + padding,
        length: (before, reader.position),
        last,
        kind,
    })
}

impl Parsed {
    /// The packet as it is where no other follows it, perhaps in `scratch`.
    pub(super) fn alone<'a>(&self, packet: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        let (start, end) = self.length;
        if start == end {
            return Some(packet);
        }
        scratch.clear();
        scratch.extend_from_slice(packet.get(..start)?);
        scratch.extend_from_slice(packet.get(end..)?);
        Some(scratch)
    }
}

/// The packet with the length of its last frame, as it stands in front of others; `None` if it is invalid.
pub(super) fn with_length(packet: &[u8]) -> Option<Vec<u8>> {
    let Parsed { length: (place, _), last, .. } = parse(packet, false)?;
    let (front, rest) = packet.split_at_checked(place)?;
    let mut bytes = front.to_vec();
    // Section 3.2.1: from 252 on, four times the second byte is added to the first.
    if let Ok(short @ 0..252) = u8::try_from(last) {
        bytes.push(short);
    } else {
        let low = 252 + last % 4;
        bytes.extend([u8::try_from(low).ok()?, u8::try_from((last - low) / 4).ok()?]);
    }
    bytes.extend_from_slice(rest);
    Some(bytes)
}

/// The packets of all streams in one of the container (RFC 7845, section 5.1.1): all but the last state their lengths.
pub(super) fn split(mut bytes: &[u8], num_streams: usize) -> impl Iterator<Item = Option<(&[u8], Parsed)>> {
    (1..=num_streams).map(move |number| {
        let parsed = parse(bytes, number < num_streams)?;
        let (packet, rest) = bytes.split_at_checked(parsed.num_bytes)?;
        bytes = rest;
        Some((packet, parsed))
    })
}

/// Lengths at the front of a packet.
struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.position)?;
        self.position += 1;
        Some(byte)
    }

    /// The size of a frame (section 3.2.1).
    fn size(&mut self) -> Option<usize> {
        match usize::from(self.byte()?) {
            short @ 0..252 => Some(short),
            long => Some(usize::from(self.byte()?) * 4 + long),
        }
    }

    /// The bytes of padding at the end (section 3.2.5).
    fn padding(&mut self) -> Option<usize> {
        let mut sum = 0;
        loop {
            match self.byte()? {
                255 => sum += 254,
                last => return Some(sum + usize::from(last)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_the_table() {
        let milliseconds =
            |configuration: u8| num_frames(&[configuration << 3]).map(|frames| f64::from(frames) / 48.0);
        for start in [0, 4, 8] {
            let found = [0, 1, 2, 3].map(|size| milliseconds(start + size));
            assert_eq!(found, [10.0, 20.0, 40.0, 60.0].map(Some));
        }
        assert_eq!([12, 13, 14, 15].map(milliseconds), [10.0, 20.0, 10.0, 20.0].map(Some));
        for start in [16, 20, 24, 28] {
            let found = [0, 1, 2, 3].map(|size| milliseconds(start + size));
            assert_eq!(found, [2.5, 5.0, 10.0, 20.0].map(Some));
        }
    }

    #[test]
    fn a_packet_has_at_most_120_ms() {
        assert_eq!(num_frames(&[]), None);
        assert_eq!(num_frames(&[0x1B]), None); // 60 ms each, and no count
        assert_eq!([num_frames(&[0x1B, 2]), num_frames(&[0x1B, 3])], [Some(5760), None]);
        assert_eq!([num_frames(&[0x83, 48]), num_frames(&[0x83, 0])], [Some(5760), None]);
        assert_eq!([num_frames(&[0xF9]), num_frames(&[0xFA])], [Some(1920); 2]);
    }

    #[test]
    fn every_code_of_frames_is_read() {
        let whole =
            |bytes: &[u8]| parse(bytes, false).map(|parsed| (parsed.num_bytes, parsed.kind == Kind::Celt));
        assert_eq!(whole(&[0xF8, 1, 2]), Some((3, true)));
        assert_eq!(whole(&[0xF8, 1]), Some((2, false)));
        assert_eq!(whole(&[0x78, 1, 2, 3]), Some((4, false)));
        assert_eq!([whole(&[0xF9, 1, 2, 3, 4]), whole(&[0xF9, 1, 2, 3])], [Some((5, true)), None]);
        assert_eq!([whole(&[0xFA, 2, 1, 2, 3, 4]), whole(&[0xFA, 6, 1, 2, 3])], [Some((6, true)), None]);
        // Three frames of two bytes and a byte of padding; then of given lengths.
        assert_eq!(whole(&[0xFB, 0x43, 1, 1, 2, 3, 4, 5, 6, 0]), Some((10, true)));
        assert_eq!(whole(&[0xFB, 0x83, 2, 3, 1, 2, 1, 2, 3, 1, 2]), Some((11, true)));
        assert_eq!(whole(&[0xFB, 0x83, 2, 9, 1, 2, 1, 2, 3, 1, 2]), None);
        assert_eq!(whole(&[&[0xF8], &[0; 1275][..]].concat()), Some((1276, true)));
        assert_eq!(whole(&[&[0xF8], &[0; 1276][..]].concat()), None);
    }

    #[test]
    fn lengths_are_inserted_and_taken_out() {
        for size in [0, 1, 251, 252, 253, 255, 256, 1000, 1275] {
            for front in [&[0xF8][..], &[0xFB, 0x82, 3, 1, 2, 3]] {
                let packet = [front, &vec![7; size]].concat();
                let bytes = with_length(&packet).expect("a packet");
                let parsed = parse(&[&bytes[..], &[1, 2, 3]].concat(), true).expect("a packet");
                assert_eq!(parsed.num_bytes, bytes.len());
                assert_eq!(parsed.alone(&bytes, &mut Vec::new()), Some(&packet[..]));
            }
        }
    }

    #[test]
    fn packets_of_several_streams_are_told_apart() {
        let bytes = [0xF8, 2, 1, 2, 0xF9, 2, 1, 2, 3, 4, 0xF8, 7, 8];
        let found: Vec<_> = split(&bytes, 3).map(|found| found.map(|(packet, _)| packet.len())).collect();
        assert_eq!(found, [Some(4), Some(6), Some(3)]);
        let alone = split(&bytes, 3)
            .flatten()
            .map(|(packet, parsed)| parsed.alone(packet, &mut Vec::new()).map(<[u8]>::to_vec));
        let expected = [&[0xF8, 1, 2][..], &[0xF9, 1, 2, 3, 4], &[0xF8, 7, 8]];
        assert!(alone.eq(expected.map(|packet| Some(packet.to_vec()))));
        let cut = bytes.get(..7).unwrap_or_default();
        assert!(split(cut, 3).any(|found| found.is_none()));
        assert_eq!(parse(&[0xF8, 252, 1, 0], true), None); // a frame of 256 bytes
    }
}
