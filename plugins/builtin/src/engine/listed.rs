//! Packets whose sizes and places stay in the tables of the file: each is read when it is asked for.
//!
//! That is for files whose bytes cost much. An hour of AAC has 600 kB of sizes, and a second of it needs those of one chunk.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::Memory;

/// Chunks in a row with the same number of packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkRun {
    pub(crate) first_packet: u32,
    /// Counted from 0.
    pub(crate) first_chunk: u32,
    pub(crate) in_chunk: u32,
}

/// The tables of a track: a size for each packet, and a place for each chunk of packets.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) memory: Memory,
    /// Sizes of four bytes.
    pub(crate) sizes: Range<usize>,
    /// Offsets of chunks, of four or eight bytes.
    pub(crate) offsets: Range<usize>,
    pub(crate) are_64_bit: bool,
    /// At least one; the first packet of the first is 0.
    pub(crate) runs: Vec<ChunkRun>,
}

impl Listed {
    /// The offset and the size of a packet; `None` past the last.
    pub(crate) fn get(&self, packet: u32) -> Option<(u64, u32)> {
        let run = self.runs.partition_point(|run| run.first_packet <= packet).checked_sub(1)?;
        let run = self.runs.get(run)?;
        let ahead = packet - run.first_packet;
        let chunk = run.first_chunk.checked_add(ahead.checked_div(run.in_chunk)?)?;
        let first = packet - ahead % run.in_chunk;
        let sizes = self.memory.get(self.sizes.clone())?.as_chunks::<4>().0;
        let sizes = sizes.get(first as usize..=packet as usize)?;
        let (last, before) = sizes.split_last()?;
        let before: u64 = before.iter().map(|size| u64::from(u32::from_be_bytes(*size))).sum();
        Some((self.chunk(chunk)?.checked_add(before)?, u32::from_be_bytes(*last)))
    }

    /// The offset of a chunk.
    fn chunk(&self, chunk: u32) -> Option<u64> {
        let offsets = self.memory.get(self.offsets.clone())?;
        let chunk = chunk as usize;
        match self.are_64_bit {
            true => offsets.as_chunks().0.get(chunk).map(|offset| u64::from_be_bytes(*offset)),
            false => offsets.as_chunks().0.get(chunk).map(|offset| u32::from_be_bytes(*offset).into()),
        }
    }
}
