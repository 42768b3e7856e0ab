//! What the caller chooses.

#![forbid(unsafe_code)]

/// What an [`Encoder`](crate::Encoder) is to make.
///
/// ```
/// use mapwave_flac::EncoderSettings;
///
/// let settings = EncoderSettings { level: 8, num_threads: 4, ..EncoderSettings::new(48_000, 2, 24) };
/// assert_eq!((settings.bits_per_sample, settings.is_seekable), (24, true));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderSettings {
    /// Frames per second, 1 to 655350.
    pub sample_rate: u32,
    /// Samples per frame, 1 to 8.
    pub num_channels: u32,
    /// The depth of the file, 4 to 24.
    pub bits_per_sample: u32,
    /// How hard to search for small blocks: 0 (fast) to 8 (small). The default is 5.
    pub level: u32,
    /// Speaker positions as a WAVE channel mask with one bit per channel; 0, the default, when unknown.
    pub channel_mask: u64,
    /// The number of frames to come, if known. The file gets a seek table only with it.
    pub num_frames: Option<u64>,
    /// Tags as Vorbis comments: names of any case and their values.
    pub tags: Vec<(String, String)>,
    /// Whether bytes of the file can be overwritten at the end, as in a file or in memory; true by default.
    ///
    /// Otherwise, as in a pipe, the header has the number of frames that was announced, no MD5 and no seek table.
    pub is_seekable: bool,
    /// Whether blocks are short, a 40th of a second at most, and each is passed on as soon as it is complete; false by default.
    pub is_live: bool,
    /// How many threads may encode at a time, the caller's included. The default is 1.
    pub num_threads: usize,
    /// The most bytes that the encoder may have allocated at any time; no limit by default.
    pub max_memory: u64,
}

impl EncoderSettings {
    /// The default settings for a format.
    pub fn new(sample_rate: u32, num_channels: u32, bits_per_sample: u32) -> Self {
        Self {
            sample_rate,
            num_channels,
            bits_per_sample,
            level: 5,
            channel_mask: 0,
            num_frames: None,
            tags: Vec::new(),
            is_seekable: true,
            is_live: false,
            num_threads: 1,
            max_memory: u64::MAX,
        }
    }
}
