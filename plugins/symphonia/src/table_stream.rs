//! A stream of AAC or ALAC whose packets a table finds, whatever container they stand in.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};
use std::ops::Range;

use mapwave_plugin::{Error, Memory, Output, Result, SampleFormat, SeekClass, StreamInfo};

use crate::aac::{self, AacCodec, AacSetup};
use crate::alac::{AlacCodec, AlacSetup};
use crate::packet_table::PacketTable;
use crate::packets::{Broken, Packet, PacketCodec, PacketStream};

#[cfg(test)]
mod tests;

/// Packets that are looked at before decoding begins.
const PACKETS_LOOKED_AT: u32 = 8;

/// What packets of a codec need to be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AudioSetup {
    Aac(AacSetup),
    Alac(AlacSetup),
}

impl AudioSetup {
    /// Frames a second.
    pub(crate) fn sample_rate(&self) -> u32 {
        match self {
            Self::Aac(setup) => setup.sample_rate,
            Self::Alac(setup) => setup.sample_rate,
        }
    }

    /// The frames of a packet, if it is not a stream's last.
    pub(crate) fn frames_per_packet(&self) -> u32 {
        match self {
            Self::Aac(_) => aac::FRAMES_PER_PACKET,
            Self::Alac(setup) => setup.frames_per_packet,
        }
    }
}

/// The part of the coded timeline that is sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trim {
    /// Frames that are left out at the start.
    pub(crate) priming_frames: u64,
    /// How many follow, at most; `None` when all do.
    pub(crate) num_frames: Option<u64>,
}

/// A stream: its packets in the file, how to decode them, and which frames of theirs are the sound.
pub(crate) struct TableStream {
    memory: Memory,
    table: PacketTable,
    setup: AudioSetup,
    priming_frames: u64,
    info: StreamInfo,
    tags: Vec<(CString, CString)>,
}

impl TableStream {
    /// A stream of the packets in `table`, which must say how many frames they have.
    ///
    /// # Errors
    /// When the packets need a codec that is not here.
    pub(crate) fn new(
        memory: Memory,
        table: PacketTable,
        setup: AudioSetup,
        trim: Trim,
        is_truncated: bool,
        container: &'static CStr,
        tags: Vec<(CString, CString)>,
    ) -> Result<Self> {
        let coded_frames = table.num_frames();
        let priming_frames = trim.priming_frames.min(coded_frames);
        let rest = coded_frames - priming_frames;
        let num_frames = trim.num_frames.map_or(rest, |num_frames| num_frames.min(rest));
        let coded_end = u64::from(table.num_packets()) * u64::from(setup.frames_per_packet());
        let padding_frames = coded_end.saturating_sub(priming_frames + num_frames);
        let common = StreamInfo {
            sample_rate: setup.sample_rate(),
            num_channels: 0,
            channel_mask: 0,
            num_frames: Some(num_frames),
            bits_per_sample: 0,
            native_format: SampleFormat::F32,
            formats: &[SampleFormat::F32],
            seek_class: SeekClass::Exact,
            is_lossless: false,
            is_truncated,
            priming_frames: u32::try_from(priming_frames).unwrap_or(u32::MAX),
            padding_frames: u32::try_from(padding_frames).unwrap_or(u32::MAX),
            seek_cost_frames: 0,
            codec: c"aac",
            container,
        };
        let info = match &setup {
            AudioSetup::Aac(setup) => StreamInfo {
                num_channels: setup.num_channels,
                channel_mask: if setup.num_channels == 1 { 0x4 } else { 0x3 },
                seek_class: SeekClass::Anchored { grid_frames: setup.grid_frames() },
                seek_cost_frames: setup.seek_cost_frames(),
                ..common
            },
            AudioSetup::Alac(setup) => StreamInfo {
                num_channels: setup.num_channels,
                channel_mask: setup.channel_mask(),
                bits_per_sample: setup.bits_per_sample,
                native_format: setup.formats().0,
                formats: setup.formats().1,
                is_lossless: true,
                seek_cost_frames: u64::from(setup.frames_per_packet) / 2, // half a packet is dropped in the mean
                codec: c"alac",
                ..common
            },
        };
        let stream = Self { memory, table, setup, priming_frames, info, tags };
        stream.check_packets()?;
        Ok(stream)
    }

    fn check_packets(&self) -> Result<()> {
        let AudioSetup::Aac(setup) = &self.setup else { return Ok(()) };
        setup.check_packets((0..PACKETS_LOOKED_AT).filter_map(|packet| {
            let place = self.table.get(packet)?;
            bytes_at(&self.memory, place.offset, place.num_bytes)
        }))
    }
}

/// The bytes of a packet, if they are there.
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
        let packet = self.table.packet_at(frame);
        Ok(match self.setup {
            AudioSetup::Aac(_) => packet.saturating_sub(1), // half of a packet's frames overlap the one before
            AudioSetup::Alac(_) => packet,
        })
    }

    fn next<'a>(&'a self, packet: &mut u32) -> Result<Option<Packet<&'a [u8]>>> {
        let Some(place) = self.table.get(*packet) else { return Ok(None) };
        let bytes = bytes_at(&self.memory, place.offset, place.num_bytes);
        let bytes = bytes.ok_or_else(|| Error::bad_data(place.offset, "a packet is behind the end"))?;
        *packet = packet.saturating_add(1);
        let (first_frame, num_frames) = (place.first_frame, place.num_frames.into());
        Ok(Some(Packet { bytes, offset: place.offset, first_frame, num_frames }))
    }

    fn codec(&self) -> Result<AudioCodec> {
        match &self.setup {
            AudioSetup::Aac(setup) => setup.codec().map(|codec| AudioCodec::Aac(Box::new(codec))),
            AudioSetup::Alac(setup) => setup.codec().map(|codec| AudioCodec::Alac(Box::new(codec))),
        }
    }

    fn renew(&self, codec: AudioCodec) -> Result<AudioCodec> {
        match codec {
            AudioCodec::Aac(_) => self.codec(), // the state of its noise cannot be had back
            AudioCodec::Alac(_) => Ok(codec),   // nothing passes from packet to packet
        }
    }
}

/// Turns packets of a codec into samples.
pub(crate) enum AudioCodec {
    Aac(Box<AacCodec>),
    Alac(Box<AlacCodec>),
}

impl PacketCodec<TableStream> for AudioCodec {
    fn decode(&mut self, _: &TableStream, packet: &Packet<&[u8]>) -> Result<usize, Broken> {
        match self {
            Self::Aac(codec) => codec.decode(packet.bytes),
            Self::Alac(codec) => codec.decode(packet.bytes, packet.num_frames),
        }
    }

    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        match self {
            Self::Aac(codec) => codec.write(frames, output),
            Self::Alac(codec) => codec.write(frames, output),
        }
    }
}
