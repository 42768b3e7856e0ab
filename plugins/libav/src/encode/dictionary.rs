//! An AVDictionary: options and tags as pairs of texts.

#![allow(unsafe_code)] // what is behind an AVDictionary

use std::ffi::CStr;
use std::ptr;

use ffmpeg_sys_next as ffi;
use mapwave_plugin::Result;

use crate::error::check;

/// A dictionary of libav's.
pub(super) struct Dictionary(*mut ffi::AVDictionary);

impl Dictionary {
    pub(super) fn new() -> Self {
        Self(ptr::null_mut())
    }

    /// Sets a key to one value.
    pub(super) fn set(&mut self, key: &CStr, value: &CStr) -> Result<()> {
        // SAFETY: the dictionary is one of libav's or null; the texts end in a zero byte and are copied.
        let code = unsafe { ffi::av_dict_set(&raw mut self.0, key.as_ptr(), value.as_ptr(), 0) };
        check(code, "setting an option")
    }

    /// For a function that takes out what it knows.
    pub(super) fn as_ptr(&mut self) -> *mut *mut ffi::AVDictionary {
        &raw mut self.0
    }

    /// What is in it, for an owner that frees it.
    pub(super) fn into_raw(mut self) -> *mut ffi::AVDictionary {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Dictionary {
    fn drop(&mut self) {
        // SAFETY: the dictionary is one of libav's or null, and owned alone.
        unsafe { ffi::av_dict_free(&raw mut self.0) };
    }
}
