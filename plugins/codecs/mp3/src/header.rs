//! The header of a packet (ISO/IEC 11172-3, 2.4.1.3 and 2.4.2.3; ISO/IEC 13818-3, 2.4.2.3).

#![forbid(unsafe_code)]

/// Kilobits per second by index, of MPEG-1 layer III, then of MPEG-2 and 2.5.
const KILOBITS: [[u16; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// Frames per second by index in MPEG-1; half of that in MPEG-2, a quarter in MPEG-2.5.
const RATES: [u32; 3] = [44_100, 48_000, 32_000];

/// The generator of the checksum: x^16 + x^15 + x^2 + 1 (ISO/IEC 11172-3, 2.4.3.1).
const POLYNOMIAL: u16 = 0x8005;

/// Which of the standards a stream follows. It decides sampling frequencies and the length of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// MPEG-1, ISO/IEC 11172-3: 32 to 48 kHz, 1152 frames in a packet.
    Mpeg1,
    /// MPEG-2, ISO/IEC 13818-3: 16 to 24 kHz, 576 frames in a packet.
    Mpeg2,
    /// MPEG-2.5, an extension without a standard: 8 to 12 kHz, 576 frames in a packet.
    Mpeg25,
}

/// The header that a packet of layer III begins with.
///
/// ```
/// use mapwave_mp3::{Header, Version};
///
/// let header = Header::parse(&[0xFF, 0xFB, 0x90, 0x64]).unwrap();
/// assert_eq!((header.version(), header.sample_rate(), header.num_channels()), (Version::Mpeg1, 44_100, 2));
/// assert_eq!((header.num_frames(), header.bit_rate()), (1152, Some(128_000)));
/// assert_eq!(header.num_bytes(0), 417);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header(u32);

impl Header {
    /// The bytes of a header.
    pub const NUM_BYTES: usize = 4;

    /// The header at the beginning of `bytes`; `None` if it is not one of layer III.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let header = Self(u32::from_be_bytes(*bytes.first_chunk()?));
        let is_synced = header.0 >> 20 == 0xFFF || header.0 >> 19 == 0x1FFC;
        let is_layer3 = header.0 >> 17 & 3 == 1 && header.0 >> 19 & 3 != 1;
        let is_valid = header.bit_rate_index() != 15 && header.rate_index() != 3;
        (is_synced && is_layer3 && is_valid).then_some(header)
    }

    /// The standard that the stream follows.
    #[inline]
    pub fn version(self) -> Version {
        match self.0 >> 19 & 3 {
            3 => Version::Mpeg1,
            2 => Version::Mpeg2,
            _ => Version::Mpeg25,
        }
    }

    /// Frames per second.
    pub fn sample_rate(self) -> u32 {
        let rate = RATES.get(self.rate_index()).copied().unwrap_or(1);
        match self.version() {
            Version::Mpeg1 => rate,
            Version::Mpeg2 => rate / 2,
            Version::Mpeg25 => rate / 4,
        }
    }

    /// Samples in a frame: 1 or 2.
    #[inline]
    pub fn num_channels(self) -> usize {
        if self.mode() == 3 { 1 } else { 2 }
    }

    /// The frames that the packet decodes to: 1152 or 576.
    #[inline]
    pub fn num_frames(self) -> usize {
        self.num_granules() * crate::sizes::GRANULE
    }

    /// Bits per second; `None` if the bit rate is free: chosen by the encoder, and known only from where the next packet
    /// begins.
    pub fn bit_rate(self) -> Option<u32> {
        Some(self.kilobits() * 1000).filter(|bit_rate| *bit_rate > 0)
    }

    /// The bytes of the packet, with the header, `free_bytes` being those of one without padding if the bit rate is free.
    #[inline]
    pub fn num_bytes(self, free_bytes: usize) -> usize {
        let num_bytes = match self.kilobits() {
            0 => free_bytes,
            // 1152 or 576 frames, 8 bits in a byte, rounded down
            kilobits => self.num_frames() * kilobits as usize * 125 / self.sample_rate() as usize,
        };
        num_bytes + usize::from(self.is_padded())
    }

    /// Whether the packet has a byte more than others of its bit rate.
    #[inline]
    pub fn is_padded(self) -> bool {
        self.0 >> 9 & 1 == 1
    }

    /// Whether a checksum follows the header.
    #[inline]
    pub fn has_checksum(self) -> bool {
        self.0 >> 16 & 1 == 0
    }

    /// The bytes before the main data: header, checksum and side information.
    #[inline]
    pub fn main_data_start(self) -> usize {
        self.side_start() + self.num_side_bytes()
    }

    /// The byte at which the side information begins.
    #[inline]
    pub(crate) fn side_start(self) -> usize {
        if self.has_checksum() { Self::NUM_BYTES + 2 } else { Self::NUM_BYTES }
    }

    /// The bytes of the side information (ISO/IEC 11172-3, 2.4.1.7; ISO/IEC 13818-3, 2.4.1.7).
    #[inline]
    fn num_side_bytes(self) -> usize {
        match (self.num_granules(), self.num_channels()) {
            (2, 1) => 17,
            (2, _) => 32,
            (_, 1) => 9,
            _ => 17,
        }
    }

    /// The granules of the packet.
    #[inline]
    pub(crate) fn num_granules(self) -> usize {
        if self.version() == Version::Mpeg1 { 2 } else { 1 }
    }

    /// The row of the sampling frequency in tables: 44.1, 48 and 32 kHz, half of these, a quarter of these.
    #[inline]
    pub(crate) fn rate_row(self) -> usize {
        let first = match self.version() {
            Version::Mpeg1 => 0,
            Version::Mpeg2 => 3,
            Version::Mpeg25 => 6,
        };
        first + self.rate_index()
    }

    /// Whether both channels hold their sum and difference.
    #[inline]
    pub(crate) fn is_mid_side(self) -> bool {
        self.mode() == 1 && self.0 >> 5 & 1 == 1
    }

    /// Whether the upper bands of the second channel are only its share in the first.
    #[inline]
    pub(crate) fn is_intensity(self) -> bool {
        self.mode() == 1 && self.0 >> 4 & 1 == 1
    }

    /// Whether a packet with another header continues the stream: of the same version, rate and number of channels.
    #[inline]
    pub(crate) fn is_continued_by(self, other: Self) -> bool {
        (self.0 ^ other.0) & 0x0018_0C00 == 0 && self.num_channels() == other.num_channels()
    }

    #[inline]
    fn mode(self) -> u32 {
        self.0 >> 6 & 3
    }

    #[inline]
    fn bit_rate_index(self) -> usize {
        (self.0 >> 12 & 15) as usize
    }

    #[inline]
    fn rate_index(self) -> usize {
        (self.0 >> 10 & 3) as usize
    }

    #[inline]
    fn kilobits(self) -> u32 {
        let [mpeg1, others] = &KILOBITS;
        let row = if self.version() == Version::Mpeg1 { mpeg1 } else { others };
        row.get(self.bit_rate_index()).copied().unwrap_or(0).into()
    }
}

/// Whether the checksum of a packet is right; `None` if it has none, or is not a packet.
///
/// It covers the last two bytes of the header and the side information (ISO/IEC 11172-3, 2.4.3.1 and table 3-B.5). Decoders
/// of this crate do not look at it: some encoders write a wrong one.
///
/// ```
/// use mapwave_mp3::has_right_checksum;
///
/// let mut packet = [0; 417];
/// packet[..4].copy_from_slice(&[0xFF, 0xFA, 0x90, 0x64]);
/// assert_eq!(has_right_checksum(&packet), Some(false));
/// packet[4..6].copy_from_slice(&[0x57, 0x6F]);
/// assert_eq!(has_right_checksum(&packet), Some(true));
/// packet[1] |= 1; // none
/// assert_eq!(has_right_checksum(&packet), None);
/// ```
pub fn has_right_checksum(packet: &[u8]) -> Option<bool> {
    let header = Header::parse(packet).filter(|header| header.has_checksum())?;
    let side = packet.get(header.side_start()..header.main_data_start())?;
    let stored = u16::from_be_bytes(*packet.get(Header::NUM_BYTES..)?.first_chunk()?);
    let mut sum = 0xFFFF_u16;
    for byte in packet.get(2..Header::NUM_BYTES)?.iter().chain(side) {
        sum ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            sum = if sum >> 15 == 1 { sum << 1 ^ POLYNOMIAL } else { sum << 1 };
        }
    }
    Some(sum == stored)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn known_headers_are_understood() {
        let header = Header::parse(&[0xFF, 0xFB, 0x92, 0xC4]).unwrap();
        assert_eq!((header.sample_rate(), header.num_channels(), header.main_data_start()), (44_100, 1, 21));
        assert_eq!(header.num_bytes(0), 418);
        let header = Header::parse(&[0xFF, 0xF2, 0x88, 0x64]).unwrap();
        assert_eq!(
            (header.version(), header.sample_rate(), header.bit_rate()),
            (Version::Mpeg2, 16_000, Some(64_000))
        );
        assert_eq!((header.num_frames(), header.num_bytes(0), header.main_data_start()), (576, 288, 23));
        let header = Header::parse(&[0xFF, 0xE3, 0x18, 0xC4]).unwrap();
        assert_eq!(
            (header.version(), header.sample_rate(), header.num_bytes(0)),
            (Version::Mpeg25, 8000, 72)
        );
        assert_eq!(header.main_data_start(), 13);
        let free = Header::parse(&[0xFF, 0xFB, 0x02, 0x64]).unwrap();
        assert_eq!((free.bit_rate(), free.num_bytes(1000)), (None, 1001));
        let modes = [0x00, 0x60, 0x50, 0x70, 0xB0, 0xF0].map(|mode| {
            let header = Header::parse(&[0xFF, 0xFB, 0x90, mode]).unwrap();
            (header.is_mid_side(), header.is_intensity())
        });
        let none = (false, false);
        assert_eq!(modes, [none, (true, false), (false, true), (true, true), none, none]);
    }

    #[test]
    fn what_is_no_header_is_none() {
        for bytes in [
            [0xFF, 0xF1, 0x50, 0x80], // ADTS
            [0xFF, 0xFD, 0x90, 0x64], // layer II
            [0xFF, 0xFF, 0x90, 0x64], // layer I
            [0xFF, 0xFB, 0xF0, 0x64], // bit rate index 15
            [0xFF, 0xFB, 0x9C, 0x64], // sampling frequency index 3
            [0xFF, 0xEB, 0x90, 0x64], // version 1
            [0xFF, 0x1B, 0x90, 0x64],
        ] {
            assert_eq!(Header::parse(&bytes), None, "{bytes:x?}");
        }
        assert_eq!(Header::parse(&[0xFF, 0xFB, 0x90]), None);
    }
}
