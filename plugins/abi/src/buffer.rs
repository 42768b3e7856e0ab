//! Frames in memory.

use core::ffi::c_void;

/// The samples of a frame are adjacent: one plane, `num_channels` samples per frame.
pub const MW_INTERLEAVED: u32 = 0;
/// The samples of a channel are adjacent: `num_channels` planes.
pub const MW_PLANAR: u32 = 1;

/// A buffer for frames that the callee writes, or with frames that it reads.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_buffer {
    /// The size of this struct.
    pub size: u32,
    /// `MW_F32`, `MW_I16` or `MW_I32`.
    pub format: u32,
    /// `MW_INTERLEAVED` or `MW_PLANAR`.
    pub layout: u32,
    /// 1 if interleaved, or else the number of channels.
    pub num_planes: u32,
    /// The first sample of each plane, aligned to the size of a sample.
    pub planes: *const *mut c_void,
    /// The capacity in frames, or the number of frames.
    pub num_frames: u64,
}
