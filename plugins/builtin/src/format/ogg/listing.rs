//! The audio streams of the first link as they are listed, whether or not their codecs are supported.

#![forbid(unsafe_code)]

use mapwave_plugin::StreamEntry;

use super::flac;
use super::links::Kind;
use super::page::Pages;
use crate::bytes::Bytes;

/// The most audio streams that are read.
const MOST_STREAMS: usize = 1024;

/// The audio streams of a file, in the order of their first pages, which are consecutive.
pub(crate) fn audio_streams(file: &[u8]) -> Vec<StreamEntry> {
    let pages = Pages::new(file).skip_while(|page| !page.is_first).take_while(|page| page.is_first);
    let audio = pages.filter(|page| Kind::of(page.body).is_audio());
    audio.take(MOST_STREAMS).map(|page| entry(page.body)).collect()
}

/// The entry of a stream with this first packet.
fn entry(packet: &[u8]) -> StreamEntry {
    let codec = match packet {
        [1, b'v', b'o', b'r', b'b', b'i', b's', ..] => "vorbis",
        packet if packet.starts_with(flac::SIGNATURE) || packet.starts_with(b"fLaC") => "flac",
        packet if packet.starts_with(b"OpusHead") => "opus",
        packet if packet.starts_with(b"Speex") => "speex",
        packet if packet.starts_with(b"CELT") => "celt",
        _ => "unknown",
    };
    let (sample_rate, num_channels) = facts(codec, packet).unwrap_or((0, 0));
    StreamEntry { sample_rate, num_channels, ..StreamEntry::new(codec, "") }
}

/// The sample rate and the number of channels (Vorbis I, 4.2.2; RFC 9639, 10.1; RFC 7845, 5.1; the Speex manual, 5.2).
fn facts(codec: &str, packet: &[u8]) -> Option<(u32, u32)> {
    let at = |place: usize| packet.get(place..).map(Bytes::new);
    match codec {
        "vorbis" => Some((at(12)?.u32_le().ok()?, at(11)?.u8().ok()?.into())),
        "opus" => Some((48_000, at(9)?.u8().ok()?.into())),
        "speex" => Some((at(36)?.u32_le().ok()?, at(48)?.u32_le().ok()?)),
        "flac" if packet.starts_with(flac::SIGNATURE) => {
            // 20 bits and 3 of STREAMINFO.
            let bits = at(27)?.u32().ok()?;
            Some((bits >> 12, (bits >> 9 & 7) + 1))
        }
        _ => None,
    }
}
