//! mapwave's embedded codecs in pure Rust: MPEG audio, AAC, ALAC, FLAC, Vorbis and ADPCM.
//!
//! Each format finds its packets by itself, as a [`packets::PacketStream`]; published decoders turn single packets into
//! samples. One engine makes a seekable, gapless decoder of the two, [`packets::PacketDecoder`].

mod adpcm;
mod flac;
#[cfg(test)]
mod compressed;
mod matroska;
mod mpeg;
mod ogg;
mod packets;
mod vorbis_comment;

pub use adpcm::AdpcmDecoder;
pub use flac::FlacDecoder;
pub use matroska::MatroskaDecoder;
pub use mpeg::MpegDecoder;

mapwave_plugin::plugin! {
    /// The plugin's entry function, for hosts that link it in.
    pub fn entry;
    id: "symphonia",
    vendor: "mapwave",
    license: "(MIT OR Apache-2.0) AND MPL-2.0",
    dependencies: "",
    decoders: [MpegDecoder, FlacDecoder, AdpcmDecoder, MatroskaDecoder],
    encoders: [],
    resamplers: [],
}
mod aac;
mod adts;
mod alac;
mod caf_packets;
mod mp4;
mod packet_table;
mod table_stream;
pub use adts::AdtsDecoder;
pub use caf_packets::CafDecoder;
pub use mp4::Mp4Decoder;
pub use ogg::OggDecoder;
