//! The encoder: packets of 5120 frames after the number of all frames.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::{
    Block, Encoder, EncoderOptions, Error, Layout, Result, Sample, SampleFormat, Sink, Status,
};

use crate::lms::Lms;
use crate::packet::{MAGIC, MAX_SAMPLE_RATE, PACKET_FRAMES, PacketHeader, channel_mask, packet_bytes};
use crate::slice::{self, SLICE_FRAMES};

/// "A decoder should support at least 8 channels": not every decoder reads more.
const MAX_CHANNELS: u32 = 8;

/// Encodes QOA files.
#[derive(Debug)]
pub struct QoaEncoder {
    sink: Sink,
    packets: Packets,
    /// The number of frames in the header.
    promised: Option<u32>,
    /// The frames taken so far.
    num_frames: u64,
    /// Frames that do not fill a packet yet, interleaved.
    pending: Vec<i16>,
    /// The bytes of a packet.
    bytes: Vec<u8>,
}

impl Encoder for QoaEncoder {
    const NAME: &'static CStr = c"qoa";
    const CODECS: &'static CStr = c"qoa";
    const CONTAINERS: &'static CStr = c"qoa";
    const FORMATS: &'static [SampleFormat] = &[SampleFormat::I16, SampleFormat::F32, SampleFormat::I32];

    fn open(options: &EncoderOptions<'_>, mut sink: Sink) -> Result<Self> {
        let packets = Packets::new(options)?;
        let promised = promised_frames(options, sink.is_append_only())?;
        let needed = packets.num_bytes();
        if needed > options.max_alloc {
            let what =
                format!("encoding needs {needed} bytes, but only {} may be allocated", options.max_alloc);
            return Err(Error::new(Status::Limit, what));
        }
        sink.append(&MAGIC)?;
        sink.append(&promised.unwrap_or(0).to_be_bytes())?;
        let pending = Vec::with_capacity(usize::from(packets.num_channels) * PACKET_FRAMES);
        let bytes = Vec::with_capacity(packet_bytes(packets.num_channels, PACKET_FRAMES));
        Ok(Self { sink, packets, promised, num_frames: 0, pending, bytes })
    }

    fn push(&mut self, frames: &Block<'_>) -> Result<()> {
        let num_frames = self.num_frames.saturating_add(frames.num_frames() as u64);
        if num_frames > u32::MAX.into() {
            let what = format!("a QOA file holds at most {} frames, not {num_frames}", u32::MAX);
            return Err(Error::new(Status::Limit, what));
        }
        match frames.format() {
            SampleFormat::I16 => self.take(frames, |sample: i16| sample)?,
            SampleFormat::I32 => self.take(frames, i16_from_i32)?,
            SampleFormat::F32 => self.take(frames, i16_from_f32)?,
        }
        self.num_frames = num_frames;
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        if self.num_frames == 0 {
            return Err(without_frames());
        }
        let num_frames = u32::try_from(self.num_frames).unwrap_or(u32::MAX); // `push` has checked it
        let is_as_promised = self.promised == Some(num_frames);
        if self.sink.is_append_only() && !is_as_promised {
            let promised = self.promised.unwrap_or(0);
            let what = format!(
                "{num_frames} frames came where {promised} were announced, and the header is already written"
            );
            return Err(Error::new(Status::BadArgument, what));
        }
        self.write_packet()?;
        if !is_as_promised {
            self.sink.overwrite(MAGIC.len() as u64, &num_frames.to_be_bytes())?;
        }
        Ok(())
    }
}

impl QoaEncoder {
    /// Takes frames, and writes every full packet.
    fn take<T: Sample>(&mut self, frames: &Block<'_>, convert: impl Fn(T) -> i16) -> Result<()> {
        let num_channels = frames.num_channels().max(1);
        let mut first = 0;
        while first < frames.num_frames() {
            let room = PACKET_FRAMES - self.pending.len() / num_channels;
            let last = first.saturating_add(room).min(frames.num_frames());
            append(&mut self.pending, frames, first..last, &convert);
            if last - first == room {
                self.write_packet()?;
            }
            first = last;
        }
        Ok(())
    }

    /// Writes the pending frames, if there are any.
    fn write_packet(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.bytes.clear();
        self.packets.encode(&self.pending, &mut self.bytes);
        self.pending.clear();
        self.sink.append(&self.bytes)
    }
}

/// The number of frames to write into the header now.
fn promised_frames(options: &EncoderOptions<'_>, is_append_only: bool) -> Result<Option<u32>> {
    match options.num_frames {
        Some(0) => Err(without_frames()),
        Some(num_frames) => u32::try_from(num_frames).map(Some).map_err(|_| {
            let what = format!("a QOA file holds at most {} frames, not {num_frames}", u32::MAX);
            Error::new(Status::Limit, what)
        }),
        None if is_append_only => {
            let what =
                "a QOA file begins with its number of frames: announce it, or write to a seekable file";
            Err(Error::unsupported(what))
        }
        None => Ok(None),
    }
}

fn without_frames() -> Error {
    Error::unsupported("a QOA file needs at least one frame")
}

/// Appends frames of a block, interleaved.
fn append<T: Sample>(
    samples: &mut Vec<i16>,
    frames: &Block<'_>,
    range: std::ops::Range<usize>,
    convert: impl Fn(T) -> i16,
) {
    let num_channels = frames.num_channels();
    match frames.layout() {
        Layout::Interleaved => {
            let all = frames.interleaved::<T>().unwrap_or_default();
            let some = all.get(range.start * num_channels..range.end * num_channels).unwrap_or_default();
            samples.extend(some.iter().map(|sample| convert(*sample)));
        }
        Layout::Planar => {
            let first = samples.len();
            samples.resize(first + range.len() * num_channels, 0);
            for channel in 0..num_channels {
                let some =
                    frames.channel::<T>(channel).and_then(|all| all.get(range.clone())).unwrap_or_default();
                let places = samples.iter_mut().skip(first + channel).step_by(num_channels);
                places.zip(some).for_each(|(to, from)| *to = convert(*from));
            }
        }
    }
}

/// Multiplies by 2^15, rounds half to even and saturates; NaN becomes 0.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and makes 0 of NaN")]
fn i16_from_f32(sample: f32) -> i16 {
    (sample * 32768.0).round_ties_even() as i16
}

/// Divides by 2^16, rounds half to even and saturates.
fn i16_from_i32(sample: i32) -> i16 {
    let is_odd = (sample >> 16) & 1;
    let rounded = sample.saturating_add(0x7fff + is_odd) >> 16;
    i16::try_from(rounded).unwrap_or(i16::MAX)
}

/// Encodes packets.
#[derive(Debug)]
struct Packets {
    sample_rate: u32,
    num_channels: u8,
    /// The predictor of each channel, and the best scale factor of its last slice.
    states: Vec<(Lms, usize)>,
}

impl Packets {
    /// Checks the options.
    ///
    /// # Errors
    /// When the format does not support them.
    fn new(options: &EncoderOptions<'_>) -> Result<Self> {
        let reject = |what: String| Err(Error::unsupported(what));
        if let Some(bits) = options.bits_per_sample.filter(|bits| *bits != 16) {
            return reject(format!("QOA has 16 bits per sample, not {bits}"));
        }
        if options.bitrate.is_some() || options.quality.is_some() {
            return reject(
                "QOA has one quality, 3.2 bits per sample: leave out bitrate and quality".to_owned(),
            );
        }
        if !(1..=MAX_SAMPLE_RATE).contains(&options.sample_rate) {
            return reject(format!(
                "QOA has sample rates of 1 to {MAX_SAMPLE_RATE}, not {}",
                options.sample_rate
            ));
        }
        let num_channels = u8::try_from(options.num_channels).unwrap_or(u8::MAX);
        if !(1..=MAX_CHANNELS).contains(&options.num_channels) {
            return reject(format!("QOA has 1 to {MAX_CHANNELS} channels, not {}", options.num_channels));
        }
        if !has_layout(num_channels, options.channel_mask) {
            let (mask, own) = (options.channel_mask, channel_mask(num_channels));
            return reject(format!("QOA's {num_channels} channels have the mask {own:#x}, not {mask:#x}"));
        }
        let start = (Lms::START, 0);
        let states = vec![start; num_channels.into()];
        Ok(Self { sample_rate: options.sample_rate, num_channels, states })
    }

    /// The bytes that a packet allocates while it is encoded: its samples, its bytes and the states.
    fn num_bytes(&self) -> u64 {
        let channel = PACKET_FRAMES * size_of::<i16>() + size_of::<(Lms, usize)>();
        (usize::from(self.num_channels) * channel + packet_bytes(self.num_channels, PACKET_FRAMES)) as u64
    }

    /// Appends a packet of up to 5120 frames to `bytes`.
    fn encode(&mut self, samples: &[i16], bytes: &mut Vec<u8>) {
        let num_channels = usize::from(self.num_channels);
        let num_frames = samples.len() / num_channels;
        let num_bytes = packet_bytes(self.num_channels, num_frames);
        let header = PacketHeader {
            num_channels: self.num_channels,
            sample_rate: self.sample_rate,
            num_frames: u16::try_from(num_frames).unwrap_or(u16::MAX),
            num_bytes: u16::try_from(num_bytes).unwrap_or(u16::MAX),
        };
        bytes.extend(header.to_bytes());
        for (lms, _) in &mut self.states {
            let written = lms.to_bytes();
            bytes.extend(written);
            *lms = Lms::from_bytes(&written); // the state that a decoder continues from
        }
        for row in samples.chunks(SLICE_FRAMES * num_channels) {
            for (channel, (lms, scale)) in self.states.iter_mut().enumerate() {
                let mut one = [0; SLICE_FRAMES];
                let from = row.iter().skip(channel).step_by(num_channels);
                one.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                let one = one.get(..row.len() / num_channels).unwrap_or_default();
                bytes.extend(slice::encode(one, lms, scale).to_be_bytes());
            }
        }
    }
}

/// Whether a mask is the specification's layout. Where that says "B/SL, B/SR", back and side channels are the same.
fn has_layout(num_channels: u8, mask: u64) -> bool {
    const BACK: u64 = 0x30;
    const SIDE: u64 = 0x600;
    let own = channel_mask(num_channels);
    let at_the_side = if (4..=6).contains(&num_channels) { own ^ BACK ^ SIDE } else { own };
    mask == 0 || mask == own || mask == at_the_side || (num_channels == 1 && mask.count_ones() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_rounded_to_even_and_saturate() {
        let half = 0.5 / 32768.0;
        let samples =
            [0.0, 1.0, -1.0, half, 3.0 * half, -half, -3.0 * half, 9.0, -9.0, f32::NAN, f32::INFINITY];
        let expected = [0, 32767, -32768, 0, 2, 0, -2, 32767, -32768, 0, 32767];
        assert_eq!(samples.map(i16_from_f32), expected);
    }

    #[test]
    fn integers_are_rounded_to_even_and_saturate() {
        let samples = [0, 0x7fff, 0x8000, 0x8001, 0x1_8000, -0x8000, -0x1_8000, i32::MAX, i32::MIN];
        assert_eq!(samples.map(i16_from_i32), [0, 0, 0, 1, 2, 0, -2, 32767, -32768]);
        for sample in (i32::MIN..=i32::MAX).step_by(104_729) {
            let exact = (f64::from(sample) / 65536.0).round_ties_even().min(32767.0);
            assert_eq!(f64::from(i16_from_i32(sample)), exact);
        }
    }

    #[test]
    fn layouts_of_the_specification_are_taken() {
        for (num_channels, mask) in
            [(1, 4), (1, 1), (2, 3), (3, 7), (4, 0x33), (4, 0x603), (6, 0x60f), (6, 0x3f), (8, 0x63f), (5, 0)]
        {
            assert!(has_layout(num_channels, mask), "{num_channels} channels, {mask:#x}");
        }
        for (num_channels, mask) in [(1, 3), (2, 0xc), (4, 0x107), (7, 0x13f), (8, 0xff)] {
            assert!(!has_layout(num_channels, mask), "{num_channels} channels, {mask:#x}");
        }
    }
}
