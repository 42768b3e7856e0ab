//! mapwave's embedded codecs in pure Rust: MPEG audio, AAC, ALAC, FLAC, Vorbis and ADPCM.
//!
//! Each format finds its packets by itself, as a [`packets::PacketStream`]; published decoders turn single packets into
//! samples. One engine makes a seekable, gapless decoder of the two, [`packets::PacketDecoder`].

mod packets;

mapwave_plugin::plugin! {
    /// The plugin's entry function, for hosts that link it in.
    pub fn entry;
    id: "symphonia",
    vendor: "mapwave",
    license: "(MIT OR Apache-2.0) AND MPL-2.0",
    dependencies: "",
    decoders: [],
    encoders: [],
    resamplers: [],
}
