//! The encoder trait, its options, and the destination of its bytes.

#![allow(unsafe_code)] // the host's callback

use std::ffi::{CStr, c_void};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use mapwave_plugin_abi as abi;

use crate::block::Block;
use crate::error::{Error, Result, Status};
use crate::guard::outside;
use crate::option::{CodecOption, Settings};
use crate::sample::SampleFormat;

/// Options for opening an encoder.
///
/// ```
/// use mapwave_plugin::EncoderOptions;
///
/// let options = EncoderOptions { bitrate: Some(128_000), ..EncoderOptions::new(44_100, 2) };
/// assert_eq!((options.num_channels, options.quality), (2, None));
/// ```
#[derive(Clone, Debug)]
pub struct EncoderOptions<'a> {
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples per frame.
    pub num_channels: u32,
    /// The depth to encode in bits, if the codec has a choice.
    pub bits_per_sample: Option<u32>,
    /// Speaker positions as a WAVE channel mask; 0 if unknown.
    pub channel_mask: u64,
    /// The number of frames to come, if known.
    pub num_frames: Option<u64>,
    /// The codec in FFmpeg's terms; `None` means the first of [`Encoder::CODECS`].
    pub codec: Option<&'a str>,
    /// The container; `None` means the codec's usual one.
    pub container: Option<&'a str>,
    /// Bits per second.
    pub bitrate: Option<u32>,
    /// The effort, from 1 to 100.
    pub effort: Option<u32>,
    /// The quality of a variable bitrate, from 1 to 100.
    pub quality: Option<u32>,
    /// Tags: lower-case Vorbis comment names and their values.
    pub tags: Vec<(&'a str, &'a str)>,
    /// The number of threads that a handle may use, including the caller's; at least 1.
    pub max_threads: u32,
    /// The most bytes that a handle may have allocated at any time.
    pub max_alloc: u64,
    /// The values of [`Encoder::OPTIONS`] that the user has given.
    pub settings: Settings<'a>,
}

impl EncoderOptions<'_> {
    /// Options that leave everything but the rate and the channels to the encoder.
    pub fn new(sample_rate: u32, num_channels: u32) -> Self {
        Self {
            sample_rate,
            num_channels,
            bits_per_sample: None,
            channel_mask: 0,
            num_frames: None,
            codec: None,
            container: None,
            bitrate: None,
            effort: None,
            quality: None,
            tags: Vec::new(),
            max_threads: 1,
            max_alloc: 1 << 30,
            settings: Settings::default(),
        }
    }
}

type WriteAt = unsafe extern "C" fn(*mut c_void, u64, *const c_void, u64) -> abi::mw_status;

/// The destination of an encoder's bytes.
///
/// ```
/// use mapwave_plugin::Sink;
///
/// let (mut sink, bytes) = Sink::in_memory();
/// sink.append(b"length: ?")?;
/// sink.append(b" abc")?;
/// sink.overwrite(8, b"3")?;
/// assert_eq!(*bytes.lock().unwrap(), b"length: 3 abc");
/// assert_eq!(sink.num_bytes(), 13);
/// assert!(sink.overwrite(12, b"de").is_err(), "only what was appended can be written over");
/// # Ok::<(), mapwave_plugin::Error>(())
/// ```
pub struct Sink {
    target: Target,
    is_append_only: bool,
    is_live: bool,
    num_bytes: u64,
}

enum Target {
    /// The host's callback, callable from within the plugin's own calls.
    Callback { context: *mut c_void, write_at: WriteAt },
    /// Memory for tests.
    Memory(Arc<Mutex<Vec<u8>>>),
}

// SAFETY: the callback is only called from within the plugin's own calls, which the host makes one at a time from any
// thread, by the contract of `mw_sink`; memory is Send.
unsafe impl Send for Sink {}

impl Sink {
    /// The sink that the host passed.
    ///
    /// # Safety
    /// `sink` keeps the contract of [`abi::mw_sink`], and the result is used only within the plugin's own calls.
    pub(crate) unsafe fn from_host(sink: &abi::mw_sink) -> Result<Self> {
        let Some(write_at) = sink.write_at else {
            return Err(Error::new(Status::BadArgument, "the sink has no write_at"));
        };
        let is_append_only = sink.flags & abi::MW_SINK_APPEND_ONLY != 0;
        let is_live = sink.flags & abi::MW_SINK_LIVE != 0;
        let target = Target::Callback { context: sink.context, write_at };
        Ok(Self { target, is_append_only, is_live, num_bytes: 0 })
    }

    /// A sink for tests of encoders, and its bytes.
    pub fn in_memory() -> (Self, Arc<Mutex<Vec<u8>>>) {
        let bytes = Arc::default();
        let target = Target::Memory(Arc::clone(&bytes));
        (Self { target, is_append_only: false, is_live: false, num_bytes: 0 }, bytes)
    }

    /// Whether bytes can only be added at the end.
    pub fn is_append_only(&self) -> bool {
        self.is_append_only
    }

    /// Whether bytes go on to a listener as they come: packets, pages and blocks should be short, and be appended at once.
    pub fn is_live(&self) -> bool {
        self.is_live
    }

    /// The number of bytes appended so far.
    pub fn num_bytes(&self) -> u64 {
        self.num_bytes
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`Status::Io`] when the host cannot write.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.write(self.num_bytes, bytes)?;
        self.num_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Overwrites appended bytes.
    ///
    /// # Errors
    /// [`Status::BadArgument`] when the range was not appended, or the sink is append-only; [`Status::Io`] when the
    /// host cannot write.
    pub fn overwrite(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        let end = offset.checked_add(bytes.len() as u64);
        if self.is_append_only || end.is_none_or(|end| end > self.num_bytes) {
            let message =
                format!("cannot overwrite bytes from {offset} on in a sink of {} bytes", self.num_bytes);
            return Err(Error::new(Status::BadArgument, message));
        }
        self.write(offset, bytes)
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        let (context, write_at) = match &self.target {
            Target::Callback { context, write_at } => (*context, *write_at),
            Target::Memory(memory) => {
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(memory.len());
                let end = start.saturating_add(bytes.len()).min(memory.len());
                memory.splice(start..end, bytes.iter().copied());
                return Ok(());
            }
        };
        // SAFETY: the callback is the host's and only reads the bytes that it gets.
        let write = || unsafe { write_at(context, offset, bytes.as_ptr().cast(), bytes.len() as u64) };
        match outside(write) {
            abi::MW_OK => Ok(()),
            code => Err(Error::new(Status::Io, "the host could not write").with_native_code(code.into())),
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sink({} bytes)", self.num_bytes)
    }
}

/// A kind of encoder. A value of the type is one handle, which writes one stream into a sink.
///
/// After a call that failed, neither [`push`](Self::push) nor [`finish`](Self::finish) is called again: the host gets
/// the same error. [`Block::check_floats`] and [`depth`](crate::depth) help to check and round samples.
///
/// ```
/// use std::ffi::CStr;
///
/// use mapwave_plugin::{Block, Encoder, EncoderOptions, Error, Result, SampleFormat, Sink};
///
/// /// Samples as they are, behind their number of channels.
/// struct RawEncoder {
///     sink: Sink,
///     num_channels: usize,
/// }
///
/// impl Encoder for RawEncoder {
///     const NAME: &'static CStr = c"raw";
///     const CODECS: &'static CStr = c"pcm_s16le";
///     const CONTAINERS: &'static CStr = c"raw";
///     const FORMATS: &'static [SampleFormat] = &[SampleFormat::I16];
///
///     fn open(options: &EncoderOptions<'_>, mut sink: Sink) -> Result<Self> {
///         let num_channels = u8::try_from(options.num_channels)
///             .map_err(|_| Error::unsupported(format!("{} channels", options.num_channels)))?;
///         sink.append(&[num_channels])?;
///         Ok(Self { sink, num_channels: num_channels.into() })
///     }
///
///     fn push(&mut self, frames: &Block<'_>) -> Result<()> {
///         let mut samples = Vec::new();
///         frames.append_interleaved::<i16>(&mut samples);
///         let bytes: Vec<u8> = samples.into_iter().flat_map(i16::to_le_bytes).collect();
///         self.sink.append(&bytes)
///     }
///
///     fn finish(&mut self) -> Result<()> {
///         Ok(())
///     }
/// }
///
/// let (sink, bytes) = Sink::in_memory();
/// let mut encoder = RawEncoder::open(&EncoderOptions::new(8000, 2), sink)?;
/// Block::with_slice(&[1i16, -1], 2, |frames| encoder.push(frames))?;
/// encoder.finish()?;
/// assert_eq!(*bytes.lock().unwrap(), [2, 1, 0, 0xff, 0xff]);
/// # Ok::<(), Error>(())
/// ```
pub trait Encoder: Sized + Send + 'static {
    /// A short lower-case name, unique in the plugin.
    const NAME: &'static CStr;
    /// The codecs it writes in FFmpeg's terms, separated by commas, the preferred one first.
    const CODECS: &'static CStr;
    /// The containers it writes, separated by commas, the preferred one first.
    const CONTAINERS: &'static CStr;
    /// The formats that [`push`](Self::push) takes.
    const FORMATS: &'static [SampleFormat];
    /// The lossless ones of its codecs, separated by commas, each with the depths in bits that it supports if not all:
    /// `c"flac=16/24"`. The host pushes integers of the chosen depth to a lossless codec, and floats to any other.
    const LOSSLESS: &'static CStr = c"";
    /// The default codecs of containers, as pairs: `c"m4a=aac,mp4=aac"`. Without one, it is the first of
    /// [`CODECS`](Self::CODECS).
    const DEFAULT_CODECS: &'static CStr = c"";
    /// The extensions of file names that mean a container, or a codec in one: `c"m4b=m4a,opus=ogg/opus"`. A container's
    /// own name need not be listed.
    const EXTENSIONS: &'static CStr = c"";
    /// The options of its own. Their values are in [`EncoderOptions::settings`].
    const OPTIONS: &'static [CodecOption] = &[];

    /// Opens an encoder. Unsupported options are rejected here, before a byte is written.
    ///
    /// # Errors
    /// [`Status::Unsupported`] for options that another plugin may support, [`Status::BadArgument`] for invalid
    /// options.
    fn open(options: &EncoderOptions<'_>, sink: Sink) -> Result<Self>;

    /// Takes all frames of a block.
    ///
    /// # Errors
    /// [`Status::Io`] when the sink fails.
    fn push(&mut self, frames: &Block<'_>) -> Result<()>;

    /// Writes the rest and completes the headers. No other method is called afterwards.
    ///
    /// # Errors
    /// [`Status::Io`] when the sink fails.
    fn finish(&mut self) -> Result<()>;
}
