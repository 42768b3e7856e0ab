//! FLAC files (RFC 9639): frames that are found by bisection, without an index.

mod decoder;
mod frames;

pub use decoder::FlacDecoder;
