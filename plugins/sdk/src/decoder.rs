//! What a decoder is.

use std::ffi::{CStr, CString};

use mapwave_plugin_abi as abi;

use crate::error::Result;
use crate::input::Input;
use crate::output::Output;
use crate::sample::SampleFormat;
use crate::track::Track;

/// The beginning of a file that a decoder is asked about.
///
/// ```
/// use mapwave_plugin::Head;
///
/// let head = Head { bytes: b"fLaC\0", total_bytes: 40_000, extension: Some("flac"), track: None };
/// assert!(head.bytes.starts_with(b"fLaC") && head.track.is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Head<'a> {
    /// The file's first [`Decoder::PROBE_BYTES`] bytes, or all there are.
    pub bytes: &'a [u8],
    /// The length of the whole file.
    pub total_bytes: u64,
    /// The file name's extension in lower case, as a hint.
    pub extension: Option<&'a str>,
    /// The stream, when the host has parsed the container.
    pub track: Option<Track<'a>>,
}

/// How a stream is to be opened.
///
/// ```
/// use mapwave_plugin::DecoderOptions;
///
/// let options = DecoderOptions { stream: 1, ..DecoderOptions::default() };
/// assert_eq!((options.max_threads, options.max_alloc), (1, 1 << 30));
/// ```
#[derive(Clone, Debug)]
pub struct DecoderOptions<'a> {
    /// The number of the stream among the file's audio streams, counted from 0.
    pub stream: u32,
    /// How many threads a handle may use, the caller's included; at least 1.
    pub max_threads: u32,
    /// The most bytes that a handle may have allocated at any time.
    pub max_alloc: u64,
    /// The file name's extension in lower case, as a hint.
    pub extension: Option<&'a str>,
    /// The stream, when the host has parsed the container.
    pub track: Option<Track<'a>>,
}

impl Default for DecoderOptions<'_> {
    /// The first stream, one thread, a gibibyte.
    fn default() -> Self {
        Self { stream: 0, max_threads: 1, max_alloc: 1 << 30, extension: None, track: None }
    }
}

/// What a seek guarantees.
///
/// ```
/// use mapwave_plugin::SeekClass;
///
/// // A codec whose noise depends on all packets before: the host decodes it anew from each 480000th frame.
/// let seek_class = SeekClass::Anchored { grid_frames: 480_000 };
/// assert_ne!(seek_class, SeekClass::Exact);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeekClass {
    /// Only reading forward: [`Decoder::seek`] works to frame 0 and to the present position.
    None,
    /// What comes after `seek(frame)` is a function of the bytes and `frame` alone; it may differ from linear decoding.
    Anchored {
        /// The distance between the points that the host seeks to; at least 1.
        grid_frames: u64,
    },
    /// What comes after `seek(frame)` equals linear decoding from frame 0 bit for bit.
    Exact,
}

/// What a stream is. The host is told once, after `open`.
///
/// ```
/// use mapwave_plugin::{SampleFormat, SeekClass, StreamInfo, abi};
///
/// let info = StreamInfo {
///     sample_rate: 48_000,
///     num_channels: 2,
///     channel_mask: 0b11,
///     num_frames: None,
///     bits_per_sample: 0,
///     native_format: SampleFormat::F32,
///     formats: &[SampleFormat::F32],
///     seek_class: SeekClass::None,
///     is_lossless: false,
///     is_truncated: false,
///     priming_frames: 312,
///     padding_frames: 0,
///     seek_cost_frames: 0,
///     codec: c"opus",
///     container: c"ogg",
/// };
/// assert_eq!(info.num_frames_code(), abi::MW_UNKNOWN);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Frames a second, at least 1.
    pub sample_rate: u32,
    /// Samples in a frame, at least 1.
    pub num_channels: u32,
    /// Speaker positions as a WAVE channel mask, in whose order the channels come; 0 when unknown.
    pub channel_mask: u64,
    /// Exactly how many frames decoding gives, priming and padding already gone; `None` only when nothing but decoding can
    /// tell.
    pub num_frames: Option<u64>,
    /// The coded depth in bits; 0 when the codec has none.
    pub bits_per_sample: u32,
    /// The format of samples that loses nothing.
    pub native_format: SampleFormat,
    /// The formats that decoding can write, the native one among them.
    pub formats: &'static [SampleFormat],
    /// What a seek guarantees.
    pub seek_class: SeekClass,
    /// Whether the samples come out as they went into the encoder.
    pub is_lossless: bool,
    /// Whether the file ends before the sound does that it promises; `num_frames` counts what is there.
    pub is_truncated: bool,
    /// Frames of encoder delay that were left out at the start.
    pub priming_frames: u32,
    /// Frames that were left out at the end.
    pub padding_frames: u32,
    /// What a seek costs, in frames that decode in the same time: pre-roll and setting up.
    pub seek_cost_frames: u64,
    /// The codec in FFmpeg's terms.
    pub codec: &'static CStr,
    /// The container by the name that people know it by, which is its usual extension.
    pub container: &'static CStr,
}

impl StreamInfo {
    /// The number of frames as it crosses the wall.
    pub fn num_frames_code(&self) -> u64 {
        self.num_frames.unwrap_or(abi::MW_UNKNOWN)
    }
}

/// A kind of decoder. A value of the type is one handle: one stream of one file at one position.
///
/// A handle takes one call at a time, from any thread; several handles over the same bytes work in parallel. What the host
/// can get wrong is checked before a method is called; a method that panics makes every later call fail.
///
/// The [crate's documentation](crate) has a whole one.
pub trait Decoder: Sized + Send + 'static {
    /// A short lower-case name, unique in the plugin.
    const NAME: &'static CStr;
    /// The codecs it reads in FFmpeg's terms, separated by commas.
    const CODECS: &'static CStr;
    /// The usual extensions of file names, separated by commas, in lower case and without dots.
    const EXTENSIONS: &'static CStr;
    /// How many bytes [`probe`](Self::probe) wants to see, at most 65536.
    const PROBE_BYTES: u32 = 4096;

    /// How sure this decoder is that it reads such a file: 0 no; 1 to 49 a guess by extension; 50 to 89 a plausible
    /// structure; 90 to 100 an unmistakable magic number.
    ///
    /// A function of its argument alone, fast and without allocating. Where `head.track` is given, 0 unless the decoder
    /// reads that codec from that container.
    fn probe(head: &Head<'_>) -> u8;

    /// Opens a stream at frame 0: parses what is needed for [`info`](Self::info), decodes only what it must.
    ///
    /// # Errors
    /// [`Status::Unsupported`](crate::Status::Unsupported) for what another plugin may read,
    /// [`Status::BadData`](crate::Status::BadData) for what nobody can.
    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self>;

    /// What the stream is; always the same, for every fork.
    fn info(&self) -> &StreamInfo;

    /// The exact variant of a container that has several, in at most 15 bytes of printable ASCII: an MP4 file's major brand, a
    /// Matroska file's document type. Always the same, for every fork.
    fn container_variant(&self) -> Option<&str> {
        None
    }

    /// Moves so that the next frame written is number `frame`, at most the number of frames.
    ///
    /// # Errors
    /// As the bytes deserve. The position is undefined then, and another seek is legal.
    fn seek(&mut self, frame: u64) -> Result<()>;

    /// Writes at least one frame into `output` and at most its room; none only at the end.
    ///
    /// # Errors
    /// At a packet that cannot be decoded, unless silence of its length stands in for it.
    fn decode(&mut self, output: &mut Output<'_>) -> Result<()>;

    /// Another handle over the same input, at frame 0, which shares what is known of the file.
    ///
    /// # Errors
    /// When there is no memory.
    fn fork(&self) -> Result<Self>;

    /// Pieces of metadata: lower-case Vorbis comment names and their values.
    fn tags(&self) -> &[(CString, CString)] {
        &[]
    }
}
