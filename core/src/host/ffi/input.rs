//! A source as a plugin sees it: mapped bytes, or a callback that reads.

#![allow(unsafe_code)] // callbacks that plugins call

use std::ffi::{CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use mapwave_plugin_abi as abi;

use super::raw::{self, Pairs, Sized32 as _};
use crate::source::{Scratch, Source};
use crate::track::{Codec, PacketCodec, Track};

/// The file that handles read. It is kept until the last of them is closed.
#[derive(Clone, Debug)]
pub(crate) struct PluginInput {
    source: Arc<Source>,
    /// Boxed, since the plugin keeps the address.
    extension: Option<Arc<CString>>,
    /// The track that the host's parser found, if the packets are in one of its containers.
    track: Option<Arc<PacketTrack>>,
    /// The number of the audio stream that is opened; `None` is the default one.
    stream: Option<u32>,
    /// The values of the decoder's own options.
    settings: Arc<Pairs>,
    /// What the decoder wrote about this stream when it opened it before.
    index: Option<Arc<[u8]>>,
}

impl PluginInput {
    pub(crate) fn new(source: Arc<Source>, track: Option<&Track>) -> Self {
        let extension = source
            .path()
            .and_then(Path::extension)
            .map(|extension| Arc::new(raw::c_string(&extension.to_string_lossy().to_lowercase())));
        let track = track.and_then(PacketTrack::new).map(Arc::new);
        Self { source, extension, track, stream: None, settings: Arc::default(), index: None }
    }

    /// The same file, of which another audio stream than the default one is opened.
    pub(crate) fn with_stream(self, stream: Option<u32>) -> Self {
        Self { stream, ..self }
    }

    /// The same file, opened with values of the decoder's own options.
    pub(crate) fn with_settings(self, settings: Pairs) -> Self {
        Self { settings: Arc::new(settings), ..self }
    }

    /// The same file, with what its decoder wrote about the stream when it opened it before.
    pub(crate) fn with_index(&self, index: Option<Arc<[u8]>>) -> Self {
        Self { index, ..self.clone() }
    }

    /// What the decoder wrote about this stream when it opened it before; nothing if it is not known.
    pub(crate) fn index(&self) -> &[u8] {
        self.index.as_deref().unwrap_or_default()
    }

    /// The values of the decoder's own options, which point into this value.
    pub(crate) fn settings(&self) -> Vec<abi::mw_tag> {
        self.settings.to_abi()
    }

    /// The number of the audio stream that is opened; `None` is the default one.
    pub(crate) fn stream(&self) -> Option<u32> {
        self.stream
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    pub(crate) fn extension(&self) -> *const c_char {
        self.extension.as_deref().map_or(std::ptr::null(), |extension| extension.as_ptr())
    }

    /// The extension of the file's name, in lower case.
    pub(crate) fn extension_text(&self) -> Option<&str> {
        self.extension.as_deref().and_then(|extension| extension.to_str().ok())
    }

    pub(crate) fn track(&self) -> Option<abi::mw_track> {
        self.track.as_deref().map(PacketTrack::to_abi)
    }

    /// The struct for the `open` of a plugin, of one that is not trusted with the extension. The memory that it points to lives as long
    /// as any clone of this value.
    ///
    /// Only trusted plugins get memory that is fetched when it is touched: a system call does not fetch it, and another plugin may pass
    /// it to one. Others read such bytes by the callback.
    pub(crate) fn to_abi(&self, track: Option<&abi::mw_track>, is_trusted: bool) -> abi::mw_input {
        let bytes = if is_trusted || !self.source.is_costly() { self.source.whole() } else { None };
        abi::mw_input {
            data: bytes.map_or(std::ptr::null(), <[u8]>::as_ptr),
            num_bytes: self.source.len(),
            flags: if self.source.is_costly() { abi::MW_INPUT_COSTLY } else { 0 },
            context: Arc::as_ptr(&self.source).cast_mut().cast(),
            read_at: bytes.is_none().then_some(read_at),
            extension: if is_trusted { std::ptr::null() } else { self.extension() },
            track: track.map_or(std::ptr::null(), std::ptr::from_ref),
            release: (bytes.is_some() && self.source.is_streamed()).then_some(release),
            ..abi::mw_input::zeroed()
        }
    }
}

/// Compressed packets in a container that this crate parses, described for a plugin.
#[derive(Debug)]
pub struct PacketTrack {
    track: Track,
    packets: PacketCodec,
    container: CString,
    codec: CString,
}

impl PacketTrack {
    /// The description of a track; `None` unless it holds packets.
    pub fn new(track: &Track) -> Option<Self> {
        let Codec::Packets(packets) = &track.codec else { return None };
        Some(Self {
            track: track.clone(),
            packets: packets.clone(),
            container: raw::c_string(track.container.exact_name()),
            codec: raw::c_string(&packets.name),
        })
    }

    /// The struct for a plugin. Its strings belong to this value.
    pub fn to_abi(&self) -> abi::mw_track {
        let Self { track, packets, .. } = self;
        let table = packets.packet_table.as_ref();
        let entries = table.map_or(0..0, |table| table.entries.clone());
        abi::mw_track {
            tag: packets.tag,
            container: self.container.as_ptr(),
            codec: self.codec.as_ptr(),
            sample_rate: track.sample_rate,
            num_channels: track.num_channels.into(),
            channel_mask: track.channel_mask.into(),
            bits_per_sample: track.bits_per_sample.unwrap_or(0).into(),
            bytes_per_packet: packets.bytes_per_packet,
            frames_per_packet: packets.frames_per_packet,
            priming_frames: table.map_or(0, |table| table.priming_frames),
            padding_frames: table.map_or(0, |table| table.remainder_frames),
            num_frames: table
                .map(|table| table.num_valid_frames)
                .or(track.num_frames)
                .unwrap_or(abi::MW_UNKNOWN),
            data_offset: track.data.start,
            data_bytes: track.data.end - track.data.start,
            config_offset: packets.config.start,
            config_bytes: packets.config.end - packets.config.start,
            table_offset: entries.start,
            table_bytes: entries.end - entries.start,
            num_packets: table.map_or(0, |table| table.num_packets),
            ..abi::mw_track::zeroed()
        }
    }
}

/// Reads for a plugin, from any thread.
unsafe extern "C" fn read_at(context: *mut c_void, offset: u64, buffer: *mut c_void, num_bytes: u64) -> i64 {
    let read = || -> Option<i64> {
        // SAFETY: the context is the source of an `PluginInput`, which lives until every handle is closed.
        let source = unsafe { context.cast::<Source>().as_ref() }?;
        let num_bytes = num_bytes.min(source.len().saturating_sub(offset));
        let length = usize::try_from(num_bytes).ok()?;
        if length == 0 {
            return Some(0);
        }
        let mut scratch = Scratch::new();
        let bytes = source.read(offset..offset + num_bytes, &mut scratch).ok()?;
        // SAFETY: the plugin promises room for the bytes it asked for; these are no more, and lie in other memory.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), length) };
        i64::try_from(length).ok()
    };
    // Nothing unwinds into a plugin.
    catch_unwind(AssertUnwindSafe(read)).ok().flatten().unwrap_or(abi::MW_IO.into())
}

/// Releases memory for a plugin, from any thread.
unsafe extern "C" fn release(context: *mut c_void, offset: u64, num_bytes: u64) {
    let release = || {
        // SAFETY: the context is the source of an `PluginInput`, which lives until every handle is closed.
        if let Some(source) = unsafe { context.cast::<Source>().as_ref() } {
            source.release(offset..offset.saturating_add(num_bytes));
        }
    };
    // Nothing unwinds into a plugin; memory that is not released does no harm.
    let _unwound = catch_unwind(AssertUnwindSafe(release));
}
