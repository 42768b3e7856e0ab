//! An AVPacket: coded frames on their way from the encoder to the muxer.

#![allow(unsafe_code)] // what is behind an AVPacket

use std::ptr::NonNull;

use ffmpeg_sys_next as ffi;
use mapwave_plugin::Result;

use crate::error::no_memory;

/// The size of what says how many frames are to be skipped: two numbers and two reasons.
const SKIP_BYTES: usize = 10;

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

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the packet is alive.
        let packet = unsafe { self.0.as_ref() };
        let num_bytes = usize::try_from(packet.size).unwrap_or(0);
        if packet.data.is_null() || num_bytes == 0 {
            return &[];
        }
        // SAFETY: a packet has as many bytes, and keeps them while it is borrowed.
        unsafe { std::slice::from_raw_parts(packet.data, num_bytes) }
    }

    /// Says that so many frames at its end are none of the sound's.
    pub(super) fn set_padding(&mut self, num_frames: u32) -> Result<()> {
        let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_SKIP_SAMPLES;
        let mut num_bytes = 0;
        // SAFETY: the packet is alive; the size is written.
        let there = unsafe { ffi::av_packet_get_side_data(self.as_ptr(), kind, &raw mut num_bytes) };
        let start = match NonNull::new(there).filter(|_| num_bytes >= SKIP_BYTES) {
            Some(there) => there,
            None => {
                // SAFETY: the packet is alive; the result is checked.
                let new = unsafe { ffi::av_packet_new_side_data(self.as_ptr(), kind, SKIP_BYTES) };
                let new = NonNull::new(new).ok_or_else(|| no_memory("the end of a packet"))?;
                // SAFETY: there are as many bytes.
                unsafe { new.write_bytes(0, SKIP_BYTES) };
                new
            }
        };
        // SAFETY: there are more bytes than that; the padding follows the four bytes of the priming.
        let padding = unsafe { start.add(4) };
        // SAFETY: as above, and bytes need no alignment.
        unsafe { padding.cast::<[u8; 4]>().write(num_frames.to_le_bytes()) };
        Ok(())
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
