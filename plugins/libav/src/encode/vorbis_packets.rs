//! The number of frames that a Vorbis packet adds: FFmpeg's encoder states it for all but the last ones.

#![allow(unsafe_code)] // libav's parser of Vorbis packets

use std::ffi::c_int;
use std::ptr::NonNull;

use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Error, Result, Status};

/// A parser that has seen a stream's setup and its packets so far.
pub(super) struct VorbisPackets {
    context: NonNull<ffi::AVVorbisParseContext>,
    is_first: bool,
}

// SAFETY: the pointer is owned alone, and nothing in a parser is tied to a thread.
unsafe impl Send for VorbisPackets {}

impl VorbisPackets {
    /// A parser for a stream with its encoder's setup.
    pub(super) fn new(setup: &[u8]) -> Result<Self> {
        let num_bytes = c_int::try_from(setup.len()).unwrap_or(0);
        // SAFETY: there are as many bytes, which are only read.
        let context = unsafe { ffi::av_vorbis_parse_init(setup.as_ptr(), num_bytes) };
        let context = NonNull::new(context);
        let context = context
            .ok_or_else(|| Error::new(Status::Internal, "the encoder returned an unreadable setup"))?;
        Ok(Self { context, is_first: true })
    }

    /// The number of frames that the next packet decodes to: none for the first, which has only half a window to overlap.
    pub(super) fn num_frames(&mut self, packet: &[u8]) -> u64 {
        let num_bytes = c_int::try_from(packet.len()).unwrap_or(0);
        // SAFETY: the parser is alive; there are as many bytes, which are only read.
        let frames = unsafe { ffi::av_vorbis_parse_frame(self.context.as_ptr(), packet.as_ptr(), num_bytes) };
        let is_first = std::mem::replace(&mut self.is_first, false);
        if is_first { 0 } else { u64::try_from(frames).unwrap_or(0) }
    }
}

impl Drop for VorbisPackets {
    fn drop(&mut self) {
        let mut context = self.context.as_ptr();
        // SAFETY: the parser is alive and owned alone.
        unsafe { ffi::av_vorbis_parse_free(&raw mut context) };
    }
}
