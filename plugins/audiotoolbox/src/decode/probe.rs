//! Whether a file looks like one that AudioToolbox reads, by its first bytes.
//!
//! The scores stay below those of the built-in codecs for the formats that both read, so that those come first.

#![forbid(unsafe_code)]

use mapwave_plugin::{Head, Track};

use crate::sys::*;

/// The score for a container that the host has parsed. The built-in codecs score 95.
const TRACK: u8 = 50;

/// The score for a file extension that is usually right.
const EXTENSION: u8 = 15;

/// The codecs of containers that the host has parsed, by the host's names.
const TRACK_CODECS: [&str; 24] = [
    "aac",
    "aac_he",
    "alac",
    "flac",
    "mp1",
    "mp2",
    "mp3",
    "ac3",
    "eac3",
    "opus",
    "amr_nb",
    "amr_wb",
    "ilbc",
    "gsm_ms",
    "adpcm_ima_qt",
    "adpcm_ima_wav",
    // By tag, if the host's parser has no name for them.
    "aach",
    "aacp",
    "aacl",
    "aace",
    "aacf",
    "usac",
    "samr",
    "sawb",
];

/// Extensions and their file types.
const TYPES: [(&str, u32); 24] = [
    ("m4a", kAudioFileM4AType),
    ("m4r", kAudioFileM4AType),
    ("m4b", kAudioFileM4BType),
    ("mp4", kAudioFileMPEG4Type),
    ("3gp", kAudioFile3GPType),
    ("3gpp", kAudioFile3GPType),
    ("3g2", kAudioFile3GP2Type),
    ("aac", kAudioFileAAC_ADTSType),
    ("adts", kAudioFileAAC_ADTSType),
    ("loas", kAudioFileLATMInLOASType),
    ("latm", kAudioFileLATMInLOASType),
    ("mp1", kAudioFileMP1Type),
    ("mp2", kAudioFileMP2Type),
    ("mpa", kAudioFileMP2Type),
    ("mp3", kAudioFileMP3Type),
    ("ac3", kAudioFileAC3Type),
    ("ec3", kAudioFileAC3Type),
    ("amr", kAudioFileAMRType),
    ("awb", kAudioFileAMRType),
    ("flac", kAudioFileFLACType),
    ("caf", kAudioFileCAFType),
    ("aifc", kAudioFileAIFCType),
    ("aiff", kAudioFileAIFFType),
    ("au", kAudioFileNextType),
];

/// Bytes at an offset, the score of a file that has them there, and its type.
type Magic = (usize, &'static [u8], u8, u32);

const MAGIC: [Magic; 11] = [
    (0, b"#!AMR", 97, kAudioFileAMRType),
    (4, b"ftyp3gp", 80, kAudioFile3GPType),
    (4, b"ftyp3g2", 80, kAudioFile3GP2Type),
    (4, b"ftypM4B", 80, kAudioFileM4BType),
    (4, b"ftypM4A", 80, kAudioFileM4AType),
    (4, b"ftyp", 80, kAudioFileMPEG4Type),
    (0, b"fLaC", 50, kAudioFileFLACType),
    (0, b"caff", 50, kAudioFileCAFType),
    (0, b"\x0b\x77", 55, kAudioFileAC3Type),
    (0, b"ID3", 20, kAudioFileMP3Type),
    (0, b".snd", 20, kAudioFileNextType),
];

/// The probe score for a file.
pub(super) fn score(head: &Head<'_>) -> u8 {
    if let Some(track) = &head.track {
        let is_known = TRACK_CODECS.contains(&track.codec);
        return if is_known && type_of_track(track) != 0 { TRACK } else { 0 };
    }
    let by_name = head.extension.and_then(type_of_extension).map(|_| EXTENSION);
    let by_magic = magic(head.bytes).map(|(score, _)| score);
    by_name.max(by_magic).unwrap_or(0)
}

/// The type to try, if the bytes do not show it; 0 for none.
pub(super) fn type_hint(bytes: &[u8], extension: Option<&str>, track: Option<&Track<'_>>) -> u32 {
    if let Some(track) = track {
        return type_of_track(track);
    }
    let by_magic = magic(bytes).map(|(_, file_type)| file_type);
    by_magic.or_else(|| extension.and_then(type_of_extension)).unwrap_or(0)
}

fn type_of_extension(extension: &str) -> Option<u32> {
    TYPES.iter().find(|(name, _)| *name == extension).map(|(_, file_type)| *file_type)
}

fn type_of_track(track: &Track<'_>) -> u32 {
    match track.container {
        "wav" => kAudioFileWAVEType,
        "rf64" => kAudioFileRF64Type,
        "bw64" => kAudioFileBW64Type,
        "w64" => kAudioFileWave64Type,
        "aiff" => kAudioFileAIFFType,
        "aifc" => kAudioFileAIFCType,
        "caf" => kAudioFileCAFType,
        _ => 0,
    }
}

fn magic(bytes: &[u8]) -> Option<(u8, u32)> {
    let has = |(place, magic, ..): &&Magic| bytes.get(*place..).is_some_and(|rest| rest.starts_with(magic));
    if let Some((_, _, score, file_type)) = MAGIC.iter().find(has) {
        return Some((*score, *file_type));
    }
    match *bytes {
        // AAC in ADTS, then AAC in LOAS, then the three layers of MPEG audio.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Some((50, kAudioFileAAC_ADTSType)),
        [0x56, second, ..] if second & 0xe0 == 0xe0 => Some((30, kAudioFileLATMInLOASType)),
        [0xff, second, ..] if second & 0xe0 == 0xe0 => match second >> 1 & 3 {
            1 => Some((20, kAudioFileMP3Type)),
            2 => Some((20, kAudioFileMP2Type)),
            3 => Some((20, kAudioFileMP1Type)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8], extension: Option<&str>) -> u8 {
        score(&Head { bytes, total_bytes: 10_000, extension, track: None })
    }

    #[test]
    fn files_are_known_by_their_first_bytes() {
        assert_eq!(of(b"#!AMR-WB\n", None), 97);
        assert_eq!(of(b"\0\0\0\x20ftypM4A ", None), 80);
        assert_eq!(of(b"\xff\xfb\x90\x00", None), 20);
        assert_eq!((of(b"\xff\xf1\x50\x80", None), of(b"\x56\xe0\x10", None)), (50, 30));
        assert_eq!((of(b"hello", Some("amr")), of(b"hello", Some("txt")), of(b"", None)), (15, 0, 0));
    }

    #[test]
    fn what_is_found_in_the_bytes_counts_more_than_the_name() {
        assert_eq!(type_hint(b"\0\0\0\x20ftyp3gp4", Some("mp4"), None), kAudioFile3GPType);
        assert_eq!(type_hint(b"\xff\xfb\x90\x00", None, None), kAudioFileMP3Type);
        assert_eq!(type_hint(b"\xff\xfd\x90\x00", None, None), kAudioFileMP2Type);
        assert_eq!(type_hint(b"????", Some("ac3"), None), kAudioFileAC3Type);
        assert_eq!(type_hint(b"????", Some("xyz"), None), 0);
    }
}
