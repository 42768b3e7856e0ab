//! Decoding and encoding with AudioToolbox, a part of macOS: AAC, ALAC, FLAC, MP3, AMR, IMA4 and its other codecs.
//!
//! The framework never sees a path: it reads and writes through callbacks. For formats that the built-in codecs read too, they
//! report a higher probe score, and this plugin reads what they reject. On other systems the library is empty; tests run there
//! with the feature `double`, which stands in for the framework.
//!
//! | module | what |
//! |---|---|
//! | `sys` | the framework's declarations |
//! | `status` | its codes as errors of a plugin |
//! | `property` | its properties |
//! | `source` | the host's bytes as one of the framework's files |
//! | `audio_file`, `ext_file` | its objects, one a module |
//! | `speakers` | its channel layouts as WAVE masks, and back |
//! | `decode` | from a file to frames |
//! | `encode` | from frames to a file |
//! | `double` | the framework's functions for tests elsewhere |
#![cfg(any(target_vendor = "apple", feature = "double"))]
#![allow(non_upper_case_globals)] // Apple's names, in patterns too

mod audio_file;
mod decode;
#[cfg(all(feature = "double", not(target_vendor = "apple")))]
#[path = "../tests/double/mod.rs"]
#[doc(hidden)]
pub mod double;
mod encode;
mod ext_file;
mod property;
mod source;
mod speakers;
mod status;
#[doc(hidden)]
pub mod sys;

pub use decode::AudioToolboxDecoder;
pub use encode::{AifcEncoder, CafEncoder, FlacEncoder, M4aEncoder};

mapwave_plugin::export_plugin! {
    /// The plugin's entry function, for the tests.
    pub fn entry;
    id: "audiotoolbox",
    vendor: "mapwave",
    license: "MIT OR Apache-2.0",
    dependencies: "AudioToolbox, a part of macOS",
    decoders: [AudioToolboxDecoder],
    encoders: [M4aEncoder, CafEncoder, FlacEncoder, AifcEncoder],
}
