//! The head of a CAF packet table, in which FFmpeg counts the padding as valid frames.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, Status};

/// The bytes before a packet table's entries: two 64-bit and two 32-bit numbers, big-endian.
const HEAD_BYTES: usize = 24;
/// The name of a chunk and its size.
const CHUNK_HEADER_BYTES: u64 = 12;

/// The head of a packet table (Apple Core Audio Format Specification, "Packet Table Chunk").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PacketTable {
    pub(super) num_packets: u64,
    pub(super) frames_per_packet: u64,
    pub(super) num_frames: u64,
}

impl PacketTable {
    /// Where the head begins, for a table that is the chunk at `chunk`.
    pub(super) fn offset(chunk: u64) -> u64 {
        chunk.saturating_add(CHUNK_HEADER_BYTES)
    }

    /// The head of packets without priming.
    ///
    /// # Errors
    /// When the packets cannot hold the frames.
    pub(super) fn head(self) -> Result<[u8; HEAD_BYTES]> {
        let room = self.num_packets.checked_mul(self.frames_per_packet);
        let padding = room.and_then(|room| room.checked_sub(self.num_frames));
        let Some(padding) = padding.and_then(|padding| u32::try_from(padding).ok()) else {
            let message = format!("the packets do not match the frames: {self:?}");
            return Err(Error::new(Status::Internal, message));
        };
        let mut head = [0; HEAD_BYTES];
        let fields = [
            &self.num_packets.to_be_bytes()[..],
            &self.num_frames.to_be_bytes(),
            &[0; 4],
            &padding.to_be_bytes(),
        ];
        head.iter_mut().zip(fields.into_iter().flatten()).for_each(|(to, from)| *to = *from);
        Ok(head)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_packet_is_filled_up() {
        let table = PacketTable { num_packets: 2, frames_per_packet: 4096, num_frames: 5000 };
        let expected = [0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0x0c, 0x78];
        assert_eq!(table.head().unwrap(), expected);
        assert!(PacketTable { num_frames: 9000, ..table }.head().is_err());
    }
}
