//! An entry of a decoder's list of streams.

#![allow(unsafe_code)] // a struct that a callee fills

use mapwave_plugin_abi::{MW_ENTRY_DEFAULT, mw_stream_entry};

use super::refusal::{CANARY, Fault};
use super::struct_bytes::struct_bytes;
use super::text::line;

/// The bytes behind a struct that are watched.
const NUM_CANARIES: usize = 64;

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

/// An `mw_stream_entry` before canaries.
#[repr(C)]
pub struct EntryBox {
    fields: mw_stream_entry,
    rest: [u8; NUM_CANARIES],
}

impl EntryBox {
    /// Zeroed, with its size set.
    pub fn new() -> Self {
        let fields = mw_stream_entry {
            size: struct_bytes::<mw_stream_entry>(),
            flags: 0,
            sample_rate: 0,
            num_channels: 0,
            codec: std::ptr::null(),
            language: std::ptr::null(),
        };
        Self { fields, rest: [CANARY; NUM_CANARIES] }
    }

    /// The pointer to pass to `stream`.
    pub fn pointer(&mut self) -> *mut mw_stream_entry {
        std::ptr::from_mut(self).cast()
    }

    /// What the plugin has filled in, if it is valid.
    pub fn read(&self) -> Result<StreamEntry, Fault> {
        let Self { fields, rest } = self;
        if rest.iter().any(|byte| *byte != CANARY) {
            return Err(Fault::broken("R1", "stream wrote past the end of the mw_stream_entry it was given"));
        }
        if fields.size != struct_bytes::<mw_stream_entry>() {
            return Err(Fault::broken("R1", "stream changed the size of the mw_stream_entry it was given"));
        }
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
        Ok(StreamEntry {
            codec,
            language: Some(language).filter(|language| !language.is_empty()),
            sample_rate: fields.sample_rate,
            num_channels: fields.num_channels,
            is_default: fields.flags & MW_ENTRY_DEFAULT != 0,
        })
    }
}
