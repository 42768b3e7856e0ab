//! The decoder of the plugin interface for Ogg files.

#![forbid(unsafe_code)]

use std::ffi::CStr;
use std::sync::Arc;

use mapwave_plugin::{Decoder, DecoderOptions, Head, Input, Result};

use super::links::{Kind, first_audio};
use super::page::CAPTURE_PATTERN;
use super::stream::OggStream;
use crate::engine::packets::{PacketDecoder, decode_with};

/// Decodes Ogg files with Vorbis or FLAC.
pub struct OggDecoder {
    decoder: PacketDecoder<OggStream>,
}

impl std::fmt::Debug for OggDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OggDecoder").field("info", self.info()).finish_non_exhaustive()
    }
}

impl Decoder for OggDecoder {
    const NAME: &'static CStr = c"ogg";
    const CODECS: &'static CStr = c"vorbis,flac";
    const EXTENSIONS: &'static CStr = c"ogg,oga,ogv";

    fn probe(head: &Head<'_>) -> u8 {
        if head.track.is_some() || !head.bytes.starts_with(CAPTURE_PATTERN) {
            return 0;
        }
        match first_audio(head.bytes) {
            Some(Kind::Vorbis | Kind::Flac) => 95,
            Some(Kind::OtherAudio(_)) => 0,
            // Streams other than audio begin first, and the head may end before an audio stream.
            Some(Kind::Other(_)) if head.bytes.len() as u64 >= head.total_bytes => 0,
            Some(Kind::Other(_)) => 40,
            None => 0,
        }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let bytes = input.into_memory(options.max_alloc)?;
        let stream = OggStream::open(bytes, options.stream.unwrap_or(0), options.max_alloc)?;
        Ok(Self { decoder: PacketDecoder::new(Arc::new(stream)) })
    }

    decode_with!(decoder);
}
