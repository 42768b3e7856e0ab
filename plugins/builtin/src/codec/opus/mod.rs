//! Opus (RFC 6716, RFC 8251): the header of a stream (RFC 7845), the structure of packets, and their decoder.

mod cells;
mod decoder;
mod encode;
mod head;
mod packet;
#[cfg(test)]
mod tests;

pub(crate) use cells::{Cells, Engine};
pub(crate) use decoder::OpusCodec;
pub use encode::OpusEncoder;
pub(crate) use head::OpusSetup;
pub(crate) use packet::{Kind, MAX_PACKET_FRAMES, SAMPLE_RATE, num_frames};
