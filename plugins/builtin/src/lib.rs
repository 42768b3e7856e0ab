//! mapwave's built-in codecs in pure Rust: MPEG audio, AAC, ALAC, FLAC, Vorbis, Opus and ADPCM.
//!
//! Each format finds its own packets, as a [`engine::packets::PacketStream`]; published decoders turn single packets
//! into samples. One engine makes a seekable, gapless decoder from both, [`engine::packets::PacketDecoder`].

mod bits;
mod bytes;
mod codec;
mod engine;
#[cfg(test)]
mod fixtures;
mod host_track;
mod tags;

/// Formats: from bytes to packets, and the parsing of headers.
mod format {
    pub(crate) mod adts;
    pub(crate) mod caf;
    pub(crate) mod flac;
    pub(crate) mod matroska;
    pub(crate) mod mp4;
    pub(crate) mod mpeg;
    pub(crate) mod ogg;
    mod other;
    pub(crate) mod table_stream;
}

pub use codec::adpcm::AdpcmDecoder;
pub use codec::alac::AlacEncoder;
pub use codec::flac::FlacEncoder;
pub use codec::opus::OpusEncoder;
pub use format::adts::AdtsDecoder;
pub use format::caf::CafDecoder;
pub use format::flac::FlacDecoder;
pub use format::matroska::MatroskaDecoder;
pub use format::mp4::Mp4Decoder;
pub use format::mpeg::MpegDecoder;
pub use format::ogg::OggDecoder;

mapwave_plugin::plugin! {
    /// The plugin's entry function, for hosts that link it in.
    pub fn entry;
    id: "builtin",
    vendor: "mapwave",
    license: "(MIT OR Apache-2.0) AND BSD-3-Clause",
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
    encoders: [FlacEncoder, OpusEncoder, AlacEncoder],
    resamplers: [],
}
