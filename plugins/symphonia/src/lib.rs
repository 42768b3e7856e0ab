//! mapwave's embedded codecs in pure Rust: MPEG audio, AAC, ALAC, FLAC, Vorbis and ADPCM.
//!
//! Each format finds its packets by itself, as a [`packets::PacketStream`]; published decoders turn single packets into
//! samples. One engine makes a seekable, gapless decoder of the two, [`packets::PacketDecoder`].

mod aac;
mod adpcm;
mod adts;
mod alac;
mod audio_setup;
mod caf_packets;
#[cfg(test)]
mod compressed;
mod flac;
mod host_track;
mod id3v2;
mod matroska;
mod mp4;
mod mpeg;
mod mpeg_track;
mod ogg;
mod packet_table;
mod packets;
mod table_stream;
mod vorbis_codec;
mod vorbis_comment;

pub use adpcm::AdpcmDecoder;
pub use adts::AdtsDecoder;
pub use caf_packets::CafDecoder;
pub use flac::FlacDecoder;
pub use matroska::MatroskaDecoder;
pub use mp4::Mp4Decoder;
pub use mpeg::MpegDecoder;
pub use ogg::OggDecoder;

mapwave_plugin::plugin! {
    /// The plugin's entry function, for hosts that link it in.
    pub fn entry;
    id: "symphonia",
    vendor: "mapwave",
    license: "(MIT OR Apache-2.0) AND MPL-2.0",
    dependencies: "",
    decoders: [
        MpegDecoder,
        Mp4Decoder,
        AdtsDecoder,
        FlacDecoder,
        OggDecoder,
        CafDecoder,
        AdpcmDecoder,
        MatroskaDecoder,
    ],
    encoders: [],
    resamplers: [],
}
