//! A plugin's description of a stream, checked before it is used.

#![allow(unsafe_code)] // strings of plugins

use mapwave_plugin_abi as abi;

use crate::host::ffi::fault::{Failure, required_name};
use crate::pcm::{ByteOrder, SampleFormat};
use crate::track::Container;

/// What a seek guarantees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeekClass {
    /// Only reading forward.
    None,
    /// The output after a seek depends on its target; seeks go to multiples of this many frames.
    Anchored(u64),
    /// The output after a seek equals that of linear decoding.
    Exact,
}

/// A plugin's description of a stream, checked.
#[derive(Clone, Debug)]
pub(crate) struct StreamInfo {
    pub(crate) sample_rate: u32,
    pub(crate) num_channels: u16,
    pub(crate) channel_mask: u32,
    pub(crate) num_frames: Option<u64>,
    pub(crate) bits_per_sample: u16,
    pub(crate) native: SampleFormat,
    pub(crate) seek_class: SeekClass,
    pub(crate) seek_cost_frames: u64,
    pub(crate) is_lossless: bool,
    pub(crate) is_truncated: bool,
    pub(crate) priming_frames: u32,
    pub(crate) padding_frames: u32,
    pub(crate) codec: &'static str,
    pub(crate) container: Container,
}

impl StreamInfo {
    /// Checks the fields that a plugin filled in.
    ///
    /// # Safety
    /// The strings are as the plugin promises: valid until the process exits.
    pub(crate) unsafe fn new(info: &abi::mw_stream_info) -> Result<Self, Failure> {
        let is_of = |what: &str, got: u64| Failure::broken(format!("it says that the file has {what} {got}"));
        let num_channels = u16::try_from(info.num_channels).ok().filter(|&num_channels| num_channels > 0);
        let native = match info.native_format {
            abi::MW_F32 => SampleFormat::F32(ByteOrder::NATIVE),
            abi::MW_I16 => SampleFormat::S16(ByteOrder::NATIVE),
            abi::MW_I32 => SampleFormat::S32(ByteOrder::NATIVE),
            other => return Err(is_of("samples of the unknown format", other.into())),
        };
        if info.formats & (1 << info.native_format) == 0 {
            return Err(Failure::broken("the stream's native format is not among its output formats"));
        }
        let seek_class = match info.seek_class {
            abi::MW_SEEK_NONE => SeekClass::None,
            abi::MW_SEEK_ANCHORED if info.grid_frames > 0 => SeekClass::Anchored(info.grid_frames),
            abi::MW_SEEK_ANCHORED => {
                return Err(Failure::broken("its seeks are anchored on a grid of 0 frames"));
            }
            abi::MW_SEEK_EXACT => SeekClass::Exact,
            other => return Err(is_of("the unknown seek class", other.into())),
        };
        if info.sample_rate == 0 {
            return Err(is_of("the sample rate", 0));
        }
        let num_frames = Some(info.num_frames).filter(|&num_frames| num_frames != abi::MW_UNKNOWN);
        if let Some(num_frames) = num_frames.filter(|&num_frames| num_frames > i64::MAX as u64) {
            return Err(is_of("a number of frames that cannot be,", num_frames));
        }
        // SAFETY: the caller's promise.
        let container = unsafe { required_name(info.container, "stream's container") }?;
        let variant = info.container_variant.map(|byte| u8::from_ne_bytes(byte.to_ne_bytes()));
        let variant = variant.split(|&byte| byte == 0).next().unwrap_or_default();
        Ok(Self {
            sample_rate: info.sample_rate,
            num_channels: num_channels
                .ok_or_else(|| is_of("a number of channels of", info.num_channels.into()))?,
            channel_mask: u32::try_from(info.channel_mask).unwrap_or(0),
            num_frames,
            bits_per_sample: u16::try_from(info.bits_per_sample)
                .ok()
                .filter(|&bits| bits <= 64)
                .ok_or_else(|| is_of("a depth in bits of", info.bits_per_sample.into()))?,
            native,
            seek_class,
            seek_cost_frames: info.seek_cost_frames,
            is_lossless: info.flags & abi::MW_STREAM_LOSSLESS != 0,
            is_truncated: info.flags & abi::MW_STREAM_TRUNCATED != 0,
            priming_frames: info.priming_frames,
            padding_frames: info.padding_frames,
            // SAFETY: the caller's promise.
            codec: unsafe { required_name(info.codec, "stream's codec") }?,
            container: Container::of_variant(container, variant),
        })
    }
}
