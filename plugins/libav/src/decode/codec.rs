//! One of libav's codecs in its initial state, and its output.

#![allow(unsafe_code)] // contexts of libav's

use std::ffi::{CStr, c_int};
use std::ptr::{self, NonNull};

use ffmpeg_sys_next as ffi;
use mapwave_plugin::Result;
use mapwave_plugin::fork::hold_off;

use super::parameters::Parameters;
use crate::error::{check_file, no_memory};
use crate::frame::Frame;
use crate::packet::Packet;

/// A codec. libav's "flush" keeps traces of earlier packets, so each seek starts with a new codec.
pub(super) struct Codec {
    context: NonNull<ffi::AVCodecContext>,
    /// The number of consecutive errors.
    num_damaged: u32,
}

/// Lossless codecs with checksums, which libav compares only when a flag asks for it.
const CHECKED: [&CStr; 5] = [c"flac", c"tta", c"wavpack", c"ape", c"tak"];

/// Compare checksums, and fail where they differ.
const CHECKSUMS: c_int = ffi::AV_EF_CRCCHECK | ffi::AV_EF_EXPLODE;

/// The number of consecutive errors after which a codec is given up.
const MAX_DAMAGED: u32 = 64;

// SAFETY: the context is owned, has no threads, and is used by one call at a time.
unsafe impl Send for Codec {}

/// The answer of a codec to a request for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    Frame,
    /// It needs another packet.
    Nothing,
    /// The stream has ended.
    End,
    /// A packet could not be decoded.
    Damaged(c_int),
}

impl Codec {
    /// A codec in its initial state. `max_samples` limits the samples of one of libav's frames.
    ///
    /// # Errors
    /// When libav has no such codec, or rejects its configuration.
    pub(super) fn new(parameters: &Parameters, max_samples: u64) -> Result<Self> {
        let decoder = parameters.decoder()?;
        // SAFETY: the decoder is an entry of libav's list; returns a context or null.
        let context = unsafe { ffi::avcodec_alloc_context3(decoder.as_ptr()) };
        let context = NonNull::new(context).ok_or_else(|| no_memory("a codec"))?;
        let mut codec = Self { context, num_damaged: 0 };
        // SAFETY: both are initialised.
        let code = unsafe { ffi::avcodec_parameters_to_context(codec.context.as_ptr(), parameters.as_ptr()) };
        check_file(code, "setting up the codec")?;
        // SAFETY: the context is owned.
        let context = unsafe { codec.context.as_mut() };
        // Times are in frames, which codecs pass through.
        let rate = c_int::try_from(parameters.sample_rate()).ok().filter(|rate| *rate > 0).unwrap_or(1);
        context.pkt_timebase = ffi::AVRational { num: 1, den: rate };
        context.thread_count = 1;
        context.max_samples = i64::try_from(max_samples).unwrap_or(i64::MAX).max(1);
        if CHECKED.iter().any(|name| parameters.kind().is_ok_and(|kind| kind.name == *name)) {
            context.err_recognition |= CHECKSUMS;
        }
        // Trimming is done here, so that it is the same after a seek.
        context.flags2 |= ffi::AV_CODEC_FLAG2_SKIP_MANUAL;
        // libavcodec has a lock around the start of some codecs, which would stay locked in a child that is forked meanwhile.
        // SAFETY: the context is that of this decoder, and not open.
        let code = hold_off(|| unsafe {
            ffi::avcodec_open2(codec.context.as_ptr(), decoder.as_ptr(), ptr::null_mut())
        });
        check_file(code, "opening the codec")?;
        Ok(codec)
    }

    /// Sends a packet, after the codec asked for one; returns libav's code if it cannot be decoded.
    pub(super) fn send(&mut self, packet: &Packet) -> Result<(), c_int> {
        // SAFETY: both are initialised, and the codec is open.
        answer(unsafe { ffi::avcodec_send_packet(self.context.as_ptr(), packet.as_ptr()) })
    }

    /// Signals the end of the packets.
    pub(super) fn finish(&mut self) {
        // SAFETY: the codec is open. What fails here shows when a frame is asked for.
        unsafe { ffi::avcodec_send_packet(self.context.as_ptr(), ptr::null()) };
    }

    /// Requests a frame.
    pub(super) fn receive(&mut self, frame: &mut Frame) -> Received {
        // SAFETY: both are initialised, and the codec is open.
        let received = match unsafe { ffi::avcodec_receive_frame(self.context.as_ptr(), frame.as_ptr()) } {
            0.. => Received::Frame,
            ffi::AVERROR_EOF => Received::End,
            code if code == ffi::AVERROR(ffi::EAGAIN) => Received::Nothing,
            _ if self.num_damaged >= MAX_DAMAGED => Received::End,
            code => Received::Damaged(code),
        };
        let is_damaged = matches!(received, Received::Damaged(_));
        self.num_damaged = if is_damaged { self.num_damaged + 1 } else { 0 };
        received
    }
}

fn answer(code: c_int) -> Result<(), c_int> {
    if code < 0 { Err(code) } else { Ok(()) }
}

impl Drop for Codec {
    fn drop(&mut self) {
        let mut context = self.context.as_ptr();
        // SAFETY: the context is owned.
        unsafe { ffi::avcodec_free_context(&raw mut context) };
    }
}
