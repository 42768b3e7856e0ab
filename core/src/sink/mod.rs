//! Writes frames to a file.
//!
//! A [`Writer`] takes [`Audio`], the samples of an array with any strides, and writes them to a file: WAV, RF64, Wave64, AIFF,
//! AIFF-C and CAF here, every other format with an encoder of a codec plugin. All arguments are checked before a byte is
//! written. Saving to a path is atomic: the old file is replaced only by a complete new one.

mod aiff;
mod atomic;
mod caf;
mod compressed;
mod dither;
mod encoding;
mod format;
mod header;
mod interrupt;
mod metadata;
mod options;
mod pcm;
mod plan;
mod quantise;
mod read_back;
mod replaced;
mod retag;
mod tags;
mod target;
mod w64;
mod wav;
mod writer;

pub use crate::array::Audio;
pub use crate::host::ByteSink;
pub use dither::Dither;
pub use encoding::{Encoding, PcmEncoding};
pub use format::FileFormat;
pub use options::{Overflow, SaveOptions};
pub use plan::is_lossless;
pub use retag::{Retagged, retag};
pub use target::Target;
pub use writer::{Saved, Writer, save};
