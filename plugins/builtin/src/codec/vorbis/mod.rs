//! Vorbis I: its setup header, which gives the length of packets, and the decoder of packets.

mod codebook;
mod decoder;
mod residue;
mod setup;
#[cfg(test)]
mod tests;

pub(crate) use decoder::VorbisCodec;
pub(crate) use setup::{VorbisSetup, frames_between};
