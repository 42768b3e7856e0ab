//! libav's messages: they go to the host's log, and never to standard error.

#![allow(unsafe_code)] // a callback of libav's

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic;
use std::sync::Once;

use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Level, log};

/// The arguments of a message, as a function receives them.
#[cfg(all(target_arch = "x86_64", not(windows)))]
type Arguments = *mut ffi::__va_list_tag;
#[cfg(not(all(target_arch = "x86_64", not(windows))))]
type Arguments = ffi::va_list;

/// The maximum length of a message; longer ones are truncated.
const MAX_BYTES: usize = 1024;

static INSTALLED: Once = Once::new();

/// Redirects libav's messages from now on. libav has one log callback per process: other users of the same libraries lose
/// their messages to the host's log.
pub(crate) fn install() {
    // SAFETY: the callback is a function that lives as long as the process: a plugin is never unloaded (R7).
    INSTALLED.call_once(|| unsafe { ffi::av_log_set_callback(Some(receive)) });
}

unsafe extern "C" fn receive(class: *mut c_void, level: c_int, format: *const c_char, arguments: Arguments) {
    let Some(level) = level_of(level) else { return };
    let mut line: [c_char; MAX_BYTES] = [0; MAX_BYTES];
    let mut has_prefix = 1;
    let line_bytes = c_int::try_from(line.len()).unwrap_or(0);
    // SAFETY: libav passes a format and its arguments for the time of the call; the line has as many bytes, and libav ends
    // the text inside of it.
    let length = unsafe {
        ffi::av_log_format_line2(
            class,
            0,
            format,
            arguments,
            line.as_mut_ptr(),
            line_bytes,
            &raw mut has_prefix,
        )
    };
    if length <= 0 {
        return;
    }
    // SAFETY: the line was zero and holds a text with its end.
    let line = unsafe { CStr::from_ptr(line.as_ptr()) };
    // No panic may cross this boundary: libav calls this function.
    let _ = panic::catch_unwind(|| {
        let line = line.to_string_lossy();
        let line = line.trim();
        if !line.is_empty() {
            log(level, line);
        }
    });
}

/// The level of a message for the host; `None` for debugging details. The upper bits are a colour.
fn level_of(level: c_int) -> Option<Level> {
    match level & 0xff {
        level if level <= ffi::AV_LOG_ERROR => Some(Level::Error),
        level if level <= ffi::AV_LOG_WARNING => Some(Level::Warning),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_dropped() {
        assert_eq!(level_of(ffi::AV_LOG_FATAL), Some(Level::Error));
        assert_eq!(level_of(ffi::AV_LOG_ERROR), Some(Level::Error));
        assert_eq!(level_of(ffi::AV_LOG_WARNING | 0x8500), Some(Level::Warning));
        assert_eq!(level_of(ffi::AV_LOG_INFO), None);
        assert_eq!(level_of(ffi::AV_LOG_TRACE), None);
    }
}
