//! The engine: a seekable, gapless stream of frames from packets that are found by place.
//!
//! Positions here are on the *decoded* timeline, on which the first frame of the first packet is frame 0. The *trimmed*
//! timeline of the plugin interface begins `priming_frames` later and is `num_frames` long.

#![forbid(unsafe_code)]

use std::ffi::CString;
use std::ops::Range;
use std::sync::Arc;

use mapwave_plugin::{Error, Level, Output, Result, StreamInfo, log};

/// A packet and the frames it stands for on the decoded timeline.
#[derive(Clone, Debug)]
pub(crate) struct Packet<B> {
    /// What the codec is given.
    pub(crate) bytes: B,
    /// Where it stands in the input, for messages.
    pub(crate) offset: u64,
    /// Its first frame.
    pub(crate) first_frame: u64,
    /// Its frames, which come out of it whatever the decoder makes of it: what is missing is silence. May be 0.
    pub(crate) num_frames: u64,
}

/// What is known of a stream: the same for every handle, shared between them.
pub(crate) trait PacketStream: Send + Sync + 'static {
    /// A place between packets; what a walk from there needs to know.
    type Cursor: Send;
    /// The bytes of a packet.
    type Bytes<'a>;
    /// Turns packets into samples.
    type Codec: PacketCodec<Self>;

    /// What the stream is.
    fn info(&self) -> &StreamInfo;

    /// Metadata.
    fn tags(&self) -> &[(CString, CString)] {
        &[]
    }

    /// Frames of the decoded timeline before the first of the trimmed one.
    fn priming_frames(&self) -> u64 {
        self.info().priming_frames.into()
    }

    /// The place before the packet at which a fresh codec must begin, so that `frame` of the decoded timeline comes out as in
    /// decoding from the start; at most the end.
    ///
    /// # Errors
    /// As the bytes deserve.
    fn entry(&self, frame: u64) -> Result<Self::Cursor>;

    /// The packet at a place, which moves behind it; `None` at the end.
    ///
    /// # Errors
    /// As the bytes deserve.
    fn next<'a>(&'a self, cursor: &mut Self::Cursor) -> Result<Option<Packet<Self::Bytes<'a>>>>;

    /// A codec in its first state.
    ///
    /// # Errors
    /// When there is no memory, or the setup is not what it must be.
    fn codec(&self) -> Result<Self::Codec>;

    /// A codec in its first state, made of one that was used where that costs less than a new one.
    ///
    /// # Errors
    /// As [`codec`](Self::codec).
    fn renew(&self, codec: Self::Codec) -> Result<Self::Codec> {
        drop(codec);
        self.codec()
    }
}

/// Turns one packet after the other into samples and keeps those of the last.
pub(crate) trait PacketCodec<S: PacketStream + ?Sized>: Send {
    /// Decodes a packet and returns how many frames came of it, which may be none where the codec's overlap begins.
    ///
    /// # Errors
    /// [`Broken::Silence`] when the stream goes on after this packet as other decoders do; [`Broken::Fatal`] when a wrong
    /// sample would come out of a lossless stream.
    fn decode(&mut self, stream: &S, packet: &Packet<S::Bytes<'_>>) -> Result<usize, Broken>;

    /// Writes frames of the packet decoded last, as many as there is room for, and returns their number.
    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize;
}

/// What a packet that cannot be decoded means for the stream.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Silence stands in for it.
    Silence,
    /// Decoding ends with an error.
    Fatal(Error),
}

/// A handle: one stream at one position.
pub(crate) struct PacketDecoder<S: PacketStream> {
    stream: Arc<S>,
    state: Option<State<S>>,
    /// The codec as the last seek found it.
    used: Option<S::Codec>,
    /// The next frame to be written, on the trimmed timeline.
    position: u64,
}

/// The functions of a [`mapwave_plugin::Decoder`] that a [`PacketDecoder`] in a field of it has answers for.
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

/// What decoding has come to.
struct State<S: PacketStream> {
    codec: S::Codec,
    cursor: S::Cursor,
    /// What is left of the last packet, on the decoded timeline.
    pending: Range<u64>,
    /// The first frame of that packet, and how many came out of the codec.
    first_frame: u64,
    num_decoded: u64,
}

impl<S: PacketStream> PacketDecoder<S> {
    /// A handle at frame 0.
    pub(crate) fn new(stream: Arc<S>) -> Self {
        Self { stream, state: None, used: None, position: 0 }
    }

    /// What is known of the stream.
    pub(crate) fn stream(&self) -> &Arc<S> {
        &self.stream
    }

    /// Moves to a frame of the trimmed timeline; the codec starts when frames are asked for.
    pub(crate) fn seek(&mut self, frame: u64) {
        if let Some(state) = self.state.take() {
            self.used = Some(state.codec);
        }
        self.position = frame;
    }

    /// Writes the next frames, as [`mapwave_plugin::Decoder::decode`].
    ///
    /// # Errors
    /// As the bytes deserve; a seek is needed then.
    pub(crate) fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
        let result = self.fill(output);
        if result.is_err() {
            self.state = None;
        }
        result
    }

    fn fill(&mut self, output: &mut Output<'_>) -> Result<()> {
        let end = self.stream.info().num_frames.unwrap_or(u64::MAX);
        while output.room() > 0 && self.position < end {
            let stream = &*self.stream;
            let target = stream.priming_frames() + self.position;
            let state = match &mut self.state {
                Some(state) => state,
                None => self.state.insert(State::at(stream, self.used.take(), target)?),
            };
            if !state.advance(stream, target)? {
                return Ok(()); // the host sees that frames are missing
            }
            self.position += state.write(end - self.position, output);
        }
        Ok(())
    }
}

impl<S: PacketStream> State<S> {
    fn at(stream: &S, used: Option<S::Codec>, target: u64) -> Result<Self> {
        let codec = match used {
            Some(codec) => stream.renew(codec)?,
            None => stream.codec()?,
        };
        let cursor = stream.entry(target)?;
        Ok(Self { codec, cursor, pending: 0..0, first_frame: 0, num_decoded: 0 })
    }

    /// Decodes packets until the frame `target` is pending; false at the end.
    fn advance(&mut self, stream: &S, target: u64) -> Result<bool> {
        while !self.pending.contains(&target) {
            let Some(packet) = stream.next(&mut self.cursor)? else { return Ok(false) };
            let num_decoded = match self.codec.decode(stream, &packet) {
                Ok(num_decoded) => num_decoded as u64,
                Err(Broken::Silence) => {
                    warn(&packet, target);
                    0
                }
                Err(Broken::Fatal(error)) => return Err(error.at(packet.offset)),
            };
            self.first_frame = packet.first_frame;
            self.num_decoded = num_decoded;
            let end = packet.first_frame.saturating_add(packet.num_frames);
            self.pending = packet.first_frame.max(target).min(end)..end;
        }
        self.pending.start = target;
        Ok(true)
    }

    /// Writes what is pending, at most `max_frames`: what was decoded, then silence up to the packet's length.
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

/// Says that silence stands in for a packet, unless nothing of it is heard.
fn warn<B>(packet: &Packet<B>, target: u64) {
    let end = packet.first_frame.saturating_add(packet.num_frames);
    if end > target {
        let (offset, num_frames) = (packet.offset, packet.num_frames);
        log(
            Level::Warning,
            &format!("the packet at byte {offset} is damaged: {num_frames} frames became silence"),
        );
    }
}

/// A number of frames of one packet, which fits memory.
fn to_usize(num_frames: u64) -> usize {
    usize::try_from(num_frames).unwrap_or(usize::MAX)
}
