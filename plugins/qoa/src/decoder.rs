//! The decoder: it decodes a frame from the beginning of the packet that holds it.

#![forbid(unsafe_code)]

use std::ffi::CStr;
use std::sync::Arc;

use mapwave_plugin::{
    Decoder, DecoderOptions, Error, Head, Input, Output, Result, SampleFormat, SeekClass, Status, StreamInfo,
};

use crate::lms::{Lms, STATE_BYTES};
use crate::packet::{
    FILE_HEADER_BYTES, HEADER_BYTES, MAGIC, PACKET_FRAMES, PacketHeader, channel_mask, head_bytes,
    packet_bytes, row_bytes,
};
use crate::slice::{self, SLICE_BYTES, SLICE_FRAMES};
use crate::stream::Stream;

/// Decodes QOA files.
#[derive(Debug)]
pub struct QoaDecoder {
    stream: Arc<Stream>,
    info: StreamInfo,
    /// The next frame to write.
    position: u64,
    row: Row,
}

/// The last decoded row: one slice of every channel.
#[derive(Debug, Default)]
struct Row {
    /// The packet that holds the row; `None` before the first row, and after an error.
    packet: Option<u64>,
    /// The number of the next row in the packet.
    next: usize,
    /// The predictor of each channel after the row.
    states: Vec<Lms>,
    /// The samples of the row, interleaved.
    samples: Vec<i16>,
    /// The bytes of the packet, unless the file is in memory.
    bytes: Vec<u8>,
}

impl Decoder for QoaDecoder {
    const NAME: &'static CStr = c"qoa";
    const CODECS: &'static CStr = c"qoa";
    const EXTENSIONS: &'static CStr = c"qoa";
    const PROBE_BYTES: u32 = 16;

    fn probe(head: &Head<'_>) -> u8 {
        if head.track.is_some() || !head.bytes.starts_with(&MAGIC) {
            return 0;
        }
        let packet = head.bytes.get(FILE_HEADER_BYTES..).and_then(|rest| rest.first_chunk());
        let is_sound = packet.is_some_and(|bytes| PacketHeader::from_bytes(bytes).check(0).is_ok());
        if is_sound { 100 } else { 90 }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let stream = Stream::open(input)?;
        let needed = Row::num_bytes(&stream);
        if needed > options.max_alloc {
            let what =
                format!("decoding needs {needed} bytes, but only {} may be allocated", options.max_alloc);
            return Err(Error::new(Status::Limit, what));
        }
        let info = StreamInfo {
            sample_rate: stream.sample_rate,
            num_channels: stream.num_channels.into(),
            channel_mask: channel_mask(stream.num_channels),
            num_frames: Some(stream.num_frames),
            bits_per_sample: 16,
            native_format: SampleFormat::I16,
            formats: &[SampleFormat::I16, SampleFormat::F32, SampleFormat::I32],
            // Every packet begins with the predictor's state, so decoding can start at each, and always does, even when it
            // continues from the packet before.
            seek_class: SeekClass::Exact,
            is_lossless: false,
            is_truncated: stream.is_truncated,
            priming_frames: 0,
            padding_frames: 0,
            seek_cost_frames: PACKET_FRAMES as u64 / 2, // on average
            codec: c"qoa",
            container: c"qoa",
        };
        Ok(Self { stream: Arc::new(stream), info, position: 0, row: Row::default() })
    }

    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        self.position = frame;
        Ok(())
    }

    fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
        while output.room() > 0 && self.position < self.stream.num_frames {
            let samples = self.row.samples_from(&self.stream, self.position)?;
            let num_frames = match output.format() {
                SampleFormat::I16 => output.write_interleaved(samples, |sample| sample),
                SampleFormat::I32 => output.write_interleaved(samples, |sample| i32::from(sample) << 16),
                SampleFormat::F32 => output.write_interleaved(samples, |sample| f32::from(sample) / 32768.0),
            };
            self.position += num_frames as u64;
        }
        Ok(())
    }

    fn fork(&self) -> Result<Self> {
        Ok(Self {
            stream: Arc::clone(&self.stream),
            info: self.info.clone(),
            position: 0,
            row: Row::default(),
        })
    }
}

impl Row {
    /// The most bytes that a row allocates.
    fn num_bytes(stream: &Stream) -> u64 {
        let channel = size_of::<Lms>() + SLICE_FRAMES * size_of::<i16>();
        (usize::from(stream.num_channels) * channel + packet_bytes(stream.num_channels, PACKET_FRAMES)) as u64
    }

    /// The samples of `frame` and the frames after it, up to the end of their row or of the stream.
    fn samples_from(&mut self, stream: &Stream, frame: u64) -> Result<&[i16]> {
        let packet = frame / PACKET_FRAMES as u64;
        let within = usize::try_from(frame % PACKET_FRAMES as u64).unwrap_or(0); // always fits
        let row = within / SLICE_FRAMES;
        if self.packet != Some(packet) || self.next > row + 1 {
            self.packet = None;
            self.enter(stream, packet)?;
            self.packet = Some(packet);
        }
        while self.next <= row {
            let decoded = self.decode_next(stream, packet);
            decoded.inspect_err(|_| self.packet = None)?;
        }
        let first = within % SLICE_FRAMES;
        let left = usize::try_from(stream.num_frames - frame).unwrap_or(usize::MAX);
        let last = first.saturating_add(left).min(SLICE_FRAMES);
        let num_channels = usize::from(stream.num_channels);
        Ok(self.samples.get(first * num_channels..last * num_channels).unwrap_or_default())
    }

    /// Reads everything before the first row of a packet.
    fn enter(&mut self, stream: &Stream, packet: u64) -> Result<()> {
        let num_channels = usize::from(stream.num_channels);
        let offset = stream.packet_offset(packet);
        if stream.input.bytes().is_none() {
            let num_bytes = packet_bytes(stream.num_channels, PACKET_FRAMES);
            self.bytes.resize(num_bytes, 0);
            let count = stream.input.read_at(offset, &mut self.bytes)?;
            self.bytes.truncate(count);
        }
        let header = bytes_of(stream, &self.bytes, packet, 0, HEADER_BYTES)?;
        let header = header.first_chunk().map(PacketHeader::from_bytes);
        stream.check(packet, &header.unwrap_or_default())?;
        let states_bytes = num_channels * STATE_BYTES;
        let states = bytes_of(stream, &self.bytes, packet, HEADER_BYTES, states_bytes)?;
        self.states.clear();
        self.states.extend(states.as_chunks::<STATE_BYTES>().0.iter().map(Lms::from_bytes));
        self.samples.resize(num_channels * SLICE_FRAMES, 0);
        self.next = 0;
        Ok(())
    }

    /// Decodes the next row of a packet.
    fn decode_next(&mut self, stream: &Stream, packet: u64) -> Result<()> {
        let row_bytes = row_bytes(stream.num_channels);
        let start = head_bytes(stream.num_channels) + self.next * row_bytes;
        let row = bytes_of(stream, &self.bytes, packet, start, row_bytes)?;
        // "Channels are interleaved per slice."
        let slices = row.as_chunks::<SLICE_BYTES>().0.iter().zip(&mut self.states);
        for (channel, (slice, lms)) in slices.enumerate() {
            let places = self.samples.iter_mut().skip(channel).step_by(stream.num_channels.into());
            slice::decode(u64::from_be_bytes(*slice), lms, places);
        }
        self.next += 1;
        Ok(())
    }
}

/// `num_bytes` bytes of a packet from its byte `start` on: from the file in memory, or else from the copy in `read`.
fn bytes_of<'a>(
    stream: &'a Stream,
    read: &'a [u8],
    packet: u64,
    start: usize,
    num_bytes: usize,
) -> Result<&'a [u8]> {
    let offset = stream.packet_offset(packet);
    let bytes = match stream.input.bytes() {
        Some(bytes) => usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)),
        None => Some(read),
    };
    let bytes = bytes.and_then(|bytes| bytes.get(start..)?.get(..num_bytes));
    bytes.ok_or_else(|| {
        let what = "the file ends inside this packet; it was longer when it was opened";
        Error::new(Status::Io, what).at(offset)
    })
}
