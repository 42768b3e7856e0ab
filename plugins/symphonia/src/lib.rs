//! mapwave's embedded codecs in pure Rust: MPEG audio, AAC, ALAC, FLAC, Vorbis and ADPCM.
//!
//! Each format finds its packets by itself, as a [`packets::PacketStream`]; published decoders turn single packets into
//! samples. One engine makes a seekable, gapless decoder of the two, [`packets::PacketDecoder`].

mod aac;
mod adts;
mod alac;
mod caf_packets;
mod mp4;
mod packet_table;
mod packets;
mod table_stream;

pub use adts::AdtsDecoder;
pub use caf_packets::CafDecoder;
pub use mp4::Mp4Decoder;
