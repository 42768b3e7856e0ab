//! mapwave's embedded codecs in pure Rust: MPEG audio, AAC, ALAC, FLAC, Vorbis and ADPCM.
//!
//! Each format finds its packets by itself, as a [`packets::PacketStream`]; published decoders turn single packets into
//! samples. One engine makes a seekable, gapless decoder of the two, [`packets::PacketDecoder`].

mod adpcm;
#[cfg(test)]
mod compressed;
mod matroska;
mod packets;

pub use adpcm::AdpcmDecoder;
pub use matroska::MatroskaDecoder;
