//! The decoder of the plugin interface for MPEG audio.

use std::ffi::CStr;
use std::sync::Arc;

use mapwave_plugin::{Decoder, DecoderOptions, Head, Input, Result, Track};

use super::header::Header;
use super::stream::MpegStream;
use super::sync::Sync;
use super::tags;
use crate::engine::packets::{PacketDecoder, decode_with};
use crate::host_track;
use crate::tags::id3v2::Id3v2;

/// The first bytes of other formats that may contain frames of MPEG audio among other data.
const OTHER_FORMATS: [(usize, &[u8]); 12] = [
    (0, b"RIFF"),
    (0, b"RIFX"),
    (0, b"RF64"),
    (0, b"BW64"),
    (0, b"riff"),
    (0, b"FORM"),
    (0, b"caff"),
    (0, b"fLaC"),
    (0, b"OggS"),
    (0, b"wvpk"),
    (0, b"\x1A\x45\xDF\xA3"),
    (4, b"ftyp"),
];

/// Decodes MPEG-1, 2 and 2.5 audio of layers I, II and III, in files of its own and from WAV, AIFF-C and CAF.
///
/// What a Xing, Info or VBRI frame, LAME's extension and the `iTunSMPB` comment state is taken into account: the frame
/// itself is dropped, as are encoder delay and padding. A frame that cannot be decoded becomes silence of its length.
/// Mono frames within a stereo stream are copied to both channels, and stereo frames within a mono stream are averaged.
/// Where a stream of another sampling frequency, version or layer begins, this one ends and is reported as truncated.
pub struct MpegDecoder {
    packets: PacketDecoder<MpegStream>,
}

impl Decoder for MpegDecoder {
    const NAME: &'static CStr = c"mp3";
    const CODECS: &'static CStr = c"mp3,mp2,mp1";
    const EXTENSIONS: &'static CStr = c"mp3,mp2,mp1,mpga,mpa,m2a";
    const PROBE_BYTES: u32 = 8192;

    fn probe(head: &Head<'_>) -> u8 {
        match &head.track {
            Some(track) => u8::from(is_mpeg(track)) * 95,
            None => score(head),
        }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        MpegStream::open(input, options).map(|stream| Self { packets: PacketDecoder::new(Arc::new(stream)) })
    }

    decode_with!(packets);
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

/// The probe score of a file.
fn score(head: &Head<'_>) -> u8 {
    let bytes = head.bytes;
    let is_named = head.extension.is_some_and(|extension| {
        MpegDecoder::EXTENSIONS
            .to_bytes()
            .split(|byte| *byte == b',')
            .any(|known| known == extension.as_bytes())
    });
    let start = tags::skip_leading(bytes, 0);
    let rest = bytes.get(start..).unwrap_or_default();
    if [bytes, rest].iter().any(|bytes| is_other_format(bytes)) {
        return 0;
    }
    if Id3v2::parse(rest).is_some() || rest.is_empty() && start > 0 {
        // The tag is longer than the head. Most files with one are MP3, but some are AAC or FLAC.
        return if is_named { 70 } else { 60 };
    }
    // A frame that ends with the head confirms something only if the file ends there too.
    let has_all = bytes.len() as u64 == head.total_bytes;
    match Sync::first(bytes, start) {
        Some(sync) => {
            let chain = sync.chain(bytes, 8);
            let is_whole = chain.is_to_end && has_all;
            match chain.num_headers {
                _ if sync.at > start => {
                    if is_named {
                        80
                    } else {
                        55
                    }
                }
                4.. => 95,
                3 => 90,
                _ if start > 0 => 90,
                2 => {
                    if is_named || is_whole {
                        85
                    } else {
                        60
                    }
                }
                _ => {
                    if !is_whole {
                        0
                    } else if is_named {
                        75
                    } else {
                        50
                    }
                }
            }
        }
        None => match (Header::parse(rest).is_some(), start > 0 && !has_all, is_named) {
            // The tag leaves too little room for two headers.
            (true, true, _) => 85,
            (false, true, _) if rest.len() < Header::NUM_BYTES => 60,
            (true, _, true) => 40,
            (_, _, true) => 10,
            _ => 0,
        },
    }
}

/// Whether the bytes begin like another format.
fn is_other_format(bytes: &[u8]) -> bool {
    OTHER_FORMATS.iter().any(|(at, magic)| bytes.get(*at..).is_some_and(|bytes| bytes.starts_with(magic)))
}
