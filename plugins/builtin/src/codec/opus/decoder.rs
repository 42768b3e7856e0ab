//! Decodes packets with published decoders, all streams of each one after the other.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use mapwave_plugin::fork::hold_off;
use mapwave_plugin::{Error, Output, Result, SampleFormat};

use super::cells::Engine;
use super::head::OpusSetup;
use super::packet::{SAMPLE_RATE, num_frames, split};
use crate::engine::packets::Broken;

/// Below this, samples are zero: a decoder's filters fade to numbers around 1e-34 that depend on what was before the silence.
const SILENT: f32 = 1e-20;

/// Turns packets into samples.
pub(crate) struct OpusCodec {
    streams: Vec<Stream>,
    /// The packet of one stream.
    scratch: Vec<u8>,
    /// The samples of the last packet, one channel after the other, unless a single stream has them in order.
    planes: Vec<f32>,
    /// Where each channel of output is: a stream, and its channel in it.
    sources: Vec<Option<(usize, usize)>>,
    is_direct: bool,
    gain: f32,
    num_decoded: usize,
}

/// A stream of one or two channels.
struct Stream {
    decoder: Decoder,
    num_channels: usize,
    /// The samples of the last packet, interleaved.
    samples: Vec<f32>,
}

enum Decoder {
    Fast(Box<opus_pure::OpusDecoder>),
    General(Box<General>),
}

/// A decoder that cuts samples at ±1, and what restores them.
struct General {
    decoder: rusty_opus::OpusDecoder,
    unlimited: Unlimited,
}

/// Where the samples that are cut come from: another decoder, which goes through the same packets once there are such samples.
enum Unlimited {
    /// No sample was cut so far. The packets one after the other, and the end and the frames of each.
    Unneeded { packets: Vec<u8>, ends: Vec<(usize, usize)> },
    /// The decoder, and the samples of its last packet.
    Decoder(Box<opus_pure::OpusDecoder>, Vec<f32>),
    /// It could not be made: samples stay cut.
    Missing,
}

impl General {
    fn decode(&mut self, packet: &[u8], num_frames: usize, samples: &mut [f32]) -> Option<usize> {
        let num_decoded = self.decoder.decode(packet, num_frames, samples).ok();
        let is_cut = num_decoded.is_some() && samples.iter().any(|sample| sample.abs() >= 1.0);
        if let Unlimited::Unneeded { packets, ends } = &mut self.unlimited {
            packets.extend_from_slice(packet);
            ends.push((packets.len(), num_frames));
            if is_cut {
                let num_channels = samples.len() / num_frames.max(1);
                self.unlimited = Unlimited::after(packets, ends, num_channels);
            }
        } else {
            self.unlimited.decode(packet, num_frames, samples.len());
        }
        if is_cut && let Unlimited::Decoder(_, whole) = &self.unlimited {
            for (sample, whole) in samples.iter_mut().zip(whole) {
                // The two differ by rounding, and nowhere does the one that is whole fall below the limit for it.
                if sample.abs() >= 1.0 && whole.abs() >= 1.0 {
                    *sample = *whole;
                }
            }
        }
        num_decoded
    }
}

impl Unlimited {
    /// A decoder that has been through these packets.
    fn after(packets: &[u8], ends: &[(usize, usize)], num_channels: usize) -> Self {
        let Ok(decoder) = opus_pure::OpusDecoder::new(SAMPLE_RATE.cast_signed(), num_channels) else {
            return Self::Missing;
        };
        let mut unlimited = Self::Decoder(Box::new(decoder), Vec::new());
        let mut start = 0;
        for (end, num_frames) in ends {
            unlimited.decode(
                packets.get(start..*end).unwrap_or_default(),
                *num_frames,
                num_frames * num_channels,
            );
            start = *end;
        }
        unlimited
    }

    /// Decodes a packet. One that is damaged leaves silence, which replaces nothing.
    fn decode(&mut self, packet: &[u8], num_frames: usize, num_samples: usize) {
        if let Self::Decoder(decoder, samples) = self {
            samples.clear();
            samples.resize(num_samples, 0.0);
            if decoder.decode(packet, num_frames, samples).is_err() {
                samples.fill(0.0);
            }
        }
    }
}

impl Decoder {
    fn new(engine: Engine, num_channels: usize) -> Result<Self> {
        fill_tables();
        Self::create(engine, num_channels)
    }

    fn create(engine: Engine, num_channels: usize) -> Result<Self> {
        let rate = SAMPLE_RATE.cast_signed();
        let failed = |error: String| Error::unsupported(format!("an Opus decoder cannot be made: {error}"));
        match engine {
            Engine::Fast => opus_pure::OpusDecoder::new(rate, num_channels)
                .map(|decoder| Self::Fast(Box::new(decoder)))
                .map_err(|error| failed(error.to_string())),
            Engine::General => rusty_opus::OpusDecoder::new(rate, num_channels)
                .map(|decoder| {
                    let unlimited = Unlimited::Unneeded { packets: Vec::new(), ends: Vec::new() };
                    Self::General(Box::new(General { decoder, unlimited }))
                })
                .map_err(|error| failed(error.to_string())),
        }
    }

    /// Decodes a packet, which has at most as many frames as `samples` has room for; returns their number.
    fn decode(&mut self, packet: &[u8], num_frames: usize, samples: &mut [f32]) -> Option<usize> {
        match self {
            Self::Fast(decoder) => decoder.decode(packet, num_frames, samples).ok(),
            Self::General(decoder) => decoder.decode(packet, num_frames, samples),
        }
    }
}

/// Fills the tables that all decoders share. Each is filled when it is first needed, behind a lock, which would stay locked in a
/// child that is forked meanwhile.
fn fill_tables() {
    static ARE_FULL: AtomicBool = AtomicBool::new(false);
    if !ARE_FULL.load(Ordering::Acquire) {
        hold_off(|| {
            for engine in [Engine::Fast, Engine::General] {
                // A decoder that cannot be made fails in the same way when it is needed, and says so.
                drop(Decoder::create(engine, 1));
            }
        });
        ARE_FULL.store(true, Ordering::Release);
    }
}

impl OpusCodec {
    /// Decoders in their initial states.
    ///
    /// # Errors
    /// When one cannot be made.
    pub(crate) fn new(setup: &OpusSetup, engine: Engine) -> Result<Self> {
        let streams = (0..setup.num_streams).map(|number| {
            let num_channels = if number < setup.num_coupled { 2 } else { 1 };
            Ok(Stream { decoder: Decoder::new(engine, num_channels)?, num_channels, samples: Vec::new() })
        });
        let num_coupled = setup.num_coupled;
        // Decoded channels are numbered with those of the coupled streams first (RFC 7845, section 5.1.1).
        let source = |channel: usize| match channel.checked_sub(num_coupled * 2) {
            None => (channel / 2, channel % 2),
            Some(beyond) => (num_coupled + beyond, 0),
        };
        let is_in_order = setup.channels.iter().enumerate().all(|(number, channel)| *channel == Some(number));
        Ok(Self {
            scratch: Vec::new(),
            streams: streams.collect::<Result<_>>()?,
            planes: Vec::new(),
            sources: setup.channels.iter().map(|channel| channel.map(source)).collect(),
            is_direct: setup.num_streams == 1 && is_in_order && setup.channels.len() == setup.num_coupled + 1,
            gain: setup.gain,
            num_decoded: 0,
        })
    }

    /// Decodes a packet and returns the number of frames. A damaged packet becomes silence, as in other decoders.
    pub(crate) fn decode(&mut self, packet: &[u8]) -> Result<usize, Broken> {
        self.num_decoded = 0;
        let wanted = num_frames(packet).ok_or(Broken::Silence)?;
        let wanted = usize::try_from(wanted).map_err(|_| Broken::Silence)?;
        let num_streams = self.streams.len();
        for (stream, found) in self.streams.iter_mut().zip(split(packet, num_streams)) {
            let (packet, parsed) = found.ok_or(Broken::Silence)?;
            let packet = parsed.alone(packet, &mut self.scratch).ok_or(Broken::Silence)?;
            stream.decode(packet, wanted).ok_or(Broken::Silence)?;
        }
        if !self.is_direct {
            self.arrange(wanted);
        }
        self.num_decoded = wanted;
        Ok(wanted)
    }

    /// Copies the channels to their planes.
    fn arrange(&mut self, num_frames: usize) {
        self.planes.clear();
        self.planes.resize(num_frames * self.sources.len(), 0.0);
        for (plane, source) in self.planes.chunks_exact_mut(num_frames.max(1)).zip(&self.sources) {
            let Some((stream, channel)) = *source else { continue };
            let Some(stream) = self.streams.get(stream) else { continue };
            let samples = stream.samples.iter().skip(channel).step_by(stream.num_channels.max(1));
            plane.iter_mut().zip(samples).for_each(|(to, from)| *to = *from);
        }
    }

    /// Writes frames of the last decoded packet, as many as fit, and returns their number.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        if output.format() != SampleFormat::F32 {
            return 0; // not among the formats offered
        }
        let gain = self.gain;
        let finish = |sample: f32| {
            let sample = sample * gain;
            if sample.abs() < SILENT { 0.0 } else { sample }
        };
        if self.is_direct {
            let Some(stream) = self.streams.first() else { return 0 };
            let samples = frames.start * stream.num_channels..frames.end * stream.num_channels;
            return output.write_interleaved(stream.samples.get(samples).unwrap_or_default(), finish);
        }
        let planes = self.planes.chunks_exact(self.num_decoded.max(1));
        let planes: Vec<&[f32]> = planes.map(|plane| plane.get(frames.clone()).unwrap_or_default()).collect();
        output.write_planar(&planes, finish)
    }
}

impl Stream {
    /// Decodes a packet of that many frames.
    fn decode(&mut self, packet: &[u8], num_frames: usize) -> Option<()> {
        self.samples.resize(num_frames * self.num_channels, 0.0);
        let num_decoded = self.decoder.decode(packet, num_frames, &mut self.samples)?;
        (num_decoded == num_frames).then_some(())
    }
}
