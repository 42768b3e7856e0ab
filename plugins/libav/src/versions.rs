//! The libraries that the loader found, and whether they match those that this plugin was built for.

#![allow(unsafe_code)] // functions of libav's without arguments

use std::ffi::CStr;

use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Error, Result, Status};

use crate::log;

/// One of libav's libraries.
struct Library {
    name: &'static str,
    /// The major version of the headers, with which structs change.
    built_major: u32,
    found: u32,
}

/// Checks the libraries and returns their versions; from here on, libav's messages go to the host.
///
/// # Errors
/// [`Status::MissingDependency`] when a library's major version differs from that of its header.
pub(crate) fn start() -> Result<String> {
    let libraries = libraries();
    for library in &libraries {
        library.check()?;
    }
    log::install();
    let found: Vec<String> = libraries.iter().map(Library::describe).collect();
    Ok(format!("{} ({})", found.join(", "), license()))
}

fn libraries() -> [Library; 4] {
    // SAFETY: returns a number.
    let avcodec = unsafe { ffi::avcodec_version() };
    // SAFETY: returns a number.
    let avformat = unsafe { ffi::avformat_version() };
    // SAFETY: returns a number.
    let avutil = unsafe { ffi::avutil_version() };
    // SAFETY: returns a number.
    let swresample = unsafe { ffi::swresample_version() };
    [
        ("libavcodec", ffi::LIBAVCODEC_VERSION_MAJOR, avcodec),
        ("libavformat", ffi::LIBAVFORMAT_VERSION_MAJOR, avformat),
        ("libavutil", ffi::LIBAVUTIL_VERSION_MAJOR, avutil),
        ("libswresample", ffi::LIBSWRESAMPLE_VERSION_MAJOR, swresample),
    ]
    .map(|(name, built_major, found)| Library { name, built_major: built_major.unsigned_abs(), found })
}

/// The licence of the libraries, as they state it.
fn license() -> String {
    // SAFETY: returns a text that is a constant.
    let license = unsafe { ffi::avcodec_license() };
    // SAFETY: as above.
    unsafe { CStr::from_ptr(license) }.to_string_lossy().into_owned()
}

impl Library {
    /// A version as libav packs it: major, minor and micro.
    fn parts(&self) -> (u32, u32, u32) {
        (self.found >> 16, self.found >> 8 & 0xff, self.found & 0xff)
    }

    fn check(&self) -> Result<()> {
        let (major, ..) = self.parts();
        if major == self.built_major {
            return Ok(());
        }
        let message = format!(
            "{} has major version {major}, and this plugin was built for {}: install that one or rebuild the plugin",
            self.name, self.built_major
        );
        Err(Error::new(Status::MissingDependency, message).with_native_code(self.found.into()))
    }

    fn describe(&self) -> String {
        let (major, minor, micro) = self.parts();
        format!("{} {major}.{minor}.{micro}", self.name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_for_is_what_is_found() {
        let found = start().unwrap();
        assert!(found.starts_with(&format!("libavcodec {}.", ffi::LIBAVCODEC_VERSION_MAJOR)), "{found}");
        assert!(found.contains("GPL version"), "{found}");
    }

    #[test]
    fn another_major_version_is_refused() {
        let library = Library { name: "libavcodec", built_major: 59, found: 60 << 16 | 3 << 8 | 100 };
        let error = library.check().unwrap_err();
        assert_eq!(error.status(), Status::MissingDependency);
        assert!(error.message().contains("major version 60") && error.message().contains("built for 59"));
        assert_eq!(library.describe(), "libavcodec 60.3.100");
    }
}
