//! The encoder: from samples to packets.

mod bit_writer;
mod encoder;
mod golomb;
mod predictor;

pub use encoder::Encoder;
