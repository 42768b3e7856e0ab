//! A stream of AAC, ALAC, FLAC or Opus whose packets are listed in a table, whatever the container.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::ops::Range;

use mapwave_aac::Snapshot;
use mapwave_plugin::{Error, Memory, Output, Result, StreamInfo};

use crate::codec::checkpoints::Checkpoints;
use crate::codec::opus::{Cells, Kind, OpusCodec};
use crate::codec::packet_setup::{AudioCodec, AudioSetup};
use crate::engine::packet_table::PacketTable;
use crate::engine::packets::{Broken, Numbered, NumberedPackets, Packet, PacketCodec, PacketStream, Wanted};
use crate::engine::playlist::{Playlist, Run};

#[cfg(test)]
mod tests;

/// A stream: its packets in the file, their setup, and the frames that are returned.
pub(crate) struct TableStream {
    memory: Memory,
    table: PacketTable,
    setup: AudioSetup,
    playlist: Playlist,
    cells: Option<Cells>,
    checkpoints: Checkpoints<Snapshot>,
    info: StreamInfo,
    tags: Vec<(CString, CString)>,
}

impl TableStream {
    /// A stream of the packets in `table`, which must have their numbers of frames, played as in `playlist`.
    ///
    /// # Errors
    /// When the packets need another decoder.
    pub(crate) fn new(
        memory: Memory,
        table: PacketTable,
        setup: AudioSetup,
        playlist: Playlist,
        is_truncated: bool,
        container: &'static CStr,
        tags: Vec<(CString, CString)>,
    ) -> Result<Self> {
        let decoded_end = match &setup {
            // Only the packets themselves state their length.
            AudioSetup::Flac(_) | AudioSetup::Opus(_) => table.num_frames(),
            AudioSetup::Aac(_) | AudioSetup::Alac(_) => {
                u64::from(table.num_packets()) * u64::from(setup.frames_per_packet())
            }
        };
        let priming_frames = playlist.priming_frames();
        let padding_frames = decoded_end.saturating_sub(playlist.decoded_end());
        let cells = match &setup {
            AudioSetup::Opus(_) => Some(Cells::new(priming_frames, table.num_frames())),
            _ => None,
        };
        let common = match &setup {
            AudioSetup::Opus(setup) if playlist.single().is_some() => {
                let first = table.get(0).and_then(|place| bytes_at(&memory, place.offset, place.num_bytes));
                setup.info(first.map_or(Kind::Celt, |packet| setup.kind(packet)))
            }
            _ => setup.info(),
        };
        // A seek decodes from the beginning, or from a checkpoint that may not be there yet.
        let seek_cost_frames = if setup.depends_on_all() { decoded_end / 2 } else { common.seek_cost_frames };
        let info = StreamInfo {
            num_frames: Some(playlist.num_frames()),
            seek_cost_frames,
            is_truncated,
            priming_frames: u32::try_from(priming_frames).unwrap_or(u32::MAX),
            padding_frames: u32::try_from(padding_frames).unwrap_or(u32::MAX),
            container,
            ..common
        };
        let checkpoints = Checkpoints::default();
        let stream = Self { memory, table, setup, playlist, cells, checkpoints, info, tags };
        stream.check_packets()?;
        Ok(stream)
    }

    /// Where the packets are.
    pub(crate) fn table(&self) -> &PacketTable {
        &self.table
    }

    fn check_packets(&self) -> Result<()> {
        let places = self.table.places();
        let packets = places.filter_map(|(offset, num_bytes)| bytes_at(&self.memory, offset, num_bytes));
        self.setup.check_any_decodes(packets, self.table.get(0).map_or(0, |place| place.offset))
    }

    /// What the packets of Opus with frames of a range are made of.
    fn kind_of(&self, frames: Range<u64>) -> Kind {
        let AudioSetup::Opus(setup) = &self.setup else { return Kind::Mixed };
        let places = (self.table.packet_at(frames.start)..).map_while(|number| self.table.get(number));
        let places = places.take_while(|place| place.first_frame < frames.end);
        Kind::of(places.map(|place| {
            let packet = bytes_at(&self.memory, place.offset, place.num_bytes);
            packet.map_or(Kind::Mixed, |packet| setup.kind(packet))
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
    type Bytes<'a> = Numbered<&'a [u8]>;
    type Codec = AudioCodec;

    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn tags(&self) -> &[(CString, CString)] {
        &self.tags
    }

    fn run(&self, position: u64) -> Option<Run> {
        let mut run = self.playlist.run(position)?;
        if let (Some(frame), Some(cells)) = (run.source, &self.cells) {
            run.num_frames = run.num_frames.min(cells.next(frame) - frame);
        }
        Some(run)
    }

    fn continues(&self, position: u64) -> bool {
        let Some(cells) = &self.cells else { return false };
        let source = |position: u64| self.playlist.run(position)?.source;
        let before = position.checked_sub(1).and_then(source);
        source(position).is_some_and(|frame| {
            before.is_some_and(|before| before + 1 == frame)
                && cells.continues(frame, |frames| self.kind_of(frames))
        })
    }

    fn entry(&self, frame: u64) -> Result<u32> {
        let frame =
            self.cells.as_ref().map_or(frame, |cells| cells.entry(frame, |frames| self.kind_of(frames)));
        Ok(self.table.packet_at(frame).saturating_sub(self.setup.pre_roll()))
    }

    fn next<'a>(&'a self, packet: &mut u32) -> Result<Option<Packet<Numbered<&'a [u8]>>>> {
        let Some(place) = self.table.get(*packet) else { return Ok(None) };
        let bytes = bytes_at(&self.memory, place.offset, place.num_bytes);
        let bytes =
            bytes.ok_or_else(|| Error::bad_data(place.offset, "a packet is beyond the end of the file"))?;
        let bytes = Numbered { number: (*packet).into(), bytes };
        *packet = packet.saturating_add(1);
        let (first_frame, num_frames) = (place.first_frame, place.num_frames.into());
        Ok(Some(Packet { bytes, offset: place.offset, first_frame, num_frames }))
    }

    fn codec(&self, frame: u64) -> Result<AudioCodec> {
        match (&self.setup, &self.cells) {
            (AudioSetup::Opus(setup), Some(cells)) => {
                let engine = cells.engine(frame, |frames| self.kind_of(frames));
                OpusCodec::new(setup, engine).map(|codec| AudioCodec::Opus(Box::new(codec)))
            }
            _ => self.setup.codec(),
        }
    }

    fn renew(&self, codec: AudioCodec, frame: u64) -> Result<AudioCodec> {
        match codec {
            AudioCodec::Opus(_) => self.codec(frame),
            codec => self.setup.renew(codec),
        }
    }
}

impl NumberedPackets for TableStream {
    fn packet(&self, number: u64) -> Option<Cow<'_, [u8]>> {
        let place = self.table.get(u32::try_from(number).ok()?)?;
        bytes_at(&self.memory, place.offset, place.num_bytes).map(Cow::Borrowed)
    }

    fn checkpoints(&self) -> Option<&Checkpoints<Snapshot>> {
        Some(&self.checkpoints)
    }
}

impl PacketCodec<TableStream> for AudioCodec {
    fn decode(&mut self, stream: &TableStream, packet: &Packet<Numbered<&[u8]>>) -> Result<usize, Broken> {
        self.decode(stream, &packet.bytes, packet.num_frames)
    }

    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        self.write(frames, output)
    }

    fn is_batched(&self, _: &Packet<Numbered<&[u8]>>) -> bool {
        self.is_batched()
    }

    fn decode_batch(
        &mut self,
        stream: &TableStream,
        batch: &[Wanted<Numbered<&[u8]>>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        self.decode_batch(stream, batch, output)
    }
}
