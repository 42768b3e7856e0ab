//! An AVPacket: a compressed packet on its way from a demuxer to a decoder, or from an encoder to a muxer.

#![allow(unsafe_code)] // what libav allocates

use std::ffi::c_int;
use std::ptr::NonNull;

use ffi::AVPacketSideDataType::{
    AV_PKT_DATA_NEW_EXTRADATA, AV_PKT_DATA_PARAM_CHANGE, AV_PKT_DATA_SKIP_SAMPLES,
};
use ffmpeg_sys_next as ffi;
use mapwave_plugin::Result;

use crate::error::{check, no_memory};

/// The size of the skip-samples side data: two numbers and two reasons.
const SKIP_BYTES: usize = 10;

/// A packet with its side data. Its bytes do not change once it is filled.
pub(crate) struct Packet(NonNull<ffi::AVPacket>);

// SAFETY: the packet is owned, no function of libav ties it to a thread, and its reference counters are atomic.
unsafe impl Send for Packet {}
// SAFETY: nothing changes it through a shared reference: the methods that do take `&mut self`.
unsafe impl Sync for Packet {}

/// The trimming that a packet's side data asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trim {
    /// The number of frames to skip from this packet on, if given.
    pub(crate) skip: Option<u32>,
    /// The number of frames to trim from its end.
    pub(crate) discard: u32,
    /// Whether the whole packet is decoded but not output, as before an edit.
    pub(crate) is_unheard: bool,
}

impl Packet {
    /// An empty packet.
    ///
    /// # Errors
    /// When memory runs out.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: the function has no precondition; it returns a packet that the caller owns, or null.
        let packet = unsafe { ffi::av_packet_alloc() };
        NonNull::new(packet).map(Self).ok_or_else(|| no_memory("a packet"))
    }

    /// The pointer for libav.
    pub(crate) fn as_ptr(&self) -> *mut ffi::AVPacket {
        self.0.as_ptr()
    }

    fn get(&self) -> &ffi::AVPacket {
        // SAFETY: the packet is owned and not null, `av_packet_alloc` has initialised its fields, and nothing changes them while
        // `self` is borrowed.
        unsafe { self.0.as_ref() }
    }

    /// Releases its contents.
    pub(crate) fn clear(&mut self) {
        // SAFETY: the packet is owned and borrowed mutably, so no slice of its bytes is left.
        unsafe { ffi::av_packet_unref(self.0.as_ptr()) };
    }

    /// Another packet with the same contents.
    ///
    /// # Errors
    /// When memory runs out.
    pub(crate) fn duplicate(&self) -> Result<Self> {
        // SAFETY: the packet is alive and not changed; returns another, which the caller owns, or null.
        let packet = unsafe { ffi::av_packet_clone(self.0.as_ptr()) };
        NonNull::new(packet).map(Self).ok_or_else(|| no_memory("a packet"))
    }

    /// Shares the contents of another packet.
    ///
    /// # Errors
    /// When memory runs out.
    pub(crate) fn refer_to(&mut self, other: &Self) -> Result<()> {
        self.clear();
        // SAFETY: both are packets, and this one is empty.
        check(unsafe { ffi::av_packet_ref(self.0.as_ptr(), other.0.as_ptr()) }, "copying a packet")
    }

    /// Allocates this many bytes and lets `fill` write them.
    ///
    /// # Errors
    /// When memory runs out, or when `fill` fails.
    pub(crate) fn fill(
        &mut self,
        num_bytes: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<()>,
    ) -> Result<()> {
        self.clear();
        let size = c_int::try_from(num_bytes).map_err(|_| no_memory("a packet"))?;
        // SAFETY: the packet is owned and empty, so that nothing leaks; the result is checked.
        check(unsafe { ffi::av_new_packet(self.0.as_ptr(), size) }, "allocating a packet")?;
        let data = self.get().data;
        // SAFETY: `av_new_packet` has succeeded: the packet has room for so many bytes there, of its own.
        unsafe { data.write_bytes(0, num_bytes) };
        // SAFETY: those bytes are initialised now, at most `c_int::MAX`, and nobody else has them while `self` is borrowed.
        fill(unsafe { std::slice::from_raw_parts_mut(data, num_bytes) })
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        let packet = self.get();
        match usize::try_from(packet.size) {
            // SAFETY: not null, and libav's packets have as many initialised bytes there; nothing changes them while `self` is
            // borrowed.
            Ok(size) if size > 0 && !packet.data.is_null() => unsafe {
                std::slice::from_raw_parts(packet.data, size)
            },
            _ => &[],
        }
    }

    /// The index of its stream.
    pub(crate) fn stream_index(&self) -> c_int {
        self.get().stream_index
    }

    /// Its duration in the stream's time base; 0 if unknown.
    pub(crate) fn duration(&self) -> i64 {
        self.get().duration
    }

    /// Its approximate byte offset in the file.
    pub(crate) fn position(&self) -> Option<u64> {
        u64::try_from(self.get().pos).ok()
    }

    /// Whether the demuxer reports it as damaged or truncated.
    pub(crate) fn is_corrupt(&self) -> bool {
        self.get().flags & ffi::AV_PKT_FLAG_CORRUPT != 0
    }

    /// Whether it has side data other than trimming: a new codec configuration, or a correction.
    pub(crate) fn has_side_data(&self) -> bool {
        let num_trims = c_int::from(self.skip_samples().is_some());
        self.get().side_data_elems > num_trims
    }

    /// Whether it has a new codec configuration, which later packets need.
    pub(crate) fn changes_setup(&self) -> bool {
        [AV_PKT_DATA_NEW_EXTRADATA, AV_PKT_DATA_PARAM_CHANGE].into_iter().any(|kind| {
            // SAFETY: the packet is alive, and no place for the size is legal; returns a pointer into it or null.
            let data = unsafe { ffi::av_packet_get_side_data(self.0.as_ptr(), kind, std::ptr::null_mut()) };
            !data.is_null()
        })
    }

    /// The size of all its side data.
    pub(crate) fn num_side_bytes(&self) -> u64 {
        let packet = self.get();
        let count = usize::try_from(packet.side_data_elems).unwrap_or(0);
        if packet.side_data.is_null() || count == 0 {
            return 0;
        }
        // SAFETY: not null, and libav lists as many initialised elements there; nothing changes them while `self` is borrowed.
        let elements = unsafe { std::slice::from_raw_parts(packet.side_data, count) };
        elements.iter().map(|element| element.size as u64).sum()
    }

    /// Its trimming.
    pub(crate) fn trim(&self) -> Trim {
        let (skip, discard) = match self.skip_samples() {
            Some(&[s0, s1, s2, s3, d0, d1, d2, d3, ..]) => {
                (Some(u32::from_le_bytes([s0, s1, s2, s3])), u32::from_le_bytes([d0, d1, d2, d3]))
            }
            _ => (None, 0),
        };
        // libav reads the number as signed, and negative as 0.
        let skip = skip.map(|skip| if skip > i32::MAX.unsigned_abs() { 0 } else { skip });
        Trim { skip, discard, is_unheard: self.get().flags & ffi::AV_PKT_FLAG_DISCARD != 0 }
    }

    /// Copies these bytes.
    #[cfg(test)]
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.fill(bytes.len(), |room| {
            room.copy_from_slice(bytes);
            Ok(())
        })
    }

    /// Sets the place in the file.
    #[cfg(test)]
    pub(crate) fn set_position(&mut self, position: i64) {
        // SAFETY: the packet is owned.
        unsafe { self.0.as_mut() }.pos = position;
    }

    fn skip_samples(&self) -> Option<&[u8; SKIP_BYTES]> {
        let mut size = 0;
        // SAFETY: the packet is alive, and the place for the size is this function's; returns a pointer into the packet or null.
        let data =
            unsafe { ffi::av_packet_get_side_data(self.0.as_ptr(), AV_PKT_DATA_SKIP_SAMPLES, &raw mut size) };
        // SAFETY: not null, and there are as many initialised bytes, which nothing changes while `self` is borrowed.
        (size >= SKIP_BYTES && !data.is_null()).then(|| unsafe { &*data.cast::<[u8; SKIP_BYTES]>() })
    }

    /// Sets the time of its frames, and removes the trimming so that libav does not apply it.
    pub(crate) fn set_time(&mut self, time: i64) {
        // SAFETY: the packet is owned, initialised and borrowed mutably.
        let packet = unsafe { self.0.as_mut() };
        packet.pts = time;
        packet.dts = time;
        packet.duration = 0;
        packet.flags &= !ffi::AV_PKT_FLAG_DISCARD;
    }

    /// Marks this many frames at its end as padding.
    pub(crate) fn set_padding(&mut self, num_frames: u32) -> Result<()> {
        let kind = AV_PKT_DATA_SKIP_SAMPLES;
        let mut num_bytes = 0;
        // SAFETY: the packet is alive, and the place for the size is this function's; returns a pointer into the packet or null.
        let there = unsafe { ffi::av_packet_get_side_data(self.as_ptr(), kind, &raw mut num_bytes) };
        let start = match NonNull::new(there).filter(|_| num_bytes >= SKIP_BYTES) {
            Some(there) => there,
            None => {
                // SAFETY: the packet is owned and borrowed mutably; returns a pointer into it or null.
                let new = unsafe { ffi::av_packet_new_side_data(self.as_ptr(), kind, SKIP_BYTES) };
                let new = NonNull::new(new).ok_or_else(|| no_memory("the end of a packet"))?;
                // SAFETY: not null: libav has just allocated as many bytes there.
                unsafe { new.write_bytes(0, SKIP_BYTES) };
                new
            }
        };
        // SAFETY: there are ten bytes or more; the padding follows the four of the priming.
        let padding = unsafe { start.add(4) };
        // SAFETY: six of the ten bytes are left there, and bytes need no alignment.
        unsafe { padding.cast::<[u8; 4]>().write(num_frames.to_le_bytes()) };
        Ok(())
    }

    /// Changes its time base.
    pub(crate) fn rescale(&mut self, from: ffi::AVRational, to: ffi::AVRational) {
        // SAFETY: the packet is owned and borrowed mutably, and only its numbers change.
        unsafe { ffi::av_packet_rescale_ts(self.0.as_ptr(), from, to) };
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        let mut packet = self.0.as_ptr();
        // SAFETY: the packet is owned and dropped once; the function takes the place of a pointer to it and sets that to null.
        unsafe { ffi::av_packet_free(&raw mut packet) };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_keeps_its_bytes_for_all_who_have_it() {
        let mut packet = Packet::new().unwrap();
        assert_eq!((packet.bytes(), packet.trim()), (&[][..], Trim::default()));
        packet.write(b"abc").unwrap();
        let copy = packet.duplicate().unwrap();
        let mut other = Packet::new().unwrap();
        other.refer_to(&copy).unwrap();
        drop(copy);
        packet.clear();
        assert_eq!((packet.bytes(), other.bytes()), (&[][..], &b"abc"[..]));
        assert!(!other.has_side_data() && other.num_side_bytes() == 0);
    }

    #[test]
    fn what_is_left_out_is_read() {
        let mut packet = Packet::new().unwrap();
        packet.write(b"a").unwrap();
        // SAFETY: the packet is owned; returns room for ten bytes or null.
        let data = unsafe { ffi::av_packet_new_side_data(packet.as_ptr(), AV_PKT_DATA_SKIP_SAMPLES, 10) };
        assert!(!data.is_null());
        let bytes = [0x38, 1, 0, 0, 7, 0, 0, 0, 0, 0];
        // SAFETY: not null, so there is room for ten.
        unsafe { data.copy_from(bytes.as_ptr(), 10) };
        assert_eq!(packet.trim(), Trim { skip: Some(312), discard: 7, is_unheard: false });
        assert!(!packet.has_side_data(), "nothing else");
        assert_eq!((packet.num_side_bytes(), packet.changes_setup()), (10, false));
        // SAFETY: the packet is owned; returns room for two bytes or null.
        let data = unsafe { ffi::av_packet_new_side_data(packet.as_ptr(), AV_PKT_DATA_NEW_EXTRADATA, 2) };
        assert!(!data.is_null() && packet.changes_setup() && packet.has_side_data());
    }
}
