//! FLAC files (RFC 9639): the chain of their frames, and seeking in it.

mod chain;
mod decoder;
mod frames;
mod index;
mod survey;

pub use decoder::FlacDecoder;
