//! FLAC (RFC 9639): metadata, frame headers, the decoder of frames, and the encoder.

mod encoder;
pub(crate) mod frame_length;
pub(crate) mod metadata;
mod packets;
mod setup;
mod stream_info;

pub use encoder::FlacEncoder;
pub(crate) use mapwave_flac::FrameHeader;
pub(crate) use mapwave_flac::crc::crc16;
pub(crate) use metadata::channel_mask;
pub(crate) use packets::FrameCodec;
pub(crate) use setup::FlacSetup;
pub(crate) use stream_info::StreamInfoBlock;
