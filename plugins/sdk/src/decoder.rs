//! The decoder trait, and its options and properties.

use std::ffi::{CStr, CString};

use mapwave_plugin_abi as abi;

use crate::error::Result;
use crate::input::Input;
use crate::items::{Chapter, Picture};
use crate::option::{CodecOption, Settings};
use crate::output::Output;
use crate::sample::SampleFormat;
use crate::streams::StreamEntry;
use crate::track::Track;

/// The beginning of a file, for probing.
///
/// ```
/// use mapwave_plugin::Head;
///
/// let head = Head { bytes: b"fLaC\0", total_bytes: 40_000, extension: Some("flac"), track: None };
/// assert!(head.bytes.starts_with(b"fLaC") && head.track.is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Head<'a> {
    /// The file's first [`Decoder::PROBE_BYTES`] bytes, or all of it.
    pub bytes: &'a [u8],
    /// The length of the whole file.
    pub total_bytes: u64,
    /// The file name's extension in lower case, as a hint, if no decoder supports the file by its bytes.
    pub extension: Option<&'a str>,
    /// The stream, if the host has parsed the container.
    pub track: Option<Track<'a>>,
}

/// Options for opening a stream.
///
/// ```
/// use mapwave_plugin::DecoderOptions;
///
/// let options = DecoderOptions { stream: Some(1), ..DecoderOptions::default() };
/// assert_eq!((options.max_threads, options.max_alloc), (1, 1 << 30));
/// ```
#[derive(Clone, Debug)]
pub struct DecoderOptions<'a> {
    /// The number of the stream among the file's audio streams, counted from 0; `None` is the default one. A decoder of a format
    /// with several chooses by [`StreamEntry::choose`], and any other has nothing to do.
    pub stream: Option<u32>,
    /// The number of threads that a handle may use, including the caller's; at least 1.
    pub max_threads: u32,
    /// The most bytes that a handle may have allocated at any time.
    pub max_alloc: u64,
    /// The file name's extension in lower case, as a hint, if no decoder supports the file by its bytes.
    pub extension: Option<&'a str>,
    /// The stream, if the host has parsed the container.
    pub track: Option<Track<'a>>,
    /// The values of [`Decoder::OPTIONS`] that the user has given.
    pub settings: Settings<'a>,
    /// What [`Decoder::save_index`] returned for this stream, or bytes that claim to be it; empty without.
    pub index: &'a [u8],
}

impl Default for DecoderOptions<'_> {
    /// The default stream, one thread, a gibibyte.
    fn default() -> Self {
        Self {
            stream: None,
            max_threads: 1,
            max_alloc: 1 << 30,
            extension: None,
            track: None,
            settings: Settings::default(),
            index: &[],
        }
    }
}

/// What a seek guarantees.
///
/// ```
/// use mapwave_plugin::SeekClass;
///
/// // A codec whose noise depends on all packets before: the host starts decoding again at each 480000th frame.
/// let seek_class = SeekClass::Anchored { grid_frames: 480_000 };
/// assert_ne!(seek_class, SeekClass::Exact);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeekClass {
    /// Forward only: [`Decoder::seek`] works to frame 0 and to the current position.
    None,
    /// Output after `seek(frame)` is a function of the bytes and `frame` alone; it may differ from linear decoding.
    Anchored {
        /// The distance between the points that the host seeks to; at least 1.
        grid_frames: u64,
    },
    /// Output after `seek(frame)` equals linear decoding from frame 0 bit for bit.
    Exact,
}

/// The properties of a stream. The host reads them once, after `open`.
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
    /// Frames per second, at least 1.
    pub sample_rate: u32,
    /// Samples per frame, at least 1.
    pub num_channels: u32,
    /// Speaker positions as a WAVE channel mask, which also gives the order of channels; 0 if unknown.
    pub channel_mask: u64,
    /// The exact number of frames that decoding returns, without priming and padding; `None` only if it takes decoding
    /// to know it.
    pub num_frames: Option<u64>,
    /// The depth in bits; 0 if the codec has none.
    pub bits_per_sample: u32,
    /// The lossless sample format.
    pub native_format: SampleFormat,
    /// The formats that decoding can write, the native one among them.
    pub formats: &'static [SampleFormat],
    /// What a seek guarantees.
    pub seek_class: SeekClass,
    /// Whether the samples are those that the encoder got.
    pub is_lossless: bool,
    /// Whether the file ends before the audio that it promises; `num_frames` counts the frames that it holds.
    pub is_truncated: bool,
    /// The frames of encoder delay dropped at the start.
    pub priming_frames: u32,
    /// The frames dropped at the end.
    pub padding_frames: u32,
    /// The cost of a seek, in frames that decode in the same time: pre-roll and setup.
    pub seek_cost_frames: u64,
    /// The codec in FFmpeg's terms.
    pub codec: &'static CStr,
    /// The everyday name of the container, which is its usual extension.
    pub container: &'static CStr,
}

impl StreamInfo {
    /// The number of frames as the C interface has it.
    pub fn num_frames_code(&self) -> u64 {
        self.num_frames.unwrap_or(abi::MW_UNKNOWN)
    }
}

/// A kind of decoder. A value of the type is one handle: one stream of one file at one position.
///
/// A handle takes one call at a time, from any thread; several handles over the same bytes work in parallel. The
/// arguments of the host are checked before a method is called. After a method panics, every later call fails.
///
/// The [crate's documentation](crate) has a complete example.
pub trait Decoder: Sized + Send + 'static {
    /// A short lower-case name, unique in the plugin.
    const NAME: &'static CStr;
    /// The codecs it reads in FFmpeg's terms, separated by commas.
    const CODECS: &'static CStr;
    /// The usual extensions of file names, separated by commas, in lower case and without dots.
    const EXTENSIONS: &'static CStr;
    /// The number of bytes that [`probe`](Self::probe) needs, at most 327680. Of more than 65536, mapwave gives 8192 at
    /// first, and all only if no decoder finds a plausible structure.
    const PROBE_BYTES: u32 = 4096;

    /// Whether it knows all audio streams of a file. A decoder over a library that shows only the first says `false`, and the host
    /// asks it for no other.
    const LISTS_STREAMS: bool = true;
    /// Whether [`save_index`](Self::save_index) may return something.
    const HAS_INDEX: bool = false;
    /// The options of its own. Their values are in [`DecoderOptions::settings`].
    const OPTIONS: &'static [CodecOption] = &[];

    /// A score for the file: 0 if the decoder does not support it; 1 to 49 for a guess by extension; 50 to 89 for a
    /// plausible structure; 90 to 99 for an unmistakable magic number; 100 if, beyond that, no other decoder is to be
    /// asked when [`open`](Self::open) returns [`Status::BadData`](crate::Status::BadData).
    ///
    /// The result depends on the argument alone; the function is fast and does not allocate. If `head.track` is given,
    /// the score is 0 unless the decoder supports that codec in that container.
    fn probe(head: &Head<'_>) -> u8;

    /// Opens a stream at frame 0. Parses as much as [`info`](Self::info) needs, and decodes only if it must.
    ///
    /// # Errors
    /// [`Status::Unsupported`](crate::Status::Unsupported) for files that another plugin may read,
    /// [`Status::BadData`](crate::Status::BadData) for malformed files. A stream that is not among [`streams`](Self::streams) is
    /// refused by this crate.
    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self>;

    /// The properties of the stream; always the same, for every fork.
    fn info(&self) -> &StreamInfo;

    /// The exact variant of a container that has several, in at most 15 bytes of printable ASCII: an MP4 file's major brand, a
    /// Matroska file's document type. Always the same, for every fork.
    fn container_variant(&self) -> Option<&str> {
        None
    }

    /// Moves so that the next frame written is number `frame`, at most the number of frames.
    ///
    /// # Errors
    /// Depending on what is wrong with the file. Afterwards the position is undefined, and another seek is legal.
    fn seek(&mut self, frame: u64) -> Result<()>;

    /// Writes at least one frame into `output`, and at most as many as fit; none only at the end.
    ///
    /// # Errors
    /// At a damaged packet, unless silence of its length replaces it.
    fn decode(&mut self, output: &mut Output<'_>) -> Result<()>;

    /// Another handle over the same input at frame 0, which shares the parsed headers.
    ///
    /// # Errors
    /// When there is not enough memory.
    fn fork(&self) -> Result<Self>;

    /// The audio streams of the file, in its order, whichever is open: exactly one is the default. Empty, as by default, means
    /// that the open stream is the only one.
    fn streams(&self) -> &[StreamEntry] {
        &[]
    }

    /// Tags: lower-case Vorbis comment names and their values.
    fn tags(&self) -> &[(CString, CString)] {
        &[]
    }

    /// Pictures in the file, such as a cover. Always the same, for every fork.
    fn pictures(&self) -> &[Picture] {
        &[]
    }

    /// Chapters and markers of the stream. Always the same, for every fork.
    fn chapters(&self) -> &[Chapter] {
        &[]
    }

    /// What spares another [`open`](Self::open) of the same file the scan for its packets, a few bytes for each packet at most; it
    /// gets them as [`DecoderOptions::index`]. `None`, as by default, if there is no such scan. Always the same, for every fork and
    /// for a stream that was opened with an index.
    ///
    /// The host keeps accidents away, by digests of the index and of the file; yet an index may be made up. So `open` compares it with
    /// the file as far as that costs little, and scans the file if it does not fit. It never fails because of an index.
    fn save_index(&self) -> Option<Vec<u8>> {
        None
    }
}
