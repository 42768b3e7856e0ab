//! The audio tracks of a file as they are listed, whether or not their codecs are supported (ISO/IEC 14496-12, 8.3 to 8.5).

#![forbid(unsafe_code)]

use mapwave_plugin::{Result, StreamEntry};

use super::atoms::{Atom, Kind};
use super::description::{self, Description};
use crate::bytes::Bytes;
use crate::codec::aac::AacSetup;
use crate::format::mpeg;

/// The most audio tracks that are read.
const MOST_TRACKS: usize = 1024;

/// `tkhd`: the track is enabled (8.3.2.3). Writers disable all tracks but one of those that are alternatives to each other.
const ENABLED: u32 = 1;

/// Codecs that are not supported here, by the type of their sample entries (QuickTime File Format, "Supported audio formats"; ETSI
/// TS 102 366, annex F; the registry of mp4ra.org), and in FFmpeg's terms.
const CODECS: [(&Kind, &str); 33] = [
    (b"mp4a", "aac"),
    (b"alac", "alac"),
    (b"fLaC", "flac"),
    (b"Opus", "opus"),
    (b"ac-3", "ac3"),
    (b"ec-3", "eac3"),
    (b"dtsc", "dts"),
    (b"dtsh", "dts"),
    (b"dtsl", "dts"),
    (b"dtse", "dts"),
    (b"mlpa", "truehd"),
    (b"samr", "amr_nb"),
    (b"sawb", "amr_wb"),
    (b"sqcp", "qcelp"),
    (b"Qclp", "qcelp"),
    (b"sevc", "evrc"),
    (b"QDM2", "qdm2"),
    (b"QDMC", "qdmc"),
    (b"MAC3", "mace3"),
    (b"MAC6", "mace6"),
    (b"agsm", "gsm"),
    (b"ima4", "adpcm_ima_qt"),
    (b"ms\0\x02", "adpcm_ms"),
    (b"ms\0\x11", "adpcm_ima_wav"),
    (b"alaw", "pcm_alaw"),
    (b"ulaw", "pcm_mulaw"),
    (b"raw ", "pcm_u8"),
    (b"sowt", "pcm_s16le"),
    (b"twos", "pcm_s16be"),
    (b"in24", "pcm_s24be"),
    (b"in32", "pcm_s32be"),
    (b"fl32", "pcm_f32be"),
    (b"fl64", "pcm_f64be"),
];

/// Languages of QuickTime by their numbers (QuickTime File Format, "Language code values"), in ISO 639-2.
const LANGUAGES: [&str; 41] = [
    "eng", "fra", "ger", "ita", "dut", "swe", "spa", "dan", "por", "nor", "heb", "jpn", "ara", "fin", "gre",
    "ice", "mlt", "tur", "hrv", "chi", "urd", "hin", "tha", "kor", "lit", "pol", "hun", "est", "lav", "sme",
    "fao", "fas", "rus", "chi", "dut", "gle", "alb", "ron", "ces", "slk", "slv",
];

/// The audio tracks of a movie, with their entries.
pub(crate) fn audio_tracks<'a>(file: &[u8], moov: Bytes<'a>) -> (Vec<Bytes<'a>>, Vec<StreamEntry>) {
    let is_audio = |trak: &Bytes<'_>| {
        let handler = trak.find_path(&[*b"mdia", *b"hdlr"]);
        handler.and_then(|handler| handler.rest().get(8..12)) == Some(b"soun")
    };
    let tracks = moov.boxes().filter(|found| &found.kind == b"trak").map(|found| found.payload);
    tracks.filter(is_audio).take(MOST_TRACKS).map(|trak| (trak, entry(file, trak))).unzip()
}

/// The entry of a track, as far as its boxes are intact.
fn entry(file: &[u8], trak: Bytes<'_>) -> StreamEntry {
    let language = trak.find_path(&[*b"mdia", *b"mdhd"]).and_then(|mdhd| language(mdhd).ok().flatten());
    let stbl = trak.find_path(&[*b"mdia", *b"minf", *b"stbl"]);
    let facts = stbl.and_then(|stbl| Some((stbl, stbl.find(*b"stsd")?))).and_then(|(stbl, mut stsd)| {
        let facts = of_packets(file, stbl, stsd);
        stsd.take(8).ok()?; // version, flags, number of entries
        facts.or_else(|| of_sample_entry(&stsd.boxes().next()?))
    });
    let (codec, sample_rate, num_channels) = facts.unwrap_or_else(|| ("unknown".to_owned(), 0, 0));
    StreamEntry {
        sample_rate,
        num_channels,
        is_default: trak.find(*b"tkhd").is_some_and(is_enabled),
        ..StreamEntry::new(&codec, &language.unwrap_or_default())
    }
}

fn is_enabled(mut tkhd: Bytes<'_>) -> bool {
    tkhd.version_and_flags().is_ok_and(|(_, flags)| flags & ENABLED != 0)
}

/// A codec, a sample rate and a number of channels.
type Facts = (String, u32, u32);

/// The facts of a codec that is supported here, which its setup or its first packet has.
fn of_packets(file: &[u8], stbl: Bytes<'_>, stsd: Bytes<'_>) -> Option<Facts> {
    match description::read_setup(stsd, u64::MAX).ok()? {
        Description::Compressed(setup) => {
            let info = setup.info();
            Some((info.codec.to_string_lossy().into_owned(), info.sample_rate, info.num_channels))
        }
        Description::Mpeg => {
            let first = usize::try_from(first_chunk(stbl)?).ok()?;
            let header = mpeg::header_of(file.get(first..)?)?;
            Some((format!("mp{}", header.layer()), header.sample_rate(), header.num_channels().into()))
        }
    }
}

/// Where the first packet is ("stco", "co64": 8.7.5).
fn first_chunk(stbl: Bytes<'_>) -> Option<u64> {
    if let Some(mut offsets) = stbl.find(*b"stco") {
        offsets.take(8).ok()?; // version, flags, number of entries
        return offsets.u32().ok().map(u64::from);
    }
    let mut offsets = stbl.find(*b"co64")?;
    offsets.take(8).ok()?;
    offsets.u64().ok()
}

/// The facts of any codec, as its sample entry and the box of its setup state them.
fn of_sample_entry(entry: &Atom<'_>) -> Option<Facts> {
    let known = CODECS.iter().find(|(kind, _)| **kind == entry.kind);
    let codec = known.map_or_else(|| entry.kind.escape_ascii().to_string(), |(_, codec)| (*codec).to_owned());
    let mut fields = entry.payload;
    fields.take(8).ok()?; // reserved, data reference
    let version = fields.u16().ok()?;
    fields.take(6).ok()?; // revision, vendor
    let num_channels = fields.u16().ok()?.into();
    fields.take(6).ok()?; // depth, compression, packet size
    let sample_rate = fields.u32().ok()? >> 16;
    if version == 2 {
        fields.take(4).ok()?; // size
        let (rate, num_channels) = (f64::from_bits(fields.u64().ok()?), fields.u32().ok()?);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        return Some((codec, rate.round() as u32, num_channels));
    }
    let setup = |kind: &Kind| description::find(entry.payload, *kind).ok().flatten();
    let stated = match &entry.kind {
        b"mp4a" => {
            let mut esds = setup(b"esds")?;
            esds.version_and_flags().ok()?;
            return Some(match description::decoder_configuration(esds).ok()? {
                (0x40 | 0x66..=0x68, config) => {
                    let stated = config.and_then(|config| AacSetup::stated(config.rest()));
                    let (sample_rate, num_channels) = stated.unwrap_or((sample_rate, num_channels));
                    (codec, sample_rate, num_channels)
                }
                (0xa5, _) => ("ac3".to_owned(), sample_rate, num_channels),
                (0xa6, _) => ("eac3".to_owned(), sample_rate, num_channels),
                (0xa9..=0xac, _) => ("dts".to_owned(), sample_rate, num_channels),
                (0xdd, _) => ("vorbis".to_owned(), sample_rate, num_channels),
                (0xe1, _) => ("qcelp".to_owned(), sample_rate, num_channels),
                _ => ("mp4a".to_owned(), sample_rate, num_channels),
            });
        }
        b"ac-3" => setup(b"dac3").and_then(|setup| Some(ac3_channels(setup.rest().first_chunk()?))),
        b"ec-3" => {
            setup(b"dec3").and_then(|setup| Some(eac3_channels(setup.rest().get(2..)?.first_chunk()?)))
        }
        b"Opus" => return Some((codec, 48_000, num_channels)),
        _ => None,
    };
    Some((codec, sample_rate, stated.unwrap_or(num_channels)))
}

/// The channels by the audio coding mode (ETSI TS 102 366, table 4.3).
const CODING_MODES: [u32; 8] = [2, 1, 2, 3, 3, 4, 4, 5];

/// The channels that an AC-3 setup states (ETSI TS 102 366, F.4): of 24 bits, 10 precede the coding mode.
fn ac3_channels(setup: &[u8; 3]) -> u32 {
    let bits = u32::from_be_bytes([0, setup[0], setup[1], setup[2]]);
    channels(bits >> 11, bits >> 10)
}

/// The channels of the first substream that an E-AC-3 setup states (F.6): after the data rate, 12 bits precede the coding mode.
fn eac3_channels(setup: &[u8; 2]) -> u32 {
    let bits = u32::from(u16::from_be_bytes(*setup));
    channels(bits >> 1, bits)
}

fn channels(coding_mode: u32, has_lfe: u32) -> u32 {
    let mode = usize::try_from(coding_mode & 7).unwrap_or(0);
    CODING_MODES.get(mode).copied().unwrap_or(0) + (has_lfe & 1)
}

/// The language of a media header (8.4.2.3): three letters of five bits, or a number of QuickTime's.
fn language(mut mdhd: Bytes<'_>) -> Result<Option<String>> {
    let (version, _) = mdhd.version_and_flags()?;
    mdhd.take(if version == 0 { 16 } else { 28 })?; // times, clock, duration
    let code = mdhd.u16()?;
    if code < 0x400 {
        let name = LANGUAGES.get(usize::from(code)).filter(|name| !name.is_empty());
        return Ok(name.map(|name| (*name).to_owned()));
    }
    let letters = [code >> 10, code >> 5, code].map(|letter| u8::try_from(letter & 0x1f).unwrap_or(0));
    let is_letter = |letter: &u8| (1..=26).contains(letter);
    let text = letters.iter().map(|letter| char::from(b'`' + letter)).collect();
    Ok(Some(text).filter(|_| letters.iter().all(is_letter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language_of(code: u16) -> Option<String> {
        let header = [&[0; 20][..], &code.to_be_bytes(), &[0, 0]].concat();
        language(Bytes::new(&header)).ok().flatten()
    }

    #[test]
    fn languages_are_letters_or_numbers() {
        let packed =
            |text: &[u8; 3]| text.iter().fold(0, |code, letter| code << 5 | u16::from(letter - b'`'));
        assert_eq!(language_of(packed(b"deu")).as_deref(), Some("deu"));
        assert_eq!(language_of(0).as_deref(), Some("eng"));
        assert_eq!(language_of(40).as_deref(), Some("slv"));
        // Beyond the table, "unspecified" (32767), and letters that are none.
        assert_eq!([41, 0x7fff, 0x400].map(language_of), [None, None, None]);
        assert!(language(Bytes::new(&[0; 20])).is_err());
        let version_1 = [&[1][..], &[0; 31], &packed(b"fra").to_be_bytes(), &[0, 0]].concat();
        assert_eq!(language(Bytes::new(&version_1)).ok().flatten().as_deref(), Some("fra"));
    }

    #[test]
    fn the_channels_of_ac3_are_those_of_its_setup() {
        // Five channels and one of low frequencies, and one channel.
        assert_eq!(ac3_channels(&[0x10, 0x3d, 0xc0]), 6);
        assert_eq!(ac3_channels(&[0x10, 0x09, 0x80]), 1);
        assert_eq!(eac3_channels(&[0x20, 0x0f]), 6);
        assert_eq!(eac3_channels(&[0x20, 0x04]), 2);
    }
}
