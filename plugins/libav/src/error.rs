//! libav's error codes as plugin errors.

#![allow(unsafe_code)] // av_strerror writes into a buffer

use std::ffi::{CStr, c_char, c_int};

use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Error, Status};

/// Converts one of libav's error codes to a plugin error; `doing` says what failed, such as "opening the codec".
pub(crate) fn from_code(code: c_int, doing: &str) -> Error {
    Error::new(status(code), format!("{doing}: libav says: {}", words(code))).with_native_code(code.into())
}

/// Converts the code of a call on a file. What libav has no name for, such as a bare -1, comes from parsers of damaged files, and
/// a read error of its own means that a parser ran past the end: failures of the host's reads are reported by themselves.
pub(crate) fn from_file(code: c_int, doing: &str) -> Error {
    let error = from_code(code, doing);
    match error.status() {
        Status::Internal | Status::Io => {
            Error::new(Status::BadData, error.message()).with_native_code(code.into())
        }
        _ => error,
    }
}

/// Converts the code of a call on a file to a result.
///
/// # Errors
/// When `code` is negative.
pub(crate) fn check_file(code: c_int, doing: &str) -> mapwave_plugin::Result<()> {
    if code < 0 { Err(from_file(code, doing)) } else { Ok(()) }
}

/// Converts the code of a call to a result.
///
/// # Errors
/// When `code` is negative.
pub(crate) fn check(code: c_int, doing: &str) -> mapwave_plugin::Result<()> {
    if code < 0 { Err(from_code(code, doing)) } else { Ok(()) }
}

/// libav gave no memory.
pub(crate) fn no_memory(what: &str) -> Error {
    Error::new(Status::NoMemory, format!("not enough memory for {what}"))
}

/// Whether a code means that memory ran out, which is not the file's fault.
pub(crate) fn is_no_memory(code: c_int) -> bool {
    code == ffi::AVERROR(ffi::ENOMEM)
}

/// libav's description of a code.
pub(crate) fn words(code: c_int) -> String {
    let mut text: [c_char; 128] = [0; 128];
    // SAFETY: the buffer has as many bytes, and libav ends the text inside of it, for unknown codes too.
    unsafe { ffi::av_strerror(code, text.as_mut_ptr(), text.len()) };
    // SAFETY: the buffer was zero and holds a text with its end.
    unsafe { CStr::from_ptr(text.as_ptr()) }.to_string_lossy().into_owned()
}

fn status(code: c_int) -> Status {
    match code {
        ffi::AVERROR_INVALIDDATA | ffi::AVERROR_EOF => Status::BadData,
        ffi::AVERROR_EXIT => Status::Limit,
        ffi::AVERROR_DECODER_NOT_FOUND
        | ffi::AVERROR_ENCODER_NOT_FOUND
        | ffi::AVERROR_DEMUXER_NOT_FOUND
        | ffi::AVERROR_MUXER_NOT_FOUND
        | ffi::AVERROR_PROTOCOL_NOT_FOUND
        | ffi::AVERROR_STREAM_NOT_FOUND
        | ffi::AVERROR_BSF_NOT_FOUND
        | ffi::AVERROR_PATCHWELCOME
        | ffi::AVERROR_EXPERIMENTAL => Status::Unsupported,
        _ if is_no_memory(code) => Status::NoMemory,
        _ if code == ffi::AVERROR(ffi::EIO) => Status::Io,
        _ if code == ffi::AVERROR(ffi::ENOSYS) => Status::Unsupported,
        _ if code == ffi::AVERROR(ffi::EINVAL) => Status::BadData,
        _ => Status::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_their_kind_and_their_words() {
        let error = from_code(ffi::AVERROR_INVALIDDATA, "reading a packet");
        assert_eq!(error.status(), Status::BadData);
        assert_eq!(error.native_code(), i64::from(ffi::AVERROR_INVALIDDATA));
        assert_eq!(error.message(), "reading a packet: libav says: Invalid data found when processing input");
        assert_eq!(from_code(ffi::AVERROR(ffi::ENOMEM), "").status(), Status::NoMemory);
        assert_eq!(from_code(ffi::AVERROR_DECODER_NOT_FOUND, "").status(), Status::Unsupported);
        assert_eq!(from_code(-123_456_789, "").status(), Status::Internal);
        assert!(words(-123_456_789).contains("123456789"), "{}", words(-123_456_789));
        assert_eq!(from_file(-1, "").status(), Status::BadData);
        assert_eq!(from_file(ffi::AVERROR(ffi::EIO), "").status(), Status::BadData);
        assert_eq!(from_file(ffi::AVERROR(ffi::ENOMEM), "").status(), Status::NoMemory);
        assert!(check_file(1, "").is_ok() && check_file(-1, "").is_err());
        assert!(check(0, "").is_ok() && check(7, "").is_ok() && check(-1, "").is_err());
    }
}
