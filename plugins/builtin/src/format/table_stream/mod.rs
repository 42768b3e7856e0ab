//! A stream of AAC, ALAC or FLAC whose packets are listed in a table, whatever the container.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};
use std::ops::Range;

use mapwave_plugin::{Error, Memory, Output, Result, StreamInfo};

use crate::codec::packet_setup::{AudioCodec, AudioSetup};
use crate::engine::packet_table::PacketTable;
use crate::engine::packets::{Broken, Packet, PacketCodec, PacketStream};

#[cfg(test)]
mod tests;

/// The part of the decoded timeline that is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trim {
    /// The frames that are dropped at the start.
    pub(crate) priming_frames: u64,
    /// The most frames that follow; `None` for all.
    pub(crate) num_frames: Option<u64>,
}

/// A stream: its packets in the file, their setup, and the frames that are returned.
pub(crate) struct TableStream {
    memory: Memory,
    table: PacketTable,
    setup: AudioSetup,
    priming_frames: u64,
    info: StreamInfo,
    tags: Vec<(CString, CString)>,
}

impl TableStream {
    /// A stream of the packets in `table`, which must have their numbers of frames.
    ///
    /// # Errors
    /// When the packets need another decoder.
    pub(crate) fn new(
        memory: Memory,
        table: PacketTable,
        setup: AudioSetup,
        trim: Trim,
        is_truncated: bool,
        container: &'static CStr,
        tags: Vec<(CString, CString)>,
    ) -> Result<Self> {
        let decoded_frames = table.num_frames();
        let priming_frames = trim.priming_frames.min(decoded_frames);
        let rest = decoded_frames - priming_frames;
        let num_frames = trim.num_frames.map_or(rest, |num_frames| num_frames.min(rest));
        let decoded_end = match &setup {
            // Only the packets themselves state their length.
            AudioSetup::Flac(_) => decoded_frames,
            AudioSetup::Aac(_) | AudioSetup::Alac(_) => {
                u64::from(table.num_packets()) * u64::from(setup.frames_per_packet())
            }
        };
        let padding_frames = decoded_end.saturating_sub(priming_frames + num_frames);
        let info = StreamInfo {
            num_frames: Some(num_frames),
            is_truncated,
            priming_frames: u32::try_from(priming_frames).unwrap_or(u32::MAX),
            padding_frames: u32::try_from(padding_frames).unwrap_or(u32::MAX),
            container,
            ..setup.info()
        };
        let stream = Self { memory, table, setup, priming_frames, info, tags };
        stream.check_packets()?;
        Ok(stream)
    }

    fn check_packets(&self) -> Result<()> {
        self.setup.check_packets((0..self.table.num_packets()).filter_map(|packet| {
            let place = self.table.get(packet)?;
            bytes_at(&self.memory, place.offset, place.num_bytes)
        }))
    }
}

/// The bytes of a packet, if the file holds all of them.
pub(crate) fn bytes_at(bytes: &[u8], offset: u64, num_bytes: u32) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..)?.get(..usize::try_from(num_bytes).ok()?)
}

impl PacketStream for TableStream {
    type Cursor = u32;
    type Bytes<'a> = &'a [u8];
    type Codec = AudioCodec;

    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn tags(&self) -> &[(CString, CString)] {
        &self.tags
    }

    fn priming_frames(&self) -> u64 {
        self.priming_frames
    }

    fn entry(&self, frame: u64) -> Result<u32> {
        Ok(self.table.packet_at(frame).saturating_sub(self.setup.pre_roll()))
    }

    fn next<'a>(&'a self, packet: &mut u32) -> Result<Option<Packet<&'a [u8]>>> {
        let Some(place) = self.table.get(*packet) else { return Ok(None) };
        let bytes = bytes_at(&self.memory, place.offset, place.num_bytes);
        let bytes =
            bytes.ok_or_else(|| Error::bad_data(place.offset, "a packet is beyond the end of the file"))?;
        *packet = packet.saturating_add(1);
        let (first_frame, num_frames) = (place.first_frame, place.num_frames.into());
        Ok(Some(Packet { bytes, offset: place.offset, first_frame, num_frames }))
    }

    fn codec(&self) -> Result<AudioCodec> {
        self.setup.codec()
    }

    fn renew(&self, codec: AudioCodec) -> Result<AudioCodec> {
        self.setup.renew(codec)
    }
}

impl PacketCodec<TableStream> for AudioCodec {
    fn decode(&mut self, _: &TableStream, packet: &Packet<&[u8]>) -> Result<usize, Broken> {
        self.decode(packet.bytes, packet.num_frames)
    }

    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        self.write(frames, output)
    }
}
