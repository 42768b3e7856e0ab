//! An AVPacket: coded frames on their way from the encoder to the muxer.

#![allow(unsafe_code)] // what is behind an AVPacket

use std::ptr::NonNull;

use ffmpeg_sys_next as ffi;
use mapwave_plugin::Result;

use crate::error::no_memory;

/// A packet, empty or full.
pub(super) struct Packet(NonNull<ffi::AVPacket>);

// SAFETY: the pointer is owned alone, and nothing in a packet is tied to a thread.
unsafe impl Send for Packet {}

impl Packet {
    pub(super) fn new() -> Result<Self> {
        // SAFETY: allocates; the result is checked.
        let packet = unsafe { ffi::av_packet_alloc() };
        NonNull::new(packet).map(Self).ok_or_else(|| no_memory("a packet"))
    }

    pub(super) fn as_ptr(&mut self) -> *mut ffi::AVPacket {
        self.0.as_ptr()
    }

    /// The frames that the encoder says are in it.
    pub(super) fn duration(&self) -> i64 {
        // SAFETY: the packet is alive.
        unsafe { self.0.as_ref() }.duration
    }

    /// Its first frame, counted from the first that was encoded: negative where it is priming.
    pub(super) fn pts(&self) -> i64 {
        // SAFETY: the packet is alive.
        unsafe { self.0.as_ref() }.pts
    }

    /// Changes the unit of its times.
    pub(super) fn rescale(&mut self, from: ffi::AVRational, to: ffi::AVRational) {
        // SAFETY: the packet is alive.
        unsafe { ffi::av_packet_rescale_ts(self.0.as_ptr(), from, to) };
    }

    /// Lets go of what is in it.
    pub(super) fn clear(&mut self) {
        // SAFETY: the packet is alive.
        unsafe { ffi::av_packet_unref(self.0.as_ptr()) };
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        let mut packet = self.0.as_ptr();
        // SAFETY: the packet is alive and owned alone.
        unsafe { ffi::av_packet_free(&raw mut packet) };
    }
}
