//! The decoder of the plugin interface for MPEG audio.

use std::ffi::CStr;
use std::sync::Arc;

use mapwave_plugin::{Decoder, DecoderOptions, Head, Input, Result, Track};

use super::header::Header;
use super::stream::MpegStream;
use super::sync::Sync;
use super::tags;
use crate::engine::packets::{PacketDecoder, decode_with};
use crate::engine::playlist::Playlist;
use crate::format::other;
use crate::host_track;
use crate::tags::id3v2::Id3v2;

/// The bytes of other data behind which frames are found, and the frames that confirm them.
const PROBE_BYTES: u32 = (256 << 10) + (16 << 10);

/// The frames in a row that tell audio from other data.
const ENOUGH: usize = 4;

/// Decodes MPEG-1, 2 and 2.5 audio of layers I, II and III, in files of its own and from WAV, AIFF-C and CAF.
///
/// What a Xing, Info or VBRI frame, LAME's extension and the `iTunSMPB` comment state is taken into account: the frame
/// itself is dropped, as are encoder delay and padding. A frame that cannot be decoded becomes silence of its length.
/// Mono frames within a stereo stream are copied to both channels, and stereo frames within a mono stream are averaged.
/// Where a stream of another sampling frequency, version or layer begins, this one ends and is reported as truncated.
pub struct MpegDecoder {
    packets: PacketDecoder<MpegStream>,
}

impl MpegDecoder {
    /// As [`Decoder::open`], for a stream whose container states which frames are returned.
    ///
    /// # Errors
    /// As [`Decoder::open`].
    pub(crate) fn open_playing(
        input: Input,
        options: &DecoderOptions<'_>,
        playlist: Option<Playlist>,
    ) -> Result<Self> {
        let stream = MpegStream::open(input, options, playlist)?;
        Ok(Self { packets: PacketDecoder::new(Arc::new(stream)) })
    }
}

impl Decoder for MpegDecoder {
    const NAME: &'static CStr = c"mp3";
    const CODECS: &'static CStr = c"mp3,mp2,mp1";
    const EXTENSIONS: &'static CStr = c"mp3,mp2,mp1,mpga,mpa,m2a";
    const PROBE_BYTES: u32 = PROBE_BYTES;
    const HAS_INDEX: bool = true;

    fn probe(head: &Head<'_>) -> u8 {
        match &head.track {
            Some(track) => u8::from(is_mpeg(track)) * 95,
            None => score(head),
        }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        Self::open_playing(input, options, None)
    }

    decode_with!(packets);

    fn save_index(&self) -> Option<Vec<u8>> {
        self.packets.stream().save_index()
    }
}

/// Whether a track is MPEG audio, by its name, its WAVE format tag or its four-character code.
fn is_mpeg(track: &Track<'_>) -> bool {
    let is_wave = host_track::is_wave(track);
    match &track.tag.to_be_bytes() {
        _ if matches!(track.codec, "mp3" | "mp2" | "mp1") => true,
        [0, 0, 0, 0x50 | 0x55] => is_wave,
        b".mp3" | b".mp2" | b".mp1" | b"ms\0\x55" | b"ms\0\x50" => !is_wave,
        _ => false,
    }
}

/// The probe score of a file, by its bytes alone.
fn score(head: &Head<'_>) -> u8 {
    let bytes = head.bytes;
    let start = tags::skip_leading(bytes, 0);
    let rest = bytes.get(start..).unwrap_or_default();
    if [bytes, rest].iter().any(|bytes| other::begins(bytes)) {
        return 0;
    }
    if Id3v2::parse(rest).is_some() || rest.is_empty() && start > 0 {
        // The tag is longer than the head. Most files with one are MP3, but some are AAC or FLAC.
        return 60;
    }
    // A frame that ends with the head confirms something only if the file ends there too.
    let has_all = bytes.len() as u64 == head.total_bytes;
    match Sync::first(bytes, start) {
        Some(sync) => {
            let chain = sync.chain(bytes, 8);
            let is_whole = chain.is_to_end && has_all;
            match chain.num_headers {
                ENOUGH.. if sync.at > start => 55,
                _ if sync.at > start => u8::from(is_whole) * 55,
                4.. => 95,
                3 => 90,
                _ if start > 0 => 90,
                2 if is_whole => 85,
                2 => 60,
                _ => u8::from(is_whole) * 50,
            }
        }
        None => match (Header::parse(rest).is_some(), start > 0 && !has_all) {
            // The tag leaves too little room for two headers.
            (true, true) => 85,
            (false, true) if rest.len() < Header::NUM_BYTES => 60,
            (true, false) => 20,
            _ => 0,
        },
    }
}
