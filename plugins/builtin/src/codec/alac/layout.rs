//! The one layout that the format has for each number of channels (ALACMagicCookieDescription, "Channel Layout Info").

#![forbid(unsafe_code)]

/// The speakers as a WAVE mask.
pub(super) const CHANNEL_MASKS: [u64; 9] = [0, 0x4, 0x3, 0x7, 0x107, 0x37, 0x3f, 0x13f, 0xff];

/// The `AudioChannelLayoutTag`.
pub(super) const LAYOUT_TAGS: [u32; 9] = [
    0,
    100 << 16 | 1, // Mono
    101 << 16 | 2, // Stereo
    113 << 16 | 3, // MPEG_3_0_B
    116 << 16 | 4, // MPEG_4_0_B
    120 << 16 | 5, // MPEG_5_0_D
    124 << 16 | 6, // MPEG_5_1_D
    142 << 16 | 7, // AAC_6_1
    127 << 16 | 8, // MPEG_7_1_B
];
