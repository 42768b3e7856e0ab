//! Writes an audio track in Matroska or WebM (RFC 9559).

#![forbid(unsafe_code)]

use mapwave_plugin::{Result, Sink};

use super::id;

/// Nanoseconds in a tick of timestamps.
const TICK: u64 = 1_000_000;
/// The longest cluster in ticks: timestamps in a cluster have 16 bits with a sign.
const MAX_CLUSTER: u64 = 5000;
/// What a decoder needs before a place in the stream (RFC 7845, section 4.6).
const SEEK_PRE_ROLL: u64 = 80_000_000;

const IS_KEYFRAME: u8 = 0x80;

/// The properties of the track.
pub(crate) struct WrittenTrack<'a> {
    pub(crate) is_webm: bool,
    pub(crate) codec_id: &'a str,
    pub(crate) codec_private: &'a [u8],
    /// In nanoseconds.
    pub(crate) codec_delay: u64,
    pub(crate) sample_rate: u32,
    pub(crate) num_channels: u32,
    pub(crate) tags: &'a [(&'a str, &'a str)],
}

/// A stream of packets on its way to a file.
pub(crate) struct MatroskaWriter {
    sink: Sink,
    /// Where the size of the segment and the duration are, to be written over at the end.
    size_at: u64,
    duration_at: u64,
    /// The blocks of the next cluster, and its timestamp.
    cluster: Vec<u8>,
    start: u64,
    /// The time of the next packet in nanoseconds.
    time: u64,
}

impl MatroskaWriter {
    /// Writes the headers.
    ///
    /// # Errors
    /// [`Status::Io`](mapwave_plugin::Status::Io) when the sink fails.
    pub(crate) fn new(mut sink: Sink, track: WrittenTrack<'_>) -> Result<Self> {
        let header = [
            number(id::EBML_VERSION, 1),
            number(id::EBML_READ_VERSION, 1),
            number(id::EBML_MAX_ID_LENGTH, 4),
            number(id::EBML_MAX_SIZE_LENGTH, 8),
            element(id::DOC_TYPE, if track.is_webm { b"webm" } else { b"matroska" }),
            number(id::DOC_TYPE_VERSION, 4),
            number(id::DOC_TYPE_READ_VERSION, 2),
        ];
        let mut bytes = element(id::EBML, &header.concat());
        bytes.extend(id::SEGMENT.to_be_bytes());
        let size_at = bytes.len() as u64;
        bytes.extend([0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]); // unknown
        let program = concat!("mapwave ", env!("CARGO_PKG_VERSION")).as_bytes();
        let duration = element(id::DURATION, &0_f64.to_be_bytes());
        let info = [
            number(id::TIMESTAMP_SCALE, TICK),
            element(id::MUXING_APP, program),
            element(id::WRITING_APP, program),
        ];
        let info = [info.concat(), if sink.is_append_only() { Vec::new() } else { duration }].concat();
        bytes.extend(element(id::INFO, &info));
        let duration_at = bytes.len() as u64 - 8;
        let audio = [
            element(id::SAMPLING_FREQUENCY, &f64::from(track.sample_rate).to_be_bytes()),
            number(id::CHANNELS, track.num_channels.into()),
        ];
        let entry = [
            number(id::TRACK_NUMBER, 1),
            number(id::TRACK_UID, 1),
            number(id::FLAG_LACING, 0),
            number(id::TRACK_TYPE, 2),
            element(id::CODEC_ID, track.codec_id.as_bytes()),
            number(id::CODEC_DELAY, track.codec_delay),
            number(id::SEEK_PRE_ROLL, SEEK_PRE_ROLL),
            element(id::AUDIO, &audio.concat()),
            element(id::CODEC_PRIVATE, track.codec_private),
        ];
        bytes.extend(element(id::TRACKS, &element(id::TRACK_ENTRY, &entry.concat())));
        if !track.tags.is_empty() {
            let tag = |(name, value): &(&str, &str)| {
                let name = element(id::TAG_NAME, name.to_ascii_uppercase().as_bytes());
                element(id::SIMPLE_TAG, &[name, element(id::TAG_STRING, value.as_bytes())].concat())
            };
            let tags: Vec<u8> = track.tags.iter().flat_map(tag).collect();
            bytes.extend(element(id::TAGS, &element(id::TAG, &[element(id::TARGETS, &[]), tags].concat())));
        }
        sink.append(&bytes)?;
        Ok(Self { sink, size_at, duration_at, cluster: Vec::new(), start: 0, time: 0 })
    }

    /// Writes a packet that is not the last.
    ///
    /// # Errors
    /// [`Status::Io`](mapwave_plugin::Status::Io) when the sink fails.
    pub(crate) fn write(&mut self, packet: &[u8], duration: u64) -> Result<()> {
        let block = self.block(packet, IS_KEYFRAME)?;
        self.cluster.extend(element(id::SIMPLE_BLOCK, &block));
        self.time = self.time.saturating_add(duration);
        if self.sink.is_live() { self.end_cluster() } else { Ok(()) }
    }

    /// Writes the last packet, which ends in `padding` nanoseconds to leave out, and completes the headers of a stream that lasts
    /// `duration`.
    ///
    /// # Errors
    /// [`Status::Io`](mapwave_plugin::Status::Io) when the sink fails.
    pub(crate) fn finish(&mut self, packet: &[u8], padding: u64, duration: u64) -> Result<()> {
        let block = element(id::BLOCK, &self.block(packet, 0)?);
        let discard = if padding > 0 { number(id::DISCARD_PADDING, padding) } else { Vec::new() };
        self.cluster.extend(element(id::BLOCK_GROUP, &[block, discard].concat()));
        self.end_cluster()?;
        if self.sink.is_append_only() {
            return Ok(());
        }
        #[allow(clippy::cast_precision_loss)] // milliseconds
        let ticks = duration as f64 / TICK as f64;
        let duration_at = self.duration_at;
        self.sink.overwrite(duration_at, &ticks.to_be_bytes())?;
        let size = self.sink.num_bytes().saturating_sub(self.size_at + 8);
        self.sink.overwrite(self.size_at, &(size | 1 << 56).to_be_bytes())
    }

    /// The contents of a block, in the current cluster or a new one.
    fn block(&mut self, packet: &[u8], flags: u8) -> Result<Vec<u8>> {
        let now = self.time / TICK;
        if now.saturating_sub(self.start) >= MAX_CLUSTER {
            self.end_cluster()?;
        }
        if self.cluster.is_empty() {
            self.start = now;
        }
        let ahead = i16::try_from(now - self.start).unwrap_or(i16::MAX).to_be_bytes();
        Ok([&[0x81, ahead[0], ahead[1], flags], packet].concat())
    }

    fn end_cluster(&mut self) -> Result<()> {
        if self.cluster.is_empty() {
            return Ok(());
        }
        let blocks = std::mem::take(&mut self.cluster);
        self.sink.append(&element(id::CLUSTER, &[number(id::TIMESTAMP, self.start), blocks].concat()))
    }
}

/// An element with its data.
fn element(id: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = id.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    let size = data.len() as u64;
    match size {
        0..0x7F => bytes.push(0x80 | u8::try_from(size).unwrap_or(0)),
        _ => bytes.extend((size | 1 << 56).to_be_bytes()),
    }
    bytes.extend_from_slice(data);
    bytes
}

/// An element with a whole number; with room for the sign of one that has it.
fn number(id: u32, number: u64) -> Vec<u8> {
    let num_bytes = usize::try_from(u64::BITS - number.leading_zeros()).unwrap_or(0) / 8 + 1;
    let bytes = number.to_be_bytes();
    element(id, bytes.get(bytes.len().saturating_sub(num_bytes)..).unwrap_or(&bytes))
}
