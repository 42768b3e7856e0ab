//! The header of a frame, ISO/IEC 11172-3 section 2.4.1.3 and ISO/IEC 13818-3 section 2.4.2.3.

/// Kilobits per second by bitrate index, for MPEG-1 layers I, II, III, then for MPEG-2 and 2.5 layer I and layers II
/// and III.
const KILOBITS: [[u16; 15]; 5] = [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// Frames per second by sampling frequency index in MPEG-1; half of that in MPEG-2, a quarter in MPEG-2.5.
const RATES: [u32; 3] = [44_100, 48_000, 32_000];

/// The bits that all headers of a stream share: the sync word, the version, the layer and the sampling frequency.
const SAME: u32 = 0xFFFE_0C00;

/// A valid frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header(u32);

impl Header {
    /// The size of a header.
    pub(crate) const NUM_BYTES: usize = 4;

    /// The header at the beginning of `bytes`; `None` if it is not valid. Layer 0 is that of AAC in ADTS.
    #[inline]
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let header = Self(u32::from_be_bytes(*bytes.first_chunk()?));
        // MPEG-2.5 exists in layer III only, and version 1 does not exist.
        let is_synced = header.0 >> 20 == 0xFFF || header.0 >> 17 == 0x7FF1;
        let is_valid = header.layer_code() != 0 && header.bitrate_index() != 15 && header.rate_index() != 3;
        (is_synced && is_valid).then_some(header)
    }

    /// Whether `other` can be a header of the same stream.
    #[inline]
    pub(crate) fn is_consistent(self, other: Self) -> bool {
        (self.0 ^ other.0) & SAME == 0 && self.is_free_format() == other.is_free_format()
    }

    /// The layer: 1, 2 or 3.
    #[inline]
    pub(crate) fn layer(self) -> u8 {
        4 - self.layer_code()
    }

    /// Whether the stream is MPEG-1, and not MPEG-2 or 2.5 with low sampling frequencies.
    #[inline]
    pub(crate) fn is_mpeg1(self) -> bool {
        self.0 >> 19 & 3 == 3
    }

    /// Whether the bitrate is free: chosen by the encoder, constant but for padding, and known only from the next
    /// header.
    #[inline]
    pub(crate) fn is_free_format(self) -> bool {
        self.bitrate_index() == 0
    }

    /// Frames per second.
    pub(crate) fn sample_rate(self) -> u32 {
        let shift = match self.0 >> 19 & 3 {
            3 => 0,
            2 => 1,
            _ => 2,
        };
        RATES.get(usize::from(self.rate_index())).copied().unwrap_or(1) >> shift
    }

    /// The number of channels: 1 or 2.
    #[inline]
    pub(crate) fn num_channels(self) -> u8 {
        if self.0 >> 6 & 3 == 3 { 1 } else { 2 }
    }

    /// The frames of sound in one frame of the stream.
    #[inline]
    pub(crate) fn num_frames(self) -> u16 {
        match self.layer() {
            1 => 384,
            3 if !self.is_mpeg1() => 576,
            _ => 1152,
        }
    }

    /// The size of the CRC word after the header.
    #[inline]
    pub(crate) fn crc_bytes(self) -> usize {
        if self.0 >> 16 & 1 == 0 { 2 } else { 0 }
    }

    /// The size of the side information of layer III.
    #[inline]
    pub(crate) fn side_bytes(self) -> usize {
        match (self.is_mpeg1(), self.num_channels()) {
            (true, 1) => 17,
            (true, _) => 32,
            (false, 1) => 9,
            (false, _) => 17,
        }
    }

    /// The size of everything before the main data of layer III: header, CRC and side information.
    #[inline]
    pub(crate) fn main_data_start(self) -> usize {
        Self::NUM_BYTES + self.crc_bytes() + self.side_bytes()
    }

    /// The bytes of padding at the end of the frame.
    #[inline]
    pub(crate) fn padding_bytes(self) -> usize {
        match (self.0 >> 9 & 1, self.layer()) {
            (0, _) => 0,
            (_, 1) => 4,
            _ => 1,
        }
    }

    /// The size of the whole frame, `free_bytes` being that of an unpadded one when the bitrate is free.
    #[inline]
    pub(crate) fn num_bytes(self, free_bytes: usize) -> usize {
        let unpadded = match self.kilobits() {
            0 => free_bytes,
            kilobits => {
                // Integer arithmetic throughout, as in every decoder: below 1152 * 448 * 125.
                let num_bytes = u32::from(self.num_frames()) * kilobits * 125 / self.sample_rate().max(1);
                // Slots of layer I have 4 bytes.
                (if self.layer() == 1 { num_bytes & !3 } else { num_bytes }) as usize
            }
        };
        unpadded + self.padding_bytes()
    }

    /// The number of frames of this bitrate in so many bytes, padded so that their average is that of the bitrate, or never; `None` if
    /// that is not a whole number.
    pub(crate) fn num_frames_in(self, num_bytes: u64) -> Option<u32> {
        let (rate, bits) = (self.sample_rate().into(), u64::from(self.kilobits()) * 125);
        let (all, each) = (num_bytes.checked_mul(rate)?, u64::from(self.num_frames()) * bits);
        let count = all.checked_add(each / 2)?.checked_div(each)?;
        // An encoder is never a byte ahead or behind.
        let plain = self.num_bytes(0).checked_sub(self.padding_bytes())? as u64;
        let count = match count.checked_mul(each)?.abs_diff(all) <= rate {
            true => count,
            false if num_bytes.is_multiple_of(plain) => num_bytes / plain,
            false => return None,
        };
        u32::try_from(count).ok()
    }

    /// The header of a frame of the same stream and number of channels without CRC and padding, at the highest bitrate
    /// or the free one.
    pub(crate) fn plain(self) -> Self {
        let bitrate = if self.is_free_format() { 0 } else { 14 << 12 };
        let mode = if self.num_channels() == 1 { 3 << 6 } else { 0 };
        Self(self.0 & SAME | 1 << 16 | bitrate | mode)
    }

    /// The bytes of the header.
    pub(crate) fn to_bytes(self) -> [u8; Self::NUM_BYTES] {
        self.0.to_be_bytes()
    }

    #[inline]
    fn layer_code(self) -> u8 {
        (self.0 >> 17 & 3) as u8
    }

    #[inline]
    fn bitrate_index(self) -> u8 {
        (self.0 >> 12 & 15) as u8
    }

    #[inline]
    fn rate_index(self) -> u8 {
        (self.0 >> 10 & 3) as u8
    }

    #[inline]
    fn kilobits(self) -> u32 {
        let row = match (self.is_mpeg1(), self.layer()) {
            (true, layer) => usize::from(layer) - 1,
            (false, 1) => 3,
            (false, _) => 4,
        };
        let kilobits = KILOBITS.get(row).and_then(|row| row.get(usize::from(self.bitrate_index())));
        kilobits.copied().unwrap_or(0).into()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    #[test]
    fn known_headers_are_understood() {
        let header = Header::parse(&[0xFF, 0xFB, 0x90, 0x64]).unwrap();
        assert_eq!((header.layer(), header.sample_rate(), header.num_channels()), (3, 44_100, 2));
        assert_eq!((header.num_bytes(0), header.num_frames(), header.main_data_start()), (417, 1152, 36));
        let padded = Header::parse(&[0xFF, 0xFA, 0x92, 0xC4]).unwrap();
        assert_eq!((padded.num_bytes(0), padded.num_channels(), padded.main_data_start()), (418, 1, 23));
        assert!(header.is_consistent(padded));
        let layer1 = Header::parse(&[0xFF, 0xFF, 0xC2, 0x00]).unwrap(); // 384 kbit/s, padded
        assert_eq!((layer1.layer(), layer1.num_bytes(0), layer1.num_frames()), (1, 420, 384));
        let counted =
            [417 * 7, 417 * 7 + 6, 417 * 7 + 7, 417 * 7 + 3].map(|bytes| header.num_frames_in(bytes));
        assert_eq!(counted, [Some(7), Some(7), Some(7), None]);
        let mpeg25 = Header::parse(&[0xFF, 0xE3, 0x18, 0xC4]).unwrap();
        assert_eq!((mpeg25.sample_rate(), mpeg25.num_bytes(0), mpeg25.num_frames()), (8000, 72, 576));
        assert!(!header.is_consistent(mpeg25));
    }

    #[test]
    fn what_is_no_header_is_none() {
        for bytes in [
            [0xFF, 0xF1, 0x50, 0x80], // ADTS
            [0xFF, 0xFB, 0xF0, 0x64], // bitrate index 15
            [0xFF, 0xFB, 0x9C, 0x64], // sampling frequency index 3
            [0xFF, 0xEB, 0x90, 0x64], // version 1
            [0xFF, 0xE5, 0x90, 0x64], // MPEG-2.5 layer II
            [0xFF, 0x1B, 0x90, 0x64],
        ] {
            assert_eq!(Header::parse(&bytes), None, "{bytes:x?}");
        }
        assert_eq!(Header::parse(&[0xFF, 0xFB, 0x90]), None);
    }

    #[test]
    fn the_plain_header_is_of_the_same_stream() {
        for bytes in [[0xFF, 0xFB, 0x90, 0x64], [0xFF, 0xE2, 0x1A, 0xC4], [0xFF, 0xFC, 0x02, 0x10]] {
            let header = Header::parse(&bytes).unwrap();
            let plain = Header::parse(&header.plain().to_bytes()).unwrap();
            assert!(header.is_consistent(plain));
            assert_eq!(
                (plain.num_channels(), plain.crc_bytes(), plain.padding_bytes()),
                (header.num_channels(), 0, 0)
            );
        }
    }
}
