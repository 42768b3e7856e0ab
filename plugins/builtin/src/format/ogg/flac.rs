//! FLAC in Ogg (RFC 9639, section 10.1).

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result};

use crate::codec::flac::StreamInfoBlock;
use crate::tags::vorbis_comment;
use crate::tags::vorbis_comment::Comments;

/// The first bytes of a stream's first packet.
pub(crate) const SIGNATURE: &[u8; 5] = b"\x7FFLAC";
/// The offset of STREAMINFO in that packet.
const STREAM_INFO: usize = 17;

/// Reads the first packet of a stream at `offset`.
///
/// # Errors
/// When it violates the specification.
pub(crate) fn stream_info(packet: &[u8], offset: u64) -> Result<StreamInfoBlock> {
    let is_mapping =
        packet.starts_with(SIGNATURE) && packet.get(5) == Some(&1) && packet.get(9..13) == Some(b"fLaC");
    let info = packet.get(STREAM_INFO..).filter(|_| is_mapping).and_then(StreamInfoBlock::parse);
    info.ok_or_else(|| Error::bad_data(offset, "the FLAC stream's first packet is not a header of version 1"))
}

/// The comments in a header packet, if it has them.
pub(crate) fn comments(packet: &[u8]) -> Option<Comments> {
    let (header, block) = packet.split_first_chunk::<4>()?;
    (header.first()? & 0x7F == 4).then(|| vorbis_comment::parse(block))
}

/// Whether a packet is a metadata block rather than a frame.
pub(crate) fn is_header(packet: &[u8]) -> bool {
    packet.first() != Some(&0xFF)
}
