//! Decoding and encoding by AudioToolbox, which is a part of macOS: AAC, ALAC, FLAC, MP3, AMR, IMA4 and what else it holds.
//!
//! The framework never sees a path: it reads and writes through callbacks. Where the built-in codecs read a format too, they
//! are surer of it than this plugin is, and it reads what they refuse. On other systems the library is empty; their tests run
//! with the feature `double`, which stands in for the framework.
//!
//! | module | what |
//! |---|---|
//! | `sys` | the framework's declarations |
//! | `status` | its codes as errors of a plugin |
//! | `property` | its properties |
//! | `source` | the host's bytes as a file of the framework's |
//! | `audio_file`, `ext_file` | its objects, one a module |
//! | `speakers` | its layouts of channels as WAVE masks, and back |
//! | `decode` | from a file to frames |
//! | `encode` | from frames to a file |
//! | `double` | the framework's functions for tests elsewhere |
#![cfg(any(target_vendor = "apple", feature = "double"))]
#![allow(non_upper_case_globals)] // Apple's names, in patterns too

mod audio_file;
mod decode;
#[cfg(all(feature = "double", not(target_vendor = "apple")))]
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
