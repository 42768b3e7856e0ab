//! Ogg (RFC 3533) with Vorbis or FLAC: pages are walked by their headers, and packets measured without decoding them.

mod codec;
mod decoder;
mod flac;
mod links;
mod listing;
mod packets;
mod page;
mod setup;
mod stream;
mod timeline;

pub use decoder::OggDecoder;
