//! An AVDictionary: options and tags as pairs of strings.

#![allow(unsafe_code)] // what is behind an AVDictionary

use std::ffi::{CStr, CString};
use std::ptr;

use ffmpeg_sys_next as ffi;
use mapwave_plugin::Result;

use crate::error::check;

/// One of libav's dictionaries.
pub(crate) struct Dictionary(*mut ffi::AVDictionary);

impl Dictionary {
    pub(crate) fn new() -> Self {
        Self(ptr::null_mut())
    }

    /// Sets a key to one value.
    pub(crate) fn set(&mut self, key: &CStr, value: &CStr) -> Result<()> {
        // SAFETY: the dictionary is one of libav's or null; the texts end in a zero byte and are copied.
        let code = unsafe { ffi::av_dict_set(&raw mut self.0, key.as_ptr(), value.as_ptr(), 0) };
        check(code, "setting an option")
    }

    /// For a function that removes the options it knows.
    pub(crate) fn as_ptr(&mut self) -> *mut *mut ffi::AVDictionary {
        &raw mut self.0
    }

    /// Releases the pointer to an owner that frees it.
    pub(crate) fn into_raw(mut self) -> *mut ffi::AVDictionary {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Dictionary {
    fn drop(&mut self) {
        // SAFETY: the dictionary is one of libav's or null, and owned alone.
        unsafe { ffi::av_dict_free(&raw mut self.0) };
    }
}

/// The keys and values of a dictionary.
pub(crate) fn entries(dictionary: *const ffi::AVDictionary) -> Vec<(CString, CString)> {
    let mut entries = Vec::new();
    let mut entry = ptr::null();
    loop {
        // SAFETY: the dictionary is an open context's or null; the entry is null or its last one.
        entry = unsafe { ffi::av_dict_get(dictionary, c"".as_ptr(), entry, ffi::AV_DICT_IGNORE_SUFFIX) };
        // SAFETY: null or an entry.
        let Some(found) = (unsafe { entry.as_ref() }) else { return entries };
        // SAFETY: an entry has a name.
        let key = unsafe { CStr::from_ptr(found.key) };
        // SAFETY: an entry has a value.
        let value = unsafe { CStr::from_ptr(found.value) };
        entries.push((key.to_owned(), value.to_owned()));
    }
}
