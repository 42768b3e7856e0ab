//! From frames to packets of 20 ms, with those of all streams in each.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use mapwave_plugin::fork::hold_off;
use mapwave_plugin::{Error, Result, Status};
use opus_pure::{Application, RateControl};

use super::super::packet::{SAMPLE_RATE, with_length};
use super::layout::Layout;
use super::settings::Settings;

/// The frames that a packet decodes to.
pub(crate) const PACKET_FRAMES: u32 = 960;

/// Packets per second.
const PACKETS_PER_SECOND: u32 = SAMPLE_RATE / PACKET_FRAMES;

/// The most bytes of a packet of one frame.
const MAX_PACKET_BYTES: usize = 1276;

/// The lowest bitrate of a stream, and the highest.
const LEAST: u32 = 6000;
const MOST: u32 = 510_000;

/// The encoders of all streams.
pub(super) struct PacketEncoder {
    streams: Vec<Stream>,
    num_channels: usize,
    /// The frames of input in a packet.
    frame_size: usize,
    /// Input that does not fill a packet yet, interleaved.
    pending: Vec<f32>,
    /// The delay of the encoders in frames of output.
    pub(super) pre_skip: u16,
}

struct Stream {
    encoder: Box<opus_pure::OpusEncoder>,
    channels: Vec<usize>,
    samples: Vec<f32>,
    packet: Vec<u8>,
}

impl PacketEncoder {
    /// Encoders in their initial states.
    ///
    /// # Errors
    /// When one cannot be made.
    pub(super) fn new(layout: &Layout, settings: Settings) -> Result<Self> {
        fill_tables();
        let streams = layout.streams.iter().enumerate().map(|(number, channels)| {
            let num_channels = channels.len();
            let mut encoder = create(settings.sample_rate, num_channels)?;
            let share = settings.bitrate.saturating_mul(if num_channels == 2 { 2 } else { 1 });
            let share = if layout.low == Some(number) { share / 4 } else { share };
            encoder.bitrate_bps = share.clamp(LEAST, MOST).cast_signed();
            encoder.complexity = settings.complexity.cast_signed();
            encoder.rate_control = RateControl::Vbr;
            let packet = vec![0; MAX_PACKET_BYTES];
            Ok(Stream { encoder: Box::new(encoder), channels: channels.clone(), samples: Vec::new(), packet })
        });
        let streams: Vec<Stream> = streams.collect::<Result<_>>()?;
        let factor = (SAMPLE_RATE / settings.sample_rate) as usize;
        let delay = streams.first().map_or(0, |stream| stream.encoder.lookahead() * factor);
        Ok(Self {
            streams,
            num_channels: layout.mapping.len(),
            frame_size: (settings.sample_rate / PACKETS_PER_SECOND) as usize,
            pending: Vec::new(),
            pre_skip: u16::try_from(delay).unwrap_or(u16::MAX),
        })
    }

    /// Encodes interleaved frames, as far as they fill packets.
    ///
    /// # Errors
    /// The error of `write`.
    pub(super) fn push(&mut self, samples: &[f32], mut write: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let samples_per_packet = self.frame_size * self.num_channels;
        let mut rest = samples;
        while self.pending.len() + rest.len() >= samples_per_packet {
            let (now, later) = rest.split_at(samples_per_packet - self.pending.len());
            self.pending.extend_from_slice(now);
            rest = later;
            write(&self.encode()?)?;
        }
        self.pending.extend_from_slice(rest);
        Ok(())
    }

    /// Encodes what is left, and silence behind it: the next packet.
    ///
    /// # Errors
    /// When the encoder fails.
    pub(super) fn flush(&mut self) -> Result<Vec<u8>> {
        self.pending.resize(self.frame_size * self.num_channels, 0.0);
        self.encode()
    }

    /// Encodes a packet from the pending frames.
    fn encode(&mut self) -> Result<Vec<u8>> {
        let mut packet = Vec::new();
        let num_streams = self.streams.len();
        for (number, stream) in self.streams.iter_mut().enumerate() {
            stream.samples.clear();
            for frame in self.pending.chunks_exact(self.num_channels.max(1)) {
                stream.samples.extend(
                    stream.channels.iter().map(|channel| frame.get(*channel).copied().unwrap_or(0.0)),
                );
            }
            let failed =
                |what: String| Error::new(Status::Internal, format!("the Opus encoder failed: {what}"));
            let encoded = stream.encoder.encode(&stream.samples, self.frame_size, &mut stream.packet);
            let num_bytes = encoded.map_err(|error| failed(error.to_string()))?;
            let bytes = stream.packet.get(..num_bytes).unwrap_or_default();
            if number + 1 < num_streams {
                packet.extend(with_length(bytes).ok_or_else(|| failed("an invalid packet".to_owned()))?);
            } else {
                packet.extend_from_slice(bytes);
            }
        }
        self.pending.clear();
        Ok(packet)
    }
}

fn create(sample_rate: u32, num_channels: usize) -> Result<opus_pure::OpusEncoder> {
    let encoder = opus_pure::OpusEncoder::new(sample_rate.cast_signed(), num_channels, Application::Audio);
    encoder.map_err(|error| Error::unsupported(format!("an Opus encoder cannot be made: {error}")))
}

/// Fills the tables that all encoders share, behind a lock that would stay locked in a child that is forked meanwhile.
fn fill_tables() {
    static ARE_FULL: AtomicBool = AtomicBool::new(false);
    if !ARE_FULL.load(Ordering::Acquire) {
        // An encoder that cannot be made fails in the same way when it is needed, and says so.
        hold_off(|| drop(create(SAMPLE_RATE, 1)));
        ARE_FULL.store(true, Ordering::Release);
    }
}
