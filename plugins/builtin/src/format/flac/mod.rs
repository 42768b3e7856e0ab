//! FLAC files (RFC 9639), whose frames are found by bisection, without an index.

mod decoder;
mod frames;

pub use decoder::FlacDecoder;
