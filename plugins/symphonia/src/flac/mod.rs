//! FLAC (RFC 9639): frames that are found by bisection, without an index.

mod checksum;
mod codec;
mod decoder;
mod frame_header;
mod frame_length;
mod frames;
mod metadata;
mod setup;
mod stream_info;

pub(crate) use codec::FrameCodec;
pub use decoder::FlacDecoder;
pub(crate) use frame_header::FrameHeader;
pub(crate) use metadata::channel_mask;
pub(crate) use setup::FlacSetup;
pub(crate) use stream_info::StreamInfoBlock;
