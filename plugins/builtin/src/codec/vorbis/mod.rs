//! Vorbis I: its setup, which gives the length of packets, and the decoder of packets.

mod decoder;
mod setup;

pub(crate) use decoder::VorbisCodec;
pub(crate) use setup::{MAX_BYTES, VorbisSetup, frames_between};
