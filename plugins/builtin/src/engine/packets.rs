//! The engine: it makes a seekable, gapless stream of frames from packets with known positions.
//!
//! Positions are on the *decoded* timeline, on which the first frame of the first packet is frame 0. The *trimmed*
//! timeline of the plugin interface begins `priming_frames` later and is `num_frames` long, unless a
//! [`Playlist`](crate::engine::playlist::Playlist) says otherwise.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ffi::CString;
use std::ops::Range;
use std::sync::Arc;

use mapwave_aac::Snapshot;
use mapwave_plugin::{Error, Level, Output, Result, StreamInfo, log};

use crate::codec::checkpoints::Checkpoints;
use crate::engine::playlist::Run;

/// A packet and its frames on the decoded timeline.
#[derive(Clone, Debug)]
pub(crate) struct Packet<B> {
    /// The input of the codec.
    pub(crate) bytes: B,
    /// Its offset in the input, for messages.
    pub(crate) offset: u64,
    /// Its first frame.
    pub(crate) first_frame: u64,
    /// The number of its frames, possibly 0. If the decoder returns fewer, silence fills the rest.
    pub(crate) num_frames: u64,
}

impl<B> Packet<B> {
    /// The frame after its last.
    fn end(&self) -> u64 {
        self.first_frame.saturating_add(self.num_frames)
    }
}

/// The bytes of a packet, and its number in the stream.
#[derive(Clone, Debug)]
pub(crate) struct Numbered<B> {
    pub(crate) number: u64,
    pub(crate) bytes: B,
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Numbered<B> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

/// A stream whose packets are found by their numbers.
pub(crate) trait NumberedPackets {
    /// The bytes of a packet; `None` if there is none, or the file ends before it does.
    fn packet(&self, number: u64) -> Option<Cow<'_, [u8]>>;

    /// Where decoders of HE-AAC can begin; `None` if only at the beginning.
    fn checkpoints(&self) -> Option<&Checkpoints<Snapshot>> {
        None
    }
}

/// A stream, shared by all handles.
pub(crate) trait PacketStream: Send + Sync + 'static {
    /// A position between packets.
    type Cursor: Send;
    /// The bytes of a packet.
    type Bytes<'a>;
    /// Turns packets into samples.
    type Codec: PacketCodec<Self>;

    /// The properties of the stream.
    fn info(&self) -> &StreamInfo;

    /// Metadata.
    fn tags(&self) -> &[(CString, CString)] {
        &[]
    }

    /// The frames of the decoded timeline before the first of the trimmed one.
    fn priming_frames(&self) -> u64 {
        self.info().priming_frames.into()
    }

    /// What is returned from a frame of the trimmed timeline on; `None` at the end. Where a run ends, the next one begins
    /// with a codec in its initial state, unless it [`continues`](Self::continues).
    fn run(&self, position: u64) -> Option<Run> {
        let end = self.info().num_frames.unwrap_or(u64::MAX);
        let num_frames = end.checked_sub(position).filter(|num_frames| *num_frames > 0)?;
        Some(Run { source: Some(self.priming_frames().saturating_add(position)), num_frames })
    }

    /// Whether the run that begins at a frame of the trimmed timeline, which is the end of another, goes on with its codec.
    fn continues(&self, position: u64) -> bool {
        let _ = position;
        false
    }

    /// The position at which a new codec must start so that `frame` of the decoded timeline comes out as in decoding
    /// from the start; at most the end.
    ///
    /// # Errors
    /// Depending on what is wrong with the file.
    fn entry(&self, frame: u64) -> Result<Self::Cursor>;

    /// The packet at a position, which advances past it; `None` at the end.
    ///
    /// # Errors
    /// Depending on what is wrong with the file.
    fn next<'a>(&'a self, cursor: &mut Self::Cursor) -> Result<Option<Packet<Self::Bytes<'a>>>>;

    /// A codec in its initial state, to return `frame` of the decoded timeline and those after it.
    ///
    /// # Errors
    /// When there is not enough memory, or the setup is invalid.
    fn codec(&self, frame: u64) -> Result<Self::Codec>;

    /// A codec in its initial state, made from a used one if that costs less than a new one.
    ///
    /// # Errors
    /// As [`codec`](Self::codec).
    fn renew(&self, codec: Self::Codec, frame: u64) -> Result<Self::Codec> {
        drop(codec);
        self.codec(frame)
    }
}

/// Decodes packets in order and keeps the samples of the last.
pub(crate) trait PacketCodec<S: PacketStream + ?Sized>: Send {
    /// Decodes a packet and returns the number of frames, which may be 0 for the first packet of a codec with overlap.
    ///
    /// # Errors
    /// [`Broken::Silence`] when silence replaces the packet and the stream continues, as in other decoders;
    /// [`Broken::Fatal`] when a lossless stream would return wrong samples.
    fn decode(&mut self, stream: &S, packet: &Packet<S::Bytes<'_>>) -> Result<usize, Broken>;

    /// Writes frames of the last decoded packet, as many as fit, and returns their number.
    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize;

    /// Whether a packet may be decoded in a batch with others.
    fn is_batched(&self, packet: &Packet<S::Bytes<'_>>) -> bool {
        let _ = packet;
        false
    }

    /// Decodes a batch of packets and writes the wanted frames of each, for which there is room. Afterwards the last packet
    /// is the last decoded one.
    ///
    /// # Errors
    /// The number of the first packet that is damaged, and how that affects the stream. If silence replaces it, the wanted
    /// frames of the packets before it are written.
    fn decode_batch(
        &mut self,
        stream: &S,
        batch: &[Wanted<S::Bytes<'_>>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        for (number, Wanted { packet, frames }) in batch.iter().enumerate() {
            self.decode(stream, packet).map_err(|broken| (number, broken))?;
            self.write(frames.clone(), output);
        }
        Ok(())
    }
}

/// A packet of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<B> {
    pub(crate) packet: Packet<B>,
    /// Which of its frames are written, counted from its first.
    pub(crate) frames: Range<usize>,
}

/// The most packets of a batch. A few suffice to fill vectors.
const MAX_BATCH: usize = 32;

/// How a damaged packet affects the stream.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Silence replaces it.
    Silence,
    /// Decoding ends with an error.
    Fatal(Error),
}

/// A handle: one stream at one position.
pub(crate) struct PacketDecoder<S: PacketStream> {
    stream: Arc<S>,
    state: Option<State<S>>,
    /// The codec that was in use before the last seek.
    used: Option<S::Codec>,
    /// The next frame to write, on the trimmed timeline.
    position: u64,
}

/// The functions of a [`mapwave_plugin::Decoder`] that a [`PacketDecoder`] in one of its fields implements.
macro_rules! decode_with {
    ($field:ident) => {
        fn info(&self) -> &mapwave_plugin::StreamInfo {
            $crate::engine::packets::PacketStream::info(&**self.$field.stream())
        }

        fn seek(&mut self, frame: u64) -> mapwave_plugin::Result<()> {
            self.$field.seek(frame);
            Ok(())
        }

        fn decode(&mut self, output: &mut mapwave_plugin::Output<'_>) -> mapwave_plugin::Result<()> {
            self.$field.decode(output)
        }

        fn fork(&self) -> mapwave_plugin::Result<Self> {
            let stream = std::sync::Arc::clone(self.$field.stream());
            Ok(Self { $field: $crate::engine::packets::PacketDecoder::new(stream) })
        }

        fn tags(&self) -> &[(std::ffi::CString, std::ffi::CString)] {
            $crate::engine::packets::PacketStream::tags(&**self.$field.stream())
        }
    };
}

pub(crate) use decode_with;

/// The state of decoding.
struct State<S: PacketStream> {
    codec: S::Codec,
    cursor: S::Cursor,
    /// The frames of the last packet that are not written yet, on the decoded timeline.
    pending: Range<u64>,
    /// The first frame of that packet, and the number of its decoded frames.
    first_frame: u64,
    num_decoded: u64,
}

impl<S: PacketStream> PacketDecoder<S> {
    /// A handle at frame 0.
    pub(crate) fn new(stream: Arc<S>) -> Self {
        Self { stream, state: None, used: None, position: 0 }
    }

    /// The stream.
    pub(crate) fn stream(&self) -> &Arc<S> {
        &self.stream
    }

    /// Moves to a frame of the trimmed timeline. The codec starts with the next call of `decode`.
    pub(crate) fn seek(&mut self, frame: u64) {
        self.stop();
        self.position = frame;
    }

    /// Ends a run. The codec starts again with the next one.
    fn stop(&mut self) {
        if let Some(state) = self.state.take() {
            self.used = Some(state.codec);
        }
    }

    /// Writes the next frames, as [`mapwave_plugin::Decoder::decode`].
    ///
    /// # Errors
    /// Depending on what is wrong with the file. Afterwards the decoder must seek.
    pub(crate) fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
        let result = self.fill(output);
        if result.is_err() {
            self.state = None;
        }
        result
    }

    fn fill(&mut self, output: &mut Output<'_>) -> Result<()> {
        while output.room() > 0 {
            let stream = &*self.stream;
            let Some(run) = stream.run(self.position) else { return Ok(()) };
            let num_written = match run.source {
                None => output.write_silence(to_usize(run.num_frames)) as u64,
                Some(target) => {
                    let state = match &mut self.state {
                        Some(state) => state,
                        None => self.state.insert(State::at(stream, self.used.take(), target)?),
                    };
                    match state.decode_batch(stream, target, run.num_frames, output)? {
                        0 if state.advance(stream, target)? => state.write(run.num_frames, output),
                        0 => return Ok(()), // the host notices that frames are missing
                        num_written => num_written,
                    }
                }
            };
            self.position += num_written;
            if num_written == run.num_frames && !self.stream.continues(self.position) {
                self.stop();
            }
        }
        Ok(())
    }
}

impl<S: PacketStream> State<S> {
    fn at(stream: &S, used: Option<S::Codec>, target: u64) -> Result<Self> {
        let codec = match used {
            Some(codec) => stream.renew(codec, target)?,
            None => stream.codec(target)?,
        };
        let cursor = stream.entry(target)?;
        Ok(Self { codec, cursor, pending: 0..0, first_frame: 0, num_decoded: 0 })
    }

    /// Decodes packets until the frame `target` is pending; false at the end.
    fn advance(&mut self, stream: &S, target: u64) -> Result<bool> {
        while !self.pending.contains(&target) {
            let Some(packet) = stream.next(&mut self.cursor)? else { return Ok(false) };
            self.decode(stream, &packet, target)?;
        }
        self.pending.start = target;
        Ok(true)
    }

    /// Decodes a packet. Its frames from `target` on are pending.
    fn decode(&mut self, stream: &S, packet: &Packet<S::Bytes<'_>>, target: u64) -> Result<()> {
        let num_decoded = match self.codec.decode(stream, packet) {
            Ok(num_decoded) => num_decoded as u64,
            Err(Broken::Silence) => {
                warn(packet, target);
                0
            }
            Err(Broken::Fatal(error)) => return Err(error.at(packet.offset)),
        };
        self.first_frame = packet.first_frame;
        self.num_decoded = num_decoded;
        let end = packet.end();
        self.pending = packet.first_frame.max(target).min(end)..end;
        Ok(())
    }

    /// Decodes the packets of up to `max_frames` frames from `target` on, as many as fit and as the codec takes in a batch,
    /// and writes those frames; returns their number. Only the packets of frames that are written are decoded, as one by one.
    ///
    /// It is 0 if `target` is pending, or else if the next packet is not one for a batch, which then is decoded.
    fn decode_batch(
        &mut self,
        stream: &S,
        target: u64,
        max_frames: u64,
        output: &mut Output<'_>,
    ) -> Result<u64> {
        if self.pending.contains(&target) {
            return Ok(0);
        }
        let end = target.saturating_add(max_frames.min(output.room() as u64));
        let (mut batch, mut other, mut next) = (Vec::new(), None, target);
        while next < end && batch.len() < MAX_BATCH {
            let Some(packet) = stream.next(&mut self.cursor)? else { break };
            let follows = batch.is_empty() || packet.first_frame == next;
            if !(follows
                && packet.first_frame <= next
                && next < packet.end()
                && self.codec.is_batched(&packet))
            {
                other = Some(packet);
                break;
            }
            let place = |frame: u64| to_usize(frame.min(packet.end()) - packet.first_frame);
            let frames = place(next)..place(end);
            next = end.min(packet.end());
            batch.push(Wanted { packet, frames });
        }
        if let Some(Wanted { packet: last, .. }) = batch.last() {
            self.pending = 0..0; // in case of an error
            let mut rest = batch.as_slice();
            while let Err((number, broken)) = self.codec.decode_batch(stream, rest, output) {
                let Some(Wanted { packet, frames }) = rest.get(number) else { break };
                match broken {
                    Broken::Silence => warn(packet, packet.first_frame),
                    Broken::Fatal(error) => return Err(error.at(packet.offset)),
                }
                output.write_silence(frames.len());
                rest = rest.get(number + 1..).unwrap_or_default();
            }
            (self.first_frame, self.num_decoded) = (last.first_frame, last.num_frames);
            self.pending = next..last.end();
        }
        if let Some(packet) = other {
            self.decode(stream, &packet, next)?;
        }
        Ok(next - target)
    }

    /// Writes at most `max_frames` pending frames: the decoded ones, then silence up to the length of the packet.
    fn write(&mut self, max_frames: u64, output: &mut Output<'_>) -> u64 {
        let first = self.pending.start - self.first_frame;
        let last = (self.pending.end - self.first_frame).min(first.saturating_add(max_frames));
        let decoded = first..last.min(self.num_decoded);
        let num_written = if decoded.is_empty() {
            output.write_silence(to_usize(last - first))
        } else {
            self.codec.write(to_usize(decoded.start)..to_usize(decoded.end), output)
        };
        self.pending.start += num_written as u64;
        num_written as u64
    }
}

/// Warns that silence replaces a packet, unless none of its frames are returned.
fn warn<B>(packet: &Packet<B>, target: u64) {
    if packet.end() > target {
        let (offset, num_frames) = (packet.offset, packet.num_frames);
        log(
            Level::Warning,
            &format!("the packet at byte {offset} is damaged: {num_frames} frames became silence"),
        );
    }
}

/// A number of frames of one packet, which fits into memory.
fn to_usize(num_frames: u64) -> usize {
    usize::try_from(num_frames).unwrap_or(usize::MAX)
}
