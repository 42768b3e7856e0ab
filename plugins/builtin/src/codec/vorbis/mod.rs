//! Vorbis I: its setup header, from which packets are measured, and packets to samples.

mod decoder;
mod setup;

pub(crate) use decoder::VorbisCodec;
pub(crate) use setup::{VorbisSetup, frames_between};
