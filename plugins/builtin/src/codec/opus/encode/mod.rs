//! Encodes Opus: frames become packets, and a container takes the packets.

mod encoder;
mod layout;
mod packets;
mod settings;

pub use encoder::OpusEncoder;
