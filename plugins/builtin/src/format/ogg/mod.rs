//! Ogg (RFC 3533) with Vorbis, FLAC or Opus. Of Vorbis and FLAC, pages are walked by their headers, and packets measured without
//! decoding them.

mod checksum;
mod codec;
mod decoder;
mod flac;
mod links;
mod listing;
mod opus;
mod packets;
mod page;
mod setup;
mod stream;
mod timeline;
mod writer;

pub use decoder::OggDecoder;
pub(crate) use writer::OggWriter;
