//! MPEG audio whose frames are packets of a container with several streams.
//!
//! Frames depend on those before them through the bit reservoir, which [`MpegDecoder`] reads from a contiguous stream.
//! So packets that are not contiguous are joined.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::ops::Range;
use std::sync::Arc;

use mapwave_plugin::{
    Decoder, DecoderOptions, Error, Input, Memory, Output, Result, Status, StreamInfo, Track,
};

use crate::engine::playlist::Playlist;
use crate::format::mpeg::MpegDecoder;

/// The container's description of a track.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) name: &'static CStr,
    /// The frames that are returned; `None` for those that the stream itself states.
    pub(crate) playlist: Option<Playlist>,
    /// Whether packets are missing at the end.
    pub(crate) is_truncated: bool,
}

/// Decodes MPEG audio of a track.
pub(crate) struct MpegTrack {
    decoder: MpegDecoder,
    known: Arc<Known>,
}

/// The part of a track that all handles share.
struct Known {
    info: StreamInfo,
    tags: Vec<(CString, CString)>,
}

impl MpegTrack {
    /// Opens a track. Its packets are read at most twice.
    ///
    /// # Errors
    /// When the packets hold no frame, or must be joined and take more than `max_alloc` bytes.
    pub(crate) fn open<'a, P: Iterator<Item = Packet<'a>>>(
        memory: &Memory,
        packets: impl Fn() -> P,
        container: Container,
        tags: Vec<(CString, CString)>,
        max_alloc: u64,
    ) -> Result<Self> {
        let (input, data, num_copied) = match one_piece(packets()) {
            Some(range) => (Input::from(memory.clone()), range, 0),
            None => {
                let bytes = put_together(packets, max_alloc)?;
                let num_bytes = bytes.len() as u64;
                (Input::from(bytes), 0..num_bytes, num_bytes)
            }
        };
        let options = DecoderOptions {
            max_alloc: max_alloc.saturating_sub(num_copied),
            track: Some(track(data)),
            ..DecoderOptions::default()
        };
        let decoder = MpegDecoder::open_playing(input, &options, container.playlist)?;
        let found = decoder.info();
        let is_truncated = found.is_truncated || container.is_truncated;
        let info = StreamInfo { container: container.name, is_truncated, ..found.clone() };
        Ok(Self { decoder, known: Arc::new(Known { info, tags }) })
    }

    /// As [`Decoder::info`].
    pub(crate) fn info(&self) -> &StreamInfo {
        &self.known.info
    }

    /// As [`Decoder::tags`].
    pub(crate) fn tags(&self) -> &[(CString, CString)] {
        &self.known.tags
    }

    /// As [`Decoder::seek`].
    pub(crate) fn seek(&mut self, frame: u64) -> Result<()> {
        self.decoder.seek(frame)
    }

    /// As [`Decoder::decode`].
    pub(crate) fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
        self.decoder.decode(output)
    }

    /// As [`Decoder::fork`].
    pub(crate) fn fork(&self) -> Result<Self> {
        Ok(Self { decoder: self.decoder.fork()?, known: Arc::clone(&self.known) })
    }
}

/// A packet, and its offset if all of it is contiguous in the file.
#[derive(Clone, Debug)]
pub(crate) struct Packet<'a> {
    pub(crate) offset: Option<u64>,
    pub(crate) bytes: Cow<'a, [u8]>,
}

/// The range of the packets, if they are contiguous.
fn one_piece<'a>(packets: impl Iterator<Item = Packet<'a>>) -> Option<Range<u64>> {
    let mut range = None;
    for Packet { offset, bytes } in packets {
        let Range { start, end } = range.unwrap_or(offset?..offset?);
        if offset != Some(end) {
            return None;
        }
        range = Some(start..end.checked_add(bytes.len() as u64)?);
    }
    Some(range.unwrap_or(0..0))
}

fn put_together<'a, P: Iterator<Item = Packet<'a>>>(
    packets: impl Fn() -> P,
    max_alloc: u64,
) -> Result<Vec<u8>> {
    let num_bytes = packets().fold(0_u64, |sum, packet| sum.saturating_add(packet.bytes.len() as u64));
    // They are copied again when they become an input.
    if num_bytes.saturating_mul(2) > max_alloc {
        let message = format!(
            "joining {num_bytes} bytes of MPEG audio needs more than the {max_alloc} bytes that may be allocated"
        );
        return Err(Error::new(Status::Limit, message));
    }
    let mut bytes = Vec::new();
    let reserved = bytes.try_reserve_exact(usize::try_from(num_bytes).unwrap_or(usize::MAX));
    reserved.map_err(|_| Error::new(Status::NoMemory, format!("not enough memory for {num_bytes} bytes")))?;
    packets().for_each(|packet| bytes.extend_from_slice(&packet.bytes));
    Ok(bytes)
}

/// The packets as a track of the host.
fn track(data: Range<u64>) -> Track<'static> {
    Track {
        container: "",
        codec: "mp3",
        tag: 0,
        sample_rate: 0,
        num_channels: 0,
        channel_mask: 0,
        bits_per_sample: 0,
        bytes_per_packet: 0,
        frames_per_packet: 0,
        priming_frames: 0,
        padding_frames: 0,
        num_frames: None,
        data,
        config: 0..0,
        table: 0..0,
        num_packets: 0,
    }
}
