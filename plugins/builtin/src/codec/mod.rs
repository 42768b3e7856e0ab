//! Codecs: packets to samples, by published decoders or by ours.

pub(crate) mod aac;
pub(crate) mod adpcm;
pub(crate) mod alac;
pub(crate) mod checkpoints;
pub(crate) mod flac;
mod kept;
pub(crate) mod opus;
pub(crate) mod packet_setup;
pub(crate) mod vorbis;
