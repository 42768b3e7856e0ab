//! An entry of a decoder's list of streams.

#![forbid(unsafe_code)]

use mapwave_plugin_abi::{MW_ENTRY_DEFAULT, mw_stream_entry};

use super::refusal::Fault;
use super::sized_box::SizedBox;
use super::struct_bytes::struct_bytes;
use super::text::line;

/// An audio stream of a file, as a decoder lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEntry {
    /// The codec.
    pub codec: String,
    /// The language, if the container states it.
    pub language: Option<String>,
    /// Frames per second, or 0.
    pub sample_rate: u32,
    /// Samples per frame, or 0.
    pub num_channels: u32,
    /// Whether it is the default stream.
    pub is_default: bool,
}

impl StreamEntry {
    /// A struct for a plugin to fill.
    pub(super) fn to_fill() -> SizedBox<mw_stream_entry> {
        SizedBox::new(mw_stream_entry {
            size: struct_bytes::<mw_stream_entry>(),
            flags: 0,
            sample_rate: 0,
            num_channels: 0,
            codec: std::ptr::null(),
            language: std::ptr::null(),
        })
    }

    /// What the plugin has filled in, if it is valid.
    pub(super) fn read(filled: &SizedBox<mw_stream_entry>) -> Result<Self, Fault> {
        let fields = filled.fields("stream", "mw_stream_entry")?;
        if fields.flags & !MW_ENTRY_DEFAULT != 0 {
            let reason = format!("an entry has flags {:#x}, of which some are not defined", fields.flags);
            return Err(Fault::broken("stream", reason));
        }
        let codec = line(fields.codec, "the codec of a stream")?;
        if codec.is_empty() {
            return Err(Fault::broken("stream", "the codec of a stream is an empty text"));
        }
        let language = match fields.language.is_null() {
            true => String::new(),
            false => line(fields.language, "the language of a stream")?,
        };
        Ok(Self {
            codec,
            language: Some(language).filter(|language| !language.is_empty()),
            sample_rate: fields.sample_rate,
            num_channels: fields.num_channels,
            is_default: fields.flags & MW_ENTRY_DEFAULT != 0,
        })
    }
}
