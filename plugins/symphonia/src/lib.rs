//! mapwave's embedded codecs in pure Rust: MPEG audio, AAC, ALAC, FLAC, Vorbis and ADPCM.
//!
//! Each format finds its packets by itself, as a [`packets::PacketStream`]; published decoders turn single packets into
//! samples. One engine makes a seekable, gapless decoder of the two, [`packets::PacketDecoder`].

mod flac;
mod ogg;
mod packets;
mod vorbis_comment;

pub use flac::FlacDecoder;
pub use ogg::OggDecoder;
