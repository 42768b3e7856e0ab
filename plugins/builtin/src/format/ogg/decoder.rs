//! The decoder of the plugin interface for Ogg files.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};
use std::sync::Arc;

use mapwave_plugin::{Decoder, DecoderOptions, Head, Input, Memory, Output, Result, StreamEntry, StreamInfo};

use super::links::{Kind, chosen_kind, first_audio};
use super::listing;
use super::opus::OpusStream;
use super::page::CAPTURE_PATTERN;
use super::stream::OggStream;
use crate::engine::packets::{PacketDecoder, PacketStream};
use crate::tags::id3v2;

/// Decodes Ogg files with Vorbis, FLAC or Opus.
pub struct OggDecoder {
    stream: Stream,
    streams: Arc<[StreamEntry]>,
}

enum Stream {
    Links(PacketDecoder<OggStream>),
    Opus(Box<PacketDecoder<OpusStream>>),
}

impl std::fmt::Debug for OggDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OggDecoder").field("info", self.info()).finish_non_exhaustive()
    }
}

impl Decoder for OggDecoder {
    const NAME: &'static CStr = c"ogg";
    const CODECS: &'static CStr = c"vorbis,flac,opus";
    const EXTENSIONS: &'static CStr = c"ogg,oga,ogv,opus";
    const HAS_INDEX: bool = true;

    fn probe(head: &Head<'_>) -> u8 {
        let tags = id3v2::leading_bytes(head.bytes);
        if tags >= head.bytes.len() && tags > 0 {
            return u8::from(head.track.is_none()) * 30; // the tags are longer than the head
        }
        if head.track.is_some()
            || !head.bytes.get(tags..).is_some_and(|rest| rest.starts_with(CAPTURE_PATTERN))
        {
            return 0;
        }
        match first_audio(head.bytes) {
            Some(Kind::Vorbis | Kind::Flac | Kind::Opus) => 95,
            Some(Kind::OtherAudio(_)) => 0,
            // Streams other than audio begin first, and the head may end before an audio stream.
            Some(Kind::Other(_)) if head.bytes.len() as u64 >= head.total_bytes => 0,
            Some(Kind::Other(_)) => 40,
            None => 0,
        }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let bytes = input.into_memory(options.max_alloc)?;
        let mut streams = listing::audio_streams(&bytes);
        // A file without audio has an error that says what it has.
        let number = if streams.is_empty() { 0 } else { StreamEntry::choose(&mut streams, options.stream)? };
        let stream = open_stream(bytes, u32::try_from(number).unwrap_or(u32::MAX), options);
        let stream = stream.map_err(|error| StreamEntry::named(&streams, number, error))?;
        Ok(Self { stream, streams: streams.into() })
    }

    fn info(&self) -> &StreamInfo {
        match &self.stream {
            Stream::Links(decoder) => decoder.stream().info(),
            Stream::Opus(decoder) => decoder.stream().info(),
        }
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        match &mut self.stream {
            Stream::Links(decoder) => decoder.seek(frame),
            Stream::Opus(decoder) => decoder.seek(frame),
        }
        Ok(())
    }

    fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
        match &mut self.stream {
            Stream::Links(decoder) => decoder.decode(output),
            Stream::Opus(decoder) => decoder.decode(output),
        }
    }

    fn fork(&self) -> Result<Self> {
        let stream = match &self.stream {
            Stream::Links(decoder) => Stream::Links(PacketDecoder::new(Arc::clone(decoder.stream()))),
            Stream::Opus(decoder) => Stream::Opus(Box::new(PacketDecoder::new(Arc::clone(decoder.stream())))),
        };
        Ok(Self { stream, streams: Arc::clone(&self.streams) })
    }

    fn streams(&self) -> &[StreamEntry] {
        &self.streams
    }

    fn tags(&self) -> &[(CString, CString)] {
        match &self.stream {
            Stream::Links(decoder) => decoder.stream().tags(),
            Stream::Opus(decoder) => decoder.stream().tags(),
        }
    }

    fn save_index(&self) -> Option<Vec<u8>> {
        match &self.stream {
            Stream::Links(decoder) => decoder.stream().save_index(),
            // Opening it looks at some places alone.
            Stream::Opus(_) => None,
        }
    }
}

/// Opens the audio stream of that number.
fn open_stream(bytes: Memory, number: u32, options: &DecoderOptions<'_>) -> Result<Stream> {
    let max_alloc = options.max_alloc;
    if chosen_kind(&bytes, number) == Some(Kind::Opus) {
        let stream = OpusStream::open(bytes, number, max_alloc)?;
        return Ok(Stream::Opus(Box::new(PacketDecoder::new(Arc::new(stream)))));
    }
    let stream = OggStream::open(bytes, number, options.index, max_alloc)?;
    Ok(Stream::Links(PacketDecoder::new(Arc::new(stream))))
}
