//! A decoder's description of its stream.

#![allow(unsafe_code)] // a struct that a callee fills

use mapwave_plugin_abi::{
    MW_SEEK_ANCHORED, MW_SEEK_EXACT, MW_SEEK_NONE, MW_STREAM_LOSSLESS, MW_STREAM_TRUNCATED, MW_UNKNOWN,
    mw_stream_info,
};

use super::guarded_buffer::Format;
use super::refusal::{CANARY, Fault};
use super::struct_bytes::struct_bytes;
use super::text::{is_name, text};

/// The size of the struct in version 1.0 of the interface.
pub const FIRST_INFO_BYTES: u32 = 88;

/// The size of the struct in this version of the interface.
pub const FULL_INFO_BYTES: u32 = struct_bytes::<mw_stream_info>();

/// The number of words for the struct and the canaries after it.
const WORDS: usize = 64;

/// What a seek guarantees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeekClass {
    /// The stream can only be read forward.
    None,
    /// The output is a pure function of the bytes and the frame.
    Anchored {
        /// The distance between the points that the host seeks to.
        grid_frames: u64,
    },
    /// The output equals linear decoding.
    Exact,
}

/// The description of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples per frame.
    pub num_channels: u32,
    /// Speaker positions.
    pub channel_mask: u64,
    /// The number of frames that `decode` gives, if known.
    pub num_frames: Option<u64>,
    /// The depth of the compressed stream in bits, or 0.
    pub bits_per_sample: u32,
    /// The format that loses no precision.
    pub native_format: Format,
    /// The formats that `decode` writes.
    pub formats: Vec<Format>,
    /// What a seek guarantees.
    pub seek_class: SeekClass,
    /// Whether the codec is lossless.
    pub is_lossless: bool,
    /// Whether the file promises more than it holds.
    pub is_truncated: bool,
    /// Frames trimmed at the start and at the end, and the cost of a seek in frames.
    pub trimmed: (u32, u32, u64),
    /// The codec and the container.
    pub names: (String, String),
}

/// An `mw_stream_info` between canaries.
pub struct InfoBox {
    size: u32,
    words: [u64; WORDS],
}

impl InfoBox {
    /// Zeroed, with its size set; 4 to 448 bytes.
    pub fn new(size: u32) -> Self {
        let mut words = [u64::from_ne_bytes([CANARY; 8]); WORDS];
        for (at, word) in words.iter_mut().enumerate() {
            let mut bytes = word.to_ne_bytes();
            bytes.iter_mut().take((size as usize).saturating_sub(8 * at)).for_each(|byte| *byte = 0);
            if at == 0 {
                bytes[..4].copy_from_slice(&size.to_ne_bytes());
            }
            *word = u64::from_ne_bytes(bytes);
        }
        Self { size, words }
    }

    /// The pointer to pass to `info`.
    pub fn pointer(&mut self) -> *mut mw_stream_info {
        self.words.as_mut_ptr().cast()
    }

    /// The bytes of the struct after its size.
    pub fn bytes(&self) -> Result<Vec<u8>, Fault> {
        let bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let size = self.size as usize;
        let outside = bytes.get(size..).unwrap_or_default();
        if let Some(place) = outside.iter().position(|byte| *byte != CANARY) {
            let reason =
                format!("info wrote to byte {} of an mw_stream_info whose size says {size}", size + place);
            return Err(Fault::broken("R1", reason));
        }
        if !bytes.starts_with(&self.size.to_ne_bytes()) {
            return Err(Fault::broken("R1", "info changed the size of the mw_stream_info it was given"));
        }
        Ok(bytes.get(4..size).unwrap_or_default().to_vec())
    }

    /// The struct, whatever it holds. It must be as large as this version has it.
    pub fn raw(&mut self) -> Result<mw_stream_info, Fault> {
        self.bytes()?;
        assert!(self.size >= FULL_INFO_BYTES, "all fields were asked for");
        // SAFETY: the words are aligned, initialised and at least as many bytes, of which any are legal in this struct.
        Ok(unsafe { self.pointer().read() })
    }

    /// The filled struct, if it is valid. It must have at least the size of this version.
    pub fn read(&mut self) -> Result<StreamInfo, Fault> {
        let fields = self.raw()?;
        let illegal = |what: String| Err(Fault::broken("info", format!("info says {what}")));
        if fields.flags & !(MW_STREAM_LOSSLESS | MW_STREAM_TRUNCATED) != 0 {
            return illegal(format!("flags {:#x}, of which some are not defined", fields.flags));
        }
        if fields.sample_rate == 0 || fields.num_channels == 0 {
            let (rate, channels) = (fields.sample_rate, fields.num_channels);
            return illegal(format!("sample_rate {rate} and num_channels {channels}, expected at least 1"));
        }
        let Some(formats) = Format::from_mask(fields.formats) else {
            return illegal(format!(
                "formats {:#x}, expected a sum of 1 << MW_F32 and so on",
                fields.formats
            ));
        };
        let native = Format::from_code(fields.native_format).filter(|format| formats.contains(format));
        let Some(native_format) = native else {
            return illegal(format!(
                "native_format {}, which is not among its formats",
                fields.native_format
            ));
        };
        if fields.bits_per_sample > 64 {
            return illegal(format!("bits_per_sample {}", fields.bits_per_sample));
        }
        let num_speakers = fields.channel_mask.count_ones();
        if fields.channel_mask != 0 && num_speakers != fields.num_channels {
            let (mask, channels) = (fields.channel_mask, fields.num_channels);
            return illegal(format!(
                "channel_mask {mask:#x}, which has {num_speakers} speakers, and num_channels {channels}"
            ));
        }
        let seek_class = match fields.seek_class {
            MW_SEEK_NONE => SeekClass::None,
            MW_SEEK_EXACT => SeekClass::Exact,
            MW_SEEK_ANCHORED if fields.grid_frames > 0 => {
                SeekClass::Anchored { grid_frames: fields.grid_frames }
            }
            MW_SEEK_ANCHORED => return illegal("grid_frames 0 for MW_SEEK_ANCHORED".to_owned()),
            other => return illegal(format!("seek_class {other}")),
        };
        let codec = text(fields.codec, "the stream's codec")?;
        let container = text(fields.container, "the stream's container")?;
        for (what, name) in [("codec", &codec), ("container", &container)] {
            if !is_name(name) {
                let reason = format!("the stream's {what} is {name:?}, expected a name of a-z, 0-9 and -_.+");
                return Err(Fault::broken("R3", reason));
            }
        }
        let variant = fields.container_variant.map(|byte| byte.to_ne_bytes()[0]);
        let length = variant.iter().position(|byte| *byte == 0);
        let printable = length.and_then(|length| variant.get(..length));
        if !printable.is_some_and(|text| text.iter().all(|byte| (b' '..=b'~').contains(byte))) {
            let reason = format!(
                "container_variant is {:?}, expected printable ASCII and a zero byte",
                String::from_utf8_lossy(&variant)
            );
            return Err(Fault::broken("R3", reason));
        }
        Ok(StreamInfo {
            sample_rate: fields.sample_rate,
            num_channels: fields.num_channels,
            channel_mask: fields.channel_mask,
            num_frames: Some(fields.num_frames).filter(|count| *count != MW_UNKNOWN),
            bits_per_sample: fields.bits_per_sample,
            native_format,
            formats,
            seek_class,
            is_lossless: fields.flags & MW_STREAM_LOSSLESS != 0,
            is_truncated: fields.flags & MW_STREAM_TRUNCATED != 0,
            trimmed: (fields.priming_frames, fields.padding_frames, fields.seek_cost_frames),
            names: (codec, container),
        })
    }
}
