//! The way out: frames into a file.
//!
//! A [`Writer`] takes [`Audio`], the samples of an array of any strides, and makes a file of them: WAV, RF64, Wave64, AIFF,
//! AIFF-C and CAF here, every other format by an encoder of a codec plugin. Everything that can be refused is refused
//! before a byte is written. A file at a path is written beside it and takes its place only when it is whole, so that
//! the path holds either the old file or the new one, whatever happens.

mod aiff;
mod atomic;
mod caf;
mod compressed;
mod dither;
mod encoding;
mod format;
mod header;
mod interrupt;
mod options;
mod pcm;
mod plan;
mod quantise;
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
pub use target::Target;
pub use writer::{Saved, Writer, save};
